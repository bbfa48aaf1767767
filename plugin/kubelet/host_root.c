#include "kubelet/host_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int host_root_open(const char *root, const char *path, int flags)
{
    /* What O_PATH does not allow is not needed for it either. */
    const int all = flags | O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY);
    const struct open_how how = {.flags = (unsigned)all, .resolve = RESOLVE_IN_ROOT};
    int base AUTO(file_close) = root[0] == '\0' ? -1 : open(root, O_PATH | O_CLOEXEC);
    int found;

    if (root[0] == '\0')
        return open(path, all);
    if (base < 0)
        return -1;
    /* The C libraries have no function for it. */
    found = (int)syscall(SYS_openat2, base, path, &how, sizeof how);
    /* Older kernels do not know it, and older container runtimes forbid it. */
    if (found < 0 && (errno == ENOSYS || errno == EPERM))
        found = openat(base, path + strspn(path, "/"), all);
    return found;
}

struct host_root_path host_root_path_of(int descriptor)
{
    struct host_root_path path;

    (void)snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", descriptor);
    return path;
}

enum file_outcome host_root_read(struct buf *out, const char *root, const char *path,
                                 size_t max_bytes, struct error *err)
{
    int descriptor AUTO(file_close) = host_root_open(root, path, O_RDONLY);
    struct stat status;

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
