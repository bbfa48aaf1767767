#include "kubelet/host_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/system.h"

enum { READ_WAIT_MS = 5000 };

int host_root_open(const char *root, const char *path, int flags)
{
    /* What O_PATH does not allow is not needed for it either. */
    const int all = flags | O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY);
    const struct open_how how = {.flags = (unsigned)all, .resolve = RESOLVE_IN_ROOT};
    int base AUTO(file_close) = root[0] == '\0' ? -1 : open(root, O_PATH | O_CLOEXEC);

    if (root[0] == '\0')
        return open(path, all);
    if (base < 0)
        return -1;
    /* The C libraries have no function for it. Nothing else keeps links within the root. */
    return (int)syscall(SYS_openat2, base, path, &how, sizeof how);
}

struct host_root_path host_root_path_of(int descriptor)
{
    struct host_root_path path;

    (void)snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", descriptor);
    return path;
}

/* Opening a device can do something, and files of /proc and /sys may never end. */
static bool is_plain_file(int descriptor, const char *path, struct error *err)
{
    struct stat status;
    struct statfs system;

    if (descriptor < 0 || fstat(descriptor, &status) != 0 || fstatfs(descriptor, &system) != 0)
        return error_set(err, ERROR_CONFIG, "cannot open %s: %s", path, strerror(errno));
    return (S_ISREG(status.st_mode) && system.f_type != PROC_SUPER_MAGIC &&
            system.f_type != SYSFS_MAGIC) ||
           error_set(err, ERROR_CONFIG, "%s is not a regular file", path);
}

enum file_outcome host_root_read(struct buf *out, const char *root, const char *path,
                                 size_t max_bytes, struct error *err)
{
    int found AUTO(file_close) = host_root_open(root, path, O_PATH);
    int descriptor AUTO(file_close) = -1;

    if (found < 0 && (errno == ENOENT || errno == ENOTDIR))
        return FILE_ABSENT;
    if (!is_plain_file(found, path, err))
        return FILE_REFUSED;
    descriptor = open(host_root_path_of(found).text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        error_set(err, ERROR_CONFIG, "cannot open %s: %s", path, strerror(errno));
    else if (file_read_stream(out, descriptor, max_bytes, system_mono_ms() + READ_WAIT_MS, err))
        return FILE_READ;
    else
        error_wrap(err, "%s", path);
    err->kind = ERROR_CONFIG;
    return FILE_REFUSED;
}

bool host_root_is_supported(const char *root)
{
    int descriptor AUTO(file_close) = host_root_open(root, "/", O_PATH);

    return descriptor >= 0;
}
