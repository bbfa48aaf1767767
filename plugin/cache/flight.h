/* The one token of a registry on a node: whoever finds none asks for it, the others wait and take
 * what that one kept: the token, or the reason why there is none. Waiters give up in time to ask by
 * themselves. */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/token.h"
#include "cache/store.h"

/* How long anybody is waited for, the service or another process, while there is an old token. */
enum { FLIGHT_PATIENCE_MS = 10000 };

/* `{0}` is empty. */
struct flight {
    const struct store *store; /* borrowed */
    char key[DIGEST_HEX_SIZE];
    char failure_key[DIGEST_HEX_SIZE]; /* of those who would fail for the same reason */
    int64_t margin_s;                  /* as freshness_is_fresh() takes it */
    int lock;                          /* a descriptor while is_leader */
    bool is_leader;
    struct token old; /* still good, though it should be renewed; empty if there is none */
    int64_t old_left_s;
    int64_t old_read_ms; /* monotonic */
};

/* Wipes, and lets the others go. */
void flight_end(struct flight *flight);

enum flight_outcome {
    FLIGHT_TOKEN,  /* there is one that is fresh */
    FLIGHT_ASK,    /* the caller must ask, as the only one or, having waited, as one of several */
    FLIGHT_FAILED, /* who was waited for has asked in vain, or does not end: `err` says so */
};

/* Waits until `wait_until_ms` (monotonic) at most. `out` is filled with FLIGHT_TOKEN only. */
CHECKED enum flight_outcome flight_take(struct flight *flight, struct token *out, int64_t *left_s,
                                        int64_t wait_until_ms, struct error *err);

/* Keeps a token for the others. */
void flight_land(const struct flight *flight, const struct token *token, int64_t life_s);

/* Keeps the reason why there is none for those who wait now. */
void flight_fail(const struct flight *flight, const struct error *err);

/* Whether there is an old token, for when the service is down. */
bool flight_has_old(const struct flight *flight);

/* Moves the old token out. */
void flight_take_old(struct flight *flight, struct token *out, int64_t *left_s);

#endif
