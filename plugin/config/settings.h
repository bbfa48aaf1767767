/* The configuration: settings.c has every key in one table, through which the file, flags and
 * environment variables all pass. Each is optional; an unknown one is refused and never ignored. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"
#include "base/log.h"

enum {
    SETTINGS_MAX_BYTES = 1024 * 1024,
    SETTINGS_DEADLINE_DEFAULT_S = 50 /* the kubelet kills after 60 */
};

enum settings_edition {
    SETTINGS_EDITION_UNSET,
    SETTINGS_EDITION_ENTERPRISE,
    SETTINGS_EDITION_PERSONAL
};
enum settings_source {
    SETTINGS_SOURCE_DEFAULT, /* the official chain: all of the others, in their order */
    SETTINGS_SOURCE_ENV,
    SETTINGS_SOURCE_OIDC,
    SETTINGS_SOURCE_PROFILE,
    SETTINGS_SOURCE_ECS,
    SETTINGS_SOURCE_URI
};
enum settings_without_role {
    SETTINGS_WITHOUT_ROLE_NODE, /* pods without a role get the node's identity */
    SETTINGS_WITHOUT_ROLE_REFUSE
};
enum settings_network { SETTINGS_NETWORK_AUTO, SETTINGS_NETWORK_VPC, SETTINGS_NETWORK_PUBLIC };

/* Whose credentials sign the API calls. `{0}` is the default. */
struct settings_identity {
    enum settings_source source;
    char *role_name; /* of the ECS instance; owned; NULL: the one that the metadata service names */
    char *profile;   /* owned; NULL: the environment or the profile's file names it */
    struct role *roles; /* owned; assumed one after the other, from the source on */
    size_t role_count;
};

/* How a pod's own RAM role is assumed. Strings are owned, NULL where the file has no value. */
struct settings_pod {
    char *oidc_provider_arn;
    char *account_id;
    char *cluster_id; /* of ACK, whose OIDC provider is named after it */
    enum settings_without_role without_role;
};

/* An entry of "registries". All strings are owned; NULL where the file has no value. */
struct settings_registry {
    char **matches; /* patterns for match_host(), at least one */
    size_t match_count;
    enum settings_edition edition;
    char *region;
    char *instance_id;
    char *api_endpoint;                 /* "https://HOST[:PORT]" */
    struct settings_identity *identity; /* owned; NULL: that of all registries */
};

struct settings_endpoints {
    char *metadata; /* owned, "http://HOST[:PORT]" */
    char *sts;      /* owned, "https://HOST[:PORT]"; NULL: by region */
    char *acr;      /* likewise */
    enum settings_network network;
};

struct settings_cache {
    bool is_enabled;
    char *directory; /* owned, absolute */
};

struct settings_log {
    enum log_level level;
    enum log_destination destination;
};

/* `{0}` can be cleared; settings_default() makes it usable. */
struct settings {
    struct settings_registry *registries; /* in the order of the file */
    size_t registry_count;
    struct settings_identity identity;
    struct settings_pod pod;
    struct settings_endpoints endpoints;
    struct settings_cache cache;
    int64_t deadline_s;       /* for the whole run, 1 to 600 */
    int64_t refresh_margin_s; /* 0 to 43200 */
    struct settings_log log;
};

/* Frees and returns to `{0}`. */
void settings_clear(struct settings *settings);

/* Replaces the content by what holds without a configuration file. */
void settings_default(struct settings *settings);

/* Replaces the content by a configuration file over the defaults. Fails with ERROR_CONFIG, naming
 * the key and its place; `out` is then as before. */
CHECKED bool settings_decode(struct settings *out, const void *bytes, size_t length,
                             struct error *err);

/* Sets one key from text, by its path through objects: "log.level". `what` names the flag or
 * variable that the text is from. Fails with ERROR_CONFIG. */
CHECKED bool settings_set(struct settings *settings, const char *path, const char *text,
                          const char *what, struct error *err);

#endif
