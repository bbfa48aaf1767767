/* Runs the command of an External profile: without a shell, in bounded time and memory. */
#ifndef IDENTITY_COMMAND_H
#define IDENTITY_COMMAND_H

#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"

enum { COMMAND_WORDS_MAX = 256 };

/* Words of a command, NULL-terminated for exec. Clear with command_clear(). */
struct command {
    char *words[COMMAND_WORDS_MAX + 1]; /* owned */
};

void command_clear(struct command *command);

/* Splits as the official SDKs do: blanks separate; '...' is literal; in "..." a backslash escapes
 * ", \, $ and `; elsewhere it escapes any character, and a line break vanishes with it. Fails with
 * ERROR_CONFIG on an open quote, a last backslash, no word or too many. Pure. */
CHECKED bool command_split(struct command *out, const char *text, struct error *err);

/* Removes from what a command has complained of what it printed as secrets. */
typedef void command_hider(char *complaint, const struct buf *printed);

/* Runs it until it ends or `deadline_ms` (monotonic) comes, and takes its standard output, what has
 * come of it after a failure too. Fails with the last that it wrote to stderr when it ends with
 * another status than 0, cannot be started, writes more than `max_bytes` or does not end in time;
 * all of its process group is killed then. `hide` comes before the complaint is cut. */
CHECKED bool command_run(struct buf *out, const struct command *command, size_t max_bytes,
                         int64_t deadline_ms, command_hider *hide, struct error *err);

/* Kills the process group of a command that runs. For signal handlers that end this process. */
void command_abandon(void);

#endif
