/* One HTTP exchange with a deadline, a bounded body, one allowed protocol and no redirect.
 * Exchanges that are started run side by side whenever one of them is waited for, in one thread.
 * With http_exchange and http_failure, which are its own, the one user of libcurl. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "net/http_response.h"

enum http_kind {
    HTTP_SECURE,     /* HTTPS, TLS 1.2 or later, verified; by the proxies of the environment */
    HTTP_LINK_LOCAL, /* plain HTTP, never by a proxy: what answers inside this node only */
};

struct http_header {
    const char *name;
    const char *value;
};

enum { HTTP_HEADERS_MAX = 12 };

/* All pointers are borrowed until the exchange has ended. */
struct http_request {
    enum http_kind kind;
    const char *method;
    const char *url;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    bool aside;       /* by a connection of its own, for another request wants the one there is */
    const char *form; /* application/x-www-form-urlencoded body of a POST, NULL if none */
    size_t body_max_bytes; /* of the answer */
    int64_t connect_timeout_ms;
    int64_t timeout_ms; /* of the whole exchange; never beyond the run's deadline */
};

struct http;          /* what exchanges share: connections, deadline */
struct http_exchange; /* one that was started */

/* Costs nothing before the first exchange. `deadline_ms` is monotonic. */
struct http *http_open(int64_t deadline_ms);

/* Ends what still runs. Accepts NULL, leaves NULL. */
void http_close(struct http **http);

/* Milliseconds until the deadline; never negative. */
int64_t http_left_ms(const struct http *http);

/* Opens a connection in the background for the first http_send() to the same host by the same
 * method and without a form, which then finds name resolution, TCP and the server's part of TLS
 * done, or fails as the connection did. `base_url` is "https://HOST[:PORT]"; `method` is
 * borrowed until then. */
void http_open_early(struct http *http, const char *method, const char *base_url,
                     int64_t connect_timeout_ms);

/* Starts an exchange. It makes progress while any exchange is waited for. NULL: err is filled. */
CHECKED struct http_exchange *http_start(struct http *http, const struct http_request *request,
                                         struct error *err);

/* Waits for the end and moves the answer out, whatever its status; after a failure it only tells
 * whether there was a connection. Errors are those of http_failure.h. */
CHECKED bool http_finish(struct http_exchange *exchange, struct http_response *out,
                         struct error *err);

/* Sleeps until the monotonic clock shows `until_ms`, while what was started goes on. */
void http_sleep(struct http *http, int64_t until_ms);

/* Ends an exchange, finished or not. Accepts NULL, leaves NULL. */
void http_exchange_free(struct http_exchange **exchange);

/* Starts, waits, ends. */
CHECKED bool http_send(struct http *http, const struct http_request *request,
                       struct http_response *out, struct error *err);

/* Brings the deadline forward, to `left_ms` from now at most. */
void http_hurry(struct http *http, int64_t left_ms);

/* Appends what the environment says of the way to the services: proxies and certificates. */
void http_describe_way(struct buf *out);

/* libcurl's own version line, for `version`. */
const char *http_library_version(void);

#endif
