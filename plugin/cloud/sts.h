/* The Security Token Service, API 2015-04-01: from one identity to a role's. */
#ifndef CLOUD_STS_H
#define CLOUD_STS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"
#include "base/role.h"
#include "base/secret.h"

struct http;
struct openapi_endpoints;
struct openapi_signer;

enum sts_endpoint_order { STS_PUBLIC_ONLY, STS_VPC_FIRST, STS_VPC_ONLY };

/* sts-vpc.REGION, sts.REGION and the global sts.aliyuncs.com, which works from anywhere and stands
 * in where a region has no host of its own. `region` is a checked label, or "" if none is known:
 * then the global one alone. */
void sts_endpoints(struct openapi_endpoints *out, const char *region,
                   enum sts_endpoint_order order);

/* AssumeRole. `signer` must be allowed sts:AssumeRole on the role, whose trust policy must name it.
 * Fails as openapi_call() does. `out` is replaced, on success only. */
CHECKED bool sts_assume_role(struct credentials *out, const struct http *http,
                             struct openapi_endpoints *endpoints, const struct role *role,
                             struct openapi_signer *signer, struct error *err);

/* AssumeRoleWithOIDC, which is not signed: the token is the proof. A refusal names the condition of
 * the trust policy that most likely failed, by the token's own claims. */
CHECKED bool sts_assume_role_with_oidc(struct credentials *out, const struct http *http,
                                       struct openapi_endpoints *endpoints, const struct role *role,
                                       const char *provider_arn, const struct secret *token,
                                       bool is_of_kubelet, struct error *err);

#endif
