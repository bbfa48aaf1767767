#include "base/text.h"

#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool text_copy(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    bool fits = length < size;

    if (!fits)
        length = size - 1;
    memcpy(out, text, length);
    out[length] = '\0';
    return fits;
}

void text_join(char *out, size_t size, const char *a, const char *separator, const char *b)
{
    const char *parts[] = {a, separator, b};
    size_t length = 0;

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        size_t part = strnlen(parts[i], size - 1 - length);

        memcpy(out + length, parts[i], part);
        length += part;
    }
    out[length] = '\0';
}

void text_make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~')
            *text = '?';
    }
}

char *text_trim(char *text)
{
    static const char blanks[] = " \t\r\n";
    size_t length;

    text += strspn(text, blanks);
    length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
    return text;
}

void text_lower(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
    }
}

bool text_is_printable(const char *text)
{
    while (*text >= ' ' && *text <= '~')
        text++;
    return *text == '\0';
}

bool text_is_visible(const char *text)
{
    return text_is_printable(text) && strchr(text, ' ') == NULL;
}

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text);
    size_t suffix_length = strlen(suffix);

    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

bool text_is_region(const char *text)
{
    size_t length = strlen(text);

    return length <= 63 && strspn(text, LOWER) == 2 && text[2] == '-' &&
           strspn(text, LOWER DIGITS "-") == length && text[length - 1] != '-';
}

void text_percent_encode(struct buf *out, const char *text)
{
    static const char unreserved[] = UPPER LOWER DIGITS "-_.~";

    for (; *text != '\0'; text++) {
        if (strchr(unreserved, *text) != NULL)
            buf_append(out, text, 1);
        else
            buf_append_format(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

void text_hex(char *out, const unsigned char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * length] = '\0';
}

void text_base64_encode(struct buf *out, const void *bytes, size_t length)
{
    char *encoded = buf_extend(out, (length + 2) / 3 * 4);

    EVP_EncodeBlock((unsigned char *)encoded, bytes, (int)length);
}

bool text_base64url_decode(struct buf *out, const char *text, size_t length)
{
    struct buf standard AUTO(buf_clear) = {0};
    size_t padding = (4 - length % 4) % 4;
    unsigned char *decoded;
    int decoded_length;

    buf_append(&standard, text, length);
    if (padding == 3 || strspn(buf_text(&standard), UPPER LOWER DIGITS "-_") != length)
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

/* A text that was cut may end with the beginning of a secret. */
static void redact_tail(char *text, const char *secret)
{
    enum { MIN_BYTES = 6 };
    size_t text_length = strlen(text);
    size_t length = strlen(secret);

    for (size_t tail = length < text_length ? length : text_length; tail >= MIN_BYTES; tail--) {
        if (memcmp(text + text_length - tail, secret, tail) == 0) {
            memset(text + text_length - tail, '*', tail);
            return;
        }
    }
}

void text_redact(char *text, const char *secret)
{
    size_t length = strlen(secret);

    if (length < 4)
        return;
    for (char *at = strstr(text, secret); at != NULL; at = strstr(at, secret)) {
        /* The mark is never longer than the secret, so that the rest only moves down. */
        size_t mark = length < 10 ? length : 10;

        memcpy(at, "[redacted]", mark);
        memmove(at + mark, at + length, strlen(at + length) + 1);
        at += mark;
    }
    redact_tail(text, secret);
}

bool text_parse_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
    int64_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > (INT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (*text - '0');
    }
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

#define UTC_FORMAT "%Y-%m-%dT%H:%M:%SZ"

void text_format_utc(char out[TEXT_UTC_SIZE], int64_t unix_s)
{
    time_t when = (time_t)unix_s;
    struct tm parts;

    if (gmtime_r(&when, &parts) == NULL || strftime(out, TEXT_UTC_SIZE, UTC_FORMAT, &parts) == 0)
        out[0] = '\0';
}

bool text_parse_utc(const char *text, int64_t *unix_s)
{
    struct tm parts = {0};
    char again[TEXT_UTC_SIZE];
    int64_t when;

    if (strptime(text, UTC_FORMAT, &parts) == NULL)
        return false;
    /* strptime() also accepts blanks and short fields, and timegm() the 31st of June. */
    when = (int64_t)timegm(&parts);
    text_format_utc(again, when);
    if (when < 0 || strcmp(again, text) != 0)
        return false;
    *unix_s = when;
    return true;
}

bool text_parse_http_date(const char *text, int64_t *unix_s)
{
    struct tm parts = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts);

    if (end == NULL || *end != '\0' || parts.tm_year < 70)
        return false;
    *unix_s = (int64_t)timegm(&parts);
    return true;
}
