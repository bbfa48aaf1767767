#include "registry/explain.h"

#include <string.h>

#include "base/text.h"
#include "cloud/codes.h"

#define UNDER_REGISTRIES "under \"registries\" in the configuration file"
#define EXACT_KEYS       ", \"region\": \"REGION\", \"instanceId\": \"cri-...\""
#define ACR_ONLY         "This program serves ACR only: remove the host from matchImages"
#define SPELLING_ADVICE                                                                            \
    "Check the spelling: NAME-registry[-vpc].REGION.cr.aliyuncs.com, "                             \
    "registry[-vpc].REGION.aliyuncs.com or crpi-ID.REGION.personal.cr.aliyuncs.com"

bool explain_image(const char *cause, struct error *err)
{
    return error_set_advised(err, ERROR_REQUEST,
                             "An image is HOST[:PORT]/PATH, without scheme and user; HOST is a "
                             "DNS name or an IPv4 address, PORT is from 1 to 65535",
                             "%s", cause);
}

/* Whether it is a name under Alibaba Cloud's domain that ACR does not use. */
static bool is_misspelt(const struct registry *registry)
{
    return registry->entry == NULL && text_ends_with(registry->host.name, ".aliyuncs.com") &&
           (registry->host.kind == HOST_ALIBABA || registry->host.kind == HOST_FOREIGN);
}

/* `more_keys` are those of an entry beside its `match`. */
static bool advise_about_host(const struct registry *registry, const char *more_keys,
                              struct error *err)
{
    const struct host *host = &registry->host;

    if (is_misspelt(registry))
        return error_advise(err, SPELLING_ADVICE);
    if (host_can_be_domain(host))
        return error_advise(
            err,
            ACR_ONLY "; if it is a custom domain of an ACR instance, map it " UNDER_REGISTRIES
                     ": {\"match\": [\"%s\"]%s}",
            host->authority, more_keys);
    if (strchr(host->name, '.') == NULL && host->port[0] == '\0' &&
        strcmp(host->name, "localhost") != 0)
        return error_advise(err, "An image without a registry host is pulled from Docker Hub, for "
                                 "which this program has no credentials");
    return error_advise(err, ACR_ONLY);
}

bool explain_not_acr(const struct registry *registry, const char *cause, struct error *err)
{
    bool has_cause = cause[0] != '\0';

    error_set(err, ERROR_CONFIG, "%s is not an ACR host%s%s", registry->host.name,
              has_cause ? ": " : "", cause);
    return advise_about_host(registry, has_cause ? EXACT_KEYS : "", err);
}

bool explain_mismatch(const char *key, const char *reported, const char *expected,
                      bool is_configured, struct error *err)
{
    if (is_configured)
        return error_set_advised(err, ERROR_CONFIG, ADVICE("Correct %s " UNDER_REGISTRIES, key),
                                 "the registry reports %s %s, but %s is configured", key, reported,
                                 expected);
    return error_set_advised(
        err, ERROR_CONFIG,
        "Check what answers under this name: DNS, /etc/hosts and proxy variables",
        "the registry reports %s %s, but its name says %s", key, reported, expected);
}

bool explain_no_challenge(const struct registry *registry, struct error *err)
{
    const char *name = registry->host.name;
    const bool lacks_region = registry->region[0] == '\0';
    const bool lacks_id = !registry->is_personal && registry->instance_id[0] == '\0';
    struct error why = *err;

    if (why.kind == ERROR_TEMPORARY) {
        error_wrap(err,
                   registry_is_unknown(registry)
                       ? "%s is not an ACR host by its name or the configuration, and could not be "
                         "asked for its challenge"
                       : "%s: requesting its challenge to identify the ACR instance",
                   name);
        return is_misspelt(registry)
                   ? error_advise(err, SPELLING_ADVICE "; if it is correct, retry")
                   : false;
    }
    if (why.kind == ERROR_CONFIG && why.advice[0] != '\0')
        return error_wrap(err, "%s", name);
    if (why.kind == ERROR_CONFIG && registry->entry == NULL)
        return explain_not_acr(registry, why.cause, err);
    error_wrap(err, "cannot find the ACR instance of %s", name);
    if (why.kind == ERROR_UNAVAILABLE && why.advice[0] != '\0')
        return false;
    return error_advise(err, "Set %s%s%s for it " UNDER_REGISTRIES, lacks_region ? "region" : "",
                        lacks_region && lacks_id ? " and " : "", lacks_id ? "instanceId" : "");
}

bool explain_unproven(const struct registry *registry, const char *instance_id,
                      const char *principal, struct error *err)
{
    error_wrap(err, "cannot confirm that %s is a domain of an ACR instance", registry->host.name);
    if (codes_meaning(err->service_code) == CODES_FORBIDDEN)
        return error_advise(
            err, "Map it " UNDER_REGISTRIES ", or grant cr:ListInstanceEndpoint to %s", principal);
    if (err->retry == ERROR_RETRY_NEW_INSTANCE_ID)
        return error_advise(err,
                            "Map it " UNDER_REGISTRIES
                            ", with an identity of the account that owns instance %s",
                            instance_id);
    return false;
}

bool explain_not_listed(const struct registry *registry, const char *instance_id, struct error *err)
{
    error_set(err, ERROR_CONFIG,
              "%s is not an ACR host: instance %s does not list it among its domains",
              registry->host.name, instance_id);
    return advise_about_host(registry, EXACT_KEYS, err);
}

bool explain_no_token(const struct registry *registry, const char *instance_id, const char *region,
                      const char *principal, struct error *err)
{
    if (registry->host.is_new_personal && err->kind == ERROR_PERMISSION)
        error_advise(err, "For Personal Edition instances since September 2024 Alibaba Cloud "
                          "documents only a fixed password in an imagePullSecret");
    return error_wrap(err, "%s%s in %s, requested as %s",
                      instance_id == NULL ? "Personal Edition" : "instance ",
                      instance_id == NULL ? "" : instance_id, region, principal);
}

bool explain_expired_token(struct error *err)
{
    return error_set_advised(err, ERROR_UNAVAILABLE,
                             "Retry; if the error persists, contact Alibaba Cloud support",
                             "the registry token had expired when it was issued");
}
