#include "cloud/sign_v3.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define ALGORITHM "ACS3-HMAC-SHA256"

void sign_v3_query(struct buf *out, const struct sign_v3_parameter *parameters, size_t count)
{
    const struct sign_v3_parameter *sorted[SIGN_V3_PARAMETERS_MAX] = {NULL};
    size_t given = 0;

    assert(count <= SIGN_V3_PARAMETERS_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t at = given;

        if (parameters[i].value == NULL)
            continue;
        given++;
        for (; at > 0 && strcmp(sorted[at - 1]->name, parameters[i].name) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &parameters[i];
    }
    for (size_t i = 0; i < given; i++) {
        buf_append_text(out, i == 0 ? "" : "&");
        text_percent_encode(out, sorted[i]->name);
        buf_append_text(out, "=");
        text_percent_encode(out, sorted[i]->value);
    }
}

/* One signed header: into the block of canonical headers and into the list of their names. */
static void add_header(struct buf *headers, struct buf *names, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    buf_append_format(headers, "%s:%s\n", name, value);
    buf_append_format(names, "%s%s", names->length == 0 ? "" : ";", name);
}

bool sign_v3(struct sign_v3_result *out, const struct sign_v3_request *request,
             const struct credentials *credentials, struct error *err)
{
    struct buf headers AUTO(buf_clear) = {0};
    struct buf names AUTO(buf_clear) = {0};
    struct buf canonical AUTO(buf_clear) = {0};
    struct buf to_sign AUTO(buf_clear) = {0};
    char signature[DIGEST_HEX_SIZE];
    int written;

    if (!digest_sha256(out->payload_hash, request->body, strlen(request->body), err))
        return false;
    /* In the order of their names, as the canonical form wants them. */
    add_header(&headers, &names, "content-type", request->content_type);
    add_header(&headers, &names, "host", request->host);
    add_header(&headers, &names, "x-acs-action", request->action);
    add_header(&headers, &names, "x-acs-content-sha256", out->payload_hash);
    add_header(&headers, &names, "x-acs-date", request->date);
    add_header(&headers, &names, "x-acs-security-token",
               secret_reveal(&credentials->security_token));
    add_header(&headers, &names, "x-acs-signature-nonce", request->nonce);
    add_header(&headers, &names, "x-acs-version", request->version);

    buf_append_format(&canonical, "%s\n%s\n%s\n%s\n%s\n%s", request->method, request->path,
                      request->query, buf_text(&headers), buf_text(&names), out->payload_hash);
    if (!digest_sha256(out->canonical_hash, canonical.bytes, canonical.length, err))
        return false;
    buf_append_format(&to_sign, "%s\n%s", ALGORITHM, out->canonical_hash);
    if (!digest_hmac_sha256(signature, secret_reveal(&credentials->access_key_secret),
                            credentials->access_key_secret.length, to_sign.bytes, to_sign.length,
                            err))
        return false;
    written = snprintf(out->authorization, sizeof out->authorization,
                       "%s Credential=%s,SignedHeaders=%s,Signature=%s", ALGORITHM,
                       credentials->access_key_id, buf_text(&names), signature);
    if (written < 0 || (size_t)written >= sizeof out->authorization)
        return error_set(err, ERROR_INTERNAL, "the Authorization header is too long");
    return true;
}
