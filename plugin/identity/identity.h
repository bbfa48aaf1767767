/* Who asks for the token: the environment's AccessKey or the RAM role of this ECS instance. */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include "base/auto.h"
#include "base/error.h"
#include "base/run.h"
#include "cloud/openapi.h"

enum { IDENTITY_REGION_SIZE = 65 };

/* `{0}` is empty. The signer comes first: its `fetch` finds the identity by that. */
struct identity {
    struct openapi_signer signer;
    const struct run *run;
    char node_region[IDENTITY_REGION_SIZE]; /* of this ECS instance, "" if not known */
};

void identity_clear(struct identity *identity);

/* Chooses a source, without the network. A source that is there but broken is an error: another
 * one in its place would be another identity than the operator meant. */
CHECKED bool identity_choose(struct identity *out, const struct run *run, struct error *err);

/* Makes the credentials current. */
CHECKED bool identity_fetch(struct identity *identity, struct error *err);

#endif
