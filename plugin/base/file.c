#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system.h"

enum { CHUNK_BYTES = 4096 };

void file_close(const int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

/* Whoever can write the file decides what it says: the same rule as ssh's. */
static bool read_trusted(struct buf *out, int descriptor, const char *path, size_t max_bytes,
                         struct error *err)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0)
        return error_set(err, ERROR_CONFIG, "cannot open %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_CONFIG, "%s is not a regular file", path);
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return error_set_advised(
            err, ERROR_CONFIG,
            ADVICE("Run: chown root %s, or run this program as the file's owner", path),
            "%s belongs to neither root nor the user that runs this program", path);
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return error_set_advised(err, ERROR_CONFIG, ADVICE("Run: chmod go-w %s", path),
                                 "%s can be written by others than its owner", path);
    if (file_read_stream(out, descriptor, max_bytes, INT64_MAX, err))
        return true;
    err->kind = ERROR_CONFIG;
    return error_wrap(err, "%s", path);
}

enum file_outcome file_read_trusted_from(struct buf *out, int descriptor, const char *path,
                                         size_t max_bytes, struct error *err)
{
    if (descriptor >= 0)
        return read_trusted(out, descriptor, path, max_bytes, err) ? FILE_READ : FILE_REFUSED;
    if (errno == ENOENT || errno == ENOTDIR)
        return FILE_ABSENT;
    error_set_advised(err, ERROR_CONFIG,
                      errno == EACCES ? "Let the user that runs this program read it" : "",
                      "cannot open %s: %s", path, strerror(errno));
    return FILE_REFUSED;
}

enum file_outcome file_read_trusted(struct buf *out, const char *path, size_t max_bytes,
                                    struct error *err)
{
    /* Non-blocking, so that opening a FIFO put in the file's place does not hang. */
    int descriptor AUTO(file_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    return file_read_trusted_from(out, descriptor, path, max_bytes, err);
}

/* True once `descriptor` can be read without blocking; false at the deadline. */
static bool wait_readable(int descriptor, int64_t deadline_ms)
{
    for (;;) {
        int64_t left_ms = deadline_ms - system_mono_ms();
        struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
        int ready;

        if (left_ms <= 0)
            return false;
        ready = poll(&wanted, 1, left_ms > 60000 ? 60000 : (int)left_ms);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true;
    }
}

bool file_read_stream(struct buf *out, int descriptor, size_t max_bytes, int64_t deadline_ms,
                      struct error *err)
{
    ssize_t got;

    do {
        if (!wait_readable(descriptor, deadline_ms))
            return error_set_advised(err, ERROR_TEMPORARY, "Close standard input after the request",
                                     "timed out waiting for end of input");
        got = read(descriptor, buf_extend(out, CHUNK_BYTES), CHUNK_BYTES);
        buf_shorten(out, CHUNK_BYTES - (got > 0 ? (size_t)got : 0));
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return error_set(err, ERROR_IO, "cannot read: %s", strerror(errno));
        if (out->length > max_bytes)
            return error_set(err, ERROR_REQUEST, "more than %zu bytes", max_bytes);
    } while (got != 0);
    return true;
}

bool file_write_all(int descriptor, const void *bytes, size_t length, struct error *err)
{
    const char *next = bytes;

    while (length > 0) {
        ssize_t written = write(descriptor, next, length);

        if (written < 0 && errno != EINTR)
            return error_set(err, ERROR_IO, "cannot write%s: %s",
                             descriptor == STDOUT_FILENO ? " standard output" : "",
                             strerror(errno));
        if (written > 0) {
            next += written;
            length -= (size_t)written;
        }
    }
    return true;
}
