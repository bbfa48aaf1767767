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

/* The audience is a string or an array of strings (RFC 7519, section 4.1.3). */
static void take_audience(struct claims *out, const struct doc_node *said, const char *wanted)
{
    struct error ignored;
    size_t count = 0;

    if (!doc_array(&count, AUDIENCES_MAX, *said, DOC_REQUIRED, &ignored)) {
        take(out->audience, sizeof out->audience, *said);
        out->audience_fits = strcmp(out->audience, wanted) == 0;
    }
    for (size_t i = 0; i < count; i++) {
        char one[sizeof out->audience];

        take(one, sizeof one, doc_element(said, i));
        out->audience_fits = out->audience_fits || strcmp(one, wanted) == 0;
        if (i == 0)
            memcpy(out->audience, one, sizeof one);
    }
}

bool claims_read(struct claims *out, const struct secret *token, const char *audience)
{
    struct buf payload AUTO(buf_clear) = {0};
    struct doc doc AUTO(doc_clear) = {0};
    struct error ignored;
    struct doc_node root;
    struct doc_node said_audience;
    const char *start = strchr(secret_reveal(token), '.');
    const char *end = start == NULL ? NULL : strchr(start + 1, '.');

    *out = (struct claims){0};
    if (end == NULL || !base64_decode_url(&payload, start + 1, (size_t)(end - start - 1)) ||
        !doc_parse(&doc, ERROR_REQUEST, buf_text(&payload), payload.length, PAYLOAD_MAX_BYTES,
                   &ignored))
        return false;
    root = doc_root(&doc);
    said_audience = doc_member(&root, "aud");
    take_audience(out, &said_audience, audience);
    take(out->issuer, sizeof out->issuer, doc_member(&root, "iss"));
    take(out->subject, sizeof out->subject, doc_member(&root, "sub"));
    if (!doc_integer(&out->expires_at_s, 0, time_max, doc_member(&root, "exp"), DOC_OPTIONAL,
                     &ignored))
        out->expires_at_s = 0;
    return true;
}
