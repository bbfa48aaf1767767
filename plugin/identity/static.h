/* Credentials that are given as they are: an AccessKey in the environment, or in a profile. */
#ifndef IDENTITY_STATIC_H
#define IDENTITY_STATIC_H

#include "base/auto.h"
#include "base/error.h"
#include "identity/plan.h"

struct system;

/* ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, with
 * ALIBABA_CLOUD_SECURITY_TOKEN for STS credentials; where neither of the first two is set, the
 * older names that ack-ram-tool knows, of which the first that is set counts. Fails with
 * plan_absent() if none is. */
CHECKED bool static_plan(struct plan *out, const struct system *system, struct error *err);

void static_fetch(struct credentials *out, const struct plan *plan);

#endif
