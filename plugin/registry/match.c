#include "registry/match.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* Compares two names label by label. On a mismatch only the last star takes one byte more: earlier
 * stars need never be tried again, so that no pattern is exponential. */
static bool match_name(const char *pattern, const char *pattern_end, const char *name,
                       const char *name_end)
{
    const char *after_star = NULL; /* in this label of the pattern */
    const char *taken_to = NULL;   /* by that star */

    while (name < name_end) {
        if (pattern < pattern_end && *pattern == '*') {
            after_star = ++pattern;
            taken_to = name;
        } else if (pattern < pattern_end && *pattern == *name) {
            if (*name == '.')
                after_star = NULL;
            pattern++;
            name++;
        } else if (after_star != NULL && *taken_to != '.') {
            pattern = after_star;
            name = ++taken_to;
        } else {
            return false;
        }
    }
    while (pattern < pattern_end && *pattern == '*')
        pattern++;
    return pattern == pattern_end;
}

bool match_host(const char *pattern, const char *authority)
{
    /* From the colon on: empty for no port. */
    const char *port = authority + strcspn(authority, ":");
    const char *pattern_port = pattern + strcspn(pattern, ":/");
    size_t length = strcspn(pattern_port, "/");

    return strlen(port) == length && strncmp(port, pattern_port, length) == 0 &&
           match_name(pattern, pattern_port, authority, port);
}

bool match_path(const char *pattern, const char *path)
{
    return text_starts_with(path, strchrnul(pattern, '/'));
}
