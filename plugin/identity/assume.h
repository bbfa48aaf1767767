/* Roles that are assumed by STS, and at which of its endpoints. */
#ifndef IDENTITY_ASSUME_H
#define IDENTITY_ASSUME_H

#include "base/auto.h"
#include "base/error.h"
#include "cloud/endpoints.h"
#include "config/run.h"
#include "identity/identity.h"

struct system;

/* Completes a plan by ALIBABA_CLOUD_STS_REGION, where it names no region, and by
 * ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED. */
CHECKED bool assume_read_environment(struct plan *plan, const struct system *system,
                                     struct error *err);

/* `node_region` is "" if unknown. */
CHECKED bool assume_choose_endpoints(struct endpoints *out, const struct run *run,
                                     const struct plan *plan, const char *node_region,
                                     struct error *err);

/* Assumes the roles of a plan, each as the one before it, the first as `identity`, which becomes
 * the last. */
CHECKED bool assume_roles(struct identity *identity, const struct run *run, const struct plan *plan,
                          struct error *err);

#endif
