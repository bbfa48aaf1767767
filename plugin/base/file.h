/* Reading whole files and streams with a bound. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"

enum file_outcome { FILE_READ, FILE_ABSENT, FILE_REFUSED };

/* Reads a regular file of at most `max_bytes` bytes that nobody but root and the effective user can
 * write. ABSENT when there is no such file, with err untouched; REFUSED, with err filled
 * (ERROR_CONFIG), when it belongs to another user, is writable by group or others, not a regular
 * file, too large, or cannot be read. */
CHECKED enum file_outcome file_read_trusted(struct buf *out, const char *path, size_t max_bytes,
                                            struct error *err);

/* The same for a file that was opened, by O_NONBLOCK so that a FIFO does not hang; -1 with errno
 * set if it could not be. `path` is for messages. */
CHECKED enum file_outcome file_read_trusted_from(struct buf *out, int descriptor, const char *path,
                                                 size_t max_bytes, struct error *err);

/* Reads a descriptor to its end. Fails when more than `max_bytes` come (ERROR_REQUEST), when the
 * end has not come by `deadline_ms` (monotonic), or on a read error. */
CHECKED bool file_read_stream(struct buf *out, int descriptor, size_t max_bytes,
                              int64_t deadline_ms, struct error *err);

/* A descriptor that closes itself at the end of its scope (AUTO); -1 is none. */
void file_close(const int *descriptor);

/* Writes all bytes to a descriptor. */
CHECKED bool file_write_all(int descriptor, const void *bytes, size_t length, struct error *err);

#endif
