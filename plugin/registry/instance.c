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

/* An id is kept for the host whose challenge named it, and only for Enterprise hosts: what other
 * hosts report is verified in every run. */
static bool make_key(char key[DIGEST_HEX_SIZE], const struct registry *registry)
{
    char authority[HOST_AS_ASKED_SIZE];
    struct error ignored;

    registry_authority(authority, registry);
    return registry->host.kind == HOST_ENTERPRISE &&
           digest_sha256(key, authority, strlen(authority), &ignored);
}

static bool recall_id(struct instance *out, const struct registry *registry,
                      const struct store *cache)
{
    struct record record AUTO(record_clear) = {0};
    struct error ignored;
    char key[DIGEST_HEX_SIZE];
    int64_t remaining_s = 0;
    const char *id;

    if (!make_key(key, registry) || !store_read(&record, &remaining_s, cache, STORE_INSTANCE, key))
        return false;
    id = secret_reveal(&record.values[ID_VALUE]);
    return check_text(CHECK_INSTANCE_ID, id, "id", &ignored) &&
           text_copy(out->id, sizeof out->id, id);
}

static void remember_id(const struct instance *instance, const struct registry *registry,
                        const struct store *cache)
{
    struct record record AUTO(record_clear) = {.life_s = ID_LIFE_S};

    if (!make_key(record.key, registry))
        return;
    secret_set(&record.values[ID_VALUE], instance->id, strlen(instance->id));
    store_write(cache, STORE_INSTANCE, &record);
}

bool instance_forget(struct instance *instance, const struct registry *registry,
                     const struct store *cache)
{
    char key[DIGEST_HEX_SIZE];

    if (!instance->is_remembered || !make_key(key, registry))
        return false;
    store_remove(cache, STORE_INSTANCE, key);
    *instance = (struct instance){0};
    return true;
}

/* -- the challenge -- */

/* What the registry reports fills in what is unknown; it never overrides name or configuration. */
static bool apply_challenge(struct instance *out, const struct registry *registry,
                            const struct challenge *challenge, struct error *err)
{
    const struct settings_registry *entry = registry->entry;
    bool is_personal = challenge->instance_id[0] == '\0';
    bool is_configured = entry != NULL && entry->edition != SETTINGS_EDITION_UNSET;

    if (out->region[0] != '\0' && strcmp(out->region, challenge->region) != 0)
        return explain_other_region(registry, challenge, err);
    if (out->id[0] != '\0' && strcmp(out->id, challenge->instance_id) != 0)
        return explain_other_instance(registry, challenge, err);
    if ((registry->host.kind == HOST_ENTERPRISE && is_personal) ||
        (is_configured && (entry->edition == SETTINGS_EDITION_PERSONAL) != is_personal))
        return explain_other_edition(registry, challenge, err);
    text_copy(out->region, sizeof out->region, challenge->region);
    text_copy(out->id, sizeof out->id, challenge->instance_id);
    out->is_personal = out->is_personal || is_personal;
    return true;
}

static bool ask_registry(struct instance *out, const struct http *http,
                         const struct registry *registry, unsigned tries, struct error *err)
{
    struct challenge challenge = {0};
    char authority[HOST_AS_ASKED_SIZE];

    registry_authority(authority, registry);
    return challenge_request(&challenge, http, authority, tries, err) &&
           apply_challenge(out, registry, &challenge, err);
}

/* -- the way -- */

/* What name and configuration say; true if nothing is missing. */
static bool take_known(struct instance *out, const struct registry *registry)
{
    *out = (struct instance){.is_personal = registry->is_personal};
    text_copy(out->region, sizeof out->region, registry->region);
    text_copy(out->id, sizeof out->id, registry->instance_id);
    return out->region[0] != '\0' && !lacks_id(out);
}

static bool take_remembered(struct instance *out, const struct registry *registry,
                            const struct store *cache)
{
    out->is_remembered = out->region[0] != '\0' && lacks_id(out) && recall_id(out, registry, cache);
    return out->is_remembered;
}

bool instance_identify(struct instance *out, const struct run *run, const struct registry *registry,
                       const struct store *cache, struct error *err)
{
    bool has_name = registry->host.instance[0] != '\0';

    if (out->is_identified)
        return true;
    if (!take_known(out, registry) && !take_remembered(out, registry, cache) &&
        !ask_registry(out, &run->http, registry, 1, &out->challenge_error)) {
        bool is_temporary = out->challenge_error.kind == ERROR_TEMPORARY;

        if (!has_name &&
            (!is_temporary || !ask_registry(out, &run->http, registry, MORE_CHALLENGE_TRIES,
                                            &out->challenge_error))) {
            *err = out->challenge_error;
            return explain_no_challenge(registry, err);
        }
    }
    out->is_identified = true;
    return true;
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

void instance_prepare(const struct run *run, const struct registry *registry,
                      const struct store *cache, bool is_ecs)
{
    struct instance guess = {0};
    struct error ignored;
    char authority[HOST_AS_ASKED_SIZE];
    bool is_known = take_known(&guess, registry) || take_remembered(&guess, registry, cache);

    /* Most nodes pull from their own region. */
    if ((guess.region[0] != '\0' ||
         registry_configured_endpoint(registry, run->settings) != NULL) &&
        instance_choose_endpoints(&guess, run, registry, is_ecs ? guess.region : "", &ignored))
        cr_preconnect(&run->http, guess.endpoints.urls[0], guess.is_personal);
    if (!is_known) {
        registry_authority(authority, registry);
        challenge_prefetch(&run->http, authority);
    }
}

/* By the instance's name. If ListInstance is not permitted and the challenge failed for a temporary
 * reason, the challenge is requested again. */
static bool look_up_id(struct instance *instance, const struct api *api,
                       const struct registry *registry, struct error *err)
{
    const struct error *challenge_error = &instance->challenge_error;

    log_debug("%s: no instance id from its challenge (%s), calling ListInstance",
              registry->host.name, challenge_error->cause);
    if (cr_find_instance(instance->id, sizeof instance->id, api, registry->host.instance, err))
        return true;
    if (err->kind != ERROR_PERMISSION || challenge_error->kind != ERROR_TEMPORARY)
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
    if (!instance->is_remembered && registry->instance_id[0] == '\0' && !instance->is_personal)
        remember_id(instance, registry, cache);
    return check_ownership(instance, api, registry, err);
}
