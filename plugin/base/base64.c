#include "base/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void base64_encode(struct buf *out, const void *bytes, size_t length)
{
    static const char alphabet[] = LETTERS_AND_DIGITS "+/";
    const unsigned char *at = bytes;

    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                         (left > 2 ? (uint32_t)at[i + 2] : 0);
        const char four[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                              alphabet[group >> 6 & 63], alphabet[group & 63]};

        buf_append(out, four, left > 2 ? 4 : left + 1);
        buf_append_text(out, left > 2 ? "" : &"=="[left - 1]);
    }
}

bool base64_decode_url(struct buf *out, const char *text, size_t length)
{
    static const char alphabet[] = LETTERS_AND_DIGITS "-_";
    uint32_t group = 0;
    unsigned bits = 0;

    if (length % 4 == 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(alphabet, text[i]);

        if (digit == NULL)
            return false;
        group = (group << 6 | (uint32_t)(digit - alphabet)) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            unsigned char byte = (unsigned char)(group >> (bits - 8));

            bits -= 8;
            buf_append(out, &byte, 1);
        }
    }
    return true;
}
