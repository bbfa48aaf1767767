#include "identity/identity.h"

#include "base/text.h"
#include "identity/explain.h"
#include "identity/external.h"
#include "identity/sources.h"

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

bool identity_choose(struct identity_plans *out, const struct run *run,
                     const struct settings_identity *settings,
                     const struct kubelet_request *request, struct error *err)
{
    struct plan of_pod AUTO(plan_clear) = {0};
    struct error why = {0};
    const bool is_pod = pod_plan(&of_pod, run->system, &run->settings->pod, request, &why);

    if (is_pod) {
        out->list[out->count++] = TAKE(of_pod);
    } else if (why.retry != ERROR_RETRY_NEXT_SOURCE) {
        *err = why;
        return false;
    } else if (!chain_find(out, run->system, settings, err)) {
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        for (size_t j = 0; !is_pod && j < settings->role_count; j++)
            plan_add_role(&out->list[i], &settings->roles[j]);
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
    const struct error why = *err;

    error_set(err, why.kind,
              "no identity found: %s; ECS metadata service: %s; credentials URI: " URI_VARIABLE
              " is not set",
              buf_text(&plans->reasons), why.cause);
    return explain_no_identity(run->settings->endpoints.metadata, err);
}
