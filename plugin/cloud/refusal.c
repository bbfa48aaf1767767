#include "cloud/refusal.h"

#include <string.h>
#include <strings.h>

struct row {
    const char *code; /* itself, or its beginning up to a dot */
    struct refusal refusal;
};

#define BUSY_ADVICE    "The API is throttled; try again later"
#define TROUBLE_ADVICE "The service has trouble; try again later, or ask Alibaba Cloud support"
#define CLOCK_ADVICE   "Run NTP (chrony) on the node: the service tolerates 15 minutes"
#define KEY_ADVICE     "Check the AccessKey: it is unknown, deleted or disabled"
#define SECRET_ADVICE                                                                              \
    "Check the AccessKey secret; a proxy that changes requests has the same effect"
#define TOKEN_ADVICE "Check that AccessKey id, secret and security token belong together"
#define CALL_ADVICE                                                                                \
    "This API does not know the call: check the configured endpoints and what changes requests "   \
    "on the way"
#define UNKNOWN_ADVICE                                                                             \
    "Look up the code in the API's documentation, or give the RequestId to Alibaba Cloud support"
#define INSTANCE_ADVICE                                                                            \
    "Check that this instance exists in this region and belongs to the account of this identity"

/* Longer names before their own beginnings: the first row that fits counts. */
static const struct row rows[] = {
    {"Throttling", {REFUSAL_RETRY, ERROR_TEMPORARY, BUSY_ADVICE}},
    {"Rejected.Throttling", {REFUSAL_RETRY, ERROR_TEMPORARY, BUSY_ADVICE}},
    {"ServiceUnavailable", {REFUSAL_RETRY, ERROR_TEMPORARY, TROUBLE_ADVICE}},
    {"ServiceUnavailableTemporary", {REFUSAL_RETRY, ERROR_TEMPORARY, TROUBLE_ADVICE}},
    {"InternalError", {REFUSAL_RETRY, ERROR_TEMPORARY, TROUBLE_ADVICE}},
    {"InternalFailure", {REFUSAL_RETRY, ERROR_TEMPORARY, TROUBLE_ADVICE}},
    {"SystemError", {REFUSAL_RETRY, ERROR_TEMPORARY, TROUBLE_ADVICE}},
    {"InvalidTimeStamp.Format",
     {REFUSAL_SKEW, ERROR_CONFIG,
      "The service cannot read the date of the call: check what changes requests on the way"}},
    {"InvalidTimeStamp", {REFUSAL_SKEW, ERROR_CONFIG, CLOCK_ADVICE}},
    {"IllegalTimestamp", {REFUSAL_SKEW, ERROR_CONFIG, CLOCK_ADVICE}},
    {"SignatureNonceUsed",
     {REFUSAL_NONCE, ERROR_TEMPORARY,
      "Try again; if it stays, look for a proxy that sends requests twice"}},
    {"InvalidSecurityToken.Expired",
     {REFUSAL_RENEW, ERROR_PERMISSION,
      "The STS credentials have expired: renew them where they come from; if they are fresh "
      "there, check the clock there (NTP)"}},
    {"InvalidSecurityToken", {REFUSAL_FINAL, ERROR_PERMISSION, TOKEN_ADVICE}},
    {"MissingSecurityToken",
     {REFUSAL_FINAL, ERROR_PERMISSION,
      "An STS AccessKey needs its security token: set ALIBABA_CLOUD_SECURITY_TOKEN"}},
    {"InvalidAccessKeyId.NotFound", {REFUSAL_RENEW_STS, ERROR_PERMISSION, KEY_ADVICE}},
    {"InvalidAccessKeyId", {REFUSAL_FINAL, ERROR_PERMISSION, KEY_ADVICE}},
    {"Forbidden.AccessKeyDisabled", {REFUSAL_FINAL, ERROR_PERMISSION, KEY_ADVICE}},
    {"SignatureDoesNotMatch", {REFUSAL_FINAL, ERROR_PERMISSION, SECRET_ADVICE}},
    {"IncompleteSignature", {REFUSAL_FINAL, ERROR_PERMISSION, SECRET_ADVICE}},
    {"NoPermission", {REFUSAL_FORBIDDEN, ERROR_PERMISSION, ""}},
    {"NoPrivilege", {REFUSAL_FORBIDDEN, ERROR_PERMISSION, ""}},
    {"Forbidden.RiskControl",
     {REFUSAL_FINAL, ERROR_PERMISSION, "Check the state of the Alibaba Cloud account"}},
    {"Forbidden", {REFUSAL_FORBIDDEN, ERROR_PERMISSION, ""}},
    {"AccessDenied", {REFUSAL_FORBIDDEN, ERROR_PERMISSION, ""}},
    {"StatusForbidden", {REFUSAL_FORBIDDEN, ERROR_PERMISSION, ""}},
    {"AuthenticationFailed", {REFUSAL_FORBIDDEN, ERROR_PERMISSION, ""}},
    {"EntityNotExist.Role",
     {REFUSAL_FINAL, ERROR_PERMISSION, "Check account and name in the role's ARN"}},
    {"EntityNotExist.OIDCProvider",
     {REFUSAL_FINAL, ERROR_PERMISSION, "Check account and name in the OIDC provider's ARN"}},
    {"EntityNotExist", {REFUSAL_FINAL, ERROR_PERMISSION, UNKNOWN_ADVICE}},
    {"AuthenticationFail", {REFUSAL_FINAL, ERROR_PERMISSION, UNKNOWN_ADVICE}},
    {"InstanceNotExist", {REFUSAL_FINAL, ERROR_PERMISSION, INSTANCE_ADVICE}},
    {"InstanceIdNotExist", {REFUSAL_FINAL, ERROR_PERMISSION, INSTANCE_ADVICE}},
    {"InstanceStatusNotSupport",
     {REFUSAL_FINAL, ERROR_PERMISSION, "The instance is stopped, retired or overdue"}},
    {"UserNotExist",
     {REFUSAL_FINAL, ERROR_PERMISSION,
      "This identity has no Personal Edition user: set a registry password in the ACR console "
      "once, or use an Enterprise Edition instance"}},
    {"InsufficientBalance",
     {REFUSAL_FINAL, ERROR_PERMISSION, "Check the state of the Alibaba Cloud account"}},
    {"InvalidParameter.DurationSeconds",
     {REFUSAL_FINAL, ERROR_CONFIG,
      "The duration must lie between 900 seconds and the role's maximum session duration"}},
    {"InvalidParameter.PolicyGrammar",
     {REFUSAL_FINAL, ERROR_CONFIG, "Check the policy that narrows the role"}},
    {"InvalidParameter.PolicySize",
     {REFUSAL_FINAL, ERROR_CONFIG, "Shorten the policy that narrows the role"}},
    {"InvalidParameter",
     {REFUSAL_FINAL, ERROR_CONFIG,
      "Correct in the configuration the parameter that the service names"}},
    {"MissingParameter", {REFUSAL_FINAL, ERROR_CONFIG, CALL_ADVICE}},
    {"InvalidAction", {REFUSAL_FINAL, ERROR_CONFIG, CALL_ADVICE}},
    {"InvalidVersion", {REFUSAL_FINAL, ERROR_CONFIG, CALL_ADVICE}},
    {"UnsupportedHTTPMethod", {REFUSAL_FINAL, ERROR_CONFIG, CALL_ADVICE}},
};

/* Whether `code` is `known` or goes on with a dot after it. ACR writes some codes in capitals with
 * underscores (INSTANCE_NOT_EXIST), so neither case nor underscores count. */
static bool fits(const char *code, const char *known)
{
    for (; *known != '\0'; known++) {
        while (*code == '_')
            code++;
        if (strncasecmp(code, known, 1) != 0)
            return false;
        code++;
    }
    return *code == '\0' || *code == '.';
}

struct refusal refusal_of(const char *code, long status)
{
    static const struct refusal unknown = {REFUSAL_FINAL, ERROR_PERMISSION, UNKNOWN_ADVICE};
    static const struct refusal busy = {REFUSAL_RETRY, ERROR_TEMPORARY, BUSY_ADVICE};
    static const struct refusal trouble = {REFUSAL_RETRY, ERROR_TEMPORARY, TROUBLE_ADVICE};
    static const struct refusal nonsense = {REFUSAL_FINAL, ERROR_UNAVAILABLE,
                                            "What answered is not the Alibaba Cloud API: check "
                                            "endpoints and proxy variables"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (fits(code, rows[i].code))
            return rows[i].refusal;
    }
    if (strcasestr(code, "Throttling") != NULL || status == 429)
        return busy;
    if (status >= 500)
        return trouble;
    return code[0] == '\0' ? nonsense : unknown;
}

bool refusal_is_of_instance(const char *code)
{
    return strcasestr(code, "INSTANCE") != NULL && strcasestr(code, "EXIST") != NULL;
}
