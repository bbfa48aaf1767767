/* What a registry says of itself when it is asked without credentials: edition, region, instance.
 * A hint from a peer whose certificate was verified, never a reason to trust a host. */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"

struct http;
struct http_exchange;

enum { CHALLENGE_REGION_SIZE = 65, CHALLENGE_ID_SIZE = 80 };

struct challenge {
    char region[CHALLENGE_REGION_SIZE];
    char instance_id[CHALLENGE_ID_SIZE]; /* "" for Personal Edition */
};

/* Starts GET https://HOST[:PORT]/v2/. NULL: err is filled. */
CHECKED struct http_exchange *challenge_start(struct http *http, const char *host_with_port,
                                              struct error *err);

/* Waits for the answer and reads it. Fails with ERROR_CONFIG if an answer came that is not ACR's,
 * else as http_finish() does. */
CHECKED bool challenge_finish(struct challenge *out, struct http_exchange *exchange,
                              struct error *err);

/* Asks anew, a few times with pauses between, after a failure of kind ERROR_TEMPORARY. */
CHECKED bool challenge_ask_again(struct challenge *out, struct http *http,
                                 const char *host_with_port, struct error *err);

/* Reads a WWW-Authenticate value of scheme Bearer, service="registry.aliyuncs.com:REGION:...".
 * Pure; false if it is not ACR's. */
CHECKED bool challenge_parse(struct challenge *out, const char *header);

#endif
