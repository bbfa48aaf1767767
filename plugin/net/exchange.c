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

/* Ends with CURLE_WRITE_ERROR if the body is too large. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;

    if (length > exchange->body_max_bytes - exchange->response.body.length)
        return 0;
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

/* Whether libcurl accepts an option. */
#define SET(easy, option, value) (curl_easy_setopt(easy, CURLOPT_##option, value) == CURLE_OK)

static bool set_protocol(CURL *easy, bool is_secure)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return SET(easy, PROTOCOLS_STR, is_secure ? "https" : "http");
#else
    return SET(easy, PROTOCOLS, (long)(is_secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
#endif
}

/* libcurl reads the environment only for options that are not set. */
static bool set_proxy(struct exchange *exchange)
{
    const struct proxy proxy = proxy_of_environment(&system_real);

    exchange->has_unusable_proxy = !proxy.is_usable;
    exchange->proxy_variable = proxy.variable;
    return SET(exchange->easy, PROXY, proxy.url) && SET(exchange->easy, NOPROXY, proxy.exceptions);
}

/* For the service and for a proxy with TLS. Certificates come from trust.h alone: libcurl would
 * load the whole bundle that its distribution chose. */
static bool set_tls(struct exchange *exchange)
{
    CURL *easy = exchange->easy;

    return SET(easy, CAINFO, NULL) && SET(easy, PROXY_CAINFO, NULL) && SET(easy, CAPATH, NULL) &&
           SET(easy, PROXY_CAPATH, NULL) && SET(easy, SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           SET(easy, PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           SET(easy, SSL_VERIFYPEER, 1L) && SET(easy, PROXY_SSL_VERIFYPEER, 1L) &&
           SET(easy, SSL_VERIFYHOST, 2L) && SET(easy, PROXY_SSL_VERIFYHOST, 2L) &&
           SET(easy, SSL_CTX_DATA, exchange) && SET(easy, SSL_CTX_FUNCTION, on_tls_context);
}

/* libcurl's own choice is GET. */
static bool set_method(CURL *easy, const struct http_request *request)
{
    const char *body = request->form == NULL ? "" : request->form;

    return strcmp(request->method, "GET") == 0 ||
           (SET(easy, POSTFIELDS, body) && SET(easy, CUSTOMREQUEST, request->method));
}

static bool add_header(struct exchange *exchange, const char *name, const char *value)
{
    struct buf line AUTO(buf_clear) = {0};
    struct curl_slist *longer;

    /* "Name:" without a value tells libcurl to omit its own header of that name. */
    buf_append_format(&line, "%s:%s%s", name, value[0] == '\0' ? "" : " ", value);
    longer = curl_slist_append(exchange->headers, buf_text(&line));
    if (longer != NULL)
        exchange->headers = longer;
    return longer != NULL;
}

static bool set_headers(struct exchange *exchange, const struct http_request *request)
{
    if (request->form == NULL && !add_header(exchange, "Content-Type", ""))
        return false;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!add_header(exchange, request->headers[i].name, request->headers[i].value))
            return false;
    }
    exchange->has_request = true;
    return SET(exchange->easy, HTTPHEADER, exchange->headers);
}

/* libcurl's own timers start with an exchange, but limits may change when the response is waited
 * for: what counts are exchange_left_ms() and on_body(). Its connection time-out decides how long
 * it tries each of several addresses. */
void exchange_set_limits(struct exchange *exchange, const struct http_request *request,
                         int64_t deadline_ms)
{
    int64_t now_ms = system_mono_ms();

    exchange->body_max_bytes = request->body_max_bytes;
    exchange->connect_by_ms = now_ms + request->connect_timeout_ms;
    exchange->end_by_ms =
        deadline_ms - now_ms < request->timeout_ms ? deadline_ms : now_ms + request->timeout_ms;
    (void)SET(exchange->easy, CONNECTTIMEOUT_MS,
              (long)(exchange->connect_by_ms - exchange->started_ms));
    (void)SET(exchange->easy, MAXFILESIZE_LARGE, (curl_off_t)exchange->body_max_bytes);
}

static bool set_options(struct exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;
    bool is_secure = request->kind == HTTP_SECURE;

#if LIBCURL_VERSION_NUM >= 0x075700
    /* Leaving must not wait for a resolver that hangs. */
    (void)SET(easy, QUICK_EXIT, 1L);
#endif
    return SET(easy, URL, request->url) && set_protocol(easy, is_secure) &&
           SET(easy, FOLLOWLOCATION, 0L) && set_method(easy, request) &&
           (is_secure ? set_tls(exchange) && set_proxy(exchange) : SET(easy, PROXY, "")) &&
           SET(easy, SUPPRESS_CONNECT_HEADERS, 1L) &&
           SET(easy, HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(easy, IPRESOLVE, (long)CURL_IPRESOLVE_V4) && SET(easy, NOSIGNAL, 1L) &&
           SET(easy, USERAGENT, "aliyun-acr-credential-provider/" PROVIDER_VERSION) &&
           SET(easy, ERRORBUFFER, exchange->message) && SET(easy, PRIVATE, exchange) &&
           SET(easy, WRITEFUNCTION, on_body) && SET(easy, WRITEDATA, exchange) &&
           SET(easy, HEADERFUNCTION, on_header) && SET(easy, HEADERDATA, exchange) &&
           SET(easy, PREREQFUNCTION, on_connection) && SET(easy, PREREQDATA, exchange);
}

struct exchange *exchange_start(CURLM *multi, const struct http_request *request,
                                int64_t deadline_ms, bool has_request)
{
    struct exchange *exchange = alloc_zeroed(1, sizeof *exchange);

    exchange->multi = multi;
    exchange->method = request->method;
    exchange->handshake.waits = !has_request;
    exchange->started_ms = system_mono_ms();
    exchange_host_of(exchange->host, request->url);
    exchange->easy = curl_easy_init();
    exchange_set_limits(exchange, request, deadline_ms);
    if (!set_options(exchange, request) || (has_request && !set_headers(exchange, request)) ||
        curl_multi_add_handle(multi, exchange->easy) != CURLM_OK)
        exchange_free(&exchange);
    return exchange;
}

bool exchange_set_request(struct exchange *exchange, const struct http_request *request,
                          int64_t deadline_ms)
{
    const char *target = request->url + strlen("https://");

    target += strcspn(target, "/");
    if (!exchange->done)
        handshake_release(&exchange->handshake);
    exchange_set_limits(exchange, request, deadline_ms);
    return SET(exchange->easy, REQUEST_TARGET, target[0] == '\0' ? "/" : target) &&
           set_headers(exchange, request);
}

bool exchange_restart(struct exchange *exchange, const struct http_request *request)
{
    exchange->done = false;
    exchange->started_ms = system_mono_ms();
    exchange->message[0] = '\0';
    exchange_set_limits(exchange, request, exchange->end_by_ms);
    /* libcurl remembers IPv4 addresses as if they were all. */
    return curl_multi_remove_handle(exchange->multi, exchange->easy) == CURLM_OK &&
           SET(exchange->easy, DNS_CACHE_TIMEOUT, 0L) &&
           SET(exchange->easy, IPRESOLVE, (long)CURL_IPRESOLVE_WHATEVER) &&
           curl_multi_add_handle(exchange->multi, exchange->easy) == CURLM_OK;
}

int exchange_perform_all(CURLM *multi)
{
    CURLMsg *message;
    int active = 0;
    int left = 0;

    (void)curl_multi_perform(multi, &active); /* if it failed, the exchanges would time out */
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

int64_t exchange_left_ms(struct exchange *exchange)
{
    int64_t limit_ms = exchange->end_by_ms;
    int64_t left_ms;

    if (exchange->done)
        return 0;
    if (!exchange->sent && exchange->connect_by_ms < limit_ms)
        limit_ms = exchange->connect_by_ms;
    left_ms = limit_ms - system_mono_ms();
    if (left_ms > 0)
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
            .is_resolved = resolved_us > 0,
            .has_unusable_proxy = exchange->has_unusable_proxy,
            .proxy_variable = exchange->proxy_variable,
            .ca_file = system_real.variable("SSL_CERT_FILE"),
            .ca_directories = system_real.variable("SSL_CERT_DIR"),
            .proxy_status = number_of(exchange, CURLINFO_HTTP_CONNECTCODE),
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
    out->by_proxy = number_of(exchange, CURLINFO_HTTP_CONNECTCODE) != 0;
    exchange->response = (struct http_response){0};
    return true;
}
