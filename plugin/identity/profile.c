#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/system.h"
#include "base/text.h"
#include "identity/environment.h"
#include "identity/explain.h"
#include "identity/ini.h"
#include "identity/sources.h"
#include "proto-json/cli_profile.h"

#define PROFILE_VARIABLE "ALIBABA_CLOUD_PROFILE"
#define NO_EXTERNAL      "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"

/* Maximum depth of source_profile; it also ends loops. */
enum { SOURCES_MAX = 8, PATH_SIZE = 4096 };

/* One of the two kinds of files, read. */
struct profile_file {
    const struct system *system;
    char path[PATH_SIZE];
    bool is_named; /* by its variable */
    bool is_ini;
    struct buf content;
};

static void clear_file(struct profile_file *file)
{
    buf_clear(&file->content);
}

static enum cli_profile_outcome find(struct cli_profile *out, char name[CLI_PROFILE_NAME_SIZE],
                                     const struct profile_file *file, struct error *err)
{
    return file->is_ini
               ? ini_find(out, name, file->content.bytes, file->content.length, err)
               : cli_profile_find(out, name, file->content.bytes, file->content.length, err);
}

/* A kubelet often runs without HOME. NULL if there is no home directory. */
static const char *find_home(const struct system *system)
{
    const char *named = system->variable("HOME");

    return named[0] != '\0' ? named : system->home();
}

/* Fails with plan_absent() if there is no such file, unless the variable names it. */
static bool read_file(struct profile_file *file, const char *variable, const char *usual,
                      struct error *err)
{
    const char *named = environment_value(file->system, variable);
    const char *home = NULL;

    file->is_named = named[0] != '\0';
    if (!file->is_named && (home = find_home(file->system)) == NULL)
        return plan_absent(err, "this user has no home directory, and %s is not set", variable);
    if (file->is_named)
        text_copy(file->path, sizeof file->path, named);
    else
        text_join(file->path, sizeof file->path, home, "/", usual);
    switch (file->system->read_file(&file->content, file->path, CLI_PROFILE_FILE_MAX_BYTES, err)) {
    case FILE_READ:
        return true;
    case FILE_REFUSED:
        break;
    case FILE_ABSENT:
        if (!file->is_named)
            return plan_absent(err, "there is no %s", file->path);
        error_set(err, ERROR_CONFIG, "there is no %s", file->path);
    }
    return file->is_named ? explain_named_file(variable, err) : false;
}

/* -- from a profile to a plan: a function for each mode -- */

/* A profile, and the plan that it becomes. */
struct profile_context {
    struct plan *out;
    struct cli_profile *profile;
    const struct profile_file *file;
    unsigned depth; /* how many profiles have this one as their source_profile, directly or not */
};

/* What a key of the CLI's profiles is called in this file. */
static const char *key_of(const struct profile_context *context, const char *key)
{
    static const char *const names[][2] = {{"ram_role_arn", "role_arn"},
                                           {"ram_session_name", "role_session_name"},
                                           {"ram_role_name", "role_name"},
                                           {"mode", "type"}};

    for (size_t i = 0; context->file->is_ini && i < COUNT_OF(names); i++) {
        if (strcmp(key, names[i][0]) == 0)
            return names[i][1];
    }
    return key;
}

static bool fail_missing(const struct profile_context *context, const char *key, struct error *err)
{
    return error_set(err, ERROR_CONFIG, "%s is missing", key_of(context, key));
}

static bool make_static(const struct profile_context *context, struct error *err)
{
    struct cli_profile *profile = context->profile;
    struct credentials *key = &context->out->credentials;

    if (profile->access_key_id == NULL)
        return fail_missing(context, "access_key_id", err);
    if (secret_is_empty(&profile->access_key_secret))
        return fail_missing(context, "access_key_secret", err);
    if (!text_copy(key->access_key_id, sizeof key->access_key_id, profile->access_key_id) ||
        !text_is_visible(key->access_key_id) ||
        !text_is_visible(secret_reveal(&profile->access_key_secret)) ||
        !text_is_visible(secret_reveal(&profile->sts_token)))
        return error_set(err, ERROR_CONFIG,
                         "its AccessKey or token is too long or has blanks or control bytes");
    context->out->source = PLAN_STATIC;
    key->access_key_secret = TAKE(profile->access_key_secret);
    key->security_token = TAKE(profile->sts_token);
    return true;
}

static bool make_ak(const struct profile_context *context, struct error *err)
{
    secret_clear(&context->profile->sts_token);
    return make_static(context, err);
}

static bool make_sts_token(const struct profile_context *context, struct error *err)
{
    if (!make_static(context, err))
        return false;
    return !secret_is_empty(&context->out->credentials.security_token) ||
           fail_missing(context, "sts_token", err);
}

/* The value of a key; without one, that of a variable. */
static char *take_or_environment(const struct profile_context *context, char **from,
                                 const char *variable)
{
    return *from != NULL ? TAKE(*from) : environment_copy(context->file->system, variable);
}

static bool check_role(const struct profile_context *context, struct error *err)
{
    struct role *role = &context->profile->role;

    role->arn = take_or_environment(context, &role->arn, "ALIBABA_CLOUD_ROLE_ARN");
    role->session_name =
        take_or_environment(context, &role->session_name, "ALIBABA_CLOUD_ROLE_SESSION_NAME");
    if (role->arn == NULL)
        return fail_missing(context, "ram_role_arn", err);
    return check_text(CHECK_ROLE_ARN, role->arn, key_of(context, "ram_role_arn"), err) &&
           (role->session_name == NULL || check_text(CHECK_SESSION_NAME, role->session_name,
                                                     key_of(context, "ram_session_name"), err)) &&
           (role->external_id == NULL ||
            check_text(CHECK_EXTERNAL_ID, role->external_id, "external_id", err)) &&
           (role->policy == NULL || check_text(CHECK_POLICY, role->policy, "policy", err));
}

static bool take_sts(const struct profile_context *context, struct error *err)
{
    const char *region = context->profile->sts_region;

    context->out->sts_prefers_vpc = context->profile->enable_vpc;
    if (region == NULL)
        return true;
    if (!check_text(CHECK_REGION, region, "sts_region", err))
        return false;
    text_copy(context->out->sts_region, sizeof context->out->sts_region, region);
    return true;
}

static bool add_role(const struct profile_context *context, struct error *err)
{
    if (!check_role(context, err) || !take_sts(context, err))
        return false;
    plan_add_role(context->out, &context->profile->role);
    return true;
}

static bool make_ecs_ram_role(const struct profile_context *context, struct error *err)
{
    struct plan_ecs *ecs = &context->out->ecs;

    ecs->role = TAKE(context->profile->ram_role_name);
    if (ecs->role != NULL) {
        ecs->role_named_by = "the role's name in the profile";
        if (!check_text(CHECK_ROLE_NAME, ecs->role, key_of(context, "ram_role_name"), err))
            return false;
    }
    return ecs_use(context->out, context->file->system, err) &&
           (!ecs->is_disabled || explain_ecs_disabled(err));
}

static bool make_oidc(const struct profile_context *context, struct error *err)
{
    struct cli_profile *profile = context->profile;
    struct plan_oidc *oidc = &context->out->oidc;

    context->out->source = PLAN_OIDC;
    oidc->provider_arn = take_or_environment(context, &profile->oidc_provider_arn,
                                             "ALIBABA_CLOUD_OIDC_PROVIDER_ARN");
    oidc->token_file =
        take_or_environment(context, &profile->oidc_token_file, "ALIBABA_CLOUD_OIDC_TOKEN_FILE");
    if (oidc->provider_arn == NULL)
        return fail_missing(context, "oidc_provider_arn", err);
    if (oidc->token_file == NULL)
        return fail_missing(context, "oidc_token_file", err);
    if (!check_role(context, err) || !take_sts(context, err) ||
        !check_text(CHECK_OIDC_PROVIDER_ARN, oidc->provider_arn, "oidc_provider_arn", err))
        return false;
    oidc->role = credentials_copy_role(&profile->role);
    return true;
}

static bool make_external(const struct profile_context *context, struct error *err)
{
    context->out->source = PLAN_EXTERNAL;
    context->out->command = TAKE(context->profile->process_command);
    return context->out->command != NULL || fail_missing(context, "process_command", err);
}

static bool make_credentials_uri(const struct profile_context *context, struct error *err)
{
    context->out->source = PLAN_URI;
    context->out->uri = TAKE(context->profile->credentials_uri);
    return context->out->uri != NULL || fail_missing(context, "credentials_uri", err);
}

static bool make(const struct profile_context *context, struct error *err);

/* Makes the profile that this one names as its source. */
static bool make_source(const struct profile_context *context, struct error *err)
{
    struct cli_profile source AUTO(cli_profile_clear) = {0};
    const struct profile_context next = {context->out, &source, context->file, context->depth + 1};
    char name[CLI_PROFILE_NAME_SIZE] = "";

    if (context->profile->source_profile == NULL)
        return fail_missing(context, "source_profile", err);
    if (context->depth == SOURCES_MAX)
        return error_set(err, ERROR_CONFIG,
                         "source_profile forms a loop or is nested deeper than %d", SOURCES_MAX);
    if (!text_copy(name, sizeof name, context->profile->source_profile))
        return error_set(err, ERROR_CONFIG, "the name of its source profile is too long");
    switch (find(&source, name, context->file, err)) {
    case CLI_PROFILE_BROKEN:
        return false;
    case CLI_PROFILE_ABSENT:
        return error_set(err, ERROR_CONFIG, "its source profile %s is not in the file", name);
    case CLI_PROFILE_FOUND:
        break;
    }
    if (make(&next, err))
        return true;
    /* Only the last is named: a loop would name its profiles over and over. */
    return err->context[0] != '\0' ? false : error_wrap(err, "source profile %s", name);
}

static bool refuse_sign_in(const struct profile_context *context, struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG, ADVICE_SIGN_IN, "mode %s needs a person to sign in",
                             context->profile->mode);
}

static bool make(const struct profile_context *context, struct error *err)
{
    static const struct {
        const char *mode;
        bool (*make)(const struct profile_context *context, struct error *err);
        bool is_external; /* the credentials come from another program */
        bool adds_role;
    } modes[] = {
        {"AK", make_ak, false, false},
        {"StsToken", make_sts_token, false, false},
        {"RamRoleArn", make_static, false, true},
        {"EcsRamRole", make_ecs_ram_role, false, false},
        {"RamRoleArnWithRoleName", make_ecs_ram_role, false, true},
        {"OIDC", make_oidc, false, false},
        {"ChainableRamRoleArn", make_source, false, true},
        {"External", make_external, true, false},
        {"CredentialsURI", make_credentials_uri, true, false},
        {"CloudSSO", refuse_sign_in, false, false},
        {"OAuth", refuse_sign_in, false, false},
    };
    const char *mode = context->profile->mode;

    if (mode == NULL)
        return fail_missing(context, "mode", err);
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (strcmp(mode, modes[i].mode) != 0)
            continue;
        if (modes[i].is_external && environment_is_true(context->file->system, NO_EXTERNAL))
            return error_set_advised(err, ERROR_CONFIG, ADVICE_EXTERNAL_DISABLED,
                                     "mode %s is disabled by " NO_EXTERNAL, mode);
        return modes[i].make(context, err) && (!modes[i].adds_role || add_role(context, err));
    }
    return error_set(err, ERROR_CONFIG, "%s %s is not supported", key_of(context, "mode"), mode);
}

/* As `aliyun configure` creates it before anything is entered. */
static bool is_blank(const struct cli_profile *profile, const struct profile_file *file)
{
    return !file->is_ini && !file->is_named && profile->mode != NULL &&
           strcmp(profile->mode, "AK") == 0 && profile->access_key_id == NULL &&
           secret_is_empty(&profile->access_key_secret);
}

/* `wanted` is the configuration's choice, or NULL. */
static bool use_file(struct plan *out, const struct profile_file *file, const char *wanted,
                     struct error *err)
{
    const char *asked = wanted != NULL ? wanted : environment_value(file->system, PROFILE_VARIABLE);
    struct cli_profile profile AUTO(cli_profile_clear) = {0};
    const struct profile_context context = {out, &profile, file, 0};
    char name[CLI_PROFILE_NAME_SIZE] = "";

    if (!text_copy(name, sizeof name, asked))
        return error_set(err, ERROR_CONFIG, "the name of the profile is too long");
    switch (find(&profile, name, file, err)) {
    case CLI_PROFILE_BROKEN:
        return error_wrap(err, "%s", file->path);
    case CLI_PROFILE_ABSENT:
        error_set(err, ERROR_CONFIG, "%s has no %s%s", file->path,
                  name[0] == '\0' ? "current profile" : "profile ", name);
        /* A profile that was asked for may be in the other file; a file that was named must have
         * its own choice. */
        if (asked[0] != '\0' || !file->is_named)
            err->retry = ERROR_RETRY_NEXT_SOURCE;
        return false;
    case CLI_PROFILE_FOUND:
        break;
    }
    if (asked[0] == '\0' && is_blank(&profile, file))
        return plan_absent(err, "profile %s of %s is empty", name, file->path);
    text_join(out->principal, sizeof out->principal, "profile ", "", name);
    return make(&context, err) || error_wrap(err, "profile %s of %s", name, file->path);
}

bool profile_plan_cli(struct plan *out, const struct system *system,
                      const struct settings_identity *settings, struct error *err)
{
    struct profile_file file AUTO(clear_file) = {.system = system};

    if (environment_is_true(system, "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"))
        return plan_absent(err, "disabled by ALIBABA_CLOUD_CLI_PROFILE_DISABLED");
    return (read_file(&file, "ALIBABA_CLOUD_CONFIG_FILE", ".aliyun/config.json", err) &&
            use_file(out, &file, settings->profile, err)) ||
           explain_unless_advised(ADVICE_PROFILE, err);
}

/* A profile that the environment names must be in one of the two files: passing it over would mean
 * another identity than the operator named. */
bool profile_plan_file(struct plan *out, const struct system *system,
                       const struct settings_identity *settings, struct error *err)
{
    struct profile_file file AUTO(clear_file) = {.system = system, .is_ini = true};
    const char *named = environment_value(system, PROFILE_VARIABLE);
    char reason[sizeof err->cause];
    char reason_of_cli[sizeof err->cause];

    if (read_file(&file, "ALIBABA_CLOUD_CREDENTIALS_FILE", ".alibabacloud/credentials", err) &&
        use_file(out, &file, settings->profile, err))
        return true;
    if (err->retry != ERROR_RETRY_NEXT_SOURCE || settings->profile != NULL || named[0] == '\0')
        return explain_unless_advised(ADVICE_PROFILE, err);
    text_copy(reason, sizeof reason, err->cause);
    if (profile_plan_cli(out, system, settings, err))
        return true;
    text_copy(reason_of_cli, sizeof reason_of_cli, err->cause);
    error_set(err, ERROR_CONFIG, "%s; %s", reason_of_cli, reason);
    return explain_profile_variable(named, err);
}
