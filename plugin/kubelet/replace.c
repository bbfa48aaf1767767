#include "kubelet/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"

#define ADVICE_READ  "Name a file that can be read"
#define ADVICE_WRITE "Run it as a user who may write there, such as root, and check the file system"

static bool fail(const struct replace *file, const char *advice, const char *what,
                 struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG, advice, "cannot %s %s: %s", what, file->path,
                             strerror(errno));
}

/* -- reading -- */

static bool is_absent(void)
{
    return errno == ENOENT || errno == ENOTDIR;
}

/* Opens the directory of the path. False, with errno, if it cannot. */
static bool open_directory(struct replace *file)
{
    const char *slash = strrchr(file->path, '/');
    char *folder = slash == NULL ? alloc_string(".")
                                 : alloc_string_of(file->path, (size_t)(slash + 1 - file->path));

    file->name = slash == NULL ? file->path : slash + 1;
    file->directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    file->has_directory = file->directory >= 0;
    free(folder);
    return file->has_directory;
}

static bool open_nothing(struct replace *out, struct error *err)
{
    struct stat status;

    if (lstat(out->path, &status) == 0)
        return error_set_advised(err, ERROR_CONFIG, "Remove the link, or create what it names",
                                 "%s is a symbolic link to nothing", out->path);
    if (text_ends_with(out->path, "/") || open_directory(out) || is_absent())
        return true;
    return fail(out, ADVICE_READ, "open the directory of", err);
}

static bool read_file(struct replace *out, size_t max_bytes, struct error *err)
{
    /* Non-blocking, so that opening a FIFO does not hang. */
    int descriptor AUTO(file_close) = openat(
        out->directory, out->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (descriptor < 0 || fstat(descriptor, &out->status) != 0)
        return fail(out, ADVICE_READ, "open", err);
    if (!S_ISREG(out->status.st_mode))
        return error_set_advised(err, ERROR_CONFIG, ADVICE_READ, "%s is not a regular file",
                                 out->path);
    if (file_read_stream(&out->content, descriptor, max_bytes, INT64_MAX, err))
        return true;
    err->kind = ERROR_CONFIG;
    (void)error_advise(err, ADVICE_READ);
    return error_wrap(err, "%.200s", out->path);
}

bool replace_open(struct replace *out, const char *path, size_t max_bytes, struct error *err)
{
    char *real = realpath(path, NULL);
    struct stat status;

    *out = (struct replace){.path = real != NULL ? real : alloc_string(path)};
    if (real == NULL)
        return is_absent() ? open_nothing(out, err) : fail(out, ADVICE_READ, "open", err);
    if (stat(real, &status) == 0 && S_ISDIR(status.st_mode)) {
        out->kind = REPLACE_DIRECTORY;
        return true;
    }
    out->kind = REPLACE_FILE;
    if (!open_directory(out))
        return fail(out, ADVICE_READ, "open the directory of", err);
    return read_file(out, max_bytes, err);
}

void replace_clear(struct replace *file)
{
    if (file->has_directory)
        (void)close(file->directory);
    free(file->path);
    buf_clear(&file->content);
    *file = (struct replace){0};
}

/* -- writing -- */

/* A name that does not count in a directory of configurations. */
enum { BACKUP_SIZE = NAME_MAX + sizeof ".bak" };

static void name_backup(char out[BACKUP_SIZE], const struct replace *file)
{
    text_join(out, BACKUP_SIZE, file->name, "", ".bak");
}

static bool is_unchanged(const struct replace *file)
{
    const struct stat *old = &file->status;
    struct stat now;

    if (fstatat(file->directory, file->name, &now, AT_SYMLINK_NOFOLLOW) != 0)
        return file->kind == REPLACE_NOTHING && errno == ENOENT;
    return file->kind == REPLACE_FILE && now.st_dev == old->st_dev && now.st_ino == old->st_ino &&
           now.st_ctim.tv_sec == old->st_ctim.tv_sec && now.st_ctim.tv_nsec == old->st_ctim.tv_nsec;
}

static bool rename_file(const struct replace *file, const char *from, const char *to,
                        struct error *err)
{
    if (!is_unchanged(file))
        return error_set_advised(err, ERROR_TEMPORARY, "Run it again",
                                 "somebody else has changed %s meanwhile", file->path);
    if (renameat(file->directory, from, file->directory, to) != 0)
        return fail(file, ADVICE_WRITE, "rename what becomes", err);
    /* So that the new name is on disk before anything that follows. */
    (void)fsync(file->directory);
    return true;
}

static bool fill(const struct replace *file, int descriptor, const struct buf *content,
                 mode_t new_mode, struct error *err)
{
    const struct stat *old = &file->status;
    const bool is_new = file->kind == REPLACE_NOTHING;

    if (!file_write_all(descriptor, content->bytes, content->length, err)) {
        err->kind = ERROR_CONFIG;
        return error_advise(err, ADVICE_WRITE);
    }
    /* Changing the owner may take bits from the mode. */
    return ((is_new || fchown(descriptor, old->st_uid, old->st_gid) == 0) &&
            fchmod(descriptor, is_new ? new_mode : old->st_mode & 07777) == 0 &&
            fsync(descriptor) == 0) ||
           fail(file, ADVICE_WRITE, "write what becomes", err);
}

static bool write_file(const struct replace *file, const char *name, const struct system *system,
                       const struct buf *content, mode_t new_mode, struct error *err)
{
    unsigned char random[8];
    char temporary[sizeof ".new-" + 2 * sizeof random] = ".new-";
    int descriptor AUTO(file_close) = -1;

    system->random_bytes(random, sizeof random);
    text_hex(temporary + strlen(temporary), random, sizeof random);
    descriptor = openat(file->directory, temporary,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        return fail(file, ADVICE_WRITE, "make a file beside", err);
    if (fill(file, descriptor, content, new_mode, err) && rename_file(file, temporary, name, err))
        return true;
    (void)unlinkat(file->directory, temporary, 0);
    return false;
}

bool replace_write(const struct replace *file, const struct system *system,
                   const struct buf *content, mode_t new_mode, struct error *err)
{
    char backup[BACKUP_SIZE];

    name_backup(backup, file);
    return (file->kind == REPLACE_NOTHING ||
            write_file(file, backup, system, &file->content, new_mode, err)) &&
           write_file(file, file->name, system, content, new_mode, err);
}

bool replace_remove(const struct replace *file, struct error *err)
{
    char backup[BACKUP_SIZE];

    name_backup(backup, file);
    return rename_file(file, file->name, backup, err);
}
