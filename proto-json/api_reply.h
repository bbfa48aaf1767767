/* Responses of the Container Registry APIs 2018-12-01 (Enterprise Edition) and 2016-06-07 (Personal
 * Edition), and the error body common to all of Alibaba Cloud. Decoders fail with
 * ERROR_UNAVAILABLE, naming the field, and fill `out` on success only. */
#ifndef PROTO_JSON_API_REPLY_H
#define PROTO_JSON_API_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"

enum { API_REPLY_MAX_BYTES = 1024 * 1024, API_REPLY_INSTANCES_MAX = 100 };

/* An error as a service sent it: printable ASCII, cut to the arrays, "" for what it did not send.
 * The message may quote an AccessKey id or the string to sign. */
struct api_error {
    char code[80];
    char message[512];
    char request_id[80];
    char auth_action[64];        /* "cr:GetAuthorizationToken" */
    char auth_principal[128];    /* "role:session" */
    char no_permission_type[64]; /* "ImplicitDeny" */
};

/* Reads an error body, with upper-case keys (RPC style) or lower-case ones (ROA style). Any other
 * body yields an empty code. */
void api_reply_decode_error(struct api_error *out, const void *bytes, size_t length);

/* Whether the body of a response with HTTP status 200 reports a failure: IsSuccess is not true, or
 * it has a code and no result. */
bool api_reply_is_refusal(const void *bytes, size_t length);

/* GetAuthorizationToken of 2018-12-01, or GET /tokens of 2016-06-07 (Personal Edition). User and
 * password are printable ASCII and not empty; the expiry may come in seconds or milliseconds, as a
 * number or a string. */
CHECKED bool api_reply_decode_token(struct token *out, bool is_personal, const void *bytes,
                                    size_t length, struct error *err);

/* A page of ListInstance of 2018-12-01, of at most API_REPLY_INSTANCES_MAX instances. */
struct api_instance_page {
    char id[80]; /* of the first instance of the name that is looked for; "" if none has it */
    size_t count;
    int64_t page_size; /* both 0 if the response has none */
    int64_t total_count;
};
CHECKED bool api_reply_decode_instances(struct api_instance_page *out, const char *name,
                                        const void *bytes, size_t length, struct error *err);

/* Whether ListInstanceEndpoint of 2018-12-01 names `host` among the domains of any endpoint.
 * Letters are compared without case, otherwise the whole name exactly. */
CHECKED bool api_reply_lists_domain(bool *found, const void *bytes, size_t length, const char *host,
                                    struct error *err);

#endif
