#include "config/settings_registries.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "config/settings_identity.h"
#include "config/settings_keys.h"

enum { REGISTRIES_MAX = 256, MATCHES_MAX = 64 };

static const char *const registry_keys[] = {
    "match", "edition", "region", "instanceId", "apiEndpoint", "identity",
};

static const struct settings_word editions[] = {
    {"enterprise", SETTINGS_EDITION_ENTERPRISE},
    {"personal", SETTINGS_EDITION_PERSONAL},
};

static void clear_registry(struct settings_registry *registry)
{
    for (size_t i = 0; i < registry->match_count; i++)
        free(registry->matches[i]);
    free(registry->matches);
    free(registry->region);
    free(registry->instance_id);
    free(registry->api_endpoint);
    if (registry->identity != NULL)
        settings_identity_clear(registry->identity);
    free(registry->identity);
}

void settings_registries_clear(struct settings *settings)
{
    for (size_t i = 0; i < settings->registry_count; i++)
        clear_registry(&settings->registries[i]);
    free(settings->registries);
    settings->registries = NULL;
    settings->registry_count = 0;
}

static bool decode_matches(struct settings_registry *out, const struct doc_node *registry,
                           struct error *err)
{
    struct doc_node array = doc_member(registry, "match");
    size_t count = 0;

    if (!doc_array(&count, MATCHES_MAX, array, DOC_REQUIRED, err))
        return false;
    if (count == 0)
        return error_set(err, ERROR_CONFIG, "%s must have at least one entry", array.path);
    out->matches = alloc_zeroed(count, sizeof *out->matches);
    for (out->match_count = 0; out->match_count < count; out->match_count++) {
        struct doc_node entry = doc_element(&array, out->match_count);

        if (!settings_keys_string(&out->matches[out->match_count], entry, check_match, err)) {
            free(out->matches[out->match_count]);
            return false;
        }
    }
    return true;
}

static bool decode_identity(struct settings_registry *out, struct doc_node identity,
                            struct error *err)
{
    if (!identity.present)
        return true;
    out->identity = alloc_zeroed(1, sizeof *out->identity);
    return doc_object(identity, DOC_REQUIRED, err) &&
           settings_identity_decode(out->identity, identity, err);
}

static bool decode_registry(struct settings_registry *out, const struct doc_node *registry,
                            struct error *err)
{
    struct doc_node instance_id = doc_member(registry, "instanceId");
    int edition = SETTINGS_EDITION_UNSET;

    if (!doc_object(*registry, DOC_REQUIRED, err) ||
        !settings_keys_check(registry, registry_keys,
                             sizeof registry_keys / sizeof registry_keys[0], err) ||
        !decode_matches(out, registry, err) ||
        !settings_keys_choose(&edition, doc_member(registry, "edition"), editions,
                              sizeof editions / sizeof editions[0], err) ||
        !settings_keys_string(&out->region, doc_member(registry, "region"), check_region, err) ||
        !settings_keys_string(&out->instance_id, instance_id, check_instance_id, err) ||
        !settings_keys_string(&out->api_endpoint, doc_member(registry, "apiEndpoint"),
                              settings_keys_check_https, err) ||
        !decode_identity(out, doc_member(registry, "identity"), err))
        return false;
    out->edition = (enum settings_edition)edition;
    if (out->edition == SETTINGS_EDITION_PERSONAL && out->instance_id != NULL)
        return error_set(err, ERROR_CONFIG,
                         "%s must not be given with edition \"personal\", which has no instances",
                         instance_id.path);
    return true;
}

bool settings_registries_decode(struct settings *out, struct doc_node registries, struct error *err)
{
    size_t count = 0;

    if (!doc_array(&count, REGISTRIES_MAX, registries, DOC_OPTIONAL, err))
        return false;
    out->registries = alloc_zeroed(count, sizeof *out->registries);
    for (size_t i = 0; i < count; i++) {
        struct doc_node registry = doc_element(&registries, i);

        out->registry_count++;
        if (!decode_registry(&out->registries[i], &registry, err))
            return false;
    }
    return true;
}
