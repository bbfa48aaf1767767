#include "proto-json/docker_login.h"
#include "test.h"

static struct token make_token(void)
{
    struct token token = {.user = "us\"er"};

    secret_set(&token.password, "p\\w", 3);
    return token;
}

static void encodes_the_output_of_a_helper(void **state)
{
    struct token token AUTO(token_clear) = make_token();
    struct buf out AUTO(buf_clear) = {0};

    (void)state;
    docker_login_append_credentials(&out, "https://h/v2/", &token);
    assert_string_equal(buf_text(&out),
                        "{\"ServerURL\":\"https://h/v2/\",\"Username\":\"us\\\"er\","
                        "\"Secret\":\"p\\\\w\"}\n");
}

static void encodes_auths(void **state)
{
    struct token token AUTO(token_clear) = make_token();
    struct buf out AUTO(buf_clear) = {0};

    (void)state;
    docker_login_append_auths(&out, NULL, &token);
    docker_login_append_auths(&out, "h:5000", &token);
    assert_string_equal(buf_text(&out), "{\"auths\":{}}\n"
                                        "{\"auths\":{\"h:5000\":{\"auth\":\"dXMiZXI6cFx3\"}}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_the_output_of_a_helper),
        cmocka_unit_test(encodes_auths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
