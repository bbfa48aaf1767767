/* Credentials that a command prints (External profiles): without a shell, in bounded time and
 * memory. Neither its output nor its stderr, which may hold secrets too, is quoted anywhere. */
#ifndef IDENTITY_EXTERNAL_H
#define IDENTITY_EXTERNAL_H

#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/credentials.h"
#include "base/error.h"
#include "config/run.h"

enum { EXTERNAL_ARGUMENTS_MAX = 256 };

/* The arguments of a command, NULL-terminated for exec. */
struct external_command {
    char *argv[EXTERNAL_ARGUMENTS_MAX + 1]; /* owned */
};

void external_clear(struct external_command *command);

/* Splits as the official SDKs do: blanks separate; '...' is literal; in "..." a backslash escapes
 * ", \, $ and `; elsewhere it escapes any character, and a line break vanishes with it. Fails with
 * ERROR_CONFIG on an open quote, a last backslash, no word or too many; `out` is to be cleared then
 * too. Pure. */
CHECKED bool external_split(struct external_command *out, const char *text, struct error *err);

/* Runs a command until it ends or `deadline_ms` (monotonic) comes, and appends its standard output.
 * Fails when it ends with another status than 0, cannot be started, writes more than `max_bytes` or
 * does not end in time; its whole process group is killed then. The dispositions of signals are as
 * before on return. */
CHECKED bool external_run(struct buf *out, const struct external_command *command, size_t max_bytes,
                          int64_t deadline_ms, struct error *err);

/* Kills the process group of a command that runs. For signal handlers that end this process. */
void external_abandon(void);

/* Splits, runs, decodes; `command` is the profile's. */
CHECKED bool external_fetch(struct credentials *out, const struct run *run, const char *command,
                            struct error *err);

#endif
