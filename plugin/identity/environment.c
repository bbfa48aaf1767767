#include "identity/environment.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/system.h"

static const struct {
    const char *name;
    const char *older[2];
} renamed[] = {
    {"ALIBABA_CLOUD_PROFILE", {"ALIBABACLOUD_PROFILE", "ALICLOUD_PROFILE"}},
    {"ALIBABA_CLOUD_CONFIG_FILE", {"ALIBABACLOUD_PROFILE_PATH"}},
    {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED", {"ALIBABACLOUD_IGNORE_PROFILE"}},
    {"ALIBABA_CLOUD_ROLE_SESSION_NAME", {"ALICLOUD_ROLE_SESSION_NAME"}},
};

const char *environment_value(const struct system *system, const char *name)
{
    const char *value = system->variable(name);

    for (size_t i = 0; i < COUNT_OF(renamed); i++) {
        if (strcmp(name, renamed[i].name) != 0)
            continue;
        for (size_t j = 0; j < 2 && value[0] == '\0' && renamed[i].older[j] != NULL; j++)
            value = system->variable(renamed[i].older[j]);
    }
    return value;
}

bool environment_is_set(const struct system *system, const char *name)
{
    return environment_value(system, name)[0] != '\0';
}

char *environment_copy(const struct system *system, const char *name)
{
    const char *value = environment_value(system, name);

    return value[0] == '\0' ? NULL : alloc_string(value);
}

bool environment_is_true(const struct system *system, const char *name)
{
    const char *value = environment_value(system, name);

    return strcasecmp(value, "true") == 0 || strcasecmp(value, "t") == 0 || strcmp(value, "1") == 0;
}
