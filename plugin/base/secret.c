#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void secret_clear(struct secret *secret)
{
    if (secret->bytes != NULL) {
        explicit_bzero(secret->bytes, secret->length);
        free(secret->bytes);
    }
    *secret = (struct secret){0};
}

void secret_set(struct secret *secret, const char *bytes, size_t length)
{
    struct secret fresh = {.bytes = alloc_string_of(bytes, length), .length = length};

    secret_clear(secret);
    *secret = fresh;
}

void secret_copy(struct secret *secret, const struct secret *from)
{
    secret_set(secret, secret_reveal(from), from->length);
}

const char *secret_reveal(const struct secret *secret)
{
    return secret->bytes == NULL ? "" : secret->bytes;
}

bool secret_is_empty(const struct secret *secret)
{
    return secret->length == 0;
}
