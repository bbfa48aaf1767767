#include "identity/environment.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"

#define ID_NAME         "ALIBABA_CLOUD_ACCESS_KEY_ID"
#define SECRET_NAME     "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
#define TOKEN_NAME      "ALIBABA_CLOUD_SECURITY_TOKEN"
#define ROLE_NAME       "ALIBABA_CLOUD_ROLE_ARN"
#define PROVIDER_NAME   "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"
#define TOKEN_FILE_NAME "ALIBABA_CLOUD_OIDC_TOKEN_FILE"
#define SESSION_NAME    "ALIBABA_CLOUD_ROLE_SESSION_NAME"
#define URI_NAME        "ALIBABA_CLOUD_CREDENTIALS_URI"
#define REGION_NAME     "ALIBABA_CLOUD_STS_REGION"

enum { SECRET_MAX_BYTES = 512, TOKEN_MAX_BYTES = 16 * 1024, NAMES = 4 };

/* The official name first, then the older ones. */
static const char *const id_names[NAMES] = {ID_NAME, "ALICLOUD_ACCESS_KEY",
                                            "ALIBABACLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY_ID"};
static const char *const secret_names[NAMES] = {SECRET_NAME, "ALICLOUD_SECRET_KEY",
                                                "ALIBABACLOUD_ACCESS_KEY_SECRET",
                                                "ALICLOUD_ACCESS_KEY_SECRET"};
static const char *const token_names[NAMES] = {TOKEN_NAME, "ALICLOUD_ACCESS_KEY_STS_TOKEN",
                                               "ALIBABACLOUD_SECURITY_TOKEN",
                                               "ALICLOUD_SECURITY_TOKEN"};

/* Other variables than those of an AccessKey that once had other names. */
static const struct {
    const char *name;
    const char *older[2];
} renamed[] = {
    {"ALIBABA_CLOUD_PROFILE", {"ALIBABACLOUD_PROFILE", "ALICLOUD_PROFILE"}},
    {"ALIBABA_CLOUD_CONFIG_FILE", {"ALIBABACLOUD_PROFILE_PATH"}},
    {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED", {"ALIBABACLOUD_IGNORE_PROFILE"}},
    {SESSION_NAME, {"ALICLOUD_ROLE_SESSION_NAME"}},
};

static const char *value_of(const char *name)
{
    const char *value = name == NULL ? NULL : secure_getenv(name);

    return value == NULL ? "" : value;
}

const char *environment_value(const char *name)
{
    const char *value = value_of(name);

    for (size_t i = 0; value[0] == '\0' && i < sizeof renamed / sizeof renamed[0]; i++) {
        if (strcmp(name, renamed[i].name) != 0)
            continue;
        value = value_of(renamed[i].older[0]);
        if (value[0] == '\0')
            value = value_of(renamed[i].older[1]);
    }
    return value;
}

bool environment_is_true(const char *name)
{
    const char *value = environment_value(name);

    return strcasecmp(value, "true") == 0;
}

bool environment_is_go_true(const char *name)
{
    static const char *const words[] = {"1", "t", "T", "true", "TRUE", "True"};
    const char *value = environment_value(name);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i]) == 0)
            return true;
    }
    return false;
}

static bool is_set(const char *name)
{
    return environment_value(name)[0] != '\0';
}

/* The first of the names that is set; the official one if none is. */
static const char *first_set(const char *const names[NAMES])
{
    for (size_t i = 0; i < NAMES; i++) {
        if (is_set(names[i]))
            return names[i];
    }
    return names[0];
}

/* The values become HTTP headers. */
static bool check(const char *name, size_t max_bytes, struct error *err)
{
    const char *value = environment_value(name);

    return (strlen(value) <= max_bytes && text_is_visible(value)) ||
           error_set(err, ERROR_CONFIG, "%s is too long or has blanks or control bytes", name);
}

static bool advise_about_value(struct error *err)
{
    return error_advise(err, "Correct or unset it");
}

static void set_secret(struct secret *out, const char *name)
{
    const char *value = environment_value(name);

    if (value[0] != '\0')
        secret_set(out, value, strlen(value));
}

enum recipe_outcome environment_key(struct recipe *out, struct error *err)
{
    bool official = is_set(ID_NAME) || is_set(SECRET_NAME);
    const char *id = official ? ID_NAME : first_set(id_names);
    const char *secret = official ? SECRET_NAME : first_set(secret_names);
    const char *token = official ? TOKEN_NAME : first_set(token_names);

    if (!is_set(id) && !is_set(secret)) {
        if (!is_set(token)) {
            (void)error_set(err, ERROR_CONFIG, ID_NAME " is not set");
            return RECIPE_ABSENT;
        }
        (void)error_set(err, ERROR_CONFIG, "%s is set, but " ID_NAME " is not", token);
        (void)error_advise(err, "Unset it, or set the AccessKey that it belongs to");
        return RECIPE_BROKEN;
    }
    if (!is_set(id) || !is_set(secret)) {
        (void)error_set(err, ERROR_CONFIG, "the environment has no %s", is_set(id) ? secret : id);
        (void)error_advise(err, "Set both " ID_NAME " and " SECRET_NAME ", or neither");
        return RECIPE_BROKEN;
    }
    if (!check(id, ACCESS_KEY_ID_SIZE - 1, err) || !check(secret, SECRET_MAX_BYTES, err) ||
        !check(token, TOKEN_MAX_BYTES, err)) {
        (void)advise_about_value(err);
        return RECIPE_BROKEN;
    }
    out->base = RECIPE_KEY;
    (void)text_copy(out->key.access_key_id, sizeof out->key.access_key_id, environment_value(id));
    set_secret(&out->key.access_key_secret, secret);
    set_secret(&out->key.security_token, token);
    text_join(out->words, sizeof out->words, "the AccessKey in ", "", id);
    return RECIPE_FOUND;
}

/* A copy of a variable, NULL if it is not set. */
static char *copy_of(const char *name)
{
    return is_set(name) ? alloc_string(environment_value(name)) : NULL;
}

enum recipe_outcome environment_oidc(struct recipe *out, struct error *err)
{
    const char *missing = !is_set(ROLE_NAME) ? ROLE_NAME : PROVIDER_NAME;

    if (!is_set(TOKEN_FILE_NAME)) {
        (void)error_set(err, ERROR_CONFIG, TOKEN_FILE_NAME " is not set");
        return RECIPE_ABSENT;
    }
    if (!is_set(missing)) {
        (void)error_set(err, ERROR_CONFIG, TOKEN_FILE_NAME " is set, but %s is not", missing);
        (void)error_advise(err, "Set " ROLE_NAME ", " PROVIDER_NAME " and " TOKEN_FILE_NAME
                                " together, or none");
        return RECIPE_BROKEN;
    }
    if (!check_role_arn(environment_value(ROLE_NAME), ROLE_NAME, err) ||
        !check_oidc_provider_arn(environment_value(PROVIDER_NAME), PROVIDER_NAME, err) ||
        (is_set(SESSION_NAME) &&
         !check_session_name(environment_value(SESSION_NAME), SESSION_NAME, err))) {
        (void)advise_about_value(err);
        return RECIPE_BROKEN;
    }
    out->base = RECIPE_OIDC;
    out->oidc.role.arn = copy_of(ROLE_NAME);
    out->oidc.role.session_name = copy_of(SESSION_NAME);
    out->oidc.provider_arn = copy_of(PROVIDER_NAME);
    out->oidc.token_file = copy_of(TOKEN_FILE_NAME);
    text_join(out->words, sizeof out->words, "role ", "", out->oidc.role.arn);
    return RECIPE_FOUND;
}

enum recipe_outcome environment_uri(struct recipe *out, struct error *err)
{
    if (!is_set(URI_NAME)) {
        (void)error_set(err, ERROR_CONFIG, URI_NAME " is not set");
        return RECIPE_ABSENT;
    }
    out->base = RECIPE_URI;
    out->uri = copy_of(URI_NAME);
    (void)text_copy(out->words, sizeof out->words, "the credentials of " URI_NAME);
    return RECIPE_FOUND;
}

void environment_describe(struct buf *out)
{
    char folder[4096] = "";

    for (char **variable = environ; *variable != NULL; variable++)
        buf_append(out, *variable, strlen(*variable) + 1);
    /* Where there is none, commands that need one fail. */
    if (getcwd(folder, sizeof folder) != NULL)
        buf_append_text(out, folder);
}

bool environment_sts(struct recipe *recipe, struct error *err)
{
    const char *region = environment_value(REGION_NAME);

    if (environment_is_true("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"))
        recipe->sts_by_vpc = true;
    if (recipe->sts_region[0] != '\0' || region[0] == '\0')
        return true;
    if (!check_region(region, REGION_NAME, err))
        return advise_about_value(err);
    (void)text_copy(recipe->sts_region, sizeof recipe->sts_region, region);
    return true;
}
