#include "registry/registry.h"

#include <string.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "cache/store.h"
#include "cloud/codes.h"
#include "cloud/cr.h"
#include "cloud/openapi.h"
#include "config/settings.h"
#include "net/http.h"
#include "registry/match.h"

void registry_clear(struct registry *registry)
{
    *registry = (struct registry){0};
}

/* The path part of a pattern, from its slash on. */
static const char *pattern_path(const char *pattern)
{
    const char *slash = strchr(pattern, '/');

    return slash == NULL ? "" : slash;
}

static bool fits_host(const char *pattern, const char *host)
{
    char host_pattern[HOST_AS_ASKED_SIZE + 256];

    if (!text_copy(host_pattern, sizeof host_pattern, pattern))
        return false;
    host_pattern[strcspn(host_pattern, "/")] = '\0';
    return match_image(host_pattern, host, "");
}

/* Finds the entry of the configuration: the longest path wins, then the first. */
static void find_entry(struct registry *registry, const struct settings *settings)
{
    char host[HOST_AS_ASKED_SIZE];

    text_join(host, sizeof host, registry->host.name, "", registry->host.port);
    registry->matched_path = "";
    for (size_t i = 0; i < settings->registry_count; i++) {
        const struct settings_registry *entry = &settings->registries[i];

        for (size_t j = 0; j < entry->match_count; j++) {
            const char *path = pattern_path(entry->matches[j]);

            /* A lone slash narrows nothing. */
            if (strlen(path) > 1 && fits_host(entry->matches[j], host))
                registry->depends_on_path = true;
            if (match_image(entry->matches[j], host, registry->host.path) &&
                (registry->entry == NULL || strlen(path) > strlen(registry->matched_path))) {
                registry->entry = entry;
                registry->matched_path = path;
            }
        }
    }
}

/* A name without a dot cannot be a domain of an instance, nor can one whose last label begins with
 * a digit, which URLs may take for an address (127.0.0.0x1). */
static bool can_be_domain(const struct host *host)
{
    const char *last = strrchr(host->name, '.');

    return last != NULL && strspn(last + 1, "0123456789") == 0;
}

#define SPELLING_ADVICE                                                                            \
    "Check the spelling: NAME-registry[-vpc].REGION.cr.aliyuncs.com, "                             \
    "registry[-vpc].REGION.aliyuncs.com or crpi-ID.REGION.personal.cr.aliyuncs.com"

/* Whether it is Alibaba Cloud's, and none of ACR's as we know them. */
static bool is_misspelt(const struct registry *registry)
{
    return registry->entry == NULL && text_ends_with(registry->host.name, ".aliyuncs.com") &&
           (registry->host.kind == HOST_ALIBABA || registry->host.kind == HOST_FOREIGN);
}

/* What to do about a host that is not known to be ACR's. `keys` are those of an entry beside its
 * `match`. */
static bool advise_about_host(const struct registry *registry, const char *keys, struct error *err)
{
    const struct host *host = &registry->host;

    if (is_misspelt(registry))
        return error_advise(err, SPELLING_ADVICE);
    if (can_be_domain(host))
        return error_advise(err,
                            "If it is a custom domain of an ACR instance, map it under "
                            "\"registries\" in the configuration file: {\"match\": [\"%s%s\"]%s}",
                            host->name, host->port, keys);
    if (strchr(host->name, '.') == NULL && host->port[0] == '\0' &&
        strcmp(host->name, "localhost") != 0)
        return error_advise(err, "An image without a registry host is Docker Hub's: this program "
                                 "has no credentials for it");
    return error_advise(err, "This program has credentials for ACR only");
}

static bool fail_not_acr(const struct registry *registry, struct error *err)
{
    (void)error_set(err, ERROR_CONFIG, "%s is not an ACR host", registry->host.name);
    return advise_about_host(registry, "", err);
}

static void take_entry(struct registry *registry)
{
    const struct settings_registry *entry = registry->entry;

    if (entry->region != NULL)
        (void)text_copy(registry->region, sizeof registry->region, entry->region);
    if (entry->instance_id != NULL)
        (void)text_copy(registry->instance_id, sizeof registry->instance_id, entry->instance_id);
    if (entry->edition != SETTINGS_EDITION_UNSET)
        registry->is_personal = entry->edition == SETTINGS_EDITION_PERSONAL;
    else if (entry->instance_id != NULL)
        registry->is_personal = false;
    /* A pattern for many hosts may fit those of public images by chance: only an entry that says
     * what the host is means them. */
    if (entry->region != NULL || entry->instance_id != NULL || entry->api_endpoint != NULL ||
        entry->edition != SETTINGS_EDITION_UNSET)
        registry->is_anonymous = false;
}

bool registry_resolve(struct registry *out, const struct run *run, const char *image,
                      struct error *err)
{
    if (!host_parse(&out->host, image, err))
        return false;
    find_entry(out, run->settings);
    out->is_anonymous = out->host.kind == HOST_ANONYMOUS;
    out->is_personal = out->host.kind == HOST_PERSONAL;
    (void)text_copy(out->region, sizeof out->region, out->host.region);
    if (out->entry != NULL)
        take_entry(out);
    /* Nobody is asked about what cannot be a domain. */
    return out->entry != NULL || out->host.kind != HOST_FOREIGN || can_be_domain(&out->host) ||
           fail_not_acr(out, err);
}

/* The configured endpoint of the API, NULL if it goes by region. */
static const char *configured_endpoint(const struct registry *registry,
                                       const struct settings *settings)
{
    return registry->entry != NULL && registry->entry->api_endpoint != NULL
               ? registry->entry->api_endpoint
               : settings->endpoints.acr;
}

void registry_describe(struct buf *out, const struct registry *registry, const struct run *run)
{
    const struct settings_registry *entry = registry->entry;
    const char *endpoint = configured_endpoint(registry, run->settings);
    bool is_enterprise = registry->host.kind == HOST_ENTERPRISE;

    /* The public and the VPC host of an instance share a token; nothing else shares one. */
    buf_append_format(out, "%s%s %s %d %s %s %s %d",
                      is_enterprise ? registry->host.instance : registry->host.name,
                      is_enterprise ? "" : registry->host.port, registry->host.region,
                      registry->is_personal, registry->region, registry->instance_id,
                      endpoint == NULL ? "" : endpoint, (int)run->settings->endpoints.network);
    /* What an entry vouches for is not vouched for without it. */
    buf_append_format(out, " %d", entry == NULL ? -1 : (int)entry->edition);
}

static bool is_complete(const struct registry *registry)
{
    return registry->region[0] != '\0' &&
           (registry->is_personal || registry->instance_id[0] != '\0');
}

/* -- instance ids by host -- */

#define KIND "instance"

/* An id never changes; the day is for instances that are made anew under an old name. */
enum { ID_VALUE, LIFE_S = 24 * 3600 };

/* Of Enterprise hosts alone: what another host says of itself needs proof each time. */
static bool make_key(char key[DIGEST_HEX_SIZE], const struct registry *registry,
                     const struct run *run)
{
    struct buf text AUTO(buf_clear) = {0};
    struct error ignored;

    if (registry->host.kind != HOST_ENTERPRISE || !run->store->is_open)
        return false;
    registry_describe(&text, registry, run);
    return digest_sha256(key, text.bytes, text.length, &ignored);
}

static void recall_instance(struct registry *registry, const struct run *run)
{
    struct record record AUTO(record_clear) = {0};
    struct error ignored;
    int64_t left_s = 0;
    const char *id;

    if (!make_key(registry->cache_key, registry, run) ||
        !store_read(&record, &left_s, run->store, KIND, registry->cache_key))
        return;
    id = secret_reveal(&record.values[ID_VALUE]);
    registry->is_recalled = check_instance_id(id, "it", &ignored) &&
                            text_copy(registry->instance_id, sizeof registry->instance_id, id);
}

static void remember_instance(const struct registry *registry, const struct run *run)
{
    struct record record AUTO(record_clear) = {.life_s = LIFE_S};

    if (registry->cache_key[0] == '\0')
        return;
    (void)text_copy(record.key, sizeof record.key, registry->cache_key);
    secret_set(&record.values[ID_VALUE], registry->instance_id, strlen(registry->instance_id));
    store_write(run->store, KIND, &record);
}

bool registry_forget(struct registry *registry, const struct run *run)
{
    bool was_recalled = registry->is_recalled;

    if (registry->cache_key[0] != '\0')
        store_remove(run->store, KIND, registry->cache_key);
    if (was_recalled)
        registry->instance_id[0] = '\0';
    registry->is_recalled = false;
    return was_recalled;
}

void registry_start_challenge(struct registry *registry, const struct run *run)
{
    char host[HOST_AS_ASKED_SIZE];

    if (!is_complete(registry))
        recall_instance(registry, run);
    if (is_complete(registry))
        return;
    text_join(host, sizeof host, registry->host.name, "", registry->host.port);
    challenge_prefetch(&run->http, host);
}

/* err is that the registry says otherwise than the value of a key of its entry. */
static bool advise_about_contradiction(const char *key, struct error *err)
{
    return error_advise(err, "Correct %s under \"registries\" in the configuration file", key);
}

/* Takes what the registry says of itself where nothing better is known. A statement against the
 * name or the configuration is none. */
static bool believe(struct registry *registry, const struct challenge *said, struct error *err)
{
    const struct settings_registry *entry = registry->entry;
    bool is_personal = said->instance_id[0] == '\0';

    if (registry->region[0] != '\0' && strcmp(registry->region, said->region) != 0) {
        (void)error_set(err, ERROR_CONFIG, "it says region %s instead of %s", said->region,
                        registry->region);
        return entry != NULL && entry->region != NULL ? advise_about_contradiction("region", err)
                                                      : false;
    }
    if (registry->instance_id[0] != '\0' && strcmp(registry->instance_id, said->instance_id) != 0) {
        (void)error_set(err, ERROR_CONFIG, "it says %s%s instead of instance %s",
                        is_personal ? "no instance" : "instance ", said->instance_id,
                        registry->instance_id);
        return advise_about_contradiction("instanceId", err);
    }
    if (registry->host.kind == HOST_ENTERPRISE && is_personal)
        return error_set(err, ERROR_CONFIG, "it does not name an instance");
    if (entry != NULL && entry->edition != SETTINGS_EDITION_UNSET &&
        (entry->edition == SETTINGS_EDITION_PERSONAL) != is_personal) {
        (void)error_set(err, ERROR_CONFIG, "it says it is %s Edition, against the configuration",
                        is_personal ? "Personal" : "Enterprise");
        return advise_about_contradiction("edition", err);
    }
    (void)text_copy(registry->region, sizeof registry->region, said->region);
    (void)text_copy(registry->instance_id, sizeof registry->instance_id, said->instance_id);
    registry->is_personal = registry->is_personal || is_personal;
    return true;
}

static bool take_challenge(struct registry *registry, const struct run *run, struct error *err)
{
    struct challenge said = {0};
    char host[HOST_AS_ASKED_SIZE];

    text_join(host, sizeof host, registry->host.name, "", registry->host.port);
    return challenge_get(&said, &run->http, host, err) && believe(registry, &said, err);
}

/* More tries after trouble that may pass. */
static bool ask_again(struct registry *registry, const struct run *run, struct error *err)
{
    struct challenge said = {0};
    char host[HOST_AS_ASKED_SIZE];

    text_join(host, sizeof host, registry->host.name, "", registry->host.port);
    return challenge_ask_again(&said, &run->http, host, err) && believe(registry, &said, err);
}

static bool choose_endpoints(struct endpoints *out, const struct registry *registry,
                             const struct settings *settings, bool is_near, struct error *err)
{
    const struct endpoints_wish wish = {.service = ENDPOINTS_CR,
                                        .configured = configured_endpoint(registry, settings),
                                        .network = settings->endpoints.network,
                                        .region = registry->region,
                                        .prefers_vpc = registry->host.is_vpc || is_near};

    return endpoints_choose(out, &wish, err);
}

/* Whether the node is in the registry's region, and so the VPC endpoint within its reach. */
static bool is_near(const struct registry *registry, const char *node_region)
{
    return node_region[0] != '\0' && strcmp(node_region, registry->region) == 0;
}

void registry_guess_endpoint(char url[ENDPOINTS_URL_SIZE], const struct registry *registry,
                             const struct run *run, const char *node_region, bool is_ecs)
{
    struct endpoints endpoints;
    struct error ignored;
    /* Most nodes pull from their own region. */
    bool near = node_region[0] == '\0' ? is_ecs : is_near(registry, node_region);

    url[0] = '\0';
    if (choose_endpoints(&endpoints, registry, run->settings, near, &ignored))
        (void)text_copy(url, ENDPOINTS_URL_SIZE, endpoints.urls[0]);
}

/* The refusal of ListInstanceEndpoint, with what helps in its place. */
static bool fail_proof(const struct registry *registry, const struct api *api, struct error *err)
{
    (void)error_wrap(err, "%s is not proved to be an ACR host", registry->host.name);
    if (codes_meaning(err->service_code) == CODES_FORBIDDEN)
        return error_advise(err,
                            "Map it under \"registries\" in the configuration file, or allow "
                            "cr:ListInstanceEndpoint to %s",
                            api->principal);
    if (err->retry == ERROR_RETRY_NEW_INSTANCE_ID)
        return error_advise(err,
                            "Map it under \"registries\" in the configuration file, with an "
                            "identity of the account that owns instance %s",
                            registry->instance_id);
    return false;
}

/* A host that neither its name nor the configuration vouches for needs proof from our own account:
 * the kubelet will send the password to it. */
static bool prove_host(const struct registry *registry, const struct api *api, struct error *err)
{
    bool found = false;

    if (registry->entry != NULL || registry->host.kind != HOST_FOREIGN)
        return true;
    if (registry->is_personal)
        return fail_not_acr(registry, err);
    if (!cr_has_domain(&found, api, registry->instance_id, registry->host.name, err))
        return fail_proof(registry, api, err);
    if (found)
        return true;
    (void)error_set(err, ERROR_CONFIG,
                    "%s is not an ACR host: instance %s does not list it among its domains",
                    registry->host.name, registry->instance_id);
    return advise_about_host(registry, "", err);
}

/* Nothing but the challenge could have told what this host is; err says what was wrong with it. */
static bool fail_challenge(const struct registry *registry, struct error *err)
{
    const struct error why = *err;
    const bool lacks_region = registry->region[0] == '\0';
    const bool lacks_id = !registry->is_personal && registry->instance_id[0] == '\0';

    if (why.kind == ERROR_TEMPORARY) {
        (void)error_wrap(err, "%s: asking which ACR instance it is", registry->host.name);
        return is_misspelt(registry)
                   ? error_advise(err, SPELLING_ADVICE "; if it is right, try again")
                   : false;
    }
    if (why.kind == ERROR_CONFIG && why.advice[0] != '\0')
        return error_wrap(err, "%s", registry->host.name);
    if (why.kind == ERROR_CONFIG && registry->entry == NULL) {
        (void)error_set(err, ERROR_CONFIG, "%s is not an ACR host: %s", registry->host.name,
                        why.cause);
        return advise_about_host(registry, ", \"region\": \"REGION\", \"instanceId\": \"cri-...\"",
                                 err);
    }
    (void)error_wrap(err,
                     "%s: neither its name nor the configuration says which ACR instance it is",
                     registry->host.name);
    if (why.kind == ERROR_UNAVAILABLE && why.advice[0] != '\0')
        return false;
    return error_advise(err, "Set %s%s%s for it under \"registries\" in the configuration file",
                        lacks_region ? "region" : "", lacks_region && lacks_id ? " and " : "",
                        lacks_id ? "instanceId" : "");
}

/* The name of an Enterprise host is enough to ask the API instead. Where that is not permitted, a
 * challenge that failed for a passing reason is worth another try. */
static bool find_by_name(struct registry *registry, const struct run *run, const struct api *api,
                         const struct error *challenge_err, struct error *err)
{
    log_debug("%s: no use of its challenge (%s), asking ListInstance", registry->host.name,
              challenge_err->cause);
    if (cr_find_instance(registry->instance_id, sizeof registry->instance_id, api,
                         registry->host.instance, err))
        return true;
    if (err->kind != ERROR_PERMISSION || challenge_err->kind != ERROR_TEMPORARY)
        return false;
    return ask_again(registry, run, err) || fail_challenge(registry, err);
}

bool registry_complete(struct registry *registry, const struct run *run, const char *node_region,
                       const struct api *api, struct error *err)
{
    bool was_complete = is_complete(registry);
    bool has_name = registry->host.instance[0] != '\0';
    struct error challenge_err = {0};

    if (!was_complete && !take_challenge(registry, run, &challenge_err) && !has_name &&
        !(challenge_err.kind == ERROR_TEMPORARY && ask_again(registry, run, &challenge_err))) {
        *err = challenge_err;
        return fail_challenge(registry, err);
    }
    if (!choose_endpoints(&registry->endpoints, registry, run->settings,
                          is_near(registry, node_region), err))
        return false;
    if (!is_complete(registry) && !find_by_name(registry, run, api, &challenge_err, err))
        return false;
    if (!was_complete)
        remember_instance(registry, run);
    return prove_host(registry, api, err);
}
