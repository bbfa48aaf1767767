/* The way of a request, from top to bottom: registry, identity, cache, token. Every second round is
 * started here: the steps below repeat single requests, and report what another round needs in
 * err->retry. */
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

/* How long a host is waited for that will get no token anyway. */
enum { HOST_PATIENCE_MS = 3000 };

/* Obtaining a token for a registry by one plan. All borrowed. */
struct task {
    struct run run; /* a copy: a stale token at hand brings the deadline nearer */
    const struct registry *registry;
    struct instance *instance; /* that serves the registry; is filled in on the way */
    const struct plan *plan;   /* how the identity is obtained */
    const struct store *cache; /* NULL: nothing is kept */
};

static bool obtain_shared(struct answer *out, const struct task *task, struct error *err);
static bool obtain(struct answer *out, const struct task *task, struct error *err);

/* -- registry, identity, cache -- */

static bool answer_with_token(struct answer *out, const struct task *task)
{
    out->has_credentials = true;
    text_join(out->key, sizeof out->key, out->host, "", task->registry->matched_path);
    out->cache_s = freshness_cache_s(out->remaining_s, task->run.settings->refresh_margin_s,
                                     system_random_below(task->run.system, INT64_MAX));
    return true;
}

/* There is no identity, as `err` says: but if the host is not shown to be ACR's, that comes first.
 */
static bool fail_without_identity(const struct task *task, struct error *err)
{
    struct run run = task->run;
    struct error unidentified = {0};
    int64_t patient_until_ms = run.system->mono_ms() + HOST_PATIENCE_MS;

    if (patient_until_ms < run.http.deadline_ms)
        run.http.deadline_ms = patient_until_ms;
    if (registry_is_unknown(task->registry) &&
        !instance_identify(task->instance, &run, task->registry, &unidentified))
        *err = unidentified;
    return false;
}

bool provide(struct answer *out, const struct run *run, const struct kubelet_request *request,
             struct error *err)
{
    struct registry registry = {0};
    struct instance instance = {0};
    struct identity_plans plans AUTO(identity_plans_clear) = {0};
    struct store store AUTO(store_close) = {0};
    struct task task = {.run = *run, .registry = &registry, .instance = &instance};

    if (!registry_resolve(&registry, run->settings, request->image, err))
        return false;
    text_copy(out->host, sizeof out->host, registry.host.as_asked);
    out->depends_on_path = registry.depends_on_path;
    if (registry.is_anonymous) {
        out->cache_s = ANONYMOUS_CACHE_S;
        return true;
    }
    if (!identity_choose(&plans, run, registry_identity(&registry, run->settings), request, err))
        return fail_without_identity(&task, err);

    /* What a pod's token or an External command obtains is kept nowhere. */
    if (run->settings->cache.is_enabled && !plans.list[0].from_pod &&
        plans.list[0].source != PLAN_EXTERNAL &&
        store_open(&store, run->system, run->settings->cache.directory))
        task.cache = &store;

    for (size_t i = 0; i < plans.count; i++) {
        task.plan = &plans.list[i];
        if (task.cache == NULL ? obtain(out, &task, err) : obtain_shared(out, &task, err))
            return answer_with_token(out, &task);
        if (err->retry != ERROR_RETRY_NEXT_SOURCE)
            return false;
    }
    return identity_explain_none(&plans, run, err);
}

/* -- from the cache, or fetched by one process for all -- */

/* A token serves all hosts of an instance. Lock and failure belong to those who would fetch it in
 * the same way: by the same host, port, proxies and CA certificates. */
static bool make_keys(struct singleflight *flight, const struct task *task, struct error *err)
{
    const struct run *run = &task->run;
    struct buf text AUTO(buf_clear) = {0};

    registry_describe(&text, task->registry, run->settings);
    buf_append(&text, "\0", 1);
    identity_describe(&text, run, task->plan);
    if (!digest_sha256(flight->token_key, text.bytes, text.length, err))
        return false;
    buf_append_format(&text, "\n%s\n", task->registry->host.authority);
    http_append_proxy_and_ca_environment(&text, run->system);
    return digest_sha256(flight->attempt_key, text.bytes, text.length, err);
}

/* As the leader: fetches and publishes. With a stale token at hand the service is not waited for
 * until the deadline. */
static bool lead(struct answer *out, const struct task *task, const struct singleflight *flight,
                 struct error *err)
{
    struct task limited = *task;
    bool has_stale = singleflight_has_stale(flight);
    int64_t patient_until_ms = task->run.system->mono_ms() + SINGLEFLIGHT_PATIENCE_MS;

    if (has_stale && patient_until_ms < task->run.http.deadline_ms)
        limited.run.http.deadline_ms = patient_until_ms;
    if (obtain(out, &limited, err)) {
        singleflight_publish_token(flight, &out->token, out->remaining_s);
        return true;
    }
    /* What this process lacks, such as time or descriptors, others may have. */
    if (err->kind != ERROR_INTERNAL && (has_stale || http_remaining_ms(&task->run.http) > 0))
        singleflight_publish_error(flight, err);
    return false;
}

/* A stale token is served while the services are in trouble, not once they have refused. */
static bool serve_stale(struct answer *out, struct singleflight *flight, const struct error *err)
{
    bool is_outage = err->kind == ERROR_TEMPORARY || err->kind == ERROR_UNAVAILABLE;
    char reason[ERROR_LINE_SIZE];

    if (!is_outage || !singleflight_take_stale(flight, &out->token, &out->remaining_s))
        return false;
    error_format(err, reason, sizeof reason);
    log_warning("serving a stale token that could not be renewed: %s", reason);
    out->is_from_cache = true;
    return true;
}

static bool obtain_shared(struct answer *out, const struct task *task, struct error *err)
{
    const struct run *run = &task->run;
    const struct settings *settings = run->settings;
    struct singleflight flight AUTO(singleflight_leave) = {.store = *task->cache,
                                                           .margin_s = settings->refresh_margin_s,
                                                           .deadline_s = settings->deadline_s};
    /* A waiter keeps half of its time to fetch by itself. */
    int64_t wait_until_ms = run->system->mono_ms() + http_remaining_ms(&run->http) / 2;
    enum singleflight_outcome outcome;

    if (!make_keys(&flight, task, err))
        return false;
    text_copy(out->principal, sizeof out->principal, task->plan->principal);
    outcome = singleflight_join(&flight, &out->token, &out->remaining_s, wait_until_ms, err);
    if (outcome == SINGLEFLIGHT_TOKEN) {
        out->is_from_cache = true;
        return true;
    }
    if (outcome == SINGLEFLIGHT_FETCH && lead(out, task, &flight, err))
        return true;
    return serve_stale(out, &flight, err);
}

/* -- from the cloud -- */

/* What is left of a token's life, by the service's own clock. It ends with the identity's. */
static int64_t remaining_of(const struct token *token, const struct credentials *credentials,
                            int64_t server_time_s)
{
    int64_t remaining_s = token->expires_at_s - server_time_s;

    if (credentials->expires_at_s != 0 && credentials->expires_at_s < token->expires_at_s)
        remaining_s = credentials->expires_at_s - server_time_s;
    return remaining_s < TOKEN_LIFE_MAX_S ? remaining_s : TOKEN_LIFE_MAX_S;
}

static bool request_token(struct answer *out, const struct task *task, const struct api *api,
                          struct error *err)
{
    const struct instance *instance = task->instance;
    const char *id = instance->is_personal ? NULL : instance->id;
    int64_t server_time_s = 0;

    log_debug("%s: %s Edition%s%s in %s; requesting a token from %s as %s",
              task->registry->host.name, id == NULL ? "Personal" : "Enterprise",
              id == NULL ? "" : ", instance ", id == NULL ? "" : id, instance->region,
              api->endpoints->urls[0], api->principal);
    if (!cr_get_token(&out->token, &server_time_s, api, id, err))
        return explain_no_token(task->registry, id, instance->region, api->principal, err);
    out->remaining_s = remaining_of(&out->token, api->credentials, server_time_s);
    return out->remaining_s > 0 || explain_expired_token(err);
}

/* One round. The registry's challenge and the connection to the API make progress while the
 * identity is fetched. A host that may not be ACR's at all is asked first. */
static bool obtain_once(struct answer *out, const struct task *task, struct error *err)
{
    const struct run *run = &task->run;
    const struct registry *registry = task->registry;
    struct instance *instance = task->instance;
    struct identity identity AUTO(identity_clear) = {0};
    const struct api api = {.http = &run->http,
                            .endpoints = &instance->endpoints,
                            .credentials = &identity.credentials,
                            .principal = identity.principal};

    instance_prepare(instance, run, registry, task->cache, task->plan->source == PLAN_ECS);
    if (registry_is_unknown(registry) && !instance_identify(instance, run, registry, err))
        return false;
    if (!identity_fetch(&identity, run, task->plan, task->cache, err))
        return false;
    text_copy(out->principal, sizeof out->principal, identity.principal);
    return instance_identify(instance, run, registry, err) &&
           instance_choose_endpoints(instance, run, registry, identity.node.region, err) &&
           instance_confirm(instance, &api, registry, task->cache, err) &&
           request_token(out, task, &api, err);
}

/* Each of two cures is tried once: credentials that have expired are fetched again, and an instance
 * id of an earlier run that the API does not know is looked up again. */
static bool obtain(struct answer *out, const struct task *task, struct error *err)
{
    bool has_renewed = false;
    bool has_forgotten = false;

    while (!obtain_once(out, task, err)) {
        bool renews = err->retry == ERROR_RETRY_NEW_CREDENTIALS && !has_renewed;
        bool forgets = err->retry == ERROR_RETRY_NEW_INSTANCE_ID && !has_forgotten &&
                       instance_forget(task->instance, task->cache);

        if (!renews && !forgets)
            return false;
        log_info("%s; retrying with %s", err->cause,
                 renews ? "new credentials" : "a new instance id");
        has_renewed = has_renewed || renews;
        has_forgotten = has_forgotten || forgets;
    }
    return true;
}

void provide_answer_clear(struct answer *answer)
{
    credentials_clear_token(&answer->token);
    *answer = (struct answer){0};
}

bool provide_is_ours(const struct run *run, const char *image)
{
    struct registry registry = {0};
    struct error ignored;

    return registry_resolve(&registry, run->settings, image, &ignored) && !registry.is_anonymous &&
           !registry_is_unknown(&registry);
}
