/* The command doctor: checks every step of a request on this node, and says what to do about each
 * failure. It changes nothing on the node. */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"

struct options;

/* Prints what it finds. Fails for a wrong command line, ERROR_USAGE, and where standard output
 * cannot be written; what it finds is no failure of its own, see `is_healthy`. */
CHECKED bool doctor_run(bool *is_healthy, const struct options *options, struct error *err);

#endif
