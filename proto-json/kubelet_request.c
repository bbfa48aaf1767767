#include "proto-json/kubelet_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto-json/doc.h"

/* Longer than the kind of any Kubernetes object. */
enum { KIND_SIZE = 128 };

static const struct version {
    const char *name;
    bool has_service_account; /* fields that came with Kubernetes 1.33 */
} versions[] = {
    {"credentialprovider.kubelet.k8s.io/v1", true},
    {"credentialprovider.kubelet.k8s.io/v1beta1", false},
    {"credentialprovider.kubelet.k8s.io/v1alpha1", false},
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

static const struct version *find_version(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (strcmp(versions[i].name, name) == 0)
            return &versions[i];
    }
    return NULL;
}

static bool decode_kind(const struct doc_node *root, struct error *err)
{
    char kind[KIND_SIZE] = "";

    if (!doc_text(kind, sizeof kind, doc_member(root, "kind"), DOC_REQUIRED, err))
        return false;
    if (strcmp(kind, "CredentialProviderRequest") != 0)
        return error_set(err, ERROR_REQUEST,
                         "kind must be \"CredentialProviderRequest\", it is \"%s\"", kind);
    return true;
}

static bool decode_version(struct kubelet_request *out, const struct version **version,
                           const struct doc_node *root, struct error *err)
{
    if (!doc_text(out->api_version, sizeof out->api_version, doc_member(root, "apiVersion"),
                  DOC_REQUIRED, err))
        return false;
    *version = find_version(out->api_version);
    if (*version == NULL)
        return error_set(err, ERROR_REQUEST,
                         "apiVersion must be \"credentialprovider.kubelet.k8s.io/\" with v1, "
                         "v1beta1 or v1alpha1, it is \"%s\"",
                         out->api_version);
    return true;
}

static bool decode_image(struct kubelet_request *out, const struct doc_node *root,
                         struct error *err)
{
    struct doc_node image = doc_member(root, "image");

    return doc_text(out->image, sizeof out->image, image, DOC_REQUIRED, err) &&
           doc_check_visible(out->image, &image, err);
}

static bool decode_annotations(struct kubelet_request *out, const struct doc_node *root,
                               struct error *err)
{
    struct doc_node map = doc_member(root, "serviceAccountAnnotations");
    struct doc_node member;
    const char *key = NULL;

    if (!doc_object(map, DOC_OPTIONAL, err))
        return false;
    out->annotations = alloc_zeroed(KUBELET_REQUEST_ANNOTATIONS_MAX, sizeof *out->annotations);
    for (struct doc_cursor cursor = {0}; doc_next(&cursor, &map, &member, &key);) {
        struct kubelet_annotation *next = &out->annotations[out->annotation_count];

        if (out->annotation_count == KUBELET_REQUEST_ANNOTATIONS_MAX)
            return error_set(err, ERROR_REQUEST, "%s must have at most %d entries", map.path,
                             KUBELET_REQUEST_ANNOTATIONS_MAX);
        if (!doc_string(&next->value, KUBELET_REQUEST_MAX_BYTES, member, DOC_REQUIRED, err))
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
    const struct version *version = NULL;

    if (!doc_parse(&doc, ERROR_REQUEST, bytes, length, KUBELET_REQUEST_MAX_BYTES, err))
        return false;
    if (!decode_kind(&doc.root, err) || !decode_version(&fresh, &version, &doc.root, err) ||
        !decode_image(&fresh, &doc.root, err))
        return false;
    if (version->has_service_account &&
        (!doc_secret(&fresh.service_account_token, KUBELET_REQUEST_MAX_BYTES,
                     doc_member(&doc.root, "serviceAccountToken"), DOC_OPTIONAL, err) ||
         !decode_annotations(&fresh, &doc.root, err)))
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
