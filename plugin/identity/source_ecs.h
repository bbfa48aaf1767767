/* Credentials of the RAM role of this ECS instance, from the metadata service. */
#ifndef IDENTITY_SOURCE_ECS_H
#define IDENTITY_SOURCE_ECS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"

struct identity;

/* Whether ALIBABA_CLOUD_ECS_METADATA_DISABLED is "true". */
bool source_ecs_is_disabled(void);

/* Fetches role name (unless configured, or named by ALIBABA_CLOUD_ECS_METADATA) and credentials,
 * and, beside them, the region of this node. */
CHECKED bool source_ecs_fetch(struct identity *identity, struct error *err);

#endif
