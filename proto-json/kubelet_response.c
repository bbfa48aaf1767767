#include "proto-json/kubelet_response.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "proto-json/doc.h"

static void append_member(struct buf *out, const char *name, const char *value)
{
    doc_append_string(out, name);
    buf_append_text(out, ":");
    doc_append_string(out, value);
}

bool kubelet_response_encode(struct buf *out, const struct kubelet_response *response,
                             struct error *err)
{
    bool has_auth = response->auth_key != NULL;
    char duration[TEXT_DURATION_SIZE];

    assert(response->cache_duration_s >= 0);
    if (has_auth && (!doc_is_utf8(response->user, strlen(response->user)) ||
                     !doc_is_utf8(secret_reveal(response->password), response->password->length)))
        return error_set(err, ERROR_UNAVAILABLE,
                         "the registry's user name or password is not UTF-8 text");
    text_format_duration(duration, response->cache_duration_s);
    buf_append_text(out, "{");
    append_member(out, "kind", "CredentialProviderResponse");
    buf_append_text(out, ",");
    append_member(out, "apiVersion", response->api_version);
    buf_append_text(out, ",");
    append_member(out, "cacheKeyType", response->cache_key_type);
    buf_append_text(out, ",");
    append_member(out, "cacheDuration", duration);
    buf_append_text(out, ",\"auth\":{");
    if (has_auth) {
        doc_append_string(out, response->auth_key);
        buf_append_text(out, ":{");
        append_member(out, "username", response->user);
        buf_append_text(out, ",");
        append_member(out, "password", secret_reveal(response->password));
        buf_append_text(out, "}");
    }
    buf_append_text(out, "}}\n");
    return true;
}
