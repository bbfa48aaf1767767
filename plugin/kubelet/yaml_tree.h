/* A YAML or JSON file of another program as a tree, in which each value knows its place, so that a
 * text can be changed there without touching the rest. JSON is read as the YAML that it is. The one
 * user of libyaml. */
#ifndef KUBELET_YAML_TREE_H
#define KUBELET_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"

enum { YAML_TREE_MAX_BYTES = 256 * 1024, YAML_TREE_MAX_DEPTH = 64, YAML_TREE_MAX_CHILDREN = 2048 };

enum yaml_kind { YAML_NONE, YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

/* A value. Bytes are counted from the beginning of the file, lines from 1, columns from 0. */
struct yaml_node {
    enum yaml_kind kind;
    bool is_flow; /* of collections: in brackets, as all of JSON's are */
    bool is_bare; /* of scalars: without quotes, so that it may be a number, a boolean or null */
    char *text;   /* of scalars; owned, without NUL */
    size_t begin; /* of the first byte */
    size_t end;   /* after the last byte; of a block collection, after that of its last scalar */
    size_t line;
    size_t column; /* in characters */
    /* Owned: the elements of a sequence; of a mapping keys and values in turn. Keys are scalars. */
    struct yaml_node *children;
    size_t count; /* of the children */
};

/* Parses a file of at most YAML_TREE_MAX_BYTES bytes; without content, `out` is YAML_NONE. Fails
 * with ERROR_CONFIG for what is no YAML, and for what only this program does not read: several
 * documents, anchors, aliases, tags, merge keys, keys that are no scalars, a NUL, deeper nesting
 * than YAML_TREE_MAX_DEPTH, a collection of more than YAML_TREE_MAX_CHILDREN children;
 * `is_unsupported` tells the latter. `out` is to be cleared then too. */
CHECKED bool yaml_tree_parse(struct yaml_node *out, bool *is_unsupported, const void *bytes,
                             size_t length, struct error *err);

/* Frees and returns to `{0}`. */
void yaml_tree_clear(struct yaml_node *node);

/* The value of the last of a mapping's keys that is `key`, the one that counts; NULL if it has
 * none, or is no mapping. */
const struct yaml_node *yaml_tree_member(const struct yaml_node *mapping, const char *key);

/* What a scalar without quotes stands for (YAML 1.1, as sigs.k8s.io/yaml reads it). */
enum yaml_type { YAML_TYPE_STRING, YAML_TYPE_NULL, YAML_TYPE_BOOLEAN, YAML_TYPE_NUMBER };
enum yaml_type yaml_tree_type(const struct yaml_node *scalar);

/* Whether it is one of the booleans for true, such as "yes". */
bool yaml_tree_is_true(const struct yaml_node *scalar);

/* Whether two trees hold the same values, keys in the same order. */
bool yaml_tree_equal(const struct yaml_node *a, const struct yaml_node *b);

/* libyaml's own version, for `version`. */
const char *yaml_tree_library_version(void);

#endif
