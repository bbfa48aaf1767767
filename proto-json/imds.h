/* The credential document of the ECS instance metadata service, /latest/meta-data/ram/
 * security-credentials/ROLE (ECS user guide, "Instance metadata"). */
#ifndef PROTO_JSON_IMDS_H
#define PROTO_JSON_IMDS_H

#include <stddef.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"

enum { IMDS_CREDENTIALS_MAX_BYTES = 64 * 1024 };

/* Fails with ERROR_UNAVAILABLE unless Code is "Success", AccessKeyId, AccessKeySecret and
 * SecurityToken are visible ASCII and not empty, and Expiration is a UTC time
 * "YYYY-MM-DDThh:mm:ssZ". Whether it has passed is the caller's question. `out` is replaced, on
 * success only. */
CHECKED bool imds_credentials_decode(struct credentials *out, const void *bytes, size_t length,
                                     struct error *err);

#endif
