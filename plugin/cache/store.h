/* Records in a directory that nobody else can enter: each in a file of its own, replaced by rename,
 * so that a process killed at any instruction leaves the old one, the new one or none. Nothing here
 * is an error: what cannot be read is not there, what cannot be written was not kept, and the log
 * says why. */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "cache/record.h"

enum { STORE_NAME_SIZE = 16 + DIGEST_HEX_SIZE };

/* `{0}` is closed. */
struct store {
    int directory; /* a descriptor, once open */
    bool is_open;
    char boot_id[RECORD_BOOT_ID_SIZE];
};

/* Opens the directory, making it (0700) if it is not there. Left closed if it is not a directory of
 * our own that is closed to everybody else. */
void store_open(struct store *out, const char *path);

void store_close(struct store *store);

/* Reads the record of a kind ("token") and a key, if there is one, whole, of this run of the
 * system, not from the future, and with life left; `left_s` is what is left. False if not. A file
 * that is not such a record, or is not safely ours, stays until the next write replaces it: another
 * process may have put a better one in its place already. */
bool store_read(struct record *out, int64_t *left_s, const struct store *store, const char *kind,
                const char *key);

/* Keeps a record: key, life and values are the caller's, the rest is filled in here. */
void store_write(const struct store *store, const char *kind, struct record *record);

void store_remove(const struct store *store, const char *kind, const char *key);

/* What the lock of a key is tried with. */
enum store_lock {
    STORE_LOCKED,      /* this process is the only one; the caller closes the descriptor, as the
                        * system does for a process that was killed */
    STORE_BUSY,        /* another one is */
    STORE_NOT_LOCKABLE /* the file system does not let us: nobody is to be waited for */
};

/* Tries to be the only one who works on a key, without waiting. */
enum store_lock store_try_lock(int *descriptor, const struct store *store, const char *key);

/* Waits until whoever works on a key has ended, or `until_ms` (monotonic) has come. */
void store_wait(const struct store *store, const char *key, int64_t until_ms);

#endif
