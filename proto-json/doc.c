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
    if (doc->root.value != NULL) {
        if (json_c_visit(doc->root.value, 0, wipe_string, NULL) != 0)
            abort();
        json_object_put(doc->root.value);
    }
    *doc = (struct doc){0};
}

/* json-c's own words, which never quote the input. */
static bool fail_at(size_t offset, const char *bytes, enum json_tokener_error cause,
                    enum error_kind kind, struct error *err)
{
    size_t line = 1;
    size_t column = 1;

    for (size_t i = 0; i < offset; i++) {
        column++;
        if (bytes[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return error_set(err, kind, "not valid JSON at line %zu, column %zu: %s", line, column,
                     json_tokener_error_desc(cause));
}

bool doc_parse(struct doc *out, enum error_kind kind, const void *bytes, size_t length,
               size_t max_bytes, struct error *err)
{
    struct doc fresh AUTO(doc_clear) = {{.present = true, .kind = kind}};
    struct json_tokener *tokener;
    enum json_tokener_error cause;
    size_t end;

    assert(max_bytes <= INT_MAX);
    if (length == 0)
        return error_set(err, kind, "empty input, expected a JSON object");
    if (length > max_bytes)
        return error_set(err, kind, "longer than %zu bytes", max_bytes);
    tokener = json_tokener_new();
    if (tokener == NULL)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    /* The strict mode of json-c 0.18 refuses all bytes above 127 (json-c issue 875). */
    json_tokener_set_flags(tokener,
                           JSON_TOKENER_VALIDATE_UTF8 |
                               (json_c_version_num() == 18 << 8 ? 0 : JSON_TOKENER_STRICT));
    fresh.root.value = json_tokener_parse_ex(tokener, bytes, (int)length);
    cause = json_tokener_get_error(tokener);
    end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);
    if (cause == json_tokener_continue)
        cause = json_tokener_error_parse_eof;
    /* A NUL byte ends what json-c reads. */
    if (cause == json_tokener_success && end < length)
        cause = json_tokener_error_parse_unexpected;
    if (cause != json_tokener_success)
        return fail_at(end, bytes, cause, kind, err);
    if (!json_object_is_type(fresh.root.value, json_type_object))
        return error_set(err, kind, "the document must be a JSON object");
    *out = TAKE(fresh);
    return true;
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

struct doc_node doc_optional_member(const struct doc_node *object, const char *key)
{
    struct doc_node member = doc_member(object, key);

    member.present = member.value != NULL;
    member.is_optional = true;
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

bool doc_next(struct lh_entry **at, const struct doc_node *object, struct doc_node *member,
              const char **key)
{
    struct lh_table *members = json_object_get_object(object->value);

    if (members == NULL)
        return false;
    *at = *at == NULL ? lh_table_head(members) : lh_entry_next(*at);
    if (*at == NULL)
        return false;
    *key = lh_entry_k(*at);
    *member = doc_member(object, *key);
    return true;
}

static const char *name_of(const struct doc_node *node)
{
    return node->path[0] == '\0' ? "the document" : node->path;
}

/* True when the value is of the type, or absent and optional. */
static bool check(const struct doc_node *node, enum json_type type, const char *type_name,
                  struct error *err)
{
    if (!node->present)
        return node->is_optional ||
               error_set(err, node->kind, "%s is missing: it must be %s", name_of(node), type_name);
    return json_object_is_type(node->value, type) ||
           error_set(err, node->kind, "%s must be %s", name_of(node), type_name);
}

/* The string of a node, borrowed; `*text` stays as it is if there is none. */
static bool read_string(const char **text, size_t max_bytes, const struct doc_node *node,
                        struct error *err)
{
    size_t length;

    if (!check(node, json_type_string, "a string", err))
        return false;
    if (!node->present)
        return true;
    length = (size_t)json_object_get_string_len(node->value);
    if (length > max_bytes)
        return error_set(err, node->kind, "%s must be at most %zu bytes long", name_of(node),
                         max_bytes);
    *text = json_object_get_string(node->value);
    return strlen(*text) == length ||
           error_set(err, node->kind, "%s must not have a NUL", name_of(node));
}

bool doc_text(char *out, size_t size, struct doc_node node, struct error *err)
{
    const char *text = NULL;

    if (!read_string(&text, size - 1, &node, err))
        return false;
    if (text != NULL)
        text_copy(out, size, text);
    return true;
}

bool doc_string(char **out, size_t max_bytes, struct doc_node node, struct error *err)
{
    const char *text = NULL;

    if (!read_string(&text, max_bytes, &node, err))
        return false;
    if (text != NULL) {
        free(*out);
        *out = alloc_string(text);
    }
    return true;
}

bool doc_secret(struct secret *out, size_t max_bytes, struct doc_node node, struct error *err)
{
    const char *text = NULL;

    if (!read_string(&text, max_bytes, &node, err))
        return false;
    if (text != NULL)
        secret_set(out, text, strlen(text));
    return true;
}

bool doc_integer(int64_t *out, int64_t min, int64_t max, struct doc_node node, struct error *err)
{
    int64_t value;

    /* json-c turns what does not fit into one of the ends of int64_t. */
    assert(min > INT64_MIN && max < INT64_MAX);
    if (!check(&node, json_type_int, "a whole number", err))
        return false;
    if (!node.present)
        return true;
    value = json_object_get_int64(node.value);
    if (value < min || value > max)
        return error_set(err, node.kind, "%s must be from %lld to %lld", name_of(&node),
                         (long long)min, (long long)max);
    *out = value;
    return true;
}

bool doc_boolean(bool *out, struct doc_node node, struct error *err)
{
    if (!check(&node, json_type_boolean, "true or false", err))
        return false;
    if (node.present)
        *out = json_object_get_boolean(node.value) != 0;
    return true;
}

bool doc_object(struct doc_node node, struct error *err)
{
    return check(&node, json_type_object, "an object", err);
}

bool doc_array(size_t *count, size_t max_count, struct doc_node node, struct error *err)
{
    size_t length;

    if (!check(&node, json_type_array, "an array", err))
        return false;
    length = node.present ? json_object_array_length(node.value) : 0;
    if (length > max_count)
        return error_set(err, node.kind, "%s must have at most %zu elements", name_of(&node),
                         max_count);
    *count = length;
    return true;
}

bool doc_check_printable(const char *text, const struct doc_node *node, struct error *err)
{
    if (*text == '\0')
        return error_set(err, node->kind, "%s is empty", node->path);
    return text_is_printable(text) ||
           error_set(err, node->kind, "%s has a byte that is not printable ASCII", node->path);
}

bool doc_check_visible(const char *text, const struct doc_node *node, struct error *err)
{
    return doc_check_printable(text, node, err) &&
           (strchr(text, ' ') == NULL || error_set(err, node->kind, "%s has a blank", node->path));
}

void doc_text_cut(char *out, size_t size, struct doc_node node)
{
    text_copy(out, size, doc_is_string(&node) ? json_object_get_string(node.value) : "");
    text_make_printable(out);
}

bool doc_is_string(const struct doc_node *node)
{
    return json_object_is_type(node->value, json_type_string) != 0;
}

void doc_append_string(struct buf *out, const char *text)
{
    buf_append_text(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_append_format(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            buf_append_format(out, "\\u%04x", (unsigned)*text);
        else
            buf_append(out, text, 1);
    }
    buf_append_text(out, "\"");
}

void doc_append_member(struct buf *out, const char *key, const char *value)
{
    if (!text_ends_with(buf_text(out), "{"))
        buf_append_text(out, ",");
    doc_append_string(out, key);
    buf_append_text(out, ":");
    doc_append_string(out, value);
}

const char *doc_library_version(void)
{
    return json_c_version();
}
