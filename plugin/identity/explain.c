#include "identity/explain.h"

bool explain_unless_advised(const char *advice, struct error *err)
{
    return err->advice[0] == '\0' ? error_advise(err, "%s", advice) : false;
}

bool explain_no_identity(const char *metadata_url, struct error *err)
{
    if (err->kind == ERROR_TEMPORARY)
        return error_advise(
            err,
            "On an ECS instance, let this node reach %s; elsewhere set " EXPLAIN_KEY_VARIABLES
            ", or ALIBABA_CLOUD_ECS_METADATA_DISABLED=true to fail without waiting for it",
            metadata_url);
    return error_advise(
        err, "Attach a RAM role to the ECS instance; elsewhere set " EXPLAIN_KEY_VARIABLES);
}

bool explain_ecs_disabled(struct error *err)
{
    return error_set_advised(
        err, ERROR_CONFIG, "Unset it, or name another source of an identity",
        "the ECS metadata service is disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED");
}

bool explain_role_not_attached(const char *named_by, struct error *err)
{
    if (named_by == NULL)
        return error_advise(err, "Attach it, or another one");
    return error_advise(err, "Attach it, or correct %s", named_by);
}

bool explain_ecs_answer(const char *role, const char *metadata_url, struct error *err)
{
    if (err->service_code[0] != '\0')
        return error_advise(err, "Check that RAM role %s still exists and trusts ecs.aliyuncs.com",
                            role);
    return error_advise(err, "Check what answers at %s in its place", metadata_url);
}

bool explain_profile_variable(const char *name, struct error *err)
{
    return error_advise(err, "ALIBABA_CLOUD_PROFILE names profile %.80s: unset it, or add it",
                        name);
}

bool explain_named_file(const char *variable, struct error *err)
{
    return explain_unless_advised(ADVICE("Correct %s", variable), err);
}
