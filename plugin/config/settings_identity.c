#include "config/settings_identity.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "config/settings_keys.h"

/* Each role costs a call of STS; nobody is known to chain more than two. */
enum { ROLES_MAX = 5, DURATION_MIN_S = 900, DURATION_MAX_S = 43200 };

static const char *const identity_keys[] = {
    "source",
    "roleName",
    "profile",
    "assumeRole",
};

static const struct settings_word sources[] = {
    {"default", SETTINGS_SOURCE_DEFAULT}, {"env", SETTINGS_SOURCE_ENV},
    {"oidc", SETTINGS_SOURCE_OIDC},       {"profile", SETTINGS_SOURCE_PROFILE},
    {"ecs", SETTINGS_SOURCE_ECS},         {"uri", SETTINGS_SOURCE_URI},
};

static const char *const role_keys[] = {
    "roleArn", "externalId", "sessionName", "durationSeconds", "sourceIdentity", "policy",
};

static const char *const pod_keys[] = {
    "oidcProviderArn",
    "accountId",
    "clusterId",
    "withoutRole",
};

static const struct settings_word without_role[] = {{"node", false}, {"refuse", true}};

void settings_identity_clear(struct settings_identity *identity)
{
    free(identity->role_name);
    free(identity->profile);
    for (size_t i = 0; i < identity->role_count; i++)
        role_clear(&identity->roles[i]);
    free(identity->roles);
    *identity = (struct settings_identity){0};
}

void settings_identity_clear_pod(struct settings_pod *pod)
{
    free(pod->oidc_provider_arn);
    free(pod->account_id);
    free(pod->cluster_id);
    *pod = (struct settings_pod){0};
}

static bool decode_role(struct role *out, const struct doc_node *role, struct error *err)
{
    struct doc_node arn = doc_member(role, "roleArn");

    if (!doc_object(*role, DOC_REQUIRED, err) ||
        !settings_keys_check(role, role_keys, COUNT_OF(role_keys), err))
        return false;
    if (!arn.present)
        return error_set(err, ERROR_CONFIG, "%s is missing", arn.path);
    return settings_keys_string(&out->arn, arn, check_role_arn, err) &&
           settings_keys_string(&out->external_id, doc_member(role, "externalId"),
                                check_external_id, err) &&
           settings_keys_string(&out->session_name, doc_member(role, "sessionName"),
                                check_session_name, err) &&
           settings_keys_string(&out->source_identity, doc_member(role, "sourceIdentity"),
                                check_session_name, err) &&
           settings_keys_string(&out->policy, doc_member(role, "policy"), check_policy, err) &&
           doc_integer(&out->duration_s, DURATION_MIN_S, DURATION_MAX_S,
                       doc_member(role, "durationSeconds"), DOC_OPTIONAL, err);
}

static bool decode_roles(struct settings_identity *out, struct doc_node roles, struct error *err)
{
    size_t count = 0;

    if (!doc_array(&count, ROLES_MAX, roles, DOC_OPTIONAL, err))
        return false;
    out->roles = alloc_zeroed(count, sizeof *out->roles);
    for (size_t i = 0; i < count; i++) {
        struct doc_node role = doc_element(&roles, i);

        out->role_count++;
        if (!decode_role(&out->roles[i], &role, err))
            return false;
    }
    return true;
}

/* A profile or a role name is a source by itself; with another one it would be ignored. */
static bool check_source(struct settings_identity *identity, struct doc_node profile,
                         struct doc_node role_name, struct error *err)
{
    if (profile.present && identity->source == SETTINGS_SOURCE_DEFAULT)
        identity->source = SETTINGS_SOURCE_PROFILE;
    if (role_name.present && identity->source == SETTINGS_SOURCE_DEFAULT)
        identity->source = SETTINGS_SOURCE_ECS;
    if (profile.present && identity->source != SETTINGS_SOURCE_PROFILE)
        return error_set(err, ERROR_CONFIG, "%s must be given with source \"profile\" only",
                         profile.path);
    if (role_name.present && identity->source != SETTINGS_SOURCE_ECS)
        return error_set(err, ERROR_CONFIG,
                         "%s names the role of the ECS instance: it must be given with source "
                         "\"ecs\" only, and without a profile",
                         role_name.path);
    return true;
}

bool settings_identity_decode(struct settings_identity *out, struct doc_node identity,
                              struct error *err)
{
    struct doc_node profile = doc_member(&identity, "profile");
    struct doc_node role_name = doc_member(&identity, "roleName");
    int source = SETTINGS_SOURCE_DEFAULT;

    if (!doc_object(identity, DOC_OPTIONAL, err) ||
        !settings_keys_check(&identity, identity_keys, COUNT_OF(identity_keys), err) ||
        !settings_keys_choose(&source, doc_member(&identity, "source"), sources, COUNT_OF(sources),
                              err) ||
        !settings_keys_string(&out->role_name, role_name, check_role_name, err) ||
        !settings_keys_string(&out->profile, profile, check_profile_name, err) ||
        !decode_roles(out, doc_member(&identity, "assumeRole"), err))
        return false;
    out->source = (enum settings_source)source;
    return check_source(out, profile, role_name, err);
}

bool settings_identity_decode_pod(struct settings_pod *out, struct doc_node pod, struct error *err)
{
    int refuse = out->refuse_without_role;

    if (!doc_object(pod, DOC_OPTIONAL, err) ||
        !settings_keys_check(&pod, pod_keys, COUNT_OF(pod_keys), err) ||
        !settings_keys_string(&out->oidc_provider_arn, doc_member(&pod, "oidcProviderArn"),
                              check_oidc_provider_arn, err) ||
        !settings_keys_string(&out->account_id, doc_member(&pod, "accountId"), check_account_id,
                              err) ||
        !settings_keys_string(&out->cluster_id, doc_member(&pod, "clusterId"), check_cluster_id,
                              err) ||
        !settings_keys_choose(&refuse, doc_member(&pod, "withoutRole"), without_role,
                              COUNT_OF(without_role), err))
        return false;
    out->refuse_without_role = refuse != 0;
    return true;
}
