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

/* One line each, to the destination; dropped below the level. */
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);

/* The error that ends the run: one line on stderr whatever the destination, for the kubelet logs
 * it, and in syslog too if that is the destination. For main alone. */
void log_error(const struct error *err);

/* The same without stderr, for a protocol that has another place for errors. */
void log_error_to_syslog(const struct error *err);

#endif
