/* The RAM role of a pod (KEP-4412): with the token of its service account the pod's own role is
 * assumed, in the place of the node's. */
#ifndef IDENTITY_POD_H
#define IDENTITY_POD_H

#include "base/auto.h"
#include "base/error.h"
#include "identity/plan.h"

struct kubelet_request;
struct settings_pod;
struct system;

/* Fails with plan_absent() if the service account names no role and the configuration lets such
 * pods be served with the node's identity. A role that is named and cannot be assumed is an error.
 */
CHECKED bool pod_plan(struct plan *out, const struct system *system,
                      const struct settings_pod *settings, const struct kubelet_request *request,
                      struct error *err);

#endif
