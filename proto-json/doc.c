#include "proto-json/doc.h"

#include <assert.h>
#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "proto-json/doc_scan.h"

static bool refuse_bytes(enum error_kind kind, const char *bytes,
                         const struct doc_scan_result *result, struct error *err)
{
    size_t line = 1;
    size_t column = 1;

    for (size_t i = 0; i < result->offset; i++) {
        column++;
        if (bytes[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return error_set(err, kind, "not valid JSON at line %zu, column %zu: %s", line, column,
                     result->complaint);
}

/* json-c gathers every string in one growing buffer of its tokener and frees that unwiped. A blank
 * string as long as the longest one makes room beforehand, so that the buffer never moves with a
 * secret in it, and covers what is left there afterwards. */
static void cover_scratch(struct json_tokener *tokener, size_t longest_string)
{
    struct buf blank AUTO(buf_clear) = {0};

    buf_append_format(&blank, "\"%*s\"", (int)longest_string, "");
    json_tokener_reset(tokener);
    json_object_put(json_tokener_parse_ex(tokener, blank.bytes, (int)blank.length));
    json_tokener_reset(tokener);
}

static struct json_object *build_tree(const void *bytes, size_t length, size_t longest_string)
{
    /* json-c counts the innermost value as a level of its own. */
    struct json_tokener *tokener = json_tokener_new_ex(DOC_SCAN_DEPTH_MAX + 2);
    struct json_object *tree;

    if (tokener == NULL)
        return NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    cover_scratch(tokener, longest_string);
    tree = json_tokener_parse_ex(tokener, bytes, (int)length);
    cover_scratch(tokener, longest_string);
    json_tokener_free(tokener);
    return tree;
}

bool doc_parse(struct doc *out, enum error_kind kind, const void *bytes, size_t length,
               size_t max_bytes, struct error *err)
{
    struct doc_scan_result result;
    struct json_object *root;

    assert(max_bytes < INT_MAX / 2);
    if (length == 0)
        return error_set(err, kind, "there is nothing, a JSON document is expected");
    if (length > max_bytes)
        return error_set(err, kind, "longer than %zu bytes", max_bytes);
    if (!doc_scan(&result, bytes, length))
        return refuse_bytes(kind, bytes, &result, err);
    root = build_tree(bytes, length, result.longest_string);
    if (root == NULL)
        return error_set(err, kind, "json-c cannot read the document");
    *out = (struct doc){.root = root, .kind = kind};
    return true;
}

static int wipe_string(struct json_object *value, int flags, struct json_object *parent,
                       const char *key, size_t *index, void *context)
{
    (void)flags;
    (void)parent;
    (void)key;
    (void)index;
    (void)context;
    if (json_object_is_type(value, json_type_string)) {
        /* In place: json_object_set_string() would let go of the old bytes unwiped. */
        explicit_bzero((char *)json_object_get_string(value),
                       (size_t)json_object_get_string_len(value));
    }
    return JSON_C_VISIT_RETURN_CONTINUE;
}

void doc_clear(struct doc *doc)
{
    if (doc->root != NULL) {
        if (json_c_visit(doc->root, 0, wipe_string, NULL) != 0)
            abort();
        json_object_put(doc->root);
    }
    *doc = (struct doc){0};
}

struct doc_node doc_root(const struct doc *doc)
{
    return (struct doc_node){
        .value = doc->root, .present = doc->root != NULL, .kind = doc->kind, .path = ""};
}

struct doc_node doc_member(const struct doc_node *object, const char *key)
{
    struct doc_node member = {.kind = object->kind};

    text_join(member.path, sizeof member.path, object->path, object->path[0] == '\0' ? "" : ".",
              key);
    if (json_object_is_type(object->value, json_type_object))
        member.present = json_object_object_get_ex(object->value, key, &member.value) != 0;
    return member;
}

struct doc_node doc_element(const struct doc_node *array, size_t index)
{
    struct doc_node element = {.kind = array->kind, .present = true};
    char brackets[32];

    element.value = json_object_array_get_idx(array->value, index);
    if (snprintf(brackets, sizeof brackets, "[%zu]", index) > 0)
        text_join(element.path, sizeof element.path, array->path, "", brackets);
    return element;
}

bool doc_next(struct doc_cursor *cursor, const struct doc_node *object, struct doc_node *member,
              const char **key)
{
    struct json_object_iterator here;
    struct json_object_iterator end;

    if (!json_object_is_type(object->value, json_type_object))
        return false;
    end = json_object_iter_end(object->value);
    if (cursor->started)
        here.opaque_ = cursor->place;
    else
        here = json_object_iter_begin(object->value);
    if (json_object_iter_equal(&here, &end))
        return false;
    *key = json_object_iter_peek_name(&here);
    *member = doc_member(object, *key);
    json_object_iter_next(&here);
    *cursor = (struct doc_cursor){.place = here.opaque_, .started = true};
    return true;
}

static const char *name_of(const struct doc_node *node)
{
    return node->path[0] == '\0' ? "the document" : node->path;
}

enum finding { FINDING_VALUE, FINDING_NONE, FINDING_WRONG };

/* What there is at a node; WRONG with err filled. */
static enum finding find(const struct doc_node *node, enum json_type type, const char *type_name,
                         enum doc_need need, struct error *err)
{
    if (!node->present && need == DOC_OPTIONAL)
        return FINDING_NONE;
    if (!node->present)
        (void)error_set(err, node->kind, "%s is missing: it must be %s", name_of(node), type_name);
    else if (!json_object_is_type(node->value, type))
        (void)error_set(err, node->kind, "%s must be %s", name_of(node), type_name);
    else
        return FINDING_VALUE;
    return FINDING_WRONG;
}

/* A string and its bounded length. */
static enum finding find_string(const char **text, size_t *length, size_t max_bytes,
                                const struct doc_node *node, enum doc_need need, struct error *err)
{
    enum finding finding = find(node, json_type_string, "a string", need, err);

    if (finding != FINDING_VALUE)
        return finding;
    *text = json_object_get_string(node->value);
    *length = (size_t)json_object_get_string_len(node->value);
    if (*length <= max_bytes)
        return FINDING_VALUE;
    (void)error_set(err, node->kind, "%s must be at most %zu bytes long", name_of(node), max_bytes);
    return FINDING_WRONG;
}

bool doc_text(char *out, size_t size, struct doc_node node, enum doc_need need, struct error *err)
{
    const char *text = NULL;
    size_t length = 0;
    enum finding finding = find_string(&text, &length, size - 1, &node, need, err);

    if (finding == FINDING_VALUE)
        memcpy(out, text, length + 1);
    return finding != FINDING_WRONG;
}

bool doc_string(char **out, size_t max_bytes, struct doc_node node, enum doc_need need,
                struct error *err)
{
    const char *text = NULL;
    size_t length = 0;
    enum finding finding = find_string(&text, &length, max_bytes, &node, need, err);

    if (finding == FINDING_VALUE) {
        free(*out);
        *out = alloc_string_of(text, length);
    }
    return finding != FINDING_WRONG;
}

bool doc_secret(struct secret *out, size_t max_bytes, struct doc_node node, enum doc_need need,
                struct error *err)
{
    const char *text = NULL;
    size_t length = 0;
    enum finding finding = find_string(&text, &length, max_bytes, &node, need, err);

    if (finding == FINDING_VALUE)
        secret_set(out, text, length);
    return finding != FINDING_WRONG;
}

bool doc_integer(int64_t *out, int64_t min, int64_t max, struct doc_node node, enum doc_need need,
                 struct error *err)
{
    enum finding finding = find(&node, json_type_int, "a whole number", need, err);
    int64_t value;

    /* json-c turns what does not fit into one of the ends of int64_t. */
    assert(min > INT64_MIN && max < INT64_MAX);
    if (finding != FINDING_VALUE)
        return finding == FINDING_NONE;
    value = json_object_get_int64(node.value);
    if (value < min || value > max)
        return error_set(err, node.kind, "%s must be from %lld to %lld", name_of(&node),
                         (long long)min, (long long)max);
    *out = value;
    return true;
}

bool doc_boolean(bool *out, struct doc_node node, enum doc_need need, struct error *err)
{
    enum finding finding = find(&node, json_type_boolean, "true or false", need, err);

    if (finding == FINDING_VALUE)
        *out = json_object_get_boolean(node.value) != 0;
    return finding != FINDING_WRONG;
}

bool doc_object(struct doc_node node, enum doc_need need, struct error *err)
{
    return find(&node, json_type_object, "an object", need, err) != FINDING_WRONG;
}

bool doc_array(size_t *count, size_t max_count, struct doc_node node, enum doc_need need,
               struct error *err)
{
    enum finding finding = find(&node, json_type_array, "an array", need, err);
    size_t length;

    if (finding != FINDING_VALUE) {
        *count = 0;
        return finding == FINDING_NONE;
    }
    length = json_object_array_length(node.value);
    if (length > max_count)
        return error_set(err, node.kind, "%s must have at most %zu elements", name_of(&node),
                         max_count);
    *count = length;
    return true;
}

void doc_text_cut(char *out, size_t size, struct doc_node node)
{
    (void)text_copy(out, size, doc_is_string(&node) ? json_object_get_string(node.value) : "");
}

bool doc_is_string(const struct doc_node *node)
{
    return json_object_is_type(node->value, json_type_string) != 0;
}

bool doc_is_utf8(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    const unsigned char *end = at + length;

    while (at < end) {
        size_t step = doc_scan_utf8(at, end);

        if (step == 0 || *at == '\0')
            return false;
        at += step;
    }
    return true;
}

void doc_append_string(struct buf *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + strlen(text);

    buf_append_text(out, "\"");
    while (at < end) {
        size_t step = doc_scan_utf8(at, end);

        if (step == 0)
            buf_append_text(out, "\xEF\xBF\xBD");
        else if (*at == '"' || *at == '\\')
            buf_append_format(out, "\\%c", *at);
        else if (*at < ' ')
            buf_append_format(out, "\\u%04x", (unsigned)*at);
        else
            buf_append(out, at, step);
        at += step == 0 ? 1 : step;
    }
    buf_append_text(out, "\"");
}

const char *doc_library_version(void)
{
    return json_c_version();
}
