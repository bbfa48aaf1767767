/* Allocation that cannot fail: inputs are bounded and nothing is printed before the end, so that a
 * process without memory has nothing better to do than to say so in one line and go. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

/* `size` zeroed bytes that the caller frees. Ends the process (status 71) when memory is out. */
void *alloc_zeroed(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* A copy of a string, or of its first `length` bytes, that the caller frees. */
char *alloc_string(const char *text) __attribute__((malloc, returns_nonnull));
char *alloc_string_of(const char *bytes, size_t length) __attribute__((malloc, returns_nonnull));

/* A copy of a string; NULL of NULL. */
char *alloc_string_or_null(const char *text) __attribute__((malloc));

#endif
