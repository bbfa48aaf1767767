/* Fuzzes the reader of other programs' YAML and JSON, and what is put in and taken out of it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/docker_config.h"
#include "kubelet/provider_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool is_equal(const struct buf *a, const struct buf *b)
{
    return a->length == b->length && memcmp(buf_text(a), buf_text(b), a->length) == 0;
}

/* A value is where it says, and its children are inside of it. */
static void check_places(const struct yaml_node *node, size_t length)
{
    if (node->begin > node->end || node->end > length)
        abort();
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *child = &node->children[i];

        if (child->begin < node->begin || child->end > node->end ||
            (i > 0 && child->begin < child[-1].end))
            abort();
        check_places(child, length);
    }
}

static void check_read(const struct buf *text)
{
    struct provider_config config AUTO(provider_config_clear) = {0};
    struct error err = {0};
    bool is_unsupported;

    if (provider_config_read(&config, &is_unsupported, buf_text(text), text->length, 0, &err))
        check_places(&config.tree, text->length);
    else if (err.cause[0] == '\0' || err.kind != ERROR_CONFIG)
        abort();
}

static void remove_entry(const struct buf *before, const struct buf *installed, bool had_entry)
{
    struct buf removed AUTO(buf_clear) = {0};
    struct error err = {0};
    bool is_only = false;

    if (!provider_edit_remove(&removed, &is_only, installed, &err)) {
        if (err.kind == ERROR_INTERNAL || !had_entry)
            abort();
        return;
    }
    if (!had_entry && !is_only && !is_equal(&removed, before))
        abort();
}

static void check_install(const struct buf *text, const struct provider_entry *entry)
{
    struct buf once AUTO(buf_clear) = {0};
    struct buf twice AUTO(buf_clear) = {0};
    struct error err = {0};
    bool had_entry = false;
    bool has_entry = false;
    bool has_providers = false;

    if (!provider_edit_install(&once, text, entry, 0, &err)) {
        if (err.kind == ERROR_INTERNAL)
            abort();
        return;
    }
    if (!provider_edit_install(&twice, &once, entry, 0, &err) || !is_equal(&once, &twice) ||
        !provider_edit_find(&had_entry, &has_providers, text, &err) ||
        !provider_edit_find(&has_entry, &has_providers, &once, &err) || !has_entry ||
        !has_providers)
        abort();
    remove_entry(text, &once, had_entry);
}

static void check_docker(const struct buf *text)
{
    static const char *const hosts[] = {"a.b", "c.d:5000"};
    struct buf once AUTO(buf_clear) = {0};
    struct buf twice AUTO(buf_clear) = {0};
    struct error err = {0};

    if (docker_config_add(&once, text, hosts, COUNT_OF(hosts), &err) &&
        (!docker_config_add(&twice, &once, hosts, COUNT_OF(hosts), &err) ||
         !is_equal(&once, &twice)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char *const matches[] = {"a.b", "c.d:5000/e"};
    static const struct provider_entry entries[] = {
        {.version = "v1"},
        {.version = "v1",
         .matches = matches,
         .match_count = COUNT_OF(matches),
         .is_for_pods = true,
         .has_cache_type = true},
    };
    struct buf text AUTO(buf_clear) = {0};

    buf_append(&text, bytes, length);
    check_read(&text);
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        check_install(&text, &entries[i]);
    check_docker(&text);
    return 0;
}
