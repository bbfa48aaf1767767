/* Growing bytes, always NUL-terminated. Memory is wiped before it is freed, also when the buf
 * grows, so nobody has to decide what is secret. Callers bound the input from outside. `{0}` is
 * empty. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/auto.h"

struct buf {
    char *bytes; /* owned; NULL until something was appended, see buf_text() */
    size_t length;
    size_t capacity;
};

/* Wipes, frees and returns to `{0}`. */
void buf_clear(struct buf *buf);

void buf_append(struct buf *buf, const void *bytes, size_t length);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Appends `length` zero bytes for the caller to fill; borrowed until the buf changes. */
char *buf_extend(struct buf *buf, size_t length);

/* Removes the last `length` bytes. */
void buf_shorten(struct buf *buf, size_t length);

/* The content as a string, "" when empty; borrowed until the buf changes. */
const char *buf_text(const struct buf *buf);

#endif
