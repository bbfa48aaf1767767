/* The documents that hand out credentials: of the ECS metadata service, of STS, of a credentials
 * URI and of an external process. Every part must be visible ASCII, since it goes into header
 * lines. All fail with ERROR_UNAVAILABLE, naming the field and never quoting a secret; `out` is
 * replaced, on success only. Whether the expiration has passed is the caller's question. */
#ifndef PROTO_JSON_CREDENTIALS_REPLY_H
#define PROTO_JSON_CREDENTIALS_REPLY_H

#include <stddef.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"

enum { CREDENTIALS_REPLY_MAX_BYTES = 64 * 1024 };

/* /latest/meta-data/ram/security-credentials/ROLE (ECS user guide, "Instance metadata"): Code must
 * be "Success"; AccessKeyId, AccessKeySecret, SecurityToken and Expiration ("YYYY-MM-DDThh:mm:ssZ",
 * UTC) are needed. */
CHECKED bool credentials_reply_decode_metadata(struct credentials *out, const void *bytes,
                                               size_t length, struct error *err);

/* The same without a Code, as official SDKs read the answer of a credentials URI; a Code that is
 * there must be "Success". */
CHECKED bool credentials_reply_decode_uri(struct credentials *out, const void *bytes, size_t length,
                                          struct error *err);

/* AssumeRole and AssumeRoleWithOIDC of STS 2015-04-01: the four in an object "Credentials". */
CHECKED bool credentials_reply_decode_sts(struct credentials *out, const void *bytes, size_t length,
                                          struct error *err);

/* What an External profile's command prints: access_key_id, access_key_secret and, if they are STS
 * credentials, sts_token, with or without expiration. The mode, if there is one, must be "AK" or
 * "StsToken"; only the latter makes a token needed, as official SDKs read it. */
CHECKED bool credentials_reply_decode_process(struct credentials *out, const void *bytes,
                                              size_t length, struct error *err);

#endif
