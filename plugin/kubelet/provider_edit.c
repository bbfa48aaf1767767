#include "kubelet/provider_edit.h"

#include <string.h>

#include "base/text.h"
#include "kubelet/splice.h"

#define ADVICE_BY_HAND                                                                             \
    "Edit the file by hand; this prints the entry: aliyun-acr-credential-provider config"

static bool read_text(struct provider_config *out, const struct buf *text, int minor,
                      struct error *err)
{
    bool is_unsupported;

    return provider_config_read(out, &is_unsupported, buf_text(text), text->length, minor, err) ||
           (is_unsupported ? error_advise(err, ADVICE_BY_HAND) : false);
}

bool provider_edit_find(bool *out, bool *has_providers, const struct buf *text, struct error *err)
{
    struct provider_config config AUTO(provider_config_clear) = {0};

    if (!read_text(&config, text, 0, err))
        return false;
    *out = provider_config_find(&config, PROVIDER_CONFIG_NAME) != NULL;
    *has_providers = config.count > 0;
    return yaml_tree_member(&config.tree, "providers") != NULL ||
           error_set_advised(err, ERROR_CONFIG, "Name the kubelet's file or directory",
                             "it is no CredentialProviderConfig");
}

static bool is_ours(const struct provider_config_entry *entry)
{
    return strcmp(entry->name, PROVIDER_CONFIG_NAME) == 0;
}

/* Whether the lists of providers are the same without this program's entries. */
static bool has_same_others(const struct provider_config *a, const struct provider_config *b)
{
    size_t i = 0;
    size_t j = 0;

    for (;; i++, j++) {
        while (i < a->count && is_ours(&a->entries[i]))
            i++;
        while (j < b->count && is_ours(&b->entries[j]))
            j++;
        if (i == a->count || j == b->count)
            return i == a->count && j == b->count;
        if (!yaml_tree_equal(a->entries[i].node, b->entries[j].node))
            return false;
    }
}

/* Whether two files differ in this program's entry at most. */
static bool has_same_rest(const struct provider_config *a, const struct provider_config *b)
{
    if (a->tree.count != b->tree.count)
        return false;
    for (size_t i = 0; i < a->tree.count; i++) {
        const struct yaml_node *child = &a->tree.children[i];

        if (child != a->providers && !yaml_tree_equal(child, &b->tree.children[i]))
            return false;
    }
    return has_same_others(a, b);
}

static bool fail_inside(struct error *err)
{
    err->kind = ERROR_INTERNAL;
    return error_wrap(err, "this change would break the file");
}

/* Reads a text that this file has made of `before`. */
static bool read_changed(struct provider_config *out, const struct buf *text,
                         const struct provider_config *before, int minor, struct error *err)
{
    bool is_unsupported;

    if (!provider_config_read(out, &is_unsupported, buf_text(text), text->length, minor, err))
        return fail_inside(err);
    if (!has_same_rest(before, out)) {
        (void)error_set(err, ERROR_INTERNAL, "other values would change");
        return fail_inside(err);
    }
    return true;
}

static bool check_startable(const struct provider_config *config, struct error *err)
{
    const struct provider_config_problem *fatal = provider_config_fatal(config);

    if (fatal == NULL && config->providers != NULL && config->providers->kind == YAML_SEQUENCE)
        return true;
    if (fatal == NULL)
        return error_set_advised(err, ERROR_CONFIG, "Add the line: providers: []",
                                 "there is no list \"providers\"");
    *err = fatal->err;
    return false;
}

/* A block scalar at the end of a file without a last line break would get one. */
static bool check_end(const struct provider_config *config, const struct buf *text,
                      struct error *err)
{
    const struct yaml_node *last = config->providers;

    while (last->count > 0)
        last = &last->children[last->count - 1];
    if (last->kind != YAML_SCALAR || last->end < text->length ||
        strchr("|>", text->bytes[last->begin]) == NULL ||
        strchr("\r\n", text->bytes[text->length - 1]) != NULL)
        return true;
    return error_set_advised(err, ERROR_CONFIG, "Add a line break at its end",
                             "the last line, which belongs to a value, does not end");
}

static bool check_room(const struct provider_config *config, struct error *err)
{
    return config->count < PROVIDER_CONFIG_MAX_PROVIDERS ||
           provider_config_find(config, PROVIDER_CONFIG_NAME) != NULL ||
           error_set_advised(err, ERROR_CONFIG, ADVICE_BY_HAND,
                             "it has %zu providers, and this program reads no more", config->count);
}

static bool check_pods(const struct provider_config *config, struct error *err)
{
    const struct provider_config_entry *ours = provider_config_find(config, PROVIDER_CONFIG_NAME);

    if (text_ends_with(config->api_version, "/v1") &&
        (ours == NULL || text_ends_with(ours->api_version, "/v1")))
        return true;
    return error_set_advised(err, ERROR_CONFIG, "Write v1 in both apiVersions",
                             "tokenAttributes needs kubelet.config.k8s.io/v1 and "
                             "credentialprovider.kubelet.k8s.io/v1");
}

/* The entry, or its matchImages. */
static void put_entry(struct buf *out, const struct buf *text, const struct provider_config *config,
                      const struct provider_config_entry *wanted, bool has_own_matches)
{
    const struct provider_config_entry *ours = provider_config_find(config, PROVIDER_CONFIG_NAME);

    if (ours == NULL)
        splice_append(out, text, config->providers, wanted->node, 1);
    else if (has_own_matches && !yaml_tree_equal(ours->matches, wanted->matches))
        splice_replace(out, text, ours->matches, wanted->matches);
    else
        buf_append(out, buf_text(text), text->length);
}

static void put_tokens(struct buf *out, const struct buf *text,
                       const struct provider_config *config,
                       const struct provider_config_entry *wanted)
{
    const struct provider_config_entry *ours = provider_config_find(config, PROVIDER_CONFIG_NAME);
    const struct yaml_node *tokens = yaml_tree_member(ours->node, "tokenAttributes");

    if (wanted->tokens == NULL || (tokens != NULL && yaml_tree_equal(tokens, wanted->tokens)))
        buf_append(out, buf_text(text), text->length);
    else if (tokens == NULL) /* with its key, which is before it */
        splice_append(out, text, ours->node, wanted->tokens - 1, 2);
    else
        splice_replace(out, text, tokens, wanted->tokens);
}

bool provider_edit_install(struct buf *out, const struct buf *text,
                           const struct provider_entry *entry, int minor, struct error *err)
{
    struct provider_config before AUTO(provider_config_clear) = {0};
    struct provider_config between AUTO(provider_config_clear) = {0};
    struct provider_config after AUTO(provider_config_clear) = {0};
    struct provider_config wanted AUTO(provider_config_clear) = {0};
    struct buf changed AUTO(buf_clear) = {0};
    struct provider_entry of_file = *entry;

    if (!read_text(&before, text, minor, err) || !check_startable(&before, err) ||
        !check_end(&before, text, err) || !check_room(&before, err) ||
        (entry->is_for_pods && !check_pods(&before, err)))
        return false;
    of_file.version = strrchr(before.api_version, '/') + 1;
    if (!provider_entry_read(&wanted, &of_file, err))
        return fail_inside(err);
    put_entry(&changed, text, &before, wanted.entries, entry->match_count > 0);
    if (!read_changed(&between, &changed, &before, minor, err))
        return false;
    put_tokens(out, &changed, &between, wanted.entries);
    if (!read_changed(&after, out, &before, minor, err))
        return false;
    return check_startable(&after, err) || fail_inside(err);
}

bool provider_edit_remove(struct buf *out, bool *is_only, const struct buf *text, struct error *err)
{
    struct provider_config before AUTO(provider_config_clear) = {0};
    struct provider_config after AUTO(provider_config_clear) = {0};
    size_t index = 0;

    if (!read_text(&before, text, 0, err))
        return false;
    *is_only = before.count == 1;
    if (*is_only)
        return true;
    while (!is_ours(&before.entries[index]))
        index++;
    if (!splice_remove(out, text, before.providers, index))
        return error_set_advised(err, ERROR_CONFIG, "Remove it by hand",
                                 "line %zu: the entry shares a line with something else",
                                 before.entries[index].node->line);
    return read_changed(&after, out, &before, 0, err);
}
