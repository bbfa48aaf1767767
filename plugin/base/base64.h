/* Base64 (RFC 4648): encodes with the standard alphabet, decodes the URL alphabet. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"

/* Appends the encoding of `length` bytes, with padding. */
void base64_encode(struct buf *out, const void *bytes, size_t length);

/* Appends the decoded bytes of `length` characters (RFC 4648, section 5, without padding). False on
 * any other character or an impossible length. */
CHECKED bool base64_decode_url(struct buf *out, const char *text, size_t length);

#endif
