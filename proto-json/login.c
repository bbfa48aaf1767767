#include "proto-json/login.h"

#include "base/text.h"
#include "proto-json/doc.h"

void login_append_response(struct buf *out, const struct login_response *response)
{
    buf_append_text(out, "{");
    doc_append_member(out, "kind", "CredentialProviderResponse");
    doc_append_member(out, "apiVersion", response->api_version);
    doc_append_member(out, "cacheKeyType", response->cache_key_type);
    buf_append_format(out, ",\"cacheDuration\":\"%llds\",\"auth\":{",
                      (long long)response->cache_duration_s);
    if (response->auth_key != NULL) {
        doc_append_string(out, response->auth_key);
        buf_append_text(out, ":{");
        doc_append_member(out, "username", response->token->user);
        doc_append_member(out, "password", secret_reveal(&response->token->password));
        buf_append_text(out, "}");
    }
    buf_append_text(out, "}}\n");
}

void login_append_helper(struct buf *out, const char *server, const struct token *token)
{
    buf_append_text(out, "{");
    doc_append_member(out, "ServerURL", server);
    doc_append_member(out, "Username", token->user);
    doc_append_member(out, "Secret", secret_reveal(&token->password));
    buf_append_text(out, "}\n");
}

void login_append_auths(struct buf *out, const char *host, const struct token *token)
{
    struct buf login AUTO(buf_clear) = {0};
    struct buf encoded AUTO(buf_clear) = {0};

    buf_append_text(out, "{\"auths\":{");
    if (host != NULL) {
        buf_append_format(&login, "%s:%s", token->user, secret_reveal(&token->password));
        text_base64_encode(&encoded, login.bytes, login.length);
        doc_append_string(out, host);
        buf_append_text(out, ":{");
        doc_append_member(out, "auth", encoded.bytes);
        buf_append_text(out, "}");
    }
    buf_append_text(out, "}}\n");
}
