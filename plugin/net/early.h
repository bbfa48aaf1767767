/* A connection that is opened before its request is known. It goes as far as the ClientHello: the
 * server's answer then waits in the socket, and the request follows it without another round trip.
 * It has a multi handle of its own, since libcurl makes an exchange wait only by not being called.
 */
#ifndef NET_EARLY_H
#define NET_EARLY_H

#include "net/exchange.h"

/* `{0}` is none. */
struct early {
    CURLM *multi;              /* NULL if none was opened */
    struct exchange *exchange; /* NULL once it has its request */
};

/* Opens it; only the first one is. */
void early_open(struct early *early, const struct http_request *request, int64_t deadline_ms);

/* The exchange with this request, now the caller's, or NULL if there is none that fits. */
struct exchange *early_take(struct early *early, const struct http_request *request,
                            int64_t deadline_ms);

/* As exchange_perform_all(); does nothing while the connection waits for its request. */
int early_perform(const struct early *early);

#endif
