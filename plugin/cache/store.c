#include "cache/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

enum { KEY_LENGTH = DIGEST_HEX_SIZE - 1, NAME_SIZE = 16 + DIGEST_HEX_SIZE };

/* Older files are not used by anybody; a temporary one was left over by a killed process. */
enum { FILE_MAX_AGE_S = 24 * 3600, TEMPORARY_MAX_AGE_S = 60, SWEEP_MAX_FILES = 10000 };

/* All names in a cache: one of these, and a key in hex. */
enum { LOCK = STORE_NODE + 1, TEMPORARY };
static const char *const prefixes[] = {[STORE_TOKEN] = "token-",
                                       [STORE_FAILURE] = "failure-",
                                       [STORE_INSTANCE] = "instance-",
                                       [STORE_NODE] = "node-",
                                       [LOCK] = "lock-",
                                       [TEMPORARY] = "new-"};

static bool is_private(const struct stat *status)
{
    return status->st_uid == geteuid() && (status->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* The boot clock, by which ages are measured, starts again with each boot. */
static bool read_boot_id(char out[RECORD_BOOT_ID_SIZE])
{
    int descriptor AUTO(file_close) = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = descriptor < 0 ? -1 : read(descriptor, out, RECORD_BOOT_ID_SIZE - 1);

    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return out[0] != '\0';
}

bool store_open(struct store *out, const struct system *system, const char *path)
{
    struct stat status;
    char directory[PATH_MAX];
    size_t length;
    int descriptor;

    text_copy(directory, sizeof directory, path);
    /* A slash at the end would make open() follow a symbolic link. */
    for (length = strlen(directory); length > 1 && directory[length - 1] == '/'; length--)
        directory[length - 1] = '\0';
    if (mkdir(directory, S_IRWXU) != 0 && errno != EEXIST) {
        /* A parent that does not exist was misspelt; without root, /run cannot be written. */
        log_line(errno == ENOENT ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
                 "no cache: cannot make %s: %s", directory, strerror(errno));
        return false;
    }
    descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) {
        log_warning("no cache: cannot open %s: %s", directory, strerror(errno));
        return false;
    }
    *out = (struct store){.system = system, .is_open = true, .directory = descriptor};
    if (fstat(descriptor, &status) != 0 || !is_private(&status))
        log_warning("no cache: %s must belong to this user and be closed to others (mode 0700)",
                    directory);
    else if (!read_boot_id(out->boot_id))
        log_warning("no cache: cannot read the boot id of the system from /proc");
    else
        return true;
    store_close(out);
    return false;
}

void store_close(struct store *store)
{
    if (store->is_open)
        (void)close(store->directory);
    *store = (struct store){0};
}

static void name_file(char out[NAME_SIZE], unsigned prefix, const char *key)
{
    text_join(out, NAME_SIZE, prefixes[prefix], "", key);
}

static bool warn(const struct store *store, const char *name, const char *problem)
{
    if (!store->is_quiet)
        log_warning("cache: %s %s; ignoring it", name, problem);
    return false;
}

static bool read_file(struct buf *out, const struct store *store, const char *name)
{
    int descriptor AUTO(file_close) =
        openat(store->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    struct error err;

    if (descriptor < 0 && errno == ENOENT)
        return false;
    /* No link: the file was replaced since it was opened, and is whole all the same. */
    if (descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_nlink <= 1 && is_private(&status) && status.st_size <= RECORD_MAX_BYTES &&
        file_read_stream(out, descriptor, RECORD_MAX_BYTES, INT64_MAX, &err))
        return true;
    return warn(store, name, "is not a private file of this user");
}

bool store_read(struct record *out, int64_t *remaining_s, const struct store *store,
                enum store_kind kind, const char *key)
{
    struct buf file AUTO(buf_clear) = {0};
    struct error err = {0};
    char name[NAME_SIZE];
    int64_t age_ms;

    if (store == NULL)
        return false;
    name_file(name, kind, key);
    if (!read_file(&file, store, name))
        return false;
    if (!record_decode(out, file.bytes, file.length, &err) || strcmp(out->key, key) != 0)
        return warn(store, name, "is damaged");
    age_ms = store->system->boot_ms() - out->made_at_ms;
    *remaining_s = out->life_s - age_ms / 1000 - 1;
    return strcmp(out->boot_id, store->boot_id) == 0 && age_ms >= 0 && *remaining_s > 0;
}

/* Files with other names than ours are never removed: any directory can be configured. */
static int64_t max_age_s(const char *name)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);

        if (text_starts_with(name, prefixes[i]) && strlen(name) == length + KEY_LENGTH &&
            strspn(name + length, "0123456789abcdef") == KEY_LENGTH)
            return i == TEMPORARY ? TEMPORARY_MAX_AGE_S : FILE_MAX_AGE_S;
    }
    return INT64_MAX;
}

/* Locks the open file `name`, without waiting. False, with errno, if another process has the lock
 * or the file system cannot lock. */
static bool lock_file(int descriptor, const struct store *store, const char *name)
{
    struct stat ours;
    struct stat named;

    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        return false;
    /* The file may have been removed before it was locked: others would lock a new one. */
    if (fstat(descriptor, &ours) == 0 &&
        fstatat(store->directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
        return true;
    errno = EWOULDBLOCK;
    return false;
}

static int open_lock(const struct store *store, const char *name)
{
    return openat(store->directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                  S_IRUSR | S_IWUSR);
}

/* A lock that is held is in use, however old it looks after the wall clock was set. */
static void remove_old(const struct store *store, const char *name)
{
    int lock AUTO(file_close) = -1;

    if (text_starts_with(name, prefixes[LOCK])) {
        lock = open_lock(store, name);
        if (lock >= 0 && !lock_file(lock, store, name))
            return;
    }
    (void)unlinkat(store->directory, name, 0);
}

static void remove_all_old(const struct store *store)
{
    DIR *directory = fdopendir(openat(store->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *entry;
    int64_t now_s = store->system->wall_s();

    if (directory == NULL)
        return;
    for (int i = 0; i < SWEEP_MAX_FILES && (entry = readdir(directory)) != NULL; i++) {
        struct stat status;

        if (fstatat(store->directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            !S_ISDIR(status.st_mode) && now_s - (int64_t)status.st_mtime > max_age_s(entry->d_name))
            remove_old(store, entry->d_name);
    }
    (void)closedir(directory);
}

/* Replaces whatever has that name, an empty directory too. */
static bool replace(const struct store *store, const char *from, const char *to)
{
    if (renameat(store->directory, from, store->directory, to) == 0)
        return true;
    return errno == EISDIR && unlinkat(store->directory, to, AT_REMOVEDIR) == 0 &&
           renameat(store->directory, from, store->directory, to) == 0;
}

static bool write_file(const struct store *store, const char *name, const struct buf *content,
                       struct error *err)
{
    unsigned char random[KEY_LENGTH / 2];
    char key[DIGEST_HEX_SIZE];
    char temporary[NAME_SIZE];
    int descriptor AUTO(file_close) = -1;

    store->system->random_bytes(random, sizeof random);
    text_hex(key, random, sizeof random);
    name_file(temporary, TEMPORARY, key);
    descriptor = openat(store->directory, temporary,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        return error_set(err, ERROR_INTERNAL, "cannot make a file: %s", strerror(errno));
    if (file_write_all(descriptor, content->bytes, content->length, err) &&
        (replace(store, temporary, name) ||
         error_set(err, ERROR_INTERNAL, "cannot rename a file: %s", strerror(errno))))
        return true;
    (void)unlinkat(store->directory, temporary, 0);
    return false;
}

void store_write(const struct store *store, enum store_kind kind, struct record *record)
{
    struct buf content AUTO(buf_clear) = {0};
    struct error err = {0};
    char name[NAME_SIZE];

    if (store == NULL)
        return;
    (void)text_copy(record->boot_id, sizeof record->boot_id, store->boot_id);
    record->made_at_ms = store->system->boot_ms();
    name_file(name, kind, record->key);
    remove_all_old(store);
    if (!record_encode(&content, record, &err) || !write_file(store, name, &content, &err))
        log_warning("cache: %s was not kept: %s", name, err.cause);
}

size_t store_count(const struct store *store, enum store_kind kind)
{
    DIR *directory = fdopendir(openat(store->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *entry;
    size_t count = 0;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        struct record record AUTO(record_clear) = {0};
        int64_t remaining_s;

        if (text_starts_with(entry->d_name, prefixes[kind]) &&
            store_read(&record, &remaining_s, store, kind, entry->d_name + strlen(prefixes[kind])))
            count++;
    }
    if (directory != NULL)
        (void)closedir(directory);
    return count;
}

void store_remove(const struct store *store, enum store_kind kind, const char *key)
{
    char name[NAME_SIZE];

    if (store == NULL)
        return;
    name_file(name, kind, key);
    (void)unlinkat(store->directory, name, 0);
}

bool store_try_lock(int *lock, const struct store *store, const char *key)
{
    char name[NAME_SIZE];
    bool is_busy;

    name_file(name, LOCK, key);
    *lock = open_lock(store, name);
    /* A symbolic link or an empty directory in its place is removed. */
    if (*lock < 0 && (errno == ELOOP || errno == EISDIR) &&
        unlinkat(store->directory, name, errno == EISDIR ? AT_REMOVEDIR : 0) == 0)
        *lock = open_lock(store, name);
    if (*lock >= 0 && lock_file(*lock, store, name)) {
        /* A lock in use does not become too old. */
        (void)futimens(*lock, NULL);
        return true;
    }
    is_busy = *lock >= 0 && errno == EWOULDBLOCK;
    if (!is_busy)
        log_info("cache: cannot lock %s: %s", name, strerror(errno));
    file_close(lock);
    *lock = -1;
    return !is_busy;
}
