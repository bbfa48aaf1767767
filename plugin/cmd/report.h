/* The line that a run leaves in the log at level info: the kubelet drops what successes write. */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct answer;

/* What is known of a run once it is over. */
struct report {
    const struct answer *answer; /* borrowed */
    const struct error *err;     /* borrowed; `{0}` if there was none */
    int64_t duration_ms;
    int status; /* the exit status */
};

/* Appends host=... identity="..." source=cache|api|none duration_ms=... request_id=... status=...,
 * without what is unknown. */
void report_append(struct buf *out, const struct report *report);

/* Logs it. */
void report_log(const struct report *report);

#endif
