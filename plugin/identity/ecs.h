/* What the metadata service knows: credentials of the RAM role of this ECS instance, and the place
 * of this node. */
#ifndef IDENTITY_ECS_H
#define IDENTITY_ECS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"
#include "config/run.h"
#include "identity/identity.h"

struct store;
struct system;

/* Reads from the environment how the service is used: ALIBABA_CLOUD_ECS_METADATA_DISABLED,
 * ALIBABA_CLOUD_IMDSV1_DISABLED and ALIBABA_CLOUD_IMDSV2_DISABLED. */
void ecs_read_environment(struct plan_ecs *out, const struct system *system);

/* Makes it the source of a plan, with ALIBABA_CLOUD_ECS_METADATA as the role's name if the plan has
 * none. Whether the service is disabled is up to the caller. */
CHECKED bool ecs_plan(struct plan *out, const struct system *system, struct error *err);

/* Fetches role name (unless given) and credentials, and, beside them, the region of this node.
 * err->retry is ERROR_RETRY_NEXT_SOURCE if nothing answers at the address or the instance has no
 * role, and the plan lets the service be absent. `cache` may be NULL. */
CHECKED bool ecs_fetch(struct identity *out, const struct run *run, const struct plan *plan,
                       const struct store *cache, struct error *err);

/* Fetches region and owner account of this node. Fails if the service does not answer, after
 * several tries only if the place is `needed`; a single item that is missing stays "". */
CHECKED bool ecs_locate(struct node_place *out, const struct run *run, const struct plan_ecs *ecs,
                        bool needed, struct error *err);

#endif
