/* The text of a docker configuration (docker/cli cli/config/configfile) that names this program as
 * the credential helper of registries. All else stays byte by byte. Pure. */
#ifndef KUBELET_DOCKER_CONFIG_H
#define KUBELET_DOCKER_CONFIG_H

#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"

/* Appends the text to `out`, which is empty before, with all hosts in credHelpers; another helper
 * of one of them is replaced. Fails with ERROR_CONFIG for a text that docker would not read, or
 * only this program cannot; blank ones docker takes as {}. */
CHECKED bool docker_config_add(struct buf *out, const struct buf *text, const char *const *hosts,
                               size_t count, struct error *err);

#endif
