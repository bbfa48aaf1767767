#include "cmd/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "config/settings.h"

/* For the docker credential helper, whose protocol leaves no room for flags. */
#define CONFIG_VARIABLE "ACR_CREDENTIAL_PROVIDER_CONFIG"

#define DEFAULT_CONFIG "/etc/aliyun-acr-credential-provider/config.json"

const char options_help[] =
    "usage: aliyun-acr-credential-provider [FLAGS]\n"
    "           answer a CredentialProviderRequest on stdin\n"
    "       aliyun-acr-credential-provider get [FLAGS] [--output FORMAT] IMAGE_OR_HOST\n"
    "           the same for scripts; FORMAT is kubelet (the default), docker, env or password\n"
    "       aliyun-acr-credential-provider version\n"
    "       docker-credential-aliyun-acr get|store|erase|list|version\n"
    "           a docker credential helper: a link of that name to this file\n"
    "\n"
    "Gives the kubelet temporary credentials for Alibaba Cloud Container Registry (ACR).\n"
    "\n"
    "  --config FILE        configuration, JSON\n"
    "                       (default $" CONFIG_VARIABLE ",\n"
    "                       else " DEFAULT_CONFIG " if it is there)\n"
    "  --cache-dir DIR      cache that all runs on this node share\n"
    "                       (default /run/aliyun-acr-credential-provider)\n"
    "  --no-cache           neither read nor write it\n"
    "  --deadline SECONDS   for the whole run, 1 to 600 (default 50)\n"
    "  --log-level LEVEL    error, warning, info or debug (default error)\n"
    "  --log-to PLACE       stderr or syslog (default stderr)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 answered, 64 usage, 65 bad request, 69 answer not to be trusted, 70 a defect,\n"
    "74 input or output failed, 75 try again later, 77 not permitted, 78 bad configuration.\n";

static bool fail_usage(const char *what, const char *argument, struct error *err)
{
    return error_set(err, ERROR_USAGE, "%s: %s", what, argument);
}

static int index_of(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return i;
    }
    return -1;
}

static bool choose_output(struct options *options, const char *word, struct error *err)
{
    static const char *const outputs[] = {"kubelet", "docker", "env", "password"};
    int output = index_of(word, outputs, 4);

    if (output < 0)
        return fail_usage("--output must be kubelet, docker, env or password, not", word, err);
    options->output = (enum get_output)output;
    return true;
}

/* Takes the flag at `*at` with its value. */
static bool take_flag(struct options *options, const char **output, char **argv, int argc, int *at,
                      struct error *err)
{
    const struct {
        const char *flag;
        const char **place;
    } flags[] = {
        {"--config", &options->config_path},
        {"--deadline", &options->deadline},
        {"--log-level", &options->log_level},
        {"--log-to", &options->log_to},
        {"--output", output},
        {"--cache-dir", &options->cache_directory},
    };
    const char *argument = argv[*at];
    const char *value = NULL;

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        size_t length = strlen(flags[i].flag);

        if (strncmp(argument, flags[i].flag, length) != 0)
            continue;
        if (argument[length] != '=' && argument[length] != '\0')
            continue;
        if (argument[length] == '=')
            value = argument + length + 1;
        else if (*at + 1 < argc)
            value = argv[++*at];
        if (value == NULL || value[0] == '\0')
            return fail_usage("a value is missing after", flags[i].flag, err);
        *flags[i].place = value;
        return true;
    }
    return fail_usage("unknown flag", argument, err);
}

/* The first word is the command, the second what it is about. */
static bool take_word(struct options *options, unsigned number, const char *word, struct error *err)
{
    if (number == 0 && strcmp(word, "get") == 0)
        options->command = OPTIONS_GET;
    else if (number == 0 && strcmp(word, "version") == 0)
        options->command = OPTIONS_VERSION;
    else if (number == 0 && strcmp(word, "help") == 0)
        options->command = OPTIONS_HELP;
    else if (number == 0)
        return fail_usage("unknown command", word, err);
    else if (number == 1 && options->command == OPTIONS_GET)
        options->image = word;
    else
        return fail_usage("one argument too many", word, err);
    return true;
}

static bool parse(struct options *out, int argc, char **argv, struct error *err)
{
    const char *output = NULL;
    unsigned words = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            out->command = OPTIONS_HELP;
            return true;
        }
        if (strcmp(argv[i], "--version") == 0) {
            out->command = OPTIONS_VERSION;
            return true;
        }
        if (strcmp(argv[i], "--no-cache") == 0)
            out->no_cache = true;
        else if (argv[i][0] == '-' ? !take_flag(out, &output, argv, argc, &i, err)
                                   : !take_word(out, words++, argv[i], err))
            return false;
    }
    if (output != NULL && out->command != OPTIONS_GET)
        return fail_usage("only get takes", "--output", err);
    if (out->command == OPTIONS_GET && out->image == NULL)
        return fail_usage("an argument is missing", "get IMAGE_OR_HOST", err);
    return output == NULL || choose_output(out, output, err);
}

static const char *const log_levels[] = {"error", "warning", "info", "debug"};
static const char *const log_destinations[] = {"stderr", "syslog"};

/* As the command line says, -1 if it says no such word; `otherwise` if it says nothing. */
static int level_of(const struct options *options, int otherwise)
{
    return options->log_level == NULL ? otherwise : index_of(options->log_level, log_levels, 4);
}

static int destination_of(const struct options *options, int otherwise)
{
    return options->log_to == NULL ? otherwise : index_of(options->log_to, log_destinations, 2);
}

bool options_parse(struct options *out, int argc, char **argv, struct error *err)
{
    *out = (struct options){0};
    return parse(out, argc, argv, err);
}

static const char *value_of(const char *name)
{
    const char *value = secure_getenv(name);

    return value == NULL ? "" : value;
}

static bool apply_endpoint(char **endpoint, const char *value, const char *scheme, const char *name,
                           struct error *err)
{
    if (!check_endpoint(value, scheme, name, err))
        return false;
    free(*endpoint);
    *endpoint = alloc_string(value);
    return true;
}

static bool apply_environment(struct settings *settings, struct error *err)
{
    const char *metadata = value_of("ALIBABA_CLOUD_IMDS_ENDPOINT");
    const char *sts = value_of("ALIBABA_CLOUD_STS_ENDPOINT");
    char sts_url[512];

    if (metadata[0] != '\0' && !apply_endpoint(&settings->endpoints.metadata, metadata, "http",
                                               "ALIBABA_CLOUD_IMDS_ENDPOINT", err))
        return false;
    if (sts[0] == '\0')
        return true;
    /* ACK's webhook writes the bare host name here. */
    text_join(sts_url, sizeof sts_url, strstr(sts, "://") == NULL ? "https://" : "", "", sts);
    return apply_endpoint(&settings->endpoints.sts, sts_url, "https", "ALIBABA_CLOUD_STS_ENDPOINT",
                          err);
}

static bool apply(const struct options *options, struct settings *settings, struct error *err)
{
    int level = level_of(options, (int)settings->log_level);
    int destination = destination_of(options, (int)settings->log_destination);

    if (level < 0)
        return fail_usage("--log-level must be error, warning, info or debug, not",
                          options->log_level, err);
    if (destination < 0)
        return fail_usage("--log-to must be stderr or syslog, not", options->log_to, err);
    if (options->deadline != NULL &&
        !text_parse_number(options->deadline, 1, 600, &settings->deadline_s))
        return fail_usage("--deadline must be a number of seconds from 1 to 600, not",
                          options->deadline, err);
    if (options->no_cache)
        settings->cache.is_enabled = false;
    if (options->cache_directory != NULL) {
        if (!check_directory(options->cache_directory, "--cache-dir", err)) {
            err->kind = ERROR_USAGE;
            return false;
        }
        free(settings->cache.directory);
        settings->cache.directory = alloc_string(options->cache_directory);
    }
    settings->log_level = (enum log_level)level;
    settings->log_destination = (enum log_destination)destination;
    return apply_environment(settings, err);
}

bool options_load(struct settings *out, const struct options *options, struct error *err)
{
    struct buf file AUTO(buf_clear) = {0};
    const char *named =
        options->config_path != NULL ? options->config_path : value_of(CONFIG_VARIABLE);
    bool is_named = options->config_path != NULL || named[0] != '\0';
    const char *path = is_named ? named : DEFAULT_CONFIG;

    settings_default(out);
    switch (file_read_trusted(&file, path, SETTINGS_MAX_BYTES, err)) {
    case FILE_READ:
        if (!settings_decode(out, file.bytes, file.length, err)) {
            (void)error_advise(err,
                               "Correct this file; README and config.schema.json name its keys");
            return error_wrap(err, "%s", path);
        }
        break;
    case FILE_ABSENT:
        if (is_named) {
            (void)error_set(err, ERROR_CONFIG, "%s: there is no such file", path);
            return error_advise(err, "Correct --config or " CONFIG_VARIABLE ", or write the file");
        }
        break;
    case FILE_REFUSED:
        return false;
    }
    return apply(options, out, err);
}
