/* Who signs an API call, and what it obtains. `{0}` is empty; clearing wipes the secrets. */
#ifndef BASE_CREDENTIALS_H
#define BASE_CREDENTIALS_H

#include <stdint.h>

#include "base/secret.h"

enum { ACCESS_KEY_ID_SIZE = 129 };

/* An AccessKey pair, or the three parts of STS credentials. */
struct credentials {
    char access_key_id[ACCESS_KEY_ID_SIZE];
    struct secret access_key_secret;
    struct secret security_token; /* empty for a long-lived AccessKey */
    int64_t expires_at_s;         /* Unix seconds; 0: never, or unknown */
};

void credentials_clear(struct credentials *credentials);

/* A RAM role to assume by STS, and how: from the configuration, a profile or an annotation. All
 * strings are owned; NULL if absent. */
struct role {
    char *arn;             /* "acs:ram::ACCOUNT:role/NAME" */
    char *session_name;    /* NULL: a name that identifies the node */
    char *external_id;     /* required by some roles of other accounts */
    char *source_identity; /* who uses the session, for the audit log */
    char *policy;          /* JSON that narrows the role's permissions */
    int64_t duration_s;    /* seconds; 0: the service's default, one hour */
};

void credentials_clear_role(struct role *role);
struct role credentials_copy_role(const struct role *from);

enum { TOKEN_USER_SIZE = 256, TOKEN_PASSWORD_MAX_BYTES = 16 * 1024, TOKEN_REQUEST_ID_SIZE = 80 };

/* The temporary user name and password of a registry, from the ACR API. */
struct token {
    char user[TOKEN_USER_SIZE];
    struct secret password;
    int64_t expires_at_s;                   /* Unix seconds */
    char request_id[TOKEN_REQUEST_ID_SIZE]; /* of the call that issued it, "" if unknown */
};

void credentials_clear_token(struct token *token);

#endif
