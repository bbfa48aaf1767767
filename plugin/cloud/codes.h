/* All error codes of Alibaba Cloud's APIs that this program knows, and what they mean for it: no
 * other file compares codes. Pure. A known code also matches with a dot and more text after it;
 * case and underscores are ignored, since spellings differ between services. The HTTP status counts
 * only where the code is not known. Sources: the error tables of STS and of Container Registry,
 * "Common error codes". */
#ifndef CLOUD_CODES_H
#define CLOUD_CODES_H

#include "base/error.h"

enum codes_meaning {
    CODES_TEMPORARY,     /* throttled or temporarily unavailable: back off, try again */
    CODES_CLOCK_SKEW,    /* our clock is wrong: take the server's, sign again, once */
    CODES_NONCE_USED,    /* sign again with another nonce, once */
    CODES_FORBIDDEN,     /* a permission is missing */
    CODES_BAD_SIGNATURE, /* the message quotes what was signed, security token included */
    CODES_OIDC_EXPIRED,  /* the token of an OIDC provider has expired: this and the next four */
    CODES_OIDC_AUDIENCE, /* its audience is another */
    CODES_OIDC_ISSUER,   /* its issuer is not that of the OIDC provider */
    CODES_OIDC_INVALID,  /* it cannot be verified */
    CODES_OIDC_REFUSED,  /* it was refused for a reason that STS does not name */
    CODES_OTHER,
};

struct codes {
    enum codes_meaning meaning;
    enum error_kind kind;
    enum error_retry retry;
    const char *advice; /* "" where it depends on who asked for what: CODES_FORBIDDEN */
};

/* `code` as received, "" if the answer had none; `status` is the HTTP status. */
struct codes codes_look_up(const char *code, long status);

/* The meaning of err->service_code, the status of whose answer is not known any more. */
enum codes_meaning codes_meaning(const char *code);

#endif
