#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/system.h"
#include "base/text.h"
#include "cloud/openapi.h"
#include "cloud/sts.h"
#include "identity/environment.h"
#include "identity/explain.h"
#include "identity/sources.h"

#define ROLE_NAME       "ALIBABA_CLOUD_ROLE_ARN"
#define PROVIDER_NAME   "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"
#define TOKEN_FILE_NAME "ALIBABA_CLOUD_OIDC_TOKEN_FILE"
#define SESSION_NAME    "ALIBABA_CLOUD_ROLE_SESSION_NAME"

enum { TOKEN_MAX_BYTES = 20000, ARN_SIZE = 256 };

bool oidc_plan(struct plan *out, const struct system *system,
               const struct settings_identity *settings, struct error *err)
{
    struct plan_oidc *oidc = &out->oidc;

    (void)settings;
    oidc->token_file = environment_copy(system, TOKEN_FILE_NAME);
    oidc->role.arn = environment_copy(system, ROLE_NAME);
    oidc->role.session_name = environment_copy(system, SESSION_NAME);
    oidc->provider_arn = environment_copy(system, PROVIDER_NAME);
    if (oidc->token_file == NULL)
        return plan_absent(err, TOKEN_FILE_NAME " is not set");
    if (oidc->role.arn == NULL || oidc->provider_arn == NULL)
        return error_set_advised(err, ERROR_CONFIG, ADVICE_HALF_OIDC,
                                 TOKEN_FILE_NAME " is set, but %s is not",
                                 oidc->role.arn == NULL ? ROLE_NAME : PROVIDER_NAME);
    if (!check_text(CHECK_ROLE_ARN, oidc->role.arn, ROLE_NAME, err) ||
        !check_text(CHECK_OIDC_PROVIDER_ARN, oidc->provider_arn, PROVIDER_NAME, err) ||
        (oidc->role.session_name != NULL &&
         !check_text(CHECK_SESSION_NAME, oidc->role.session_name, SESSION_NAME, err)))
        return error_advise(err, ADVICE_VARIABLE);
    out->source = PLAN_OIDC;
    text_join(out->principal, sizeof out->principal, "role ", "", oidc->role.arn);
    return true;
}

static bool read_token(struct secret *out, const struct system *system, const char *path,
                       struct error *err)
{
    struct buf file AUTO(buf_clear) = {0};
    size_t length;

    switch (system->read_file(&file, path, TOKEN_MAX_BYTES, err)) {
    case FILE_READ:
        break;
    case FILE_ABSENT:
        return error_set_advised(err, ERROR_CONFIG, ADVICE_TOKEN_FILE, "there is no token file %s",
                                 path);
    case FILE_REFUSED:
        return explain_unless_advised(ADVICE_TOKEN_FILE, err);
    }
    length = strcspn(buf_text(&file), " \t\r\n");
    if (length == 0)
        return error_set_advised(err, ERROR_CONFIG, ADVICE_TOKEN_FILE, "token file %s is empty",
                                 path);
    secret_set(out, buf_text(&file), length);
    return true;
}

void oidc_append_token(struct buf *out, const struct system *system, const struct plan *plan)
{
    struct secret token AUTO(secret_clear) = {0};
    struct error ignored;

    if (plan->oidc.token_file != NULL &&
        read_token(&token, system, plan->oidc.token_file, &ignored))
        buf_append(out, secret_reveal(&token), token.length + 1);
}

/* For ARNs without an account the place of the node is needed; for the choice of the STS endpoint
 * it is useful. */
static bool locate_node(struct node_place *out, const struct run *run, const struct plan *plan,
                        struct error *err)
{
    const struct settings_endpoints *settings = &run->settings->endpoints;
    const struct plan_oidc *oidc = &plan->oidc;
    const bool needs_account =
        oidc->account_id == NULL && (oidc->role.arn == NULL || oidc->provider_arn == NULL);
    const bool wants_region = plan->sts_region[0] == '\0' && settings->sts == NULL &&
                              settings->network != SETTINGS_NETWORK_PUBLIC;
    struct error why;

    if ((!needs_account && !wants_region) || ecs_locate(out, run, &plan->ecs, needs_account, &why))
        return true;
    if (needs_account) {
        *err = why;
        error_advise(err, ADVICE_ACCOUNT);
        return error_wrap(err, "looking up the account of the pod's RAM role");
    }
    log_debug("the region of this node is not known: %s", why.cause);
    return true;
}

bool oidc_fetch(struct identity *out, const struct run *run, const struct plan *plan,
                struct error *err)
{
    const struct plan_oidc *oidc = &plan->oidc;
    const char *account_id;
    char role_arn[ARN_SIZE];
    char provider_arn[ARN_SIZE];
    struct role role = oidc->role; /* borrowed */
    struct secret from_file AUTO(secret_clear) = {0};
    struct sts_oidc proof = {.provider_arn = oidc->provider_arn,
                             .token = oidc->token_file != NULL ? &from_file : &oidc->token,
                             .from_kubelet = plan->from_pod};
    struct endpoints endpoints;
    const struct api api = {.http = &run->http, .endpoints = &endpoints, .principal = "the caller"};

    if (oidc->token_file != NULL && !read_token(&from_file, run->system, oidc->token_file, err))
        return false;
    if (plan->from_pod && !locate_node(&out->node, run, plan, err))
        return false;
    account_id = oidc->account_id != NULL ? oidc->account_id : out->node.account_id;
    if ((role.arn == NULL || proof.provider_arn == NULL) && account_id[0] == '\0')
        return error_set_advised(err, ERROR_CONFIG, ADVICE_ACCOUNT,
                                 "the account of the pod's RAM role is not known");
    if (role.arn == NULL) {
        snprintf(role_arn, sizeof role_arn, "acs:ram::%s:role/%s", account_id, oidc->role_name);
        role.arn = role_arn;
    }
    if (proof.provider_arn == NULL) {
        snprintf(provider_arn, sizeof provider_arn, "acs:ram::%s:oidc-provider/ack-rrsa-%s",
                 account_id, oidc->cluster_id);
        proof.provider_arn = provider_arn;
    }
    return assume_choose_endpoints(&endpoints, run, plan, out->node.region, err) &&
           sts_assume_role_with_oidc(&out->credentials, &api, &role, &proof, err);
}
