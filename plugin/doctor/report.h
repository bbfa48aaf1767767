/* What doctor finds: a line for each step, for people as it goes or for machines at the end
 * (doctor.schema.json). */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"

struct system;

enum report_status {
    REPORT_OK,
    REPORT_FAILED, /* images cannot be pulled, or the kubelet does not start, before it is mended */
    REPORT_WARNING, /* it works, but not as was probably meant */
    REPORT_SKIPPED, /* was not checked, or has nothing to be checked */
};

/* `{0}` with `system` and the two flags set is empty. */
struct report {
    const struct system *system; /* borrowed; for the time that a step takes */
    bool is_json;
    bool is_colored;
    const char *image;    /* that the steps are about; NULL: none. Borrowed */
    const char *resource; /* what a missing permission is for; NULL: "*". Borrowed */
    char heading[160];    /* of the last line */
    int64_t began_ms;     /* the step that is under way; 0: the first */
    size_t failed;
    size_t warned;
    size_t closed;       /* what this user may not see */
    bool wants_restart;  /* what failed is read by the kubelet when it starts */
    struct buf failures; /* the lines that failed, for the summary */
    struct buf checks;   /* JSON objects */
    bool is_broken;      /* standard output failed, as err says */
    struct error err;
};

void report_clear(struct report *report);

/* Ends a step: one line, and one with the advice if it is not "". `id` is "SECTION.STEP", of which
 * SECTION must be known to report.c. */
void report_line(struct report *report, enum report_status status, const char *id,
                 const char *advice, const char *format, ...) PRINTF_LIKE(5, 6);
#define report_ok(report, id, ...)      report_line(report, REPORT_OK, id, "", __VA_ARGS__)
#define report_skipped(report, id, ...) report_line(report, REPORT_SKIPPED, id, "", __VA_ARGS__)

/* Skips a step for a file that this user may not read. */
void report_closed(struct report *report, const char *id, const char *path);

/* The same as report_line() for an error: with its advice, and the RAM policy that would allow it.
 */
void report_error(struct report *report, enum report_status status, const char *id,
                  const struct error *err);

/* Prints the summary or the document. Fails with ERROR_IO if anything could not be printed. */
CHECKED bool report_finish(struct report *report, struct error *err);

#endif
