/* Files below the root of a node that is mounted somewhere, or at "" for this machine's own. */
#ifndef KUBELET_HOST_ROOT_H
#define KUBELET_HOST_ROOT_H

#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"

/* Appends the path by which this process reaches `path` of the node. Symbolic links, absolute ones
 * too, are followed within the root, where the kernel can (Linux 5.6). What cannot be resolved is
 * appended as it is, so that using it says why. */
void host_root_append(struct buf *out, const char *root, const char *path);

/* Reads a whole file, also one of /proc, which has no size, whoever owns it. ABSENT and REFUSED as
 * file_read_trusted() has them. */
CHECKED enum file_outcome host_root_read(struct buf *out, const char *root, const char *path,
                                         size_t max_bytes, struct error *err);

#endif
