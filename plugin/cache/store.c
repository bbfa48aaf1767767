#include "cache/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

/* Leftovers of killed processes, and what nobody asks for any more. */
enum { TEMPORARY_MAX_AGE_S = 60, FILE_MAX_AGE_S = 24 * 3600, SWEEP_MAX_FILES = 10000 };

#define TEMPORARY_PREFIX "new-"
#define LOCK_PREFIX      "lock-"
enum { TEMPORARY_DIGITS = 16 };

static bool is_ours(const struct stat *status)
{
    return status->st_uid == geteuid() && (status->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* Tells one run of the system from the next, in which the clock that ages are measured by starts
 * anew. */
static bool read_boot_id(char out[RECORD_BOOT_ID_SIZE])
{
    int descriptor AUTO(file_close) = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = descriptor < 0 ? -1 : read(descriptor, out, RECORD_BOOT_ID_SIZE - 1);

    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return out[0] != '\0';
}

void store_open(struct store *out, const char *path)
{
    struct stat status;
    char directory[PATH_MAX];
    size_t length;

    *out = (struct store){.directory = -1};
    /* A slash at its end would have a symbolic link followed. */
    (void)text_copy(directory, sizeof directory, path);
    for (length = strlen(directory); length > 1 && directory[length - 1] == '/'; length--)
        directory[length - 1] = '\0';
    if (mkdir(directory, S_IRWXU) != 0 && errno != EEXIST) {
        log_info("no cache: cannot make %s: %s", directory, strerror(errno));
        return;
    }
    out->directory = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (out->directory < 0) {
        log_warning("no cache: cannot open %s: %s", directory, strerror(errno));
        return;
    }
    if (fstat(out->directory, &status) != 0 || !is_ours(&status))
        log_warning("no cache: %s must belong to this user and be closed to others (mode 0700)",
                    directory);
    else if (!read_boot_id(out->boot_id))
        log_info("no cache: the system does not tell its boot id");
    else
        out->is_open = true;
}

void store_close(struct store *store)
{
    if (store->directory > 0)
        (void)close(store->directory);
    *store = (struct store){0};
}

static void name_file(char out[STORE_NAME_SIZE], const char *kind, const char *key)
{
    text_join(out, STORE_NAME_SIZE, kind, "-", key);
}

static bool read_file(struct buf *out, const struct store *store, const char *name)
{
    int descriptor AUTO(file_close) =
        openat(store->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    struct error err;

    if (descriptor < 0 && errno == ENOENT)
        return false;
    /* A link less means that the file was replaced since it was opened: it is whole all the same.
     */
    if (descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_nlink <= 1 && is_ours(&status) && status.st_size <= RECORD_MAX_BYTES &&
        file_read_stream(out, descriptor, RECORD_MAX_BYTES, INT64_MAX, ERROR_INTERNAL, &err))
        return true;
    log_warning("cache: %s is not a file of our own; ignoring it", name);
    return false;
}

bool store_read(struct record *out, int64_t *left_s, const struct store *store, const char *kind,
                const char *key)
{
    struct buf file AUTO(buf_clear) = {0};
    struct error err = {0};
    char name[STORE_NAME_SIZE];
    int64_t age_ms;

    if (!store->is_open)
        return false;
    name_file(name, kind, key);
    if (!read_file(&file, store, name))
        return false;
    if (!record_decode(out, file.bytes, file.length, &err) || strcmp(out->key, key) != 0) {
        log_warning("cache: %s is damaged; ignoring it", name);
        return false;
    }
    age_ms = clock_boot_ms() - out->made_at_ms;
    *left_s = out->life_s - age_ms / 1000 - 1;
    return strcmp(out->boot_id, store->boot_id) == 0 && age_ms >= 0 && *left_s > 0;
}

static bool ends_with_hex(const char *name, size_t digits)
{
    size_t length = strlen(name);

    return length > digits && name[length - digits - 1] == '-' &&
           strspn(name + length - digits, "0123456789abcdef") == digits;
}

/* Whether it is a record's or a lock's. */
static bool is_name_of_ours(const char *name)
{
    static const char *const prefixes[] = {"token-", "failure-", "instance-", "node-", LOCK_PREFIX};

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (text_starts_with(name, prefixes[i]))
            return ends_with_hex(name, DIGEST_HEX_SIZE - 1);
    }
    return false;
}

/* How old a file may become; a name that we do not give is for somebody else to remove, for any
 * directory can be named as ours. */
static int64_t max_age_s(const char *name)
{
    if (text_starts_with(name, TEMPORARY_PREFIX) && ends_with_hex(name, TEMPORARY_DIGITS))
        return TEMPORARY_MAX_AGE_S;
    return is_name_of_ours(name) ? FILE_MAX_AGE_S : INT64_MAX;
}

/* Takes the lock that a name leads to, without waiting. False, with errno, if somebody else has it
 * or it cannot be locked. */
static bool take_lock(int descriptor, const struct store *store, const char *name)
{
    struct stat ours;
    struct stat named;

    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        return false;
    /* It may have been swept away before it was locked; the next one would lock another file. */
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

/* Removes a file or an empty directory. */
static void remove_name(const struct store *store, const char *name)
{
    if (unlinkat(store->directory, name, 0) != 0)
        (void)unlinkat(store->directory, name, AT_REMOVEDIR);
}

/* A lock that somebody has is in use, however old it looks by a clock that was set. */
static void remove_old(const struct store *store, const char *name)
{
    int lock AUTO(file_close) = -1;

    if (text_starts_with(name, LOCK_PREFIX)) {
        lock = open_lock(store, name);
        if (lock >= 0 && !take_lock(lock, store, name))
            return;
    }
    remove_name(store, name);
}

/* Removes what is too old to be of use to anybody. */
static void sweep(const struct store *store)
{
    int descriptor = openat(store->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);
    const struct dirent *entry;
    int64_t now_s = clock_wall_s();

    if (directory == NULL) {
        file_close(&descriptor);
        return;
    }
    for (int i = 0; i < SWEEP_MAX_FILES && (entry = readdir(directory)) != NULL; i++) {
        struct stat status;

        if (fstatat(store->directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            !S_ISDIR(status.st_mode) && now_s - (int64_t)status.st_mtime > max_age_s(entry->d_name))
            remove_old(store, entry->d_name);
    }
    (void)closedir(directory);
}

/* Replaces whatever has the name; a directory must be removed for that. */
static bool move(const struct store *store, const char *from, const char *to)
{
    if (renameat(store->directory, from, store->directory, to) == 0)
        return true;
    return errno == EISDIR && unlinkat(store->directory, to, AT_REMOVEDIR) == 0 &&
           renameat(store->directory, from, store->directory, to) == 0;
}

static bool write_file(const struct store *store, const char *name, const struct buf *content,
                       struct error *err)
{
    unsigned char random[TEMPORARY_DIGITS / 2];
    char temporary[sizeof TEMPORARY_PREFIX + 2 * sizeof random] = TEMPORARY_PREFIX;
    int descriptor AUTO(file_close) = -1;

    random_bytes(random, sizeof random);
    text_hex(temporary + strlen(TEMPORARY_PREFIX), random, sizeof random);
    descriptor = openat(store->directory, temporary,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        return error_set(err, ERROR_INTERNAL, "cannot make a file: %s", strerror(errno));
    if (file_write_all(descriptor, content->bytes, content->length, err) &&
        (move(store, temporary, name) ||
         error_set(err, ERROR_INTERNAL, "cannot rename a file: %s", strerror(errno))))
        return true;
    (void)unlinkat(store->directory, temporary, 0);
    return false;
}

void store_write(const struct store *store, const char *kind, struct record *record)
{
    struct buf content AUTO(buf_clear) = {0};
    struct error err = {0};
    char name[STORE_NAME_SIZE];

    if (!store->is_open)
        return;
    (void)text_copy(record->boot_id, sizeof record->boot_id, store->boot_id);
    record->made_at_ms = clock_boot_ms();
    name_file(name, kind, record->key);
    sweep(store);
    if (!record_encode(&content, record, &err) || !write_file(store, name, &content, &err))
        log_warning("cache: %s was not kept: %s", name, err.cause);
}

void store_remove(const struct store *store, const char *kind, const char *key)
{
    char name[STORE_NAME_SIZE];

    if (!store->is_open)
        return;
    name_file(name, kind, key);
    (void)unlinkat(store->directory, name, 0);
}

static void name_lock(char out[STORE_NAME_SIZE], const char *key)
{
    text_join(out, STORE_NAME_SIZE, LOCK_PREFIX, "", key);
}

enum store_lock store_try_lock(int *descriptor, const struct store *store, const char *key)
{
    char name[STORE_NAME_SIZE];
    bool is_busy;

    name_lock(name, key);
    *descriptor = open_lock(store, name);
    if (*descriptor < 0 && (errno == ELOOP || errno == EISDIR)) {
        remove_name(store, name);
        *descriptor = open_lock(store, name);
    }
    if (*descriptor < 0) {
        log_info("cache: cannot open %s: %s", name, strerror(errno));
        return STORE_NOT_LOCKABLE;
    }
    if (take_lock(*descriptor, store, name)) {
        /* A lock that is used is not swept away as too old. */
        (void)futimens(*descriptor, NULL);
        return STORE_LOCKED;
    }
    is_busy = errno == EWOULDBLOCK;
    (void)close(*descriptor);
    *descriptor = -1;
    return is_busy ? STORE_BUSY : STORE_NOT_LOCKABLE;
}

/* -- waiting: the system wakes all who wait at once, so that nobody need look again and again -- */

static void on_time(int unused)
{
    (void)unused;
}

/* Interrupts a call of the system that waits, by a signal that does nothing else. */
static bool start_timer(timer_t *timer, int64_t after_ms)
{
    enum { AGAIN_MS = 10 }; /* should the first come before the call */
    const struct sigaction action = {.sa_handler = on_time};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    const struct itimerspec when = {
        .it_value = {.tv_sec = after_ms / 1000, .tv_nsec = after_ms % 1000 * 1000000},
        .it_interval = {.tv_nsec = (long)AGAIN_MS * 1000000}};

    sigset_t its;

    (void)sigemptyset(&its);
    (void)sigaddset(&its, SIGUSR1);
    if (sigaction(SIGUSR1, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &its, NULL) != 0 ||
        timer_create(CLOCK_MONOTONIC, &event, timer) != 0)
        return false;
    if (timer_settime(*timer, 0, &when, NULL) == 0)
        return true;
    (void)timer_delete(*timer);
    return false;
}

void store_wait(const struct store *store, const char *key, int64_t until_ms)
{
    int64_t left_ms = until_ms - clock_mono_ms();
    char name[STORE_NAME_SIZE];
    int lock AUTO(file_close) = -1;
    timer_t timer;

    name_lock(name, key);
    lock = open_lock(store, name);
    if (lock < 0 || left_ms <= 0 || !start_timer(&timer, left_ms))
        return;
    /* Shared: who works has it for itself, all who wait get it together. */
    (void)flock(lock, LOCK_SH);
    (void)timer_delete(timer);
}
