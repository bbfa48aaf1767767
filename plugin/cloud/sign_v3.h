/* Signature V3, ACS3-HMAC-SHA256. Pure: the same input always gives the same signature. Source:
 * "Request syntax and signature method V3" in the Alibaba Cloud SDK guide. */
#ifndef CLOUD_SIGN_V3_H
#define CLOUD_SIGN_V3_H

#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/credentials.h"
#include "base/digest.h"
#include "base/error.h"

struct sign_v3_parameter {
    const char *name;
    const char *value;
};

struct sign_v3_request {
    const char *method;       /* "POST" */
    const char *path;         /* "/", percent-encoded already */
    const char *query;        /* canonical, from sign_v3_query(); "" if none */
    const char *host;         /* as sent, with a port that is not the default */
    const char *action;       /* "GetAuthorizationToken" */
    const char *version;      /* "2018-12-01" */
    const char *date;         /* UTC, "2026-01-02T03:04:05Z" */
    const char *nonce;        /* never used before */
    const char *content_type; /* of the body; "" without one */
    const char *body;         /* "" if none */
};

struct sign_v3_result {
    char payload_hash[DIGEST_HEX_SIZE];   /* value of x-acs-content-sha256 */
    char canonical_hash[DIGEST_HEX_SIZE]; /* of the canonical request, for tests and diagnosis */
    char authorization[512];              /* value of Authorization */
};

enum { SIGN_V3_PARAMETERS_MAX = 16 };

/* Appends the canonical query of up to SIGN_V3_PARAMETERS_MAX parameters in any order: sorted by
 * name, percent-encoded, without those whose value is NULL. It is also what must be sent. */
void sign_v3_query(struct buf *out, const struct sign_v3_parameter *parameters, size_t count);

/* Signs. With a security token in the credentials, x-acs-security-token is signed too and must be
 * sent. Fails only if libcrypto does. */
CHECKED bool sign_v3(struct sign_v3_result *out, const struct sign_v3_request *request,
                     const struct credentials *credentials, struct error *err);

#endif
