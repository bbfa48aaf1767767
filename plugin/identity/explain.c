#include "identity/explain.h"

#define KEY_VARIABLES "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"

static bool has_advice(const struct error *err)
{
    return err->advice[0] != '\0';
}

void explain_add_reason(struct buf *reasons, const char *source, const char *cause)
{
    buf_append_format(reasons, "%s%s: %s", reasons->length == 0 ? "" : "; ", source, cause);
}

bool explain_no_source(const struct buf *reasons, bool is_chain, struct error *err)
{
    /* Of the chain, the metadata service is passed over only where it is disabled. */
    return error_set_advised(
        err, ERROR_CONFIG,
        is_chain ? "Unset ALIBABA_CLOUD_ECS_METADATA_DISABLED, or set " KEY_VARIABLES
                 : "Set it up, or let the configuration name another source: it "
                   "asks for this one alone",
        "no identity found: %s", buf_text(reasons));
}

bool explain_no_identity(const char *reasons, const char *metadata_url, struct error *err)
{
    const enum error_kind kind = err->kind;

    error_set(err, kind, "no identity found: %s", reasons);
    if (kind == ERROR_TEMPORARY)
        return error_advise(
            err, "On an ECS instance, let this node reach %s; elsewhere set " KEY_VARIABLES,
            metadata_url);
    return error_advise(err, "Attach a RAM role to the ECS instance; elsewhere set " KEY_VARIABLES);
}

/* -- the environment -- */

bool explain_variable(struct error *err)
{
    return error_advise(err, "Correct or unset it");
}

bool explain_token_without_key(const char *token_variable, struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG, "Unset it, or set the AccessKey that it belongs to",
                             "%s is set, but ALIBABA_CLOUD_ACCESS_KEY_ID is not", token_variable);
}

bool explain_half_key(const char *missing_variable, struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG, "Set both " KEY_VARIABLES ", or neither",
                             "the environment has no %s", missing_variable);
}

bool explain_half_oidc(const char *missing_variable, struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG,
                             "Set ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and "
                             "ALIBABA_CLOUD_OIDC_TOKEN_FILE together, or none",
                             "ALIBABA_CLOUD_OIDC_TOKEN_FILE is set, but %s is not",
                             missing_variable);
}

/* -- OIDC -- */

bool explain_token_file(struct error *err)
{
    return has_advice(err) ? false
                           : error_advise(err, "Correct ALIBABA_CLOUD_OIDC_TOKEN_FILE, or the "
                                               "profile's oidc_token_file");
}

bool explain_account_lookup(struct error *err)
{
    error_wrap(err, "looking up the account of the pod's RAM role");
    return error_advise(err, "Set podIdentity.accountId, or name the role by its whole ARN");
}

bool explain_account_unknown(struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG, "Set podIdentity.accountId",
                             "the account of the pod's RAM role is not known");
}

/* -- the metadata service -- */

bool explain_ecs_disabled(struct error *err)
{
    return error_set_advised(
        err, ERROR_CONFIG, "Unset it, or name another source of an identity",
        "the ECS metadata service is disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED");
}

bool explain_no_role(struct error *err)
{
    return error_set_advised(
        err, ERROR_CONFIG, "Attach one that allows cr:GetAuthorizationToken and cr:PullRepository",
        "no RAM role is attached to this ECS instance");
}

bool explain_not_a_role_name(const char *metadata_url, struct error *err)
{
    return error_set_advised(err, ERROR_UNAVAILABLE,
                             ADVICE("Check what answers at %s in its place", metadata_url),
                             "ECS metadata service: the answer is not a role name");
}

bool explain_role_not_attached(const char *role, const char *named_by, struct error *err)
{
    error_set(err, ERROR_CONFIG, "RAM role %s is not attached to this ECS instance", role);
    return named_by == NULL
               ? error_advise(err, "Attach it, or another one")
               : error_advise(err, "Attach it, or correct %s, which names it", named_by);
}

bool explain_ecs_credentials(const char *role, const char *metadata_url, struct error *err)
{
    return err->service_code[0] != '\0'
               ? error_advise(
                     err, "Check that RAM role %s still exists and trusts ecs.aliyuncs.com", role)
               : error_advise(err, "Check what answers at %s in its place", metadata_url);
}

/* -- profiles -- */

bool explain_profile_variable(const char *name, struct error *err)
{
    err->retry = ERROR_RETRY_NOTHING;
    return error_advise(err, "ALIBABA_CLOUD_PROFILE names profile %.80s: unset it, or add it",
                        name);
}

bool explain_named_file(const char *variable, struct error *err)
{
    return has_advice(err) ? false : error_advise(err, "Correct %s, which names it", variable);
}

bool explain_external_disabled(const char *mode, struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG, "Unset it, or use a profile of another mode",
                             "mode %s is disabled by ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", mode);
}

bool explain_sign_in(const char *mode, struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG,
                             "Use a profile of another mode; to use the node's RAM role, set "
                             "ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true",
                             "mode %s needs a person to sign in", mode);
}

/* -- commands and URIs -- */

bool explain_command_line(struct error *err)
{
    return error_advise(err, "Correct process_command; no shell reads it");
}

bool explain_command(struct error *err)
{
    return error_advise(err, "Run the command by hand, as the user and in the environment of this "
                             "program: what it writes to stderr is not shown here");
}

bool explain_uri(struct error *err)
{
    return has_advice(err) ? false
                           : error_advise(err, "Check ALIBABA_CLOUD_CREDENTIALS_URI or the "
                                               "profile's credentials_uri, and the service there");
}

/* -- pods -- */

bool explain_pod_without_role(struct error *err)
{
    return error_set_advised(err, ERROR_PERMISSION,
                             "Annotate it with " EXPLAIN_ARN_ANNOTATION
                             ", or set podIdentity.withoutRole to \"node\"",
                             "the pod's service account names no RAM role");
}

bool explain_pod_without_token(struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG,
                             "Set tokenAttributes.serviceAccountTokenAudience to sts.aliyuncs.com "
                             "in the kubelet's CredentialProviderConfig",
                             "the pod's service account names a RAM role, but the kubelet sent no "
                             "token for it");
}

bool explain_pod_without_provider(struct error *err)
{
    return error_set_advised(err, ERROR_CONFIG,
                             "Set podIdentity.oidcProviderArn, or podIdentity.clusterId on ACK",
                             "the pod's RAM role needs an OIDC provider");
}
