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

/* Lets all exchanges make progress. `others` says whether there are some beside those of `awaited`
 * that want more of it. */
static bool perform(struct curl_transport *transport, const CURLM *awaited, bool *others)
{
    int active = exchange_perform_all(transport->multi);
    int early_active = early_perform(&transport->early);

    *others = (awaited == transport->multi ? early_active : active) > 0;
    return active >= 0 && early_active >= 0;
}

/* libcurl waits for one multi handle at a time: while the other one has something to do, the wait
 * is a short one. */
static bool wait_for_events(CURLM *awaited, bool others, int64_t max_ms)
{
    enum { SHORT_MS = 2, LONG_MS = 60000 };
    int64_t limit_ms = others ? SHORT_MS : LONG_MS;

    return curl_multi_poll(awaited, NULL, 0, (int)(max_ms < limit_ms ? max_ms : limit_ms), NULL) ==
           CURLM_OK;
}

/* Lets all exchanges make progress until this one has ended. */
static bool drive(struct curl_transport *transport, struct exchange *exchange, struct error *err)
{
    bool others = false;

    while (!exchange->done) {
        int64_t left_ms;

        if (!perform(transport, exchange->multi, &others))
            return error_set(err, ERROR_INTERNAL, "libcurl cannot go on");
        left_ms = exchange_check_time(exchange);
        if (!exchange->done && !wait_for_events(exchange->multi, others, left_ms))
            return error_set(err, ERROR_INTERNAL, "libcurl cannot wait");
    }
    return true;
}

/* All hosts of the cloud have IPv4 addresses, and name servers that fail to say that there is no
 * IPv6 address are common: IPv6 is only asked for where IPv4 does not work. */
static bool failed_by_ipv4(const struct exchange *exchange)
{
    return exchange->has_request && !exchange->all_address_families &&
           (exchange->result == CURLE_COULDNT_RESOLVE_HOST ||
            exchange->result == CURLE_COULDNT_RESOLVE_PROXY ||
            exchange->result == CURLE_COULDNT_CONNECT);
}

static bool finish(struct curl_transport *transport, struct exchange *exchange,
                   struct http_response *out, struct error *err)
{
    if (!drive(transport, exchange, err))
        return false;
    if (failed_by_ipv4(exchange) && exchange_restart_with_all_families(exchange) &&
        !drive(transport, exchange, err))
        return false;
    return exchange_take_response(exchange, out, err);
}

static struct exchange *take_prefetched(struct curl_transport *transport,
                                        const struct http_request *request, int64_t deadline_ms)
{
    struct buf key AUTO(buf_clear) = {0};

    exchange_key_of(&key, request);
    for (size_t i = 0; i < PREFETCHED_MAX && request->form == NULL; i++) {
        struct exchange *exchange = transport->prefetched[i];

        if (exchange != NULL && strcmp(buf_text(&exchange->key), buf_text(&key)) == 0) {
            transport->prefetched[i] = NULL;
            if (deadline_ms < exchange->end_by_ms)
                exchange->end_by_ms = deadline_ms;
            return exchange;
        }
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
        bool sent = finish(transport, early, out, err);

        if (sent || !early_was_lost(early))
            return sent;
    }
    exchange = take_prefetched(transport, request, deadline_ms);
    if (exchange == NULL && ensure_multi(transport, err))
        exchange =
            exchange_start(current_multi(transport), request, EXCHANGE_SEND, deadline_ms, err);
    return exchange != NULL && finish(transport, exchange, out, err);
}

static void prefetch(struct http_transport *functions, const struct http_request *request,
                     int64_t deadline_ms)
{
    struct curl_transport *transport = own(functions);
    struct error ignored;
    size_t place = 0;

    while (place < PREFETCHED_MAX && transport->prefetched[place] != NULL)
        place++;
    if (place < PREFETCHED_MAX && request->form == NULL && ensure_multi(transport, &ignored))
        transport->prefetched[place] = exchange_start(current_multi(transport), request,
                                                      EXCHANGE_PREFETCH, deadline_ms, &ignored);
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
    CURLM *multi = current_multi(transport);
    int64_t left_ms;
    bool others = false;

    while (multi != NULL && (left_ms = mono_ms - system_mono_ms()) > 0) {
        if (!perform(transport, multi, &others) || !wait_for_events(multi, others, left_ms))
            break;
    }
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
