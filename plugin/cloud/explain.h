/* What to do about the errors of this module. Pure: each function takes what is known about a
 * failure and advises in err; all return false. */
#ifndef CLOUD_EXPLAIN_H
#define CLOUD_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct api_error;
struct metadata;
struct role;
struct sts_oidc;

/* -- advice that depends on nothing -- */

#define ADVICE_STS_REGION "Set endpoints.sts or ALIBABA_CLOUD_STS_REGION"
#define ADVICE_CR_REGION  "Set region or apiEndpoint under \"registries\" in the configuration file"
#define ADVICE_NOT_THE_API                                                                         \
    "If what answered is not the Alibaba Cloud API, check endpoints and proxy variables"
#define ADVICE_NO_INSTANCE                                                                         \
    "Check the host, or map it under \"registries\" with its instanceId and an identity of the "   \
    "account that owns it"
#define ADVICE_ISSUED_EXPIRED "Retry; if the error persists, ask Alibaba Cloud support"
#define ADVICE_TOKEN_ONLY                                                                          \
    "Normal mode is disabled by ALIBABA_CLOUD_IMDSV1_DISABLED: unset it, or enable the hardened "  \
    "mode of this instance"

/* The audience of service account tokens that STS accepts. */
#define EXPLAIN_AUDIENCE "sts.aliyuncs.com"

/* A permission is missing: "PRODUCT:ACTION" for `principal`, unless the refusal names
 * another action or a user. */
bool explain_forbidden(const char *product, const char *action, const char *principal,
                       const struct api_error *refusal, struct error *err);

/* AssumeRole was refused. STS gives the same code for a missing permission and for a trust policy
 * that does not name the caller. */
bool explain_assume_role(const char *principal, const struct role *role, struct error *err);

/* AssumeRoleWithOIDC was refused: err has the service's code and message. Names the condition of
 * the trust policy that most likely failed, by the code first, then by the token's own claims.
 * `now_s` is in Unix seconds. */
bool explain_oidc(const struct sts_oidc *oidc, int64_t now_s, struct error *err);

/* The metadata service gave no answer (`status` 0), or one that cannot be used. */
bool explain_metadata(const struct metadata *metadata, long status, struct error *err);

#endif
