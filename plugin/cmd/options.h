/* The command line: commands and flags. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "config/load.h"

enum options_command { OPTIONS_KUBELET, OPTIONS_GET, OPTIONS_VERSION, OPTIONS_HELP };

enum get_output {
    GET_KUBELET,  /* a CredentialProviderResponse */
    GET_DOCKER,   /* the "auths" of a config.json */
    GET_ENV,      /* ACR_REGISTRY, ACR_USERNAME, ACR_PASSWORD, quoted for a shell */
    GET_PASSWORD, /* the password alone */
};

enum { OPTIONS_FLAGS_MAX = 8 };

/* Texts are borrowed from argv. */
struct options {
    enum options_command command;
    const char *image; /* of `get` */
    enum get_output output;
    bool has_output;
    const char *config_path;                       /* NULL: not given */
    struct load_flag flags[OPTIONS_FLAGS_MAX + 1]; /* those that set a key, then a NULL name */
};

/* Fails with ERROR_USAGE. */
CHECKED bool options_parse(struct options *out, int argc, char **argv, struct error *err);

/* Appends the text of --help. */
void options_append_help(struct buf *out);

#endif
