/* identity: what is chosen, what it is hashed by, and one try of each plan with its roles; by a
 * scripted transport. */
#include <string.h>

#include "config/settings.h"
#include "fake_http.h"
#include "identity/identity.h"
#include "proto-json/kubelet_request.h"

#define ROLE_ARN     "acs:ram::1234567890123456:role/pod"
#define PROVIDER_ARN "acs:ram::1234567890123456:oidc-provider/p"
#define ISSUED(id)                                                                                 \
    "{\"Credentials\":{\"AccessKeyId\":\"STS." id "\",\"AccessKeySecret\":\"s\","                  \
    "\"SecurityToken\":\"t\",\"Expiration\":\"2026-01-02T04:04:05Z\"}}"
#define STS(host, body_) .method = "POST", .url = (host), .status = 200, .body = (body_)
#define REFUSED(host, code_)                                                                       \
    .method = "POST", .url = (host), .status = 403, .body = "{\"Code\":\"" code_ "\"}"
#define GOT(path, body_) .method = "GET", .url = (path), .status = 200, .body = (body_)
#define SESSION          .method = "PUT", .url = "/latest/api/token", .status = 200, .body = "S"
#define REGION           "/latest/meta-data/region-id"
#define ACCOUNT          "/latest/meta-data/owner-account-id"

static char metadata_url[] = "http://100.100.100.200";
static struct settings settings;
static struct run run;
static struct identity_plans plans;
static struct identity identity;
static struct error err;

static void start(const struct fake_exchange *script, size_t count)
{
    settings = (struct settings){.endpoints = {.metadata = metadata_url}};
    run = (struct run){.settings = &settings, .system = &fake_system};
    run.http = fake_http_start(script, count);
    err = (struct error){0};
}

#define START(script) start(script, COUNT_OF(script))

static int end(void **state)
{
    (void)state;
    fake_http_end();
    identity_clear(&identity);
    identity_plans_clear(&plans);
    return 0;
}

static bool choose(const struct settings_identity *wanted)
{
    const struct kubelet_request request = {0};

    return identity_choose(&plans, &run, wanted, &request, &err);
}

/* As a pod with a role of its own. */
static bool choose_pod(const char *key, const char *role)
{
    struct kubelet_annotation annotation = {(char *)(uintptr_t)key, (char *)(uintptr_t)role};
    struct kubelet_request request = {.annotations = &annotation, .annotation_count = 1};
    const struct settings_identity none = {0};
    bool chosen;

    secret_set(&request.service_account_token, "a.b.c", 5);
    chosen = identity_choose(&plans, &run, &none, &request, &err);
    secret_clear(&request.service_account_token);
    return chosen;
}

static const struct fake_text key_variables[] = {
    {"ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIa"}, {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "b"}, {0}};

static void adds_roles_and_the_region_of_sts_to_all_plans(void **state)
{
    static const struct fake_text variables[] = {
        {"ALIBABA_CLOUD_STS_REGION", "cn-a"},
        {"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true"},
        {"ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1/c"},
        {0}};
    static const struct fake_text wrong[] = {{"ALIBABA_CLOUD_STS_REGION", "x/"}, {0}};
    static char arn[] = ROLE_ARN;
    struct role roles[] = {{.arn = arn}, {.arn = arn}};
    const struct settings_identity wanted = {.roles = roles, .role_count = 2};

    (void)state;
    start(NULL, 0);
    fake.variables = variables;
    assert_true(choose(&wanted));
    assert_false(plans.list[0].from_pod);
    assert_int_equal(plans.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(plans.list[i].role_count, 2);
        assert_string_equal(plans.list[i].sts_region, "cn-a");
        assert_true(plans.list[i].sts_prefers_vpc);
    }
    identity_plans_clear(&plans);
    fake.variables = wrong;
    assert_false(choose(&wanted));
    assert_string_equal(err.advice, "Correct or unset it");
}

static void describe(struct buf *out, const struct fake_text *variables,
                     const struct fake_text *files)
{
    const struct settings_identity none = {0};

    fake.variables = variables;
    fake.files = files;
    identity_plans_clear(&plans);
    assert_true(choose(&none));
    buf_clear(out);
    identity_describe(out, &run, &plans.list[0]);
}

static void is_hashed_by_all_that_counts(void **state)
{
#define OIDC                                                                                       \
    {"ALIBABA_CLOUD_ROLE_ARN", ROLE_ARN}, {"ALIBABA_CLOUD_OIDC_PROVIDER_ARN", PROVIDER_ARN},       \
    {                                                                                              \
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"                                                  \
    }
    static const struct {
        struct fake_text variables[5];
        struct fake_text files[2];
    } cases[] = {
        {{{0}}, {{0}}},
        {{{"ALIBABA_CLOUD_ECS_METADATA", "N"}}, {{0}}},
        {{{"ALIBABA_CLOUD_IMDSV1_DISABLED", "true"}}, {{0}}},
        {{{"ALIBABA_CLOUD_STS_REGION", "cn-a"}}, {{0}}},
        {{{"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true"}}, {{0}}},
        {{{"ALIBABA_CLOUD_ACCESS_KEY_ID", "k"}, {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"}}, {{0}}},
        {{{"ALIBABA_CLOUD_ACCESS_KEY_ID", "k"}, {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "S"}}, {{0}}},
        {{{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ks"}, {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"}}, {{0}}},
        {{OIDC}, {{0}}},
        {{OIDC}, {{"/token", "a.b.c"}}},
        {{OIDC}, {{"/token", "a.b.d"}}},
        {{OIDC, {"ALIBABA_CLOUD_ROLE_SESSION_NAME", "me"}}, {{0}}},
        {{{"ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"},
          {"ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1/c"}},
         {{0}}},
    };
    struct buf texts[COUNT_OF(cases)] = {{0}};
    struct buf again AUTO(buf_clear) = {0};
    struct settings_identity ecs = {.source = SETTINGS_SOURCE_ECS};

    (void)state;
    start(NULL, 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        describe(&texts[i], cases[i].variables, cases[i].files);
        describe(&again, cases[i].variables, cases[i].files);
        assert_int_equal(texts[i].length, again.length);
        assert_memory_equal(texts[i].bytes, again.bytes, again.length);
        for (size_t j = 0; j < i; j++)
            assert_false(texts[i].length == texts[j].length &&
                         memcmp(texts[i].bytes, texts[j].bytes, texts[i].length) == 0);
    }
    /* As a link of the chain it fails in another way than alone. */
    fake.variables = NULL;
    identity_plans_clear(&plans);
    assert_true(choose(&ecs));
    buf_clear(&again);
    identity_describe(&again, &run, &plans.list[0]);
    assert_false(again.length == texts[0].length &&
                 memcmp(again.bytes, texts[0].bytes, again.length) == 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        buf_clear(&texts[i]);
}

static void look_at_the_first_key(const struct http_request *request)
{
    assert_non_null(strstr(fake_http_header(request, "Authorization"), "Credential=LTAIa,"));
}

static void look_at_the_second_key(const struct http_request *request)
{
    assert_non_null(strstr(fake_http_header(request, "Authorization"), "Credential=STS.one,"));
}

static void assumes_roles_one_after_the_other(void **state)
{
    static const struct fake_exchange script[] = {
        {STS("//sts.aliyuncs.com", ISSUED("one")), .on_request = look_at_the_first_key},
        {STS("//sts.aliyuncs.com", ISSUED("two")), .on_request = look_at_the_second_key}};
    static char first[] = "acs:ram::1234567890123456:role/one";
    static char second[] = "acs:ram::1234567890123456:role/two";
    struct role roles[] = {{.arn = first}, {.arn = second}};
    const struct settings_identity wanted = {.roles = roles, .role_count = 2};

    (void)state;
    START(script);
    fake.variables = key_variables;
    assert_true(choose(&wanted));
    assert_true(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_string_equal(identity.credentials.access_key_id, "STS.two");
    assert_string_equal(identity.principal, "role acs:ram::1234567890123456:role/two");
}

static void needs_no_request_for_a_key(void **state)
{
    const struct settings_identity none = {0};

    (void)state;
    start(NULL, 0);
    fake.variables = key_variables;
    assert_true(choose(&none));
    for (unsigned i = 0; i < 2; i++) {
        assert_true(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
        assert_string_equal(identity.credentials.access_key_id, "LTAIa");
        assert_string_equal(secret_reveal(&identity.credentials.access_key_secret), "b");
    }
}

static void look_at_the_whole_arns(const struct http_request *request)
{
    assert_non_null(strstr(request->form, "RoleArn=acs%3Aram%3A%3A7777777777777777%3Arole%2Fpod"));
    assert_non_null(strstr(request->form, "OIDCProviderArn=acs%3Aram%3A%3A7777777777777777%3A"
                                          "oidc-provider%2Fack-rrsa-c0123&"));
}

static void completes_the_arns_of_a_pod(void **state)
{
    static const struct fake_exchange script[] = {
        {SESSION},
        {GOT(REGION, "cn-a")},
        {GOT(ACCOUNT, "7777777777777777")},
        {STS("//sts-vpc.cn-a.", ISSUED("pod")), .on_request = look_at_the_whole_arns},
        /* The plan is as it was: a second fetch asks again. */
        {SESSION},
        {GOT(REGION, "cn-a")},
        {.method = "GET", .url = ACCOUNT, .status = 404}};
    static char cluster_id[] = "c0123";

    (void)state;
    START(script);
    settings.pod.cluster_id = cluster_id;
    assert_true(choose_pod("pod-identity.alibabacloud.com/role-name", "pod"));
    assert_true(plans.list[0].from_pod);
    assert_int_equal(plans.count, 1);
    assert_true(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_string_equal(identity.credentials.access_key_id, "STS.pod");
    assert_null(plans.list[0].oidc.role.arn);
    assert_null(plans.list[0].oidc.provider_arn);
    assert_false(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_string_equal(err.cause, "the account of the pod's RAM role is not known");
    assert_string_equal(err.advice, "Set podIdentity.accountId");
}

static void locates_a_pod_only_where_that_helps(void **state)
{
    static const struct fake_exchange by_settings[] = {{STS("//sts.example", ISSUED("pod"))}};
    static const struct fake_exchange without_place[] = {
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
        {STS("//sts.aliyuncs.com", ISSUED("pod"))}};
    static const struct fake_exchange without_account[] = {
        {.method = "PUT", .url = "/latest/api/token", .status = 500},
        {.method = "PUT", .url = "/latest/api/token", .status = 500},
        {.method = "PUT", .url = "/latest/api/token", .status = 500}};
    static char provider_arn[] = PROVIDER_ARN;
    static char sts[] = "https://sts.example";

    (void)state;
    START(by_settings);
    settings.pod.oidc_provider_arn = provider_arn;
    settings.endpoints.sts = sts;
    assert_true(choose_pod("acr.aliyun.com/role-arn", ROLE_ARN));
    assert_true(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_int_equal(end(NULL), 0);

    START(without_place);
    settings.pod.oidc_provider_arn = provider_arn;
    assert_true(choose_pod("acr.aliyun.com/role-arn", ROLE_ARN));
    assert_true(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_int_equal(end(NULL), 0);

    START(without_account);
    settings.pod.oidc_provider_arn = provider_arn;
    assert_true(choose_pod("pod-identity.alibabacloud.com/role-name", "pod"));
    assert_false(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_non_null(strstr(err.context, "looking up the account of the pod's RAM role"));
    assert_non_null(strstr(err.advice, "podIdentity.accountId"));
}

static void says_that_what_sts_was_shown_has_expired(void **state)
{
    static const struct fake_exchange token[] = {
        {REFUSED("//sts", "AuthenticationFail.OIDCToken.Expired")}};
    static const struct fake_text variables[] = {OIDC, {0}};
    static const struct fake_text files[] = {{"/token", " \n"}, {0}};
    static const struct fake_text whole[] = {{"/token", "a.b.c\n"}, {0}};
    static char provider_arn[] = PROVIDER_ARN;
    static char sts[] = "https://sts.example";
    const struct settings_identity none = {0};

    (void)state;
    START(token);
    fake.variables = variables;
    fake.files = whole;
    assert_true(choose(&none));
    assert_false(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NEW_CREDENTIALS);
    assert_int_equal(end(NULL), 0);

    /* The kubelet sent one token, there is no newer one. */
    START(token);
    settings.pod.oidc_provider_arn = provider_arn;
    settings.endpoints.sts = sts;
    assert_true(choose_pod("acr.aliyun.com/role-arn", ROLE_ARN));
    assert_false(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    assert_int_equal(end(NULL), 0);

    /* Token files that cannot be used. */
    start(NULL, 0);
    fake.variables = variables;
    assert_true(choose(&none));
    assert_false(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_string_equal(err.cause, "there is no token file /token");
    fake.files = files;
    assert_false(identity_fetch(&identity, &run, &plans.list[0], NULL, &err));
    assert_string_equal(err.cause, "token file /token is empty");
    assert_memory_equal(err.advice, "Correct ALIBABA_CLOUD_OIDC_TOKEN_FILE", 37);
}

static void lists_the_reasons_of_all_sources(void **state)
{
    static const struct {
        enum error_kind kind;
        const char *advice;
    } cases[] = {
        {ERROR_TEMPORARY, "On an ECS instance, let this node reach http://100.100.100.200"},
        {ERROR_CONFIG, "Attach a RAM role to the ECS instance"}};
    const struct settings_identity none = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        start(NULL, 0);
        assert_true(choose(&none));
        error_set(&err, cases[i].kind, "the cause");
        err.retry = ERROR_RETRY_NEXT_SOURCE;
        assert_false(identity_explain_none(&plans, &run, &err));
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
        assert_memory_equal(err.cause, "no identity found: environment: ", 32);
        assert_non_null(strstr(err.cause, "; ECS metadata service: the cause; credentials URI: "
                                          "ALIBABA_CLOUD_CREDENTIALS_URI is not set"));
        assert_memory_equal(err.advice, cases[i].advice, strlen(cases[i].advice));
        identity_plans_clear(&plans);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(adds_roles_and_the_region_of_sts_to_all_plans, end),
        cmocka_unit_test_teardown(is_hashed_by_all_that_counts, end),
        cmocka_unit_test_teardown(assumes_roles_one_after_the_other, end),
        cmocka_unit_test_teardown(needs_no_request_for_a_key, end),
        cmocka_unit_test_teardown(completes_the_arns_of_a_pod, end),
        cmocka_unit_test_teardown(locates_a_pod_only_where_that_helps, end),
        cmocka_unit_test_teardown(says_that_what_sts_was_shown_has_expired, end),
        cmocka_unit_test_teardown(lists_the_reasons_of_all_sources, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
