#include "cache/singleflight.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cache/freshness.h"

/* The values of a record that keeps a token, and of one that keeps an error. */
enum token_value { TOKEN_USER, TOKEN_PASSWORD, TOKEN_REQUEST_ID };
enum error_value { E_KIND, E_DEADLINE, E_RETRY, E_CAUSE, E_CODE, E_REQUEST_ID, E_ADVICE };

enum {
    FAILURE_LIFE_S = 600, /* longer than any deadline */
    PAUSE_MIN_MS = 20,
    PAUSE_JITTER_MS = 20,
    PAUSE_GROWTH = 2, /* a waiter sees the result late by at most 1/2 of its wait, and the pause */
};

void singleflight_leave(struct singleflight *flight)
{
    if (flight->is_leader)
        file_close(&flight->lock);
    credentials_clear_token(&flight->stale);
    *flight = (struct singleflight){0};
}

/* Reads the cached token: into `out` if it is fresh, into `flight->stale` if it still works. */
static bool read_token(struct singleflight *flight, struct token *out, int64_t *remaining_s)
{
    struct record record AUTO(record_clear) = {0};
    struct token token AUTO(credentials_clear_token) = {0};

    if (!store_read(&record, remaining_s, &flight->store, STORE_TOKEN, flight->token_key) ||
        !text_copy(token.user, sizeof token.user, secret_reveal(&record.values[TOKEN_USER])) ||
        secret_is_empty(&record.values[TOKEN_PASSWORD]))
        return false;
    text_copy(token.request_id, sizeof token.request_id,
              secret_reveal(&record.values[TOKEN_REQUEST_ID]));
    token.password = TAKE(record.values[TOKEN_PASSWORD]);
    if (freshness_is_fresh(*remaining_s, record.life_s, flight->margin_s)) {
        *out = TAKE(token);
        return true;
    }
    if (freshness_is_usable(*remaining_s)) {
        credentials_clear_token(&flight->stale);
        flight->stale = TAKE(token);
        flight->stale_expires_ms = flight->store.system->boot_ms() + *remaining_s * 1000;
    }
    return false;
}

static bool read_number(int64_t *out, int64_t max, const struct secret *value)
{
    return text_parse_number(secret_reveal(value), 0, max, out);
}

/* The error of a leader that failed after `since_ms` (boot clock), if it did not have less time. */
static bool read_failure(const struct singleflight *flight, int64_t since_ms, struct error *err)
{
    struct record record AUTO(record_clear) = {0};
    struct error failure = {0};
    int64_t remaining_s = 0;
    int64_t deadline_s = 0;
    int64_t kind = 0;
    int64_t retry = 0;

    if (!store_read(&record, &remaining_s, &flight->store, STORE_FAILURE, flight->attempt_key) ||
        record.made_at_ms < since_ms || !read_number(&kind, ERROR_CONFIG, &record.values[E_KIND]) ||
        !read_number(&retry, ERROR_RETRY_NEXT_SOURCE, &record.values[E_RETRY]) ||
        !read_number(&deadline_s, INT32_MAX, &record.values[E_DEADLINE]) ||
        (kind == ERROR_TEMPORARY && deadline_s < flight->deadline_s))
        return false;
    failure.kind = (enum error_kind)kind;
    failure.retry = (enum error_retry)retry;
    text_copy(failure.cause, sizeof failure.cause, secret_reveal(&record.values[E_CAUSE]));
    text_copy(failure.service_code, sizeof failure.service_code,
              secret_reveal(&record.values[E_CODE]));
    text_copy(failure.request_id, sizeof failure.request_id,
              secret_reveal(&record.values[E_REQUEST_ID]));
    text_copy(failure.advice, sizeof failure.advice, secret_reveal(&record.values[E_ADVICE]));
    *err = failure;
    return true;
}

enum singleflight_outcome singleflight_join(struct singleflight *flight, struct token *out,
                                            int64_t *remaining_s, int64_t wait_until_ms,
                                            struct error *err)
{
    const struct system *system = flight->store.system;
    const int64_t since_ms = system->boot_ms();
    const int64_t start_ms = system->mono_ms();

    for (;;) {
        int64_t until_ms = wait_until_ms;
        int64_t pause_ms = PAUSE_MIN_MS + system_random_below(system, PAUSE_JITTER_MS + 1);
        int64_t now_ms;

        if (read_token(flight, out, remaining_s))
            return SINGLEFLIGHT_TOKEN;
        if (read_failure(flight, since_ms, err))
            return SINGLEFLIGHT_FAILED;
        if (store_try_lock(&flight->lock, &flight->store, flight->attempt_key)) {
            flight->is_leader = true;
            /* The last leader may have published between the look and the lock. */
            return read_token(flight, out, remaining_s) ? SINGLEFLIGHT_TOKEN : SINGLEFLIGHT_FETCH;
        }
        if (singleflight_has_stale(flight) && start_ms + SINGLEFLIGHT_PATIENCE_MS < until_ms)
            until_ms = start_ms + SINGLEFLIGHT_PATIENCE_MS;
        now_ms = system->mono_ms();
        if (now_ms >= until_ms)
            break;
        flight->store.is_quiet = true;
        pause_ms += (now_ms - start_ms) / PAUSE_GROWTH;
        system->sleep_until(now_ms + pause_ms < until_ms ? now_ms + pause_ms : until_ms);
    }
    error_set(err, ERROR_TEMPORARY,
              "timed out waiting for another process that is fetching the same token");
    log_info("%s", err->cause);
    return singleflight_has_stale(flight) ? SINGLEFLIGHT_FAILED : SINGLEFLIGHT_FETCH;
}

static void set_text(struct secret *value, const char *text)
{
    secret_set(value, text, strlen(text));
}

static void set_number(struct secret *value, int64_t number)
{
    struct buf text AUTO(buf_clear) = {0};

    buf_append_format(&text, "%lld", (long long)number);
    set_text(value, buf_text(&text));
}

void singleflight_publish_token(const struct singleflight *flight, const struct token *token,
                                int64_t life_s)
{
    struct record record AUTO(record_clear) = {.life_s = life_s};

    text_copy(record.key, sizeof record.key, flight->token_key);
    set_text(&record.values[TOKEN_USER], token->user);
    set_text(&record.values[TOKEN_REQUEST_ID], token->request_id);
    secret_copy(&record.values[TOKEN_PASSWORD], &token->password);
    store_write(&flight->store, STORE_TOKEN, &record);
}

void singleflight_publish_error(const struct singleflight *flight, const struct error *err)
{
    struct record record AUTO(record_clear) = {.life_s = FAILURE_LIFE_S};
    struct buf cause AUTO(buf_clear) = {0};

    text_copy(record.key, sizeof record.key, flight->attempt_key);
    buf_append_format(&cause, "%s%s%s", err->context, err->context[0] == '\0' ? "" : ": ",
                      err->cause);
    set_number(&record.values[E_KIND], err->kind);
    set_number(&record.values[E_RETRY], err->retry);
    set_number(&record.values[E_DEADLINE], flight->deadline_s);
    set_text(&record.values[E_CAUSE], buf_text(&cause));
    set_text(&record.values[E_CODE], err->service_code);
    set_text(&record.values[E_REQUEST_ID], err->request_id);
    set_text(&record.values[E_ADVICE], err->advice);
    store_write(&flight->store, STORE_FAILURE, &record);
}

bool singleflight_has_stale(const struct singleflight *flight)
{
    return !secret_is_empty(&flight->stale.password);
}

bool singleflight_take_stale(struct singleflight *flight, struct token *out, int64_t *remaining_s)
{
    *remaining_s = (flight->stale_expires_ms - flight->store.system->boot_ms()) / 1000;
    if (!singleflight_has_stale(flight) || *remaining_s <= 0)
        return false;
    credentials_clear_token(out);
    *out = TAKE(flight->stale);
    return true;
}
