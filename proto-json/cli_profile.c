#include "proto-json/cli_profile.h"

#include <stdlib.h>
#include <string.h>

#include "proto-json/doc.h"

enum {
    PROFILES_MAX = 1000,
    TEXT_MAX_BYTES = 4096,
    SECRET_MAX_BYTES = 16 * 1024,
    DURATION_MAX_S = 43200
};

void cli_profile_clear(struct cli_profile *profile)
{
    free(profile->mode);
    free(profile->access_key_id);
    secret_clear(&profile->access_key_secret);
    secret_clear(&profile->sts_token);
    free(profile->ram_role_name);
    credentials_clear_role(&profile->role);
    free(profile->oidc_provider_arn);
    free(profile->oidc_token_file);
    free(profile->source_profile);
    free(profile->process_command);
    free(profile->credentials_uri);
    free(profile->sts_region);
    *profile = (struct cli_profile){0};
}

static bool read_text(char **out, const struct doc_node *profile, const char *name,
                      struct error *err)
{
    if (!doc_string(out, TEXT_MAX_BYTES, doc_optional_member(profile, name), err))
        return false;
    if (*out != NULL && **out == '\0') {
        free(*out);
        *out = NULL;
    }
    return true;
}

static bool read_secret(struct secret *out, const struct doc_node *profile, const char *name,
                        struct error *err)
{
    return doc_secret(out, SECRET_MAX_BYTES, doc_optional_member(profile, name), err);
}

static bool read_profile(struct cli_profile *out, const struct doc_node *profile, struct error *err)
{
    const struct {
        char **place;
        const char *name;
    } texts[] = {
        {&out->mode, "mode"},
        {&out->access_key_id, "access_key_id"},
        {&out->ram_role_name, "ram_role_name"},
        {&out->role.arn, "ram_role_arn"},
        {&out->role.session_name, "ram_session_name"},
        {&out->role.external_id, "external_id"},
        {&out->role.policy, "policy"},
        {&out->oidc_provider_arn, "oidc_provider_arn"},
        {&out->oidc_token_file, "oidc_token_file"},
        {&out->source_profile, "source_profile"},
        {&out->process_command, "process_command"},
        {&out->credentials_uri, "credentials_uri"},
        {&out->sts_region, "sts_region"},
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (!read_text(texts[i].place, profile, texts[i].name, err))
            return false;
    }
    return read_secret(&out->access_key_secret, profile, "access_key_secret", err) &&
           read_secret(&out->sts_token, profile, "sts_token", err) &&
           doc_integer(&out->role.duration_s, 0, DURATION_MAX_S,
                       doc_optional_member(profile, "expired_seconds"), err) &&
           doc_boolean(&out->enable_vpc, doc_optional_member(profile, "enable_vpc"), err);
}

static bool is_named(const struct doc_node *profile, const char *name)
{
    char its_name[CLI_PROFILE_NAME_SIZE] = "";
    struct error ignored;

    return doc_text(its_name, sizeof its_name, doc_member(profile, "name"), &ignored) &&
           strcmp(its_name, name) == 0;
}

enum cli_profile_outcome cli_profile_find(struct cli_profile *out, char name[CLI_PROFILE_NAME_SIZE],
                                          const void *bytes, size_t length, struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct cli_profile fresh AUTO(cli_profile_clear) = {0};
    struct doc_node profiles;
    size_t count = 0;

    if (!doc_parse(&doc, ERROR_CONFIG, bytes, length, CLI_PROFILE_FILE_MAX_BYTES, err))
        return CLI_PROFILE_BROKEN;
    profiles = doc_optional_member(&doc.root, "profiles");
    if (name[0] == '\0' &&
        !doc_text(name, CLI_PROFILE_NAME_SIZE, doc_optional_member(&doc.root, "current"), err))
        return CLI_PROFILE_BROKEN;
    if (!doc_array(&count, PROFILES_MAX, profiles, err))
        return CLI_PROFILE_BROKEN;
    for (size_t i = 0; i < count; i++) {
        struct doc_node profile = doc_element(&profiles, i);

        if (!is_named(&profile, name))
            continue;
        if (!read_profile(&fresh, &profile, err))
            return CLI_PROFILE_BROKEN;
        cli_profile_clear(out);
        *out = TAKE(fresh);
        return CLI_PROFILE_FOUND;
    }
    return CLI_PROFILE_ABSENT;
}
