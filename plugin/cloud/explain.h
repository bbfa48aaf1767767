/* What to do about the errors of this room. Pure: each function takes what is known about a failure
 * and fills, or only advises about, an error. Those that return bool return false. */
#ifndef CLOUD_EXPLAIN_H
#define CLOUD_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"

struct api_error;
struct metadata;

/* -- endpoints -- */

bool explain_unknown_region(bool is_sts, struct error *err);

/* -- calls -- */

/* The answer cannot be decoded. */
bool explain_not_the_api(struct error *err);

/* A permission is missing: "PRODUCT:ACTION" for `principal`, unless the refusal names others. */
bool explain_forbidden(const char *product, const char *action, const char *principal,
                       const struct api_error *refusal, struct error *err);

/* ListInstance has no instance of this name. */
bool explain_no_instance(const char *name, struct error *err);

/* -- STS -- */

/* Credentials of a role that had expired when they were issued. */
bool explain_issued_expired(const char *role_arn, struct error *err);

/* AssumeRole was refused. STS gives the same code for a missing permission and for a trust policy
 * that does not admit the caller. */
bool explain_assume_role(const char *principal, bool has_external_id, struct error *err);

/* The audience of service account tokens that STS accepts. */
#define EXPLAIN_AUDIENCE "sts.aliyuncs.com"

/* What AssumeRoleWithOIDC was called with. */
struct explain_oidc {
    const char *provider_arn;
    const struct secret *token;
    bool from_kubelet; /* else from a file */
    int64_t now_s;     /* Unix seconds */
};

/* AssumeRoleWithOIDC was refused: err has the service's code and message. Names the condition of
 * the trust policy that most likely failed, by the code first, then by the token's own claims. */
bool explain_oidc(const struct explain_oidc *shown, struct error *err);

/* -- ECS metadata service -- */

/* No answer. */
bool explain_metadata_failure(const struct metadata *metadata, struct error *err);

/* An answer with another status than 200. */
bool explain_metadata_status(const struct metadata *metadata, long status, struct error *err);

/* There is no token service, but normal mode is disabled. */
bool explain_metadata_token_only(struct error *err);

/* The answer is not a session token. */
bool explain_metadata_no_token(const struct metadata *metadata, struct error *err);

#endif
