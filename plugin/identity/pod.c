#include "identity/pod.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"
#include "config/settings.h"
#include "identity/environment.h"
#include "proto-json/kubelet_request.h"

/* The last is seen in manifests of others only; reading it keeps such a pod from being served with
 * the node's identity. */
#define ARN_ANNOTATION       "acr.aliyun.com/role-arn"
#define NAME_ANNOTATION      "pod-identity.alibabacloud.com/role-name"
#define OTHER_ARN_ANNOTATION "pod-identity.alibabacloud.com/role-arn"

#define PROVIDER_VARIABLE "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"

static enum recipe_outcome without_role(const struct settings_pod *settings,
                                        const struct kubelet_request *request, struct error *err)
{
    if (secret_is_empty(&request->service_account_token) ||
        settings->without_role == SETTINGS_WITHOUT_ROLE_NODE)
        return RECIPE_ABSENT;
    (void)error_set(err, ERROR_PERMISSION, "the pod's service account names no RAM role");
    (void)error_advise(err,
                       "Annotate it with " ARN_ANNOTATION ", or set podIdentity.withoutRole to "
                       "\"node\"");
    return RECIPE_BROKEN;
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : alloc_string(text);
}

static bool take_provider(struct recipe_oidc *out, const struct settings_pod *settings,
                          struct error *err)
{
    const char *named = environment_value(PROVIDER_VARIABLE);

    out->account_id = copy(settings->account_id);
    if (settings->oidc_provider_arn != NULL) {
        out->provider_arn = copy(settings->oidc_provider_arn);
        return true;
    }
    if (settings->cluster_id != NULL) {
        out->cluster_id = copy(settings->cluster_id);
        return true;
    }
    if (named[0] != '\0') {
        out->provider_arn = copy(named);
        return check_oidc_provider_arn(named, PROVIDER_VARIABLE, err);
    }
    (void)error_set(err, ERROR_CONFIG, "the pod's RAM role needs an OIDC provider");
    return error_advise(err, "Set podIdentity.oidcProviderArn, or podIdentity.clusterId on ACK");
}

/* `annotation` is the one that has the ARN. */
static bool take_role(struct recipe *out, const char *annotation, const char *arn, const char *name,
                      struct error *err)
{
    char what[96];

    if (arn != NULL) {
        text_join(what, sizeof what, "the annotation ", "", annotation);
        if (!check_role_arn(arn, what, err))
            return false;
        out->oidc.role.arn = copy(arn);
        text_join(out->words, sizeof out->words, "the pod's role ", "", arn);
        return true;
    }
    if (!check_role_name(name, "the annotation " NAME_ANNOTATION, err))
        return false;
    out->oidc.role_name = copy(name);
    text_join(out->words, sizeof out->words, "the pod's role ", "", name);
    return true;
}

enum recipe_outcome pod_recipe(struct recipe *out, const struct settings_pod *settings,
                               const struct kubelet_request *request, struct error *err)
{
    const char *annotation = ARN_ANNOTATION;
    const char *arn = kubelet_request_annotation(request, annotation);
    const char *name = kubelet_request_annotation(request, NAME_ANNOTATION);

    if (arn == NULL && name == NULL) {
        annotation = OTHER_ARN_ANNOTATION;
        arn = kubelet_request_annotation(request, annotation);
    }
    if (arn == NULL && name == NULL)
        return without_role(settings, request, err);
    if (secret_is_empty(&request->service_account_token)) {
        (void)error_set(err, ERROR_CONFIG,
                        "the pod's service account names a RAM role, but the kubelet sent no token "
                        "of it");
        (void)error_advise(err, "Set tokenAttributes.serviceAccountTokenAudience to "
                                "sts.aliyuncs.com in the kubelet's CredentialProviderConfig");
        return RECIPE_BROKEN;
    }
    out->base = RECIPE_OIDC;
    secret_copy(&out->oidc.token, &request->service_account_token);
    return take_role(out, annotation, arn, name, err) && take_provider(&out->oidc, settings, err)
               ? RECIPE_FOUND
               : RECIPE_BROKEN;
}
