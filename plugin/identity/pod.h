/* The RAM role of a pod (KEP-4412): with the token of its service account the pod's own role is
 * assumed, in the place of the node's. */
#ifndef IDENTITY_POD_H
#define IDENTITY_POD_H

#include "base/auto.h"
#include "base/error.h"
#include "identity/recipe.h"

struct kubelet_request;
struct settings_pod;

/* Absent: the service account names no role, and the configuration lets such pods be served with
 * the node's identity. A role that is named and cannot be assumed is never passed over. */
CHECKED enum recipe_outcome pod_recipe(struct recipe *out, const struct settings_pod *settings,
                                       const struct kubelet_request *request, struct error *err);

#endif
