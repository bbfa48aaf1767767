/* The result of an ACR API call: the temporary user name and password of a registry. */
#ifndef BASE_TOKEN_H
#define BASE_TOKEN_H

#include <stdint.h>

#include "base/secret.h"

enum { TOKEN_USER_SIZE = 256, TOKEN_PASSWORD_MAX_BYTES = 16 * 1024, TOKEN_REQUEST_ID_SIZE = 80 };

struct token {
    char user[TOKEN_USER_SIZE];
    struct secret password;
    int64_t expires_at_s;                   /* Unix seconds */
    char request_id[TOKEN_REQUEST_ID_SIZE]; /* of the call that issued it, "" if unknown */
};

/* Wipes and returns to `{0}`. */
void token_clear(struct token *token);

#endif
