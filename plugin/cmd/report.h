/* The line that a run leaves in the log at level info: the kubelet drops what successes write. */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct answer;

/* Appends host=... identity="..." source=cache|api|none duration_ms=... request_id=... status=...,
 * without what is unknown. `status` is the exit status; `err` is read if it is not 0. */
void report_append(struct buf *out, const struct answer *answer, const struct error *err,
                   int status, int64_t duration_ms);

#endif
