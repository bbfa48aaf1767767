#include "base/base64.h"

#include <openssl/evp.h>
#include <string.h>

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void base64_encode(struct buf *out, const void *bytes, size_t length)
{
    char *encoded = buf_extend(out, (length + 2) / 3 * 4);

    EVP_EncodeBlock((unsigned char *)encoded, bytes, (int)length);
}

bool base64_decode_url(struct buf *out, const char *text, size_t length)
{
    struct buf standard AUTO(buf_clear) = {0};
    size_t padding = (4 - length % 4) % 4;
    unsigned char *decoded;
    int decoded_length;

    buf_append(&standard, text, length);
    if (padding == 3 || strspn(buf_text(&standard), LETTERS_AND_DIGITS "-_") != length)
        return false;
    buf_append(&standard, "==", padding);
    for (char *at = standard.bytes; *at != '\0'; at++) {
        if (*at == '-')
            *at = '+';
        else if (*at == '_')
            *at = '/';
    }
    decoded = (unsigned char *)buf_extend(out, standard.length / 4 * 3);
    decoded_length =
        EVP_DecodeBlock(decoded, (unsigned char *)standard.bytes, (int)standard.length);
    /* It counts the padding as decoded bytes. */
    buf_shorten(out, padding);
    return decoded_length >= 0;
}
