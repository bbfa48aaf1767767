#include "cmd/options_table.h"

#include <string.h>

enum {
    KUBELET = 1 << 0,
    GET = 1 << 1,
    CONFIG_PRINT = 1 << 2,
    CONFIG_INSTALL = 1 << 3,
    CONFIG_REMOVE = 1 << 4,
    CONFIG_DOCKER = 1 << 5,
    DOCTOR = 1 << 6,
    COMPLETION = 1 << 7,
    VERSION = 1 << 8,
    HELP = 1 << 9,

    RUN = KUBELET | GET | DOCTOR, /* what reads the configuration */
    CONFIG = CONFIG_PRINT | CONFIG_INSTALL | CONFIG_REMOVE | CONFIG_DOCKER,
    ALL = RUN | CONFIG | COMPLETION | VERSION | HELP,
};

const struct options_table_form options_table_forms[] = {
    {KUBELET, "get-credentials", OPTIONS_KUBELET, "", 0, 0,
     .help = "answer a CredentialProviderRequest on stdin, as without a command"},
    {GET, "get", OPTIONS_GET, "IMAGE_OR_HOST", 1, 1, .help = "print a login for scripts"},
    {CONFIG_PRINT, "config", OPTIONS_CONFIG, "", 0, 0,
     .help = "print a CredentialProviderConfig for the kubelet"},
    {CONFIG_INSTALL, "config", OPTIONS_CONFIG, "--install FILE_OR_DIR", 0, 0,
     .help = "add this program to the kubelet's configuration"},
    {CONFIG_REMOVE, "config", OPTIONS_CONFIG, "--remove FILE_OR_DIR", 0, 0,
     .help = "remove it from there"},
    {CONFIG_DOCKER, "config", OPTIONS_CONFIG, "--docker [FILE] HOST...", 1, OPTIONS_LIST_MAX,
     .help = "make it the credential helper of these hosts for docker"},
    {DOCTOR, "doctor", OPTIONS_DOCTOR, "[IMAGE_OR_HOST]...", 0, OPTIONS_LIST_MAX,
     .help = "check this node step by step"},
    {COMPLETION, "completion", OPTIONS_COMPLETION, "bash|zsh|fish", 1, 1,
     .words = {"bash", "zsh", "fish"},
     .help = "print a script with which a shell completes command lines"},
    {VERSION, "version", OPTIONS_VERSION, "", 0, 0,
     .help = "print the versions of this program and its libraries"},
    {HELP, "help", OPTIONS_HELP, "[COMMAND]", 0, 1,
     .help = "print this, or the flags of a command"},
    {0},
};

#define KEY(path)       .effect = OPTIONS_TABLE_KEY, .key = (path)
#define FIELD(type, at) .effect = OPTIONS_TABLE_##type, .place = offsetof(struct options, at)
#define NEXT_LINE       "\n                                "

const struct options_table_flag options_table_flags[] = {
    {"--config", "FILE", RUN, FIELD(TEXT, config_path),
     .help = "configuration, JSON (default $" LOAD_CONFIG_VARIABLE "," NEXT_LINE
             "else " LOAD_CONFIG_FILE " if it exists)"},
    {"--cache-dir", "DIR", RUN, KEY("cache.directory"),
     .help = "cache that all runs on this node share" NEXT_LINE
             "(default /run/aliyun-acr-credential-provider)"},
    {"--no-cache", "", RUN, KEY("cache.enabled"), .value = "false",
     .help = "neither read nor write the cache"},
    {"--deadline", "SECONDS", RUN, KEY("deadlineSeconds"),
     .help = "for the whole run, 1 to 600 (default 50)"},
    {"--log-level", "LEVEL", RUN, KEY("log.level"), .words = {"error", "warning", "info", "debug"},
     .help = "what is logged"},
    {"--log-to", "PLACE", RUN, KEY("log.destination"), .words = {"stderr", "syslog"},
     .help = "where it is logged"},
    {"--output", "FORMAT", GET, FIELD(OUTPUT, output),
     .words = {[GET_KUBELET] = "kubelet",
               [GET_DOCKER] = "docker",
               [GET_ENV] = "env",
               [GET_PASSWORD] = "password"},
     .help = "what is printed"},
    {"--output", "FORMAT", DOCTOR, FIELD(BOOL, is_json), .words = {"text", "json"},
     .help = "how the results are printed"},
    {"--host-root", "DIR", DOCTOR, FIELD(TEXT, host_root),
     .help = "where the root of the node's file system is mounted (default /)"},
    {"--service-account-token", "FILE", DOCTOR, FIELD(TEXT, token_path),
     .help = "check with this token, as for a pod"},
    {"--annotation", "KEY=VALUE", DOCTOR, FIELD(LIST, annotations),
     .help = "annotation of the pod's service account; may be repeated"},
    {"--match", "HOST", CONFIG_PRINT | CONFIG_INSTALL, FIELD(LIST, matches),
     .help = "a pattern of matchImages, in place of all of ACR; may be repeated"},
    {"--pods", "", CONFIG_PRINT | CONFIG_INSTALL, FIELD(BOOL, for_pods),
     .help = "for pods with RAM roles of their own"},
    {"--kubelet", "VERSION", CONFIG_PRINT | CONFIG_INSTALL | DOCTOR, FIELD(TEXT, kubelet_version),
     .help = "version of the kubelet, such as 1.34"},
    {"--format", "FORMAT", CONFIG_PRINT, FIELD(BOOL, is_json), .words = {"yaml", "json"},
     .help = "how it is printed"},
    {"--install", "FILE_OR_DIR", CONFIG_INSTALL, FIELD(TEXT, install_path),
     .help = "add it to the kubelet's --image-credential-provider-config"},
    {"--bin-dir", "DIR", CONFIG_INSTALL, FIELD(TEXT, bin_dir),
     .help = "put this executable there too, the kubelet's" NEXT_LINE
             "--image-credential-provider-bin-dir"},
    {"--remove", "FILE_OR_DIR", CONFIG_REMOVE, FIELD(TEXT, remove_path),
     .help = "remove it from that file or directory"},
    {"--docker", "", CONFIG_DOCKER, FIELD(BOOL, is_docker),
     .help = "change docker's configuration (default ~/.docker/config.json)"},
    {"--dry-run", "", CONFIG, FIELD(BOOL, is_dry_run),
     .help = "print what would be written, and write nothing"},
    {"--version", "", ALL, .effect = OPTIONS_TABLE_VERSION, .help = "the same as version"},
    {"--help", "", ALL, .effect = OPTIONS_TABLE_HELP, .help = "print this help"},
    {0},
};

unsigned options_table_forms_of(const char *name)
{
    unsigned forms = 0;

    for (const struct options_table_form *form = options_table_forms; form->name != NULL; form++) {
        if (strcmp(form->name, name) == 0)
            forms |= form->bit;
    }
    return forms;
}
