/* cloud/codes: what error codes of the APIs mean. */
#include "cloud/codes.h"
#include "test.h"

static void codes_have_meanings(void **state)
{
    static const struct {
        const char *code;
        long status;
        enum codes_meaning meaning;
        enum error_kind kind;
        enum error_retry retry;
    } codes[] = {
        {"Throttling", 400, CODES_TEMPORARY, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"Throttling.User", 429, CODES_TEMPORARY, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"Rejected.Throttling", 503, CODES_TEMPORARY, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"Some.Throttling.Kind", 400, CODES_TEMPORARY, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"ServiceUnavailableTemporary", 503, CODES_TEMPORARY, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"SystemError", 500, CODES_TEMPORARY, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"Odd", 502, CODES_TEMPORARY, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"", 503, CODES_TEMPORARY, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"", 429, CODES_TEMPORARY, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"InvalidTimeStamp.Expired", 400, CODES_CLOCK_SKEW, ERROR_CONFIG, ERROR_RETRY_NOTHING},
        {"IllegalTimestamp", 400, CODES_CLOCK_SKEW, ERROR_CONFIG, ERROR_RETRY_NOTHING},
        {"SignatureNonceUsed", 400, CODES_NONCE_USED, ERROR_TEMPORARY, ERROR_RETRY_NOTHING},
        {"InvalidSecurityToken.Expired", 400, CODES_OTHER, ERROR_PERMISSION,
         ERROR_RETRY_NEW_CREDENTIALS},
        {"InvalidSecurityToken.Malformed", 400, CODES_OTHER, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"InvalidAccessKeyId.NotFound", 404, CODES_OTHER, ERROR_PERMISSION,
         ERROR_RETRY_NEW_CREDENTIALS},
        {"InvalidAccessKeyId.Inactive", 403, CODES_OTHER, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"InvalidAction.NotFound", 404, CODES_OTHER, ERROR_CONFIG, ERROR_RETRY_NOTHING},
        {"InvalidVersion", 400, CODES_OTHER, ERROR_CONFIG, ERROR_RETRY_NOTHING},
        {"MissingParameter", 400, CODES_OTHER, ERROR_CONFIG, ERROR_RETRY_NOTHING},
        {"UnsupportedHTTPMethod", 400, CODES_OTHER, ERROR_CONFIG, ERROR_RETRY_NOTHING},
        {"NoPermission", 403, CODES_FORBIDDEN, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"Forbidden.RAM", 403, CODES_FORBIDDEN, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"Forbidden.AccessKeyDisabled", 403, CODES_OTHER, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"AUTHENTICATION_FAILED", 403, CODES_FORBIDDEN, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"INSTANCE_NOT_EXIST", 200, CODES_OTHER, ERROR_PERMISSION, ERROR_RETRY_NEW_INSTANCE_ID},
        {"InstanceNotExist", 404, CODES_OTHER, ERROR_PERMISSION, ERROR_RETRY_NEW_INSTANCE_ID},
        {"INSTANCE_ID_NOT_EXIST", 404, CODES_OTHER, ERROR_PERMISSION, ERROR_RETRY_NEW_INSTANCE_ID},
        {"USER_NOT_EXIST", 404, CODES_OTHER, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"InvalidParameter.InstanceId", 400, CODES_OTHER, ERROR_CONFIG, ERROR_RETRY_NOTHING},
        {"Forbiddenish", 403, CODES_OTHER, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"AuthenticationFail.OIDCToken.Expired", 403, CODES_OIDC_EXPIRED, ERROR_PERMISSION,
         ERROR_RETRY_NEW_CREDENTIALS},
        {"AuthenticationFail.OIDCToken.AudienceNotMatch", 403, CODES_OIDC_AUDIENCE,
         ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"AuthenticationFail.OIDCToken.IssuerNotMatch", 403, CODES_OIDC_ISSUER, ERROR_PERMISSION,
         ERROR_RETRY_NOTHING},
        {"AuthenticationFail.OIDCToken.IssuerConfigurationBroken", 403, CODES_OIDC_ISSUER,
         ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"AuthenticationFail.OIDCToken.PublicKeyFingerprintMismatch", 403, CODES_OIDC_ISSUER,
         ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"AuthenticationFail.OIDCToken.Invalid", 403, CODES_OIDC_INVALID, ERROR_PERMISSION,
         ERROR_RETRY_NOTHING},
        {"AuthenticationFail.NoPermission", 403, CODES_OIDC_REFUSED, ERROR_PERMISSION,
         ERROR_RETRY_NOTHING},
        {"AuthenticationFail.ApiUsername", 403, CODES_OIDC_REFUSED, ERROR_PERMISSION,
         ERROR_RETRY_NOTHING},
        {"SignatureDoesNotMatch", 400, CODES_BAD_SIGNATURE, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"IncompleteSignature", 400, CODES_BAD_SIGNATURE, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"SignatureOfAnotherKind", 400, CODES_BAD_SIGNATURE, ERROR_PERMISSION, ERROR_RETRY_NOTHING},
        {"SOME_INSTANCE_DOES_NOT_EXIST", 404, CODES_OTHER, ERROR_PERMISSION,
         ERROR_RETRY_NEW_INSTANCE_ID},
        {"", 200, CODES_OTHER, ERROR_UNAVAILABLE, ERROR_RETRY_NOTHING},
        {"", 404, CODES_OTHER, ERROR_UNAVAILABLE, ERROR_RETRY_NOTHING},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct codes found = codes_look_up(codes[i].code, codes[i].status);

        print_message("%s %ld\n", codes[i].code, codes[i].status);
        assert_int_equal(found.meaning, codes[i].meaning);
        assert_int_equal(found.kind, codes[i].kind);
        assert_int_equal(found.retry, codes[i].retry);
        /* Who needs which permission depends on the call; all other advice is fixed.
         */
        assert_int_equal(found.advice[0] == '\0', found.meaning == CODES_FORBIDDEN);
    }
}

static void status_does_not_matter_to_known_codes(void **state)
{
    (void)state;
    assert_int_equal(codes_meaning("NoPermission"), CODES_FORBIDDEN);
    assert_int_equal(codes_meaning("no_permission.x"), CODES_FORBIDDEN);
    assert_int_equal(codes_look_up("NoPermission", 503).meaning, CODES_FORBIDDEN);
    assert_int_equal(codes_meaning("NoPermissionX"), CODES_OTHER);
    assert_int_equal(codes_meaning(""), CODES_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_meanings),
        cmocka_unit_test(status_does_not_matter_to_known_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
