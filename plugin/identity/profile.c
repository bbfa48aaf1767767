#include "identity/profile.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "identity/environment.h"
#include "identity/ini.h"
#include "proto-json/cli_profile.h"

/* As many profiles may stand behind one another; a loop would be longer. */
enum { SOURCES_MAX = 8, PATH_SIZE = 4096 };

/* One of the two files, read. */
struct profile_file {
    char path[PATH_SIZE];
    bool is_named; /* by its variable */
    struct buf content;
    enum cli_profile_outcome (*find)(struct cli_profile *out, char name[CLI_PROFILE_NAME_SIZE],
                                     const void *bytes, size_t length, struct error *err);
};

static void clear_file(struct profile_file *file)
{
    buf_clear(&file->content);
}

/* A kubelet often runs without HOME. The system's users are looked up for others than root only,
 * for that may mean to ask a service. */
static const char *home(void)
{
    const char *named = environment_value("HOME");
    const struct passwd *user;

    if (named[0] != '\0')
        return named;
    user = geteuid() == 0 ? NULL : getpwuid(geteuid());
    return user == NULL || user->pw_dir == NULL ? "/root" : user->pw_dir;
}

static enum recipe_outcome read_file(struct profile_file *file, const char *variable,
                                     const char *usual, struct error *err)
{
    const char *named = environment_value(variable);

    file->is_named = named[0] != '\0';
    if (file->is_named)
        (void)text_copy(file->path, sizeof file->path, named);
    else
        text_join(file->path, sizeof file->path, home(), "/", usual);
    switch (file_read_trusted(&file->content, file->path, CLI_PROFILE_FILE_MAX_BYTES, err)) {
    case FILE_READ:
        return RECIPE_FOUND;
    case FILE_REFUSED:
        break;
    case FILE_ABSENT:
        (void)error_set(err, ERROR_CONFIG, "there is no %s", file->path);
        if (!file->is_named)
            return RECIPE_ABSENT;
    }
    if (file->is_named && err->advice[0] == '\0')
        (void)error_advise(err, "Correct %s, which names it", variable);
    return RECIPE_BROKEN;
}

/* -- from a profile to a recipe: a function for each mode -- */

/* What a profile is made into, and what it takes for that. */
struct making {
    struct recipe *out;
    struct cli_profile *profile;
    const struct profile_file *file;
    unsigned sources; /* of profiles behind this one, so far */
};

/* What a key of the CLI's profiles is called in this file. */
static const char *key_of(const struct making *making, const char *key)
{
    static const char *const names[][2] = {{"ram_role_arn", "role_arn"},
                                           {"ram_session_name", "role_session_name"},
                                           {"ram_role_name", "role_name"},
                                           {"mode", "type"}};

    for (size_t i = 0; making->file->find == ini_find && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(key, names[i][0]) == 0)
            return names[i][1];
    }
    return key;
}

static bool fail_missing(const struct making *making, const char *key, struct error *err)
{
    return error_set(err, ERROR_CONFIG, "%s is missing", key_of(making, key));
}

/* Moves a string out. */
static char *take(char **from)
{
    char *taken = *from;

    *from = NULL;
    return taken;
}

static bool make_key(const struct making *making, bool needs_token, struct error *err)
{
    struct cli_profile *profile = making->profile;
    struct credentials *key = &making->out->key;

    if (profile->access_key_id == NULL)
        return fail_missing(making, "access_key_id", err);
    if (secret_is_empty(&profile->access_key_secret))
        return fail_missing(making, "access_key_secret", err);
    if (needs_token && secret_is_empty(&profile->sts_token))
        return fail_missing(making, "sts_token", err);
    if (!text_copy(key->access_key_id, sizeof key->access_key_id, profile->access_key_id) ||
        !text_is_visible(key->access_key_id) ||
        !text_is_visible(secret_reveal(&profile->access_key_secret)) ||
        !text_is_visible(secret_reveal(&profile->sts_token)))
        return error_set(err, ERROR_CONFIG,
                         "its AccessKey or token is too long or has blanks or control bytes");
    making->out->base = RECIPE_KEY;
    key->access_key_secret = TAKE(profile->access_key_secret);
    key->security_token = TAKE(profile->sts_token);
    return true;
}

static bool make_ak(const struct making *making, struct error *err)
{
    secret_clear(&making->profile->sts_token);
    return make_key(making, false, err);
}

static bool make_sts_token(const struct making *making, struct error *err)
{
    return make_key(making, true, err);
}

/* The value of a key, else of the variable that stands in for it. */
static char *take_or_environment(char **from, const char *variable)
{
    const char *value = environment_value(variable);

    if (*from != NULL || value[0] == '\0')
        return take(from);
    return alloc_string(value);
}

static bool check_role(const struct making *making, struct error *err)
{
    struct role *role = &making->profile->role;

    role->arn = take_or_environment(&role->arn, "ALIBABA_CLOUD_ROLE_ARN");
    role->session_name =
        take_or_environment(&role->session_name, "ALIBABA_CLOUD_ROLE_SESSION_NAME");
    if (role->arn == NULL)
        return fail_missing(making, "ram_role_arn", err);
    return check_role_arn(role->arn, key_of(making, "ram_role_arn"), err) &&
           (role->session_name == NULL ||
            check_session_name(role->session_name, key_of(making, "ram_session_name"), err)) &&
           (role->external_id == NULL ||
            check_external_id(role->external_id, "external_id", err)) &&
           (role->policy == NULL || check_policy(role->policy, "policy", err));
}

static bool take_sts(const struct making *making, struct error *err)
{
    const char *region = making->profile->sts_region;

    making->out->sts_by_vpc = making->profile->enable_vpc;
    if (region == NULL)
        return true;
    if (!check_region(region, "sts_region", err))
        return false;
    (void)text_copy(making->out->sts_region, sizeof making->out->sts_region, region);
    return true;
}

static bool add_role(const struct making *making, struct error *err)
{
    if (!check_role(making, err) || !take_sts(making, err))
        return false;
    recipe_add_role(making->out, &making->profile->role);
    return true;
}

static bool make_ram_role_arn(const struct making *making, struct error *err)
{
    return make_key(making, false, err) && add_role(making, err);
}

static bool make_ecs_ram_role(const struct making *making, struct error *err)
{
    making->out->base = RECIPE_ECS;
    making->out->ecs_role = take(&making->profile->ram_role_name);
    return making->out->ecs_role == NULL ||
           check_role_name(making->out->ecs_role, key_of(making, "ram_role_name"), err);
}

static bool make_ram_role_arn_of_ecs(const struct making *making, struct error *err)
{
    return make_ecs_ram_role(making, err) && add_role(making, err);
}

static bool make_oidc(const struct making *making, struct error *err)
{
    struct cli_profile *profile = making->profile;
    struct recipe_oidc *oidc = &making->out->oidc;

    making->out->base = RECIPE_OIDC;
    oidc->provider_arn =
        take_or_environment(&profile->oidc_provider_arn, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN");
    oidc->token_file =
        take_or_environment(&profile->oidc_token_file, "ALIBABA_CLOUD_OIDC_TOKEN_FILE");
    if (oidc->provider_arn == NULL)
        return fail_missing(making, "oidc_provider_arn", err);
    if (oidc->token_file == NULL)
        return fail_missing(making, "oidc_token_file", err);
    if (!check_role(making, err) || !take_sts(making, err) ||
        !check_oidc_provider_arn(oidc->provider_arn, "oidc_provider_arn", err))
        return false;
    oidc->role = role_copy(&profile->role);
    return true;
}

static bool refuse_process(const struct making *making, struct error *err)
{
    (void)error_set(err, ERROR_CONFIG, "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS forbids mode %s",
                    making->profile->mode);
    return error_advise(err, "Unset it, or use a profile of another mode");
}

static bool is_process_disabled(void)
{
    return environment_is_go_true("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS");
}

static bool make_external(const struct making *making, struct error *err)
{
    if (is_process_disabled())
        return refuse_process(making, err);
    making->out->base = RECIPE_PROCESS;
    making->out->command = take(&making->profile->process_command);
    return making->out->command != NULL || fail_missing(making, "process_command", err);
}

static bool make_credentials_uri(const struct making *making, struct error *err)
{
    if (is_process_disabled())
        return refuse_process(making, err);
    making->out->base = RECIPE_URI;
    making->out->uri = take(&making->profile->credentials_uri);
    return making->out->uri != NULL || fail_missing(making, "credentials_uri", err);
}

static bool make(const struct making *making, struct error *err);

static bool make_chainable(const struct making *making, struct error *err)
{
    struct cli_profile source AUTO(cli_profile_clear) = {0};
    const struct making behind = {making->out, &source, making->file, making->sources + 1};
    char name[CLI_PROFILE_NAME_SIZE] = "";

    if (making->profile->source_profile == NULL)
        return fail_missing(making, "source_profile", err);
    if (making->sources == SOURCES_MAX)
        return error_set(err, ERROR_CONFIG,
                         "its source profiles stand behind one another without an end");
    if (!text_copy(name, sizeof name, making->profile->source_profile))
        return error_set(err, ERROR_CONFIG, "the name of its source profile is too long");
    switch (making->file->find(&source, name, making->file->content.bytes,
                               making->file->content.length, err)) {
    case CLI_PROFILE_BROKEN:
        return false;
    case CLI_PROFILE_ABSENT:
        return error_set(err, ERROR_CONFIG, "its source profile %s is not in the file", name);
    case CLI_PROFILE_FOUND:
        break;
    }
    if (make(&behind, err))
        return add_role(making, err);
    /* The last one is to be looked at; those of a loop would be named over and over. */
    return err->context[0] != '\0' ? false : error_wrap(err, "source profile %s", name);
}

static bool refuse_sign_in(const struct making *making, struct error *err)
{
    (void)error_set(err, ERROR_CONFIG, "mode %s needs a person to sign in", making->profile->mode);
    return error_advise(err, "Use a profile of another mode; to use the node's RAM role, set "
                             "ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true");
}

static bool make(const struct making *making, struct error *err)
{
    static const struct {
        const char *mode;
        bool (*make)(const struct making *making, struct error *err);
    } modes[] = {
        {"AK", make_ak},
        {"StsToken", make_sts_token},
        {"RamRoleArn", make_ram_role_arn},
        {"EcsRamRole", make_ecs_ram_role},
        {"RamRoleArnWithRoleName", make_ram_role_arn_of_ecs},
        {"OIDC", make_oidc},
        {"ChainableRamRoleArn", make_chainable},
        {"External", make_external},
        {"CredentialsURI", make_credentials_uri},
        {"CloudSSO", refuse_sign_in},
        {"OAuth", refuse_sign_in},
    };

    if (making->profile->mode == NULL)
        return fail_missing(making, "mode", err);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(making->profile->mode, modes[i].mode) == 0)
            return modes[i].make(making, err);
    }
    return error_set(err, ERROR_CONFIG, "%s %s is not supported", key_of(making, "mode"),
                     making->profile->mode);
}

/* As `aliyun configure` leaves its file behind before anything was entered. */
static bool is_blank(const struct cli_profile *profile, const struct profile_file *file)
{
    return file->find == cli_profile_find && !file->is_named && profile->mode != NULL &&
           strcmp(profile->mode, "AK") == 0 && profile->access_key_id == NULL &&
           secret_is_empty(&profile->access_key_secret);
}

static enum recipe_outcome use_file(struct recipe *out, const struct profile_file *file,
                                    const char *name, struct error *err)
{
    struct cli_profile profile AUTO(cli_profile_clear) = {0};
    const struct making making = {out, &profile, file, 0};
    const char *asked = name != NULL ? name : environment_value("ALIBABA_CLOUD_PROFILE");
    char named[CLI_PROFILE_NAME_SIZE] = "";

    if (!text_copy(named, sizeof named, asked)) {
        (void)error_set(err, ERROR_CONFIG, "the name of the profile is too long");
        return RECIPE_BROKEN;
    }
    switch (file->find(&profile, named, file->content.bytes, file->content.length, err)) {
    case CLI_PROFILE_BROKEN:
        (void)error_wrap(err, "%s", file->path);
        return RECIPE_BROKEN;
    case CLI_PROFILE_ABSENT:
        (void)error_set(err, ERROR_CONFIG, "%s has no %s%s", file->path,
                        named[0] == '\0' ? "current profile" : "profile ", named);
        /* What was asked for by name may be in the other file; a file that was named must have its
         * profile. */
        return asked[0] == '\0' && file->is_named ? RECIPE_BROKEN : RECIPE_ABSENT;
    case CLI_PROFILE_FOUND:
        break;
    }
    if (asked[0] == '\0' && is_blank(&profile, file)) {
        (void)error_set(err, ERROR_CONFIG, "profile %s of %s is empty", named, file->path);
        return RECIPE_ABSENT;
    }
    text_join(out->words, sizeof out->words, "profile ", "", named);
    if (make(&making, err))
        return RECIPE_FOUND;
    (void)error_wrap(err, "profile %s of %s", named, file->path);
    return RECIPE_BROKEN;
}

enum recipe_outcome profile_of_cli(struct recipe *out, const char *name, struct error *err)
{
    struct profile_file file AUTO(clear_file) = {.find = cli_profile_find};
    enum recipe_outcome outcome =
        read_file(&file, "ALIBABA_CLOUD_CONFIG_FILE", ".aliyun/config.json", err);

    return outcome == RECIPE_FOUND ? use_file(out, &file, name, err) : outcome;
}

enum recipe_outcome profile_of_file(struct recipe *out, const char *name, struct error *err)
{
    struct profile_file file AUTO(clear_file) = {.find = ini_find};
    enum recipe_outcome outcome =
        read_file(&file, "ALIBABA_CLOUD_CREDENTIALS_FILE", ".alibabacloud/credentials", err);

    return outcome == RECIPE_FOUND ? use_file(out, &file, name, err) : outcome;
}
