/* A connection that is opened before its request is known. It goes as far as the ClientHello: the
 * server's answer then waits in the socket, and the request follows it without another round trip.
 * It has a multi handle of its own, since libcurl makes an exchange wait only by not being called;
 * later requests to the same host follow there to reuse the connection. */
#ifndef NET_EARLY_H
#define NET_EARLY_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/exchange.h"

enum { EARLY_EVENTS_MAX = 8 };

/* `{0}` is none. */
struct early {
    CURLM *multi;              /* NULL if none was opened */
    struct exchange *exchange; /* NULL once it has its request */
    char host[EXCHANGE_HOST_SIZE];
};

/* Opens it; only the first one is. */
void early_open(struct early *early, const struct http_request *request, int64_t deadline_ms);

/* The exchange with this request, now the caller's, or NULL if there is none that fits: only target
 * and headers can come later. */
struct exchange *early_take(struct early *early, const struct http_request *request,
                            int64_t deadline_ms);

/* Whether the connection was lost before its request, so that a new one may serve. */
bool early_was_lost(const struct exchange *exchange);

/* What runs requests to a host if it is that of the connection and the connection has had its
 * request; else NULL. */
CURLM *early_multi_for(const struct early *early, const char *host);

/* Lets it make progress, unless it waits for its request; adds to `running`. */
CHECKED bool early_perform(struct early *early, int *running);

/* What it waits for; shortens `wait_ms` to what its timers want. Returns how many. */
unsigned early_events(struct curl_waitfd out[EARLY_EVENTS_MAX], int *wait_ms,
                      const struct early *early);

void early_close(struct early *early);

#endif
