/* Fuzzes all decoders of services' answers with the same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto-json/api_reply.h"
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
    struct token token AUTO(token_clear) = {0};
    struct error err = {0};

    if (api_reply_decode_token_enterprise(&token, bytes, length, &err)) {
        check_token(&token);
        if (!api_reply_is_success(bytes, length))
            abort();
    }
    if (api_reply_decode_token_personal(&token, bytes, length, &err))
        check_token(&token);
}

static void decode_lists(const uint8_t *bytes, size_t length)
{
    struct api_instance_page page AUTO(api_reply_clear_instances) = {0};
    struct error err = {0};
    bool found = false;

    if (api_reply_decode_instances(&page, bytes, length, &err) &&
        page.count > API_REPLY_INSTANCES_MAX)
        abort();
    if (!api_reply_lists_domain(&found, bytes, length, "hub.example.com", &err) && found)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct credentials credentials AUTO(credentials_clear) = {0};
    struct api_error said;
    struct error err = {0};

    decode_tokens(bytes, length);
    decode_lists(bytes, length);
    api_reply_decode_error(&said, bytes, length);
    if (credentials_reply_decode_metadata(&credentials, bytes, length, &err) &&
        (credentials.access_key_id[0] == '\0' || secret_is_empty(&credentials.security_token)))
        abort();
    return 0;
}
