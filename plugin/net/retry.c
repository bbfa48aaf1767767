#include "net/retry.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/system.h"
#include "base/text.h"
#include "net/explain.h"
#include "net/http.h"

enum { WISH_MAX_S = 24 * 3600 };

/* "Limit:1,Remain:0,TimeLeft:2000,...", TimeLeft in milliseconds. */
static int64_t rate_limit_ms(const char *rate_limit)
{
    const char *found = strstr(rate_limit, "TimeLeft:");
    long long wish_ms = found == NULL ? 0 : strtoll(found + strlen("TimeLeft:"), NULL, 10);

    return wish_ms > 0 && wish_ms <= WISH_MAX_S * 1000LL ? wish_ms : 0;
}

/* How long the server wants to be left alone; 0 if it does not say. Retry-After is seconds or an
 * HTTP date (RFC 9110, section 10.2.3), by the server's clock. */
static int64_t server_wish_ms(const struct http_response *response, const struct system *system)
{
    int64_t now_s = response->date_s != 0 ? response->date_s : system->wall_s();
    int64_t seconds;
    int64_t date_s;

    if (text_parse_number(response->retry_after, 0, WISH_MAX_S, &seconds))
        return seconds * 1000;
    if (text_parse_http_date(response->retry_after, &date_s) && date_s - now_s <= WISH_MAX_S)
        return date_s > now_s ? (date_s - now_s) * 1000 : 0;
    return rate_limit_ms(response->rate_limit);
}

/* The jitter comes on top of what the server asks for, so that a fleet does not return as one. */
static int64_t delay_ms(const struct retry *retry, const struct http_response *response)
{
    int64_t ceiling_ms = (int64_t)RETRY_BASE_MS << (retry->failed - 1);

    return system_random_below(retry->http->system, ceiling_ms + 1) +
           server_wish_ms(response, retry->http->system);
}

bool retry_wait(struct retry *retry, const struct http_response *response, struct error *err)
{
    int64_t wait_ms;

    if (err->kind != ERROR_TEMPORARY)
        return false;
    retry->failed++;
    wait_ms = delay_ms(retry, response);
    if (retry->failed < retry->tries_max && wait_ms < http_remaining_ms(retry->http)) {
        log_debug("try %u failed (%s), next in %lld ms", retry->failed, err->cause,
                  (long long)wait_ms);
        http_sleep_until(retry->http, retry->http->system->mono_ms() + wait_ms);
        return true;
    }
    return retry->failed > 1 && error_wrap(err, "gave up after %u tries", retry->failed);
}

bool retry_send(const struct http *http, const struct http_request *request, unsigned tries,
                struct http_response *response, struct error *err)
{
    struct retry retry = {.http = http, .tries_max = tries};
    bool connected = false;

    do {
        bool answered = http_send(http, request, response, err);

        connected = connected || response->connected;
        response->connected = connected;
        if (answered && response->status != 429 && response->status < 500)
            return true;
        if (answered)
            explain_temporary_status(response->status, err);
    } while (retry_wait(&retry, response, err));
    return false;
}
