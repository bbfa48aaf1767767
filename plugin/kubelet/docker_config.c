#include "kubelet/docker_config.h"

#include <string.h>

#include "kubelet/splice.h"
#include "kubelet/yaml_tree.h"
#include "proto-json/doc.h"

#define HELPERS "credHelpers"
#define HELPER  "aliyun-acr" /* the program docker-credential-aliyun-acr */

/* {"credHelpers": {HOST: HELPER}} */
static bool read_wanted(struct yaml_node *out, const char *host, struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};
    bool is_unsupported;

    buf_append_format(&text, "{\"" HELPERS "\": {\"%s\": \"" HELPER "\"}}", host);
    return yaml_tree_parse(out, &is_unsupported, text.bytes, text.length, err);
}

static bool is_blank(const struct buf *text)
{
    return strspn(buf_text(text), " \t\r\n") == text->length;
}

/* Reads a text as docker does; writes whether it names the helper for the host. */
static bool check(bool *is_named, const struct buf *text, const char *host, struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node helpers;
    char helper[sizeof HELPER + 1];

    *is_named = false;
    if (is_blank(text))
        return true;
    if (!doc_parse(&doc, ERROR_CONFIG, text->bytes, text->length, YAML_TREE_MAX_BYTES, err))
        return false;
    helpers = doc_optional_member(&doc.root, HELPERS);
    if (!doc_object(helpers, err))
        return false;
    doc_text_cut(helper, sizeof helper, doc_member(&helpers, host));
    *is_named = strcmp(helper, HELPER) == 0;
    return true;
}

static bool add(struct buf *out, const struct buf *text, const char *host, struct error *err)
{
    struct yaml_node tree AUTO(yaml_tree_clear) = {0};
    struct yaml_node wanted AUTO(yaml_tree_clear) = {0};
    const struct yaml_node *helpers;
    const struct yaml_node *helper;
    bool is_unsupported;

    if (!read_wanted(&wanted, host, err))
        return false;
    if (is_blank(text)) {
        splice_append_json(out, &wanted, "\t");
        buf_append_text(out, "\n");
        return true;
    }
    if (!yaml_tree_parse(&tree, &is_unsupported, buf_text(text), text->length, err))
        return error_advise(err, "Edit it by hand: \"" HELPERS "\": {\"%s\": \"" HELPER "\"}",
                            host);
    helpers = yaml_tree_member(&tree, HELPERS);
    helper = helpers == NULL ? NULL : yaml_tree_member(helpers, host);
    if (helpers == NULL)
        splice_append(out, text, &tree, wanted.children, 2);
    else if (helpers->kind != YAML_MAPPING) /* null */
        splice_replace(out, text, helpers, &wanted.children[1]);
    else if (helper == NULL)
        splice_append(out, text, helpers, wanted.children[1].children, 2);
    else
        splice_replace(out, text, helper, &wanted.children[1].children[1]);
    return true;
}

bool docker_config_add(struct buf *out, const struct buf *text, const char *const *hosts,
                       size_t count, struct error *err)
{
    bool is_named;

    buf_append(out, buf_text(text), text->length);
    for (size_t i = 0; i < count; i++) {
        struct buf changed AUTO(buf_clear) = {0};

        if (!check(&is_named, out, hosts[i], err))
            return false;
        if (is_named)
            continue;
        if (!add(&changed, out, hosts[i], err) || !check(&is_named, &changed, hosts[i], err))
            return false;
        if (!is_named)
            return error_set(err, ERROR_INTERNAL, "the helper of %s is not the one that was added",
                             hosts[i]);
        buf_clear(out);
        *out = TAKE(changed);
    }
    return true;
}
