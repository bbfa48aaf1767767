/* What a registry reports about itself when it is asked without credentials: edition, region,
 * instance. A hint from a peer whose certificate was verified, never a reason to trust a host. */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"
#include "net/http.h"
#include "registry/registry.h"

struct challenge {
    char region[REGISTRY_REGION_SIZE];
    char instance_id[REGISTRY_INSTANCE_ID_SIZE]; /* "" for Personal Edition */
};

/* Sends GET https://AUTHORITY/v2/ in the background, for a later challenge_request(). */
void challenge_prefetch(const struct http *http, const char *authority);

/* Sends GET https://AUTHORITY/v2/, up to `tries` times. Fails with ERROR_CONFIG if the answer is
 * not ACR's, else as retry_send() does. */
CHECKED bool challenge_request(struct challenge *out, const struct http *http,
                               const char *authority, unsigned tries, struct error *err);

/* The value of name="..." among the parameters of a challenge; each follows a blank or a comma.
 * Pure; false if there is none, or it does not fit. */
CHECKED bool challenge_parameter(char *out, size_t size, const char *header, const char *name);

/* Reads a WWW-Authenticate value of scheme Bearer, service="registry.aliyuncs.com:REGION:...".
 * Pure; false if it is not ACR's. */
CHECKED bool challenge_parse(struct challenge *out, const char *header);

#endif
