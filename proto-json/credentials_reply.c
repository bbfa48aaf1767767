#include "proto-json/credentials_reply.h"

#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "proto-json/doc.h"

enum { SECRET_MAX_BYTES = 16 * 1024 };

/* The keys of a kind of document. */
struct keys {
    const char *id;
    const char *secret;
    const char *token; /* NULL: an AccessKey has none */
    const char *expiration;
    enum doc_need expires;
};

static const struct keys usual = {"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration",
                                  DOC_REQUIRED};

static bool read_secret(struct secret *out, const struct doc_node *object, const char *name,
                        struct error *err)
{
    struct doc_node node = doc_member(object, name);

    return doc_secret(out, SECRET_MAX_BYTES, node, DOC_REQUIRED, err) &&
           doc_check_visible(secret_reveal(out), &node, err);
}

static bool read_expiration(int64_t *unix_s, const struct doc_node *object, const struct keys *keys,
                            struct error *err)
{
    char text[TEXT_UTC_SIZE + 16] = "";
    struct doc_node node = doc_member(object, keys->expiration);

    if (keys->expires == DOC_OPTIONAL) {
        /* As the SDKs do: an expiration that cannot be parsed is ignored. */
        doc_text_cut(text, sizeof text, node);
        if (!text_parse_utc(text, unix_s))
            *unix_s = 0;
        return true;
    }
    if (!doc_text(text, sizeof text, node, DOC_REQUIRED, err))
        return false;
    return text_parse_utc(text, unix_s) ||
           error_set(err, ERROR_UNAVAILABLE,
                     "%s \"%s\" is not a time of the form 2026-01-02T03:04:05Z", node.path, text);
}

static bool read_credentials(struct credentials *out, const struct doc_node *object,
                             const struct keys *keys, struct error *err)
{
    struct credentials fresh AUTO(credentials_clear) = {0};
    struct doc_node id = doc_member(object, keys->id);

    if (!doc_text(fresh.access_key_id, sizeof fresh.access_key_id, id, DOC_REQUIRED, err) ||
        !doc_check_visible(fresh.access_key_id, &id, err) ||
        !read_secret(&fresh.access_key_secret, object, keys->secret, err) ||
        (keys->token != NULL && !read_secret(&fresh.security_token, object, keys->token, err)) ||
        !read_expiration(&fresh.expires_at_s, object, keys, err))
        return false;
    credentials_clear(out);
    *out = TAKE(fresh);
    return true;
}

static bool check_code(const struct doc_node *root, enum doc_need need, struct error *err)
{
    char code[80] = "Success";

    if (!doc_text(code, sizeof code, doc_member(root, "Code"), need, err))
        return false;
    if (strcmp(code, "Success") == 0)
        return true;
    error_set(err, ERROR_UNAVAILABLE, "Code is not \"Success\"");
    text_copy(err->service_code, sizeof err->service_code, code);
    text_make_printable(err->service_code);
    return false;
}

static bool decode_coded(struct credentials *out, const void *bytes, size_t length,
                         enum doc_need code, struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};

    if (!doc_parse(&doc, ERROR_UNAVAILABLE, bytes, length, CREDENTIALS_REPLY_MAX_BYTES, err))
        return false;
    return check_code(&doc.root, code, err) && read_credentials(out, &doc.root, &usual, err);
}

bool credentials_reply_decode_metadata(struct credentials *out, const void *bytes, size_t length,
                                       struct error *err)
{
    return decode_coded(out, bytes, length, DOC_REQUIRED, err);
}

bool credentials_reply_decode_uri(struct credentials *out, const void *bytes, size_t length,
                                  struct error *err)
{
    return decode_coded(out, bytes, length, DOC_OPTIONAL, err);
}

bool credentials_reply_decode_sts(struct credentials *out, const void *bytes, size_t length,
                                  struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node credentials;

    if (!doc_parse(&doc, ERROR_UNAVAILABLE, bytes, length, CREDENTIALS_REPLY_MAX_BYTES, err))
        return false;
    credentials = doc_member(&doc.root, "Credentials");
    return doc_object(credentials, DOC_REQUIRED, err) &&
           read_credentials(out, &credentials, &usual, err);
}

bool credentials_reply_decode_process(struct credentials *out, const void *bytes, size_t length,
                                      struct error *err)
{
    static const struct keys access_key = {"access_key_id", "access_key_secret", NULL, "expiration",
                                           DOC_OPTIONAL};
    static const struct keys sts_token = {"access_key_id", "access_key_secret", "sts_token",
                                          "expiration", DOC_OPTIONAL};
    struct doc doc AUTO(doc_clear) = {0};
    char mode[40] = "";
    char token_start[2];
    bool has_token;

    if (!doc_parse(&doc, ERROR_UNAVAILABLE, bytes, length, CREDENTIALS_REPLY_MAX_BYTES, err))
        return false;
    if (!doc_text(mode, sizeof mode, doc_member(&doc.root, "mode"), DOC_OPTIONAL, err))
        return false;
    doc_text_cut(token_start, sizeof token_start, doc_member(&doc.root, "sts_token"));
    has_token = token_start[0] != '\0' || strcmp(mode, "StsToken") == 0;
    if (mode[0] == '\0' || strcmp(mode, "AK") == 0 || strcmp(mode, "StsToken") == 0)
        return read_credentials(out, &doc.root, has_token ? &sts_token : &access_key, err);
    return error_set(err, ERROR_UNAVAILABLE, "mode is \"%s\" and neither \"AK\" nor \"StsToken\"",
                     mode);
}
