#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

enum { LINE_SIZE = 2048 };

static enum log_level log_level_now = LOG_ERROR;
static enum log_format log_format_now = LOG_TEXT;

void log_configure(enum log_level level, enum log_format format)
{
    log_level_now = level;
    log_format_now = format;
}

/* Appends a JSON member; `text` is printable ASCII by now, so only two characters need escapes. */
static void append_member(struct buf *line, const char *name, const char *text)
{
    buf_append_format(line, ",\"%s\":\"", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_append_text(line, "\\");
        buf_append(line, text, 1);
    }
    buf_append_text(line, "\"");
}

/* One write for a line: lines of processes that share a journal do not mix. */
static void write_line(const struct buf *line)
{
    struct error ignored;

    /* Nobody is left to tell when stderr itself is gone. */
    if (!file_write_all(STDERR_FILENO, line->bytes, line->length, &ignored))
        return;
}

static void print(const char *level, const char *message, const struct error *err)
{
    struct buf line AUTO(buf_clear) = {0};

    if (log_format_now == LOG_JSON) {
        char now[TEXT_UTC_SIZE];

        text_format_utc(now, clock_wall_s());
        buf_append_format(&line, "{\"time\":\"%s\"", now);
        append_member(&line, "level", level);
        append_member(&line, "message", message);
        if (err != NULL && err->service_code[0] != '\0')
            append_member(&line, "code", err->service_code);
        if (err != NULL && err->request_id[0] != '\0')
            append_member(&line, "requestId", err->request_id);
        buf_append_text(&line, "}\n");
    } else {
        buf_append_format(&line, "aliyun-acr-credential-provider: %s%s%s\n",
                          err == NULL ? level : "", err == NULL ? ": " : "", message);
    }
    write_line(&line);
}

PRINTF_LIKE(3, 0)
static void log_at(enum log_level level, const char *name, const char *format, va_list arguments)
{
    char message[LINE_SIZE];

    if (level > log_level_now)
        return;
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        return;
    text_make_printable(message);
    print(name, message, NULL);
}

void log_warning(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_at(LOG_WARNING, "warning", format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_at(LOG_INFO, "info", format, arguments);
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_at(LOG_DEBUG, "debug", format, arguments);
    va_end(arguments);
}

void log_error(const struct error *err)
{
    char message[LINE_SIZE];

    error_format(err, message, sizeof message);
    print("error", message, err);
}
