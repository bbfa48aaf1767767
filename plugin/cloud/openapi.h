/* One signed call of an Alibaba Cloud API: the only place that signs, tries again, recovers from a
 * wrong clock or an ended identity, and turns refusals into words. */
#ifndef CLOUD_OPENAPI_H
#define CLOUD_OPENAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/credentials.h"
#include "base/error.h"
#include "cloud/sign_v3.h"

struct http;

/* Who signs. `fetch` makes `credentials` current: a first time, and once more if the service says
 * that they have ended. */
struct openapi_signer {
    struct credentials credentials; /* owned */
    bool (*fetch)(struct openapi_signer *signer, struct error *err);
    char words[160]; /* for errors: "RAM role X of this instance" */
};

enum { OPENAPI_ENDPOINTS_MAX = 2, OPENAPI_URL_SIZE = 320 };

/* Base URLs ("https://host[:port]") that offer the same API, best first. The next one is tried when
 * one cannot be reached. */
struct openapi_endpoints {
    char urls[OPENAPI_ENDPOINTS_MAX][OPENAPI_URL_SIZE];
    size_t count;
};

struct openapi_call {
    const char *method; /* "POST" */
    const char *path;   /* "/" */
    const char *action;
    const char *version;
    struct sign_v3_parameter query[4];
    size_t query_count;
    bool tells_success; /* the body must say IsSuccess: true (ACR 2018-12-01) */
};

struct openapi_reply {
    struct buf body;
    int64_t server_time_s; /* by the Date header, else our own clock; Unix seconds */
};

void openapi_reply_clear(struct openapi_reply *reply);

/* Calls, within the deadline of `http`. On success the reply is the whole 200 answer, not decoded.
 */
CHECKED bool openapi_call(struct openapi_reply *out, struct http *http,
                          const struct openapi_endpoints *endpoints,
                          const struct openapi_call *call, struct openapi_signer *signer,
                          struct error *err);

#endif
