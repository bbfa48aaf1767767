/* What a registry says of itself when it is asked without credentials: edition, region, instance.
 * A hint from a peer whose certificate was verified, never a reason to trust a host. */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"

struct http;

enum { CHALLENGE_REGION_SIZE = 65, CHALLENGE_ID_SIZE = 80 };

struct challenge {
    char region[CHALLENGE_REGION_SIZE];
    char instance_id[CHALLENGE_ID_SIZE]; /* "" for Personal Edition */
};

/* Starts GET https://HOST[:PORT]/v2/ in the background. */
void challenge_prefetch(const struct http *http, const char *host_with_port);

/* Waits for the response and reads it. Fails with ERROR_CONFIG if it is not ACR's, else as
 * http_send() does. */
CHECKED bool challenge_get(struct challenge *out, const struct http *http,
                           const char *host_with_port, struct error *err);

/* Asks anew, a few times with pauses between, after a failure of kind ERROR_TEMPORARY. */
CHECKED bool challenge_ask_again(struct challenge *out, const struct http *http,
                                 const char *host_with_port, struct error *err);

/* Reads a WWW-Authenticate value of scheme Bearer, service="registry.aliyuncs.com:REGION:...".
 * Pure; false if it is not ACR's. */
CHECKED bool challenge_parse(struct challenge *out, const char *header);

#endif
