/* What a run takes from outside: clocks, randomness, the environment, files. It is handed down, so
 * that a unit test can hand in its own. */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"

struct system {
    /* The three clocks never meet in one expression. */
    int64_t (*wall_s)(void);  /* Unix seconds; may jump */
    int64_t (*mono_ms)(void); /* monotonic, for deadlines */
    int64_t (*boot_ms)(void); /* since boot, suspend included: for the age of what is on disk */
    void (*sleep_until)(int64_t mono_ms);
    void (*random_bytes)(void *out, size_t length); /* at most 256 bytes */
    const char *(*variable)(const char *name);      /* of the environment; "" if unset */
    const char *(*home)(void); /* of the effective user, by the user database; NULL if unknown */
    enum file_outcome (*read_file)(struct buf *out, const char *path, size_t max_bytes,
                                   struct error *err); /* as file_read_trusted() */
};

/* The real one. */
extern const struct system system_real;

/* Its monotonic clock and its sleep, for those who wait on real descriptors. */
int64_t system_mono_ms(void);
void system_sleep_until(int64_t mono_ms); /* returns at once if that is past */

/* A number from 0 to `below` - 1, uniform enough for jitter; 0 if `below` is not positive. */
int64_t system_random_below(const struct system *system, int64_t below);

#endif
