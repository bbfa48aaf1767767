/* A file of the on-node cache: a few strings that expire. The first line is the SHA-256 of the JSON
 * document that follows, so that half a file or a changed one is not mistaken for a whole one. */
#ifndef CACHE_RECORD_H
#define CACHE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/secret.h"

enum { RECORD_MAX_BYTES = 64 * 1024, RECORD_VALUES = 7, RECORD_BOOT_ID_SIZE = 40 };

/* `{0}` is empty. */
struct record {
    char key[DIGEST_HEX_SIZE];         /* what it belongs to */
    char boot_id[RECORD_BOOT_ID_SIZE]; /* of the boot after which it was made */
    int64_t made_at_ms;                /* boot clock */
    int64_t life_s;                    /* from then on */
    struct secret values[RECORD_VALUES];
};

/* Wipes and returns to `{0}`. */
void record_clear(struct record *record);

/* Appends the file. Fails only if libcrypto does. */
CHECKED bool record_encode(struct buf *out, const struct record *record, struct error *err);

/* Reads a file. Fails with ERROR_INTERNAL; `out` is filled on success only. */
CHECKED bool record_decode(struct record *out, const void *bytes, size_t length, struct error *err);

#endif
