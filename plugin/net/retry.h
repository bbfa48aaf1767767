/* The one rule for retries: exponential backoff with full jitter after what the server asks for,
 * all inside the deadline. */
#ifndef NET_RETRY_H
#define NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"

struct http;
struct http_request;
struct http_response;

/* The longest pause is below RETRY_BASE_MS << (RETRY_TRIES_MAX - 2). */
enum { RETRY_TRIES_MAX = 5, RETRY_BASE_MS = 200 };

/* The tries of one call. */
struct retry {
    const struct http *http; /* borrowed */
    unsigned tries_max;      /* at most RETRY_TRIES_MAX */
    unsigned failed;         /* so far */
};

/* After a try that failed with err: counts it and waits for the next. True: try again. False: err
 * is not ERROR_TEMPORARY, or tries or time are used up; then err says after how many, if it was
 * more than one. `response` is what was received, {0} if nothing: Retry-After, or
 * x-ratelimit-user[-api] of Alibaba Cloud, sets the least time to wait. */
CHECKED bool retry_wait(struct retry *retry, const struct http_response *response,
                        struct error *err);

/* Sends a request at most `tries` times, for services without error codes of their own. Fails as
 * http_send() does, or with ERROR_TEMPORARY if the last status was 429 or at least 500. `connected`
 * in the response is about all tries. */
CHECKED bool retry_send(const struct http *http, const struct http_request *request, unsigned tries,
                        struct http_response *response, struct error *err);

#endif
