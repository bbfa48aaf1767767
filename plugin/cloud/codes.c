#include "cloud/codes.h"

#include <string.h>
#include <strings.h>

#define NOTHING         ERROR_RETRY_NOTHING
#define NEW_CREDENTIALS ERROR_RETRY_NEW_CREDENTIALS
#define NEW_INSTANCE_ID ERROR_RETRY_NEW_INSTANCE_ID

#define THROTTLED_ADVICE "The API is throttled; retry later"
#define UNAVAILABLE_ADVICE                                                                         \
    "The service is temporarily unavailable; retry later, or ask Alibaba Cloud support"
#define KEY_ADVICE "Check the AccessKey: it is unknown, deleted or disabled"
#define UNKNOWN_ADVICE                                                                             \
    "Look up the code in the API's documentation, or give the RequestId to Alibaba Cloud support"
#define INSTANCE_ADVICE                                                                            \
    "Check that this instance exists in this region and belongs to the account of this identity"

enum { NAMES_MAX = 6 };

/* The first row that matches counts, so longer codes precede their prefixes. */
static const struct {
    const char *names[NAMES_MAX]; /* each alone, or followed by a dot and more */
    struct codes codes;
} rows[] = {
    {{"Throttling", "Rejected.Throttling"},
     {CODES_TEMPORARY, ERROR_TEMPORARY, NOTHING, THROTTLED_ADVICE}},
    {{"ServiceUnavailable", "ServiceUnavailableTemporary", "InternalError", "InternalFailure",
      "SystemError"},
     {CODES_TEMPORARY, ERROR_TEMPORARY, NOTHING, UNAVAILABLE_ADVICE}},
    {{"InvalidTimeStamp.Format"},
     {CODES_CLOCK_SKEW, ERROR_CONFIG, NOTHING,
      "The service cannot read the date of the call: check what changes requests on the way"}},
    {{"InvalidTimeStamp", "IllegalTimestamp"},
     {CODES_CLOCK_SKEW, ERROR_CONFIG, NOTHING,
      "Run NTP (chrony) on the node: the service tolerates 15 minutes"}},
    {{"SignatureNonceUsed"},
     {CODES_NONCE_USED, ERROR_TEMPORARY, NOTHING,
      "Retry; if the error persists, look for a proxy that sends requests twice"}},
    {{"InvalidSecurityToken.Expired"},
     {CODES_OTHER, ERROR_PERMISSION, NEW_CREDENTIALS,
      "The STS credentials have expired: renew them where they come from; if they are fresh "
      "there, check the clock there (NTP)"}},
    {{"InvalidSecurityToken"},
     {CODES_OTHER, ERROR_PERMISSION, NOTHING,
      "Check that AccessKey id, secret and security token belong together"}},
    {{"MissingSecurityToken"},
     {CODES_OTHER, ERROR_PERMISSION, NOTHING,
      "An STS AccessKey needs its security token: set ALIBABA_CLOUD_SECURITY_TOKEN"}},
    /* Also returned for STS credentials that have expired. */
    {{"InvalidAccessKeyId.NotFound"}, {CODES_OTHER, ERROR_PERMISSION, NEW_CREDENTIALS, KEY_ADVICE}},
    {{"InvalidAccessKeyId", "Forbidden.AccessKeyDisabled"},
     {CODES_OTHER, ERROR_PERMISSION, NOTHING, KEY_ADVICE}},
    {{"SignatureDoesNotMatch", "IncompleteSignature"},
     {CODES_BAD_SIGNATURE, ERROR_PERMISSION, NOTHING,
      "Check the AccessKey secret; a proxy that changes requests has the same effect"}},
    {{"Forbidden.RiskControl", "InsufficientBalance"},
     {CODES_OTHER, ERROR_PERMISSION, NOTHING, "Check the state of the Alibaba Cloud account"}},
    {{"NoPermission", "NoPrivilege", "Forbidden", "AccessDenied", "StatusForbidden",
      "AuthenticationFailed"},
     {CODES_FORBIDDEN, ERROR_PERMISSION, NOTHING, ""}},
    {{"EntityNotExist.Role"},
     {CODES_OTHER, ERROR_PERMISSION, NOTHING, "Check account and name in the role's ARN"}},
    {{"EntityNotExist.OIDCProvider"},
     {CODES_OTHER, ERROR_PERMISSION, NOTHING, "Check account and name in the OIDC provider's ARN"}},
    {{"EntityNotExist"}, {CODES_OTHER, ERROR_PERMISSION, NOTHING, UNKNOWN_ADVICE}},
    {{"AuthenticationFail.OIDCToken.Expired"},
     {CODES_OIDC_EXPIRED, ERROR_PERMISSION, NEW_CREDENTIALS, UNKNOWN_ADVICE}},
    {{"AuthenticationFail"}, {CODES_OIDC_REFUSED, ERROR_PERMISSION, NOTHING, UNKNOWN_ADVICE}},
    {{"InstanceNotExist", "InstanceIdNotExist"},
     {CODES_OTHER, ERROR_PERMISSION, NEW_INSTANCE_ID, INSTANCE_ADVICE}},
    {{"InstanceStatusNotSupport"},
     {CODES_OTHER, ERROR_PERMISSION, NOTHING, "The instance is stopped, retired or overdue"}},
    {{"UserNotExist"},
     {CODES_OTHER, ERROR_PERMISSION, NOTHING,
      "This identity has no Personal Edition user: set a registry password in the ACR console "
      "once, or use an Enterprise Edition instance"}},
    {{"InvalidParameter.DurationSeconds"},
     {CODES_OTHER, ERROR_CONFIG, NOTHING,
      "The duration must lie between 900 seconds and the role's maximum session duration"}},
    {{"InvalidParameter.PolicyGrammar"},
     {CODES_OTHER, ERROR_CONFIG, NOTHING, "Check the policy that narrows the role"}},
    {{"InvalidParameter.PolicySize"},
     {CODES_OTHER, ERROR_CONFIG, NOTHING, "Shorten the policy that narrows the role"}},
    {{"InvalidParameter"},
     {CODES_OTHER, ERROR_CONFIG, NOTHING,
      "Correct in the configuration the parameter that the service names"}},
    {{"MissingParameter", "InvalidAction", "InvalidVersion", "UnsupportedHTTPMethod"},
     {CODES_OTHER, ERROR_CONFIG, NOTHING,
      "This API does not know the call: check the configured endpoints and what changes requests "
      "on the way"}},
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

/* What STS objects to in a token. Not all exact codes are documented. */
static enum codes_meaning oidc_meaning(const char *code)
{
    static const struct {
        const char *part;
        enum codes_meaning meaning;
    } parts[] = {
        {"Expired", CODES_OIDC_EXPIRED}, {"Audience", CODES_OIDC_AUDIENCE},
        {"Issuer", CODES_OIDC_ISSUER},   {"Fingerprint", CODES_OIDC_ISSUER},
        {"Invalid", CODES_OIDC_INVALID},
    };

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (strstr(code, parts[i].part) != NULL)
            return parts[i].meaning;
    }
    return CODES_OIDC_REFUSED;
}

/* A code that no row matches. */
static struct codes look_up_unknown(const char *code, long status)
{
    if (strcasestr(code, "Throttling") != NULL || status == 429)
        return (struct codes){CODES_TEMPORARY, ERROR_TEMPORARY, NOTHING, THROTTLED_ADVICE};
    if (status >= 500)
        return (struct codes){CODES_TEMPORARY, ERROR_TEMPORARY, NOTHING, UNAVAILABLE_ADVICE};
    if (strcasestr(code, "Signature") != NULL)
        return (struct codes){CODES_BAD_SIGNATURE, ERROR_PERMISSION, NOTHING, UNKNOWN_ADVICE};
    if (strcasestr(code, "Instance") != NULL && strcasestr(code, "Exist") != NULL)
        return (struct codes){CODES_OTHER, ERROR_PERMISSION, NEW_INSTANCE_ID, INSTANCE_ADVICE};
    if (code[0] != '\0')
        return (struct codes){CODES_OTHER, ERROR_PERMISSION, NOTHING, UNKNOWN_ADVICE};
    return (struct codes){CODES_OTHER, ERROR_UNAVAILABLE, NOTHING,
                          "What answered is not the Alibaba Cloud API: check endpoints and proxy "
                          "variables"};
}

struct codes codes_look_up(const char *code, long status)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct codes found = rows[i].codes;

        for (size_t j = 0; j < NAMES_MAX && rows[i].names[j] != NULL; j++) {
            if (!fits(code, rows[i].names[j]))
                continue;
            if (found.meaning == CODES_OIDC_REFUSED)
                found.meaning = oidc_meaning(code);
            return found;
        }
    }
    return look_up_unknown(code, status);
}

enum codes_meaning codes_meaning(const char *code)
{
    return codes_look_up(code, 0).meaning;
}
