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
    bool must_expire;
};

static bool read_secret(struct secret *out, const struct doc_node *object, const char *name,
                        struct error *err)
{
    struct doc_node node = doc_member(object, name);

    return doc_secret(out, SECRET_MAX_BYTES, node, err) &&
           doc_check_visible(secret_reveal(out), &node, err);
}

static bool read_expiration(int64_t *unix_s, const struct doc_node *object, const struct keys *keys,
                            struct error *err)
{
    char text[TEXT_UTC_SIZE + 16] = "";
    struct doc_node node = doc_member(object, keys->expiration);

    if (!keys->must_expire) {
        /* As the SDKs do: an expiration that cannot be parsed is ignored. */
        doc_text_cut(text, sizeof text, node);
        if (!text_parse_utc(text, unix_s))
            *unix_s = 0;
        return true;
    }
    if (!doc_text(text, sizeof text, node, err))
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

    if (!doc_text(fresh.access_key_id, sizeof fresh.access_key_id, id, err) ||
        !doc_check_visible(fresh.access_key_id, &id, err) ||
        !read_secret(&fresh.access_key_secret, object, keys->secret, err) ||
        (keys->token != NULL && !read_secret(&fresh.security_token, object, keys->token, err)) ||
        !read_expiration(&fresh.expires_at_s, object, keys, err))
        return false;
    credentials_clear(out);
    *out = TAKE(fresh);
    return true;
}

static bool check_code(struct doc_node node, struct error *err)
{
    char code[80] = "Success";

    if (!doc_text(code, sizeof code, node, err))
        return false;
    if (strcmp(code, "Success") == 0)
        return true;
    error_set(err, ERROR_UNAVAILABLE, "Code is not \"Success\"");
    text_copy(err->service_code, sizeof err->service_code, code);
    text_make_printable(err->service_code);
    return false;
}

static bool decode_process(struct credentials *out, const struct doc_node *root, struct error *err)
{
    struct keys keys = {"access_key_id", "access_key_secret", NULL, "expiration", false};
    char mode[40] = "";
    char token_start[2];

    if (!doc_text(mode, sizeof mode, doc_optional_member(root, "mode"), err))
        return false;
    if (mode[0] != '\0' && strcmp(mode, "AK") != 0 && strcmp(mode, "StsToken") != 0)
        return error_set(err, ERROR_UNAVAILABLE,
                         "mode is \"%s\" and neither \"AK\" nor \"StsToken\"", mode);
    doc_text_cut(token_start, sizeof token_start, doc_member(root, "sts_token"));
    if (token_start[0] != '\0' || strcmp(mode, "StsToken") == 0)
        keys.token = "sts_token";
    return read_credentials(out, root, &keys, err);
}

bool credentials_reply_decode(struct credentials *out, enum credentials_reply from,
                              const void *bytes, size_t length, struct error *err)
{
    static const struct keys usual = {"AccessKeyId", "AccessKeySecret", "SecurityToken",
                                      "Expiration", true};
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node credentials;

    if (!doc_parse(&doc, ERROR_UNAVAILABLE, bytes, length, CREDENTIALS_REPLY_MAX_BYTES, err))
        return false;
    switch (from) {
    case CREDENTIALS_REPLY_METADATA:
        return check_code(doc_member(&doc.root, "Code"), err) &&
               read_credentials(out, &doc.root, &usual, err);
    case CREDENTIALS_REPLY_URI:
        return check_code(doc_optional_member(&doc.root, "Code"), err) &&
               read_credentials(out, &doc.root, &usual, err);
    case CREDENTIALS_REPLY_PROCESS:
        return decode_process(out, &doc.root, err);
    case CREDENTIALS_REPLY_STS:
        break;
    }
    credentials = doc_member(&doc.root, "Credentials");
    return doc_object(credentials, err) && read_credentials(out, &credentials, &usual, err);
}
