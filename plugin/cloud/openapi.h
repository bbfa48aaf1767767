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

enum { OPENAPI_CONNECT_TIMEOUT_MS = 10000 };

enum { OPENAPI_WORDS_SIZE = 256, OPENAPI_ENDPOINTS_MAX = 3, OPENAPI_URL_SIZE = 320 };

/* Who signs. `fetch` makes `credentials` current when the service says that they have ended; NULL
 * where that is up to somebody else. */
struct openapi_signer {
    struct credentials credentials; /* owned */
    bool (*fetch)(struct openapi_signer *signer, struct error *err);
    char words[OPENAPI_WORDS_SIZE]; /* for errors: "RAM role X of this instance" */
};

/* Base URLs ("https://host[:port]") that offer the same API, best first. The next one is tried when
 * one cannot be reached; what one call learns of them serves the next. */
struct openapi_endpoints {
    char urls[OPENAPI_ENDPOINTS_MAX][OPENAPI_URL_SIZE];
    size_t count;
    size_t reached;         /* the one to begin with: the one that has answered, once one has */
    int64_t clock_offset_s; /* their clock is this much ahead of ours, as far as is known */
};

enum { OPENAPI_PARAMETERS_MAX = 8 };

/* All borrowed. Parameters with a NULL value are left out. */
struct openapi_call {
    const char *method;  /* "POST" */
    const char *path;    /* "/" */
    const char *product; /* "cr", as RAM policies write it in actions */
    const char *action;
    const char *version;
    struct sign_v3_parameter parameters[OPENAPI_PARAMETERS_MAX];
    size_t parameter_count;
    bool in_body;                /* the parameters go into a form, not into the query */
    const struct secret *secret; /* one of the parameters, never to be quoted; NULL if none is */
};

struct openapi_reply {
    struct buf body;
    char request_id[80];   /* "" if there is none */
    int64_t server_time_s; /* by the Date header, else our own clock; Unix seconds */
};

void openapi_reply_clear(struct openapi_reply *reply);

/* Fails for an answer that could not be decoded: names the action and the RequestId. */
bool openapi_fail_answer(const struct openapi_reply *reply, const char *action, struct error *err);

/* Calls, within the deadline of `http`. On success the reply is the whole 200 answer, not decoded.
 * Without a signer the call is sent unsigned, its common parameters in the query, as STS takes
 * AssumeRoleWithOIDC. */
CHECKED bool openapi_call(struct openapi_reply *out, const struct http *http,
                          struct openapi_endpoints *endpoints, const struct openapi_call *call,
                          struct openapi_signer *signer, struct error *err);

#endif
