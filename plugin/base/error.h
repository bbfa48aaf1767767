/* The one error type: set where something fails, wrapped with context on the way up, printed once,
 * by main. A function that can fail takes `struct error *err` last and returns bool; false means
 * that err is filled; after true it means nothing. Fixed arrays: reporting needs no memory. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"

/* Decides the exit status (sysexits.h) and whether another try can help. */
enum error_kind {
    ERROR_INTERNAL,    /* 70: a defect of this program or of the system */
    ERROR_USAGE,       /* 64: the command line */
    ERROR_REQUEST,     /* 65: the request on stdin */
    ERROR_UNAVAILABLE, /* 69: a service's answer is invalid or cannot be trusted */
    ERROR_IO,          /* 74: standard input cannot be read, or standard output written */
    ERROR_TEMPORARY,   /* 75: network, throttling, timeouts: a later try may succeed */
    ERROR_PERMISSION,  /* 77: a service refuses; another try would not help */
    ERROR_CONFIG,      /* 78: the configuration, or the lack of one */
    ERROR_VERBATIM,    /* 1: a protocol prescribes the whole line; it is the cause and no more */
};

/* What another round needs, which only provide.c starts; NEXT_SOURCE also leads from link to link
 * of the chain of sources. */
enum error_retry {
    ERROR_RETRY_NOTHING,         /* another try would fail the same way */
    ERROR_RETRY_NEW_CREDENTIALS, /* they have expired: fetch them again */
    ERROR_RETRY_NEW_INSTANCE_ID, /* the API does not know the instance: look its id up again */
    ERROR_RETRY_NEXT_SOURCE,     /* this source of an identity does not exist on this node */
};

enum { ERROR_ADVICE_SIZE = 480 };

struct error {
    enum error_kind kind;
    enum error_retry retry;
    char context[320];              /* "outer: inner", grown at the front by error_wrap() */
    char cause[1024];               /* set once, where it happened */
    char service_code[80];          /* the code as the service sent it, "" if none */
    char request_id[80];            /* the service's RequestId, "" if none */
    char missing_action[64];        /* of RAM, such as "cr:ListInstance": a policy must allow it */
    char advice[ERROR_ADVICE_SIZE]; /* what to do about it, "" for what its kind says */
};

/* Fills err afresh, with advice on what the operator should do about it: "", a text, or
 * ADVICE("format", ...). Always returns false, so that `return error_set(...)` stays one line.
 * Control bytes in the result are replaced, since parts of it come from outside. */
bool error_set_advised(struct error *err, enum error_kind kind, const char *advice,
                       const char *format, ...) PRINTF_LIKE(4, 5);
#define error_set(err, kind, ...) error_set_advised(err, kind, "", __VA_ARGS__)

/* Formats advice for error_set_advised(); valid to the end of the enclosing block. */
#define ADVICE(...) error_format_advice(&(struct error_advice){{0}}, __VA_ARGS__)
struct error_advice {
    char text[ERROR_ADVICE_SIZE];
};
const char *error_format_advice(struct error_advice *out, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Puts "text: " before the context. Returns false. */
bool error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Replaces the advice. Returns false. */
bool error_advise(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Removes a secret from all texts of err, by text_redact(): services quote what they were sent. */
void error_redact(struct error *err, const char *secret);

/* The exit status of sysexits.h that belongs to err->kind. */
int error_exit_status(const struct error *err);

enum { ERROR_LINE_SIZE = 2048 };

/* What to do about it: its advice, or that of its kind. Borrowed. */
const char *error_advice(const struct error *err);

/* Writes "context: cause (Code, RequestId ...)". The line is cut at `size` bytes with its NUL. */
void error_describe(const struct error *err, char *line, size_t size);

/* The same with ". Advice" after it, one line without a newline; of ERROR_VERBATIM the cause alone.
 */
void error_format(const struct error *err, char *line, size_t size);

#endif
