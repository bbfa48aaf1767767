#include "proto-json/docker_login.h"

#include <string.h>

#include "base/base64.h"
#include "proto-json/doc.h"

void docker_login_append_credentials(struct buf *out, const char *server, const struct token *token)
{
    buf_append_text(out, "{\"ServerURL\":");
    doc_append_string(out, server);
    buf_append_text(out, ",\"Username\":");
    doc_append_string(out, token->user);
    buf_append_text(out, ",\"Secret\":");
    doc_append_string(out, secret_reveal(&token->password));
    buf_append_text(out, "}\n");
}

void docker_login_append_auths(struct buf *out, const char *host, const struct token *token)
{
    struct buf login AUTO(buf_clear) = {0};

    buf_append_text(out, "{\"auths\":{");
    if (host != NULL) {
        buf_append_format(&login, "%s:%s", token->user, secret_reveal(&token->password));
        doc_append_string(out, host);
        buf_append_text(out, ":{\"auth\":\"");
        base64_encode(out, login.bytes, login.length);
        buf_append_text(out, "\"}");
    }
    buf_append_text(out, "}}\n");
}
