#include "kubelet/host_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C libraries have no function for it. */
static int open_within(int root, const char *path)
{
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};

    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

void host_root_append(struct buf *out, const char *root, const char *path)
{
    int base AUTO(file_close) = root[0] == '\0' ? -1 : open(root, O_PATH | O_CLOEXEC);
    int found AUTO(file_close) = base < 0 ? -1 : open_within(base, path);
    char link[32];
    char resolved[PATH_MAX];
    ssize_t length = -1;

    if (found >= 0 && snprintf(link, sizeof link, "/proc/self/fd/%d", found) > 0)
        length = readlink(link, resolved, sizeof resolved);
    if (length > 0 && (size_t)length < sizeof resolved)
        buf_append(out, resolved, (size_t)length);
    else
        buf_append_format(out, "%s%s", root, path);
}

enum file_outcome host_root_read(struct buf *out, const char *root, const char *path,
                                 size_t max_bytes, struct error *err)
{
    struct buf place AUTO(buf_clear) = {0};
    struct stat status;
    int descriptor AUTO(file_close) = -1;

    host_root_append(&place, root, path);
    /* Non-blocking, so that opening a FIFO does not hang. */
    descriptor = open(buf_text(&place), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR))
        return FILE_ABSENT;
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        error_set(err, ERROR_CONFIG, "cannot open %s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        error_set(err, ERROR_CONFIG, "%s is not a regular file", path);
    else if (file_read_stream(out, descriptor, max_bytes, INT64_MAX, err))
        return FILE_READ;
    else
        error_wrap(err, "%s", path);
    err->kind = ERROR_CONFIG;
    return FILE_REFUSED;
}
