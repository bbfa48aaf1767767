#include "proto-json/claims.h"

#include <string.h>

#include "base/text.h"
#include "proto-json/doc.h"

enum { PAYLOAD_MAX_BYTES = 64 * 1024, ENTRIES_MAX = 64, NAME_SIZE = 512 };

static const int64_t end_of_year_9999_s = 253402300799;

/* The audience is a string or an array of strings (RFC 7519, section 4.1.3). */
static void read_audience(struct claims *out, struct doc_node node, const char *expected)
{
    struct error ignored;
    size_t count = 1;
    bool is_list = doc_array(&count, ENTRIES_MAX, node, &ignored);

    for (size_t i = 0; i < count; i++) {
        char one[sizeof out->audience];

        doc_text_cut(one, sizeof one, is_list ? doc_element(&node, i) : node);
        out->audience_fits = out->audience_fits || strcmp(one, expected) == 0;
        if (i == 0)
            memcpy(out->audience, one, sizeof one);
    }
}

/* The payload of a JSON Web Token (RFC 7519). */
static bool parse_payload(struct doc *out, const struct secret *token)
{
    struct buf payload AUTO(buf_clear) = {0};
    struct error ignored;
    const char *start = strchr(secret_reveal(token), '.');
    const char *end = start == NULL ? NULL : strchr(start + 1, '.');

    return end != NULL && text_base64url_decode(&payload, start + 1, (size_t)(end - start - 1)) &&
           doc_parse(out, ERROR_REQUEST, buf_text(&payload), payload.length, PAYLOAD_MAX_BYTES,
                     &ignored);
}

bool claims_read(struct claims *out, const struct secret *token, const char *expected)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct error ignored;

    *out = (struct claims){0};
    if (!parse_payload(&doc, token))
        return false;
    read_audience(out, doc_member(&doc.root, "aud"), expected);
    doc_text_cut(out->issuer, sizeof out->issuer, doc_member(&doc.root, "iss"));
    doc_text_cut(out->subject, sizeof out->subject, doc_member(&doc.root, "sub"));
    if (!doc_integer(&out->expires_at_s, 0, end_of_year_9999_s,
                     doc_optional_member(&doc.root, "exp"), &ignored))
        out->expires_at_s = 0;
    return true;
}

/* Whether a list of strings has this one. */
static bool has_string(const struct doc_node *list, const char *wanted)
{
    struct error ignored;
    size_t count = 0;
    char text[64];

    if (!doc_array(&count, ENTRIES_MAX, *list, &ignored))
        return false;
    for (size_t i = 0; i < count; i++) {
        doc_text_cut(text, sizeof text, doc_element(list, i));
        if (strcmp(text, wanted) == 0)
            return true;
    }
    return false;
}

bool claims_grant(bool *readable, const struct secret *token, const char *repository,
                  const char *action)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node access = {0};
    struct error ignored;
    size_t count = 0;
    bool grants = false;

    *readable = false;
    if (!parse_payload(&doc, token))
        return false;
    access = doc_member(&doc.root, "access");
    /* Nothing granted is an empty list, or null. */
    *readable = access.present &&
                (access.value == NULL || doc_array(&count, ENTRIES_MAX, access, &ignored));
    for (size_t i = 0; *readable && i < count && !grants; i++) {
        const struct doc_node entry = doc_element(&access, i);
        const struct doc_node actions = doc_member(&entry, "actions");
        char name[NAME_SIZE];

        doc_text_cut(name, sizeof name, doc_member(&entry, "name"));
        grants = strcmp(name, repository) == 0 &&
                 (has_string(&actions, action) || has_string(&actions, "*"));
    }
    return grants;
}
