/* A change of a text as diff(1) shows it and patch(1) applies it. */
#ifndef KUBELET_DIFF_H
#define KUBELET_DIFF_H

#include "base/buf.h"

/* Appends a unified diff with one hunk: all from the first line that differs to the last. Nothing
 * for equal texts. A name is /dev/null where there is no file. */
void diff_append(struct buf *out, const char *old_name, const struct buf *old_text,
                 const char *new_name, const struct buf *new_text);

#endif
