/* SHA-256 and HMAC-SHA-256, in lower-case hex as signatures want them. The one user of libcrypto's
 * digests. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"

enum { DIGEST_HEX_SIZE = 65 };

CHECKED bool digest_sha256(char hex[DIGEST_HEX_SIZE], const void *bytes, size_t length,
                           struct error *err);

CHECKED bool digest_hmac_sha256(char hex[DIGEST_HEX_SIZE], const void *key, size_t key_length,
                                const void *bytes, size_t length, struct error *err);

/* libcrypto's own version line, for `version`. */
const char *digest_library_version(void);

#endif
