/* `get`: the kubelet's work for scripts. */
#ifndef CMD_GET_H
#define CMD_GET_H

#include "base/auto.h"
#include "base/error.h"
#include "config/run.h"

struct answer;
struct options;

enum get_output {
    GET_KUBELET,  /* a CredentialProviderResponse */
    GET_DOCKER,   /* the "auths" of a config.json */
    GET_ENV,      /* ACR_REGISTRY, ACR_USERNAME, ACR_PASSWORD, quoted for a shell */
    GET_PASSWORD, /* the password alone */
};

/* Provides for options->image, and prints options->output. On failure nothing was written to
 * stdout, unless stdout itself failed; `out` then has what is known, for the log. */
CHECKED bool get_run(struct answer *out, const struct run *run, const struct options *options,
                     struct error *err);

#endif
