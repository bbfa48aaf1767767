/* The kubelet's credential provider protocol: CredentialProviderRequest in,
 * CredentialProviderResponse out, in v1, v1beta1 and v1alpha1 (kubernetes/kubelet
 * pkg/apis/credentialprovider). */
#ifndef PROTO_JSON_KUBELET_H
#define PROTO_JSON_KUBELET_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"

enum {
    KUBELET_REQUEST_MAX_BYTES = 1024 * 1024,
    KUBELET_IMAGE_SIZE = 1024,
    KUBELET_ANNOTATIONS_MAX = 64,
};

struct kubelet_annotation {
    char *key;   /* owned */
    char *value; /* owned */
};

struct kubelet_request {
    char api_version[64]; /* the answer carries the same one */
    char image[KUBELET_IMAGE_SIZE];
    struct secret service_account_token; /* empty: none was sent */
    struct kubelet_annotation *annotations;
    size_t annotation_count;
};

/* Wipes, frees and returns to `{0}`. */
void kubelet_request_clear(struct kubelet_request *request);

/* Decodes a request. Fails with ERROR_REQUEST, naming the field. Unknown fields are ignored, for v1
 * may grow; so are the service account fields in the versions that do not have them. The image is
 * only known not to be empty and to have no white space or control bytes. `out` is filled only on
 * success. */
CHECKED bool kubelet_request_decode(struct kubelet_request *out, const void *bytes, size_t length,
                                    struct error *err);

/* The value of an annotation of the pod's service account, borrowed from the request; NULL if it
 * has none of this key. */
const char *kubelet_request_annotation(const struct kubelet_request *request, const char *key);

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
