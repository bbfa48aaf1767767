/* One HTTP exchange by libcurl: its options, its callbacks, its limits of time. Of http_curl.c,
 * which runs exchanges. */
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
    struct buf key; /* of its request */
    char method[8];
    char host[EXCHANGE_HOST_SIZE]; /* with its port */
    size_t body_max_bytes;
    bool has_request;
    bool has_unusable_proxy;
    bool all_address_families; /* IPv6 too, since IPv4 did not work */

    int64_t started_ms; /* monotonic, as the two limits are */
    int64_t connect_timeout_ms;
    int64_t connect_by_ms;
    int64_t end_by_ms;

    struct handshake handshake; /* of TLS, as far as it is watched */
    struct http_response response;
    bool sent; /* connected, and libcurl has begun to send the request */
    bool too_large;
    bool done;
    CURLcode result; /* once done */
    char message[CURL_ERROR_SIZE];
};

/* "https://host:port/path" -> "host:port". */
void exchange_host_of(char out[EXCHANGE_HOST_SIZE], const char *url);

/* What two requests have in common if the response to one serves the other. */
void exchange_key_of(struct buf *out, const struct http_request *request);

enum exchange_mode {
    EXCHANGE_SEND,
    EXCHANGE_PREFETCH, /* by a connection of its own: the one that is open is for others */
    EXCHANGE_CONNECT,  /* exchange_set_request() must come before TLS is up, or it fails */
};

/* Adds a new exchange to `multi`. NULL: err is filled. */
CHECKED struct exchange *exchange_start(CURLM *multi, const struct http_request *request,
                                        enum exchange_mode mode, int64_t deadline_ms,
                                        struct error *err);

/* Target, headers and limits of a request for the exchange that was started without. */
CHECKED bool exchange_set_request(struct exchange *exchange, const struct http_request *request,
                                  int64_t deadline_ms);

/* Starts a failed exchange again, with addresses of every family. */
CHECKED bool exchange_restart_with_all_families(struct exchange *exchange);

/* Lets all exchanges of `multi` make progress and marks those that have ended. Returns how many
 * have not, -1 if libcurl fails. */
int exchange_perform_all(CURLM *multi);

/* Milliseconds until its next limit of time. 0: the limit has passed, and so the exchange has
 * ended with CURLE_OPERATION_TIMEDOUT. */
int64_t exchange_check_time(struct exchange *exchange);

/* Moves the response out of an exchange that is done, or says why there is none. */
CHECKED bool exchange_take_response(struct exchange *exchange, struct http_response *out,
                                    struct error *err);

/* Ends it, done or not. Accepts NULL, leaves NULL. */
void exchange_free(struct exchange **exchange);

#endif
