/* The grammar of RFC 8259 to the letter, checked before json-c sees a document: json-c's strict
 * mode lets duplicate keys, single quotes, NaN, control bytes in strings and \u0000 pass. */
#ifndef PROTO_JSON_DOC_SCAN_H
#define PROTO_JSON_DOC_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"

enum { DOC_SCAN_DEPTH_MAX = 32 };

struct doc_scan_result {
    const char *complaint; /* static text; NULL when the document is well-formed */
    size_t offset;         /* of the complaint, in bytes from the start */
    size_t longest_string; /* in bytes as written; of a well-formed document */
};

/* Checks one document. True when it is well-formed, has no key twice in one object (compared after
 * decoding) and an object at its root. */
CHECKED bool doc_scan(struct doc_scan_result *out, const void *bytes, size_t length);

/* The length of the UTF-8 sequence that starts at `at`, 1 to 4; 0 if there is none: overlong forms,
 * surrogates and what lies above U+10FFFF are none (RFC 3629, section 4). */
size_t doc_scan_utf8(const unsigned char *at, const unsigned char *end);

#endif
