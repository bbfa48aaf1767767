/* The identity that signs an API call: an AccessKey pair, or the three parts of STS credentials. */
#ifndef BASE_CREDENTIALS_H
#define BASE_CREDENTIALS_H

#include <stdint.h>

#include "base/secret.h"

enum { ACCESS_KEY_ID_SIZE = 129 };

struct credentials {
    char access_key_id[ACCESS_KEY_ID_SIZE];
    struct secret access_key_secret;
    struct secret security_token; /* empty for a long-lived AccessKey */
    int64_t expires_at_s;         /* Unix seconds; 0: never, or unknown */
};

/* Wipes and returns to `{0}`. */
void credentials_clear(struct credentials *credentials);

#endif
