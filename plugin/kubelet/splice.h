/* Changes of a YAML or JSON text at the places of its values, in the style that is found there: all
 * other bytes stay. Pure: `text` is what `tree` nodes were parsed from, the new text is appended to
 * `out`. Values are written as they are, without escapes: they may have no quotes and backslashes.
 */
#ifndef KUBELET_SPLICE_H
#define KUBELET_SPLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "kubelet/yaml_tree.h"

/* Adds children at the end of a collection; to a mapping keys and values in turn. Comments below
 * its last child that are indented deeper than its dash, or as deep as its key, belong to that. */
void splice_append(struct buf *out, const struct buf *text, const struct yaml_node *collection,
                   const struct yaml_node *children, size_t count);

/* Replaces a value. */
void splice_replace(struct buf *out, const struct buf *text, const struct yaml_node *old,
                    const struct yaml_node *value);

/* Removes an element of a sequence that has others, so that nothing is left of what splice_append()
 * added. False where that would take a comment along, or other bytes of the line. */
CHECKED bool splice_remove(struct buf *out, const struct buf *text,
                           const struct yaml_node *sequence, size_t index);

/* Appends a value as JSON of several lines, with `unit` for each level of its depth. */
void splice_append_json(struct buf *out, const struct yaml_node *value, const char *unit);

#endif
