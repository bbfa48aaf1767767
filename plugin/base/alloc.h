/* Allocation that cannot fail: inputs are bounded and nothing is printed before the end, so a
 * process that is out of memory prints one line and exits with status 71. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

/* `count` times `size` zeroed bytes that the caller frees. */
void *alloc_zeroed(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* A copy of a string, or of its first `length` bytes, that the caller frees. */
char *alloc_string(const char *text) __attribute__((malloc, returns_nonnull));
char *alloc_string_of(const char *bytes, size_t length) __attribute__((malloc, returns_nonnull));

/* A copy of a string; NULL of NULL. */
char *alloc_string_or_null(const char *text) __attribute__((malloc));

#endif
