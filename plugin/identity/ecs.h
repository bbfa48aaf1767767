/* What the metadata service knows: credentials of the RAM role of this ECS instance, and the place
 * of this node. */
#ifndef IDENTITY_ECS_H
#define IDENTITY_ECS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"
#include "config/run.h"
#include "identity/recipe.h"

enum { ECS_REGION_SIZE = 65, ECS_ACCOUNT_SIZE = 24 };

/* Where this node is; "" where it is not known. */
struct ecs_place {
    char region[ECS_REGION_SIZE];
    char account_id[ECS_ACCOUNT_SIZE];
};

/* Whether ALIBABA_CLOUD_ECS_METADATA_DISABLED forbids to ask. */
bool ecs_is_disabled(void);

/* Fetches role name (unless given, or named by ALIBABA_CLOUD_ECS_METADATA) and credentials, and,
 * beside them, the region of this node. Absent: nothing answers at the address, or the instance has
 * no role. Every outcome but FOUND fills err. */
CHECKED enum recipe_outcome ecs_fetch(struct credentials *out, struct ecs_place *place,
                                      char words[RECIPE_WORDS_SIZE], const struct run *run,
                                      const char *role, struct error *err);

/* Fetches region and owner account of this node. Fails if the service does not answer, after
 * several tries only if the place is `needed`; a single item that is missing stays "". */
CHECKED bool ecs_locate(struct ecs_place *out, const struct run *run, bool needed,
                        struct error *err);

#endif
