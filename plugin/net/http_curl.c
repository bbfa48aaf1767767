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

struct curl_transport {
    struct http_transport functions; /* first: what http.c calls */
    CURLM *multi;                    /* NULL before the first exchange */
    struct early early;
    struct exchange *prefetched; /* a list of those not yet taken */
};

static struct curl_transport *own(struct http_transport *transport)
{
    return (struct curl_transport *)(void *)transport;
}

static bool ensure_multi(struct curl_transport *transport)
{
    /* At the end of the process the kernel is faster at freeing than libcrypto. */
    if (transport->multi == NULL && OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) == 1 &&
        curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        transport->multi = curl_multi_init();
    return transport->multi != NULL;
}

/* Runs new exchanges: the early connection's, once that has its request, so that they reuse it. */
static CURLM *current_multi(const struct curl_transport *transport)
{
    const struct early *early = &transport->early;

    return early->multi != NULL && early->exchange == NULL ? early->multi : transport->multi;
}

/* Lets all exchanges make progress until `exchange` is done; without one, until `until_ms`. libcurl
 * waits for one multi handle at a time: while the other one has something to do, the wait is a
 * short one. */
static void run(struct curl_transport *transport, CURLM *awaited, struct exchange *exchange,
                int64_t until_ms)
{
    enum { SHORT_MS = 2, LONG_MS = 60000 };

    for (;;) {
        int active = exchange_perform_all(transport->multi);
        int early_active = early_perform(&transport->early);
        int others = awaited == transport->multi ? early_active : active;
        int64_t wait_ms =
            exchange != NULL ? exchange_left_ms(exchange) : until_ms - system_mono_ms();

        if (wait_ms <= 0)
            return;
        if (wait_ms > (others > 0 ? SHORT_MS : LONG_MS))
            wait_ms = others > 0 ? SHORT_MS : LONG_MS;
        (void)curl_multi_poll(awaited, NULL, 0, (int)wait_ms, NULL);
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
    run(transport, exchange->multi, exchange, 0);
    if (failed_by_ipv4(exchange) && exchange_restart(exchange, request))
        run(transport, exchange->multi, exchange, 0);
    return exchange_take_response(exchange, out, err);
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

    if (transport->prefetched == NULL || request->form != NULL)
        return NULL;
    append_key(&key, request);
    for (struct exchange **at = &transport->prefetched; *at != NULL; at = &(*at)->next) {
        struct exchange *exchange = *at;

        if (strcmp(buf_text(&exchange->key), buf_text(&key)) != 0)
            continue;
        *at = exchange->next;
        /* Its limits may have passed while nothing ran it: they start again. */
        if (!exchange->done)
            exchange_set_limits(exchange, request, deadline_ms);
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

        /* The server may have closed it before its request: then a new one may serve. */
        if (answered || early->sent || !early->handshake.client_hello_sent ||
            early->result == CURLE_OPERATION_TIMEDOUT)
            return answered;
    }
    exchange = take_prefetched(transport, request, deadline_ms);
    if (exchange == NULL && ensure_multi(transport))
        exchange = exchange_start(current_multi(transport), request, deadline_ms, true);
    return exchange != NULL
               ? finish(transport, exchange, request, out, err)
               : error_set(err, ERROR_INTERNAL,
                           "libcurl cannot be initialized, or was built without what is needed");
}

static void prefetch(struct http_transport *functions, const struct http_request *request,
                     int64_t deadline_ms)
{
    struct curl_transport *transport = own(functions);
    struct exchange *exchange = NULL;

    if (request->form == NULL && ensure_multi(transport))
        exchange = exchange_start(current_multi(transport), request, deadline_ms, true);
    if (exchange == NULL)
        return;
    /* An open connection is left to the next request. */
    (void)curl_easy_setopt(exchange->easy, CURLOPT_FRESH_CONNECT, 1L);
    append_key(&exchange->key, request);
    exchange->next = transport->prefetched;
    transport->prefetched = exchange;
}

static void preconnect(struct http_transport *functions, const struct http_request *request,
                       int64_t deadline_ms)
{
    struct curl_transport *transport = own(functions);

    if (ensure_multi(transport))
        early_open(&transport->early, request, deadline_ms);
}

static void sleep_until(struct http_transport *functions, int64_t mono_ms)
{
    struct curl_transport *transport = own(functions);

    if (transport->multi != NULL)
        run(transport, current_multi(transport), NULL, mono_ms);
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
        for (struct exchange *next, *at = transport->prefetched; at != NULL; at = next) {
            next = at->next;
            exchange_free(&at);
        }
        exchange_free(&transport->early.exchange);
        (void)curl_multi_cleanup(transport->early.multi);
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
