#include "proto-json/kubelet_response.h"

#include <assert.h>

#include "base/text.h"
#include "proto-json/doc.h"

void kubelet_response_append(struct buf *out, const struct kubelet_response *response)
{
    char duration[TEXT_DURATION_SIZE];

    assert(response->cache_duration_s >= 0);
    text_format_duration(duration, response->cache_duration_s);
    buf_append_text(out, "{");
    doc_append_member(out, "kind", "CredentialProviderResponse");
    doc_append_member(out, "apiVersion", response->api_version);
    doc_append_member(out, "cacheKeyType", response->cache_key_type);
    doc_append_member(out, "cacheDuration", duration);
    buf_append_text(out, ",\"auth\":{");
    if (response->auth_key != NULL) {
        doc_append_string(out, response->auth_key);
        buf_append_text(out, ":{");
        doc_append_member(out, "username", response->user);
        doc_append_member(out, "password", secret_reveal(response->password));
        buf_append_text(out, "}");
    }
    buf_append_text(out, "}}\n");
}
