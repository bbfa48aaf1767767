/* The one token of a registry on a node: whoever finds none asks for it, the others wait and take
 * what that one kept. Waiters give up in time to ask by themselves. */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/token.h"
#include "cache/store.h"

/* `{0}` is empty. */
struct flight {
    const struct store *store; /* borrowed */
    char key[DIGEST_HEX_SIZE];
    int64_t margin_s; /* as freshness_is_fresh() takes it */
    int lock;         /* a descriptor while is_leader */
    bool is_leader;
};

/* Lets the others go. */
void flight_end(struct flight *flight);

/* True with a token that is fresh. False: the caller must ask, as the only one or, after
 * `wait_until_ms` (monotonic), as one of several. `{0}` in `out` then. */
bool flight_take(struct flight *flight, struct token *out, int64_t *left_s, int64_t wait_until_ms);

/* Keeps a token for the others. */
void flight_land(struct flight *flight, const struct token *token, int64_t life_s);

/* True with a token that is still good, though it should have been renewed: for when the service is
 * down. */
bool flight_take_old(const struct flight *flight, struct token *out, int64_t *left_s);

#endif
