/* The way of a request, from top to bottom: registry, identity, cache, token. Every second try is
 * here, since everything below only reports what a second try needs (`err->retry`). */
#include "provide.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "cache/freshness.h"
#include "cache/singleflight.h"
#include "cloud/cr.h"
#include "proto-json/kubelet_request.h"
#include "registry/explain.h"
#include "registry/instance.h"
#include "registry/registry.h"

/* Tokens live for an hour; one that claims much more is renewed once a day. */
enum { ANONYMOUS_CACHE_S = 6 * 3600, TOKEN_LIFE_MAX_S = 24 * 3600 };

/* What the steps of one request share. All borrowed. */
struct way {
    const struct run *run;
    const struct registry *registry;
    const struct plan *plan;   /* how the identity is obtained */
    bool is_last_plan;         /* there is no other if this source does not exist */
    const struct store *cache; /* NULL: nothing is kept */
};

static bool obtain_shared(struct answer *out, const struct way *way, struct error *err);
static bool lead(struct singleflight *flight, struct answer *out, const struct way *way,
                 struct error *err);
static bool obtain(struct answer *out, const struct way *way, struct error *err);
static bool obtain_once(struct answer *out, const struct way *way, struct instance *instance,
                        struct error *err);
static bool request_token(struct answer *out, const struct way *way,
                          const struct instance *instance, const struct api *api,
                          struct error *err);

/* -- registry, identity, cache -- */

static bool answer_without_credentials(struct answer *out)
{
    out->cache_s = ANONYMOUS_CACHE_S;
    return true;
}

static void answer_with_token(struct answer *out, const struct run *run,
                              const struct registry *registry)
{
    out->has_credentials = true;
    text_join(out->key, sizeof out->key, out->host, "", registry->matched_path);
    out->cache_s = freshness_cache_s(out->remaining_s, run->settings->refresh_margin_s,
                                     system_random_below(run->system, INT64_MAX));
}

/* The identity that the configuration sets for a registry, else the common one. */
static const struct settings_identity *identity_settings(const struct run *run,
                                                         const struct registry *registry)
{
    if (registry->entry != NULL && registry->entry->identity != NULL)
        return registry->entry->identity;
    return &run->settings->identity;
}

/* There is no identity, as `err` says: but if the host is not ACR's, that is what is wrong. */
static bool fail_without_identity(const struct run *run, const struct registry *registry,
                                  struct error *err)
{
    struct instance instance = {0};
    struct error unidentified = {0};

    if (registry_is_unknown(registry) &&
        !instance_identify(&instance, run, registry, NULL, &unidentified) &&
        unidentified.kind == ERROR_CONFIG)
        *err = unidentified;
    return false;
}

bool provide(struct answer *out, const struct run *run, const struct kubelet_request *request,
             struct error *err)
{
    struct registry registry = {0};
    struct identity_plans plans AUTO(identity_plans_clear) = {0};
    struct store store AUTO(store_close) = {0};
    struct way way = {.run = run, .registry = &registry};
    bool obtained = false;

    if (!registry_resolve(&registry, run->settings, request->image, err))
        return false;
    text_copy(out->host, sizeof out->host, registry.host.as_asked);
    out->depends_on_path = registry.depends_on_path;
    if (registry.is_anonymous)
        return answer_without_credentials(out);
    if (!identity_choose(&plans, run, identity_settings(run, &registry), request, err))
        return fail_without_identity(run, &registry, err);

    /* What a pod's token or an External command obtains is kept nowhere. */
    if (run->settings->cache.is_enabled && !plans.list[0].from_pod &&
        plans.list[0].source != PLAN_EXTERNAL &&
        store_open(&store, run->system, run->settings->cache.directory))
        way.cache = &store;

    for (size_t i = 0; !obtained && i < plans.count; i++) {
        way.plan = &plans.list[i];
        way.is_last_plan = i + 1 == plans.count;
        obtained = way.cache == NULL ? obtain(out, &way, err) : obtain_shared(out, &way, err);
        if (!obtained && err->retry != ERROR_RETRY_NEXT_SOURCE)
            return false;
    }
    if (!obtained)
        return identity_explain_none(&plans, run, err);
    answer_with_token(out, run, &registry);
    return true;
}

/* -- from the cache, or fetched by one process for all -- */

/* A token serves all hosts of an instance. Lock and failure belong to those who would fetch it in
 * the same way: by the same host, port, endpoints, proxies and CA certificates. */
static bool make_keys(struct singleflight *flight, const struct way *way, struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};

    registry_describe(&text, way->registry, way->run->settings);
    buf_append(&text, "\0", 1);
    identity_describe(&text, way->run, way->plan);
    if (!digest_sha256(flight->token_key, text.bytes, text.length, err))
        return false;
    registry_describe_attempt(&text, way->registry);
    http_append_proxy_and_ca_environment(&text, way->run->system);
    return digest_sha256(flight->attempt_key, text.bytes, text.length, err);
}

/* Whether a stale token may be served: the services are in trouble, but have not refused. */
static bool is_outage(const struct way *way, const struct error *err)
{
    return (err->kind == ERROR_TEMPORARY || err->kind == ERROR_UNAVAILABLE) &&
           (err->retry != ERROR_RETRY_NEXT_SOURCE || way->is_last_plan);
}

/* From the cache, or fetched by one process for all on this node. */
static bool obtain_shared(struct answer *out, const struct way *way, struct error *err)
{
    const struct run *run = way->run;
    struct singleflight flight AUTO(singleflight_leave) = {
        .store = way->cache, .margin_s = run->settings->refresh_margin_s};
    /* Whoever waits keeps half of its time to fetch by itself. */
    int64_t wait_until_ms = run->system->mono_ms() + http_remaining_ms(&run->http) / 2;
    char reason[1024];

    if (!make_keys(&flight, way, err))
        return false;
    text_copy(out->principal, sizeof out->principal, way->plan->principal);
    switch (singleflight_join(&flight, &out->token, &out->remaining_s, wait_until_ms, err)) {
    case SINGLEFLIGHT_TOKEN:
        log_debug("%s: cached token, valid for %lld s", way->registry->host.name,
                  (long long)out->remaining_s);
        out->is_from_cache = true;
        return true;
    case SINGLEFLIGHT_FETCH:
        if (lead(&flight, out, way, err))
            return true;
        break;
    case SINGLEFLIGHT_FAILED:
        break;
    }
    if (!is_outage(way, err) || !singleflight_has_stale(&flight))
        return false;
    singleflight_take_stale(&flight, &out->token, &out->remaining_s);
    out->is_from_cache = true;
    error_format(err, reason, sizeof reason);
    log_warning("serving a stale token that could not be renewed: %s", reason);
    return true;
}

/* As the leader: fetches and publishes. With a stale token at hand the service is not waited for
 * until the deadline. */
static bool lead(struct singleflight *flight, struct answer *out, const struct way *way,
                 struct error *err)
{
    struct run limited = *way->run;
    struct way limited_way = *way;
    bool has_stale = singleflight_has_stale(flight);
    int64_t patient_until_ms = limited.system->mono_ms() + SINGLEFLIGHT_PATIENCE_MS;

    limited_way.run = &limited;
    if (has_stale && patient_until_ms < limited.http.deadline_ms)
        limited.http.deadline_ms = patient_until_ms;
    if (obtain(out, &limited_way, err)) {
        singleflight_publish_token(flight, &out->token, out->remaining_s);
        return true;
    }
    /* An expired deadline is this process's own: others may have more time. */
    if (has_stale || http_remaining_ms(&way->run->http) > 0)
        singleflight_publish_error(flight, err);
    return false;
}

/* -- from the cloud -- */

/* Obtains a token from the cloud. Expired credentials are fetched again once, and an instance id of
 * an earlier run that the API does not know is looked up again once. */
static bool obtain(struct answer *out, const struct way *way, struct error *err)
{
    struct instance instance = {0};
    bool has_renewed = false;

    while (!obtain_once(out, way, &instance, err)) {
        bool renews = err->retry == ERROR_RETRY_NEW_CREDENTIALS && !has_renewed;

        if (!renews && (err->retry != ERROR_RETRY_NEW_INSTANCE_ID ||
                        !instance_forget(&instance, way->registry, way->cache)))
            return false;
        log_info("%s; retrying with %s", err->cause,
                 renews ? "new credentials" : "a new instance id");
        has_renewed = has_renewed || renews;
    }
    log_debug("%s: requested a token as %s, valid for %lld s", way->registry->host.name,
              out->principal, (long long)out->remaining_s);
    return true;
}

/* One round: while the identity is fetched, the registry's challenge and the connection to the API
 * are on their way. A host that may not be ACR's at all is asked first. */
static bool obtain_once(struct answer *out, const struct way *way, struct instance *instance,
                        struct error *err)
{
    const struct run *run = way->run;
    const struct registry *registry = way->registry;
    struct identity identity AUTO(identity_clear) = {0};
    const struct api api = {.http = &run->http,
                            .endpoints = &instance->endpoints,
                            .credentials = &identity.credentials,
                            .principal = identity.principal};

    if (!instance->is_identified)
        instance_prepare(run, registry, way->cache, way->plan->source == PLAN_ECS);
    if (registry_is_unknown(registry) &&
        !instance_identify(instance, run, registry, way->cache, err))
        return false;
    if (!identity_fetch(&identity, run, way->plan, way->cache, err))
        return false;
    text_copy(out->principal, sizeof out->principal, identity.principal);
    return instance_identify(instance, run, registry, way->cache, err) &&
           instance_choose_endpoints(instance, run, registry, identity.node.region, err) &&
           instance_confirm(instance, &api, registry, way->cache, err) &&
           request_token(out, way, instance, &api, err);
}

/* What is left of a token's life, by the service's own clock. It ends with the identity's. */
static int64_t remaining_of(const struct token *token, const struct credentials *credentials,
                            int64_t server_time_s)
{
    int64_t expires_at_s = token->expires_at_s;

    if (credentials->expires_at_s != 0 && credentials->expires_at_s < expires_at_s)
        expires_at_s = credentials->expires_at_s;
    return expires_at_s - server_time_s < TOKEN_LIFE_MAX_S ? expires_at_s - server_time_s
                                                           : TOKEN_LIFE_MAX_S;
}

static bool request_token(struct answer *out, const struct way *way,
                          const struct instance *instance, const struct api *api, struct error *err)
{
    int64_t server_time_s = 0;

    log_debug("%s: %s Edition, instance %s, region %s; requesting a token from %s as %s",
              way->registry->host.name, instance->is_personal ? "Personal" : "Enterprise",
              instance->is_personal ? "-" : instance->id, instance->region, api->endpoints->urls[0],
              api->principal);
    if (!cr_get_token(&out->token, &server_time_s, api, instance->is_personal ? NULL : instance->id,
                      err))
        return explain_no_token(way->registry, instance->id, instance->region, api->principal, err);
    out->remaining_s = remaining_of(&out->token, api->credentials, server_time_s);
    return out->remaining_s > 0 || explain_expired_token(err);
}

void provide_answer_clear(struct answer *answer)
{
    token_clear(&answer->token);
    *answer = (struct answer){0};
}

bool provide_is_ours(const struct run *run, const char *image)
{
    struct registry registry = {0};
    struct error ignored;

    return registry_resolve(&registry, run->settings, image, &ignored) && !registry.is_anonymous &&
           !registry_is_unknown(&registry);
}
