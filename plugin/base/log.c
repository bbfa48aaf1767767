#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"

#define PROGRAM "aliyun-acr-credential-provider"

enum { LINE_SIZE = 2048 };

static enum log_level log_level_now = LOG_LEVEL_ERROR;
static enum log_destination log_destination_now = LOG_TO_STDERR;

void log_configure(enum log_level level, enum log_destination destination)
{
    log_level_now = level;
    log_destination_now = destination;
    if (destination == LOG_TO_SYSLOG)
        openlog(PROGRAM, LOG_PID, LOG_DAEMON);
}

/* One write for a line: lines of processes that share a journal do not mix. */
static void write_line(const char *level, const char *message)
{
    struct buf line AUTO(buf_clear) = {0};
    struct error ignored;

    buf_append_format(&line, PROGRAM ": %s%s\n", level, message);
    /* When stderr itself fails, there is nowhere left to report it. */
    if (!file_write_all(STDERR_FILENO, line.bytes, line.length, &ignored))
        return;
}

PRINTF_LIKE(2, 0)
static void log_at(enum log_level level, const char *format, va_list arguments)
{
    static const struct {
        const char *name;
        int priority;
    } levels[] = {
        [LOG_LEVEL_WARNING] = {"warning: ", LOG_WARNING},
        [LOG_LEVEL_INFO] = {"info: ", LOG_INFO},
        [LOG_LEVEL_DEBUG] = {"debug: ", LOG_DEBUG},
    };
    char message[LINE_SIZE];

    if (level > log_level_now || vsnprintf(message, sizeof message, format, arguments) < 0)
        return;
    text_make_printable(message);
    if (log_destination_now == LOG_TO_SYSLOG)
        syslog(levels[level].priority, "%s", message);
    else
        write_line(levels[level].name, message);
}

void log_warning(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_at(LOG_LEVEL_WARNING, format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_at(LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_at(LOG_LEVEL_DEBUG, format, arguments);
    va_end(arguments);
}

void log_error(const struct error *err)
{
    char message[LINE_SIZE];

    error_format(err, message, sizeof message);
    write_line("", message);
    log_error_to_syslog(err);
}

void log_error_to_syslog(const struct error *err)
{
    char message[LINE_SIZE];

    if (log_destination_now != LOG_TO_SYSLOG)
        return;
    error_format(err, message, sizeof message);
    syslog(LOG_ERR, "%s", message);
}
