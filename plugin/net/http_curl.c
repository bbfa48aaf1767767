/* The transport by libcurl: exchanges run side by side, in one thread, whenever one of them is
 * waited for. */
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/system.h"
#include "net/early.h"
#include "net/exchange.h"
#include "net/http.h"

enum { PREFETCHED_MAX = 4 };

struct curl_transport {
    struct http_transport functions; /* first: what http.c knows of it */
    CURLM *multi;                    /* NULL before the first exchange */
    struct early early;
    struct exchange *prefetched[PREFETCHED_MAX]; /* NULL where free */
};

static struct curl_transport *own(struct http_transport *transport)
{
    return (struct curl_transport *)(void *)transport;
}

static bool ensure_multi(struct curl_transport *transport, struct error *err)
{
    /* At the end of the process the kernel is faster at freeing than libcrypto. */
    if (transport->multi == NULL && OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) == 1 &&
        curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        transport->multi = curl_multi_init();
    return transport->multi != NULL ||
           error_set(err, ERROR_INTERNAL, "libcurl cannot be initialized");
}

/* What runs new exchanges: from its request on that of the early connection, which they may reuse.
 */
static CURLM *current_multi(const struct curl_transport *transport)
{
    const struct early *early = &transport->early;

    return early->multi != NULL && early->exchange == NULL ? early->multi : transport->multi;
}

/* Lets all exchanges make progress until `exchange` is done; without one, until `until_ms`. libcurl
 * waits for one multi handle at a time: while the other one has something to do, the wait is a
 * short one. */
static bool run(struct curl_transport *transport, CURLM *awaited, struct exchange *exchange,
                int64_t until_ms)
{
    enum { SHORT_MS = 2, LONG_MS = 60000 };

    for (;;) {
        int active = exchange_perform_all(transport->multi);
        int early_active = early_perform(&transport->early);
        int others = awaited == transport->multi ? early_active : active;
        int64_t limit_ms = others > 0 ? SHORT_MS : LONG_MS;
        int64_t left_ms =
            exchange != NULL ? exchange_left_ms(exchange) : until_ms - system_mono_ms();

        if (active < 0 || early_active < 0 || left_ms <= 0)
            return active >= 0 && early_active >= 0;
        if (curl_multi_poll(awaited, NULL, 0, (int)(left_ms < limit_ms ? left_ms : limit_ms),
                            NULL) != CURLM_OK)
            return false;
    }
}

/* All hosts of the cloud have IPv4 addresses, and name servers that fail to say that there is no
 * IPv6 address are common: IPv6 is only asked for where IPv4 does not work. */
static bool failed_by_ipv4(const struct exchange *exchange)
{
    return exchange->result == CURLE_COULDNT_RESOLVE_HOST ||
           exchange->result == CURLE_COULDNT_RESOLVE_PROXY ||
           exchange->result == CURLE_COULDNT_CONNECT;
}

static bool finish(struct curl_transport *transport, struct exchange *exchange,
                   const struct http_request *request, struct http_response *out, struct error *err)
{
    bool done = run(transport, exchange->multi, exchange, 0);

    if (done && failed_by_ipv4(exchange))
        done = exchange_restart(exchange, request) && run(transport, exchange->multi, exchange, 0);
    return done ? exchange_take_response(exchange, out, err)
                : error_set(err, ERROR_INTERNAL, "libcurl cannot go on");
}

/* What two requests have in common if the response to one serves the other. */
static void append_key(struct buf *out, const struct http_request *request)
{
    buf_append_format(out, "%s %s", request->method, request->url);
    for (size_t i = 0; i < request->header_count; i++)
        buf_append_format(out, "\n%s: %s", request->headers[i].name, request->headers[i].value);
}

static struct exchange *take_prefetched(struct curl_transport *transport,
                                        const struct http_request *request, int64_t deadline_ms)
{
    struct buf key AUTO(buf_clear) = {0};

    append_key(&key, request);
    for (size_t i = 0; i < PREFETCHED_MAX && request->form == NULL; i++) {
        struct exchange *exchange = transport->prefetched[i];

        if (exchange == NULL || strcmp(buf_text(&exchange->key), buf_text(&key)) != 0)
            continue;
        transport->prefetched[i] = NULL;
        /* Its time was up if nobody let it make progress: it counts from now on. */
        if (!exchange->done && !exchange_set_limits(exchange, request, deadline_ms))
            exchange_free(&exchange);
        return exchange;
    }
    return NULL;
}

static bool send_request(struct http_transport *functions, const struct http_request *request,
                         int64_t deadline_ms, struct http_response *out, struct error *err)
{
    struct curl_transport *transport = own(functions);
    struct exchange *early AUTO(exchange_free) =
        early_take(&transport->early, request, deadline_ms);
    struct exchange *exchange AUTO(exchange_free) = NULL;

    if (early != NULL) {
        bool answered = finish(transport, early, request, out, err);

        if (answered || !early_was_lost(early))
            return answered;
    }
    exchange = take_prefetched(transport, request, deadline_ms);
    if (exchange == NULL && ensure_multi(transport, err))
        exchange = exchange_start(current_multi(transport), request, deadline_ms, err);
    return exchange != NULL && finish(transport, exchange, request, out, err);
}

static void prefetch(struct http_transport *functions, const struct http_request *request,
                     int64_t deadline_ms)
{
    struct curl_transport *transport = own(functions);
    struct exchange **place = transport->prefetched;
    struct error ignored;

    while (place < transport->prefetched + PREFETCHED_MAX && *place != NULL)
        place++;
    if (place == transport->prefetched + PREFETCHED_MAX || request->form != NULL ||
        !ensure_multi(transport, &ignored))
        return;
    *place = exchange_start(current_multi(transport), request, deadline_ms, &ignored);
    if (*place == NULL)
        return;
    append_key(&(*place)->key, request);
    /* The connection that is open is for the next request. */
    (void)curl_easy_setopt((*place)->easy, CURLOPT_FRESH_CONNECT, 1L);
}

static void preconnect(struct http_transport *functions, const struct http_request *request,
                       int64_t deadline_ms)
{
    struct curl_transport *transport = own(functions);
    struct error ignored;

    if (ensure_multi(transport, &ignored))
        early_open(&transport->early, request, deadline_ms);
}

static void sleep_until(struct http_transport *functions, int64_t mono_ms)
{
    struct curl_transport *transport = own(functions);

    if (transport->multi != NULL)
        (void)run(transport, current_multi(transport), NULL, mono_ms);
    system_sleep_until(mono_ms);
}

struct http_transport *http_curl_open(void)
{
    struct curl_transport *transport = alloc_zeroed(1, sizeof *transport);

    transport->functions = (struct http_transport){.send = send_request,
                                                   .prefetch = prefetch,
                                                   .preconnect = preconnect,
                                                   .sleep_until = sleep_until};
    return &transport->functions;
}

void http_curl_close(struct http_transport **functions)
{
    struct curl_transport *transport = own(*functions);

    if (transport != NULL && transport->multi != NULL) {
        for (size_t i = 0; i < PREFETCHED_MAX; i++)
            exchange_free(&transport->prefetched[i]);
        early_close(&transport->early);
        (void)curl_multi_cleanup(transport->multi);
        curl_global_cleanup();
    }
    free(transport);
    *functions = NULL;
}

const char *http_curl_version(void)
{
    return curl_version();
}
