/* Small, pure functions on text: copies that cannot overrun, encodings, numbers, times. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"

/* Copies, cut to `size` bytes with the NUL. False if something had to be cut off. */
bool text_copy(char *out, size_t size, const char *text);

/* Writes a, separator and b one after the other, cut like text_copy(). */
void text_join(char *out, size_t size, const char *a, const char *separator, const char *b);

/* Replaces what could disturb a log or a terminal by '?': control bytes, DEL, bytes above 126. */
void text_make_printable(char *text);

/* Cuts blanks and line ends off both ends; returns where the rest begins. */
char *text_trim(char *text);

/* Lower-cases ASCII letters in place. */
void text_lower(char *text);

/* Whether all bytes are printable ASCII, and so safe in a header; blanks are, line breaks are not.
 */
bool text_is_printable(const char *text);

/* The same without blanks. */
bool text_is_visible(const char *text);

bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* Whether it has the form of a region id: a DNS label in lower case that begins with two letters
 * and a hyphen ("cn-", "ap-"). Other labels before .aliyuncs.com belong to services in which
 * customers choose names: cr-vpc.oss-cn-hangzhou.aliyuncs.com can be anybody's OSS bucket, so no
 * token or signed request may be sent to such a host. */
bool text_is_region(const char *text);

/* Appends text in percent-encoding by RFC 3986, section 2.3: all but A-Z a-z 0-9 - _ . ~ become
 * %XX, upper case. It is also the encoding of signature V3. */
void text_percent_encode(struct buf *out, const char *text);

/* Writes 2 * length lower-case hex digits and a NUL. */
void text_hex(char *out, const unsigned char *bytes, size_t length);

/* Appends base64 (RFC 4648, section 4) with padding. */
void text_base64_encode(struct buf *out, const void *bytes, size_t length);

/* Appends the bytes that `length` characters of base64url without padding stand for (RFC 4648,
 * section 5). False on any other character or an impossible length. */
CHECKED bool text_base64url_decode(struct buf *out, const char *text, size_t length);

/* Removes every occurrence of a secret, and the beginning of one with which a text that was cut may
 * end. Secrets shorter than four bytes are left, since they occur in ordinary words. */
void text_redact(char *text, const char *secret);

/* Parses a whole decimal number, only digits, within [min, max]. False on anything else. */
CHECKED bool text_parse_number(const char *text, int64_t min, int64_t max, int64_t *out);

/* "YYYY-MM-DDThh:mm:ssZ", as Alibaba Cloud writes UTC times; Unix seconds. Parsed are the times
 * since 1970 in exactly this form. */
enum { TEXT_UTC_SIZE = 24 };
void text_format_utc(char out[TEXT_UTC_SIZE], int64_t unix_s);
CHECKED bool text_parse_utc(const char *text, int64_t *unix_s);

/* The HTTP date "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7), read as leniently as
 * strptime() does; Unix seconds. */
CHECKED bool text_parse_http_date(const char *text, int64_t *unix_s);

#endif
