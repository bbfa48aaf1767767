/* A RAM role to assume by STS, and how: from the configuration, a profile or an annotation. */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include <stdint.h>

/* All strings are owned; NULL if absent. `{0}` is empty. */
struct role {
    char *arn;             /* "acs:ram::ACCOUNT:role/NAME" */
    char *session_name;    /* NULL: a name that identifies the node */
    char *external_id;     /* required by some roles of other accounts */
    char *source_identity; /* who uses the session, for the audit log */
    char *policy;          /* JSON that narrows the role's permissions */
    int64_t duration_s;    /* seconds; 0: the service's default, one hour */
};

/* Frees and returns to `{0}`. */
void role_clear(struct role *role);

/* A copy that the caller clears. */
struct role role_copy(const struct role *from);

#endif
