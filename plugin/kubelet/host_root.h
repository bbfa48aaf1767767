/* Files below the root of a node that is mounted somewhere, or at "" for this machine's own. */
#ifndef KUBELET_HOST_ROOT_H
#define KUBELET_HOST_ROOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"

/* Opens `path` of the node as open(2) does, with O_CLOEXEC, and without waiting for the other end
 * of a FIFO. Symbolic links, absolute ones too, are followed within the root, which needs Linux
 * 5.6. -1 with errno set if it fails. */
CHECKED int host_root_open(const char *root, const char *path, int flags);

/* The path by which this process reaches what is open; valid as long as that is. */
struct host_root_path {
    char text[32];
};
struct host_root_path host_root_path_of(int descriptor);

/* Whether the root can be opened, and the kernel keeps links within it. */
bool host_root_is_supported(const char *root);

/* Reads a whole regular file, but none of /proc and /sys, whoever owns it. ABSENT and REFUSED as
 * file_read_trusted() has them. */
CHECKED enum file_outcome host_root_read(struct buf *out, const char *root, const char *path,
                                         size_t max_bytes, struct error *err);

#endif
