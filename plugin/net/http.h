/* HTTP requests with a deadline, a bounded body, one allowed protocol and no redirect. How they are
 * sent is up to a transport: libcurl's, or that of a unit test. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "net/http_response.h"

struct system;

enum http_kind {
    HTTP_SECURE,     /* HTTPS, TLS 1.2 or later, verified; through the proxies of the environment */
    HTTP_LINK_LOCAL, /* plain HTTP, never through a proxy: for services inside this node only */
};

struct http_header {
    const char *name;
    const char *value;
};

enum { HTTP_HEADERS_MAX = 12 };

/* All pointers are borrowed for the time of the call. */
struct http_request {
    enum http_kind kind;
    const char *method; /* a constant */
    const char *url;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    const char *form;           /* application/x-www-form-urlencoded body of a POST, NULL if none */
    size_t body_max_bytes;      /* of the response */
    int64_t connect_timeout_ms; /* name resolution, TCP, proxy and TLS */
    int64_t timeout_ms;         /* of everything; the deadline counts as well */
};

/* What carries requests. Deadlines are monotonic milliseconds. */
struct http_transport {
    bool (*send)(struct http_transport *transport, const struct http_request *request,
                 int64_t deadline_ms, struct http_response *out, struct error *err);
    void (*prefetch)(struct http_transport *transport, const struct http_request *request,
                     int64_t deadline_ms);
    void (*preconnect)(struct http_transport *transport, const struct http_request *request,
                       int64_t deadline_ms);
    void (*sleep_until)(struct http_transport *transport, int64_t mono_ms);
};

/* Handed down by value or const: a copy with a nearer deadline limits what is done with it. */
struct http {
    const struct system *system;      /* borrowed */
    struct http_transport *transport; /* borrowed */
    int64_t deadline_ms;              /* monotonic */
};

/* Sends and waits for the response, whatever its status. A failure leaves out->connected to say
 * whether there was a connection, and has the kinds of explain.h. */
CHECKED bool http_send(const struct http *http, const struct http_request *request,
                       struct http_response *out, struct error *err);

/* Starts a request without a form in the background, over a connection of its own. A later
 * http_send() with the same method, URL and headers takes its response or its failure. Only a hint:
 * a request that could not be started is sent then. */
void http_prefetch(const struct http *http, const struct http_request *request);

/* Opens a connection in the background for the first http_send() with the same method to the same
 * host and without a form, which then finds name resolution, TCP and the server's part of TLS done,
 * or fails as the connection did. The URL is "https://HOST[:PORT]"; headers come later. A hint. */
void http_preconnect(const struct http *http, const struct http_request *request);

/* Sleeps, not beyond the deadline, while what runs in the background makes progress. */
void http_sleep_until(const struct http *http, int64_t mono_ms);

/* Milliseconds until the deadline; never negative. */
int64_t http_remaining_ms(const struct http *http);

/* Appends the variables that decide about proxies and CA certificates, for a digest. */
void http_append_proxy_and_ca_environment(struct buf *out, const struct system *system);

/* The transport by libcurl. Costs nothing before the first request. */
struct http_transport *http_curl_open(void);

/* Cancels unfinished requests and frees. Accepts NULL, leaves NULL. */
void http_curl_close(struct http_transport **functions);

/* libcurl's own version line, for `version`. */
const char *http_curl_version(void);

#endif
