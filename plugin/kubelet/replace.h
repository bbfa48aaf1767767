/* A file of another program on disk: read it, and put another in its place as a whole, so that
 * nobody ever sees half a file. What was checked is what is replaced: everything happens in the
 * directory that replace_open() has opened. */
#ifndef KUBELET_REPLACE_H
#define KUBELET_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/system.h"

enum replace_kind {
    REPLACE_NOTHING, /* neither a file nor a directory has that name */
    REPLACE_FILE,
    REPLACE_DIRECTORY,
};

/* `{0}` is empty. */
struct replace {
    enum replace_kind kind;
    char *path;         /* owned; without symbolic links if something has that name */
    bool has_directory; /* for the next two: not for directories, nor if its own is missing */
    int directory;
    const char *name;   /* in it; borrowed from the path */
    struct stat status; /* of a file, as the content */
    struct buf content;
};

/* Opens what `path` names and reads a file: a regular one of at most `max_bytes` bytes. To root, a
 * symbolic link and the directory of a file must be root's own. Fails with ERROR_CONFIG; `out` is
 * to be cleared then too. */
CHECKED bool replace_open(struct replace *out, const char *path, size_t max_bytes,
                          struct error *err);

void replace_clear(struct replace *file);

/* Writes a file that has a directory: with the owner and the mode of the one that is there, of
 * which a copy is kept as NAME.bak unless there is a NAME.bak, else with `new_mode`; `is_kept`
 * tells whether it was. Fails with ERROR_CONFIG, or with ERROR_TEMPORARY if the file has changed
 * since it was read; it is left as it is then. */
CHECKED bool replace_write(const struct replace *file, const struct system *system,
                           const struct buf *content, mode_t new_mode, bool *is_kept,
                           struct error *err);

/* Writes it always with this mode and this process's user and group, and keeps nothing. */
CHECKED bool replace_write_own(const struct replace *file, const struct system *system,
                               const struct buf *content, mode_t mode, struct error *err);

/* Renames a file to NAME.bak, or removes it if there is a NAME.bak. Fails in the same way. */
CHECKED bool replace_remove(const struct replace *file, bool *is_kept, struct error *err);

#endif
