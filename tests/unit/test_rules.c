/* The pure rules: what a refusal means, how an error reads, times. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cloud/refusal.h"
#include "test.h"

static void test_refusals(void **state)
{
    static const struct {
        const char *code;
        long status;
        enum refusal_reaction reaction;
        enum error_kind kind;
    } codes[] = {
        {"Throttling", 400, REFUSAL_RETRY, ERROR_TEMPORARY},
        {"Throttling.User", 429, REFUSAL_RETRY, ERROR_TEMPORARY},
        {"Rejected.Throttling", 503, REFUSAL_RETRY, ERROR_TEMPORARY},
        {"Some.Throttling.Kind", 400, REFUSAL_RETRY, ERROR_TEMPORARY},
        {"ServiceUnavailableTemporary", 503, REFUSAL_RETRY, ERROR_TEMPORARY},
        {"SystemError", 500, REFUSAL_RETRY, ERROR_TEMPORARY},
        {"Odd", 502, REFUSAL_RETRY, ERROR_TEMPORARY},
        {"", 503, REFUSAL_RETRY, ERROR_TEMPORARY},
        {"", 429, REFUSAL_RETRY, ERROR_TEMPORARY},
        {"InvalidTimeStamp.Expired", 400, REFUSAL_SKEW, ERROR_CONFIG},
        {"IllegalTimestamp", 400, REFUSAL_SKEW, ERROR_CONFIG},
        {"SignatureNonceUsed", 400, REFUSAL_NONCE, ERROR_TEMPORARY},
        {"InvalidSecurityToken.Expired", 400, REFUSAL_RENEW, ERROR_PERMISSION},
        {"InvalidSecurityToken.Malformed", 400, REFUSAL_FINAL, ERROR_PERMISSION},
        {"InvalidAccessKeyId.NotFound", 404, REFUSAL_RENEW_STS, ERROR_PERMISSION},
        {"InvalidAccessKeyId.Inactive", 403, REFUSAL_FINAL, ERROR_PERMISSION},
        {"InvalidAction.NotFound", 404, REFUSAL_FINAL, ERROR_CONFIG},
        {"InvalidVersion", 400, REFUSAL_FINAL, ERROR_CONFIG},
        {"MissingParameter", 400, REFUSAL_FINAL, ERROR_CONFIG},
        {"UnsupportedHTTPMethod", 400, REFUSAL_FINAL, ERROR_CONFIG},
        {"NoPermission", 403, REFUSAL_FORBIDDEN, ERROR_PERMISSION},
        {"Forbidden.RAM", 403, REFUSAL_FORBIDDEN, ERROR_PERMISSION},
        {"Forbidden.AccessKeyDisabled", 403, REFUSAL_FINAL, ERROR_PERMISSION},
        {"AUTHENTICATION_FAILED", 403, REFUSAL_FORBIDDEN, ERROR_PERMISSION},
        {"INSTANCE_NOT_EXIST", 200, REFUSAL_FINAL, ERROR_PERMISSION},
        {"InstanceNotExist", 404, REFUSAL_FINAL, ERROR_PERMISSION},
        {"INSTANCE_ID_NOT_EXIST", 404, REFUSAL_FINAL, ERROR_PERMISSION},
        {"USER_NOT_EXIST", 404, REFUSAL_FINAL, ERROR_PERMISSION},
        {"InvalidParameter.InstanceId", 400, REFUSAL_FINAL, ERROR_CONFIG},
        {"Forbiddenish", 403, REFUSAL_FINAL, ERROR_PERMISSION},
        {"", 200, REFUSAL_FINAL, ERROR_UNAVAILABLE},
        {"", 404, REFUSAL_FINAL, ERROR_UNAVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct refusal refusal = refusal_of(codes[i].code, codes[i].status);

        print_message("%s %ld\n", codes[i].code, codes[i].status);
        assert_int_equal(refusal.reaction, codes[i].reaction);
        assert_int_equal(refusal.kind, codes[i].kind);
        /* A permission's remedy names who needs it for what; all others are the same for everyone.
         */
        assert_int_equal(refusal.advice[0] == '\0', refusal.reaction == REFUSAL_FORBIDDEN);
    }
}

static void test_error_line(void **state)
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
    assert_int_equal(error_exit_status(&err), 77);
    error_format(&err, line, 6);
    assert_string_equal(line, "outer");
    for (int kind = ERROR_INTERNAL; kind <= ERROR_CONFIG; kind++) {
        assert_false(error_set(&err, (enum error_kind)kind, "it failed"));
        error_format(&err, line, sizeof line);
        assert_memory_equal(line, "it failed. ", strlen("it failed. "));
        assert_true(strlen(line) > strlen("it failed. "));
    }
}

static void test_redaction(void **state)
{
    struct error err;

    (void)state;
    assert_false(error_set(&err, ERROR_PERMISSION, "a secretsecretsecret b secretsecretsecret"));
    error_redact(&err, "secretsecretsecret");
    assert_string_equal(err.cause, "a [redacted] b [redacted]");
    assert_false(error_set(&err, ERROR_PERMISSION, "hush hush hushhush"));
    error_redact(&err, "hush");
    assert_null(strstr(err.cause, "hush"));
    assert_false(error_set(&err, ERROR_PERMISSION, "an error"));
    error_redact(&err, "an");
    error_redact(&err, "");
    assert_string_equal(err.cause, "an error");
}

static void test_times(void **state)
{
    static const char *const wrong[] = {"",
                                        "2026-01-02T03:04:05",
                                        "2026-01-02T03:04:05z",
                                        "2026-13-02T03:04:05Z",
                                        "2026-00-02T03:04:05Z",
                                        "2026-01-32T03:04:05Z",
                                        "2026-01-02T24:04:05Z",
                                        "1969-01-02T03:04:05Z",
                                        "2026-01-02T03:04:05ZZ"};
    char text[TEXT_DURATION_SIZE];
    char utc[TEXT_UTC_SIZE];
    int64_t unix_s = 0;

    (void)state;
    assert_true(text_parse_utc("2026-01-02T03:04:05Z", &unix_s));
    assert_int_equal(unix_s, 1767323045);
    text_format_utc(utc, unix_s);
    assert_string_equal(utc, "2026-01-02T03:04:05Z");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(text_parse_utc(wrong[i], &unix_s));
    assert_true(text_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &unix_s));
    assert_int_equal(unix_s, 784111777);
    assert_false(text_parse_http_date("Sun, 06 nov 1994 08:49:37 GMT", &unix_s));
    assert_false(text_parse_http_date("Sun, 06 anF 1994 08:49:37 GMT", &unix_s));
    assert_false(text_parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", &unix_s));
    text_format_duration(text, 2400);
    assert_string_equal(text, "40m0s");
    text_format_duration(text, 3599);
    assert_string_equal(text, "59m59s");
    text_format_duration(text, 21600);
    assert_string_equal(text, "6h0m0s");
    text_format_duration(text, 0);
    assert_string_equal(text, "0s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_error_line),
        cmocka_unit_test(test_redaction),
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
