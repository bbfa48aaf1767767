#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/text.h"

PRINTF_LIKE(3, 0)
static void fill(char *field, size_t size, const char *format, va_list arguments)
{
    if (vsnprintf(field, size, format, arguments) < 0)
        field[0] = '\0';
    text_make_printable(field);
}

bool error_set_advised(struct error *err, enum error_kind kind, const char *advice,
                       const char *format, ...)
{
    va_list arguments;

    *err = (struct error){.kind = kind};
    va_start(arguments, format);
    fill(err->cause, sizeof err->cause, format, arguments);
    va_end(arguments);
    text_copy(err->advice, sizeof err->advice, advice);
    return false;
}

const char *error_format_advice(struct error_advice *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(out->text, sizeof out->text, format, arguments);
    va_end(arguments);
    return out->text;
}

bool error_wrap(struct error *err, const char *format, ...)
{
    char inner[sizeof err->context];
    char outer[sizeof err->context];
    va_list arguments;

    memcpy(inner, err->context, sizeof inner);
    va_start(arguments, format);
    fill(outer, sizeof outer, format, arguments);
    va_end(arguments);
    text_join(err->context, sizeof err->context, outer, inner[0] == '\0' ? "" : ": ", inner);
    return false;
}

bool error_advise(struct error *err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(err->advice, sizeof err->advice, format, arguments);
    va_end(arguments);
    return false;
}

void error_redact(struct error *err, const char *secret)
{
    text_redact(err->context, secret);
    text_redact(err->cause, secret);
    text_redact(err->service_code, secret);
    text_redact(err->request_id, secret);
    text_redact(err->advice, secret);
}

static const struct {
    int exit_status;
    const char *advice; /* what helps against most errors of the kind */
} kinds[] = {
    [ERROR_INTERNAL] = {EX_SOFTWARE, "Report this line, with what --version prints, as a defect of "
                                     "the program"},
    [ERROR_USAGE] = {EX_USAGE, "See --help"},
    [ERROR_REQUEST] = {EX_DATAERR, "The kubelet writes the request; by hand, use: "
                                   "aliyun-acr-credential-provider get IMAGE"},
    [ERROR_UNAVAILABLE] = {EX_UNAVAILABLE, "Check what answers in place of the service: endpoints, "
                                           "proxy variables and name resolution of the node"},
    [ERROR_IO] = {EX_IOERR, "Check what standard input and output of the program are connected to"},
    [ERROR_TEMPORARY] = {EX_TEMPFAIL, "Retry; if the error persists, check the network between the "
                                      "node and the service"},
    [ERROR_PERMISSION] = {EX_NOPERM, "Check what this identity is allowed to do"},
    [ERROR_CONFIG] = {EX_CONFIG, "Correct or remove the setting named here"},
    [ERROR_VERBATIM] = {EXIT_FAILURE, ""},
};

int error_exit_status(const struct error *err)
{
    return kinds[err->kind].exit_status;
}

const char *error_advice(const struct error *err)
{
    return err->advice[0] != '\0' ? err->advice : kinds[err->kind].advice;
}

void error_describe(const struct error *err, char *line, size_t size)
{
    bool has_code = err->service_code[0] != '\0';
    bool has_id = err->request_id[0] != '\0';

    if (snprintf(line, size, "%s%s%s%s%s%s%s%s%s", err->context,
                 err->context[0] != '\0' ? ": " : "", err->cause, has_code || has_id ? " (" : "",
                 err->service_code, has_code && has_id ? ", " : "", has_id ? "RequestId " : "",
                 err->request_id, has_code || has_id ? ")" : "") < 0)
        line[0] = '\0';
}

void error_format(const struct error *err, char *line, size_t size)
{
    char what[ERROR_LINE_SIZE];

    if (err->kind == ERROR_VERBATIM) {
        text_copy(line, size, err->cause);
        return;
    }
    error_describe(err, what, sizeof what);
    text_join(line, size, what, ". ", error_advice(err));
}
