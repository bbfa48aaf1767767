#include "net/exchange.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/system.h"
#include "base/text.h"
#include "net/explain.h"
#include "net/proxy.h"
#include "net/trust.h"

/* Headers carry STS tokens: the list is wiped, libcurl's own copies are out of reach. */
static void wipe_headers(struct curl_slist *headers)
{
    for (struct curl_slist *item = headers; item != NULL; item = item->next)
        explicit_bzero(item->data, strlen(item->data));
    curl_slist_free_all(headers);
}

void exchange_free(struct exchange **exchange)
{
    struct exchange *ended = *exchange;

    if (ended == NULL)
        return;
    if (ended->easy != NULL) {
        (void)curl_multi_remove_handle(ended->multi, ended->easy);
        curl_easy_cleanup(ended->easy);
    }
    wipe_headers(ended->headers);
    buf_clear(&ended->key);
    http_response_clear(&ended->response);
    free(ended);
    *exchange = NULL;
}

void exchange_host_of(char out[EXCHANGE_HOST_SIZE], const char *url)
{
    const char *host = strstr(url, "://");

    host = host == NULL ? url : host + 3;
    (void)text_copy(out, EXCHANGE_HOST_SIZE, host);
    out[strcspn(out, "/?")] = '\0';
}

void exchange_key_of(struct buf *out, const struct http_request *request)
{
    buf_append_format(out, "%s %s", request->method, request->url);
    for (size_t i = 0; i < request->header_count; i++)
        buf_append_format(out, "\n%s: %s", request->headers[i].name, request->headers[i].value);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
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
    struct exchange *exchange = context;

    http_response_take_line(&exchange->response, bytes, size * count);
    return size * count;
}

/* Called between the connection and the request. */
static int on_connection(void *context, char *peer, char *local, int peer_port, int local_port)
{
    struct exchange *exchange = context;

    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    exchange->sent = exchange->has_request;
    return exchange->has_request ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static CURLcode on_tls_context(CURL *easy, void *tls_context, void *context)
{
    struct exchange *exchange = context;

    (void)easy;
    handshake_watch(&exchange->handshake, tls_context);
    /* libcurl has buffers freed and made anew for each record, to save memory while idle. */
    (void)SSL_CTX_clear_mode(tls_context, SSL_MODE_RELEASE_BUFFERS);
    return trust_install(tls_context, &system_real) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
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

/* What libcurl is given it does not read from the environment. */
static bool set_proxy(struct exchange *exchange, enum http_kind kind)
{
    struct proxy proxy = {.url = "", .exceptions = "", .is_usable = true};

    if (kind == HTTP_SECURE)
        proxy = proxy_of_environment(&system_real);
    exchange->has_unusable_proxy = !proxy.is_usable;
    return curl_easy_setopt(exchange->easy, CURLOPT_PROXY, proxy.url) == CURLE_OK &&
           curl_easy_setopt(exchange->easy, CURLOPT_NOPROXY, proxy.exceptions) == CURLE_OK;
}

static bool set_tls(struct exchange *exchange)
{
    CURL *easy = exchange->easy;

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

static bool add_header(struct exchange *exchange, const char *name, const char *value)
{
    struct buf line AUTO(buf_clear) = {0};
    struct curl_slist *longer;

    /* "Name:" without a value tells libcurl to leave its own header of that name away. */
    buf_append_format(&line, "%s:%s%s", name, value[0] == '\0' ? "" : " ", value);
    longer = curl_slist_append(exchange->headers, buf_text(&line));
    if (longer != NULL)
        exchange->headers = longer;
    return longer != NULL;
}

static bool set_headers(struct exchange *exchange, const struct http_request *request)
{
    if (!add_header(exchange, "Expect", "") ||
        (request->form == NULL && !add_header(exchange, "Content-Type", "")))
        return false;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!add_header(exchange, request->headers[i].name, request->headers[i].value))
            return false;
    }
    return curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers) == CURLE_OK;
}

/* libcurl's own timers start with an exchange, but limits may change when the request is known:
 * what counts is exchange_check_time(). Its connection time-out decides how long it tries each of
 * several addresses. */
static bool set_limits(struct exchange *exchange, const struct http_request *request,
                       int64_t deadline_ms)
{
    int64_t now_ms = system_mono_ms();

    exchange->body_max_bytes = request->body_max_bytes;
    exchange->connect_timeout_ms = request->connect_timeout_ms;
    exchange->connect_by_ms = now_ms + request->connect_timeout_ms;
    exchange->end_by_ms =
        deadline_ms - now_ms < request->timeout_ms ? deadline_ms : now_ms + request->timeout_ms;
    return curl_easy_setopt(exchange->easy, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)(exchange->connect_by_ms - exchange->started_ms)) == CURLE_OK &&
           curl_easy_setopt(exchange->easy, CURLOPT_MAXFILESIZE_LARGE,
                            (curl_off_t)exchange->body_max_bytes) == CURLE_OK;
}

static bool set_request(struct exchange *exchange, const struct http_request *request)
{
    exchange->has_request = true;
    exchange_key_of(&exchange->key, request);
    return set_headers(exchange, request);
}

static bool prepare(struct exchange *exchange, const struct http_request *request,
                    int64_t deadline_ms)
{
    CURL *easy = exchange->easy;

#if LIBCURL_VERSION_NUM >= 0x075700
    /* Leaving must not wait for a resolver that hangs. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT,
                            "aliyun-acr-credential-provider/" PROVIDER_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->message) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connection) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange) == CURLE_OK &&
           set_protocol(easy, request->kind) && set_proxy(exchange, request->kind) &&
           (request->kind != HTTP_SECURE || set_tls(exchange)) &&
           set_method(easy, request->method, request->form) &&
           set_limits(exchange, request, deadline_ms);
}

struct exchange *exchange_start(CURLM *multi, const struct http_request *request,
                                enum exchange_mode mode, int64_t deadline_ms, struct error *err)
{
    struct exchange *exchange = alloc_zeroed(1, sizeof *exchange);

    exchange->multi = multi;
    exchange->handshake.waits = mode == EXCHANGE_CONNECT;
    exchange->started_ms = system_mono_ms();
    text_copy(exchange->method, sizeof exchange->method, request->method);
    exchange_host_of(exchange->host, request->url);
    exchange->easy = curl_easy_init();
    if (exchange->easy != NULL && prepare(exchange, request, deadline_ms) &&
        (mode == EXCHANGE_CONNECT || set_request(exchange, request)) &&
        (mode != EXCHANGE_PREFETCH ||
         curl_easy_setopt(exchange->easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK) &&
        curl_multi_add_handle(multi, exchange->easy) == CURLM_OK)
        return exchange;
    error_set(err, ERROR_INTERNAL, "libcurl cannot prepare a request to %s: %s", exchange->host,
              exchange->message[0] == '\0' ? "an option is missing in this build"
                                           : exchange->message);
    exchange_free(&exchange);
    return NULL;
}

bool exchange_set_request(struct exchange *exchange, const struct http_request *request,
                          int64_t deadline_ms)
{
    const char *target = request->url + strlen("https://");

    target += strcspn(target, "/");
    handshake_release(&exchange->handshake);
    return curl_easy_setopt(exchange->easy, CURLOPT_REQUEST_TARGET,
                            target[0] == '\0' ? "/" : target) == CURLE_OK &&
           set_request(exchange, request) && set_limits(exchange, request, deadline_ms);
}

bool exchange_restart_with_all_families(struct exchange *exchange)
{
    exchange->all_address_families = true;
    exchange->done = false;
    exchange->started_ms = system_mono_ms();
    exchange->connect_by_ms = exchange->started_ms + exchange->connect_timeout_ms;
    exchange->message[0] = '\0';
    /* libcurl remembers IPv4 addresses as if they were all. */
    return curl_multi_remove_handle(exchange->multi, exchange->easy) == CURLM_OK &&
           curl_easy_setopt(exchange->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L) == CURLE_OK &&
           curl_easy_setopt(exchange->easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_WHATEVER) ==
               CURLE_OK &&
           curl_multi_add_handle(exchange->multi, exchange->easy) == CURLM_OK;
}

int exchange_perform_all(CURLM *multi)
{
    CURLMsg *message;
    int active = 0;
    int left = 0;

    if (curl_multi_perform(multi, &active) != CURLM_OK)
        return -1;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        char *owner = NULL;

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner) == CURLE_OK) {
            struct exchange *exchange = (struct exchange *)(void *)owner;

            exchange->done = true;
            exchange->result = message->data.result;
        }
    }
    return active;
}

int64_t exchange_check_time(struct exchange *exchange)
{
    int64_t limit_ms = exchange->end_by_ms;
    int64_t left_ms;

    if (!exchange->sent && exchange->connect_by_ms < limit_ms)
        limit_ms = exchange->connect_by_ms;
    left_ms = limit_ms - system_mono_ms();
    if (left_ms > 0 || exchange->done)
        return left_ms;
    exchange->done = true;
    exchange->result = CURLE_OPERATION_TIMEDOUT;
    return 0;
}

static long number_of(const struct exchange *exchange, CURLINFO what)
{
    long number = 0;

    (void)curl_easy_getinfo(exchange->easy, what, &number);
    return number;
}

static bool fail(const struct exchange *exchange, struct error *err)
{
    curl_off_t resolved_us = 0;
    long verify_result = number_of(exchange, CURLINFO_SSL_VERIFYRESULT);

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us);
    return explain_failure(
        &(struct failure){
            .host = exchange->host,
            .result = exchange->result,
            .message = exchange->message,
            .body_max_bytes = exchange->body_max_bytes,
            .is_too_large = exchange->too_large,
            .is_resolved = resolved_us > 0,
            .has_unusable_proxy = exchange->has_unusable_proxy,
            .proxy_status = number_of(exchange, CURLINFO_HTTP_CONNECTCODE),
            .proxy_error = number_of(exchange, CURLINFO_PROXY_ERROR),
            .verify_result = verify_result != X509_V_OK
                                 ? verify_result
                                 : number_of(exchange, CURLINFO_PROXY_SSL_VERIFYRESULT),
            .tls_alert = exchange->handshake.alert,
            .is_peer_without_tls = exchange->handshake.is_peer_without_tls,
        },
        err);
}

bool exchange_take_response(struct exchange *exchange, struct http_response *out, struct error *err)
{
    if (exchange->result != CURLE_OK) {
        out->connected = exchange->sent;
        return fail(exchange, err);
    }
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &exchange->response.status);
    *out = exchange->response;
    out->connected = true;
    exchange->response = (struct http_response){0};
    return true;
}
