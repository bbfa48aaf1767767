#include "net/early.h"

#include <string.h>

void early_open(struct early *early, const struct http_request *request, int64_t deadline_ms)
{
    if (early->multi == NULL && (early->multi = curl_multi_init()) != NULL)
        early->exchange = exchange_start(early->multi, request, deadline_ms, false);
}

/* Only target and headers can come later. */
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
    if (!exchange_set_request(exchange, request, deadline_ms))
        exchange_free(&exchange);
    return exchange;
}

int early_perform(const struct early *early)
{
    bool is_held = early->exchange != NULL && early->exchange->handshake.client_hello_sent;

    return early->multi == NULL || is_held ? 0 : exchange_perform_all(early->multi);
}
