/* What a service account token says of itself. Not verified: for the words of an error only, never
 * for a decision. */
#ifndef PROTO_JSON_CLAIMS_H
#define PROTO_JSON_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/secret.h"

/* Printable and cut to the arrays; "" where the token says nothing. */
struct claims {
    char issuer[160];
    char audience[120];   /* the first of several */
    bool audience_fits;   /* one of them is the one that was asked about */
    char subject[200];    /* "system:serviceaccount:NAMESPACE:NAME" */
    int64_t expires_at_s; /* Unix seconds; 0 if it does not say */
};

/* Reads the claims of a JSON Web Token (RFC 7519). False if it is none. */
CHECKED bool claims_read(struct claims *out, const struct secret *token, const char *audience);

#endif
