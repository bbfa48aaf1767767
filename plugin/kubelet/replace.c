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

/* Root writes only where no other user decides what the path leads to. */
static bool check_owner(const struct stat *status, const char *path, const char *what,
                        struct error *err)
{
    if (geteuid() != 0 || status->st_uid == 0)
        return true;
    return error_set_advised(err, ERROR_CONFIG, "Run it as that user, or name a file of root's",
                             "%s: %s belongs to user %u, not to root", path, what, status->st_uid);
}

static bool check_directory(const struct replace *file, struct error *err)
{
    struct stat status;

    if (fstat(file->directory, &status) != 0)
        return fail(file, ADVICE_READ, "open the directory of", err);
    return check_owner(&status, file->path, "its directory", err);
}

static bool open_nothing(struct replace *out, struct error *err)
{
    struct stat status;

    if (lstat(out->path, &status) == 0)
        return error_set_advised(err, ERROR_CONFIG, "Remove the link, or create what it names",
                                 "%s is a symbolic link to nothing", out->path);
    if (text_ends_with(out->path, "/"))
        return true;
    if (open_directory(out))
        return check_directory(out, err);
    return is_absent() || fail(out, ADVICE_READ, "open the directory of", err);
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
    if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode) &&
        !check_owner(&status, path, "the symbolic link", err))
        return false;
    if (stat(real, &status) == 0 && S_ISDIR(status.st_mode)) {
        out->kind = REPLACE_DIRECTORY;
        return true;
    }
    out->kind = REPLACE_FILE;
    if (!open_directory(out))
        return fail(out, ADVICE_READ, "open the directory of", err);
    return check_directory(out, err) && read_file(out, max_bytes, err);
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

/* Whether a file is to be kept under that name: the first backup stays. */
static bool name_backup(char out[BACKUP_SIZE], const struct replace *file)
{
    struct stat status;

    text_join(out, BACKUP_SIZE, file->name, "", ".bak");
    return file->kind == REPLACE_FILE &&
           fstatat(file->directory, out, &status, AT_SYMLINK_NOFOLLOW) != 0;
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

static bool fail_changed(const struct replace *file, struct error *err)
{
    return error_set_advised(err, ERROR_TEMPORARY, "Run it again",
                             "somebody else has changed %s meanwhile", file->path);
}

/* Not all file systems can refuse to replace; the caller has looked before. */
static bool rename_to_new(int directory, const char *from, const char *to)
{
    if (renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0)
        return true;
    return (errno == ENOSYS || errno == EINVAL) && renameat(directory, from, directory, to) == 0;
}

static bool rename_file(const struct replace *file, const char *from, const char *to,
                        struct error *err)
{
    const bool replaces = file->kind == REPLACE_FILE && strcmp(to, file->name) == 0;

    if (!is_unchanged(file))
        return fail_changed(file, err);
    if (!(replaces ? renameat(file->directory, from, file->directory, to) == 0
                   : rename_to_new(file->directory, from, to)))
        return errno == EEXIST ? fail_changed(file, err)
                               : fail(file, ADVICE_WRITE, "rename what becomes", err);
    /* So that the new name is on disk before anything that follows. */
    (void)fsync(file->directory);
    return true;
}

static bool fill(const struct replace *file, int descriptor, const struct buf *content,
                 const struct stat *wanted, struct error *err)
{
    if (!file_write_all(descriptor, content->bytes, content->length, err)) {
        err->kind = ERROR_CONFIG;
        return error_advise(err, ADVICE_WRITE);
    }
    /* Changing the owner may take bits from the mode. */
    return (fchown(descriptor, wanted->st_uid, wanted->st_gid) == 0 &&
            fchmod(descriptor, wanted->st_mode & 07777) == 0 && fsync(descriptor) == 0) ||
           fail(file, ADVICE_WRITE, "write what becomes", err);
}

static bool write_file(const struct replace *file, const char *name, const struct system *system,
                       const struct buf *content, const struct stat *wanted, struct error *err)
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
    if (fill(file, descriptor, content, wanted, err) && rename_file(file, temporary, name, err))
        return true;
    (void)unlinkat(file->directory, temporary, 0);
    return false;
}

bool replace_write(const struct replace *file, const struct system *system,
                   const struct buf *content, mode_t new_mode, bool *is_kept, struct error *err)
{
    /* -1 leaves what the directory gives. */
    const struct stat fresh = {.st_mode = new_mode, .st_uid = (uid_t)-1, .st_gid = (gid_t)-1};
    const struct stat *wanted = file->kind == REPLACE_FILE ? &file->status : &fresh;
    char backup[BACKUP_SIZE];

    *is_kept = name_backup(backup, file);
    return (!*is_kept || write_file(file, backup, system, &file->content, wanted, err)) &&
           write_file(file, file->name, system, content, wanted, err);
}

bool replace_write_own(const struct replace *file, const struct system *system,
                       const struct buf *content, mode_t mode, struct error *err)
{
    const struct stat wanted = {.st_mode = mode, .st_uid = geteuid(), .st_gid = getegid()};

    return write_file(file, file->name, system, content, &wanted, err);
}

bool replace_remove(const struct replace *file, bool *is_kept, struct error *err)
{
    char backup[BACKUP_SIZE];

    *is_kept = name_backup(backup, file);
    if (*is_kept)
        return rename_file(file, file->name, backup, err);
    if (!is_unchanged(file))
        return fail_changed(file, err);
    return unlinkat(file->directory, file->name, 0) == 0 || fail(file, ADVICE_WRITE, "remove", err);
}
