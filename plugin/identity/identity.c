#include "identity/identity.h"

#include "base/text.h"
#include "config/settings.h"
#include "identity/assume.h"
#include "identity/chain.h"
#include "identity/ecs.h"
#include "identity/explain.h"
#include "identity/external.h"
#include "identity/oidc.h"
#include "identity/pod.h"
#include "identity/static.h"
#include "identity/uri.h"

void identity_plans_clear(struct identity_plans *plans)
{
    for (size_t i = 0; i < plans->count; i++)
        plan_clear(&plans->list[i]);
    buf_clear(&plans->reasons);
    *plans = (struct identity_plans){0};
}

void identity_clear(struct identity *identity)
{
    credentials_clear(&identity->credentials);
    *identity = (struct identity){0};
}

/* The pod's own identity, else whom the configuration names. */
static bool choose(struct identity_plans *out, const struct run *run,
                   const struct settings_identity *settings, const struct kubelet_request *request,
                   struct error *err)
{
    struct plan of_pod AUTO(plan_clear) = {0};
    struct error why;

    if (pod_plan(&of_pod, run->system, &run->settings->pod, request, &why)) {
        out->list[out->count++] = TAKE(of_pod);
        return true;
    }
    if (why.retry != ERROR_RETRY_NEXT_SOURCE) {
        *err = why;
        return false;
    }
    if (!chain_find(out, run->system, settings, err))
        return false;
    for (size_t i = 0; i < out->count; i++) {
        for (size_t j = 0; j < settings->role_count; j++)
            plan_add_role(&out->list[i], &settings->roles[j]);
    }
    return true;
}

bool identity_choose(struct identity_plans *out, const struct run *run,
                     const struct settings_identity *settings,
                     const struct kubelet_request *request, struct error *err)
{
    if (!choose(out, run, settings, request, err))
        return false;
    for (size_t i = 0; i < out->count; i++) {
        if (!assume_read_environment(&out->list[i], run->system, err))
            return false;
    }
    return true;
}

void identity_describe(struct buf *out, const struct run *run, const struct plan *plan)
{
    const struct settings_endpoints *endpoints = &run->settings->endpoints;

    plan_describe(out, plan);
    buf_append_format(out, "%s,", endpoints->sts == NULL ? "" : endpoints->sts);
    if (plan->source == PLAN_ECS)
        buf_append_text(out, endpoints->metadata);
    if (plan->source == PLAN_OIDC)
        oidc_append_token(out, run->system, plan);
}

static bool fetch_source(struct identity *out, const struct run *run, const struct plan *plan,
                         const struct store *cache, struct error *err)
{
    switch (plan->source) {
    case PLAN_STATIC:
        static_fetch(&out->credentials, plan);
        return true;
    case PLAN_OIDC:
        return oidc_fetch(out, run, plan, err);
    case PLAN_ECS:
        return ecs_fetch(out, run, plan, cache, err);
    case PLAN_URI:
        return uri_fetch(&out->credentials, &run->http, plan->uri, err);
    case PLAN_EXTERNAL:
        return external_fetch(&out->credentials, run, plan->command, err) ||
               error_wrap(err, "process_command of %s", plan->principal);
    }
    return error_set(err, ERROR_INTERNAL, "unknown source of credentials");
}

bool identity_fetch(struct identity *out, const struct run *run, const struct plan *plan,
                    const struct store *cache, struct error *err)
{
    identity_clear(out);
    text_copy(out->principal, sizeof out->principal, plan->principal);
    if (fetch_source(out, run, plan, cache, err) && assume_roles(out, run, plan, err))
        return true;
    /* The kubelet sent one token: there is no newer one. */
    if (plan->from_pod)
        err->retry = ERROR_RETRY_NOTHING;
    return false;
}

bool identity_explain_none(const struct identity_plans *plans, const struct run *run,
                           struct error *err)
{
    struct buf reasons AUTO(buf_clear) = {0};

    buf_append_text(&reasons, buf_text(&plans->reasons));
    explain_add_reason(&reasons, "ECS metadata service", err->cause);
    explain_add_reason(&reasons, "credentials URI", URI_VARIABLE " is not set");
    return explain_no_identity(buf_text(&reasons), run->settings->endpoints.metadata, err);
}
