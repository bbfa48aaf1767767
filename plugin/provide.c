#include "provide.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "cache/flight.h"
#include "cache/freshness.h"
#include "cloud/cr.h"
#include "cloud/openapi.h"
#include "config/settings.h"
#include "identity/identity.h"
#include "net/http.h"
#include "proto-json/kubelet_request.h"
#include "registry/registry.h"

/* Tokens live for an hour; one that says much more than that is asked for anew each day. */
enum { ANONYMOUS_CACHE_S = 6 * 3600, TOKEN_LIFE_MAX_S = 24 * 3600 };

void provide_answer_clear(struct answer *answer)
{
    token_clear(&answer->token);
    *answer = (struct answer){0};
}

static struct api make_api(const struct run *run, struct registry *registry,
                           const struct identity *identity)
{
    return (struct api){.http = &run->http,
                        .endpoints = &registry->endpoints,
                        .credentials = &identity->credentials,
                        .principal = identity->principal};
}

/* Asks the API for a token; `life_s` is what it has left, by the service's own clock and not beyond
 * the life of the identity. */
static bool request_token(struct token *out, int64_t *life_s, const struct run *run,
                          struct registry *registry, const struct identity *identity,
                          struct error *err)
{
    const struct api api = make_api(run, registry, identity);
    const char *instance = registry->is_personal ? NULL : registry->instance_id;
    int64_t server_time_s = 0;
    int64_t ends_s;

    log_debug("%s: %s Edition%s%s, region %s; asking %s as %s", registry->host.name,
              registry->is_personal ? "Personal" : "Enterprise",
              instance == NULL ? "" : ", instance ", instance == NULL ? "" : instance,
              registry->region, registry->endpoints.urls[0], identity->principal);
    if (!cr_get_token(out, &server_time_s, &api, instance, err)) {
        if (registry->host.is_new_personal && err->kind == ERROR_PERMISSION)
            (void)error_advise(err, "For Personal Edition instances since September 2024 Alibaba "
                                    "Cloud documents only a fixed password in an imagePullSecret");
        return error_wrap(err, "%s%s in %s, asked as %s",
                          instance == NULL ? "Personal Edition" : "instance ",
                          instance == NULL ? "" : instance, registry->region, identity->principal);
    }
    ends_s = out->expires_at_s;
    if (identity->credentials.expires_at_s != 0 && identity->credentials.expires_at_s < ends_s)
        ends_s = identity->credentials.expires_at_s;
    *life_s = ends_s - server_time_s < TOKEN_LIFE_MAX_S ? ends_s - server_time_s : TOKEN_LIFE_MAX_S;
    log_info("%s: a new token as %s, with %lld s to live", registry->host.name, identity->principal,
             (long long)*life_s);
    if (*life_s > 0)
        return true;
    (void)error_set(err, ERROR_UNAVAILABLE, "the registry token had expired when it was issued");
    return error_advise(err, "Try again; if it stays, ask Alibaba Cloud support");
}

/* Carries out the plan that exists on this node, with a second try for what has just expired. */
static bool fetch_identity(struct identity *out, bool *is_fallback, const struct run *run,
                           const struct identity_plans *plans, struct error *err)
{
    const struct store *cache = run->store->is_open ? run->store : NULL;

    for (size_t i = 0;; i++) {
        const struct plan *plan = &plans->list[i];

        *is_fallback = i > 0;
        if (identity_fetch(out, run, plan, cache, err) ||
            (err->retry == ERROR_RETRY_NEW_CREDENTIALS &&
             identity_fetch(out, run, plan, cache, err)))
            return true;
        if (err->retry != ERROR_RETRY_NEXT_SOURCE)
            return false;
        if (i + 1 == plans->count)
            return identity_explain_none(plans, run, err);
        log_debug("%s; using %s", err->cause, plans->list[i + 1].principal);
    }
}

static bool complete_and_request(struct token *out, int64_t *life_s, const struct run *run,
                                 struct registry *registry, const struct identity *identity,
                                 struct error *err)
{
    const struct api api = make_api(run, registry, identity);

    if (!registry_complete(registry, run, identity->node.region, &api, err))
        return false;
    if (request_token(out, life_s, run, registry, identity, err))
        return true;
    if (err->retry != ERROR_RETRY_NEW_INSTANCE_ID || !registry_forget(registry, run))
        return false;
    /* The instance that an earlier run found has been made anew under its name. */
    registry_start_challenge(registry, run);
    return registry_complete(registry, run, identity->node.region, &api, err) &&
           request_token(out, life_s, run, registry, identity, err);
}

/* While the metadata service is asked who we are, the registry is asked what it is and the
 * connection to the API is opened. */
static bool ask(struct token *out, int64_t *life_s, bool *is_fallback, const struct run *run,
                struct registry *registry, const struct identity_plans *plans, struct error *err)
{
    struct identity identity AUTO(identity_clear) = {0};
    char url[ENDPOINTS_URL_SIZE];

    registry_guess_endpoint(url, registry, run, "", plans->list[0].source == PLAN_ECS);
    if (url[0] != '\0')
        cr_preconnect(&run->http, url, registry->is_personal);
    registry_start_challenge(registry, run);
    if (!fetch_identity(&identity, is_fallback, run, plans, err))
        return false;
    if (complete_and_request(out, life_s, run, registry, &identity, err))
        return true;
    if (err->retry != ERROR_RETRY_NEW_CREDENTIALS)
        return false;
    log_info("%s: the credentials have expired, fetching them again", identity.principal);
    return fetch_identity(&identity, is_fallback, run, plans, err) &&
           complete_and_request(out, life_s, run, registry, &identity, err);
}

/* Whose token it is, and for what: equal keys mean that one token serves both. Others who want the
 * same may fail for a reason that is not ours, such as a proxy. */
static bool make_keys(struct flight *flight, const struct run *run, const struct registry *registry,
                      const struct identity_plans *plans, struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};

    registry_describe(&text, registry, run);
    buf_append(&text, "\0", 1);
    for (size_t i = 0; i < plans->count; i++)
        identity_describe(&text, run, &plans->list[i]);
    if (!digest_sha256(flight->key, text.bytes, text.length, err))
        return false;
    http_append_proxy_and_ca_environment(&text, run->system);
    return digest_sha256(flight->failure_key, text.bytes, text.length, err);
}

/* Whether an old token may be served in the place of an answer: the service is in trouble, other
 * than having refused. */
static bool is_outage(const struct error *err)
{
    return err->kind == ERROR_TEMPORARY || err->kind == ERROR_UNAVAILABLE;
}

/* From the cache, or asked for by one process for all of the node. */
static bool share(struct token *out, int64_t *left_s, const struct run *run,
                  struct registry *registry, const struct identity_plans *plans, struct error *err)
{
    struct flight flight AUTO(flight_end) = {.store = run->store,
                                             .margin_s = run->settings->refresh_margin_s};
    /* Whoever waits keeps half of its time to ask by itself. */
    int64_t wait_until_ms = clock_mono_ms() + http_remaining_ms(&run->http) / 2;
    struct run impatient = *run; /* as far as an old token can be served instead */
    int64_t patience_ends_ms;
    bool is_fallback = false;
    char why[1024];

    if (!make_keys(&flight, run, registry, plans, err))
        return false;
    switch (flight_take(&flight, out, left_s, wait_until_ms, err)) {
    case FLIGHT_TOKEN:
        log_debug("%s: a kept token, with %lld s to live", registry->host.name, (long long)*left_s);
        return true;
    case FLIGHT_ASK:
        patience_ends_ms = clock_mono_ms() + FLIGHT_PATIENCE_MS;
        if (flight_has_old(&flight) && impatient.http.deadline_ms > patience_ends_ms)
            impatient.http.deadline_ms = patience_ends_ms;
        if (ask(out, left_s, &is_fallback, &impatient, registry, plans, err)) {
            /* The metadata service may come up before a token of the fallback source expires. */
            if (!is_fallback)
                flight_land(&flight, out, *left_s);
            return true;
        }
        /* That our time is over says nothing of theirs, but that our patience is. */
        if (http_remaining_ms(&run->http) > 0 || flight_has_old(&flight))
            flight_fail(&flight, err);
        break;
    case FLIGHT_FAILED:
        break;
    }
    if (!is_outage(err) || !flight_has_old(&flight))
        return false;
    flight_take_old(&flight, out, left_s);
    error_format(err, why, sizeof why);
    log_warning("serving a token that should have been renewed: %s", why);
    return true;
}

/* Whom the configuration names for a registry, else for all. */
static const struct settings_identity *identity_settings(const struct run *run,
                                                         const struct registry *registry)
{
    if (registry->entry != NULL && registry->entry->identity != NULL)
        return registry->entry->identity;
    return &run->settings->identity;
}

static bool answer_without_credentials(struct answer *out)
{
    out->cache_s = ANONYMOUS_CACHE_S;
    return true;
}

/* Each line is one step. Nothing is kept that a pod's token or a command obtained. */
bool provide(struct answer *out, const struct run *run, const struct kubelet_request *request,
             struct error *err)
{
    struct registry registry AUTO(registry_clear) = {0};
    struct identity_plans plans AUTO(identity_plans_clear) = {0};
    int64_t left_s = 0;
    bool is_fallback;

    if (!registry_resolve(&registry, run, request->image, err))
        return false;
    out->depends_on_path = registry.depends_on_path;
    if (registry.is_anonymous)
        return answer_without_credentials(out);
    if (!identity_choose(&plans, run, identity_settings(run, &registry), request, err))
        return false;
    if (!plans.from_pod && plans.list[0].source != PLAN_EXTERNAL && run->settings->cache.is_enabled)
        store_open(run->store, run->settings->cache.directory);
    if (run->store->is_open ? !share(&out->token, &left_s, run, &registry, &plans, err)
                            : !ask(&out->token, &left_s, &is_fallback, run, &registry, &plans, err))
        return false;
    out->has_credentials = true;
    (void)text_copy(out->host, sizeof out->host, registry.host.as_asked);
    text_join(out->key, sizeof out->key, out->host, "", registry.matched_path);
    out->cache_s =
        freshness_cache_s(left_s, run->settings->refresh_margin_s, random_below(INT64_MAX));
    return true;
}

bool provide_is_ours(const struct run *run, const char *image)
{
    struct registry registry AUTO(registry_clear) = {0};
    struct error ignored;

    return registry_resolve(&registry, run, image, &ignored) && !registry.is_anonymous &&
           (registry.entry != NULL || registry.host.kind == HOST_ENTERPRISE ||
            registry.host.kind == HOST_PERSONAL || registry.host.kind == HOST_ALIBABA);
}
