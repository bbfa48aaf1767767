#include "cache/flight.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "cache/freshness.h"

#define KIND "token"

/* Waiters look often at first: most flights last some ten milliseconds. */
enum { NAP_MIN_MS = 4, NAP_MAX_MS = 50, USER_VALUE = 0, PASSWORD_VALUE = 1 };

void flight_end(struct flight *flight)
{
    if (flight->is_leader)
        (void)close(flight->lock);
    *flight = (struct flight){0};
}

static bool read_token(const struct flight *flight, struct token *out, int64_t *left_s,
                       int64_t *life_s)
{
    struct record record AUTO(record_clear) = {0};

    if (!store_read(&record, left_s, flight->store, KIND, flight->key) ||
        !text_copy(out->user, sizeof out->user, secret_reveal(&record.values[USER_VALUE])) ||
        secret_is_empty(&record.values[PASSWORD_VALUE]))
        return false;
    out->password = secret_take(&record.values[PASSWORD_VALUE]);
    *life_s = record.life_s;
    return true;
}

static bool take_fresh(const struct flight *flight, struct token *out, int64_t *left_s)
{
    int64_t life_s = 0;
    bool is_fresh = read_token(flight, out, left_s, &life_s) &&
                    freshness_is_fresh(*left_s, life_s, flight->margin_s);

    if (!is_fresh)
        token_clear(out);
    return is_fresh;
}

bool flight_take(struct flight *flight, struct token *out, int64_t *left_s, int64_t wait_until_ms)
{
    int64_t nap_ms = NAP_MIN_MS;

    if (!flight->store->is_open)
        return false;
    for (;;) {
        /* Looked at before the lock, so that those who wait take the token side by side, and again
         * behind it, since it may have come in between. */
        if (take_fresh(flight, out, left_s))
            return true;
        switch (store_try_lock(&flight->lock, flight->store, flight->key)) {
        case STORE_LOCKED:
            flight->is_leader = true;
            return take_fresh(flight, out, left_s);
        case STORE_NOT_LOCKABLE:
            return false;
        case STORE_BUSY:
            break;
        }
        if (clock_mono_ms() >= wait_until_ms) {
            log_info("another process asks for the same token and does not end: asking too");
            return false;
        }
        clock_sleep_until(clock_mono_ms() + nap_ms / 2 + random_below(nap_ms));
        nap_ms = nap_ms * 2 < NAP_MAX_MS ? nap_ms * 2 : NAP_MAX_MS;
    }
}

void flight_land(struct flight *flight, const struct token *token, int64_t life_s)
{
    struct record record AUTO(record_clear) = {.life_s = life_s};

    (void)text_copy(record.key, sizeof record.key, flight->key);
    secret_set(&record.values[USER_VALUE], token->user, strlen(token->user));
    secret_copy(&record.values[PASSWORD_VALUE], &token->password);
    store_write(flight->store, KIND, &record);
}

bool flight_take_old(const struct flight *flight, struct token *out, int64_t *left_s)
{
    int64_t life_s = 0;

    return read_token(flight, out, left_s, &life_s) && freshness_is_usable(*left_s);
}
