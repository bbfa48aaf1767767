/* Where the settings come from: file < environment < flags. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "base/auto.h"
#include "base/error.h"
#include "base/system.h"
#include "config/settings.h"

/* Names the file where no flag does: for the docker credential helper, whose protocol leaves no
 * room for flags. */
#define LOAD_CONFIG_VARIABLE "ACR_CREDENTIAL_PROVIDER_CONFIG"
/* Read if neither names a file and this one exists. */
#define LOAD_CONFIG_FILE "/etc/aliyun-acr-credential-provider/config.json"

/* A key that a flag sets: "--log-level", "log.level", "info". */
struct load_flag {
    const char *name;
    const char *key;
    const char *value;
};

/* Fills the settings. `config_path` is the flag's, NULL if not given; the list of `flags` ends with
 * a NULL name. Fails with ERROR_USAGE for a flag, ERROR_CONFIG for the file or a variable; even
 * then the flags that are valid are in effect, so that the error is logged where they say. */
CHECKED bool load_settings(struct settings *out, const struct system *system,
                           const char *config_path, const struct load_flag *flags,
                           struct error *err);

#endif
