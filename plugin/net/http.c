#include "net/http.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/http_exchange.h"

struct http {
    int64_t deadline_ms;
    CURLM *multi; /* NULL before the first exchange */
    /* A connection that is opened before it is needed, with all that follows to its host: apart
     * from the others, since libcurl lets it wait for its request only by not being called. */
    CURLM *early_multi; /* NULL if there is none */
    char early_host[HTTP_EXCHANGE_HOST_SIZE];
    struct http_exchange *early; /* NULL once it has its request */
};

struct http *http_open(int64_t deadline_ms)
{
    struct http *http = alloc_zeroed(1, sizeof *http);

    http->deadline_ms = deadline_ms;
    return http;
}

void http_close(struct http **http)
{
    if (*http != NULL)
        http_exchange_free(&(*http)->early);
    if (*http != NULL && (*http)->multi != NULL) {
        (void)curl_multi_cleanup((*http)->early_multi);
        (void)curl_multi_cleanup((*http)->multi);
        curl_global_cleanup();
    }
    free(*http);
    *http = NULL;
}

int64_t http_left_ms(const struct http *http)
{
    int64_t left_ms = http->deadline_ms - clock_mono_ms();

    return left_ms > 0 ? left_ms : 0;
}

void http_hurry(struct http *http, int64_t left_ms)
{
    int64_t sooner_ms = clock_mono_ms() + left_ms;

    if (sooner_ms < http->deadline_ms)
        http->deadline_ms = sooner_ms;
}

/* Where an exchange with this host belongs: with the connection that was opened early, once that
 * has its own request. */
static CURLM *multi_for(const struct http *http, const char *host)
{
    bool is_follower =
        http->early_multi != NULL && http->early == NULL && strcmp(http->early_host, host) == 0;

    return is_follower ? http->early_multi : http->multi;
}

static bool has_libcurl(struct http *http)
{
    /* At the end of the process the kernel is faster at freeing than libcrypto. */
    if (http->multi == NULL && OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) == 1 &&
        curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        http->multi = curl_multi_init();
    return http->multi != NULL;
}

/* A request that is not ready to be sent only opens the connection. */
static struct http_exchange *start(struct http *http, const struct http_request *request,
                                   bool is_ready, struct error *err)
{
    struct http_exchange *exchange = alloc_zeroed(1, sizeof *exchange);

    exchange->http = http;
    exchange->has_request = is_ready;
    http_exchange_host_of(exchange->host, request->url);
    if (http_left_ms(http) == 0) {
        (void)error_set(err, ERROR_TEMPORARY, "%s: no time left before the deadline",
                        exchange->host);
        http_exchange_free(&exchange);
        return NULL;
    }
    if (has_libcurl(http)) {
        exchange->multi = is_ready ? multi_for(http, exchange->host) : http->early_multi;
        exchange->easy = curl_easy_init();
    }
    if (exchange->easy == NULL || !http_exchange_prepare(exchange, request, http_left_ms(http)) ||
        curl_multi_add_handle(exchange->multi, exchange->easy) != CURLM_OK) {
        (void)error_set(err, ERROR_INTERNAL, "libcurl cannot prepare a request to %s: %s",
                        exchange->host,
                        exchange->complaint[0] == '\0' ? "an option is missing in this build"
                                                       : exchange->complaint);
        http_exchange_free(&exchange);
    }
    return exchange;
}

struct http_exchange *http_start(struct http *http, const struct http_request *request,
                                 struct error *err)
{
    return start(http, request, true, err);
}

/* Marks the exchanges that have ended. */
static void collect(CURLM *multi)
{
    CURLMsg *message;
    int left = 0;

    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        char *owner = NULL;

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner) == CURLE_OK) {
            struct http_exchange *exchange = (struct http_exchange *)(void *)owner;

            exchange->done = true;
            exchange->result = message->data.result;
        }
    }
}

/* Whether the early connection is to go on no further: the TLS hello has been sent, and its answer
 * can wait in the socket for the request, which then follows without another round trip. */
static bool is_held(const struct http *http)
{
    return http->early_multi == NULL || (http->early != NULL && http->early->said_hello);
}

/* Lets all exchanges go on as far as they can. */
static bool perform(struct http *http, int *running)
{
    int early_running = 0;

    if (curl_multi_perform(http->multi, running) != CURLM_OK)
        return false;
    collect(http->multi);
    if (is_held(http))
        return true;
    if (curl_multi_perform(http->early_multi, &early_running) != CURLM_OK)
        return false;
    collect(http->early_multi);
    *running += early_running;
    return true;
}

enum { EARLY_EVENTS_MAX = 8 };

/* What the early connection waits for; shortens `wait_ms` to what its timers want. */
static unsigned early_events(struct curl_waitfd out[EARLY_EVENTS_MAX], int *wait_ms,
                             const struct http *http)
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
    if (is_held(http) ||
        curl_multi_fdset(http->early_multi, &readable, &writable, &unused, &last) != CURLM_OK)
        return 0;
    (void)curl_multi_timeout(http->early_multi, &timer_ms);
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

static bool wait_for_events(struct http *http, int64_t left_ms)
{
    enum { POLL_MS = 1000 };
    struct curl_waitfd early[EARLY_EVENTS_MAX];
    int wait_ms = left_ms < POLL_MS ? (int)left_ms : POLL_MS;
    unsigned count = early_events(early, &wait_ms, http);

    return curl_multi_poll(http->multi, early, count, wait_ms, NULL) == CURLM_OK;
}

/* Lets all exchanges go on until this one has ended. */
static bool drive(struct http_exchange *exchange, struct error *err)
{
    enum { LONG_MS = 60000 }; /* libcurl's own limits end an exchange */
    int running = 0;

    while (!exchange->done) {
        if (!perform(exchange->http, &running))
            return error_set(err, ERROR_INTERNAL, "libcurl cannot go on");
        if (!exchange->done && !wait_for_events(exchange->http, LONG_MS))
            return error_set(err, ERROR_INTERNAL, "libcurl cannot wait");
    }
    return true;
}

void http_sleep(struct http *http, int64_t until_ms)
{
    int64_t left_ms;
    int running = 1;

    while (http->multi != NULL && running > 0 && (left_ms = until_ms - clock_mono_ms()) > 0) {
        if (!perform(http, &running) || (running > 0 && !wait_for_events(http, left_ms)))
            break;
    }
    clock_sleep_until(until_ms);
}

/* All hosts of the cloud have IPv4 addresses, and name servers that fail to say that there is no
 * IPv6 address are common: so that is asked for only where it is the way out. */
static bool is_without_ipv4(const struct http_exchange *exchange)
{
    return exchange->has_request && !exchange->by_any_address &&
           (exchange->result == CURLE_COULDNT_RESOLVE_HOST ||
            exchange->result == CURLE_COULDNT_RESOLVE_PROXY ||
            exchange->result == CURLE_COULDNT_CONNECT);
}

static bool go_by_any_address(struct http_exchange *exchange, struct error *err)
{
    if (curl_multi_remove_handle(exchange->multi, exchange->easy) != CURLM_OK ||
        !http_exchange_widen(exchange, http_left_ms(exchange->http)) ||
        curl_multi_add_handle(exchange->multi, exchange->easy) != CURLM_OK)
        return error_set(err, ERROR_INTERNAL, "libcurl cannot go on");
    return drive(exchange, err);
}

bool http_finish(struct http_exchange *exchange, struct http_response *out, struct error *err)
{
    http_response_clear(out);
    if (!drive(exchange, err) || (is_without_ipv4(exchange) && !go_by_any_address(exchange, err)))
        return false;
    if (exchange->result != CURLE_OK) {
        out->connected = http_exchange_is_connected(exchange);
        return http_exchange_fail(exchange, err);
    }
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &exchange->response.status);
    *out = exchange->response;
    out->connected = true;
    exchange->response = (struct http_response){0};
    return true;
}

void http_open_early(struct http *http, const char *method, const char *base_url,
                     int64_t connect_timeout_ms)
{
    const struct http_request request = {.kind = HTTP_SECURE,
                                         .method = method,
                                         .url = base_url,
                                         .connect_timeout_ms = connect_timeout_ms,
                                         .timeout_ms = INT64_MAX};
    struct error ignored;

    if (http->early_multi != NULL || !has_libcurl(http))
        return;
    http->early_multi = curl_multi_init();
    if (http->early_multi == NULL)
        return;
    http->early = start(http, &request, false, &ignored);
    if (http->early == NULL)
        return;
    http->early->method = method;
    (void)text_copy(http->early_host, sizeof http->early_host, http->early->host);
}

/* Whether it can carry this request: nothing but target and headers can be told later. */
static bool fits(const struct http_exchange *early, const struct http_request *request)
{
    char host[HTTP_EXCHANGE_HOST_SIZE];

    http_exchange_host_of(host, request->url);
    return strcmp(early->host, host) == 0 && strcmp(early->method, request->method) == 0 &&
           request->form == NULL;
}

/* Whether the host took the connection and gave it up before there was a request. */
static bool was_lost(const struct http_exchange *early)
{
    return !early->sent && early->said_hello && early->result != CURLE_OPERATION_TIMEDOUT;
}

/* Sends the request by the connection that was opened early. False if there is none that serves;
 * else `sent` tells how it went. */
static bool send_early(bool *sent, struct http *http, const struct http_request *request,
                       struct http_response *out, struct error *err)
{
    struct http_exchange *early AUTO(http_exchange_free) = NULL;

    if (http->early == NULL || !fits(http->early, request))
        return false;
    early = http->early;
    http->early = NULL;
    if (!early->done && !http_exchange_add_request(early, request, http_left_ms(http)))
        return false;
    *sent = http_finish(early, out, err);
    return *sent || !was_lost(early);
}

bool http_send(struct http *http, const struct http_request *request, struct http_response *out,
               struct error *err)
{
    struct http_exchange *exchange AUTO(http_exchange_free) = NULL;
    bool sent = false;

    if (send_early(&sent, http, request, out, err))
        return sent;
    exchange = http_start(http, request, err);
    return exchange != NULL && http_finish(exchange, out, err);
}

void http_describe_way(struct buf *out)
{
    static const char *const names[] = {"https_proxy",   "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",     "no_proxy",    "NO_PROXY",
                                        "SSL_CERT_FILE", "SSL_CERT_DIR"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = secure_getenv(names[i]);

        buf_append_format(out, "\n%s", value == NULL ? "" : value);
    }
}

const char *http_library_version(void)
{
    return curl_version();
}
