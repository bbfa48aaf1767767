#include "kubelet/bin_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "kubelet/provider_config.h"
#include "kubelet/replace.h"

#define DOCKER_NAME "docker-credential-aliyun-acr"

enum { EXECUTABLE_MAX_BYTES = 64 * 1024 * 1024, EXECUTABLE_MODE = 0755 };

static bool read_own(struct buf *out, struct error *err)
{
    int descriptor AUTO(file_close) = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    if (descriptor < 0)
        return error_set_advised(err, ERROR_CONFIG,
                                 "Mount /proc, or put the program there by other means and leave "
                                 "--bin-dir out",
                                 "cannot open /proc/self/exe: %s", strerror(errno));
    return file_read_stream(out, descriptor, EXECUTABLE_MAX_BYTES, INT64_MAX, err);
}

/* A file or a link that is there already stays: it may be somebody else's. */
static bool link_helper(const struct replace *executable, struct error *err)
{
    return symlinkat(PROVIDER_CONFIG_NAME, executable->directory, DOCKER_NAME) == 0 ||
           errno == EEXIST ||
           error_set(err, ERROR_CONFIG, "cannot make the link " DOCKER_NAME " beside %s: %s",
                     executable->path, strerror(errno));
}

/* Whether a kubelet can run the file, and nobody but root change it. */
static bool is_as_wanted(const struct stat *status)
{
    return (status->st_mode & 07777) == EXECUTABLE_MODE &&
           (geteuid() != 0 || (status->st_uid == 0 && status->st_gid == 0));
}

bool bin_dir_install(bool *changed, const char *directory, bool is_dry_run,
                     const struct system *system, struct error *err)
{
    struct replace file AUTO(replace_clear) = {0};
    struct buf own AUTO(buf_clear) = {0};
    struct buf path AUTO(buf_clear) = {0};

    buf_append_format(&path, "%s/" PROVIDER_CONFIG_NAME, directory);
    if (!replace_open(&file, path.bytes, EXECUTABLE_MAX_BYTES, err))
        return false;
    if (file.kind == REPLACE_DIRECTORY || !file.has_directory)
        return error_set_advised(err, ERROR_CONFIG, "Create it, or name another one by --bin-dir",
                                 "there is no directory for %s", file.path);
    if (!read_own(&own, err))
        return false;
    *changed = file.kind == REPLACE_NOTHING || !is_as_wanted(&file.status) ||
               file.content.length != own.length ||
               memcmp(buf_text(&file.content), buf_text(&own), own.length) != 0;
    return is_dry_run ||
           ((!*changed || replace_write_own(&file, system, &own, EXECUTABLE_MODE, err)) &&
            link_helper(&file, err));
}
