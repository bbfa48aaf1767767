#include "identity/chain.h"

#include "base/alloc.h"
#include "base/text.h"
#include "config/settings.h"
#include "identity/ecs.h"
#include "identity/environment.h"
#include "identity/explain.h"
#include "identity/oidc.h"
#include "identity/profile.h"
#include "identity/static.h"
#include "identity/uri.h"

/* Each fails with plan_absent() if it is not configured. */
typedef bool source(struct plan *out, const struct system *system,
                    const struct settings_identity *settings, struct error *err);

static bool find_static(struct plan *out, const struct system *system,
                        const struct settings_identity *settings, struct error *err)
{
    (void)settings;
    return static_plan(out, system, err);
}

static bool find_oidc(struct plan *out, const struct system *system,
                      const struct settings_identity *settings, struct error *err)
{
    (void)settings;
    return oidc_plan(out, system, err);
}

static bool find_cli_profile(struct plan *out, const struct system *system,
                             const struct settings_identity *settings, struct error *err)
{
    return profile_plan_cli(out, system, settings->profile, err);
}

/* A profile that the environment names must be in one of the two files: passing it over would mean
 * another identity than the operator named. */
static bool find_credentials_file(struct plan *out, const struct system *system,
                                  const struct settings_identity *settings, struct error *err)
{
    const char *named = environment_value(system, "ALIBABA_CLOUD_PROFILE");

    if (profile_plan_file(out, system, settings->profile, err))
        return true;
    if (err->retry != ERROR_RETRY_NEXT_SOURCE || settings->profile != NULL || named[0] == '\0')
        return false;
    return explain_profile_variable(named, err);
}

static bool find_ecs(struct plan *out, const struct system *system,
                     const struct settings_identity *settings, struct error *err)
{
    if (settings->role_name != NULL) {
        out->ecs.role = alloc_string(settings->role_name);
        out->ecs.role_named_by = "roleName in the configuration";
    }
    if (!ecs_plan(out, system, err))
        return false;
    if (out->ecs.is_disabled)
        return plan_absent(err, "disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED");
    out->ecs.may_be_absent = settings->source == SETTINGS_SOURCE_DEFAULT;
    text_copy(out->principal, sizeof out->principal, "the RAM role of this instance");
    return true;
}

static bool find_uri(struct plan *out, const struct system *system,
                     const struct settings_identity *settings, struct error *err)
{
    (void)settings;
    return uri_plan(out, system, err);
}

/* In the official order. */
static const struct {
    const char *name;
    enum settings_source setting; /* that asks for this one alone */
    source *find;
} sources[] = {
    {"environment", SETTINGS_SOURCE_ENV, find_static},
    {"OIDC", SETTINGS_SOURCE_OIDC, find_oidc},
    {"CLI profile", SETTINGS_SOURCE_PROFILE, find_cli_profile},
    {"credentials file", SETTINGS_SOURCE_PROFILE, find_credentials_file},
    {"ECS metadata service", SETTINGS_SOURCE_ECS, find_ecs},
    {"credentials URI", SETTINGS_SOURCE_URI, find_uri},
};

/* The next plan from source `*at` on, which moves past it. A source that is not configured adds
 * its reason. */
static bool find_next(struct identity_plans *out, size_t *at, const struct system *system,
                      const struct settings_identity *settings, struct error *err)
{
    const bool is_chain = settings->source == SETTINGS_SOURCE_DEFAULT;

    for (; *at < COUNT_OF(sources); (*at)++) {
        struct plan found AUTO(plan_clear) = {0};
        struct error reason = {0};

        if (!is_chain && settings->source != sources[*at].setting)
            continue;
        if (sources[*at].find(&found, system, settings, &reason)) {
            out->list[out->count++] = TAKE(found);
            (*at)++;
            return true;
        }
        if (reason.retry != ERROR_RETRY_NEXT_SOURCE) {
            *err = reason;
            return error_wrap(err, "%s", sources[*at].name);
        }
        if (out->count == 0)
            explain_add_reason(&out->reasons, sources[*at].name, reason.cause);
    }
    return out->count > 0 || explain_no_source(&out->reasons, is_chain, err);
}

bool chain_find(struct identity_plans *out, const struct system *system,
                const struct settings_identity *settings, struct error *err)
{
    size_t at = 0;

    if (!find_next(out, &at, system, settings, err))
        return false;
    return !out->list[0].ecs.may_be_absent || find_next(out, &at, system, settings, err);
}
