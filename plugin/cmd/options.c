#include "cmd/options.h"

#include <string.h>

#include "base/check.h"

/* The first word of the command line; the first row is for none. */
static const struct {
    const char *name;
    enum options_command command;
    const char *arguments;
    const char *help;
} commands[] = {
    {"", OPTIONS_KUBELET, " [FLAGS]", "answer a CredentialProviderRequest on stdin"},
    {" get", OPTIONS_GET, " [FLAGS] [--output FORMAT] IMAGE_OR_HOST", "the same for scripts"},
    {" version", OPTIONS_VERSION, "", "print the versions of this program and its libraries"},
    {" help", OPTIONS_HELP, "", "print this"},
};

#define HELP_LINE "\n                       "

enum effect { SET_KEY, SET_CONFIG_PATH, SET_OUTPUT, PRINT_VERSION, PRINT_HELP };

static const struct flag {
    const char *name;
    const char *argument; /* "": takes none */
    enum effect effect;
    const char *key;   /* of the configuration, for SET_KEY */
    const char *value; /* of that key, where the flag takes no argument */
    const char *help;
} flags[] = {
    {"--config", "FILE", SET_CONFIG_PATH, NULL, NULL,
     "configuration, JSON (default $" LOAD_CONFIG_VARIABLE "," HELP_LINE "else " LOAD_CONFIG_FILE
     " if it exists)"},
    {"--cache-dir", "DIR", SET_KEY, "cache.directory", NULL,
     "cache that all runs on this node share" HELP_LINE
     "(default /run/aliyun-acr-credential-provider)"},
    {"--no-cache", "", SET_KEY, "cache.enabled", "false", "neither read nor write the cache"},
    {"--deadline", "SECONDS", SET_KEY, "deadlineSeconds", NULL,
     "for the whole run, 1 to 600 (default 50)"},
    {"--log-level", "LEVEL", SET_KEY, "log.level", NULL,
     "error, warning, info or debug (default error)"},
    {"--log-to", "PLACE", SET_KEY, "log.destination", NULL, "stderr or syslog (default stderr)"},
    {"--output", "FORMAT", SET_OUTPUT, NULL, NULL,
     "kubelet, docker, env or password (default kubelet); for get only"},
    {"--version", "", PRINT_VERSION, NULL, NULL, "the same as the command version"},
    {"--help", "", PRINT_HELP, NULL, NULL, "print this"},
};

void options_append_help(struct buf *out)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        buf_append_format(out, "%s aliyun-acr-credential-provider%s%s\n           %s\n",
                          i == 0 ? "usage:" : "      ", commands[i].name, commands[i].arguments,
                          commands[i].help);
    buf_append_text(
        out, "       docker-credential-aliyun-acr get|store|erase|list|version\n"
             "           a docker credential helper: a link of that name to this file\n\n"
             "Gives the kubelet temporary credentials for Alibaba Cloud Container Registry.\n\n");
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        int width = 20 - (int)strlen(flags[i].name);

        buf_append_format(out, "  %s %-*s%s\n", flags[i].name, width, flags[i].argument,
                          flags[i].help);
    }
    buf_append_text(
        out,
        "\n"
        "Exit status: 0 answered, 64 usage, 65 bad request, 69 answer not to be trusted, 70 a "
        "defect,\n"
        "74 input or output failed, 75 try again later, 77 not permitted, 78 bad configuration.\n");
}

static const struct flag *find_flag(const char *argument)
{
    size_t length = strcspn(argument, "=");

    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        bool has_value = argument[length] == '=';

        if (strncmp(argument, flags[i].name, length) == 0 && flags[i].name[length] == '\0' &&
            (!has_value || flags[i].argument[0] != '\0'))
            return &flags[i];
    }
    return NULL;
}

static bool set_output(struct options *out, const char *word, struct error *err)
{
    static const char *const outputs[] = {[GET_KUBELET] = "kubelet",
                                          [GET_DOCKER] = "docker",
                                          [GET_ENV] = "env",
                                          [GET_PASSWORD] = "password"};
    unsigned output = 0;

    if (!check_word(&output, word, outputs, COUNT_OF(outputs), "--output", err)) {
        err->kind = ERROR_USAGE;
        return false;
    }
    out->output = output;
    out->has_output = true;
    return true;
}

/* Of a flag that is given twice, the last value counts. */
static void set_key(struct options *out, const struct flag *flag, const char *value)
{
    struct load_flag *place = out->flags;

    while (place->name != NULL && strcmp(place->name, flag->name) != 0)
        place++;
    *place = (struct load_flag){flag->name, flag->key, value};
}

/* Reads the flag at `*next`, and its value if that is an argument of its own. */
static bool read_flag(struct options *out, char ***next, struct error *err)
{
    const char *argument = strcmp(**next, "-h") == 0 ? "--help" : **next;
    const struct flag *flag = find_flag(argument);
    const char *equals = strchr(argument, '=');
    const char *value = equals == NULL ? NULL : equals + 1;

    if (flag == NULL)
        return error_set(err, ERROR_USAGE, "unknown flag: %s", argument);
    if (flag->argument[0] == '\0')
        value = flag->value;
    else if (value == NULL && (*next)[1] != NULL)
        value = *++*next;
    if (flag->argument[0] != '\0' && (value == NULL || value[0] == '\0'))
        return error_set(err, ERROR_USAGE, "%s requires a value", flag->name);
    switch (flag->effect) {
    case SET_KEY:
        set_key(out, flag, value);
        break;
    case SET_CONFIG_PATH:
        out->config_path = value;
        break;
    case SET_OUTPUT:
        return set_output(out, value, err);
    case PRINT_VERSION:
        out->command = OPTIONS_VERSION;
        break;
    case PRINT_HELP:
        out->command = OPTIONS_HELP;
        break;
    }
    return true;
}

/* The first word is the command, the second what `get` is about. */
static bool read_word(struct options *out, size_t number, const char *word, struct error *err)
{
    if (number == 1 && out->command == OPTIONS_GET) {
        out->image = word;
        return true;
    }
    for (size_t i = 1; number == 0 && i < COUNT_OF(commands); i++) {
        if (strcmp(word, commands[i].name + 1) == 0) {
            out->command = commands[i].command;
            return true;
        }
    }
    if (number > 0)
        return error_set(err, ERROR_USAGE, "unexpected argument: %s", word);
    return error_set_advised(err, ERROR_USAGE,
                             ADVICE("See --help; to get a password: "
                                    "aliyun-acr-credential-provider get %.200s",
                                    word),
                             "unknown command: %s", word);
}

bool options_parse(struct options *out, int argc, char **argv, struct error *err)
{
    size_t words = 0;

    *out = (struct options){0};
    for (char **next = argv + (argc > 0); *next != NULL; next++) {
        if ((*next)[0] != '-') {
            if (!read_word(out, words++, *next, err))
                return false;
            continue;
        }
        if (!read_flag(out, &next, err))
            return false;
        if (out->command == OPTIONS_VERSION || out->command == OPTIONS_HELP)
            return true;
    }
    if (out->has_output && out->command != OPTIONS_GET)
        return error_set(err, ERROR_USAGE, "--output is valid only with get");
    if (out->command == OPTIONS_GET && out->image == NULL)
        return error_set(err, ERROR_USAGE, "get requires an argument: IMAGE_OR_HOST");
    return true;
}
