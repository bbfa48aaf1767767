/* The official chain of credential sources: environment, OIDC (RRSA), CLI profile, credentials
 * file, ECS metadata, credentials URI. Source: the default providers of the Alibaba Cloud SDKs. */
#ifndef IDENTITY_CHAIN_H
#define IDENTITY_CHAIN_H

#include "base/auto.h"
#include "base/error.h"
#include "identity/identity.h"

struct system;

/* Finds what the configuration asks for: one source, or the first of the chain that is configured.
 * Whether there is a metadata service shows only when it is asked: as a link of the chain it counts
 * as configured, and the credentials URI, if configured, is the second plan. `out->reasons` lists
 * why the sources before the first plan are not configured. */
CHECKED bool chain_find(struct identity_plans *out, const struct system *system,
                        const struct settings_identity *settings, struct error *err);

#endif
