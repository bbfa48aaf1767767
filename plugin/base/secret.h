/* Secret bytes: AccessKey secrets, STS tokens, passwords, service account tokens. Wiped when
 * cleared; read by secret_reveal() only, so that all readers are easy to find. `{0}` is empty. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
    char *bytes; /* owned, NUL-terminated; NULL when empty */
    size_t length;
};

/* Wipes, frees and returns to `{0}`. Safe on an empty secret. */
void secret_clear(struct secret *secret);

/* Replaces the content by a copy of `length` bytes. */
void secret_set(struct secret *secret, const char *bytes, size_t length);

/* Replaces the content by a copy of another secret's. */
void secret_copy(struct secret *secret, const struct secret *from);

/* The bytes, "" when empty; borrowed until the secret changes. */
const char *secret_reveal(const struct secret *secret);

bool secret_is_empty(const struct secret *secret);

#endif
