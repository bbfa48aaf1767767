/* Single flight: of the processes on this node that need the same token at the same time one
 * fetches it, and the others wait for its result, the token or the error. */
#ifndef CACHE_SINGLEFLIGHT_H
#define CACHE_SINGLEFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/digest.h"
#include "base/error.h"
#include "cache/store.h"

/* With a stale token at hand, neither the service nor another process is waited for any longer. */
enum { SINGLEFLIGHT_PATIENCE_MS = 10000 };

/* `{0}` is empty. */
struct singleflight {
    struct store store;                /* a copy; the descriptor is borrowed */
    char token_key[DIGEST_HEX_SIZE];   /* the same for all who can use the token */
    char attempt_key[DIGEST_HEX_SIZE]; /* the same for all who would fetch it in the same way */
    int64_t margin_s;                  /* as freshness_is_fresh() takes it */
    int64_t deadline_s;                /* of the whole run: who has more of it may succeed */
    bool is_leader;
    int lock;                 /* while is_leader, see store_try_lock() */
    struct token stale;       /* is due to be renewed; empty if there is none */
    int64_t stale_expires_ms; /* by the boot clock */
};

/* Wipes the stale token and lets the next process fetch. */
void singleflight_leave(struct singleflight *flight);

enum singleflight_outcome {
    SINGLEFLIGHT_TOKEN,  /* a fresh one is in `out` */
    SINGLEFLIGHT_FETCH,  /* the caller must fetch: it leads, or waiting was in vain */
    SINGLEFLIGHT_FAILED, /* the leader failed, or does not finish while there is a stale token */
};

/* Waits for a leader until `wait_until_ms` (monotonic) at most. SINGLEFLIGHT_FAILED fills err. */
CHECKED enum singleflight_outcome singleflight_join(struct singleflight *flight, struct token *out,
                                                    int64_t *remaining_s, int64_t wait_until_ms,
                                                    struct error *err);

/* Keeps a token that expires in `life_s` seconds. */
void singleflight_publish_token(const struct singleflight *flight, const struct token *token,
                                int64_t life_s);

/* Hands the error to those who are waiting now. */
void singleflight_publish_error(const struct singleflight *flight, const struct error *err);

bool singleflight_has_stale(const struct singleflight *flight);

/* Moves the stale token out. False if there is none or it has expired by now. */
CHECKED bool singleflight_take_stale(struct singleflight *flight, struct token *out,
                                     int64_t *remaining_s);

#endif
