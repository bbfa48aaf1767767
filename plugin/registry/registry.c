#include "registry/registry.h"

#include <string.h>

#include "base/text.h"
#include "registry/explain.h"
#include "registry/match.h"

/* Finds the entry of the configuration: the longest path wins, then the first entry. */
static void find_entry(struct registry *registry, const struct settings *settings)
{
    const struct host *host = &registry->host;

    registry->matched_path = "";
    for (size_t i = 0; i < settings->registry_count; i++) {
        const struct settings_registry *entry = &settings->registries[i];

        for (size_t j = 0; j < entry->match_count; j++) {
            const char *path = strchrnul(entry->matches[j], '/');

            if (!match_host(entry->matches[j], host->authority))
                continue;
            /* A single slash matches every path. */
            if (strlen(path) > 1)
                registry->depends_on_path = true;
            if (match_path(entry->matches[j], host->path) &&
                (registry->entry == NULL || strlen(path) > strlen(registry->matched_path))) {
                registry->entry = entry;
                registry->matched_path = path;
            }
        }
    }
}

static void apply_entry(struct registry *registry)
{
    const struct settings_registry *entry = registry->entry;

    if (entry->region != NULL)
        text_copy(registry->region, sizeof registry->region, entry->region);
    if (entry->instance_id != NULL)
        text_copy(registry->instance_id, sizeof registry->instance_id, entry->instance_id);
    if (entry->edition != SETTINGS_EDITION_UNSET)
        registry->is_personal = entry->edition == SETTINGS_EDITION_PERSONAL;
    else if (entry->instance_id != NULL)
        registry->is_personal = false;
    /* A wildcard may match hosts of public images by accident: only an entry that describes the
     * registry makes such a host one that has credentials. */
    if (entry->region != NULL || entry->instance_id != NULL || entry->api_endpoint != NULL ||
        entry->edition != SETTINGS_EDITION_UNSET)
        registry->is_anonymous = false;
}

bool registry_resolve(struct registry *out, const struct settings *settings, const char *image,
                      struct error *err)
{
    *out = (struct registry){0};
    if (!host_parse(&out->host, image, err))
        return false;
    find_entry(out, settings);
    out->is_anonymous = out->host.kind == HOST_ANONYMOUS;
    out->is_personal = out->host.kind == HOST_PERSONAL;
    text_copy(out->region, sizeof out->region, out->host.region);
    if (out->entry != NULL)
        apply_entry(out);
    /* A name that cannot be a domain is not sent a request. */
    return !registry_is_unknown(out) || host_can_be_domain(&out->host) ||
           explain_not_acr(out, "", err);
}

bool registry_is_unknown(const struct registry *registry)
{
    return registry->entry == NULL && registry->host.kind == HOST_FOREIGN;
}

const char *registry_configured_endpoint(const struct registry *registry,
                                         const struct settings *settings)
{
    return registry->entry != NULL && registry->entry->api_endpoint != NULL
               ? registry->entry->api_endpoint
               : settings->endpoints.acr;
}

const struct settings_identity *registry_identity(const struct registry *registry,
                                                  const struct settings *settings)
{
    return registry->entry != NULL && registry->entry->identity != NULL ? registry->entry->identity
                                                                        : &settings->identity;
}

void registry_describe(struct buf *out, const struct registry *registry,
                       const struct settings *settings)
{
    const struct settings_registry *entry = registry->entry;
    const char *endpoint = registry_configured_endpoint(registry, settings);
    bool is_enterprise = registry->host.kind == HOST_ENTERPRISE;

    /* All hosts of an Enterprise instance share a token; other hosts share nothing. A host trusted
     * only through an entry must not share a token with runs that lack the entry. */
    buf_append_format(out, "%s %s %d %s %s %s %d %d",
                      is_enterprise ? registry->host.instance : registry->host.authority,
                      registry->host.region, registry->is_personal, registry->region,
                      registry->instance_id, endpoint == NULL ? "" : endpoint,
                      (int)settings->endpoints.network, entry == NULL ? -1 : (int)entry->edition);
}
