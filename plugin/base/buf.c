#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY = 256 };

void buf_clear(struct buf *buf)
{
    if (buf->bytes != NULL) {
        explicit_bzero(buf->bytes, buf->capacity);
        free(buf->bytes);
    }
    *buf = (struct buf){0};
}

static void reserve(struct buf *buf, size_t more)
{
    size_t capacity = buf->capacity == 0 ? FIRST_CAPACITY : buf->capacity;
    char *grown;

    assert(more < SIZE_MAX / 4 && buf->length < SIZE_MAX / 4);
    if (buf->capacity > buf->length + more)
        return;
    while (capacity <= buf->length + more)
        capacity *= 2;
    grown = alloc_zeroed(capacity, 1);
    if (buf->bytes != NULL) {
        memcpy(grown, buf->bytes, buf->length);
        explicit_bzero(buf->bytes, buf->capacity);
        free(buf->bytes);
    }
    buf->bytes = grown;
    buf->capacity = capacity;
}

char *buf_extend(struct buf *buf, size_t length)
{
    char *added;

    reserve(buf, length);
    added = buf->bytes + buf->length;
    memset(added, 0, length + 1);
    buf->length += length;
    return added;
}

void buf_shorten(struct buf *buf, size_t length)
{
    assert(length <= buf->length);
    buf->length -= length;
    explicit_bzero(buf->bytes + buf->length, length);
}

void buf_append(struct buf *buf, const void *bytes, size_t length)
{
    char *added = buf_extend(buf, length);

    if (length > 0)
        memcpy(added, bytes, length);
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_append_format(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    va_list again;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(length >= 0);
    reserve(buf, (size_t)length + 1);
    (void)vsnprintf(buf->bytes + buf->length, (size_t)length + 1, format, again);
    va_end(again);
    buf->length += (size_t)length;
}

const char *buf_text(const struct buf *buf)
{
    return buf->bytes == NULL ? "" : buf->bytes;
}
