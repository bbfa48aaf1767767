/* proto-json/login: the exact bytes of each document. */
#include "proto-json/login.h"

#include <string.h>

#include "test.h"

static void encodes_credentials(void **state)
{
    struct token token AUTO(credentials_clear_token) = {.user = "cr_temp_user"};
    struct buf out AUTO(buf_clear) = {0};
    struct login_response response = {
        .api_version = "credentialprovider.kubelet.k8s.io/v1beta1",
        .auth_key = "hub.example.com:5000/team",
        .token = &token,
        .cache_key_type = "Image",
        .cache_duration_s = 2400,
    };

    (void)state;
    secret_set(&token.password, "p\"w\\\xC3\xA9:/<", strlen("p\"w\\\xC3\xA9:/<"));
    login_append_response(&out, &response);
    assert_string_equal(buf_text(&out),
                        "{\"kind\":\"CredentialProviderResponse\","
                        "\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1beta1\","
                        "\"cacheKeyType\":\"Image\",\"cacheDuration\":\"2400s\","
                        "\"auth\":{\"hub.example.com:5000/team\":{\"username\":\"cr_temp_user\","
                        "\"password\":\"p\\\"w\\\\\xC3\xA9:/<\"}}}\n");
}

static void encodes_no_credentials(void **state)
{
    struct buf out AUTO(buf_clear) = {0};
    struct login_response response = {
        .api_version = "credentialprovider.kubelet.k8s.io/v1",
        .cache_key_type = "Registry",
    };

    (void)state;
    login_append_response(&out, &response);
    assert_string_equal(buf_text(&out),
                        "{\"kind\":\"CredentialProviderResponse\","
                        "\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\","
                        "\"cacheKeyType\":\"Registry\",\"cacheDuration\":\"0s\",\"auth\":{}}\n");
}

static struct token make_token(void)
{
    struct token token = {.user = "us\"er"};

    secret_set(&token.password, "p\\w", 3);
    return token;
}

static void encodes_the_output_of_a_helper(void **state)
{
    struct token token AUTO(credentials_clear_token) = make_token();
    struct buf out AUTO(buf_clear) = {0};

    (void)state;
    login_append_helper(&out, "https://h/v2/", &token);
    assert_string_equal(buf_text(&out),
                        "{\"ServerURL\":\"https://h/v2/\",\"Username\":\"us\\\"er\","
                        "\"Secret\":\"p\\\\w\"}\n");
}

static void encodes_auths(void **state)
{
    struct token token AUTO(credentials_clear_token) = make_token();
    struct buf out AUTO(buf_clear) = {0};

    (void)state;
    login_append_auths(&out, NULL, &token);
    login_append_auths(&out, "h:5000", &token);
    assert_string_equal(buf_text(&out), "{\"auths\":{}}\n"
                                        "{\"auths\":{\"h:5000\":{\"auth\":\"dXMiZXI6cFx3\"}}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_credentials),
        cmocka_unit_test(encodes_no_credentials),
        cmocka_unit_test(encodes_the_output_of_a_helper),
        cmocka_unit_test(encodes_auths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
