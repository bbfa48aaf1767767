#include "proto-json/claims.h"

#include <string.h>

#include "base/text.h"
#include "proto-json/doc.h"

enum { PAYLOAD_MAX_BYTES = 64 * 1024, AUDIENCES_MAX = 64 };

static const int64_t end_of_year_9999_s = 253402300799;

/* The audience is a string or an array of strings (RFC 7519, section 4.1.3). */
static void read_audience(struct claims *out, struct doc_node node, const char *expected)
{
    struct error ignored;
    size_t count = 1;
    bool is_list = doc_array(&count, AUDIENCES_MAX, node, &ignored);

    for (size_t i = 0; i < count; i++) {
        char one[sizeof out->audience];

        doc_text_cut(one, sizeof one, is_list ? doc_element(&node, i) : node);
        out->audience_fits = out->audience_fits || strcmp(one, expected) == 0;
        if (i == 0)
            memcpy(out->audience, one, sizeof one);
    }
}

bool claims_read(struct claims *out, const struct secret *token, const char *expected)
{
    struct buf payload AUTO(buf_clear) = {0};
    struct doc doc AUTO(doc_clear) = {0};
    struct error ignored;
    const char *start = strchr(secret_reveal(token), '.');
    const char *end = start == NULL ? NULL : strchr(start + 1, '.');

    *out = (struct claims){0};
    if (end == NULL || !text_base64url_decode(&payload, start + 1, (size_t)(end - start - 1)) ||
        !doc_parse(&doc, ERROR_REQUEST, buf_text(&payload), payload.length, PAYLOAD_MAX_BYTES,
                   &ignored))
        return false;
    read_audience(out, doc_member(&doc.root, "aud"), expected);
    doc_text_cut(out->issuer, sizeof out->issuer, doc_member(&doc.root, "iss"));
    doc_text_cut(out->subject, sizeof out->subject, doc_member(&doc.root, "sub"));
    if (!doc_integer(&out->expires_at_s, 0, end_of_year_9999_s,
                     doc_optional_member(&doc.root, "exp"), &ignored))
        out->expires_at_s = 0;
    return true;
}
