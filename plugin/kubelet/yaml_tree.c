#include "kubelet/yaml_tree.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "base/alloc.h"

#define DIGITS "0123456789"

/* One run of libyaml's parser over a text. */
struct reader {
    yaml_parser_t parser;
    uint32_t *offsets; /* of each character in bytes, and of the end: libyaml counts characters */
    size_t characters;
    bool is_unsupported;
    bool is_ended; /* the document; Go reads nothing after it */
};

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Those from `begin` on. */
static void find_offsets(struct reader *reader, const unsigned char *bytes, size_t begin,
                         size_t length)
{
    reader->offsets = alloc_zeroed(length + 1, sizeof *reader->offsets);
    for (size_t i = begin; i < length; i++) {
        if (!is_continuation(bytes[i]))
            reader->offsets[reader->characters++] = (uint32_t)i;
    }
    reader->offsets[reader->characters] = (uint32_t)length;
}

static size_t offset_of(const struct reader *reader, const yaml_mark_t *mark)
{
    return reader->offsets[mark->index < reader->characters ? mark->index : reader->characters];
}

static bool refuse(struct reader *reader, const yaml_event_t *event, const char *what,
                   struct error *err)
{
    reader->is_unsupported = true;
    return error_set(err, ERROR_CONFIG, "line %zu: %s, which this program does not read",
                     event->start_mark.line + 1, what);
}

static bool next_event(yaml_event_t *event, struct reader *reader, struct error *err)
{
    yaml_parser_t *parser = &reader->parser;

    if (yaml_parser_parse(parser, event) != 0)
        return true;
    reader->is_unsupported = reader->is_ended;
    return error_set(err, ERROR_CONFIG, "line %zu: %s", parser->problem_mark.line + 1,
                     parser->problem == NULL ? "cannot be parsed" : parser->problem);
}

static struct yaml_node *add_child(struct yaml_node *node)
{
    if ((node->count & (node->count - 1)) == 0) { /* room for a power of two */
        size_t room = node->count == 0 ? 1 : 2 * node->count;
        struct yaml_node *longer = alloc_zeroed(room, sizeof *longer);

        if (node->count > 0)
            memcpy(longer, node->children, node->count * sizeof *longer);
        free(node->children);
        node->children = longer;
    }
    return &node->children[node->count++];
}

static bool read_scalar(struct yaml_node *out, struct reader *reader, const yaml_event_t *event,
                        struct error *err)
{
    const char *value = (const char *)event->data.scalar.value;

    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)
        return refuse(reader, event, "an anchor or a tag", err);
    if (strlen(value) != event->data.scalar.length)
        return refuse(reader, event, "a NUL in a string", err);
    out->kind = YAML_SCALAR;
    out->is_bare = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    out->text = alloc_string(value);
    return true;
}

/* "<<", whose value's members belong to the mapping. */
static bool is_merge(const yaml_event_t *scalar)
{
    return scalar->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           strcmp((const char *)scalar->data.scalar.value, "<<") == 0;
}

static bool read_node(struct yaml_node *out, struct reader *reader, const yaml_event_t *event,
                      unsigned depth, struct error *err);

/* Reads the children of a collection, whose start event has been read. */
static bool read_children(struct yaml_node *out, struct reader *reader, unsigned depth,
                          struct error *err)
{
    const bool is_mapping = out->kind == YAML_MAPPING;

    for (;;) {
        yaml_event_t event AUTO(yaml_event_delete) = {0};

        if (!next_event(&event, reader, err))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            if (out->is_flow)
                out->end = offset_of(reader, &event.end_mark);
            return true;
        }
        if (is_mapping && out->count % 2 == 0 && event.type != YAML_SCALAR_EVENT)
            return refuse(reader, &event, "a key that is no scalar", err);
        if (is_mapping && out->count % 2 == 0 && is_merge(&event))
            return refuse(reader, &event, "a merge key", err);
        if (out->count == YAML_TREE_MAX_CHILDREN)
            return refuse(reader, &event, "a list or an object of very many members", err);
        if (!read_node(add_child(out), reader, &event, depth, err))
            return false;
        out->end = out->children[out->count - 1].end;
    }
}

static bool read_node(struct yaml_node *out, struct reader *reader, const yaml_event_t *event,
                      unsigned depth, struct error *err)
{
    const bool is_mapping = event->type == YAML_MAPPING_START_EVENT;

    out->begin = offset_of(reader, &event->start_mark);
    out->end = offset_of(reader, &event->end_mark);
    out->line = event->start_mark.line + 1;
    out->column = event->start_mark.column;
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(out, reader, event, err);
    if (event->type == YAML_ALIAS_EVENT)
        return refuse(reader, event, "an alias", err);
    if (depth == YAML_TREE_MAX_DEPTH)
        return refuse(reader, event, "too deep a nesting", err);
    if (is_mapping
            ? event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL
            : event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL)
        return refuse(reader, event, "an anchor or a tag", err);
    out->kind = is_mapping ? YAML_MAPPING : YAML_SEQUENCE;
    out->is_flow = is_mapping ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                              : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    return read_children(out, reader, depth + 1, err);
}

/* libyaml reads version 1.2 too; Go's gopkg.in/yaml.v2 does not. */
static bool check_version(const yaml_event_t *event, struct error *err)
{
    const yaml_version_directive_t *version = event->data.document_start.version_directive;

    return version == NULL || (version->major == 1 && version->minor == 1) ||
           error_set_advised(err, ERROR_CONFIG, "Remove the line %YAML",
                             "line %zu: the version of YAML is not 1.1",
                             event->start_mark.line + 1);
}

/* Reads the events of a stream, in which one document at most has its place. */
static bool read_stream(struct yaml_node *out, struct reader *reader, struct error *err)
{
    for (;;) {
        yaml_event_t event AUTO(yaml_event_delete) = {0};

        if (!next_event(&event, reader, err))
            return false;
        switch (event.type) {
        case YAML_STREAM_END_EVENT:
            return true;
        case YAML_STREAM_START_EVENT:
            break;
        case YAML_DOCUMENT_END_EVENT:
            reader->is_ended = true;
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (!check_version(&event, err))
                return false;
            if (out->kind != YAML_NONE)
                return refuse(reader, &event, "several documents in one file", err);
            break;
        default:
            if (!read_node(out, reader, &event, 0, err))
                return false;
        }
    }
}

bool yaml_tree_parse(struct yaml_node *out, bool *is_unsupported, const void *bytes, size_t length,
                     struct error *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct reader reader = {0};
    size_t begin = strlen(byte_order_mark);
    bool is_read;

    *out = (struct yaml_node){0};
    *is_unsupported = length > YAML_TREE_MAX_BYTES;
    if (*is_unsupported)
        return error_set(err, ERROR_CONFIG, "larger than %d bytes", YAML_TREE_MAX_BYTES);
    if (yaml_parser_initialize(&reader.parser) == 0)
        return error_set(err, ERROR_INTERNAL, "libyaml cannot be initialized");
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    /* Left in, it would be the first column of the first line. */
    if (length < begin || memcmp(bytes, byte_order_mark, begin) != 0)
        begin = 0;
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes + begin,
                                 length - begin);
    find_offsets(&reader, bytes, begin, length);
    is_read = read_stream(out, &reader, err);
    *is_unsupported = reader.is_unsupported;
    yaml_parser_delete(&reader.parser);
    free(reader.offsets);
    return is_read;
}

void yaml_tree_clear(struct yaml_node *node)
{
    for (size_t i = 0; i < node->count; i++)
        yaml_tree_clear(&node->children[i]);
    free(node->children);
    if (node->text != NULL)
        explicit_bzero(node->text, strlen(node->text)); /* may be a secret in a variable */
    free(node->text);
    *node = (struct yaml_node){0};
}

const struct yaml_node *yaml_tree_member(const struct yaml_node *mapping, const char *key)
{
    for (size_t i = mapping->kind == YAML_MAPPING ? mapping->count : 0; i > 1; i -= 2) {
        if (strcmp(mapping->children[i - 2].text, key) == 0)
            return &mapping->children[i - 1];
    }
    return NULL;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

/* After the part of a number after which it has an exponent or nothing; NULL if there is none. */
static const char *skip_fraction(const char *text)
{
    const size_t whole = strspn(text, DIGITS);
    const char *dot = text + whole;
    const size_t fraction = *dot == '.' ? strspn(dot + 1, DIGITS) : 0;

    return whole + fraction == 0 ? NULL : dot + (*dot == '.') + fraction;
}

/* Whether Go's strconv reads these digits as 64 bits, of an int64 if there is a sign. */
static bool is_integer(const char *digits, const char *allowed, int base, char sign)
{
    uint64_t value;

    errno = 0;
    value = strtoull(digits, NULL, base);
    return *digits != '\0' && digits[strspn(digits, allowed)] == '\0' && errno == 0 &&
           (sign == '\0' || value <= (uint64_t)INT64_MAX + (sign == '-'));
}

/* In base 16, 8 or 2, if `text`, a number without sign and underscores, begins so. */
static bool is_based_number(bool *out, const char *text, char sign)
{
    static const struct {
        const char *letters;
        const char *digits;
        int base;
    } bases[] = {{"xX", DIGITS "abcdefABCDEF", 16}, {"oO", "01234567", 8}, {"bB", "01", 2}};

    for (size_t i = 0; i < COUNT_OF(bases); i++) {
        const char *digits;

        if (text[0] != '0' || strspn(text + 1, bases[i].letters) == 0)
            continue;
        digits = text + 2;
        if (text[1] == 'b' && sign == '\0' && (*digits == '+' || *digits == '-'))
            sign = *digits++;
        *out = is_integer(digits, bases[i].digits, bases[i].base, sign);
        return true;
    }
    return false;
}

/* The numbers of YAML 1.1 as Go's gopkg.in/yaml.v2 reads them: with underscores between digits, but
 * nothing with colons, and no words. */
static bool is_plain_number(const char *plain, char sign)
{
    const char *at = skip_fraction(plain);
    bool is_based;

    if (is_based_number(&is_based, plain, sign))
        return is_based;
    if (at != NULL && (*at == 'e' || *at == 'E')) {
        at++;
        at += *at == '+' || *at == '-';
        at = *at == '\0' ? NULL : at + strspn(at, DIGITS);
    }
    return at != NULL && *at == '\0' && isfinite(strtod(plain, NULL));
}

static bool is_number(const char *text)
{
    char sign = '\0';
    char *plain;
    size_t length = 0;
    bool is_valid;

    if (*text == '_')
        return false;
    if (*text == '+' || *text == '-')
        sign = *text;
    plain = alloc_string(text);
    for (const char *at = text + (sign != '\0'); *at != '\0'; at++) {
        if (*at != '_')
            plain[length++] = *at;
    }
    plain[length] = '\0';
    is_valid = is_plain_number(plain, sign);
    free(plain);
    return is_valid;
}

enum yaml_type yaml_tree_type(const struct yaml_node *scalar)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const booleans[] = {
        "y", "Y",  "yes", "Yes", "YES",   "true",  "True",  "TRUE", "on",  "On",  "ON", "n",
        "N", "no", "No",  "NO",  "false", "False", "FALSE", "off",  "Off", "OFF", NULL};
    static const char *const numbers[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",
                                          ".INF",  "+.inf", "+.Inf", "+.INF", "-.inf",
                                          "-.Inf", "-.INF", NULL};

    if (!scalar->is_bare)
        return YAML_TYPE_STRING;
    if (is_one_of(scalar->text, nulls))
        return YAML_TYPE_NULL;
    if (is_one_of(scalar->text, booleans))
        return YAML_TYPE_BOOLEAN;
    return is_one_of(scalar->text, numbers) || is_number(scalar->text) ? YAML_TYPE_NUMBER
                                                                       : YAML_TYPE_STRING;
}

bool yaml_tree_is_true(const struct yaml_node *scalar)
{
    return yaml_tree_type(scalar) == YAML_TYPE_BOOLEAN &&
           (strchr("yYtT", scalar->text[0]) != NULL || strcasecmp(scalar->text, "on") == 0);
}

bool yaml_tree_equal(const struct yaml_node *a, const struct yaml_node *b)
{
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == YAML_SCALAR)
        return yaml_tree_type(a) == yaml_tree_type(b) && strcmp(a->text, b->text) == 0;
    for (size_t i = 0; i < a->count; i++) {
        if (!yaml_tree_equal(&a->children[i], &b->children[i]))
            return false;
    }
    return true;
}

const char *yaml_tree_library_version(void)
{
    return yaml_get_version_string();
}
