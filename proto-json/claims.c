#include "proto-json/claims.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "proto-json/doc.h"

enum { PAYLOAD_MAX_BYTES = 64 * 1024, AUDIENCES_MAX = 64 };

static const int64_t time_max = 253402300799; /* the end of the year 9999 */

static void take(char *out, size_t size, struct doc_node node)
{
    doc_text_cut(out, size, node);
    text_make_printable(out);
}

bool claims_read(struct claims *out, const struct secret *token)
{
    struct buf payload AUTO(buf_clear) = {0};
    struct doc doc AUTO(doc_clear) = {0};
    struct error ignored;
    struct doc_node root;
    struct doc_node audience;
    size_t count = 0;
    const char *start = strchr(secret_reveal(token), '.');
    const char *end = start == NULL ? NULL : strchr(start + 1, '.');

    *out = (struct claims){0};
    if (end == NULL || !base64_decode_url(&payload, start + 1, (size_t)(end - start - 1)) ||
        !doc_parse(&doc, ERROR_REQUEST, buf_text(&payload), payload.length, PAYLOAD_MAX_BYTES,
                   &ignored))
        return false;
    root = doc_root(&doc);
    audience = doc_member(&root, "aud");
    if (doc_array(&count, AUDIENCES_MAX, audience, DOC_REQUIRED, &ignored) && count > 0)
        audience = doc_element(&audience, 0);
    take(out->audience, sizeof out->audience, audience);
    take(out->issuer, sizeof out->issuer, doc_member(&root, "iss"));
    take(out->subject, sizeof out->subject, doc_member(&root, "sub"));
    if (!doc_integer(&out->expires_at_s, 0, time_max, doc_member(&root, "exp"), DOC_OPTIONAL,
                     &ignored))
        out->expires_at_s = 0;
    return true;
}
