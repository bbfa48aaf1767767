#include "proto-json/docker_login.h"

#include <string.h>

#include "base/text.h"
#include "proto-json/doc.h"

void docker_login_append_credentials(struct buf *out, const char *server, const struct token *token)
{
    buf_append_text(out, "{");
    doc_append_member(out, "ServerURL", server);
    doc_append_member(out, "Username", token->user);
    doc_append_member(out, "Secret", secret_reveal(&token->password));
    buf_append_text(out, "}\n");
}

void docker_login_append_auths(struct buf *out, const char *host, const struct token *token)
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
