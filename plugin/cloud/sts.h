/* The Security Token Service, API 2015-04-01: from one identity to a role's. */
#ifndef CLOUD_STS_H
#define CLOUD_STS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"
#include "base/secret.h"

struct api;

/* AssumeRole. The credentials of `api` must be allowed sts:AssumeRole on the role, whose trust
 * policy must name them. Fails as openapi_call() does. `out` is replaced, on success only. */
CHECKED bool sts_assume_role(struct credentials *out, const struct api *api,
                             const struct role *role, struct error *err);

/* A token of an OIDC provider, and where it is from. */
struct sts_oidc {
    const char *provider_arn;
    const struct secret *token;
    bool from_kubelet; /* else from a file */
};

/* AssumeRoleWithOIDC, which is not signed: the token is the proof, `api` has no credentials. A
 * refusal names the condition of the trust policy that most likely failed. */
CHECKED bool sts_assume_role_with_oidc(struct credentials *out, const struct api *api,
                                       const struct role *role, const struct sts_oidc *oidc,
                                       struct error *err);

#endif
