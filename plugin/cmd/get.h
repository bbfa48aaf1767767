/* `get`: the kubelet's work for scripts. */
#ifndef CMD_GET_H
#define CMD_GET_H

#include "base/auto.h"
#include "base/error.h"
#include "config/run.h"

enum get_output {
    GET_KUBELET,  /* a CredentialProviderResponse */
    GET_DOCKER,   /* the "auths" of a config.json */
    GET_ENV,      /* ACR_REGISTRY, ACR_USERNAME, ACR_PASSWORD, quoted for a shell */
    GET_PASSWORD, /* the password alone */
};

/* Provides for an image or a registry host, and prints. On failure nothing was written to stdout,
 * unless stdout itself failed. */
CHECKED bool get_run(const struct run *run, const char *image, enum get_output output,
                     struct error *err);

#endif
