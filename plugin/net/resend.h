/* Sends a request until there is an answer that another try would not change: for the services of
 * this node, which answer without error codes that could be judged. */
#ifndef NET_RESEND_H
#define NET_RESEND_H

#include "base/auto.h"
#include "base/error.h"

struct http;
struct http_request;
struct http_response;

/* Tries at most `tries` times; `connected` in the response is about all of them. Fails as
 * http_send() does, or with ERROR_TEMPORARY after a status of 429, or of 500 and above, that did
 * not pass. */
CHECKED bool resend(struct http *http, const struct http_request *request, unsigned tries,
                    struct http_response *response, struct error *err);

#endif
