/* cmd/report: the line of a run in the log. */
#include "cmd/report.h"

#include <string.h>

#include "provide.h"
#include "test.h"

static void assert_line(const struct answer *answer, const struct error *err, int status,
                        const char *line)
{
    struct buf text AUTO(buf_clear) = {0};

    report_append(&text, answer, err, status, 12);
    assert_string_equal(text.bytes, line);
}

static void test_answers(void **state)
{
    struct answer answer = {.has_credentials = true,
                            .host = "h:5000",
                            .principal = "profile \"a b\"",
                            .token = {.request_id = "A-1"}};
    const struct answer anonymous = {.host = "h"};
    const struct error none = {0};

    (void)state;
    assert_line(&answer, &none, 0,
                "host=h:5000 identity=\"profile 'a b'\" source=api duration_ms=12 request_id=A-1 "
                "status=0");
    answer.is_from_cache = true;
    answer.token.request_id[0] = '\0';
    assert_line(&answer, &none, 0,
                "host=h:5000 identity=\"profile 'a b'\" source=cache duration_ms=12 status=0");
    assert_line(&anonymous, &none, 0, "host=h source=none duration_ms=12 status=0");
}

static void test_failures(void **state)
{
    const struct answer nothing = {0};
    const struct answer refused = {.host = "h", .principal = "role r"};
    struct error err = {.kind = ERROR_PERMISSION, .request_id = "B-2"};

    (void)state;
    assert_line(&refused, &err, 77,
                "host=h identity=\"role r\" source=none duration_ms=12 request_id=B-2 status=77");
    err.request_id[0] = '\0';
    assert_line(&nothing, &err, 65, "source=none duration_ms=12 status=65");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
