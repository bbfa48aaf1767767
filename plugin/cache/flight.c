#include "cache/flight.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "cache/freshness.h"

#define TOKEN_KIND   "token"
#define FAILURE_KIND "failure"

enum { USER_VALUE, PASSWORD_VALUE };

/* Those who wait for a failure are gone long before its life is over. */
enum { CAUSE_VALUE, CODE_VALUE, REQUEST_ID_VALUE, ADVICE_VALUE, FAILURE_LIFE_S = 600 };

/* After a leader that left nothing, so that not all who waited try for the lock at once. */
enum { NAP_MAX_MS = 20 };

void flight_end(struct flight *flight)
{
    if (flight->is_leader)
        (void)close(flight->lock);
    token_clear(&flight->old);
    *flight = (struct flight){0};
}

/* Takes the token that is kept: into `out` if it is fresh, aside if it is good all the same. */
static bool take_fresh(struct flight *flight, struct token *out, int64_t *left_s)
{
    struct record record AUTO(record_clear) = {0};
    struct token token AUTO(token_clear) = {0};

    if (!store_read(&record, left_s, flight->store, TOKEN_KIND, flight->key) ||
        !text_copy(token.user, sizeof token.user, secret_reveal(&record.values[USER_VALUE])) ||
        secret_is_empty(&record.values[PASSWORD_VALUE]))
        return false;
    token.password = TAKE(record.values[PASSWORD_VALUE]);
    if (freshness_is_fresh(*left_s, record.life_s, flight->margin_s)) {
        *out = TAKE(token);
        return true;
    }
    if (freshness_is_usable(*left_s)) {
        token_clear(&flight->old);
        flight->old = TAKE(token);
        flight->old_left_s = *left_s;
        flight->old_read_ms = clock_mono_ms();
    }
    return false;
}

/* The reason that a leader has kept since `since_ms` (of the boot clock). Its kind stands first. */
static bool read_failure(const struct flight *flight, int64_t since_ms, struct error *err)
{
    struct record record AUTO(record_clear) = {0};
    int64_t left_s = 0;
    const char *cause;

    if (!store_read(&record, &left_s, flight->store, FAILURE_KIND, flight->failure_key) ||
        record.made_at_ms < since_ms)
        return false;
    cause = secret_reveal(&record.values[CAUSE_VALUE]);
    if (cause[0] < '0' || cause[0] > '0' + ERROR_CONFIG)
        return false;
    (void)error_set(err, (enum error_kind)(cause[0] - '0'), "%s", cause + 1);
    (void)text_copy(err->service_code, sizeof err->service_code,
                    secret_reveal(&record.values[CODE_VALUE]));
    (void)text_copy(err->request_id, sizeof err->request_id,
                    secret_reveal(&record.values[REQUEST_ID_VALUE]));
    (void)error_advise(err, "%s", secret_reveal(&record.values[ADVICE_VALUE]));
    return true;
}

/* Whoever was waited for does not end. */
static enum flight_outcome give_up(const struct flight *flight, struct error *err)
{
    if (flight_has_old(flight)) {
        (void)error_set(err, ERROR_TEMPORARY,
                        "another process asks for the same token and does not end");
        return FLIGHT_FAILED;
    }
    log_info("another process asks for the same token and does not end: asking too");
    return FLIGHT_ASK;
}

enum flight_outcome flight_take(struct flight *flight, struct token *out, int64_t *left_s,
                                int64_t wait_until_ms, struct error *err)
{
    const int64_t since_ms = clock_boot_ms();
    const int64_t patient_until_ms = clock_mono_ms() + FLIGHT_PATIENCE_MS;

    for (;;) {
        int64_t until_ms;

        /* Looked at before the lock, so that those who wait take the token side by side, and again
         * behind it, since it may have come in between. */
        if (take_fresh(flight, out, left_s))
            return FLIGHT_TOKEN;
        if (read_failure(flight, since_ms, err))
            return FLIGHT_FAILED;
        switch (store_try_lock(&flight->lock, flight->store, flight->key)) {
        case STORE_LOCKED:
            flight->is_leader = true;
            return take_fresh(flight, out, left_s) ? FLIGHT_TOKEN : FLIGHT_ASK;
        case STORE_NOT_LOCKABLE:
            return FLIGHT_ASK;
        case STORE_BUSY:
            break;
        }
        until_ms = flight_has_old(flight) && patient_until_ms < wait_until_ms ? patient_until_ms
                                                                              : wait_until_ms;
        if (clock_mono_ms() >= until_ms)
            return give_up(flight, err);
        store_wait(flight->store, flight->key, until_ms);
        if (take_fresh(flight, out, left_s))
            return FLIGHT_TOKEN;
        clock_sleep_until(clock_mono_ms() + random_below(NAP_MAX_MS));
    }
}

static void set_value(struct secret *value, const char *text)
{
    secret_set(value, text, strlen(text));
}

void flight_land(const struct flight *flight, const struct token *token, int64_t life_s)
{
    struct record record AUTO(record_clear) = {.life_s = life_s};

    (void)text_copy(record.key, sizeof record.key, flight->key);
    set_value(&record.values[USER_VALUE], token->user);
    secret_copy(&record.values[PASSWORD_VALUE], &token->password);
    store_write(flight->store, TOKEN_KIND, &record);
}

void flight_fail(const struct flight *flight, const struct error *err)
{
    struct record record AUTO(record_clear) = {.life_s = FAILURE_LIFE_S};
    struct buf cause AUTO(buf_clear) = {0};

    (void)text_copy(record.key, sizeof record.key, flight->failure_key);
    buf_append_format(&cause, "%c%s%s%s", '0' + (int)err->kind, err->context,
                      err->context[0] == '\0' ? "" : ": ", err->cause);
    set_value(&record.values[CAUSE_VALUE], buf_text(&cause));
    set_value(&record.values[CODE_VALUE], err->service_code);
    set_value(&record.values[REQUEST_ID_VALUE], err->request_id);
    set_value(&record.values[ADVICE_VALUE], err->advice);
    store_write(flight->store, FAILURE_KIND, &record);
}

bool flight_has_old(const struct flight *flight)
{
    return !secret_is_empty(&flight->old.password);
}

void flight_take_old(struct flight *flight, struct token *out, int64_t *left_s)
{
    *out = TAKE(flight->old);
    *left_s = flight->old_left_s - (clock_mono_ms() - flight->old_read_ms) / 1000;
}
