#include "config/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"
#include "proto-json/doc.h"

/* The longest value that any check accepts is a policy. */
enum { STRING_MAX_BYTES = 2048 };

enum object { ROOT, REGISTRY, IDENTITY, ROLE, POD_IDENTITY, ENDPOINTS, CACHE, LOG };

enum type {
    STRING,  /* char *, owned */
    WORD,    /* an enum, written as unsigned */
    INTEGER, /* int64_t */
    BOOLEAN, /* bool */
    OBJECT,  /* a struct */
};

struct key {
    enum object of; /* the object that has this key */
    enum type type; /* of the value, or of each element of an array */
    const char *name;
    size_t place; /* of the value in the struct of the object, or of a pointer to it */
    size_t size;  /* of what that owned pointer points to, or of each element; 0: no pointer */
    size_t count_place; /* of the number of elements */

    /* For strings. */
    enum check_type check;
    /* By the numbers of their enum; NULL: no word has this number. */
    const char *const *words;
    /* Of an integer, or of the number of elements; `max` is the number of words, too. */
    int64_t min;
    int64_t max;
    /* For objects: which one it is, and what checks that its keys agree. */
    bool (*finish)(void *object, const char *path, struct error *err);
    enum object object;

    bool is_array;
    bool is_required;
};

static_assert(sizeof(enum settings_source) == sizeof(unsigned), "enums are as large as unsigned");

static const char *const editions[] = {
    [SETTINGS_EDITION_ENTERPRISE] = "enterprise", [SETTINGS_EDITION_PERSONAL] = "personal"};
static const char *const sources[] = {
    [SETTINGS_SOURCE_DEFAULT] = "default", [SETTINGS_SOURCE_ENV] = "env",
    [SETTINGS_SOURCE_OIDC] = "oidc",       [SETTINGS_SOURCE_PROFILE] = "profile",
    [SETTINGS_SOURCE_ECS] = "ecs",         [SETTINGS_SOURCE_URI] = "uri"};
static const char *const without_role[] = {
    [SETTINGS_WITHOUT_ROLE_NODE] = "node", [SETTINGS_WITHOUT_ROLE_REFUSE] = "refuse"};
static const char *const networks[] = {[SETTINGS_NETWORK_AUTO] = "auto",
                                       [SETTINGS_NETWORK_VPC] = "vpc",
                                       [SETTINGS_NETWORK_PUBLIC] = "public"};
static const char *const levels[] = {[LOG_LEVEL_ERROR] = "error",
                                     [LOG_LEVEL_WARNING] = "warning",
                                     [LOG_LEVEL_INFO] = "info",
                                     [LOG_LEVEL_DEBUG] = "debug"};
static const char *const destinations[] = {[LOG_TO_STDERR] = "stderr", [LOG_TO_SYSLOG] = "syslog"};
static const char *const booleans[] = {"false", "true"};

static bool finish_registry(void *object, const char *path, struct error *err)
{
    const struct settings_registry *registry = object;

    return registry->edition != SETTINGS_EDITION_PERSONAL || registry->instance_id == NULL ||
           error_set(err, ERROR_CONFIG,
                     "%s.instanceId must not be given with edition \"personal\", which has no "
                     "instances",
                     path);
}

/* A profile or a role name implies its source; with another source it would be ignored. */
static bool finish_identity(void *object, const char *path, struct error *err)
{
    struct settings_identity *identity = object;

    if (identity->source == SETTINGS_SOURCE_DEFAULT && identity->profile != NULL)
        identity->source = SETTINGS_SOURCE_PROFILE;
    if (identity->source == SETTINGS_SOURCE_DEFAULT && identity->role_name != NULL)
        identity->source = SETTINGS_SOURCE_ECS;
    if (identity->profile != NULL && identity->source != SETTINGS_SOURCE_PROFILE)
        return error_set(err, ERROR_CONFIG, "%s.profile must be given with source \"profile\" only",
                         path);
    if (identity->role_name != NULL && identity->source != SETTINGS_SOURCE_ECS)
        return error_set(err, ERROR_CONFIG, "%s.roleName needs source \"ecs\" and excludes profile",
                         path);
    return true;
}

#define AT(type, field)      .place = offsetof(struct type, field)
#define WORDS(list)          .words = (list), .max = COUNT_OF(list)
#define POINTER(type, field) AT(type, field), .size = sizeof *((struct type *)0)->field
#define ARRAY(type, field, count)                                                                  \
    POINTER(type, field), .count_place = offsetof(struct type, count), .is_array = true

static const struct key keys[] = {
    {ROOT, OBJECT, "registries", ARRAY(settings, registries, registry_count), .max = 256,
     .object = REGISTRY, .finish = finish_registry},
    {ROOT, OBJECT, "identity", AT(settings, identity), .object = IDENTITY,
     .finish = finish_identity},
    {ROOT, OBJECT, "podIdentity", AT(settings, pod), .object = POD_IDENTITY},
    {ROOT, OBJECT, "endpoints", AT(settings, endpoints), .object = ENDPOINTS},
    {ROOT, OBJECT, "cache", AT(settings, cache), .object = CACHE},
    {ROOT, OBJECT, "log", AT(settings, log), .object = LOG},
    {ROOT, INTEGER, "deadlineSeconds", AT(settings, deadline_s), .min = 1, .max = 600},
    {ROOT, INTEGER, "refreshMarginSeconds", AT(settings, refresh_margin_s), .max = 43200},

    {REGISTRY, STRING, "match", ARRAY(settings_registry, matches, match_count), .is_required = true,
     .min = 1, .max = 64, .check = CHECK_MATCH},
    {REGISTRY, WORD, "edition", AT(settings_registry, edition), WORDS(editions)},
    {REGISTRY, STRING, "region", AT(settings_registry, region), .check = CHECK_REGION},
    {REGISTRY, STRING, "instanceId", AT(settings_registry, instance_id),
     .check = CHECK_INSTANCE_ID},
    {REGISTRY, STRING, "apiEndpoint", AT(settings_registry, api_endpoint),
     .check = CHECK_ENDPOINT_HTTPS},
    {REGISTRY, OBJECT, "identity", POINTER(settings_registry, identity), .object = IDENTITY,
     .finish = finish_identity},

    {IDENTITY, WORD, "source", AT(settings_identity, source), WORDS(sources)},
    {IDENTITY, STRING, "roleName", AT(settings_identity, role_name), .check = CHECK_ROLE_NAME},
    {IDENTITY, STRING, "profile", AT(settings_identity, profile), .check = CHECK_PROFILE_NAME},
    /* Each role costs a call of STS; nobody is known to chain more than two. */
    {IDENTITY, OBJECT, "assumeRole", ARRAY(settings_identity, roles, role_count), .max = 5,
     .object = ROLE},

    {ROLE, STRING, "roleArn", AT(role, arn), .is_required = true, .check = CHECK_ROLE_ARN},
    {ROLE, STRING, "externalId", AT(role, external_id), .check = CHECK_EXTERNAL_ID},
    {ROLE, STRING, "sessionName", AT(role, session_name), .check = CHECK_SESSION_NAME},
    {ROLE, STRING, "sourceIdentity", AT(role, source_identity), .check = CHECK_SESSION_NAME},
    {ROLE, STRING, "policy", AT(role, policy), .check = CHECK_POLICY},
    {ROLE, INTEGER, "durationSeconds", AT(role, duration_s), .min = 900, .max = 43200},

    {POD_IDENTITY, STRING, "oidcProviderArn", AT(settings_pod, oidc_provider_arn),
     .check = CHECK_OIDC_PROVIDER_ARN},
    {POD_IDENTITY, STRING, "accountId", AT(settings_pod, account_id), .check = CHECK_ACCOUNT_ID},
    {POD_IDENTITY, STRING, "clusterId", AT(settings_pod, cluster_id), .check = CHECK_CLUSTER_ID},
    {POD_IDENTITY, WORD, "withoutRole", AT(settings_pod, without_role), WORDS(without_role)},

    {ENDPOINTS, STRING, "metadata", AT(settings_endpoints, metadata), .check = CHECK_ENDPOINT_HTTP},
    {ENDPOINTS, STRING, "sts", AT(settings_endpoints, sts), .check = CHECK_ENDPOINT_HTTPS},
    {ENDPOINTS, STRING, "acr", AT(settings_endpoints, acr), .check = CHECK_ENDPOINT_HTTPS},
    {ENDPOINTS, WORD, "network", AT(settings_endpoints, network), WORDS(networks)},

    {CACHE, BOOLEAN, "enabled", AT(settings_cache, is_enabled), WORDS(booleans)},
    {CACHE, STRING, "directory", AT(settings_cache, directory), .check = CHECK_DIRECTORY},

    {LOG, WORD, "level", AT(settings_log, level), WORDS(levels)},
    {LOG, WORD, "destination", AT(settings_log, destination), WORDS(destinations)},
};

/* The key of an object by the first `length` bytes of `name`; NULL if there is none. */
static const struct key *find_key(enum object of, const char *name, size_t length,
                                  int (*compare)(const char *, const char *, size_t))
{
    for (const struct key *key = keys; key < keys + COUNT_OF(keys); key++) {
        if (key->of == of && compare(key->name, name, length) == 0 && key->name[length] == '\0')
            return key;
    }
    return NULL;
}

static bool set_text(void *place, const struct key *key, const char *text, const char *what,
                     struct error *err)
{
    unsigned word = 0;

    if (key->type == INTEGER)
        return text_parse_number(text, key->min, key->max, place) ||
               error_set(err, ERROR_CONFIG, "%s must be a whole number from %lld to %lld", what,
                         (long long)key->min, (long long)key->max);
    if (key->type == STRING) {
        if (!check_text(key->check, text, what, err))
            return false;
        free(*(char **)place);
        *(char **)place = alloc_string(text);
        return true;
    }
    if (!check_word(&word, text, key->words, (size_t)key->max, what, err))
        return false;
    if (key->type == BOOLEAN)
        *(bool *)place = word == 1;
    else
        memcpy(place, &word, sizeof word);
    return true;
}

bool settings_set(struct settings *settings, const char *path, const char *text, const char *what,
                  struct error *err)
{
    char *place = (char *)settings;
    enum object object = ROOT;

    for (;;) {
        size_t length = strcspn(path, ".");
        const struct key *key = find_key(object, path, length, strncmp);

        assert(key != NULL);
        place += key->place;
        if (path[length] == '\0')
            return set_text(place, key, text, what, err);
        object = key->object;
        path += length + 1;
    }
}

static bool read_object(void *out, const struct key *key, const struct doc_node *node,
                        struct error *err);

static bool read_one(void *place, const struct key *key, const struct doc_node *node,
                     struct error *err)
{
    char *text = NULL;
    bool is_set;

    if (key->type == OBJECT)
        return read_object(place, key, node, err);
    if (key->type == INTEGER)
        return doc_integer(place, key->min, key->max, *node, err);
    if (key->type == BOOLEAN)
        return doc_boolean(place, *node, err);
    is_set = doc_string(&text, STRING_MAX_BYTES, *node, err) &&
             set_text(place, key, text, node->path, err);
    free(text);
    return is_set;
}

static bool read_key(char *object, const struct key *key, const struct doc_node *node,
                     struct error *err)
{
    size_t *number = (void *)(object + key->count_place);
    size_t count = 1;
    char *elements;

    if (key->size == 0)
        return read_one(object + key->place, key, node, err);
    if (key->is_array && !doc_array(&count, (size_t)key->max, *node, err))
        return false;
    if (count < (size_t)key->min)
        return error_set(err, ERROR_CONFIG, "%s must have at least one entry", node->path);
    elements = alloc_zeroed(count, key->size);
    memcpy(object + key->place, &elements, sizeof elements);
    if (!key->is_array)
        return read_one(elements, key, node, err);
    for (size_t i = 0; i < count; i++) {
        struct doc_node element = doc_element(node, i);

        *number = i + 1;
        if (!read_one(elements + i * key->size, key, &element, err))
            return false;
    }
    return true;
}

/* Reads the object that is the value of `key`, or an element of it. */
static bool read_object(void *out, const struct key *key, const struct doc_node *node,
                        struct error *err)
{
    struct doc_node member;
    const char *name = NULL;

    if (!doc_object(*node, err))
        return false;
    for (struct lh_entry *at = NULL; doc_next(&at, node, &member, &name);) {
        const struct key *found = find_key(key->object, name, strlen(name), strncasecmp);

        if (found == NULL)
            return error_set(err, ERROR_CONFIG, "%s is not a known key", member.path);
        if (strcmp(found->name, name) != 0)
            return error_set(err, ERROR_CONFIG, "%s is not a known key: write %s", member.path,
                             found->name);
        if (!read_key(out, found, &member, err))
            return false;
    }
    for (const struct key *each = keys; each < keys + COUNT_OF(keys); each++) {
        if (each->of != key->object || !each->is_required)
            continue;
        member = doc_member(node, each->name);
        if (!member.present)
            return error_set(err, ERROR_CONFIG, "%s is missing", member.path);
    }
    return key->finish == NULL || key->finish(out, node->path, err);
}

static void clear_object(char *object, enum object of)
{
    for (const struct key *key = keys; key < keys + COUNT_OF(keys); key++) {
        const size_t *number = (void *)(object + key->count_place);
        char *values = object + key->place;
        char *owned = NULL;
        size_t count = 1;

        if (key->of != of)
            continue;
        if (key->size != 0) {
            memcpy(&owned, values, sizeof owned);
            values = owned;
            count = key->is_array ? *number : owned != NULL;
        }
        for (size_t i = 0; i < count; i++) {
            if (key->type == OBJECT)
                clear_object(values + i * key->size, key->object);
            else if (key->type == STRING)
                free(*(char **)(void *)(values + i * key->size));
        }
        free(owned);
    }
}

void settings_clear(struct settings *settings)
{
    clear_object((char *)settings, ROOT);
    *settings = (struct settings){0};
}

void settings_default(struct settings *settings)
{
    settings_clear(settings);
    settings->endpoints.metadata = alloc_string("http://100.100.100.200");
    settings->cache.is_enabled = true;
    settings->cache.directory = alloc_string("/run/aliyun-acr-credential-provider");
    settings->deadline_s = SETTINGS_DEADLINE_DEFAULT_S;
    settings->refresh_margin_s = 900;
}

bool settings_decode(struct settings *out, const void *bytes, size_t length, struct error *err)
{
    static const struct key whole = {.object = ROOT};
    struct doc doc AUTO(doc_clear) = {0};
    struct settings fresh AUTO(settings_clear) = {0};

    settings_default(&fresh);
    if (!doc_parse(&doc, ERROR_CONFIG, bytes, length, SETTINGS_MAX_BYTES, err) ||
        !read_object(&fresh, &whole, &doc.root, err))
        return false;
    settings_clear(out);
    *out = TAKE(fresh);
    return true;
}
