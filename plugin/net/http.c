#include "net/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/trust.h"

/* Of an early connection: how long it may last, and how long an answer by it is waited for. */
enum { EARLY_TIMEOUT_MS = 10000, EARLY_PATIENCE_MS = 500 };

struct http {
    int64_t deadline_ms;
    CURLM *multi;                /* NULL before the first exchange */
    struct http_exchange *early; /* a connection that was opened before it was needed, or NULL */
};

struct http_exchange {
    struct http *http;
    CURL *easy;
    struct curl_slist *headers;
    struct http_response response;
    size_t body_max_bytes;
    bool is_secure;
    bool too_large;
    bool done;
    CURLcode result; /* once done */
    char host[300];  /* for words */
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
        (void)curl_multi_remove_handle(ended->http->multi, ended->easy);
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

/* Copies the value of `line` if it is the header `name`; the first of several counts. */
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

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_response *response = &((struct http_exchange *)context)->response;
    size_t length = size * count;
    char line[1200] = "";
    char date[64] = "";
    char challenge[sizeof response->challenge] = "";

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
    } else if (take_header(line, "www-authenticate", challenge, sizeof challenge)) {
        if (strncasecmp(challenge, "Bearer ", 7) == 0 && response->challenge[0] == '\0')
            (void)text_copy(response->challenge, sizeof response->challenge, challenge);
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

static CURLcode on_tls_context(CURL *easy, void *tls_context, void *unused)
{
    (void)easy;
    (void)unused;
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
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context) == CURLE_OK;
}

static bool set_method(CURL *easy, const char *method, const char *form)
{
    const char *body = form == NULL ? "" : form;

    if (strcmp(method, "HEAD") == 0)
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
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

static bool set_limits(struct http_exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;
    int64_t left_ms = http_left_ms(exchange->http);
    int64_t timeout_ms = request->timeout_ms < left_ms ? request->timeout_ms : left_ms;

    /* For libcurl 0 is no limit at all. */
    if (timeout_ms < 1)
        timeout_ms = 1;

#if LIBCURL_VERSION_NUM >= 0x075700
    /* Leaving must not wait for a resolver that hangs. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->body_max_bytes) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
}

static bool set_all(struct http_exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;

    return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT,
                            "aliyun-acr-credential-provider/" PROVIDER_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->complaint) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange) == CURLE_OK &&
           set_transport(exchange, request->kind) &&
           set_method(easy, request->method, request->form) && set_headers(exchange, request) &&
           set_limits(exchange, request);
}

/* "https://host:port/path" -> "host:port". */
static void host_of(char *out, size_t size, const char *url)
{
    const char *host = strstr(url, "://");

    host = host == NULL ? url : host + 3;
    (void)text_copy(out, size, host);
    out[strcspn(out, "/?")] = '\0';
}

struct http_exchange *http_start(struct http *http, const struct http_request *request,
                                 struct error *err)
{
    struct http_exchange *exchange = alloc_zeroed(1, sizeof *exchange);

    exchange->http = http;
    exchange->is_secure = request->kind == HTTP_SECURE;
    exchange->body_max_bytes = request->body_max_bytes;
    host_of(exchange->host, sizeof exchange->host, request->url);
    if (http_left_ms(http) == 0) {
        (void)error_set(err, ERROR_TEMPORARY, "%s: no time left before the deadline",
                        exchange->host);
        http_exchange_free(&exchange);
        return NULL;
    }
    if (http->multi == NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        http->multi = curl_multi_init();
    if (http->multi != NULL)
        exchange->easy = curl_easy_init();
    if (exchange->easy == NULL || !set_all(exchange, request) ||
        curl_multi_add_handle(http->multi, exchange->easy) != CURLM_OK) {
        (void)error_set(err, ERROR_INTERNAL, "libcurl cannot prepare a request to %s: %s",
                        exchange->host,
                        exchange->complaint[0] == '\0' ? "an option is missing in this build"
                                                       : exchange->complaint);
        http_exchange_free(&exchange);
    }
    return exchange;
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

static bool fail(const struct http_exchange *exchange, struct error *err)
{
    const char *host = exchange->host;
    const char *detail =
        exchange->complaint[0] != '\0' ? exchange->complaint : curl_easy_strerror(exchange->result);

    if (exchange->too_large || exchange->result == CURLE_FILESIZE_EXCEEDED)
        return error_set(err, ERROR_UNAVAILABLE, "%s: answer larger than %zu bytes", host,
                         exchange->body_max_bytes);
    switch (exchange->result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        (void)error_set(err, ERROR_TEMPORARY, "%s: name not resolved: %s", host, detail);
        return error_advise(err, "Check the node's DNS (/etc/resolv.conf)");
    case CURLE_COULDNT_CONNECT:
        (void)error_set(err, ERROR_TEMPORARY, "%s: no connection: %s", host, detail);
        return error_advise(err, "Check routes, security groups and proxy variables of the node");
    case CURLE_OPERATION_TIMEDOUT:
        (void)error_set(err, ERROR_TEMPORARY, "%s: no answer in time: %s", host, detail);
        return error_advise(err, "Check routes, security groups and proxy variables of the node");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
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

/* Lets all exchanges go on until this one has ended, or until `until_ms` (monotonic). */
static bool drive(struct http_exchange *exchange, int64_t until_ms, struct error *err)
{
    enum { POLL_MS = 1000 };
    CURLM *multi = exchange->http->multi;

    while (!exchange->done) {
        int64_t left_ms = until_ms - clock_mono_ms();
        int running = 0;

        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return error_set(err, ERROR_INTERNAL, "libcurl cannot go on");
        collect(multi);
        if (exchange->done || left_ms <= 0)
            break;
        if (curl_multi_poll(multi, NULL, 0, left_ms < POLL_MS ? (int)left_ms : POLL_MS, NULL) !=
            CURLM_OK)
            return error_set(err, ERROR_INTERNAL, "libcurl cannot wait");
    }
    return true;
}

void http_sleep(struct http *http, int64_t until_ms)
{
    int64_t left_ms;
    int running = 1;

    while (http->multi != NULL && running > 0 && (left_ms = until_ms - clock_mono_ms()) > 0) {
        if (curl_multi_perform(http->multi, &running) != CURLM_OK)
            break;
        collect(http->multi);
        if (running > 0 &&
            curl_multi_poll(http->multi, NULL, 0, left_ms < INT_MAX ? (int)left_ms : INT_MAX,
                            NULL) != CURLM_OK)
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

bool http_finish(struct http_exchange *exchange, struct http_response *out, struct error *err)
{
    http_response_clear(out);
    if (!drive(exchange, INT64_MAX, err))
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

void http_open_early(struct http *http, const char *base_url, int64_t connect_timeout_ms)
{
    const struct http_request request = {.kind = HTTP_SECURE,
                                         .method = "HEAD",
                                         .url = base_url,
                                         .connect_timeout_ms = connect_timeout_ms,
                                         .timeout_ms = EARLY_TIMEOUT_MS};
    struct error ignored;

    if (http->early == NULL)
        http->early = http_start(http, &request, &ignored);
}

/* Waits for the connection that was opened early, if it is to this host: a second one beside it
 * would take as long. Fails as it failed. What the host answers to the HEAD request does not
 * matter, and is not waited for when it takes long: then the connection is lost. */
static bool take_early(struct http *http, const char *url, struct error *err)
{
    struct http_exchange *early AUTO(http_exchange_free) = NULL;
    struct http_response ignored AUTO(http_response_clear) = {0};
    char host[sizeof early->host];

    host_of(host, sizeof host, url);
    if (http->early == NULL || strcmp(http->early->host, host) != 0)
        return true;
    early = http->early;
    http->early = NULL;
    if (!drive(early, clock_mono_ms() + EARLY_PATIENCE_MS, err))
        return false;
    if (!early->done && is_connected(early))
        return true;
    return http_finish(early, &ignored, err) || ignored.connected;
}

bool http_send(struct http *http, const struct http_request *request, struct http_response *out,
               struct error *err)
{
    struct http_exchange *exchange AUTO(http_exchange_free) = NULL;

    if (!take_early(http, request->url, err))
        return false;
    exchange = http_start(http, request, err);
    return exchange != NULL && http_finish(exchange, out, err);
}

const char *http_library_version(void)
{
    return curl_version();
}
