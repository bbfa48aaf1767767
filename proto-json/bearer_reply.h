/* The answer of a registry's token service (distribution's "Token Authentication Specification").
 */
#ifndef PROTO_JSON_BEARER_REPLY_H
#define PROTO_JSON_BEARER_REPLY_H

#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/secret.h"

enum { BEARER_REPLY_MAX_BYTES = 256 * 1024 };

/* Takes the bearer token, "token" or "access_token". Fails with ERROR_UNAVAILABLE. */
CHECKED bool bearer_reply_decode(struct secret *token, const void *bytes, size_t length,
                                 struct error *err);

#endif
