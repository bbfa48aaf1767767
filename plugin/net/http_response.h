/* What is kept of an HTTP answer. */
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
    bool connected;       /* the peer took the connection; told of failures too */
};

/* Takes a line of the answer's head, if it says anything that is kept. `bytes` need no NUL. A
 * status line begins all anew, for the final answer follows an interim one (100 Continue). */
void http_response_take_line(struct http_response *response, const char *bytes, size_t length);

void http_response_clear(struct http_response *response);

#endif
