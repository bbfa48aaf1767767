/* When to try again. Pure: exponential back-off with full jitter, the server's wish honoured, all
 * inside the deadline. */
#ifndef NET_RETRY_H
#define NET_RETRY_H

#include <stdint.h>

enum { RETRY_MAX_ATTEMPTS = 5, RETRY_BASE_MS = 200, RETRY_CAP_MS = 5000 };

/* Milliseconds to wait before the next attempt, or -1 when there should be none.
 *   attempts_made   how many have failed, from 1
 *   server_asks_ms  what Retry-After or the like asked for, -1 if nothing did
 *   left_ms         until the deadline
 *   random          any number that is not negative; decides the jitter */
int64_t retry_delay_ms(unsigned attempts_made, int64_t server_asks_ms, int64_t left_ms,
                       int64_t random);

/* What the server asks for, in milliseconds, -1 if nothing. `retry_after` is the value of
 * Retry-After, seconds or an HTTP date (RFC 9110, section 10.2.3); `rate_limit` that of Alibaba
 * Cloud's x-ratelimit-user[-api], "Limit:1,Remain:0,TimeLeft:2000,..." with TimeLeft in
 * milliseconds. "" where absent. `server_now_s` is the server's clock, Unix seconds. */
int64_t retry_server_asks_ms(const char *retry_after, const char *rate_limit, int64_t server_now_s);

#endif
