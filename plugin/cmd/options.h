/* The command line: commands and flags. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "config/load.h"

enum options_command {
    OPTIONS_KUBELET, /* no command, or get-credentials */
    OPTIONS_GET,
    OPTIONS_CONFIG,
    OPTIONS_DOCTOR,
    OPTIONS_COMPLETION, /* for the shell that the only word names */
    OPTIONS_VERSION,
    OPTIONS_HELP, /* for the command that the only word names, if there is one */
};

enum get_output {
    GET_KUBELET,  /* a CredentialProviderResponse */
    GET_DOCKER,   /* the "auths" of a config.json */
    GET_ENV,      /* ACR_REGISTRY, ACR_USERNAME, ACR_PASSWORD, quoted for a shell */
    GET_PASSWORD, /* the password alone */
};

enum { OPTIONS_FLAGS_MAX = 8, OPTIONS_LIST_MAX = 64 };

/* Arguments, or the values of a flag that may be repeated, in their order. */
struct options_list {
    const char *values[OPTIONS_LIST_MAX];
    size_t count;
};

/* Texts are borrowed from argv. `{0}` is kubelet mode without flags. */
struct options {
    enum options_command command;
    struct options_list words;                     /* the arguments after the command, no flags */
    enum get_output output;                        /* of get */
    bool is_json;                                  /* doctor --output json, config --format json */
    const char *config_path;                       /* NULL: not given */
    struct load_flag flags[OPTIONS_FLAGS_MAX + 1]; /* those that set a key, then a NULL name */
    const char *kubelet_version;                   /* config, doctor: "1.34"; NULL: not given */

    /* config; at most one of install_path, remove_path and is_docker is set. */
    struct options_list matches; /* --match */
    bool for_pods;               /* --pods */
    const char *install_path;    /* a file or a directory; NULL: not given */
    const char *bin_dir;         /* with the former: where this executable is put; NULL: nowhere */
    const char *remove_path;     /* as install_path */
    bool is_docker;              /* the words are [FILE] HOST... */
    bool is_dry_run;

    /* doctor; NULL: not given. */
    const char *host_root;
    const char *token_path;          /* --service-account-token */
    struct options_list annotations; /* "KEY=VALUE", not checked */
};

/* Fails with ERROR_USAGE. The number of words fits the command. */
CHECKED bool options_parse(struct options *out, int argc, char **argv, struct error *err);

/* Appends the text of --help: of a command, or with NULL an overview. */
void options_append_help(struct buf *out, const char *command);

#endif
