#include "proto-json/doc_scan.h"

#include <string.h>

#include "base/buf.h"
#include "proto-json/doc_scan_keys.h"

struct scan {
    const unsigned char *start;
    const unsigned char *at;
    const unsigned char *end;
    const char *complaint;
    struct doc_scan_keys keys;
    size_t longest_string;
    size_t object_count;
    size_t depth;
    size_t object_at[DOC_SCAN_DEPTH_MAX]; /* the number of the open object, 0 for an array */
};

static void scan_clear(struct scan *scan)
{
    doc_scan_keys_clear(&scan->keys);
}

/* Always false, so that it can be returned. The place is where the scan stands. */
static bool complain(struct scan *scan, const char *complaint)
{
    scan->complaint = complaint;
    return false;
}

/* The next byte, or -1 at the end. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->end ? *scan->at : -1;
}

static bool accept(struct scan *scan, int byte)
{
    if (peek(scan) != byte)
        return false;
    scan->at++;
    return true;
}

static void skip_space(struct scan *scan)
{
    while (peek(scan) == ' ' || peek(scan) == '\t' || peek(scan) == '\n' || peek(scan) == '\r')
        scan->at++;
}

static bool is_continuation(const unsigned char *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return false;
    }
    return true;
}

size_t doc_scan_utf8(const unsigned char *at, const unsigned char *end)
{
    size_t left = (size_t)(end - at);

    if (left >= 1 && at[0] < 0x80)
        return 1;
    if (left >= 2 && at[0] >= 0xC2 && at[0] <= 0xDF && is_continuation(at + 1, 1))
        return 2;
    if (left >= 3 && at[0] >= 0xE0 && at[0] <= 0xEF && is_continuation(at + 1, 2)) {
        bool overlong = at[0] == 0xE0 && at[1] < 0xA0;
        bool surrogate = at[0] == 0xED && at[1] > 0x9F;

        return overlong || surrogate ? 0 : 3;
    }
    if (left >= 4 && at[0] >= 0xF0 && at[0] <= 0xF4 && is_continuation(at + 1, 3)) {
        bool overlong = at[0] == 0xF0 && at[1] < 0x90;
        bool too_high = at[0] == 0xF4 && at[1] > 0x8F;

        return overlong || too_high ? 0 : 4;
    }
    return 0;
}

/* Reads the four digits of \uXXXX. */
static bool scan_hex(struct scan *scan, unsigned *unit)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        int digit = peek(scan);

        if (digit >= '0' && digit <= '9')
            value = value * 16 + (unsigned)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            value = value * 16 + (unsigned)(digit - 'a' + 10);
        else if (digit >= 'A' && digit <= 'F')
            value = value * 16 + (unsigned)(digit - 'A' + 10);
        else
            return complain(scan, "\\u must be followed by four hexadecimal digits");
        scan->at++;
    }
    *unit = value;
    return true;
}

static void append_code_point(struct buf *out, unsigned code)
{
    unsigned char bytes[4];
    size_t length = 0;

    if (code < 0x80) {
        bytes[length++] = (unsigned char)code;
    } else if (code < 0x800) {
        bytes[length++] = (unsigned char)(0xC0 | code >> 6);
        bytes[length++] = (unsigned char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        bytes[length++] = (unsigned char)(0xE0 | code >> 12);
        bytes[length++] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
        bytes[length++] = (unsigned char)(0x80 | (code & 0x3F));
    } else {
        bytes[length++] = (unsigned char)(0xF0 | code >> 18);
        bytes[length++] = (unsigned char)(0x80 | (code >> 12 & 0x3F));
        bytes[length++] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
        bytes[length++] = (unsigned char)(0x80 | (code & 0x3F));
    }
    buf_append(out, bytes, length);
}

/* What follows "\u". */
static bool scan_unicode_escape(struct scan *scan, unsigned *code)
{
    unsigned low = 0;

    if (!scan_hex(scan, code))
        return false;
    if (*code == 0)
        return complain(scan, "\\u0000 is not allowed");
    if (*code < 0xD800 || *code > 0xDFFF)
        return true;
    if (*code > 0xDBFF || !accept(scan, '\\') || !accept(scan, 'u'))
        return complain(scan, "half of a surrogate pair");
    if (!scan_hex(scan, &low))
        return false;
    if (low < 0xDC00 || low > 0xDFFF)
        return complain(scan, "half of a surrogate pair");
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* What follows a backslash. `decoded` may be NULL. */
static bool scan_escape(struct scan *scan, struct buf *decoded)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    unsigned code = 0;

    if (accept(scan, 'u')) {
        if (!scan_unicode_escape(scan, &code))
            return false;
    } else {
        letter = peek(scan) <= 0 ? NULL : strchr(letters, peek(scan));
        if (letter == NULL)
            return complain(scan, "no such escape");
        code = (unsigned char)meanings[letter - letters];
        scan->at++;
    }
    if (decoded != NULL)
        append_code_point(decoded, code);
    return true;
}

/* A whole string with its quotes; its content is appended to `decoded`, which may be NULL. */
static bool scan_string(struct scan *scan, struct buf *decoded)
{
    const unsigned char *first;

    if (!accept(scan, '"'))
        return complain(scan, "a string in double quotes is expected");
    first = scan->at;
    while (!accept(scan, '"')) {
        size_t length = doc_scan_utf8(scan->at, scan->end);

        if (scan->at == scan->end)
            return complain(scan, "the string does not end");
        if (length == 0)
            return complain(scan, "not UTF-8");
        if (*scan->at < ' ')
            return complain(scan, "a control byte in a string");
        if (accept(scan, '\\')) {
            if (!scan_escape(scan, decoded))
                return false;
            continue;
        }
        if (decoded != NULL)
            buf_append(decoded, scan->at, length);
        scan->at += length;
    }
    if ((size_t)(scan->at - first) > scan->longest_string)
        scan->longest_string = (size_t)(scan->at - first);
    return true;
}

/* A key with its colon, in the innermost open object. */
static bool scan_key(struct scan *scan)
{
    size_t text_at = scan->keys.decoded.length;
    size_t offset = (size_t)(scan->at - scan->start);

    if (!scan_string(scan, &scan->keys.decoded))
        return false;
    doc_scan_keys_add(&scan->keys, text_at, scan->object_at[scan->depth - 1], offset);
    skip_space(scan);
    if (!accept(scan, ':'))
        return complain(scan, "a colon is expected");
    return true;
}

static bool scan_digits(struct scan *scan)
{
    const unsigned char *first = scan->at;

    while (peek(scan) >= '0' && peek(scan) <= '9')
        scan->at++;
    return scan->at > first || complain(scan, "a digit is expected");
}

static bool scan_number(struct scan *scan)
{
    (void)accept(scan, '-');
    if (accept(scan, '0')) {
        if (peek(scan) >= '0' && peek(scan) <= '9')
            return complain(scan, "a number must not begin with 0");
    } else if (!scan_digits(scan)) {
        return false;
    }
    if (accept(scan, '.') && !scan_digits(scan))
        return false;
    if (accept(scan, 'e') || accept(scan, 'E')) {
        if (!accept(scan, '-'))
            (void)accept(scan, '+');
        return scan_digits(scan);
    }
    return true;
}

static bool scan_scalar(struct scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};

    if (peek(scan) == '"')
        return scan_string(scan, NULL);
    if (peek(scan) == '-' || (peek(scan) >= '0' && peek(scan) <= '9'))
        return scan_number(scan);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);

        if ((size_t)(scan->end - scan->at) >= length && memcmp(scan->at, words[i], length) == 0) {
            scan->at += length;
            return true;
        }
    }
    return complain(scan, "a value is expected");
}

/* True when the innermost open object or array closes here. */
static bool accept_close(struct scan *scan)
{
    skip_space(scan);
    if (!accept(scan, scan->object_at[scan->depth - 1] != 0 ? '}' : ']'))
        return false;
    scan->depth--;
    return true;
}

/* At the place of a value: takes it, or the opening of a container. `whole` says which. */
static bool scan_value(struct scan *scan, bool *whole)
{
    bool is_object = peek(scan) == '{';

    *whole = true;
    if (!is_object && peek(scan) != '[')
        return scan_scalar(scan);
    if (scan->depth == DOC_SCAN_DEPTH_MAX)
        return complain(scan, "nested too deep");
    scan->at++;
    scan->object_at[scan->depth++] = is_object ? ++scan->object_count : 0;
    if (accept_close(scan))
        return true;
    *whole = false;
    return !is_object || scan_key(scan);
}

/* Behind a value: takes what closes and, if another value follows, what leads to it. */
static bool scan_behind_value(struct scan *scan)
{
    while (scan->depth > 0 && accept_close(scan))
        continue;
    if (scan->depth == 0)
        return true;
    if (!accept(scan, ','))
        return complain(scan, "a comma or the closing bracket is expected");
    skip_space(scan);
    return scan->object_at[scan->depth - 1] == 0 || scan_key(scan);
}

static bool scan_document(struct scan *scan)
{
    bool whole = false;

    skip_space(scan);
    if (peek(scan) != '{')
        return complain(scan, "an object is expected");
    do {
        skip_space(scan);
        if (!scan_value(scan, &whole) || (whole && !scan_behind_value(scan)))
            return false;
    } while (scan->depth > 0);
    skip_space(scan);
    return scan->at == scan->end || complain(scan, "nothing may follow the document");
}

bool doc_scan(struct doc_scan_result *out, const void *bytes, size_t length)
{
    struct scan scan AUTO(scan_clear) = {.start = bytes, .at = bytes};
    bool fine;

    *out = (struct doc_scan_result){0};
    scan.end = scan.start + length;
    fine = scan_document(&scan);
    out->offset = (size_t)(scan.at - scan.start);
    if (fine && doc_scan_keys_find_twice(&scan.keys, &out->offset))
        fine = complain(&scan, "this key is given twice");
    out->complaint = scan.complaint;
    out->longest_string = scan.longest_string;
    return fine;
}
