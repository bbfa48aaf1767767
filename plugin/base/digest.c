#include "base/digest.h"

/* EVP's digests initialize all of libcrypto first, which takes as long as the rest of an answer
 * from the cache; the older functions do not. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/text.h"

bool digest_sha256(char hex[DIGEST_HEX_SIZE], const void *bytes, size_t length, struct error *err)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;

    if (SHA256_Init(&context) != 1 || SHA256_Update(&context, bytes, length) != 1 ||
        SHA256_Final(digest, &context) != 1)
        return error_set(err, ERROR_INTERNAL, "libcrypto cannot compute SHA-256");
    text_hex(hex, digest, sizeof digest);
    return true;
}

bool digest_hmac_sha256(char hex[DIGEST_HEX_SIZE], const void *key, size_t key_length,
                        const void *bytes, size_t length, struct error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length = 0;

    if (HMAC(EVP_sha256(), key, (int)key_length, bytes, length, digest, &digest_length) == NULL)
        return error_set(err, ERROR_INTERNAL, "libcrypto cannot compute HMAC-SHA-256");
    text_hex(hex, digest, digest_length);
    return true;
}

const char *digest_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
