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
    struct buf key;     /* method, URL and headers; of a request */
    const char *method; /* of one without a request yet; borrowed */
    int64_t started_ms; /* monotonic, like all times here */
    int64_t connect_by_ms;
    int64_t end_by_ms;
    struct curl_slist *headers;
    struct http_response response;
    size_t body_max_bytes;
    int64_t connect_timeout_ms;
    bool all_address_families; /* IPv6 too, since IPv4 did not work */
    bool too_large;
    bool has_unusable_proxy;
    bool has_request;
    struct handshake handshake;
    bool sent; /* connected, and libcurl has begun to send the request */
    bool done;
    CURLcode result;               /* once done */
    char host[EXCHANGE_HOST_SIZE]; /* with its port */
    char message[CURL_ERROR_SIZE];
};

/* "https://host:port/path" -> "host:port". */
void exchange_host_of(char out[EXCHANGE_HOST_SIZE], const char *url);

/* What two requests have in common if the response to one serves the other. */
void exchange_key_of(struct buf *out, const struct http_request *request);

/* Adds a new exchange to `multi`. Without `has_request` it opens the connection and fails unless
 * exchange_set_request() comes before it is connected. NULL: err is filled. */
CHECKED struct exchange *exchange_start(CURLM *multi, const struct http_request *request,
                                        bool has_request, int64_t deadline_ms, struct error *err);

/* Uses a connection of its own, not one that others may want. Before it runs. */
CHECKED bool exchange_use_new_connection(struct exchange *exchange);

/* Target, headers and limits of a request for the exchange that was started without. */
CHECKED bool exchange_set_request(struct exchange *exchange, const struct http_request *request,
                                  int64_t deadline_ms);

/* Starts a failed exchange again, with addresses of every family. */
CHECKED bool exchange_restart_with_all_families(struct exchange *exchange);

/* Lets all exchanges of `multi` make progress and marks those that have ended. */
CHECKED bool exchange_perform_all(CURLM *multi, int *running);

/* Milliseconds until its next limit of time. 0: the limit has passed, and so the exchange has
 * ended with CURLE_OPERATION_TIMEDOUT. */
int64_t exchange_check_time(struct exchange *exchange);

/* Moves the response out of an exchange that is done, or says why there is none. */
CHECKED bool exchange_take_response(struct exchange *exchange, struct http_response *out,
                                    struct error *err);

/* Ends it, done or not. Accepts NULL, leaves NULL. */
void exchange_free(struct exchange **exchange);

#endif
