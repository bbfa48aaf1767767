/* identity/pod: annotations of a service account as a plan, and pods that cannot have one. */
#include <string.h>

#include "config/settings.h"
#include "fake_system.h"
#include "identity/sources.h"
#include "proto-json/kubelet_request.h"
#include "test.h"

#define ROLE_ARN     "acs:ram::1234567890123456:role/pod"
#define PROVIDER_ARN "acs:ram::1234567890123456:oidc-provider/p"
#define ARN          "acr.aliyun.com/role-arn"
#define NAME         "pod-identity.alibabacloud.com/role-name"
#define OTHER_ARN    "pod-identity.alibabacloud.com/role-arn"

static char provider_arn[] = PROVIDER_ARN;
static char cluster_id[] = "c0123";
static char account_id[] = "1234567890123456";

/* A request with up to two annotations; NULL: none. */
static bool make(struct plan *out, const struct settings_pod *settings, const char *annotations[4],
                 const char *token, struct error *err)
{
    struct kubelet_annotation list[2];
    struct kubelet_request request = {.annotations = list};
    bool made;

    for (; request.annotation_count < 2 && annotations[2 * request.annotation_count] != NULL;
         request.annotation_count++)
        list[request.annotation_count] = (struct kubelet_annotation){
            .key = (char *)(uintptr_t)annotations[2 * request.annotation_count],
            .value = (char *)(uintptr_t)annotations[2 * request.annotation_count + 1]};
    secret_set(&request.service_account_token, token, strlen(token));
    *err = (struct error){0};
    made = pod_plan(out, &fake_system, settings, &request, err);
    secret_clear(&request.service_account_token);
    return made;
}

static void plans_the_annotated_role(void **state)
{
    static const struct fake_text variables[] = {{"ALIBABA_CLOUD_OIDC_PROVIDER_ARN", PROVIDER_ARN},
                                                 {"ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"},
                                                 {0}};
    static const struct {
        const char *annotations[4];
        struct settings_pod settings;
        const struct fake_text *variables;
        const char *arn;
        const char *name;
        const char *provider;
        const char *cluster;
    } cases[] = {
        {{ARN, ROLE_ARN},
         {.oidc_provider_arn = provider_arn},
         NULL,
         ROLE_ARN,
         NULL,
         PROVIDER_ARN,
         NULL},
        {{NAME, "pod"},
         {.oidc_provider_arn = provider_arn, .account_id = account_id},
         NULL,
         NULL,
         "pod",
         PROVIDER_ARN,
         NULL},
        {{OTHER_ARN, ROLE_ARN},
         {.cluster_id = cluster_id},
         variables,
         ROLE_ARN,
         NULL,
         NULL,
         "c0123"},
        {{ARN, ROLE_ARN, NAME, "other"},
         {.cluster_id = cluster_id},
         NULL,
         ROLE_ARN,
         NULL,
         NULL,
         "c0123"},
        {{OTHER_ARN, "x", NAME, "pod"}, {0}, variables, NULL, "pod", PROVIDER_ARN, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct plan plan AUTO(plan_clear) = {0};
        struct error err;

        fake = (struct fake_state){.variables = cases[i].variables};
        assert_true(make(&plan, &cases[i].settings, (const char **)(uintptr_t)cases[i].annotations,
                         "a.b.c", &err));
        assert_int_equal(plan.source, PLAN_OIDC);
        assert_true(plan.from_pod);
        assert_string_equal(secret_reveal(&plan.oidc.token), "a.b.c");
        assert_null(plan.oidc.token_file);
        assert_int_equal(plan.ecs.is_disabled, cases[i].variables != NULL);
        if (cases[i].arn != NULL) {
            assert_string_equal(plan.oidc.role.arn, cases[i].arn);
            assert_string_equal(plan.principal, "the pod's role " ROLE_ARN);
        } else {
            assert_null(plan.oidc.role.arn);
            assert_string_equal(plan.oidc.role_name, cases[i].name);
        }
        if (cases[i].provider != NULL)
            assert_string_equal(plan.oidc.provider_arn, cases[i].provider);
        else
            assert_null(plan.oidc.provider_arn);
        if (cases[i].cluster != NULL)
            assert_string_equal(plan.oidc.cluster_id, cases[i].cluster);
        if (cases[i].settings.account_id != NULL)
            assert_string_equal(plan.oidc.account_id, account_id);
    }
}

static void refuses_what_cannot_be_assumed(void **state)
{
    static const struct {
        const char *annotations[4];
        struct settings_pod settings;
        const char *token;
        enum error_kind kind;
        enum error_retry retry;
        const char *cause;
        const char *advice;
    } cases[] = {
        {{NULL},
         {0},
         "a.b.c",
         ERROR_CONFIG,
         ERROR_RETRY_NEXT_SOURCE,
         "the pod's service account names no RAM role",
         ""},
        {{"other", "x"},
         {.without_role = SETTINGS_WITHOUT_ROLE_REFUSE},
         "a.b.c",
         ERROR_PERMISSION,
         ERROR_RETRY_NOTHING,
         "the pod's service account names no RAM role",
         "Annotate it with acr.aliyun.com/role-arn, or set podIdentity.withoutRole to \"node\""},
        /* A static pod has no service account: its image is the node's own. */
        {{NULL},
         {.without_role = SETTINGS_WITHOUT_ROLE_REFUSE},
         "",
         ERROR_CONFIG,
         ERROR_RETRY_NEXT_SOURCE,
         "the pod's service account names no RAM role",
         ""},
        {{ARN, ROLE_ARN},
         {.cluster_id = cluster_id},
         "",
         ERROR_CONFIG,
         ERROR_RETRY_NOTHING,
         "the pod's service account names a RAM role, but the kubelet sent no token for it",
         "Set tokenAttributes.serviceAccountTokenAudience to sts.aliyuncs.com"},
        {{ARN, "pod"},
         {.cluster_id = cluster_id},
         "a.b.c",
         ERROR_CONFIG,
         ERROR_RETRY_NOTHING,
         "the annotation acr.aliyun.com/role-arn must be the ARN",
         ""},
        {{OTHER_ARN, ""},
         {.cluster_id = cluster_id},
         "a.b.c",
         ERROR_CONFIG,
         ERROR_RETRY_NOTHING,
         "the annotation pod-identity.alibabacloud.com/role-arn must be the ARN",
         ""},
        {{NAME, "a/b"},
         {.cluster_id = cluster_id},
         "a.b.c",
         ERROR_CONFIG,
         ERROR_RETRY_NOTHING,
         "the annotation pod-identity.alibabacloud.com/role-name must be the name",
         ""},
        {{ARN, ROLE_ARN},
         {0},
         "a.b.c",
         ERROR_CONFIG,
         ERROR_RETRY_NOTHING,
         "the pod's RAM role needs an OIDC provider",
         "Set podIdentity.oidcProviderArn"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct plan plan AUTO(plan_clear) = {0};
        struct error err;

        fake = (struct fake_state){0};
        assert_false(make(&plan, &cases[i].settings, (const char **)(uintptr_t)cases[i].annotations,
                          cases[i].token, &err));
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(err.retry, cases[i].retry);
        assert_memory_equal(err.cause, cases[i].cause, strlen(cases[i].cause));
        assert_memory_equal(err.advice, cases[i].advice, strlen(cases[i].advice));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_the_annotated_role),
        cmocka_unit_test(refuses_what_cannot_be_assumed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
