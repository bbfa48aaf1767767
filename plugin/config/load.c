#include "config/load.h"

#include <string.h>

#include "base/text.h"

enum { URL_SIZE = 512 };

static bool apply_flags(struct settings *settings, const struct load_flag *flags, struct error *err)
{
    for (; flags->name != NULL; flags++) {
        if (!settings_set(settings, flags->key, flags->value, flags->name, err)) {
            err->kind = ERROR_USAGE;
            return false;
        }
    }
    return true;
}

static bool load_file(struct settings *out, const struct system *system, const char *config_path,
                      struct error *err)
{
    struct buf file AUTO(buf_clear) = {0};
    const char *named = config_path != NULL ? config_path : system->variable(LOAD_CONFIG_VARIABLE);
    const char *path = named[0] != '\0' ? named : LOAD_CONFIG_FILE;

    switch (system->read_file(&file, path, SETTINGS_MAX_BYTES, err)) {
    case FILE_READ:
        if (settings_decode(out, file.bytes, file.length, err))
            return true;
        error_advise(err,
                     "Correct this file; the manual page and config.schema.json name its keys");
        return error_wrap(err, "%s", path);
    case FILE_ABSENT:
        return path != named ||
               error_set_advised(err, ERROR_CONFIG,
                                 "Correct --config or " LOAD_CONFIG_VARIABLE ", or write the file",
                                 "%s: there is no such file", path);
    case FILE_REFUSED:
        break;
    }
    return err->advice[0] != '\0'
               ? false
               : error_advise(err, "Name a regular file by %s",
                              config_path == NULL && path == named ? LOAD_CONFIG_VARIABLE
                                                                   : "--config");
}

static bool apply_environment(struct settings *settings, const struct system *system,
                              struct error *err)
{
    static const char metadata[] = "ALIBABA_CLOUD_IMDS_ENDPOINT";
    static const char sts[] = "ALIBABA_CLOUD_STS_ENDPOINT";
    const char *host = system->variable(sts);
    char url[URL_SIZE];

    if (system->variable(metadata)[0] != '\0' &&
        !settings_set(settings, "endpoints.metadata", system->variable(metadata), metadata, err))
        return false;
    if (host[0] == '\0')
        return true;
    /* ACK's webhook writes the bare host name here. */
    text_join(url, sizeof url, strstr(host, "://") == NULL ? "https://" : "", "", host);
    return settings_set(settings, "endpoints.sts", url, sts, err);
}

bool load_settings(struct settings *out, const struct system *system, const char *config_path,
                   const struct load_flag *flags, struct error *err)
{
    struct error ignored;
    bool is_loaded;

    settings_default(out);
    if (!apply_flags(out, flags, err))
        return false;
    is_loaded = load_file(out, system, config_path, err) && apply_environment(out, system, err);
    return apply_flags(out, flags, is_loaded ? err : &ignored) && is_loaded;
}
