/* cloud/explain: what is advised about a refused token, and about the metadata service. */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cloud/explain.h"
#include "cloud/metadata.h"
#include "cloud/sts.h"
#include "test.h"

#define NOW_S    1767323045
#define PROVIDER "acs:ram::1234567890123456:oidc-provider/p"

static void make_token(struct secret *out, const char *payload)
{
    struct buf text AUTO(buf_clear) = {0};

    buf_append_text(&text, "e30.");
    text_base64_encode(&text, payload, strlen(payload));
    text.length = strcspn(text.bytes, "=");
    buf_append_text(&text, ".c2ln");
    secret_set(out, text.bytes, text.length);
}

#define FITS    "{\"iss\":\"I\",\"aud\":\"sts.aliyuncs.com\",\"sub\":\"S\",\"exp\":1767323046}"
#define OTHER   "{\"iss\":\"I\",\"aud\":\"api\",\"sub\":\"S\",\"exp\":1767323046}"
#define EXPIRED "{\"iss\":\"I\",\"aud\":\"api\",\"sub\":\"S\",\"exp\":1767323045}"
#define OIDC    "AuthenticationFail.OIDCToken."
#define REFUSED "AuthenticationFail.NoPermission"

static void explains_refused_tokens(void **state)
{
    static const struct {
        const char *code;
        const char *cause;
        const char *payload;
        bool from_kubelet;
        const char *advice;
    } cases[] = {
        {OIDC "Expired", "", FITS, true, "The token has expired: check the node's clock (NTP)"},
        {"AuthenticationFail.IDTokenExpired", "", FITS, true,
         "The token has expired: check the node's clock (NTP)"},
        {OIDC "AudienceNotMatch", "", OTHER, true,
         "Most likely oidc:aud does not match: the token's audience is api; set the kubelet's "
         "serviceAccountTokenAudience to sts.aliyuncs.com, or allow it in the OIDC provider"},
        {OIDC "AudienceNotMatch", "", OTHER, false,
         "Most likely oidc:aud does not match: the token's audience is api; set the audience of "
         "the "
         "projected token to sts.aliyuncs.com, or allow it in the OIDC provider"},
        {OIDC "AudienceNotMatch", "", FITS, true,
         "Most likely oidc:aud does not match: " PROVIDER
         " must list sts.aliyuncs.com among its client "
         "ids, and the role's trust policy must allow it"},
        {OIDC "IssuerNotMatch", "", EXPIRED, true,
         "Most likely oidc:iss does not match: the token's issuer is I; " PROVIDER
         " must be the provider "
         "of this cluster, with RRSA enabled"},
        {OIDC "Invalid", "", FITS, true,
         "Check that OIDC provider " PROVIDER " exists, with RRSA enabled, and is that of the "
         "cluster that made the token"},
        {REFUSED, "No such OIDC Provider registered.", EXPIRED, true,
         "Check that OIDC provider " PROVIDER " exists, with RRSA enabled, and is that of the "
         "cluster that made the token"},
        {REFUSED, "no", EXPIRED, true, "The token has expired: check the node's clock (NTP)"},
        {REFUSED, "no", OTHER, true,
         "Most likely oidc:aud does not match: the token's audience is api; set the kubelet's "
         "serviceAccountTokenAudience to sts.aliyuncs.com, or allow it in the OIDC provider"},
        {REFUSED, "no", FITS, true,
         "Most likely the trust policy's oidc:sub does not match: it must allow oidc:sub S with "
         "oidc:iss I, and name " PROVIDER " as principal"},
        {"NoPermission", "no", FITS, true,
         "Most likely the trust policy's oidc:sub does not match: it must allow oidc:sub S with "
         "oidc:iss I, and name " PROVIDER " as principal"},
        {REFUSED, "no", NULL, true,
         "The token is not a JSON Web Token: the kubelet has to send one of the pod's service "
         "account"},
        {REFUSED, "no", NULL, false,
         "The token is not a JSON Web Token: let the token file hold one of a service account"},
        {"EntityNotExist.Role", "no", FITS, true, "as before"},
        {"Throttling", "no", NULL, true, "as before"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct secret token AUTO(secret_clear) = {0};
        struct error err = {.kind = ERROR_PERMISSION, .advice = "as before"};
        const struct sts_oidc oidc = {PROVIDER, &token, cases[i].from_kubelet};

        print_message("%s\n", cases[i].code);
        strcpy(err.service_code, cases[i].code);
        strcpy(err.cause, cases[i].cause);
        if (cases[i].payload != NULL)
            make_token(&token, cases[i].payload);
        else
            secret_set(&token, "token", 5);
        assert_false(explain_oidc(&oidc, NOW_S, &err));
        assert_string_equal(err.advice, cases[i].advice);
        assert_string_equal(err.cause, cases[i].cause);
    }
}

static void explains_the_metadata_service(void **state)
{
    struct metadata metadata = {.base_url = "http://M"};
    struct error err = {.kind = ERROR_TEMPORARY};

    (void)state;
    explain_metadata(&metadata, 0, &err);
    assert_non_null(strstr(err.advice, "is an ECS instance"));
    metadata.was_reached = true;
    explain_metadata(&metadata, 0, &err);
    assert_string_equal(err.advice, "Retry; if the error persists, check what answers at http://M");
    err.kind = ERROR_UNAVAILABLE;
    explain_metadata(&metadata, 0, &err);
    assert_string_equal(err.advice, "Check what answers at http://M in its place");
    explain_metadata(&metadata, 401, &err);
    assert_string_equal(err.advice, "Retry; if the error persists, check what answers at http://M");
    explain_metadata(&metadata, 500, &err);
    assert_non_null(strstr(err.advice, "ALIBABA_CLOUD_ECS_METADATA_DISABLED=true"));
    explain_metadata(&metadata, 403, &err);
    assert_non_null(strstr(err.advice, "PUT /latest/api/token"));
    metadata.modes = METADATA_NORMAL_ONLY;
    explain_metadata(&metadata, 403, &err);
    assert_non_null(strstr(err.advice, "unset ALIBABA_CLOUD_IMDSV2_DISABLED"));
    metadata.modes = METADATA_BOTH;
    secret_set(&metadata.token, "token", 5);
    explain_metadata(&metadata, 403, &err);
    assert_string_equal(err.advice, "Check what filters requests of this node to http://M");
    metadata_clear(&metadata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explains_refused_tokens),
        cmocka_unit_test(explains_the_metadata_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
