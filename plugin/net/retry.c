#include "net/retry.h"

#include <string.h>

#include "base/text.h"

enum { ASK_MAX_S = 24 * 3600 };

int64_t retry_delay_ms(unsigned attempts_made, int64_t server_asks_ms, int64_t left_ms,
                       int64_t random)
{
    int64_t ceiling = RETRY_BASE_MS;
    int64_t delay;

    if (attempts_made >= RETRY_MAX_ATTEMPTS)
        return -1;
    for (unsigned i = 1; i < attempts_made && ceiling < RETRY_CAP_MS; i++)
        ceiling *= 2;
    if (ceiling > RETRY_CAP_MS)
        ceiling = RETRY_CAP_MS;
    /* The jitter comes on top of what the server asks for, so that a fleet does not return as one.
     */
    delay = random % (ceiling + 1) + (server_asks_ms > 0 ? server_asks_ms : 0);
    return delay < left_ms ? delay : -1;
}

static int64_t rate_limit_ms(const char *rate_limit)
{
    const char *found = strstr(rate_limit, "TimeLeft:");
    char digits[16] = "";
    int64_t left_ms;
    size_t length;

    if (found == NULL)
        return -1;
    found += strlen("TimeLeft:");
    length = strspn(found, "0123456789");
    if (length == 0 || length >= sizeof digits)
        return -1;
    memcpy(digits, found, length);
    return text_parse_number(digits, 0, (int64_t)ASK_MAX_S * 1000, &left_ms) ? left_ms : -1;
}

int64_t retry_server_asks_ms(const char *retry_after, const char *rate_limit, int64_t server_now_s)
{
    int64_t seconds;
    int64_t date_s;

    if (text_parse_number(retry_after, 0, ASK_MAX_S, &seconds))
        return seconds * 1000;
    if (text_parse_http_date(retry_after, &date_s) && date_s - server_now_s <= ASK_MAX_S)
        return date_s > server_now_s ? (date_s - server_now_s) * 1000 : 0;
    return rate_limit_ms(rate_limit);
}
