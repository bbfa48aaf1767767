/* The kubelet's request: CredentialProviderRequest of v1, v1beta1 or v1alpha1 (kubernetes/kubelet
 * pkg/apis/credentialprovider). */
#ifndef PROTO_JSON_KUBELET_REQUEST_H
#define PROTO_JSON_KUBELET_REQUEST_H

#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/secret.h"

enum {
    KUBELET_REQUEST_MAX_BYTES = 1024 * 1024,
    KUBELET_REQUEST_IMAGE_SIZE = 1024,
    KUBELET_REQUEST_ANNOTATIONS_MAX = 64,
};

struct kubelet_annotation {
    char *key;   /* owned */
    char *value; /* owned */
};

struct kubelet_request {
    char api_version[64]; /* the answer carries the same one */
    char image[KUBELET_REQUEST_IMAGE_SIZE];
    struct secret service_account_token; /* empty: none was sent */
    struct kubelet_annotation *annotations;
    size_t annotation_count;
};

/* Wipes, frees and returns to `{0}`. */
void kubelet_request_clear(struct kubelet_request *request);

/* Decodes a request. Fails with ERROR_REQUEST, naming the field. Unknown fields are ignored, since
 * v1 may grow; so are the service account fields in the versions that do not have them. The image
 * is only known to be visible ASCII and not empty. `out` is filled only on success. */
CHECKED bool kubelet_request_decode(struct kubelet_request *out, const void *bytes, size_t length,
                                    struct error *err);

/* The value of an annotation of the pod's service account, borrowed from the request; NULL if it
 * has none of this key. */
const char *kubelet_request_annotation(const struct kubelet_request *request, const char *key);

#endif
