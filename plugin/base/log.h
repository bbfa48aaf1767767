/* Lines for operators, on stderr or by syslog(3). Level and destination are globals of this file,
 * so that every step can log without being handed a logger. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/auto.h"
#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_destination { LOG_TO_STDERR, LOG_TO_SYSLOG };

/* Before the first call: errors only, to stderr. The socket of syslog is opened by the first line
 * that goes there. */
void log_configure(enum log_level level, enum log_destination destination);

/* One line to the destination; dropped below the level. */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* The error that ends the run, to syslog if that is the destination. For main alone, which also
 * prints it. */
void log_error(const struct error *err);

#endif
