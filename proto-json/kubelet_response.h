/* What the kubelet is answered: a CredentialProviderResponse in the version of the request. */
#ifndef PROTO_JSON_KUBELET_RESPONSE_H
#define PROTO_JSON_KUBELET_RESPONSE_H

#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"

/* All borrowed. */
struct kubelet_response {
    const char *api_version;
    const char *auth_key; /* the host, with its port or path; NULL: no credentials */
    const char *user;     /* with auth_key only */
    const struct secret *password;
    const char *cache_key_type; /* "Registry" or "Image" */
    int64_t cache_duration_s;   /* not negative; 0: the kubelet keeps nothing */
};

/* Appends the response and a newline. The kubelet refuses unknown fields, so that there are none
 * but its own. Fails with ERROR_UNAVAILABLE when user or password are not UTF-8, which the kubelet
 * would change silently; `out` is unchanged then. */
CHECKED bool kubelet_response_encode(struct buf *out, const struct kubelet_response *response,
                                     struct error *err);

#endif
