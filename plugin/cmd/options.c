#include "cmd/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "proto-json/settings.h"
#include "proto-json/settings_check.h"

const char options_help[] =
    "usage: aliyun-acr-credential-provider [FLAGS]     answer a CredentialProviderRequest on "
    "stdin\n"
    "       aliyun-acr-credential-provider version     print versions\n"
    "\n"
    "Gives the kubelet temporary credentials for Alibaba Cloud Container Registry (ACR).\n"
    "\n"
    "  --config FILE        configuration, JSON\n"
    "                       (default /etc/aliyun-acr-credential-provider/config.json if it is "
    "there)\n"
    "  --deadline SECONDS   for the whole run, 1 to 600 (default 50)\n"
    "  --log-level LEVEL    error, warning, info or debug (default error)\n"
    "  --log-format FORMAT  text or json (default text)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 answered, 64 usage, 65 bad request, 69 service unavailable, 75 try again\n"
    "later, 77 not permitted, 78 bad configuration.\n";

/* The place for the value of a flag, NULL if there is no such flag. */
static const char **place_of(struct options *options, const char *flag)
{
    const struct {
        const char *flag;
        const char **place;
    } flags[] = {
        {"--config", &options->config_path},
        {"--deadline", &options->deadline},
        {"--log-level", &options->log_level},
        {"--log-format", &options->log_format},
    };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        size_t length = strlen(flags[i].flag);

        if (strncmp(flag, flags[i].flag, length) == 0 &&
            (flag[length] == '\0' || flag[length] == '='))
            return flags[i].place;
    }
    return NULL;
}

static bool fail_usage(const char *what, const char *argument, struct error *err)
{
    (void)error_set(err, ERROR_USAGE, "%s: %s", what, argument);
    return error_advise(err, "See --help");
}

bool options_parse(struct options *out, int argc, char **argv, struct error *err)
{
    *out = (struct options){0};
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        const char **place = place_of(out, argument);
        const char *equals = strchr(argument, '=');

        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            out->command = OPTIONS_HELP;
            return true;
        }
        if (strcmp(argument, "--version") == 0 || (i == 1 && strcmp(argument, "version") == 0)) {
            out->command = OPTIONS_VERSION;
            continue;
        }
        if (place == NULL)
            return fail_usage(argument[0] == '-' ? "unknown flag" : "unknown command", argument,
                              err);
        if (equals == NULL && i + 1 == argc)
            return fail_usage("a value is missing after", argument, err);
        *place = equals != NULL ? equals + 1 : argv[++i];
    }
    return true;
}

static int index_of(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return i;
    }
    return -1;
}

static bool apply_environment(struct settings *settings, struct error *err)
{
    const char *endpoint = secure_getenv("ALIBABA_CLOUD_IMDS_ENDPOINT");

    if (endpoint == NULL || endpoint[0] == '\0')
        return true;
    if (!settings_check_endpoint(endpoint, "http", "ALIBABA_CLOUD_IMDS_ENDPOINT", err))
        return false;
    free(settings->endpoints.metadata);
    settings->endpoints.metadata = alloc_string(endpoint);
    return true;
}

bool options_apply(const struct options *options, struct settings *settings, struct error *err)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    static const char *const formats[] = {"text", "json"};
    int level = options->log_level == NULL ? (int)settings->log_level
                                           : index_of(options->log_level, levels, 4);
    int format = options->log_format == NULL ? (int)settings->log_format
                                             : index_of(options->log_format, formats, 2);

    if (level < 0)
        return fail_usage("--log-level must be error, warning, info or debug, not",
                          options->log_level, err);
    if (format < 0)
        return fail_usage("--log-format must be text or json, not", options->log_format, err);
    if (options->deadline != NULL &&
        !text_parse_number(options->deadline, 1, 600, &settings->deadline_s))
        return fail_usage("--deadline must be a number of seconds from 1 to 600, not",
                          options->deadline, err);
    settings->log_level = (enum log_level)level;
    settings->log_format = (enum log_format)format;
    return apply_environment(settings, err);
}
