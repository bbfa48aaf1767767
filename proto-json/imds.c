#include "proto-json/imds.h"

#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "proto-json/doc.h"

enum { SECRET_MAX_BYTES = 16 * 1024 };

/* These values go into header lines, where a line break would forge another header. */
static bool check_visible(const char *text, const char *name, struct error *err)
{
    if (*text == '\0')
        return error_set(err, ERROR_UNAVAILABLE, "%s is empty", name);
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~')
            return error_set(err, ERROR_UNAVAILABLE, "%s has a byte that is not visible ASCII",
                             name);
    }
    return true;
}

static bool read_secret(struct secret *out, const struct doc_node *root, const char *name,
                        struct error *err)
{
    return doc_secret(out, SECRET_MAX_BYTES, doc_member(root, name), DOC_REQUIRED, err) &&
           check_visible(secret_reveal(out), name, err);
}

static bool check_code(const struct doc_node *root, struct error *err)
{
    char code[80] = "";

    if (!doc_text(code, sizeof code, doc_member(root, "Code"), DOC_REQUIRED, err))
        return false;
    if (strcmp(code, "Success") != 0)
        return error_set(err, ERROR_UNAVAILABLE, "Code is \"%s\" and not \"Success\"", code);
    return true;
}

bool imds_credentials_decode(struct credentials *out, const void *bytes, size_t length,
                             struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct credentials fresh AUTO(credentials_clear) = {0};
    struct doc_node root;
    char expiration[TEXT_UTC_SIZE + 16] = "";

    if (!doc_parse(&doc, ERROR_UNAVAILABLE, bytes, length, IMDS_CREDENTIALS_MAX_BYTES, err))
        return false;
    root = doc_root(&doc);
    if (!check_code(&root, err) ||
        !doc_text(fresh.access_key_id, sizeof fresh.access_key_id, doc_member(&root, "AccessKeyId"),
                  DOC_REQUIRED, err) ||
        !check_visible(fresh.access_key_id, "AccessKeyId", err) ||
        !read_secret(&fresh.access_key_secret, &root, "AccessKeySecret", err) ||
        !read_secret(&fresh.security_token, &root, "SecurityToken", err) ||
        !doc_text(expiration, sizeof expiration, doc_member(&root, "Expiration"), DOC_REQUIRED,
                  err))
        return false;
    if (!text_parse_utc(expiration, &fresh.expires_at_s))
        return error_set(err, ERROR_UNAVAILABLE,
                         "Expiration \"%s\" is not a time of the form 2026-01-02T03:04:05Z",
                         expiration);
    credentials_clear(out);
    *out = credentials_take(&fresh);
    return true;
}
