/* A transport that follows a script: each request must be the next one of the list, and gets its
 * response. */
#ifndef TESTS_UNIT_FAKE_HTTP_H
#define TESTS_UNIT_FAKE_HTTP_H

#include <string.h>

#include "base/text.h"
#include "fake_system.h"
#include "net/http.h"
#include "test.h"

struct fake_exchange {
    const char *method; /* that the request must have */
    const char *url;    /* of which this must be a part */
    long status;        /* 0: it fails with the error below */
    const char *body;   /* NULL: empty */
    const char *challenge;
    const char *retry_after;
    const char *request_id;
    int64_t date_s;
    enum error_kind error_kind;
    bool connected;                                         /* although it fails */
    void (*on_request)(const struct http_request *request); /* looks at more of it; may be NULL */
};

static struct fake_http_state {
    const struct fake_exchange *script;
    size_t count;
    size_t sent;
    size_t prefetched;
    size_t preconnected;
} fake_http;

static inline bool fake_http_send(struct http_transport *transport,
                                  const struct http_request *request, int64_t deadline_ms,
                                  struct http_response *out, struct error *err)
{
    const struct fake_exchange *next;

    (void)transport;
    (void)deadline_ms;
    if (fake_http.sent == fake_http.count)
        fail_msg("not in the script: %s %s", request->method, request->url);
    next = &fake_http.script[fake_http.sent++];
    if (strcmp(next->method, request->method) != 0 || strstr(request->url, next->url) == NULL)
        fail_msg("%s %s came instead of %s %s", request->method, request->url, next->method,
                 next->url);
    if (next->on_request != NULL)
        next->on_request(request);
    http_response_clear(out);
    out->connected = next->status != 0 || next->connected;
    if (next->status == 0)
        return error_set(err, next->error_kind, "%s: a failure of the script", next->url);
    out->status = next->status;
    out->date_s = next->date_s;
    if (next->body != NULL)
        buf_append_text(&out->body, next->body);
    if (next->challenge != NULL)
        text_copy(out->challenge, sizeof out->challenge, next->challenge);
    if (next->request_id != NULL)
        text_copy(out->request_id, sizeof out->request_id, next->request_id);
    if (next->retry_after != NULL)
        text_copy(out->retry_after, sizeof out->retry_after, next->retry_after);
    return true;
}

static inline void fake_http_prefetch(struct http_transport *transport,
                                      const struct http_request *request, int64_t deadline_ms)
{
    (void)transport;
    (void)request;
    (void)deadline_ms;
    fake_http.prefetched++;
}

static inline void fake_http_preconnect(struct http_transport *transport,
                                        const struct http_request *request, int64_t deadline_ms)
{
    (void)transport;
    (void)request;
    (void)deadline_ms;
    fake_http.preconnected++;
}

static inline void fake_http_sleep_until(struct http_transport *transport, int64_t mono_ms)
{
    (void)transport;
    fake_system.sleep_until(mono_ms);
}

static struct http_transport fake_http_transport = {
    .send = fake_http_send,
    .prefetch = fake_http_prefetch,
    .preconnect = fake_http_preconnect,
    .sleep_until = fake_http_sleep_until,
};

/* The clocks stand at a fixed time and `script` comes next; 50 s are left. */
static inline struct http fake_http_start(const struct fake_exchange *script, size_t count)
{
    fake = (struct fake_state){.wall_s = 1767323045, .mono_ms = 1000000};
    fake_http = (struct fake_http_state){.script = script, .count = count};
    return (struct http){.system = &fake_system,
                         .transport = &fake_http_transport,
                         .deadline_ms = fake.mono_ms + 50000};
}

/* All of the script has come. */
static inline void fake_http_end(void)
{
    assert_int_equal(fake_http.sent, fake_http.count);
}

/* The value of a header, "" if the request has none of that name. */
static inline const char *fake_http_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return "";
}

#endif
