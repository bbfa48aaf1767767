/* What is kept of an HTTP response. */
#ifndef NET_HTTP_RESPONSE_H
#define NET_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* `{0}` is empty. Header values are "" where the answer had none. */
struct http_response {
    long status;
    struct buf body;
    int64_t date_s; /* the Date header, Unix seconds; 0 if there is none */
    char retry_after[64];
    char rate_limit[160]; /* x-ratelimit-user-api, else x-ratelimit-user */
    char request_id[80];  /* x-acs-request-id */
    char challenge[1024]; /* WWW-Authenticate of scheme Bearer */
    bool connected;       /* the peer accepted the connection; also set for failures */
    bool by_proxy;        /* an HTTP proxy connected it */
};

/* Takes a line of the response's head, if it is one of those kept. `bytes` need no NUL. A status
 * line discards what came before: the final response follows an interim one (100 Continue). */
void http_response_take_line(struct http_response *response, const char *bytes, size_t length);

void http_response_clear(struct http_response *response);

#endif
