/* The claims of a service account token. Not verified: for the text of an error only, never for a
 * decision. */
#ifndef PROTO_JSON_CLAIMS_H
#define PROTO_JSON_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/secret.h"

/* Printable and cut to the arrays; "" for a claim that the token does not have. */
struct claims {
    char issuer[160];
    char audience[120];   /* the first of several */
    bool audience_fits;   /* one of them is the one that the caller expects */
    char subject[200];    /* "system:serviceaccount:NAMESPACE:NAME" */
    int64_t expires_at_s; /* Unix seconds; 0 if unknown */
};

/* Reads the claims of a JSON Web Token (RFC 7519). False if it cannot be parsed. */
CHECKED bool claims_read(struct claims *out, const struct secret *token, const char *expected);

/* Whether the token's claim "access" lists an action on a repository, as the token services of
 * registries have it (distribution's "Token Authentication Implementation"). `readable` tells
 * whether there is such a claim at all. */
CHECKED bool claims_grant(bool *readable, const struct secret *token, const char *repository,
                          const char *action);

#endif
