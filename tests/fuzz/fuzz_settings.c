/* Fuzzes the decoder of the configuration file, and the matcher with the patterns it let pass. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "config/settings.h"
#include "registry/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_registry(const struct settings_registry *registry)
{
    if (registry->match_count == 0)
        abort();
    for (size_t i = 0; i < registry->match_count; i++) {
        /* No pattern fits both: either it names a port or it does not. */
        if (match_host(registry->matches[i], "demo-registry.cn-shanghai.cr.aliyuncs.com") &&
            match_host(registry->matches[i], "demo-registry.cn-shanghai.cr.aliyuncs.com:5000"))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct settings settings AUTO(settings_clear) = {0};
    struct error err = {0};

    if (!settings_decode(&settings, bytes, length, &err))
        return 0;
    if (settings.deadline_s < 1 || settings.endpoints.metadata == NULL)
        abort();
    for (size_t i = 0; i < settings.registry_count; i++)
        check_registry(&settings.registries[i]);
    return 0;
}
