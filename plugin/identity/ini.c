#include "identity/ini.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"

#define BLANKS " \t\r"

/* Takes the quotes off a value, or the comment that follows it. */
static char *bare_value(char *text)
{
    char *end = text[0] == '"' || text[0] == '\'' ? strrchr(text + 1, text[0]) : NULL;

    if (end != NULL && (end[1] == '\0' || strchr(BLANKS "#;", end[1]) != NULL)) {
        *end = '\0';
        return text + 1;
    }
    for (char *at = text; *at != '\0'; at++) {
        if ((*at == '#' || *at == ';') && at > text && strchr(BLANKS, at[-1]) != NULL) {
            *at = '\0';
            break;
        }
    }
    return text_trim(text);
}

static void set_text(char **out, const char *value)
{
    free(*out);
    *out = value[0] == '\0' ? NULL : alloc_string(value);
}

/* Takes a key that a profile knows by one name or another; others are ignored. */
static void take_key(struct cli_profile *out, const char *key, const char *value)
{
    const struct {
        const char *key;
        char **place;
    } texts[] = {
        {"type", &out->mode},
        {"access_key_id", &out->access_key_id},
        {"role_name", &out->ram_role_name},
        {"role_arn", &out->role.arn},
        {"role_session_name", &out->role.session_name},
        {"policy", &out->role.policy},
        {"credentials_uri", &out->credentials_uri},
        {"process_command", &out->process_command},
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (strcmp(key, texts[i].key) == 0)
            set_text(texts[i].place, value);
    }
    if (strcmp(key, "access_key_secret") == 0)
        secret_set(&out->access_key_secret, value, strlen(value));
    else if (strcmp(key, "sts_token") == 0)
        secret_set(&out->sts_token, value, strlen(value));
}

/* Translates the type of a section to a mode of CLI profiles; an unknown type stays as it is. */
static void translate_type(struct cli_profile *profile)
{
    static const struct {
        const char *type;
        const char *mode;
    } types[] = {
        {"access_key", "AK"},           {"sts", "StsToken"},
        {"ecs_ram_role", "EcsRamRole"}, {"ram_role_arn", "RamRoleArn"},
        {"external", "External"},       {"credentials_uri", "CredentialsURI"},
    };

    for (size_t i = 0; profile->mode != NULL && i < COUNT_OF(types); i++) {
        if (strcmp(profile->mode, types[i].type) == 0)
            set_text(&profile->mode, types[i].mode);
    }
}

/* Reads one line. False if it is neither section, key, comment nor blank. */
static bool read_line(struct cli_profile *out, char *line, const char *name, bool *inside,
                      bool *found)
{
    char *equals; /* or the colon, which the library for Go takes for one */
    size_t length;

    line = text_trim(line);
    if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
        return true;
    length = strlen(line);
    if (line[0] == '[') {
        if (line[length - 1] != ']')
            return false;
        line[length - 1] = '\0';
        *inside = strcmp(text_trim(line + 1), name) == 0;
        *found = *found || *inside;
        return true;
    }
    equals = strpbrk(line, "=:");
    if (equals == NULL)
        return false;
    *equals = '\0';
    if (*inside)
        take_key(out, text_trim(line), bare_value(text_trim(equals + 1)));
    return true;
}

enum cli_profile_outcome ini_find(struct cli_profile *out, char name[CLI_PROFILE_NAME_SIZE],
                                  const void *bytes, size_t length, struct error *err)
{
    struct cli_profile fresh AUTO(cli_profile_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    bool inside = false;
    bool found = false;
    char *rest;

    if (length > 0 && memchr(bytes, '\0', length) != NULL) {
        error_set(err, ERROR_CONFIG, "it has a NUL byte");
        return CLI_PROFILE_BROKEN;
    }
    if (name[0] == '\0')
        text_copy(name, CLI_PROFILE_NAME_SIZE, "default");
    buf_append(&text, bytes, length);
    rest = text.bytes;
    for (unsigned number = 1; rest != NULL; number++) {
        char *line = strsep(&rest, "\n");

        if (!read_line(&fresh, line, name, &inside, &found)) {
            error_set(err, ERROR_CONFIG, "line %u is neither [section] nor key = value", number);
            return CLI_PROFILE_BROKEN;
        }
    }
    if (!found)
        return CLI_PROFILE_ABSENT;
    translate_type(&fresh);
    cli_profile_clear(out);
    *out = TAKE(fresh);
    return CLI_PROFILE_FOUND;
}
