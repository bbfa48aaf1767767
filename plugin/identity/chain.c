#include "identity/explain.h"
#include "identity/sources.h"

/* In the official order. */
static const struct {
    const char *name;
    enum settings_source setting; /* that asks for this one alone */
    bool (*plan)(struct plan *out, const struct system *system,
                 const struct settings_identity *settings, struct error *err);
} sources[] = {
    {"environment", SETTINGS_SOURCE_ENV, static_plan},
    {"OIDC", SETTINGS_SOURCE_OIDC, oidc_plan},
    {"CLI profile", SETTINGS_SOURCE_PROFILE, profile_plan_cli},
    {"credentials file", SETTINGS_SOURCE_PROFILE, profile_plan_file},
    {"ECS metadata service", SETTINGS_SOURCE_ECS, ecs_plan},
    {"credentials URI", SETTINGS_SOURCE_URI, uri_plan},
};

bool chain_find(struct identity_plans *out, const struct system *system,
                const struct settings_identity *settings, struct error *err)
{
    const bool is_chain = settings->source == SETTINGS_SOURCE_DEFAULT;

    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        struct plan found AUTO(plan_clear) = {0};
        struct error reason = {0};

        if (!is_chain && settings->source != sources[i].setting)
            continue;
        if (sources[i].plan(&found, system, settings, &reason)) {
            out->list[out->count++] = TAKE(found);
            if (!out->list[out->count - 1].ecs.may_be_absent)
                return true;
        } else if (reason.retry != ERROR_RETRY_NEXT_SOURCE) {
            *err = reason;
            return error_wrap(err, "%s", sources[i].name);
        } else if (out->count == 0) {
            buf_append_format(&out->reasons, "%s%s: %s", out->reasons.length == 0 ? "" : "; ",
                              sources[i].name, reason.cause);
        }
    }
    /* Of the chain, the metadata service is passed over only where it is disabled. */
    if (out->count > 0)
        return true;
    error_set_advised(err, ERROR_CONFIG, is_chain ? ADVICE_CHAIN_EMPTY : ADVICE_SOURCE_NOT_SET_UP,
                      "no identity found: %s", buf_text(&out->reasons));
    err->retry = ERROR_RETRY_NEXT_SOURCE;
    return false;
}
