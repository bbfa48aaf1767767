/* The kubelet's exec protocol: one request on stdin, one response on stdout. */
#ifndef CMD_KUBELET_H
#define CMD_KUBELET_H

#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "config/run.h"

struct answer;

/* Prints an answer as a CredentialProviderResponse. */
CHECKED bool kubelet_print(const char *api_version, const struct answer *answer, struct error *err);

/* Reads, provides, prints. On failure nothing was written to stdout, unless stdout itself failed.
 */
CHECKED bool kubelet_run(const struct run *run, int64_t deadline_ms, struct error *err);

#endif
