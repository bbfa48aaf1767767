#include "registry/instance.h"

#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "cloud/cr.h"
#include "registry/challenge.h"
#include "registry/explain.h"

enum {
    ID_VALUE = 0,
    /* An id never changes; but an instance may be deleted and created again under its name. */
    ID_LIFE_S = 24 * 3600,
    MORE_CHALLENGE_TRIES = 3,
};

static bool lacks_id(const struct instance *instance)
{
    return !instance->is_personal && instance->id[0] == '\0';
}

/* -- what an earlier run found -- */

/* Takes the id that an earlier run with the same configuration found for this host. Only for
 * Enterprise hosts: what other hosts report is verified in every run. */
static bool recall_id(struct instance *instance, const struct run *run,
                      const struct registry *registry, const struct store *cache)
{
    struct record record AUTO(record_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    struct error ignored;
    int64_t remaining_s = 0;
    const char *id;

    if (registry->host.kind != HOST_ENTERPRISE)
        return false;
    registry_describe(&text, registry, run->settings);
    buf_append_format(&text, "\n%s", registry->host.authority);
    if (!digest_sha256(instance->cache_key, text.bytes, text.length, &ignored) ||
        !store_read(&record, &remaining_s, cache, STORE_INSTANCE, instance->cache_key))
        return false;
    id = secret_reveal(&record.values[ID_VALUE]);
    instance->is_remembered = check_text(CHECK_INSTANCE_ID, id, "id", &ignored) &&
                              text_copy(instance->id, sizeof instance->id, id);
    return instance->is_remembered;
}

static void remember_id(const struct instance *instance, const struct store *cache)
{
    struct record record AUTO(record_clear) = {.life_s = ID_LIFE_S};

    if (instance->cache_key[0] == '\0' || instance->is_remembered)
        return;
    text_copy(record.key, sizeof record.key, instance->cache_key);
    secret_set(&record.values[ID_VALUE], instance->id, strlen(instance->id));
    store_write(cache, STORE_INSTANCE, &record);
}

bool instance_forget(struct instance *instance, const struct store *cache)
{
    bool was_remembered = instance->is_remembered;

    if (instance->cache_key[0] != '\0')
        store_remove(cache, STORE_INSTANCE, instance->cache_key);
    instance->is_prepared = instance->is_identified = instance->is_remembered = false;
    return was_remembered;
}

/* -- the challenge -- */

/* What the registry reports fills in what is unknown; it never overrides name or configuration. */
static bool apply_challenge(struct instance *instance, const struct registry *registry,
                            const struct challenge *challenge, struct error *err)
{
    static const char *const editions[] = {"Enterprise", "Personal"};
    const struct settings_registry *entry = registry->entry;
    bool is_personal = challenge->instance_id[0] == '\0';
    bool has_edition = entry != NULL && entry->edition != SETTINGS_EDITION_UNSET;

    if (instance->region[0] != '\0' && strcmp(instance->region, challenge->region) != 0)
        return explain_mismatch("region", challenge->region, instance->region,
                                entry != NULL && entry->region != NULL, err);
    if (instance->id[0] != '\0' && strcmp(instance->id, challenge->instance_id) != 0)
        return explain_mismatch("instanceId", is_personal ? "(none)" : challenge->instance_id,
                                instance->id, true, err);
    if ((has_edition || registry->host.kind == HOST_ENTERPRISE) &&
        is_personal != instance->is_personal)
        return explain_mismatch("edition", editions[is_personal], editions[instance->is_personal],
                                has_edition, err);
    text_copy(instance->region, sizeof instance->region, challenge->region);
    text_copy(instance->id, sizeof instance->id, challenge->instance_id);
    instance->is_personal = instance->is_personal || is_personal;
    return true;
}

static bool ask_registry(struct instance *instance, const struct http *http,
                         const struct registry *registry, unsigned tries, struct error *err)
{
    struct challenge challenge = {0};

    return challenge_request(&challenge, http, registry->host.authority, tries, err) &&
           apply_challenge(instance, registry, &challenge, err);
}

/* -- in the order of a request -- */

/* What name, configuration and earlier runs say. */
static void take_known(struct instance *instance, const struct run *run,
                       const struct registry *registry, const struct store *cache)
{
    instance->is_personal = registry->is_personal;
    text_copy(instance->region, sizeof instance->region, registry->region);
    text_copy(instance->id, sizeof instance->id, registry->instance_id);
    instance->is_identified = instance->region[0] != '\0' &&
                              (!lacks_id(instance) || recall_id(instance, run, registry, cache));
}

void instance_prepare(struct instance *instance, const struct run *run,
                      const struct registry *registry, const struct store *cache, bool is_ecs)
{
    struct instance guess;
    struct error ignored;

    if (instance->is_prepared)
        return;
    take_known(instance, run, registry, cache);
    instance->is_prepared = true;
    guess = *instance;
    /* Most nodes pull from their own region. */
    if ((guess.region[0] != '\0' ||
         registry_configured_endpoint(registry, run->settings) != NULL) &&
        instance_choose_endpoints(&guess, run, registry, is_ecs ? guess.region : "", &ignored))
        cr_preconnect(&run->http, guess.endpoints.urls[0], guess.is_personal);
    if (!instance->is_identified)
        challenge_prefetch(&run->http, registry->host.authority);
}

bool instance_identify(struct instance *instance, const struct run *run,
                       const struct registry *registry, struct error *err)
{
    bool has_name = registry->host.instance[0] != '\0';
    struct error why = {0};

    if (instance->is_identified || ask_registry(instance, &run->http, registry, 1, &why)) {
        instance->is_identified = true;
        return true;
    }
    instance->may_ask_again = why.kind == ERROR_TEMPORARY;
    if (has_name)
        log_debug("%s: its challenge did not identify the instance: %s", registry->host.name,
                  why.cause);
    instance->is_identified =
        has_name || (instance->may_ask_again &&
                     ask_registry(instance, &run->http, registry, MORE_CHALLENGE_TRIES, &why));
    if (instance->is_identified)
        return true;
    *err = why;
    return explain_no_challenge(registry, err);
}

bool instance_choose_endpoints(struct instance *instance, const struct run *run,
                               const struct registry *registry, const char *node_region,
                               struct error *err)
{
    bool is_near = node_region[0] != '\0' && strcmp(node_region, instance->region) == 0;

    if (instance->endpoints.count > 0)
        return true;
    return endpoints_choose(&instance->endpoints,
                            &(struct endpoints_wish){
                                .service = ENDPOINTS_CR,
                                .configured = registry_configured_endpoint(registry, run->settings),
                                .network = run->settings->endpoints.network,
                                .region = instance->region,
                                .prefers_vpc = registry->host.is_vpc || is_near},
                            err);
}

/* By the instance's name. If ListInstance is not permitted and the challenge failed for a temporary
 * reason, the challenge is requested again. */
static bool look_up_id(struct instance *instance, const struct api *api,
                       const struct registry *registry, struct error *err)
{
    if (cr_find_instance(instance->id, sizeof instance->id, api, registry->host.instance, err))
        return true;
    if (err->kind != ERROR_PERMISSION || !instance->may_ask_again)
        return false;
    return ask_registry(instance, api->http, registry, MORE_CHALLENGE_TRIES, err) ||
           explain_no_challenge(registry, err);
}

/* The kubelet will send the password to the host: one that neither its name nor the configuration
 * vouches for needs proof from our own account. */
static bool check_ownership(const struct instance *instance, const struct api *api,
                            const struct registry *registry, struct error *err)
{
    bool is_listed = false;

    if (!registry_is_unknown(registry))
        return true;
    if (instance->is_personal)
        return explain_not_acr(registry, "", err);
    if (!cr_has_domain(&is_listed, api, instance->id, registry->host.name, err))
        return explain_unproven(registry, instance->id, api->principal, err);
    return is_listed || explain_not_listed(registry, instance->id, err);
}

bool instance_confirm(struct instance *instance, const struct api *api,
                      const struct registry *registry, const struct store *cache, struct error *err)
{
    if (lacks_id(instance) && !look_up_id(instance, api, registry, err))
        return false;
    remember_id(instance, cache);
    return check_ownership(instance, api, registry, err);
}
