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

enum credentials_reply {
    /* /latest/meta-data/ram/security-credentials/ROLE (ECS user guide, "Instance metadata"): Code
     * must be "Success"; AccessKeyId, AccessKeySecret, SecurityToken and Expiration
     * ("YYYY-MM-DDThh:mm:ssZ", UTC) are required. */
    CREDENTIALS_REPLY_METADATA,
    /* The same, but the Code is optional, as official SDKs read it. */
    CREDENTIALS_REPLY_URI,
    /* AssumeRole and AssumeRoleWithOIDC of 2015-04-01: the four in an object "Credentials". */
    CREDENTIALS_REPLY_STS,
    /* The output of an External profile's command: access_key_id, access_key_secret, for STS
     * credentials sts_token, and optionally expiration. The mode, if any, must be "AK" or
     * "StsToken"; the latter requires a token, as in official SDKs. */
    CREDENTIALS_REPLY_PROCESS,
};

CHECKED bool credentials_reply_decode(struct credentials *out, enum credentials_reply from,
                                      const void *bytes, size_t length, struct error *err);

#endif
