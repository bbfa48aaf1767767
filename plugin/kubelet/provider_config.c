#include "kubelet/provider_config.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"
#include "kubelet/syntax.h"
#include "proto-json/doc.h"
#include "registry/host.h"
#include "registry/match.h"

#define CONFIG_GROUP   "kubelet.config.k8s.io/"
#define PROVIDER_GROUP "credentialprovider.kubelet.k8s.io/"
#define KIND           "CredentialProviderConfig"

enum { PLACE_SIZE = 128, PROBLEMS_MAX = 64, PATTERN_SIZE = 1024 };

/* -- problems -- */

/* Returns the error to fill. Of very many the rest is not listed: the last place is that of the
 * last problem, or of the first after which the kubelet does not start, and one more is never read.
 */
static struct error *add_problem(struct provider_config *config, bool is_fatal)
{
    struct provider_config_problem *last;

    if (config->problems == NULL)
        config->problems = alloc_zeroed(PROBLEMS_MAX + 1, sizeof *config->problems);
    if (config->problem_count < PROBLEMS_MAX)
        config->problem_count++;
    last = &config->problems[config->problem_count - 1];
    if (last->is_fatal)
        last++;
    last->is_fatal = is_fatal;
    return &last->err;
}

/* Whether nothing can be added any more. */
static bool is_full(const struct provider_config *config)
{
    return config->problem_count == PROBLEMS_MAX && config->problems[PROBLEMS_MAX - 1].is_fatal;
}

#define PROBLEM(config, is_fatal, advice, ...)                                                     \
    (void)error_set_advised(add_problem(config, is_fatal), ERROR_CONFIG, advice, __VA_ARGS__)
#define FATAL(config, advice, ...) PROBLEM(config, true, advice, __VA_ARGS__)

/* -- fields and their types -- */

enum object { ROOT, PROVIDER, VARIABLE, TOKENS };

enum type { STRING, BOOLEAN, STRINGS, OBJECT, OBJECTS };

struct field {
    enum object of;
    enum type type;
    const char *name;
    enum object object;
    int since_minor;
};

static const struct field fields[] = {
    {ROOT, STRING, "kind", 0, 0},
    {ROOT, STRING, "apiVersion", 0, 0},
    {ROOT, OBJECTS, "providers", PROVIDER, 0},
    {PROVIDER, STRING, "name", 0, 0},
    {PROVIDER, STRINGS, "matchImages", 0, 0},
    {PROVIDER, STRING, "defaultCacheDuration", 0, 0},
    {PROVIDER, STRING, "apiVersion", 0, 0},
    {PROVIDER, STRINGS, "args", 0, 0},
    {PROVIDER, OBJECTS, "env", VARIABLE, 0},
    {PROVIDER, OBJECT, "tokenAttributes", TOKENS, PROVIDER_CONFIG_TOKENS_MINOR},
    {VARIABLE, STRING, "name", 0, 0},
    {VARIABLE, STRING, "value", 0, 0},
    {TOKENS, STRING, "serviceAccountTokenAudience", 0, 0},
    {TOKENS, STRING, "cacheType", 0, PROVIDER_CONFIG_CACHE_TYPE_MINOR},
    {TOKENS, BOOLEAN, "requireServiceAccount", 0, 0},
    {TOKENS, STRINGS, "requiredServiceAccountAnnotationKeys", 0, 0},
    {TOKENS, STRINGS, "optionalServiceAccountAnnotationKeys", 0, 0},
};

/* A place in the file and what it is read for. */
struct place {
    struct provider_config *config;
    int minor;
    char path[PLACE_SIZE];
};

static struct place inside(const struct place *outer, const char *name)
{
    struct place place = *outer;

    text_join(place.path, sizeof place.path, outer->path, outer->path[0] == '\0' ? "" : ".", name);
    return place;
}

static struct place element(const struct place *outer, size_t index)
{
    struct place place = *outer;

    (void)snprintf(place.path, sizeof place.path, "%.100s[%zu]", outer->path, index);
    return place;
}

static const struct field *find_field(enum object of, const char *name,
                                      int (*compare)(const char *, const char *))
{
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (fields[i].of == of && compare(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

static bool is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && yaml_tree_type(node) == YAML_TYPE_NULL;
}

/* A scalar of another type than JSON's string is no string to the kubelet. */
static void check_scalar(const struct yaml_node *node, enum yaml_type type,
                         const struct place *place)
{
    const char *wanted = type == YAML_TYPE_STRING ? "a string" : "true or false";

    if (node->kind != YAML_SCALAR || (type == YAML_TYPE_BOOLEAN && yaml_tree_type(node) != type))
        FATAL(place->config, "Correct the file", "line %zu: %s must be %s", node->line, place->path,
              wanted);
    else if (yaml_tree_type(node) != type)
        FATAL(place->config, "Put it in quotes",
              "line %zu: %s must be a string; without quotes it is another type", node->line,
              place->path);
}

static void check_object(const struct yaml_node *node, enum object of, const struct place *place);

static void check_value(const struct yaml_node *node, const struct field *field,
                        const struct place *place)
{
    const bool is_list = field->type == STRINGS || field->type == OBJECTS;

    /* To the kubelet null is the same as leaving it out. */
    if (is_null(node))
        return;
    if (is_list && node->kind != YAML_SEQUENCE) {
        FATAL(place->config, "Correct the file", "line %zu: %s must be a list", node->line,
              place->path);
        return;
    }
    if (field->type == OBJECT)
        check_object(node, field->object, place);
    else if (!is_list)
        check_scalar(node, field->type == BOOLEAN ? YAML_TYPE_BOOLEAN : YAML_TYPE_STRING, place);
    for (size_t i = 0; is_list && i < node->count; i++) {
        const struct place at = element(place, i);

        if (is_null(&node->children[i]))
            continue;
        if (field->type == OBJECTS)
            check_object(&node->children[i], field->object, &at);
        else
            check_scalar(&node->children[i], YAML_TYPE_STRING, &at);
    }
}

static bool is_strict(const struct place *place)
{
    return place->minor >= PROVIDER_CONFIG_STRICT_MINOR;
}

static void check_unknown(const struct yaml_node *key, enum object of, const struct place *place)
{
    const struct field *alike = find_field(of, key->text, strcasecmp);

    PROBLEM(place->config, is_strict(place),
            alike == NULL ? "Remove it" : ADVICE("Write %s", alike->name),
            "line %zu: %s is not a known field", key->line, place->path);
}

static bool is_repeated(const struct yaml_node *mapping, size_t index)
{
    for (size_t i = 0; i < index; i += 2) {
        if (strcmp(mapping->children[i].text, mapping->children[index].text) == 0)
            return true;
    }
    return false;
}

/* Fields of later versions are unknown to an older kubelet, and tokenAttributes to all versions of
 * the API but v1. */
static void check_object(const struct yaml_node *node, enum object of, const struct place *place)
{
    if (node->kind != YAML_MAPPING) {
        FATAL(place->config, "Correct the file", "line %zu: %s must be an object", node->line,
              place->path[0] == '\0' ? "the document" : place->path);
        return;
    }
    for (size_t i = 0; i + 1 < node->count && !is_full(place->config); i += 2) {
        const struct yaml_node *key = &node->children[i];
        const struct place at = inside(place, key->text);
        const struct field *field = find_field(of, key->text, strcmp);

        if (is_repeated(node, i))
            PROBLEM(place->config, is_strict(place), "Keep one of them",
                    "line %zu: %s is given twice", key->line, at.path);
        if (yaml_tree_member(node, key->text) != key + 1) /* the last one counts */
            continue;
        if (field == NULL)
            check_unknown(key, of, &at);
        else if (field->since_minor > place->minor)
            PROBLEM(place->config, is_strict(place),
                    ADVICE("Remove it, or upgrade to Kubernetes 1.%d", field->since_minor),
                    "line %zu: %s is not known to Kubernetes 1.%d", key->line, at.path,
                    place->minor);
        else
            check_value(&key[1], field, &at);
    }
}

/* -- rules -- */

/* The text of a string, "" if it is missing or null. */
static const char *text_of(const struct yaml_node *node)
{
    return node == NULL || node->kind != YAML_SCALAR || is_null(node) ? "" : node->text;
}

const char *provider_config_version(int minor)
{
    if (minor >= PROVIDER_CONFIG_V1_MINOR)
        return "v1";
    return minor >= PROVIDER_CONFIG_BETA_MINOR ? "v1beta1" : "v1alpha1";
}

/* The version after `group` in an apiVersion that a kubelet of this minor version knows. */
static bool is_known_version(const char *text, const char *group, int minor)
{
    const char *version = text + strlen(group);

    if (!text_starts_with(text, group))
        return false;
    return (strcmp(version, "v1") == 0 && minor >= PROVIDER_CONFIG_V1_MINOR) ||
           (strcmp(version, "v1beta1") == 0 && minor >= PROVIDER_CONFIG_BETA_MINOR) ||
           strcmp(version, "v1alpha1") == 0;
}

static void check_version(const char *text, const char *group, const struct place *place)
{
    const char *newest = provider_config_version(place->minor);

    if (text[0] == '\0')
        FATAL(place->config, ADVICE("Add it: %s%s", group, newest), "%s is missing", place->path);
    else if (!is_known_version(text, group, place->minor))
        FATAL(place->config, ADVICE("Write %s%s", group, newest),
              "%s is %.80s, which this kubelet does not know", place->path, text);
}

static void check_duration(const struct provider_config_entry *entry, const struct place *place)
{
    const char *text = text_of(entry->cache_duration);

    if (entry->cache_duration == NULL)
        FATAL(place->config, "Add it: defaultCacheDuration: 0s",
              "%s.defaultCacheDuration is missing", place->path);
    else if (!syntax_is_duration(text))
        FATAL(place->config, "Write for example 0s or 10m, not negative",
              "%s.defaultCacheDuration is no duration: %.40s", place->path, text);
}

/* Registries of ACR have hosts of four to six labels under aliyuncs.com. */
static bool lacks_labels(const char *pattern)
{
    char host[HOST_NAME_SIZE];
    int dots = 0;

    text_copy(host, sizeof host, pattern);
    host[strcspn(host, ":/")] = '\0';
    for (const char *at = host; *at != '\0'; at++)
        dots += *at == '.';
    return strchr(host, '*') != NULL && text_ends_with(host, "aliyuncs.com") && dots < 3;
}

static void check_pattern(const char *pattern, const struct place *place)
{
    struct error err = {0};

    if (!syntax_is_pattern(pattern, place->minor < PROVIDER_CONFIG_ONE_COLON_MINOR)) {
        FATAL(place->config, "Write HOST[:PORT][/PATH]",
              "%s is not the pattern of an image: %.120s", place->path, pattern);
    } else if (!check_text(CHECK_MATCH, pattern, place->path, &err)) {
        error_advise(&err, "Write HOST[:PORT][/PATH] in lower case; * stands for a part of one "
                           "label of the host, and a path is a literal prefix");
        *add_problem(place->config, false) = err;
    } else if (lacks_labels(pattern)) {
        (void)error_set_advised(add_problem(place->config, false), ERROR_CONFIG,
                                "Write a * for each label, such as *-registry*.*.cr.aliyuncs.com",
                                "%s is %.120s: * stands for one label, so that it matches no "
                                "registry of ACR",
                                place->path, pattern);
    }
}

static bool has_text(const struct yaml_node *list, size_t count, const char *text)
{
    for (size_t i = 0; list != NULL && i < count; i++) {
        if (list->children[i].kind == YAML_SCALAR && strcmp(list->children[i].text, text) == 0)
            return true;
    }
    return false;
}

static size_t count_of(const struct yaml_node *list)
{
    return list == NULL || list->kind != YAML_SEQUENCE ? 0 : list->count;
}

static void check_annotation_keys(const struct yaml_node *keys, const struct yaml_node *others,
                                  const struct place *place)
{
    for (size_t i = 0; i < count_of(keys); i++) {
        const char *key = text_of(&keys->children[i]);

        if (!syntax_is_annotation_key(key))
            FATAL(place->config, "Write PREFIX/NAME", "%s[%zu] is no annotation key: %.80s",
                  place->path, i, key);
        else if (has_text(keys, i, key) || has_text(others, count_of(others), key))
            FATAL(place->config, "Keep one of them", "%s[%zu] is listed twice: %.80s", place->path,
                  i, key);
    }
}

static void check_tokens(const struct provider_config_entry *entry, const struct place *outer)
{
    const struct place place = inside(outer, "tokenAttributes");
    const struct yaml_node *tokens = entry->tokens;
    const struct yaml_node *cache_type = yaml_tree_member(tokens, "cacheType");
    const struct yaml_node *requires = yaml_tree_member(tokens, "requireServiceAccount");
    const struct yaml_node *required =
        yaml_tree_member(tokens, "requiredServiceAccountAnnotationKeys");
    const struct yaml_node *optional =
        yaml_tree_member(tokens, "optionalServiceAccountAnnotationKeys");
    const char *type = text_of(cache_type);
    struct place at;

    if (text_of(yaml_tree_member(tokens, "serviceAccountTokenAudience"))[0] == '\0')
        FATAL(place.config, "Add it: sts.aliyuncs.com", "%s.serviceAccountTokenAudience is missing",
              place.path);
    if (requires == NULL || is_null(requires))
        FATAL(place.config, "Add it: requireServiceAccount: false",
              "%s.requireServiceAccount is missing", place.path);
    else if (count_of(required) > 0 && !yaml_tree_is_true(requires))
        FATAL(place.config, "Use optionalServiceAccountAnnotationKeys",
              "%s.requiredServiceAccountAnnotationKeys needs requireServiceAccount: true",
              place.path);
    if (strcmp(entry->api_version, PROVIDER_GROUP "v1") != 0 ||
        strcmp(place.config->api_version, CONFIG_GROUP "v1") != 0)
        FATAL(place.config, "Write both apiVersions as v1",
              "%s needs " CONFIG_GROUP "v1 and " PROVIDER_GROUP "v1", place.path);
    if (place.minor >= PROVIDER_CONFIG_CACHE_TYPE_MINOR && strcmp(type, "ServiceAccount") != 0 &&
        strcmp(type, "Token") != 0)
        FATAL(place.config, "Write cacheType: ServiceAccount",
              "%s.cacheType must be ServiceAccount or Token", place.path);
    at = inside(&place, "requiredServiceAccountAnnotationKeys");
    check_annotation_keys(required, NULL, &at);
    at = inside(&place, "optionalServiceAccountAnnotationKeys");
    check_annotation_keys(optional, required, &at);
}

static void check_entry(const struct provider_config_entry *entry, size_t index,
                        const struct place *providers)
{
    const struct place place = element(providers, index);
    struct place at = inside(&place, "apiVersion");
    struct provider_config *config = place.config;

    if (entry->name[0] == '\0' || strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0 ||
        strpbrk(entry->name, "/ ") != NULL)
        FATAL(config, "Write the name of the file in --image-credential-provider-bin-dir",
              "%s.name is not the name of a file: \"%.80s\"", place.path, entry->name);
    for (size_t i = 0; i < index; i++) {
        if (entry->name[0] == '\0' || strcmp(config->entries[i].name, entry->name) != 0)
            continue;
        FATAL(config, "Keep one of them", "%s.name is given to two providers: %.80s", place.path,
              entry->name);
        break;
    }
    check_version(entry->api_version, PROVIDER_GROUP, &at);
    if (count_of(entry->matches) == 0)
        FATAL(config, "Add the hosts of the registries", "%s.matchImages is missing", place.path);
    for (size_t i = 0; i < count_of(entry->matches); i++) {
        const struct place list = inside(&place, "matchImages");

        at = element(&list, i);
        if (entry->matches->children[i].kind == YAML_SCALAR)
            check_pattern(text_of(&entry->matches->children[i]), &at);
    }
    check_duration(entry, &place);
    if (entry->tokens != NULL && entry->tokens->kind == YAML_MAPPING &&
        place.minor >= PROVIDER_CONFIG_TOKENS_MINOR)
        check_tokens(entry, &place);
}

static void check_root(struct place *place)
{
    struct provider_config *config = place->config;
    const char *kind = text_of(yaml_tree_member(&config->tree, "kind"));
    const struct place version = inside(place, "apiVersion");

    if (strcmp(kind, KIND) != 0)
        FATAL(config, "Write kind: " KIND, kind[0] == '\0' ? "kind is missing" : "kind is %.80s",
              kind);
    check_version(config->api_version, CONFIG_GROUP, &version);
}

static const struct yaml_node *member_or_null(const struct yaml_node *node, const char *name)
{
    const struct yaml_node *member = yaml_tree_member(node, name);

    return member == NULL || is_null(member) ? NULL : member;
}

static void find_entries(struct provider_config *config)
{
    const struct yaml_node *providers = yaml_tree_member(&config->tree, "providers");

    config->api_version = text_of(yaml_tree_member(&config->tree, "apiVersion"));
    config->providers = providers;
    config->count = count_of(providers);
    if (config->count == 0)
        return;
    config->entries = alloc_zeroed(config->count, sizeof *config->entries);
    for (size_t i = 0; i < config->count; i++) {
        const struct yaml_node *node = &providers->children[i];

        config->entries[i] = (struct provider_config_entry){
            .node = node,
            .name = text_of(yaml_tree_member(node, "name")),
            .api_version = text_of(yaml_tree_member(node, "apiVersion")),
            .matches = member_or_null(node, "matchImages"),
            .args = member_or_null(node, "args"),
            .env = member_or_null(node, "env"),
            .cache_duration = member_or_null(node, "defaultCacheDuration"),
            .tokens = member_or_null(node, "tokenAttributes"),
        };
    }
}

/* The kubelet decides by the first byte that is no white space. */
static bool is_json(const char *bytes, size_t length)
{
    size_t i = 0;

    while (i < length && strchr(" \t\r\n", bytes[i]) != NULL && bytes[i] != '\0')
        i++;
    return i < length && bytes[i] == '{';
}

/* Whether the strings of a valid text are. */
static bool is_free_of_controls(const char *bytes, size_t length)
{
    bool is_string = false;

    for (size_t i = 0; i < length; i++) {
        if (is_string && (unsigned char)bytes[i] < ' ')
            return false;
        if (bytes[i] == '"')
            is_string = !is_string;
        else if (is_string && bytes[i] == '\\')
            i++;
    }
    return true;
}

static bool check_json(const char *bytes, size_t length, struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};

    if (doc_parse(&doc, ERROR_CONFIG, bytes, length, YAML_TREE_MAX_BYTES, err) &&
        (is_free_of_controls(bytes, length) ||
         error_set(err, ERROR_CONFIG, "not valid JSON: a control character in a string")))
        return true;
    return error_advise(err, "Correct it: what begins with { must be JSON to the end");
}

bool provider_config_read(struct provider_config *out, bool *is_unsupported, const void *bytes,
                          size_t length, int minor, struct error *err)
{
    struct place place = {.config = out,
                          .minor = minor == 0 ? PROVIDER_CONFIG_NEWEST_MINOR : minor};
    struct place providers;

    *out = (struct provider_config){0};
    *is_unsupported = false;
    if (length <= YAML_TREE_MAX_BYTES && is_json(bytes, length) && !check_json(bytes, length, err))
        return false;
    if (!yaml_tree_parse(&out->tree, is_unsupported, bytes, length, err)) {
        *is_unsupported = *is_unsupported || is_json(bytes, length);
        return false;
    }
    if (out->tree.kind == YAML_NONE)
        return error_set_advised(err, ERROR_CONFIG, "The command config prints a configuration",
                                 "the file is empty");
    find_entries(out);
    if (out->count > PROVIDER_CONFIG_MAX_PROVIDERS) {
        *is_unsupported = true;
        return error_set(err, ERROR_CONFIG,
                         "more than %d providers, which this program does not read",
                         PROVIDER_CONFIG_MAX_PROVIDERS);
    }
    check_object(&out->tree, ROOT, &place);
    check_root(&place);
    providers = inside(&place, "providers");
    for (size_t i = 0; i < out->count; i++)
        check_entry(&out->entries[i], i, &providers);
    return true;
}

void provider_config_clear(struct provider_config *config)
{
    yaml_tree_clear(&config->tree);
    free(config->entries);
    free(config->problems);
    *config = (struct provider_config){0};
}

const struct provider_config_problem *provider_config_fatal(const struct provider_config *config)
{
    for (size_t i = 0; i < config->problem_count; i++) {
        if (config->problems[i].is_fatal)
            return &config->problems[i];
    }
    return NULL;
}

const struct provider_config_entry *provider_config_find(const struct provider_config *config,
                                                         const char *name)
{
    for (size_t i = 0; i < config->count; i++) {
        if (strcmp(config->entries[i].name, name) == 0)
            return &config->entries[i];
    }
    return NULL;
}

/* The kubelet compares the host as it is written, without tag and digest after the path. */
static bool split_image(char authority[HOST_AS_ASKED_SIZE], const char **path, const char *image)
{
    *path = strchrnul(image, '/');
    if ((size_t)(*path - image) >= HOST_AS_ASKED_SIZE)
        return false;
    text_copy(authority, (size_t)(*path - image) + 1, image); /* cut where the path begins */
    return true;
}

bool provider_config_matches(const struct provider_config_entry *entry, const char *image)
{
    char authority[HOST_AS_ASKED_SIZE];
    const char *path;

    if (!split_image(authority, &path, image))
        return false;
    for (size_t i = 0; i < count_of(entry->matches); i++) {
        const char *pattern = text_of(&entry->matches->children[i]);

        if (match_host(pattern, authority) && match_path(pattern, path))
            return true;
    }
    return false;
}

int provider_config_almost_matches(const struct provider_config_entry *entry, const char *image)
{
    for (size_t i = 0; i < count_of(entry->matches); i++) {
        const char *text = text_of(&entry->matches->children[i]);
        const char *scheme = strstr(text, "://");
        char pattern[PATTERN_SIZE];

        text_copy(pattern, sizeof pattern, scheme == NULL ? text : scheme + 3);
        if (text_ends_with(pattern, "/"))
            pattern[strlen(pattern) - 1] = '\0';
        if (fnmatch(pattern, image, FNM_CASEFOLD | FNM_LEADING_DIR) == 0)
            return (int)i;
    }
    return -1;
}

bool provider_config_parse_version(int *minor, const char *text, struct error *err)
{
    const char *number = text_starts_with(text, "v") ? text + 1 : text;
    char digits[8] = "";
    int64_t parsed = 0;

    if (text_starts_with(number, "1."))
        (void)text_copy(digits, sizeof digits, number + 2);
    digits[strspn(digits, "0123456789")] = '\0';
    if (!text_parse_number(digits, 20, 999, &parsed))
        return error_set(err, ERROR_USAGE,
                         "%.40s is not a version of Kubernetes from 1.20 on, such as 1.34", text);
    *minor = (int)parsed;
    return true;
}

bool provider_config_is_file_name(const char *name)
{
    return text_ends_with(name, ".json") || text_ends_with(name, ".yaml") ||
           text_ends_with(name, ".yml");
}
