/* cloud/refusal: what a refusal means. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
