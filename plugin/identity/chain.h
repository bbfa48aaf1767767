/* The official chain of credential sources: environment, OIDC (RRSA), CLI profile, credentials
 * file, ECS metadata, credentials URI. Source: the default providers of the Alibaba Cloud SDKs. */
#ifndef IDENTITY_CHAIN_H
#define IDENTITY_CHAIN_H

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "identity/recipe.h"

struct settings_identity;

/* Finds the recipe that the configuration asks for: one source, or the first of the chain that is
 * there. Only the network can tell whether there is a metadata service, so that its recipe is taken
 * on trust, and `reasons` says why no source before it counts ("" if only one was asked for). */
CHECKED bool chain_find(struct recipe *out, struct buf *reasons,
                        const struct settings_identity *settings, struct error *err);

/* Goes on in the chain after the metadata service at this URL turned out to be absent or to have no
 * role, which `err` tells: finds the last source, or turns err into the list of all reasons. */
CHECKED bool chain_go_on(struct recipe *out, struct buf *reasons, const char *metadata_url,
                         struct error *err);

#endif
