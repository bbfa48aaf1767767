#include "cloud/explain.h"

#include <string.h>

#include "cloud/codes.h"
#include "cloud/metadata.h"
#include "proto-json/api_reply.h"
#include "proto-json/claims.h"

bool explain_unknown_region(bool is_sts, struct error *err)
{
    return is_sts ? error_set_advised(err, ERROR_CONFIG,
                                      "Set endpoints.sts or ALIBABA_CLOUD_STS_REGION",
                                      "endpoints.network is \"vpc\", but the region of STS is not "
                                      "known")
                  : error_set_advised(err, ERROR_CONFIG,
                                      "Set region or apiEndpoint under \"registries\" in the "
                                      "configuration file",
                                      "the region of the registry is not known");
}

bool explain_not_the_api(struct error *err)
{
    return error_advise(err, "If what answered is not the Alibaba Cloud API, check endpoints and "
                             "proxy variables");
}

bool explain_forbidden(const char *product, const char *action, const char *principal,
                       const struct api_error *refusal, struct error *err)
{
    const bool names_action = refusal->auth_action[0] != '\0';
    const bool is_denied = strcmp(refusal->no_permission_type, "ExplicitDeny") == 0;

    return error_advise(err,
                        is_denied ? "A policy denies %s%s%s to %s explicitly: remove that Deny"
                                  : "Allow the action %s%s%s to %s in a RAM policy",
                        names_action ? "" : product, names_action ? "" : ":",
                        names_action ? refusal->auth_action : action,
                        refusal->auth_principal[0] != '\0' ? refusal->auth_principal : principal);
}

bool explain_no_instance(const char *name, struct error *err)
{
    return error_set_advised(err, ERROR_PERMISSION,
                             "Check the host, or map it under \"registries\" with its instanceId "
                             "and an identity of the account that owns it",
                             "no ACR instance named %s in this account and region", name);
}

/* -- STS -- */

bool explain_issued_expired(const char *role_arn, struct error *err)
{
    return error_set_advised(err, ERROR_UNAVAILABLE,
                             "Retry; if the error persists, ask Alibaba Cloud support",
                             "the credentials of %s had expired when they were issued", role_arn);
}

bool explain_assume_role(const char *principal, bool has_external_id, struct error *err)
{
    return error_advise(
        err, "Allow sts:AssumeRole to %s, and let the role's trust policy name it%s", principal,
        has_external_id ? " and this externalId"
                        : "; if that asks for an external id, set externalId");
}

static bool explain_expired(struct error *err)
{
    return error_advise(err, "The token has expired: check the node's clock (NTP)");
}

static bool explain_audience(const struct explain_oidc *shown, const struct claims *claims,
                             struct error *err)
{
    if (claims->audience_fits)
        return error_advise(err,
                            "Most likely oidc:aud failed: %s must list " EXPLAIN_AUDIENCE
                            " among its client ids, and the role's trust policy admit it",
                            shown->provider_arn);
    return error_advise(
        err,
        "Most likely oidc:aud failed: the token's audience is %s; set %s to " EXPLAIN_AUDIENCE
        ", or allow it in the OIDC provider",
        claims->audience,
        shown->from_kubelet ? "the kubelet's serviceAccountTokenAudience"
                            : "the audience of the projected token");
}

static bool explain_issuer(const struct explain_oidc *shown, const struct claims *claims,
                           struct error *err)
{
    return error_advise(err,
                        "Most likely oidc:iss failed: the token's issuer is %s; %s must be the "
                        "provider of this cluster, with RRSA enabled",
                        claims->issuer, shown->provider_arn);
}

static bool explain_provider(const struct explain_oidc *shown, struct error *err)
{
    return error_advise(err,
                        "Check that OIDC provider %s exists, with RRSA enabled, and is that of the "
                        "cluster that made the token",
                        shown->provider_arn);
}

/* STS gives no reason: most likely it is where the token differs from what ACK's providers expect.
 */
static bool explain_unnamed(const struct explain_oidc *shown, const struct claims *claims,
                            struct error *err)
{
    if (strcasestr(err->cause, "OIDC Provider") != NULL ||
        strcasestr(err->cause, "OIDCProvider") != NULL)
        return explain_provider(shown, err);
    if (claims->expires_at_s != 0 && claims->expires_at_s <= shown->now_s)
        return explain_expired(err);
    if (!claims->audience_fits)
        return explain_audience(shown, claims, err);
    return error_advise(err,
                        "Most likely oidc:sub failed: the role's trust policy must admit oidc:sub "
                        "%s with oidc:iss %s, and name %s as principal",
                        claims->subject, claims->issuer, shown->provider_arn);
}

static bool is_about_token(enum codes_meaning meaning)
{
    switch (meaning) {
    case CODES_OIDC_EXPIRED:
    case CODES_OIDC_AUDIENCE:
    case CODES_OIDC_ISSUER:
    case CODES_OIDC_INVALID:
    case CODES_OIDC_REFUSED:
    case CODES_FORBIDDEN:
        return true;
    default:
        return false;
    }
}

bool explain_oidc(const struct explain_oidc *shown, struct error *err)
{
    const enum codes_meaning meaning = codes_meaning(err->service_code);
    struct claims claims;

    if (!is_about_token(meaning))
        return false;
    if (!claims_read(&claims, shown->token, EXPLAIN_AUDIENCE))
        return error_advise(err, "The token is not a JSON Web Token: %s",
                            shown->from_kubelet
                                ? "the kubelet has to send one of the pod's service account"
                                : "let the token file hold one of a service account");
    switch (meaning) {
    case CODES_OIDC_EXPIRED:
        return explain_expired(err);
    case CODES_OIDC_AUDIENCE:
        return explain_audience(shown, &claims, err);
    case CODES_OIDC_ISSUER:
        return explain_issuer(shown, &claims, err);
    case CODES_OIDC_INVALID:
        return explain_provider(shown, err);
    default:
        return explain_unnamed(shown, &claims, err);
    }
}

/* -- ECS metadata service -- */

static bool advise_retry(const struct metadata *metadata, struct error *err)
{
    return error_advise(err, "Retry; if the error persists, check what answers at %s",
                        metadata->base_url);
}

static bool advise_unexpected_service(const struct metadata *metadata, struct error *err)
{
    return error_advise(err,
                        "Check what answers at %s in its place; where there is no metadata "
                        "service, set ALIBABA_CLOUD_ECS_METADATA_DISABLED=true",
                        metadata->base_url);
}

static bool advise_forbidden(const struct metadata *metadata, struct error *err)
{
    if (metadata->modes == METADATA_NORMAL_ONLY)
        return error_advise(err, "This instance only answers with a session token: unset "
                                 "ALIBABA_CLOUD_IMDSV2_DISABLED");
    if (secret_is_empty(&metadata->token))
        return error_advise(err, "This instance only answers with a session token: let the node "
                                 "reach PUT /latest/api/token");
    return error_advise(err, "Check what filters requests of this node to %s", metadata->base_url);
}

bool explain_metadata_failure(const struct metadata *metadata, struct error *err)
{
    if (!metadata->was_reached)
        return error_advise(err,
                            "Check that this machine is an ECS instance whose metadata service is "
                            "enabled, and that it reaches %s",
                            metadata->base_url);
    return err->kind == ERROR_TEMPORARY
               ? advise_retry(metadata, err)
               : error_advise(err, "Check what answers at %s in its place", metadata->base_url);
}

bool explain_metadata_status(const struct metadata *metadata, long status, struct error *err)
{
    switch (status) {
    case 401:
        return advise_retry(metadata, err);
    case 403:
        return advise_forbidden(metadata, err);
    default:
        return advise_unexpected_service(metadata, err);
    }
}

bool explain_metadata_token_only(struct error *err)
{
    return error_advise(err, "Normal mode is disabled by ALIBABA_CLOUD_IMDSV1_DISABLED: unset it, "
                             "or enable the hardened mode of this instance");
}

bool explain_metadata_no_token(const struct metadata *metadata, struct error *err)
{
    error_set(err, ERROR_UNAVAILABLE, "ECS metadata service: the session token is not a token");
    return advise_unexpected_service(metadata, err);
}
