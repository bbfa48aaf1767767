#include "net/http_exchange.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/http_failure.h"
#include "net/trust.h"

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

void http_exchange_host_of(char out[HTTP_EXCHANGE_HOST_SIZE], const char *url)
{
    const char *host = strstr(url, "://");

    host = host == NULL ? url : host + 3;
    (void)text_copy(out, HTTP_EXCHANGE_HOST_SIZE, host);
    out[strcspn(out, "/?")] = '\0';
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

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;

    http_response_take_line(&exchange->response, bytes, size * count);
    return size * count;
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
           curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
               CURLE_OK &&
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

static bool set_limits(struct http_exchange *exchange, int64_t left_ms)
{
    CURL *easy = exchange->easy;
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

bool http_exchange_prepare(struct http_exchange *exchange, const struct http_request *request,
                           int64_t left_ms)
{
    CURL *easy = exchange->easy;

    exchange->started_ms = clock_mono_ms();
    exchange->is_secure = request->kind == HTTP_SECURE;
    take_limits(exchange, request);
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
           (!exchange->has_request || set_headers(exchange, request)) &&
           set_limits(exchange, left_ms);
}

bool http_exchange_add_request(struct http_exchange *exchange, const struct http_request *request,
                               int64_t left_ms)
{
    const char *target = request->url + strlen("https://");

    target += strcspn(target, "/");
    take_limits(exchange, request);
    exchange->has_request = true;
    return curl_easy_setopt(exchange->easy, CURLOPT_REQUEST_TARGET,
                            target[0] == '\0' ? "/" : target) == CURLE_OK &&
           set_headers(exchange, request) && set_limits(exchange, left_ms);
}

bool http_exchange_widen(struct http_exchange *exchange, int64_t left_ms)
{
    exchange->by_any_address = true;
    exchange->done = false;
    exchange->started_ms = clock_mono_ms();
    exchange->complaint[0] = '\0';
    /* libcurl remembers IPv4 addresses as if they were all. */
    return curl_easy_setopt(exchange->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L) == CURLE_OK &&
           curl_easy_setopt(exchange->easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_WHATEVER) ==
               CURLE_OK &&
           set_limits(exchange, left_ms);
}

bool http_exchange_is_connected(const struct http_exchange *exchange)
{
    curl_off_t tcp_us = 0;
    curl_off_t tls_us = 0;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_CONNECT_TIME_T, &tcp_us);
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_APPCONNECT_TIME_T, &tls_us);
    return exchange->is_secure ? tls_us > 0 : tcp_us > 0;
}

bool http_exchange_fail(const struct http_exchange *exchange, struct error *err)
{
    curl_off_t resolved_us = 0;
    long proxy_status = 0;
    bool is_counted =
        curl_easy_getinfo(exchange->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us) == CURLE_OK;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    return http_failure_tell(
        &(struct http_failure){.host = exchange->host,
                               .result = exchange->result,
                               .complaint = exchange->complaint,
                               .is_too_large = exchange->too_large,
                               .body_max_bytes = exchange->body_max_bytes,
                               .is_name_unknown = is_counted && resolved_us == 0,
                               .proxy_status = proxy_status},
        err);
}
