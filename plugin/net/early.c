#include "net/early.h"

#include <string.h>

#include "base/text.h"

void early_open(struct early *early, const struct http_request *request, int64_t deadline_ms)
{
    struct error ignored;

    if (early->multi != NULL || (early->multi = curl_multi_init()) == NULL)
        return;
    early->exchange = exchange_start(early->multi, request, false, deadline_ms, &ignored);
    if (early->exchange != NULL)
        text_copy(early->host, sizeof early->host, early->exchange->host);
}

static bool fits(const struct exchange *exchange, const struct http_request *request)
{
    char host[EXCHANGE_HOST_SIZE];

    exchange_host_of(host, request->url);
    return request->kind == HTTP_SECURE && request->form == NULL &&
           strcmp(exchange->host, host) == 0 && strcmp(exchange->method, request->method) == 0;
}

struct exchange *early_take(struct early *early, const struct http_request *request,
                            int64_t deadline_ms)
{
    struct exchange *exchange = early->exchange;

    if (exchange == NULL || !fits(exchange, request))
        return NULL;
    early->exchange = NULL;
    if (!exchange->done && !exchange_set_request(exchange, request, deadline_ms))
        exchange_free(&exchange);
    return exchange;
}

bool early_was_lost(const struct exchange *exchange)
{
    return !exchange->sent && exchange->handshake.client_hello_sent &&
           exchange->result != CURLE_OPERATION_TIMEDOUT;
}

CURLM *early_multi_for(const struct early *early, const char *host)
{
    bool follows = early->exchange == NULL && strcmp(early->host, host) == 0;

    return follows ? early->multi : NULL;
}

static bool is_held(const struct early *early)
{
    return early->multi == NULL ||
           (early->exchange != NULL && early->exchange->handshake.client_hello_sent);
}

bool early_perform(struct early *early, int *running)
{
    int more = 0;

    if (is_held(early))
        return true;
    if (!exchange_perform_all(early->multi, &more))
        return false;
    *running += more;
    return true;
}

unsigned early_events(struct curl_waitfd out[EARLY_EVENTS_MAX], int *wait_ms,
                      const struct early *early)
{
    fd_set readable;
    fd_set writable;
    fd_set unused;
    long timer_ms = -1;
    unsigned count = 0;
    int last = -1;

    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_ZERO(&unused);
    if (is_held(early) ||
        curl_multi_fdset(early->multi, &readable, &writable, &unused, &last) != CURLM_OK)
        return 0;
    (void)curl_multi_timeout(early->multi, &timer_ms);
    if (timer_ms >= 0 && timer_ms < *wait_ms)
        *wait_ms = (int)timer_ms;
    for (int descriptor = 0; descriptor <= last && count < EARLY_EVENTS_MAX; descriptor++) {
        bool reads = FD_ISSET(descriptor, &readable);
        bool writes = FD_ISSET(descriptor, &writable);

        if (reads || writes)
            out[count++] =
                (struct curl_waitfd){.fd = descriptor,
                                     .events = (short)((reads ? CURL_WAIT_POLLIN : 0) |
                                                       (writes ? CURL_WAIT_POLLOUT : 0))};
    }
    return count;
}

void early_close(struct early *early)
{
    exchange_free(&early->exchange);
    (void)curl_multi_cleanup(early->multi);
    *early = (struct early){0};
}
