/* The third part of doctor: the way of a request for one image, step by step, without the cache. */
#ifndef DOCTOR_SERVICE_H
#define DOCTOR_SERVICE_H

#include "config/run.h"

struct kubelet_request;
struct report;

/* Registry, identity, network, API and log-in for request->image, each until the first failure that
 * leaves nothing more to check. */
void service_check(struct report *report, const struct run *run,
                   const struct kubelet_request *request);

/* The identity alone, where there is no image. */
void service_check_identity(struct report *report, const struct run *run,
                            const struct kubelet_request *request);

#endif
