#include <string.h>

#include "base/error.h"
#include "test.h"

static void formats_one_line(void **state)
{
    struct error err;
    char line[600];

    (void)state;
    assert_false(error_set(&err, ERROR_PERMISSION, "refused\n%s", "by it\x1b"));
    assert_false(error_wrap(&err, "inner"));
    assert_false(error_wrap(&err, "outer"));
    assert_false(error_advise(&err, "Ask %s", "them"));
    strcpy(err.service_code, "NoPermission");
    strcpy(err.request_id, "1-2");
    error_format(&err, line, sizeof line);
    assert_string_equal(line,
                        "outer: inner: refused?by it? (NoPermission, RequestId 1-2). Ask them");
    err.service_code[0] = '\0';
    error_format(&err, line, sizeof line);
    assert_string_equal(line, "outer: inner: refused?by it? (RequestId 1-2). Ask them");
    error_format(&err, line, 6);
    assert_string_equal(line, "outer");
}

static void sets_cause_and_advice_at_once(void **state)
{
    struct error err;
    char line[600];
    char long_path[ERROR_ADVICE_SIZE + 100];

    (void)state;
    assert_false(error_set(&err, ERROR_IO, "the first error"));
    assert_false(error_wrap(&err, "context"));
    err.retry = ERROR_RETRY_NEXT_SOURCE;
    strcpy(err.service_code, "Code");
    assert_false(error_set_advised(&err, ERROR_CONFIG, ADVICE("Run: chmod go-w %s", "a\nb"),
                                   "%s can be written by others", "a\nb"));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    assert_string_equal(err.cause, "a?b can be written by others");
    assert_string_equal(err.advice, "Run: chmod go-w a?b");
    error_format(&err, line, sizeof line);
    assert_string_equal(line, "a?b can be written by others. Run: chmod go-w a?b");

    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    assert_false(error_set_advised(&err, ERROR_CONFIG, long_path, "cause"));
    assert_int_equal(strlen(err.advice), ERROR_ADVICE_SIZE - 1);
    assert_false(error_set_advised(&err, ERROR_CONFIG, ADVICE("%s", long_path), "cause"));
    assert_int_equal(strlen(err.advice), ERROR_ADVICE_SIZE - 1);
    assert_false(error_set_advised(&err, ERROR_CONFIG, "Plain 100%", "cause"));
    assert_string_equal(err.advice, "Plain 100%");
}

static void has_advice_and_a_status_for_every_kind(void **state)
{
    static const int statuses[] = {
        [ERROR_INTERNAL] = 70,    [ERROR_USAGE] = 64, [ERROR_REQUEST] = 65,
        [ERROR_UNAVAILABLE] = 69, [ERROR_IO] = 74,    [ERROR_TEMPORARY] = 75,
        [ERROR_PERMISSION] = 77,  [ERROR_CONFIG] = 78};
    struct error err;
    char line[600];

    (void)state;
    for (size_t kind = 0; kind < COUNT_OF(statuses); kind++) {
        assert_false(error_set(&err, (enum error_kind)kind, "it failed"));
        assert_int_equal(error_exit_status(&err), statuses[kind]);
        error_format(&err, line, sizeof line);
        assert_memory_equal(line, "it failed. ", strlen("it failed. "));
        assert_true(strlen(line) > strlen("it failed. "));
    }
}

static void redacts_all_texts(void **state)
{
    static const char secret[] = "secretsecretsecret";
    struct error err;
    char line[600];

    (void)state;
    assert_false(
        error_set_advised(&err, ERROR_PERMISSION, ADVICE("Not %s", secret), "a %s", secret));
    assert_false(error_wrap(&err, "context %s", secret));
    strcpy(err.service_code, secret);
    strcpy(err.request_id, secret);
    error_redact(&err, secret);
    error_format(&err, line, sizeof line);
    assert_string_equal(line,
                        "context [redacted]: a [redacted] ([redacted], RequestId [redacted]). "
                        "Not [redacted]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_one_line),
        cmocka_unit_test(sets_cause_and_advice_at_once),
        cmocka_unit_test(has_advice_and_a_status_for_every_kind),
        cmocka_unit_test(redacts_all_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
