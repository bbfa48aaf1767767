#include "config/settings.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "config/settings_identity.h"
#include "config/settings_keys.h"
#include "config/settings_registries.h"
#include "proto-json/doc.h"

enum {
    DEADLINE_MAX_S = 600,
    REFRESH_MARGIN_DEFAULT_S = 900,
    REFRESH_MARGIN_MAX_S = 43200,
};

static const char *const root_keys[] = {
    "registries", "identity",        "podIdentity",          "endpoints",
    "cache",      "deadlineSeconds", "refreshMarginSeconds", "log",
};

static const char *const endpoint_keys[] = {
    "metadata",
    "sts",
    "acr",
    "network",
};

static const struct settings_word networks[] = {
    {"auto", SETTINGS_NETWORK_AUTO},
    {"vpc", SETTINGS_NETWORK_VPC},
    {"public", SETTINGS_NETWORK_PUBLIC},
};

static const char *const cache_keys[] = {"enabled", "directory"};

static const char *const log_keys[] = {"level", "destination"};

static const struct settings_word log_levels[] = {
    {"error", LOG_LEVEL_ERROR},
    {"warning", LOG_LEVEL_WARNING},
    {"info", LOG_LEVEL_INFO},
    {"debug", LOG_LEVEL_DEBUG},
};

static const struct settings_word log_destinations[] = {
    {"stderr", LOG_TO_STDERR},
    {"syslog", LOG_TO_SYSLOG},
};

void settings_clear(struct settings *settings)
{
    settings_registries_clear(settings);
    settings_identity_clear(&settings->identity);
    settings_identity_clear_pod(&settings->pod);
    free(settings->endpoints.metadata);
    free(settings->endpoints.sts);
    free(settings->endpoints.acr);
    free(settings->cache.directory);
    *settings = (struct settings){0};
}

void settings_default(struct settings *settings)
{
    settings_clear(settings);
    settings->endpoints.metadata = alloc_string("http://100.100.100.200");
    settings->cache.is_enabled = true;
    settings->cache.directory = alloc_string("/run/aliyun-acr-credential-provider");
    settings->deadline_s = SETTINGS_DEADLINE_DEFAULT_S;
    settings->refresh_margin_s = REFRESH_MARGIN_DEFAULT_S;
}

static bool check_http(const char *text, const char *what, struct error *err)
{
    return check_endpoint(text, "http", what, err);
}

static bool decode_endpoints(struct settings_endpoints *out, const struct doc_node *root,
                             struct error *err)
{
    struct doc_node endpoints = doc_member(root, "endpoints");
    int network = (int)out->network;

    if (!doc_object(endpoints, DOC_OPTIONAL, err) ||
        !settings_keys_check(&endpoints, endpoint_keys, COUNT_OF(endpoint_keys), err) ||
        !settings_keys_string(&out->metadata, doc_member(&endpoints, "metadata"), check_http,
                              err) ||
        !settings_keys_string(&out->sts, doc_member(&endpoints, "sts"), settings_keys_check_https,
                              err) ||
        !settings_keys_string(&out->acr, doc_member(&endpoints, "acr"), settings_keys_check_https,
                              err) ||
        !settings_keys_choose(&network, doc_member(&endpoints, "network"), networks,
                              COUNT_OF(networks), err))
        return false;
    out->network = (enum settings_network)network;
    return true;
}

static bool decode_cache(struct settings_cache *out, const struct doc_node *root, struct error *err)
{
    struct doc_node cache = doc_member(root, "cache");

    return doc_object(cache, DOC_OPTIONAL, err) &&
           settings_keys_check(&cache, cache_keys, COUNT_OF(cache_keys), err) &&
           doc_boolean(&out->is_enabled, doc_member(&cache, "enabled"), DOC_OPTIONAL, err) &&
           settings_keys_string(&out->directory, doc_member(&cache, "directory"), check_directory,
                                err);
}

static bool decode_log(struct settings *out, const struct doc_node *root, struct error *err)
{
    struct doc_node log = doc_member(root, "log");
    int level = (int)out->log_level;
    int destination = (int)out->log_destination;

    if (!doc_object(log, DOC_OPTIONAL, err) ||
        !settings_keys_check(&log, log_keys, COUNT_OF(log_keys), err) ||
        !settings_keys_choose(&level, doc_member(&log, "level"), log_levels, COUNT_OF(log_levels),
                              err) ||
        !settings_keys_choose(&destination, doc_member(&log, "destination"), log_destinations,
                              COUNT_OF(log_destinations), err))
        return false;
    out->log_level = (enum log_level)level;
    out->log_destination = (enum log_destination)destination;
    return true;
}

bool settings_decode(struct settings *out, const void *bytes, size_t length, struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct settings fresh AUTO(settings_clear) = {0};
    struct doc_node root;

    if (!doc_parse(&doc, ERROR_CONFIG, bytes, length, SETTINGS_MAX_BYTES, err))
        return false;
    settings_default(&fresh);
    root = doc.root;
    if (!settings_keys_check(&root, root_keys, COUNT_OF(root_keys), err) ||
        !settings_registries_decode(&fresh, doc_member(&root, "registries"), err) ||
        !settings_identity_decode(&fresh.identity, doc_member(&root, "identity"), err) ||
        !settings_identity_decode_pod(&fresh.pod, doc_member(&root, "podIdentity"), err) ||
        !decode_endpoints(&fresh.endpoints, &root, err) ||
        !decode_cache(&fresh.cache, &root, err) || !decode_log(&fresh, &root, err) ||
        !doc_integer(&fresh.deadline_s, 1, DEADLINE_MAX_S, doc_member(&root, "deadlineSeconds"),
                     DOC_OPTIONAL, err) ||
        !doc_integer(&fresh.refresh_margin_s, 0, REFRESH_MARGIN_MAX_S,
                     doc_member(&root, "refreshMarginSeconds"), DOC_OPTIONAL, err))
        return false;
    settings_clear(out);
    *out = TAKE(fresh);
    return true;
}
