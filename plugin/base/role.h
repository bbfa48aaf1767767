/* A RAM role to assume by STS, and how: from the configuration, a profile or an annotation. */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include <stdint.h>

/* All strings are owned; NULL where nothing was said. `{0}` is empty. */
struct role {
    char *arn;             /* "acs:ram::ACCOUNT:role/NAME" */
    char *session_name;    /* NULL: a name that tells the node */
    char *external_id;     /* what a role of another account may ask for */
    char *source_identity; /* who is behind the session, for the audit */
    char *policy;          /* JSON that narrows the role's permissions */
    int64_t duration_s;    /* seconds; 0: the service's default, one hour */
};

/* Frees and returns to `{0}`. */
void role_clear(struct role *role);

/* A copy that the caller clears. */
struct role role_copy(const struct role *from);

#endif
