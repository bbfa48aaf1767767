/* The command line. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"
#include "cmd/get.h"

struct settings;

enum options_command { OPTIONS_KUBELET, OPTIONS_GET, OPTIONS_HELP, OPTIONS_VERSION };

struct options {
    enum options_command command;
    const char *image; /* of `get` */
    enum get_output output;
    bool no_cache;
    const char *config_path; /* NULL: the default, if it is there */
    const char *cache_directory;
    const char *deadline; /* the texts of the flags, NULL if not given */
    const char *log_level;
    const char *log_to;
};

/* Reads the command line; the texts are borrowed from argv. Fails with ERROR_USAGE. */
CHECKED bool options_parse(struct options *out, int argc, char **argv, struct error *err);

/* Reads the configuration file and lays environment and flags over it. Fails with ERROR_USAGE for a
 * flag, ERROR_CONFIG for the file or a variable. */
CHECKED bool options_load(struct settings *out, const struct options *options, struct error *err);

/* The text of --help. */
extern const char options_help[];

#endif
