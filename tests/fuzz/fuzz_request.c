/* Fuzzes the decoder of the kubelet's request, and the response made of what it accepts. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto-json/doc.h"
#include "proto-json/kubelet_request.h"
#include "proto-json/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    struct buf answer AUTO(buf_clear) = {0};
    struct doc doc AUTO(doc_clear) = {0};
    struct error err = {0};
    struct token token AUTO(credentials_clear_token) = {.user = "user"};
    struct login_response response;

    if (!kubelet_request_decode(&request, bytes, length, &err))
        return 0;
    secret_copy(&token.password, &request.service_account_token);
    response = (struct login_response){
        .api_version = request.api_version,
        .auth_key = request.image,
        .token = &token,
        .cache_key_type = "Registry",
        .cache_duration_s = (int64_t)length,
    };
    login_append_response(&answer, &response);
    if (!doc_parse(&doc, ERROR_INTERNAL, answer.bytes, answer.length, answer.length, &err))
        abort();
    return 0;
}
