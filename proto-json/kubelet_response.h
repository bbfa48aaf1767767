/* The answer to the kubelet: CredentialProviderResponse in the version of the request. */
#ifndef PROTO_JSON_KUBELET_RESPONSE_H
#define PROTO_JSON_KUBELET_RESPONSE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"

/* All strings are borrowed. */
struct kubelet_response {
    const char *api_version;
    const char *auth_key; /* the host, with its port or path; NULL: no credentials */
    const char *user;     /* with auth_key only */
    const struct secret *password;
    const char *cache_key_type; /* "Registry" or "Image" */
    int64_t cache_duration_s;   /* not negative; 0: the kubelet keeps nothing */
};

/* Appends the response and a newline. All strings are UTF-8. The kubelet refuses unknown fields, so
 * it has no others. */
void kubelet_response_append(struct buf *out, const struct kubelet_response *response);

#endif
