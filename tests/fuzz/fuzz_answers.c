/* Fuzzes all decoders of services' responses with the same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto-json/api_reply.h"
#include "proto-json/claims.h"
#include "proto-json/credentials_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_token(const struct token *token)
{
    if (token->user[0] == '\0' || secret_is_empty(&token->password) || token->expires_at_s < 1 ||
        strlen(secret_reveal(&token->password)) != token->password.length)
        abort();
}

static void decode_tokens(const uint8_t *bytes, size_t length)
{
    struct token token AUTO(credentials_clear_token) = {0};
    struct error err = {0};

    if (api_reply_decode_token(&token, false, bytes, length, &err)) {
        check_token(&token);
        if (api_reply_is_refusal(bytes, length))
            abort();
    }
    if (api_reply_decode_token(&token, true, bytes, length, &err))
        check_token(&token);
}

static void decode_lists(const uint8_t *bytes, size_t length)
{
    struct api_instance_page page = {0};
    struct error err = {0};
    bool found = false;

    if (api_reply_decode_instances(&page, "demo", bytes, length, &err) &&
        page.count > API_REPLY_INSTANCES_MAX)
        abort();
    if (!api_reply_lists_domain(&found, bytes, length, "hub.example.com", &err) && found)
        abort();
}

/* The payload of a token, so that the fuzzer need not learn base64 first. */
static void read_claims(const uint8_t *bytes, size_t length)
{
    struct secret token AUTO(secret_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    struct claims claims;

    buf_append_text(&text, "e30.");
    text_base64_encode(&text, bytes, length);
    while (text.length > 0 && text.bytes[text.length - 1] == '=')
        text.length--;
    buf_append_text(&text, ".c2ln");
    secret_set(&token, text.bytes, text.length);
    if (claims_read(&claims, &token, "sts.aliyuncs.com") && claims.expires_at_s < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct credentials credentials AUTO(credentials_clear) = {0};
    struct api_error error;
    struct error err = {0};

    decode_tokens(bytes, length);
    decode_lists(bytes, length);
    read_claims(bytes, length);
    api_reply_decode_error(&error, bytes, length);
    if (credentials_reply_decode(&credentials, CREDENTIALS_REPLY_STS, bytes, length, &err) ||
        credentials_reply_decode(&credentials, CREDENTIALS_REPLY_URI, bytes, length, &err)) {
        if (credentials.access_key_id[0] == '\0' || secret_is_empty(&credentials.security_token))
            abort();
    }
    if (credentials_reply_decode(&credentials, CREDENTIALS_REPLY_PROCESS, bytes, length, &err) &&
        secret_is_empty(&credentials.access_key_secret))
        abort();
    if (credentials_reply_decode(&credentials, CREDENTIALS_REPLY_METADATA, bytes, length, &err) &&
        (credentials.access_key_id[0] == '\0' || secret_is_empty(&credentials.security_token)))
        abort();
    return 0;
}
