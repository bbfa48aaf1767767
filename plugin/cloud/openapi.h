/* One call of an Alibaba Cloud API: the only place that signs, tries again, goes on to the next
 * endpoint and corrects a wrong clock. Any other second try is up to the caller: err->retry says
 * what it needs. */
#ifndef CLOUD_OPENAPI_H
#define CLOUD_OPENAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/credentials.h"
#include "base/error.h"
#include "cloud/endpoints.h"
#include "cloud/sign_v3.h"

struct http;

/* Who calls, and where; all borrowed. What a call learns about the endpoints serves the next. */
struct api {
    const struct http *http;
    struct endpoints *endpoints;
    const struct credentials *credentials; /* NULL: the call is not signed */
    const char *principal;                 /* whose they are, for errors: "role X" */
};

enum { OPENAPI_CONNECT_TIMEOUT_MS = 10000, OPENAPI_PARAMETERS_MAX = 8 };

/* All borrowed. Parameters whose value is NULL are left out. */
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

/* Adds to the error of a reply that could not be decoded: names the action and the RequestId. */
bool openapi_fail_answer(const struct openapi_reply *reply, const char *action, struct error *err);

/* Calls, within the deadline of api->http. On success the reply is the whole 200 answer, not
 * decoded. A refusal has the service's code and RequestId, and err->retry: expired credentials, if
 * they are temporary ones, are ERROR_RETRY_NEW_CREDENTIALS, an unknown instance is
 * ERROR_RETRY_NEW_INSTANCE_ID. A call that is not signed has its common parameters in the query, as
 * STS takes AssumeRoleWithOIDC. */
CHECKED bool openapi_call(struct openapi_reply *out, const struct api *api,
                          const struct openapi_call *call, struct error *err);

#endif
