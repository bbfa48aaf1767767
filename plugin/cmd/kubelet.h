/* The kubelet's exec protocol, and `get`, which does the same for scripts. On failure nothing was
 * written to stdout, unless stdout itself failed; `out` then has what is known, for the log. */
#ifndef CMD_KUBELET_H
#define CMD_KUBELET_H

#include "base/auto.h"
#include "base/error.h"
#include "config/run.h"

struct answer;
struct options;

/* Reads a request on stdin, provides, prints a response. `options` are not used. */
CHECKED bool kubelet_run(struct answer *out, const struct run *run, const struct options *options,
                         struct error *err);

/* Provides for the only word, and prints options->output. */
CHECKED bool kubelet_get(struct answer *out, const struct run *run, const struct options *options,
                         struct error *err);

#endif
