/* One exchange as libcurl is told to carry it out, and what its callbacks learn on the way. Of
 * http.c, which starts exchanges and lets them go on. */
#ifndef NET_HTTP_EXCHANGE_H
#define NET_HTTP_EXCHANGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "net/http.h"

enum { HTTP_EXCHANGE_HOST_SIZE = 300 };

struct http_exchange {
    struct http *http;
    CURLM *multi; /* borrowed; what it is part of while it runs */
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
    CURLcode result;                    /* once done */
    char host[HTTP_EXCHANGE_HOST_SIZE]; /* with its port */
    char complaint[CURL_ERROR_SIZE];
};

/* "https://host:port/path" -> "host:port". */
void http_exchange_host_of(char out[HTTP_EXCHANGE_HOST_SIZE], const char *url);

/* Sets all options but, where it has no request yet, that one's headers. `left_ms` is the time
 * until the run's deadline. False: this build of libcurl lacks one. */
CHECKED bool http_exchange_prepare(struct http_exchange *exchange,
                                   const struct http_request *request, int64_t left_ms);

/* Gives an exchange that has none its request: target and headers, within the limits of that. */
CHECKED bool http_exchange_add_request(struct http_exchange *exchange,
                                       const struct http_request *request, int64_t left_ms);

/* Makes one that has failed ready to be tried by addresses of every family. */
CHECKED bool http_exchange_widen(struct http_exchange *exchange, int64_t left_ms);

/* Whether the peer has taken the connection, with TLS if that belongs to it. */
bool http_exchange_is_connected(const struct http_exchange *exchange);

/* Says why it failed. Returns false. */
bool http_exchange_fail(const struct http_exchange *exchange, struct error *err);

#endif
