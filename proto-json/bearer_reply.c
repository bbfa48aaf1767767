#include "proto-json/bearer_reply.h"

#include "proto-json/doc.h"

enum { TOKEN_MAX_BYTES = 64 * 1024 };

bool bearer_reply_decode(struct secret *token, const void *bytes, size_t length, struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node node;

    if (!doc_parse(&doc, ERROR_UNAVAILABLE, bytes, length, BEARER_REPLY_MAX_BYTES, err))
        return false;
    node = doc_member(&doc.root, "token");
    if (!node.present)
        node = doc_member(&doc.root, "access_token");
    return doc_secret(token, TOKEN_MAX_BYTES, node, err);
}
