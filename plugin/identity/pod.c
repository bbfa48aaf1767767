#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"
#include "identity/environment.h"
#include "identity/explain.h"
#include "identity/sources.h"
#include "proto-json/kubelet_request.h"

/* The last one is seen in other people's manifests only; reading it keeps such a pod from being
 * served with the node's identity. */
#define ARN_ANNOTATION       EXPLAIN_ARN_ANNOTATION
#define NAME_ANNOTATION      "pod-identity.alibabacloud.com/role-name"
#define OTHER_ARN_ANNOTATION "pod-identity.alibabacloud.com/role-arn"

#define PROVIDER_VARIABLE "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"

static bool plan_provider(struct plan_oidc *out, const struct system *system,
                          const struct settings_pod *settings, struct error *err)
{
    out->account_id = alloc_string_or_null(settings->account_id);
    out->provider_arn = alloc_string_or_null(settings->oidc_provider_arn);
    if (out->provider_arn != NULL)
        return true;
    out->cluster_id = alloc_string_or_null(settings->cluster_id);
    if (out->cluster_id != NULL)
        return true;
    out->provider_arn = environment_copy(system, PROVIDER_VARIABLE);
    if (out->provider_arn == NULL)
        return error_set_advised(err, ERROR_CONFIG, ADVICE_POD_WITHOUT_PROVIDER,
                                 "the pod's RAM role needs an OIDC provider");
    return check_text(CHECK_OIDC_PROVIDER_ARN, out->provider_arn, PROVIDER_VARIABLE, err) ||
           explain_unless_advised(ADVICE_VARIABLE, err);
}

/* `annotation` is the one that has the ARN. */
static bool plan_role(struct plan *out, const char *annotation, const char *arn, const char *name,
                      struct error *err)
{
    char what[96];

    if (arn != NULL) {
        text_join(what, sizeof what, "the annotation ", "", annotation);
        if (!check_text(CHECK_ROLE_ARN, arn, what, err))
            return false;
        out->oidc.role.arn = alloc_string(arn);
    } else {
        if (!check_text(CHECK_ROLE_NAME, name, "the annotation " NAME_ANNOTATION, err))
            return false;
        out->oidc.role_name = alloc_string(name);
    }
    text_join(out->principal, sizeof out->principal, "the pod's role ", "",
              arn != NULL ? arn : name);
    return true;
}

bool pod_plan(struct plan *out, const struct system *system, const struct settings_pod *settings,
              const struct kubelet_request *request, struct error *err)
{
    const bool has_token = !secret_is_empty(&request->service_account_token);
    const char *annotation = ARN_ANNOTATION;
    const char *arn = kubelet_request_annotation(request, annotation);
    const char *name = kubelet_request_annotation(request, NAME_ANNOTATION);

    if (arn == NULL && name == NULL) {
        annotation = OTHER_ARN_ANNOTATION;
        arn = kubelet_request_annotation(request, annotation);
    }
    if (arn == NULL && name == NULL && has_token &&
        settings->without_role == SETTINGS_WITHOUT_ROLE_REFUSE)
        return error_set_advised(err, ERROR_PERMISSION, ADVICE_POD_WITHOUT_ROLE,
                                 "the pod's service account names no RAM role");
    if (arn == NULL && name == NULL)
        return plan_absent(err, "the pod's service account names no RAM role");
    if (!has_token)
        return error_set_advised(err, ERROR_CONFIG, ADVICE_POD_WITHOUT_TOKEN,
                                 "the pod's service account names a RAM role, but the kubelet sent "
                                 "no token for it");
    out->source = PLAN_OIDC;
    out->from_pod = true;
    secret_copy(&out->oidc.token, &request->service_account_token);
    ecs_read_environment(&out->ecs, system);
    return (plan_role(out, annotation, arn, name, err) ||
            explain_unless_advised(ADVICE_ANNOTATION, err)) &&
           plan_provider(&out->oidc, system, settings, err);
}
