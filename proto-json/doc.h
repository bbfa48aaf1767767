/* One JSON document, parsed by json-c and read by typed getters. Errors name the place of what is
 * wrong ("registries[1].match[0] must be a string") and never quote a value, for it may be a
 * secret. The one user of json-c. */
#ifndef PROTO_JSON_DOC_H
#define PROTO_JSON_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"

struct json_object;
struct lh_entry;

enum { DOC_PATH_SIZE = 160 };

/* A place in a document, borrowed from it: it must not outlive its struct doc. */
struct doc_node {
    struct json_object *value; /* NULL for null too, see `present` */
    bool present;
    bool is_optional;         /* else its absence is an error */
    enum error_kind kind;     /* of every error of this document */
    char path[DOC_PATH_SIZE]; /* "registries[1].match", cut if very long; "" for the root */
};

/* A parsed document. `{0}` is empty. */
struct doc {
    struct doc_node root; /* its value is owned */
};

/* Parses `length` bytes that hold exactly one object (RFC 8259) and white space around it. Refused,
 * with `kind` and the line and column: what json-c's strict mode does not accept, bytes that cannot
 * be UTF-8, more than 32 levels, more than `max_bytes`. json-c accepts more than RFC 8259: of
 * duplicate keys the last counts, a key ends at \u0000, strings may have control bytes; so check a
 * string where it is used. `out` is filled only on success. */
CHECKED bool doc_parse(struct doc *out, enum error_kind kind, const void *bytes, size_t length,
                       size_t max_bytes, struct error *err);

/* Wipes the strings, frees and returns to `{0}`. */
void doc_clear(struct doc *doc);

/* A member of an object; not `present` if there is none, or if `object` is not an object. */
struct doc_node doc_member(const struct doc_node *object, const char *key);

/* The same, but it is optional, and null counts as absent. */
struct doc_node doc_optional_member(const struct doc_node *object, const char *key);

/* An element of an array of doc_array(); `index` is below its count. */
struct doc_node doc_element(const struct doc_node *array, size_t index);

/* The members of an object one by one, in no promised order: start with NULL; false at the end.
 * `key` is borrowed from the document. */
bool doc_next(struct lh_entry **at, const struct doc_node *object, struct doc_node *member,
              const char **key);

/* The typed getters. Each fails when the value is missing although it is not optional, is of
 * another type (null is of no type) or out of bounds, or when a string has a NUL (\u0000). On
 * failure, and without a value, `out` stays as it is. */

/* A string of at most `size` - 1 bytes. */
CHECKED bool doc_text(char *out, size_t size, struct doc_node node, struct error *err);

/* A string of at most `max_bytes` bytes, replaced in `*out`: owned by the caller, as was what
 * `*out` held before. */
CHECKED bool doc_string(char **out, size_t max_bytes, struct doc_node node, struct error *err);

CHECKED bool doc_secret(struct secret *out, size_t max_bytes, struct doc_node node,
                        struct error *err);

/* A number without fraction or exponent in [min, max], which lie within int64_t's own ends. */
CHECKED bool doc_integer(int64_t *out, int64_t min, int64_t max, struct doc_node node,
                         struct error *err);

CHECKED bool doc_boolean(bool *out, struct doc_node node, struct error *err);

/* Only checks that the node is an object; an absent optional one passes. */
CHECKED bool doc_object(struct doc_node node, struct error *err);

/* Checks that the node is an array of at most `max_count` elements and counts them; an absent
 * optional one has 0. */
CHECKED bool doc_array(size_t *count, size_t max_count, struct doc_node node, struct error *err);

/* Checks a string that was read from `node` and goes into a header or a login: not empty, and only
 * printable ASCII, since a line break would forge another header. */
CHECKED bool doc_check_printable(const char *text, const struct doc_node *node, struct error *err);

/* The same, without blanks. */
CHECKED bool doc_check_visible(const char *text, const struct doc_node *node, struct error *err);

/* Lenient, for documents of any shape: as much of a string as fits, up to a NUL, made printable; ""
 * for anything else. */
void doc_text_cut(char *out, size_t size, struct doc_node node);

/* True for a string: for the few answers in which one field comes in two types. */
bool doc_is_string(const struct doc_node *node);

/* Appends a string literal, quotes included. `text` is UTF-8. */
void doc_append_string(struct buf *out, const char *text);

/* Appends "key":"value" to the object that `out` ends with, and a comma before all but the first.
 */
void doc_append_member(struct buf *out, const char *key, const char *value);

/* json-c's own version, "0.16", for `version`. */
const char *doc_library_version(void);

#endif
