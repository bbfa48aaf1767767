#include "identity/chain.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/text.h"
#include "config/settings.h"
#include "identity/ecs.h"
#include "identity/environment.h"
#include "identity/profile.h"

#define KEY_VARIABLES "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"

typedef enum recipe_outcome source(struct recipe *out, const struct settings_identity *settings,
                                   struct error *err);

static enum recipe_outcome key(struct recipe *out, const struct settings_identity *settings,
                               struct error *err)
{
    (void)settings;
    return environment_key(out, err);
}

static enum recipe_outcome oidc(struct recipe *out, const struct settings_identity *settings,
                                struct error *err)
{
    (void)settings;
    return environment_oidc(out, err);
}

static enum recipe_outcome cli_profile(struct recipe *out, const struct settings_identity *settings,
                                       struct error *err)
{
    if (!environment_is_true("ALIBABA_CLOUD_CLI_PROFILE_DISABLED"))
        return profile_of_cli(out, settings->profile, err);
    (void)error_set(err, ERROR_CONFIG, "ALIBABA_CLOUD_CLI_PROFILE_DISABLED forbids it");
    return RECIPE_ABSENT;
}

/* A profile that the environment names must be in one of the two files: passing it over would mean
 * another identity than the operator named. */
static enum recipe_outcome
credentials_file(struct recipe *out, const struct settings_identity *settings, struct error *err)
{
    enum recipe_outcome outcome = profile_of_file(out, settings->profile, err);
    const char *named = environment_value("ALIBABA_CLOUD_PROFILE");

    if (outcome != RECIPE_ABSENT || settings->profile != NULL || named[0] == '\0')
        return outcome;
    (void)error_advise(err, "ALIBABA_CLOUD_PROFILE names profile %.80s: unset it, or add it",
                       named);
    return RECIPE_BROKEN;
}

static enum recipe_outcome ecs(struct recipe *out, const struct settings_identity *settings,
                               struct error *err)
{
    if (ecs_is_disabled()) {
        (void)error_set(err, ERROR_CONFIG, "ALIBABA_CLOUD_ECS_METADATA_DISABLED forbids it");
        return RECIPE_ABSENT;
    }
    out->base = RECIPE_ECS;
    out->may_be_absent = settings->source == SETTINGS_SOURCE_DEFAULT;
    if (settings->role_name != NULL)
        out->ecs_role = alloc_string(settings->role_name);
    (void)text_copy(out->words, sizeof out->words, "the RAM role of this instance");
    return RECIPE_FOUND;
}

static enum recipe_outcome uri(struct recipe *out, const struct settings_identity *settings,
                               struct error *err)
{
    (void)settings;
    return environment_uri(out, err);
}

/* In the official order. */
static const struct {
    const char *name;
    enum settings_source word; /* that asks for this one alone */
    source *find;
} sources[] = {
    {"environment", SETTINGS_SOURCE_ENV, key},
    {"OIDC", SETTINGS_SOURCE_OIDC, oidc},
    {"CLI profile", SETTINGS_SOURCE_PROFILE, cli_profile},
    {"credentials file", SETTINGS_SOURCE_PROFILE, credentials_file},
    {"ECS metadata service", SETTINGS_SOURCE_ECS, ecs},
    {"credentials URI", SETTINGS_SOURCE_URI, uri},
};

static void add_reason(struct buf *reasons, const char *name, const char *context,
                       const char *cause)
{
    buf_append_format(reasons, "%s%s: %s%s%s", reasons->length == 0 ? "" : "; ", name, context,
                      context[0] == '\0' ? "" : ": ", cause);
}

static void set_nothing_found(const struct buf *reasons, struct error *err)
{
    const enum error_kind kind = err->kind;

    (void)error_set(err, kind, "no identity found: %s", buf_text(reasons));
}

bool chain_find(struct recipe *out, struct buf *reasons, const struct settings_identity *settings,
                struct error *err)
{
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct recipe found AUTO(recipe_clear) = {0};

        if (settings->source != SETTINGS_SOURCE_DEFAULT && settings->source != sources[i].word)
            continue;
        switch (sources[i].find(&found, settings, err)) {
        case RECIPE_BROKEN:
            return error_wrap(err, "%s", sources[i].name);
        case RECIPE_FOUND:
            *out = found;
            found = (struct recipe){0};
            if (settings->source != SETTINGS_SOURCE_DEFAULT)
                buf_clear(reasons);
            return true;
        case RECIPE_ABSENT:
            add_reason(reasons, sources[i].name, "", err->cause);
        }
    }
    set_nothing_found(reasons, err);
    if (settings->source != SETTINGS_SOURCE_DEFAULT)
        return error_advise(
            err,
            "Set it up, or let the configuration name another source: it asks for this one alone");
    /* Only where it is forbidden is the metadata service passed over. */
    return error_advise(err, "Unset ALIBABA_CLOUD_ECS_METADATA_DISABLED, or set " KEY_VARIABLES);
}

bool chain_go_on(struct recipe *out, struct buf *reasons, const char *metadata_url,
                 struct error *err)
{
    /* Else the service was there, and has no role. */
    const bool is_out_of_reach = err->kind == ERROR_TEMPORARY;
    struct error last = {0};

    if (environment_uri(out, &last) == RECIPE_FOUND)
        return true;
    add_reason(reasons, "ECS metadata service", "", err->cause);
    add_reason(reasons, "credentials URI", "", last.cause);
    set_nothing_found(reasons, err);
    if (is_out_of_reach)
        return error_advise(
            err, "On an ECS instance, let this node reach %s; elsewhere set " KEY_VARIABLES,
            metadata_url);
    return error_advise(err, "Attach a RAM role to the ECS instance; elsewhere set " KEY_VARIABLES);
}
