/* Environment variables as the official SDKs and ack-ram-tool read them. */
#ifndef IDENTITY_ENVIRONMENT_H
#define IDENTITY_ENVIRONMENT_H

#include <stdbool.h>

struct system;

/* The value of a variable, or of an older name of it that ack-ram-tool knows; "" if none is set. */
const char *environment_value(const struct system *system, const char *name);

bool environment_is_set(const struct system *system, const char *name);

/* A copy that the caller frees; NULL if it is not set. */
char *environment_copy(const struct system *system, const char *name);

/* Whether a variable is true: "true" in any case, as the SDKs read it, or "1" or "t" as Go does
 * (strconv.ParseBool), by which ack-ram-tool and the CLI read theirs. */
bool environment_is_true(const struct system *system, const char *name);

#endif
