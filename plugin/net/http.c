#include "net/http.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/trust.h"

enum { HOST_SIZE = 300 };

struct http {
    int64_t deadline_ms;
    CURLM *multi; /* NULL before the first exchange */
    /* A connection that is opened before it is needed, with all that follows to its host: apart
     * from the others, since libcurl lets it wait for its request only by not being called. */
    CURLM *early_multi; /* NULL if there is none */
    char early_host[HOST_SIZE];
    struct http_exchange *early; /* NULL once it has its request */
};

struct http_exchange {
    struct http *http;
    CURLM *multi; /* its own of the two */
    CURL *easy;
    int64_t started_ms;
    const char *method; /* of a connection that was opened early, borrowed */
    struct curl_slist *headers;
    struct http_response response;
    size_t body_max_bytes;
    int64_t connect_timeout_ms;
    int64_t timeout_ms;
    bool is_secure;
    bool by_any_address; /* by IPv6 too, since there was no way by IPv4 */
    bool too_large;
    bool said_hello;  /* of one opened early: the host took the connection, and TLS has begun */
    bool has_request; /* what is to be sent is known */
    bool sent;        /* libcurl has begun to send it */
    bool done;
    CURLcode result;      /* once done */
    char host[HOST_SIZE]; /* with its port */
    char complaint[CURL_ERROR_SIZE];
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

void http_response_clear(struct http_response *response)
{
    buf_clear(&response->body);
    *response = (struct http_response){0};
}

/* Headers carry STS tokens: the list is wiped, libcurl's own copies are out of reach. */
static void wipe_headers(struct curl_slist *headers)
{
    for (struct curl_slist *item = headers; item != NULL; item = item->next)
        explicit_bzero(item->data, strlen(item->data));
    curl_slist_free_all(headers);
}

void http_exchange_free(struct http_exchange **exchange)
{
    struct http_exchange *ended = *exchange;

    if (ended == NULL)
        return;
    if (ended->easy != NULL) {
        (void)curl_multi_remove_handle(ended->multi, ended->easy);
        curl_easy_cleanup(ended->easy);
    }
    wipe_headers(ended->headers);
    http_response_clear(&ended->response);
    free(ended);
    *exchange = NULL;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    size_t length = size * count;

    if (length > exchange->body_max_bytes - exchange->response.body.length) {
        exchange->too_large = true;
        return 0;
    }
    buf_append(&exchange->response.body, bytes, length);
    return length;
}

/* Copies the value of `line` if it is the header `name`, unless `out` has one already. */
static bool take_header(const char *line, const char *name, char *out, size_t size)
{
    size_t name_length = strlen(name);

    if (strncasecmp(line, name, name_length) != 0 || line[name_length] != ':')
        return false;
    line += name_length + 1;
    line += strspn(line, " \t");
    if (out[0] == '\0' && text_copy(out, size, line))
        text_make_printable(out);
    return true;
}

/* The challenge of scheme Bearer among several in one header (RFC 9110, section 11.6.1). */
static const char *find_bearer(const char *challenges)
{
    const char *at = challenges;

    while ((at = strcasestr(at, "Bearer ")) != NULL && at != challenges && at[-1] != ' ' &&
           at[-1] != ',')
        at++;
    return at;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_response *response = &((struct http_exchange *)context)->response;
    size_t length = size * count;
    char line[1200] = "";
    char date[64] = "";
    char challenges[sizeof response->challenge] = "";

    /* A header longer than any we want is none that we want. */
    if (length >= sizeof line)
        return length;
    memcpy(line, bytes, length);
    line[strcspn(line, "\r\n")] = '\0';
    if (text_starts_with(line, "HTTP/")) {
        /* The final answer follows an interim one (100 Continue): forget the latter. */
        http_response_clear(response);
    } else if (take_header(line, "date", date, sizeof date)) {
        if (!text_parse_http_date(date, &response->date_s))
            response->date_s = 0;
    } else if (take_header(line, "www-authenticate", challenges, sizeof challenges)) {
        const char *bearer = find_bearer(challenges);

        if (bearer != NULL && response->challenge[0] == '\0')
            (void)text_copy(response->challenge, sizeof response->challenge, bearer);
    } else if (!take_header(line, "retry-after", response->retry_after,
                            sizeof response->retry_after) &&
               !take_header(line, "x-ratelimit-user-api", response->rate_limit,
                            sizeof response->rate_limit) &&
               !take_header(line, "x-ratelimit-user", response->rate_limit,
                            sizeof response->rate_limit)) {
        (void)take_header(line, "x-acs-request-id", response->request_id,
                          sizeof response->request_id);
    }
    return length;
}

/* Called between the connection and the request. */
static int on_connection(void *context, char *peer, char *local, int peer_port, int local_port)
{
    struct http_exchange *exchange = context;

    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    exchange->sent = exchange->has_request;
    return exchange->has_request ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* Notes the first message of a handshake, and is called no more from then on: libcurl keeps the
 * connection for longer than there is an exchange. */
static void on_tls_message(int is_written, int version, int type, const void *bytes, size_t length,
                           SSL *tls, void *context)
{
    struct http_exchange *exchange = context;

    (void)version;
    (void)bytes;
    (void)length;
    if (is_written == 0 || type != SSL3_RT_HANDSHAKE)
        return;
    exchange->said_hello = true;
    SSL_set_msg_callback(tls, NULL);
    SSL_set_msg_callback_arg(tls, NULL);
}

static CURLcode on_tls_context(CURL *easy, void *tls_context, void *context)
{
    struct http_exchange *exchange = context;

    (void)easy;
    if (!exchange->has_request) {
        SSL_CTX_set_msg_callback(tls_context, on_tls_message);
        SSL_CTX_set_msg_callback_arg(tls_context, exchange);
    }
    return trust_install(tls_context) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

static bool set_protocol(CURL *easy, enum http_kind kind)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    const char *protocol = kind == HTTP_SECURE ? "https" : "http";

    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocol) == CURLE_OK;
#else
    long protocol = kind == HTTP_SECURE ? CURLPROTO_HTTPS : CURLPROTO_HTTP;

    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, protocol) == CURLE_OK;
#endif
}

static bool set_transport(struct http_exchange *exchange, enum http_kind kind)
{
    CURL *easy = exchange->easy;

    if (!set_protocol(easy, kind))
        return false;
    if (kind == HTTP_LINK_LOCAL)
        return curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    /* libcurl would load the whole bundle that its distribution chose; see trust.h. */
    (void)curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
    return curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context) == CURLE_OK;
}

static bool set_method(CURL *easy, const char *method, const char *form)
{
    const char *body = form == NULL ? "" : form;

    if (strcmp(method, "GET") == 0)
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    return curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body)) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
}

static void add_header(struct http_exchange *exchange, const char *name, const char *value)
{
    struct buf line AUTO(buf_clear) = {0};
    struct curl_slist *longer;

    /* "Name:" without a value tells libcurl to leave its own header of that name away. */
    buf_append_format(&line, "%s:%s%s", name, value[0] == '\0' ? "" : " ", value);
    longer = curl_slist_append(exchange->headers, buf_text(&line));
    if (longer != NULL)
        exchange->headers = longer;
}

static bool set_headers(struct http_exchange *exchange, const struct http_request *request)
{
    add_header(exchange, "Expect", "");
    if (request->form == NULL)
        add_header(exchange, "Content-Type", "");
    for (size_t i = 0; i < request->header_count; i++)
        add_header(exchange, request->headers[i].name, request->headers[i].value);
    return curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers) == CURLE_OK;
}

static void take_limits(struct http_exchange *exchange, const struct http_request *request)
{
    exchange->body_max_bytes = request->body_max_bytes;
    exchange->connect_timeout_ms = request->connect_timeout_ms;
    exchange->timeout_ms = request->timeout_ms;
}

static bool set_limits(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    int64_t left_ms = http_left_ms(exchange->http);
    int64_t timeout_ms = exchange->timeout_ms < left_ms ? exchange->timeout_ms : left_ms;
    /* libcurl counts from the start, the request's limits from when it is known. */
    int64_t passed_ms = clock_mono_ms() - exchange->started_ms;

    /* For libcurl 0 is no limit at all. */
    if (timeout_ms < 1)
        timeout_ms = 1;

#if LIBCURL_VERSION_NUM >= 0x075700
    /* Leaving must not wait for a resolver that hangs. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(passed_ms + timeout_ms)) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)(passed_ms + exchange->connect_timeout_ms)) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                            (curl_off_t)exchange->body_max_bytes) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
}

static bool set_all(struct http_exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;

    return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->aside ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT,
                            "aliyun-acr-credential-provider/" PROVIDER_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->complaint) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connection) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange) == CURLE_OK &&
           set_transport(exchange, request->kind) &&
           set_method(easy, request->method, request->form) &&
           (!exchange->has_request || set_headers(exchange, request)) && set_limits(exchange);
}

/* "https://host:port/path" -> "host:port". */
static void host_of(char *out, size_t size, const char *url)
{
    const char *host = strstr(url, "://");

    host = host == NULL ? url : host + 3;
    (void)text_copy(out, size, host);
    out[strcspn(out, "/?")] = '\0';
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
    exchange->started_ms = clock_mono_ms();
    exchange->is_secure = request->kind == HTTP_SECURE;
    exchange->has_request = is_ready;
    take_limits(exchange, request);
    host_of(exchange->host, sizeof exchange->host, request->url);
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
    if (exchange->easy == NULL || !set_all(exchange, request) ||
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

static bool fail_tls(const struct http_exchange *exchange, struct error *err)
{
    (void)error_set(err, ERROR_UNAVAILABLE, "%s: TLS certificate not accepted: %s", exchange->host,
                    exchange->complaint);
    return error_advise(err, "Check the node's clock and CA certificates; a private CA is named by "
                             "SSL_CERT_FILE");
}

/* libcurl quotes a proxy URL that it cannot read, with its password. */
static bool fail_proxy(const struct http_exchange *exchange, struct error *err)
{
    (void)error_set(err, ERROR_CONFIG, "%s: the proxy variable for it is not the URL of a proxy",
                    exchange->host);
    return error_advise(err, "Write HTTPS_PROXY as http://[USER:PASSWORD@]HOST[:PORT], user and "
                             "password percent-encoded");
}

/* Whether the two sides found no protocol or cipher in common, which no other try would change. */
static bool is_tls_disagreement(const struct http_exchange *exchange)
{
    return exchange->result == CURLE_SSL_CONNECT_ERROR &&
           (strstr(exchange->complaint, "protocol") != NULL ||
            strstr(exchange->complaint, "wrong version") != NULL ||
            strstr(exchange->complaint, "handshake failure") != NULL);
}

static bool fail_name(const struct http_exchange *exchange, const char *detail, struct error *err)
{
    (void)error_set(err, ERROR_TEMPORARY, "%s: name not resolved: %s", exchange->host, detail);
    return error_advise(err, "Check the node's DNS (/etc/resolv.conf)");
}

/* Whether the time was over before there was an address to connect to. */
static bool is_name_unknown(const struct http_exchange *exchange)
{
    curl_off_t resolved_us = 0;

    return curl_easy_getinfo(exchange->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us) ==
               CURLE_OK &&
           resolved_us == 0;
}

static bool fail(const struct http_exchange *exchange, struct error *err)
{
    const char *host = exchange->host;
    const char *detail =
        exchange->complaint[0] != '\0' ? exchange->complaint : curl_easy_strerror(exchange->result);

    if (exchange->too_large || exchange->result == CURLE_FILESIZE_EXCEEDED)
        return error_set(err, ERROR_UNAVAILABLE, "%s: answer larger than %zu bytes", host,
                         exchange->body_max_bytes);
    if (strstr(detail, "proxy") != NULL &&
        (strstr(detail, "://") != NULL || strstr(detail, "nsupported proxy") != NULL))
        return fail_proxy(exchange, err);
    if (is_tls_disagreement(exchange))
        return error_set(err, ERROR_UNAVAILABLE, "%s: no TLS 1.2 or later: %s", host, detail);
    switch (exchange->result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return fail_name(exchange, detail, err);
    case CURLE_COULDNT_CONNECT:
        (void)error_set(err, ERROR_TEMPORARY, "%s: no connection: %s", host, detail);
        return error_advise(err, "Check routes, security groups and proxy variables of the node");
    case CURLE_OPERATION_TIMEDOUT:
        if (is_name_unknown(exchange))
            return fail_name(exchange, detail, err);
        (void)error_set(err, ERROR_TEMPORARY, "%s: no answer in time: %s", host, detail);
        return error_advise(err, "Check routes, security groups and proxy variables of the node");
    case CURLE_SSL_CACERT_BADFILE:
        (void)error_set(err, ERROR_CONFIG, "%s: the certificates in SSL_CERT_FILE cannot be read",
                        host);
        return error_advise(err, "Let it name a readable file of PEM certificates, or unset it");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return fail_tls(exchange, err);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return error_set(err, ERROR_UNAVAILABLE, "%s: not an HTTP answer: %s", host, detail);
    default:
        (void)error_set(err, ERROR_TEMPORARY, "%s: connection failed: %s", host, detail);
        return error_advise(err, "Try again; if it stays, check what stands between the node and "
                                 "the service");
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

/* Whether the peer has taken the connection, with TLS if that belongs to it. */
static bool is_connected(const struct http_exchange *exchange)
{
    curl_off_t tcp_us = 0;
    curl_off_t tls_us = 0;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_CONNECT_TIME_T, &tcp_us);
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_APPCONNECT_TIME_T, &tls_us);
    return exchange->is_secure ? tls_us > 0 : tcp_us > 0;
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
    exchange->by_any_address = true;
    exchange->done = false;
    exchange->started_ms = clock_mono_ms();
    exchange->complaint[0] = '\0';
    /* libcurl remembers IPv4 addresses as if they were all. */
    if (curl_multi_remove_handle(exchange->multi, exchange->easy) != CURLM_OK ||
        curl_easy_setopt(exchange->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L) != CURLE_OK ||
        curl_easy_setopt(exchange->easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_WHATEVER) !=
            CURLE_OK ||
        !set_limits(exchange) || curl_multi_add_handle(exchange->multi, exchange->easy) != CURLM_OK)
        return error_set(err, ERROR_INTERNAL, "libcurl cannot go on");
    return drive(exchange, err);
}

bool http_finish(struct http_exchange *exchange, struct http_response *out, struct error *err)
{
    http_response_clear(out);
    if (!drive(exchange, err) || (is_without_ipv4(exchange) && !go_by_any_address(exchange, err)))
        return false;
    if (exchange->result != CURLE_OK) {
        out->connected = is_connected(exchange);
        return fail(exchange, err);
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
    char host[HOST_SIZE];

    host_of(host, sizeof host, request->url);
    return strcmp(early->host, host) == 0 && strcmp(early->method, request->method) == 0 &&
           request->form == NULL;
}

/* Gives the early connection its request. */
static bool set_request(struct http_exchange *early, const struct http_request *request)
{
    const char *target = request->url + strlen("https://");

    target += strcspn(target, "/");
    take_limits(early, request);
    early->has_request = true;
    return curl_easy_setopt(early->easy, CURLOPT_REQUEST_TARGET,
                            target[0] == '\0' ? "/" : target) == CURLE_OK &&
           set_headers(early, request) && set_limits(early);
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
    if (!early->done && !set_request(early, request))
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

const char *http_library_version(void)
{
    return curl_version();
}
