#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"

#define PROGRAM "aliyun-acr-credential-provider"

static enum log_level log_level_now = LOG_LEVEL_ERROR;
static enum log_destination log_destination_now = LOG_TO_STDERR;

void log_configure(enum log_level level, enum log_destination destination)
{
    log_level_now = level;
    log_destination_now = destination;
    if (destination == LOG_TO_SYSLOG)
        openlog(PROGRAM, LOG_PID, LOG_DAEMON);
}

void log_line(enum log_level level, const char *format, ...)
{
    static const struct {
        const char *name;
        int priority;
    } levels[] = {
        [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
        [LOG_LEVEL_INFO] = {"info", LOG_INFO},
        [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
    };
    struct buf line AUTO(buf_clear) = {0};
    char message[ERROR_LINE_SIZE];
    struct error ignored;
    va_list arguments;
    int length;

    if (level > log_level_now)
        return;
    va_start(arguments, format);
    length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    text_make_printable(message);
    if (log_destination_now == LOG_TO_SYSLOG) {
        syslog(levels[level].priority, "%s", message);
        return;
    }
    /* One write for a line: lines of processes that share a journal do not mix. */
    buf_append_format(&line, PROGRAM ": %s: %s\n", levels[level].name, message);
    /* When stderr itself fails, there is nowhere left to report it. */
    if (!file_write_all(STDERR_FILENO, line.bytes, line.length, &ignored))
        return;
}

void log_error(const struct error *err)
{
    char message[ERROR_LINE_SIZE];

    if (log_destination_now != LOG_TO_SYSLOG)
        return;
    error_format(err, message, sizeof message);
    syslog(LOG_ERR, "%s", message);
}
