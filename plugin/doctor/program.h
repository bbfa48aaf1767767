/* The second part of doctor: this program as the kubelet would run it, its settings and its cache.
 */
#ifndef DOCTOR_PROGRAM_H
#define DOCTOR_PROGRAM_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/system.h"
#include "config/settings.h"

struct node;
struct options;
struct report;

/* This system, but for files, which are those below `root`, borrowed; "" for this machine's own. */
struct system program_system(const char *root);

/* Takes the environment and the arguments that the kubelet would give to this program, loads the
 * settings and checks the cache. The environment of this process is replaced. False, after a line
 * that says why, if the settings cannot be used. */
CHECKED bool program_check(struct settings *out, const struct system *system, struct report *report,
                           const struct node *node, const struct options *options);

#endif
