/* One HTTP exchange by libcurl: its options, its callbacks, its limits of time. */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "net/handshake.h"
#include "net/http.h"

enum { EXCHANGE_HOST_SIZE = 300 };

struct exchange {
    CURLM *multi; /* borrowed; what runs it */
    CURL *easy;
    struct curl_slist *headers;
    struct buf key;        /* of a prefetched one, for http_curl.c, */
    struct exchange *next; /* and the one prefetched before it */
    const char *method;
    char host[EXCHANGE_HOST_SIZE]; /* with its port */
    size_t body_max_bytes;
    bool has_request;
    bool has_unusable_proxy;
    const char *proxy_variable; /* that names the proxy */

    int64_t started_ms; /* monotonic, as the two limits are */
    int64_t connect_by_ms;
    int64_t end_by_ms;

    struct handshake handshake;
    struct http_response response;
    bool sent; /* connected, and libcurl has begun to send the request */
    bool done;
    CURLcode result; /* once done */
    char message[CURL_ERROR_SIZE];
};

/* "https://host:port/path" -> "host:port". */
void exchange_host_of(char out[EXCHANGE_HOST_SIZE], const char *url);

/* Adds a new exchange to `multi`. Without its request it is a connection to the base URL that waits
 * after its ClientHello, and fails if TLS is established before exchange_set_request(). NULL: this
 * build of libcurl lacks an option. */
CHECKED struct exchange *exchange_start(CURLM *multi, const struct http_request *request,
                                        int64_t deadline_ms, bool has_request);

/* Target, headers and limits of the request for such a connection. */
CHECKED bool exchange_set_request(struct exchange *exchange, const struct http_request *request,
                                  int64_t deadline_ms);

/* Sets the limits of time and size; those of time begin now. */
void exchange_set_limits(struct exchange *exchange, const struct http_request *request,
                         int64_t deadline_ms);

/* Starts a failed exchange again, with addresses of every family. */
CHECKED bool exchange_restart(struct exchange *exchange, const struct http_request *request);

/* Lets all exchanges of `multi` make progress and marks those that have ended. Returns how many
 * have not. */
int exchange_perform_all(CURLM *multi);

/* Milliseconds until its next limit of time, 0 if it is done. If the limit has passed, it is done
 * with CURLE_OPERATION_TIMEDOUT. */
int64_t exchange_left_ms(struct exchange *exchange);

/* Moves the response out of an exchange that is done, or says why there is none. */
CHECKED bool exchange_take_response(struct exchange *exchange, struct http_response *out,
                                    struct error *err);

/* Ends it, done or not. Accepts NULL, leaves NULL. */
void exchange_free(struct exchange **exchange);

#endif
