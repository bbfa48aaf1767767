/* `config`: prints what the kubelet needs, and puts it into the files of the kubelet and of docker.
 */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

#include "base/auto.h"
#include "base/error.h"
#include "base/system.h"

struct options;

/* Fails with ERROR_USAGE, with ERROR_CONFIG for a file that cannot be read, changed or written, and
 * with ERROR_TEMPORARY if somebody else changes it at the same time. */
CHECKED bool config_run(const struct options *options, const struct system *system,
                        struct error *err);

#endif
