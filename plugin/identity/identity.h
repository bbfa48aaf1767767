/* Who asks for the token: the pod, or whom the configuration names for this registry, or the first
 * of the official chain that is there. */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "cloud/openapi.h"
#include "config/run.h"
#include "identity/ecs.h"
#include "identity/recipe.h"

struct kubelet_request;
struct settings_identity;

/* `{0}` is empty. The signer comes first: its `fetch` finds the identity by that. */
struct identity {
    struct openapi_signer signer;
    const struct run *run;
    struct recipe recipe;
    struct buf reasons; /* why the sources before the metadata service do not count */
    bool is_of_pod;
    bool is_stand_in;      /* of a metadata service that turned out to be absent, once fetched */
    struct ecs_place node; /* as far as somebody asked */
};

void identity_clear(struct identity *identity);

/* Chooses, without the network. A source that is there but broken is an error: another one in its
 * place would be another identity than the operator meant. */
CHECKED bool identity_choose(struct identity *out, const struct run *run,
                             const struct settings_identity *settings,
                             const struct kubelet_request *request, struct error *err);

/* Appends what makes this identity this one and no other; for a digest only. */
void identity_describe(struct buf *out, const struct identity *identity);

/* Whether the role of an ECS instance stands at the beginning. */
bool identity_is_ecs(const struct identity *identity);

/* Makes the credentials current. */
CHECKED bool identity_fetch(struct identity *identity, struct error *err);

#endif
