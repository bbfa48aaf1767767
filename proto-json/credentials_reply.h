/* The documents with credentials: of the ECS metadata service, of STS, of a credentials URI and of
 * an external process. Every part must be visible ASCII, since it goes into a header. All fail with
 * ERROR_UNAVAILABLE, naming the field and never quoting a secret; `out` is replaced, on success
 * only. The caller checks whether they have expired. */
#ifndef PROTO_JSON_CREDENTIALS_REPLY_H
#define PROTO_JSON_CREDENTIALS_REPLY_H

#include <stddef.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"

enum { CREDENTIALS_REPLY_MAX_BYTES = 64 * 1024 };

/* /latest/meta-data/ram/security-credentials/ROLE (ECS user guide, "Instance metadata"): Code must
 * be "Success"; AccessKeyId, AccessKeySecret, SecurityToken and Expiration ("YYYY-MM-DDThh:mm:ssZ",
 * UTC) are required. */
CHECKED bool credentials_reply_decode_metadata(struct credentials *out, const void *bytes,
                                               size_t length, struct error *err);

/* The same, but the Code is optional, as official SDKs read the response of a credentials URI. */
CHECKED bool credentials_reply_decode_uri(struct credentials *out, const void *bytes, size_t length,
                                          struct error *err);

/* AssumeRole and AssumeRoleWithOIDC of STS 2015-04-01: the four in an object "Credentials". */
CHECKED bool credentials_reply_decode_sts(struct credentials *out, const void *bytes, size_t length,
                                          struct error *err);

/* The output of an External profile's command: access_key_id, access_key_secret, for STS
 * credentials sts_token, and optionally expiration. The mode, if any, must be "AK" or "StsToken";
 * the latter requires a token, as in official SDKs. */
CHECKED bool credentials_reply_decode_process(struct credentials *out, const void *bytes,
                                              size_t length, struct error *err);

#endif
