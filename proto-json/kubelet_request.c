#include "proto-json/kubelet_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto-json/doc.h"

static const char *const versions[] = {
    "credentialprovider.kubelet.k8s.io/v1",
    "credentialprovider.kubelet.k8s.io/v1beta1",
    "credentialprovider.kubelet.k8s.io/v1alpha1",
};

void kubelet_request_clear(struct kubelet_request *request)
{
    secret_clear(&request->service_account_token);
    for (size_t i = 0; i < request->annotation_count; i++) {
        free(request->annotations[i].key);
        free(request->annotations[i].value);
    }
    free(request->annotations);
    *request = (struct kubelet_request){0};
}

static bool decode_kind_and_version(struct kubelet_request *out, const struct doc_node *root,
                                    struct error *err)
{
    char kind[128] = ""; /* longer than that of any Kubernetes object */

    if (!doc_text(kind, sizeof kind, doc_member(root, "kind"), err) ||
        !doc_text(out->api_version, sizeof out->api_version, doc_member(root, "apiVersion"), err))
        return false;
    if (strcmp(kind, "CredentialProviderRequest") != 0)
        return error_set(err, ERROR_REQUEST,
                         "kind must be \"CredentialProviderRequest\", it is \"%s\"", kind);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (strcmp(versions[i], out->api_version) == 0)
            return true;
    }
    return error_set(
        err, ERROR_REQUEST,
        "apiVersion must be \"credentialprovider.kubelet.k8s.io/\" with v1, v1beta1 or "
        "v1alpha1, it is \"%s\"",
        out->api_version);
}

/* Fields that came with Kubernetes 1.33 and v1. */
static bool decode_service_account(struct kubelet_request *out, const struct doc_node *root,
                                   struct error *err)
{
    struct doc_node token = doc_member(root, "serviceAccountToken");
    struct doc_node map = doc_member(root, "serviceAccountAnnotations");
    struct doc_node member;
    const char *key = NULL;

    if ((token.present &&
         !doc_secret(&out->service_account_token, KUBELET_REQUEST_MAX_BYTES, token, err)) ||
        (map.present && !doc_object(map, err)))
        return false;
    out->annotations = alloc_zeroed(KUBELET_REQUEST_ANNOTATIONS_MAX, sizeof *out->annotations);
    for (struct lh_entry *at = NULL; doc_next(&at, &map, &member, &key);) {
        struct kubelet_annotation *next = &out->annotations[out->annotation_count];

        if (out->annotation_count == KUBELET_REQUEST_ANNOTATIONS_MAX)
            return error_set(err, ERROR_REQUEST, "%s must have at most %d entries", map.path,
                             KUBELET_REQUEST_ANNOTATIONS_MAX);
        if (!doc_string(&next->value, KUBELET_REQUEST_MAX_BYTES, member, err))
            return false;
        next->key = alloc_string(key);
        out->annotation_count++;
    }
    return true;
}

bool kubelet_request_decode(struct kubelet_request *out, const void *bytes, size_t length,
                            struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct kubelet_request fresh AUTO(kubelet_request_clear) = {0};
    struct doc_node image;

    if (!doc_parse(&doc, ERROR_REQUEST, bytes, length, KUBELET_REQUEST_MAX_BYTES, err) ||
        !decode_kind_and_version(&fresh, &doc.root, err))
        return false;
    image = doc_member(&doc.root, "image");
    if (!doc_text(fresh.image, sizeof fresh.image, image, err) ||
        !doc_check_visible(fresh.image, &image, err) ||
        (strcmp(fresh.api_version, versions[0]) == 0 &&
         !decode_service_account(&fresh, &doc.root, err)))
        return false;
    kubelet_request_clear(out);
    *out = TAKE(fresh);
    return true;
}

const char *kubelet_request_annotation(const struct kubelet_request *request, const char *key)
{
    for (size_t i = 0; i < request->annotation_count; i++) {
        if (strcmp(request->annotations[i].key, key) == 0)
            return request->annotations[i].value;
    }
    return NULL;
}
