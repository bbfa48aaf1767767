/* cloud/sts: what both calls send, and what their errors say, by a scripted transport. */
#include <string.h>

#include "cloud/openapi.h"
#include "cloud/sts.h"
#include "fake_http.h"

#define ROLE_ARN     "acs:ram::1234567890123456:role/puller"
#define PROVIDER_ARN "acs:ram::1234567890123456:oidc-provider/p"
#define ISSUED(ends)                                                                               \
    "{\"Credentials\":{\"AccessKeyId\":\"STS.new\",\"AccessKeySecret\":\"s\",\"SecurityToken\":"   \
    "\"t\",\"Expiration\":\"" ends "\"}}"

static struct http http;
static struct endpoints endpoints;
static struct credentials own;

static struct api start(const struct fake_exchange *script, size_t count)
{
    http = fake_http_start(script, count);
    endpoints = (struct endpoints){.urls = {"https://sts.aliyuncs.com"}, .count = 1};
    own = (struct credentials){.access_key_id = "LTAIkey"};
    secret_set(&own.access_key_secret, "secret", 6);
    return (struct api){&http, &endpoints, &own, "the node"};
}

static void end(void)
{
    fake_http_end();
    credentials_clear(&own);
}

static bool has_parameter(const struct http_request *request, const char *text)
{
    return strstr(request->form, text) != NULL;
}

static void look_at_all_parameters(const struct http_request *request)
{
    assert_true(has_parameter(request, "RoleArn=acs%3Aram%3A%3A1234567890123456%3Arole%2Fpuller"));
    assert_true(has_parameter(request, "RoleSessionName=job"));
    assert_true(has_parameter(request, "DurationSeconds=900"));
    assert_true(has_parameter(request, "ExternalId=x-1"));
    assert_true(has_parameter(request, "SourceIdentity=me"));
    assert_true(has_parameter(request, "Policy=%7B%7D"));
    assert_string_not_equal(fake_http_header(request, "Authorization"), "");
}

static void look_at_few_parameters(const struct http_request *request)
{
    assert_true(has_parameter(request, "RoleSessionName=acr-"));
    assert_false(has_parameter(request, "DurationSeconds"));
    assert_false(has_parameter(request, "ExternalId"));
}

static void assumes_a_role(void **state)
{
    const struct fake_exchange script[] = {{.method = "POST",
                                            .url = "sts.aliyuncs.com/",
                                            .status = 200,
                                            .body = ISSUED("2026-01-02T04:04:05Z"),
                                            .on_request = look_at_all_parameters},
                                           {.method = "POST",
                                            .url = "sts.aliyuncs.com/",
                                            .status = 200,
                                            .body = ISSUED("2026-01-02T04:04:05Z"),
                                            .on_request = look_at_few_parameters}};
    const struct role whole = {.arn = ROLE_ARN,
                               .session_name = "job",
                               .external_id = "x-1",
                               .source_identity = "me",
                               .policy = "{}",
                               .duration_s = 900};
    const struct role bare = {.arn = ROLE_ARN};
    const struct api api = start(script, COUNT_OF(script));
    struct credentials out AUTO(credentials_clear) = {0};
    struct error err;

    (void)state;
    assert_true(sts_assume_role(&out, &api, &whole, &err));
    assert_string_equal(out.access_key_id, "STS.new");
    assert_int_equal(out.expires_at_s, fake.wall_s + 3600);
    assert_true(sts_assume_role(&out, &api, &bare, &err));
    end();
}

static void says_why_a_role_is_not_assumed(void **state)
{
    static const struct {
        const char *body;
        long status;
        const char *external_id;
        enum error_kind kind;
        const char *advice;
    } cases[] = {
        {"{\"Code\":\"NoPermission\",\"Message\":\"no\"}", 403, NULL, ERROR_PERMISSION,
         "Grant the node sts:AssumeRole on " ROLE_ARN ", and add the node to the role's trust "
         "policy; set externalId if that policy requires one"},
        {"{\"Code\":\"NoPermission\",\"Message\":\"no\"}", 403, "x-1", ERROR_PERMISSION,
         "Grant the node sts:AssumeRole on " ROLE_ARN ", and add the node to the role's trust "
         "policy, with this externalId"},
        {"{\"Code\":\"EntityNotExist.Role\"}", 404, NULL, ERROR_PERMISSION,
         "Check account and name in the role's ARN"},
        {"{}", 200, NULL, ERROR_UNAVAILABLE, "If what answered is not the Alibaba Cloud API"},
        {ISSUED("2026-01-02T03:04:05Z"), 200, NULL, ERROR_UNAVAILABLE, "Retry; if"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct fake_exchange exchange = {
            .method = "POST", .url = "//sts", .status = cases[i].status, .body = cases[i].body};
        const struct api api = start(&exchange, 1);
        const struct role role = {.arn = ROLE_ARN,
                                  .external_id = (char *)(uintptr_t)cases[i].external_id};
        struct credentials out AUTO(credentials_clear) = {0};
        struct error err = {0};

        assert_false(sts_assume_role(&out, &api, &role, &err));
        assert_int_equal(err.kind, cases[i].kind);
        assert_memory_equal(err.advice, cases[i].advice, strlen(cases[i].advice));
        assert_memory_equal(err.context, "assuming " ROLE_ARN " as the node",
                            strlen("assuming " ROLE_ARN " as the node"));
        assert_string_equal(out.access_key_id, "");
        end();
    }
}

static void look_at_the_token(const struct http_request *request)
{
    assert_true(has_parameter(request, "OIDCToken=first.second.third"));
    assert_true(has_parameter(request, "OIDCProviderArn=acs%3A"));
    assert_null(strstr(request->url, "OIDCToken"));
    assert_string_equal(fake_http_header(request, "Authorization"), "");
}

static void assumes_a_role_with_a_token(void **state)
{
    const struct fake_exchange script[] = {
        {.method = "POST",
         .url = "Action=AssumeRoleWithOIDC",
         .status = 200,
         .body = ISSUED("2026-01-02T04:04:05Z"),
         .on_request = look_at_the_token},
        {.method = "POST",
         .url = "//sts",
         .status = 400,
         .body = "{\"Code\":\"AuthenticationFail.OIDCToken.Expired\",\"Message\":\"not "
                 "first.second.third\"}"}};
    const struct role role = {.arn = ROLE_ARN};
    struct api api = start(script, COUNT_OF(script));
    struct secret token AUTO(secret_clear) = {0};
    const struct sts_oidc oidc = {.provider_arn = PROVIDER_ARN, .token = &token};
    struct credentials out AUTO(credentials_clear) = {0};
    struct error err;

    (void)state;
    api.credentials = NULL;
    secret_set(&token, "first.second.third", 18);
    assert_true(sts_assume_role_with_oidc(&out, &api, &role, &oidc, &err));
    assert_string_equal(out.access_key_id, "STS.new");
    assert_false(sts_assume_role_with_oidc(&out, &api, &role, &oidc, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NEW_CREDENTIALS);
    assert_string_equal(err.cause, "AssumeRoleWithOIDC refused: not [redacted]");
    assert_non_null(strstr(err.context, "with OIDC provider " PROVIDER_ARN));
    assert_non_null(strstr(err.advice, "not a JSON Web Token: let the token file hold one"));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assumes_a_role),
        cmocka_unit_test(says_why_a_role_is_not_assumed),
        cmocka_unit_test(assumes_a_role_with_a_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
