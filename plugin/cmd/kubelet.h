/* The kubelet's exec protocol: one request on stdin, one response on stdout. */
#ifndef CMD_KUBELET_H
#define CMD_KUBELET_H

#include "base/auto.h"
#include "base/error.h"
#include "config/run.h"

struct answer;
struct options;

/* Prints an answer as a CredentialProviderResponse. */
CHECKED bool kubelet_print(const char *api_version, const struct answer *answer, struct error *err);

/* Reads a request, provides, prints. On failure nothing was written to stdout, unless stdout itself
 * failed; `out` then has what is known, for the log. */
CHECKED bool kubelet_run(struct answer *out, const struct run *run, const struct options *options,
                         struct error *err);

#endif
