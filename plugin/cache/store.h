/* The on-node cache: records in a directory that nobody else can enter, each in a file of its own,
 * replaced by rename, so that a process killed at any instruction leaves the old record, the new
 * one or none. No failure here is an error: what cannot be read is a miss, what cannot be written
 * is not kept, and the log says why. Every function takes NULL for "no cache". */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/digest.h"
#include "base/system.h"
#include "cache/record.h"

/* All there are, so that old files of each kind are removed. */
enum store_kind {
    STORE_TOKEN,    /* a registry token */
    STORE_FAILURE,  /* why there is none, for the processes that wait for it */
    STORE_INSTANCE, /* the ACR instance id of a registry host */
    STORE_NODE,     /* session token, role and region of the metadata service */
};

/* `{0}` is closed. */
struct store {
    const struct system *system; /* borrowed */
    bool is_open;
    bool is_quiet; /* unusable files are not reported, since they have been already */
    int directory; /* a descriptor while open */
    char boot_id[RECORD_BOOT_ID_SIZE];
};

/* Opens the directory, making it (0700) if it does not exist. False, with the reason in the log, if
 * it is not a directory of the effective user that is closed to everybody else. */
CHECKED bool store_open(struct store *out, const struct system *system, const char *path);

void store_close(struct store *store);

/* Reads a record that is whole, was made since the last boot and has not expired; `remaining_s` is
 * the rest of its life. An unusable file stays until the next write replaces it: another process
 * may be replacing it already. */
CHECKED bool store_read(struct record *out, int64_t *remaining_s, const struct store *store,
                        enum store_kind kind, const char *key);

/* Keeps a record: key, life and values are the caller's, the rest is filled in here. Removes files
 * that have become too old. */
void store_write(const struct store *store, enum store_kind kind, struct record *record);

/* How many records of this kind can be used. */
size_t store_count(const struct store *store, enum store_kind kind);

void store_remove(const struct store *store, enum store_kind kind, const char *key);

/* Tries to lock a key, without waiting. False if another process has the lock. `lock` is to be
 * closed by file_close(), which unlocks; -1 where the file system cannot lock, so that there is
 * nobody to wait for. */
CHECKED bool store_try_lock(int *lock, const struct store *store, const char *key);

#endif
