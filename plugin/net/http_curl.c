/* The transport by libcurl: exchanges run side by side, in one thread, whenever one of them is
 * waited for. */
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
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

static bool perform(struct curl_transport *transport, int *running)
{
    return exchange_perform_all(transport->multi, running) &&
           early_perform(&transport->early, running);
}

static bool wait_for_events(struct curl_transport *transport, int64_t max_ms)
{
    enum { LONG_MS = 60000 };
    struct curl_waitfd early[EARLY_EVENTS_MAX];
    int wait_ms = max_ms < LONG_MS ? (int)max_ms : LONG_MS;
    unsigned count = early_events(early, &wait_ms, &transport->early);

    return curl_multi_poll(transport->multi, early, count, wait_ms, NULL) == CURLM_OK;
}

/* Lets all exchanges make progress until this one has ended. */
static bool drive(struct curl_transport *transport, struct exchange *exchange, struct error *err)
{
    int running = 0;
    int64_t left_ms;

    while (!exchange->done) {
        if (!perform(transport, &running))
            return error_set(err, ERROR_INTERNAL, "libcurl cannot go on");
        left_ms = exchange_check_time(exchange);
        if (!exchange->done && !wait_for_events(transport, left_ms))
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

static CURLM *multi_for(const struct curl_transport *transport, const struct http_request *request)
{
    char host[EXCHANGE_HOST_SIZE];
    CURLM *early;

    exchange_host_of(host, request->url);
    early = early_multi_for(&transport->early, host);
    return early != NULL ? early : transport->multi;
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
        exchange = exchange_start(multi_for(transport, request), request, true, deadline_ms, err);
    return exchange != NULL && finish(transport, exchange, out, err);
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
    *place = exchange_start(multi_for(transport, request), request, true, deadline_ms, &ignored);
    /* The connection that is open already is for what the caller waits for. */
    if (*place != NULL && !exchange_use_new_connection(*place))
        exchange_free(place);
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
    int64_t left_ms;
    int running = 1;

    while (transport->multi != NULL && running > 0 && (left_ms = mono_ms - clock_mono_ms()) > 0) {
        if (!perform(transport, &running) || (running > 0 && !wait_for_events(transport, left_ms)))
            break;
    }
    clock_sleep_until(mono_ms);
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
