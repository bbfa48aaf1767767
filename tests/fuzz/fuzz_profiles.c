/* Fuzzes the files of a home directory: CLI profiles, credentials files, commands. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "identity/external.h"
#include "identity/ini.h"
#include "proto-json/cli_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void find_cli_profile(const uint8_t *bytes, size_t length)
{
    struct cli_profile profile AUTO(cli_profile_clear) = {0};
    char name[CLI_PROFILE_NAME_SIZE] = "";
    struct error err = {0};

    if (cli_profile_find(&profile, name, bytes, length, &err) == CLI_PROFILE_BROKEN &&
        err.cause[0] == '\0')
        abort();
}

static void find_section(const uint8_t *bytes, size_t length)
{
    struct cli_profile profile AUTO(cli_profile_clear) = {0};
    char name[CLI_PROFILE_NAME_SIZE] = "";
    struct error err = {0};

    if (ini_find(&profile, name, bytes, length, &err) == CLI_PROFILE_BROKEN && err.cause[0] == '\0')
        abort();
}

static void split_command(const char *text)
{
    struct external_command command AUTO(external_clear) = {{0}};
    struct error err = {0};
    size_t total = 0;

    if (!external_split(&command, text, &err))
        return;
    for (size_t i = 0; command.argv[i] != NULL; i++)
        total += strlen(command.argv[i]);
    if (command.argv[0] == NULL || total > strlen(text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = alloc_string_of((const char *)bytes, length);

    find_cli_profile(bytes, length);
    find_section(bytes, length);
    split_command(text);
    free(text);
    return 0;
}
