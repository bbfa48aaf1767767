#include "cloud/explain.h"

#include <string.h>

#include "base/text.h"
#include "cloud/codes.h"
#include "cloud/metadata.h"
#include "cloud/sts.h"
#include "proto-json/api_reply.h"
#include "proto-json/claims.h"

bool explain_forbidden(const char *product, const char *action, const char *principal,
                       const struct api_error *refusal, struct error *err)
{
    const bool names_action = refusal->auth_action[0] != '\0';
    const bool is_denied = strcmp(refusal->no_permission_type, "ExplicitDeny") == 0;
    /* "role:session" says less than the principal does. */
    const bool names_user =
        refusal->auth_principal[0] != '\0' && strchr(refusal->auth_principal, ':') == NULL;

    char full_action[sizeof err->missing_action];

    text_join(full_action, sizeof full_action, names_action ? "" : product, names_action ? "" : ":",
              names_action ? refusal->auth_action : action);
    if (!is_denied)
        text_copy(err->missing_action, sizeof err->missing_action, full_action);
    return error_advise(err,
                        is_denied ? "A policy denies %s to %s explicitly: remove that Deny"
                                  : "Grant %s to %s in a RAM policy",
                        full_action, names_user ? refusal->auth_principal : principal);
}

bool explain_assume_role(const char *principal, const struct role *role, struct error *err)
{
    return error_advise(err,
                        "Grant %s sts:AssumeRole on %s, and add %s to the role's trust policy%s",
                        principal, role->arn, principal,
                        role->external_id != NULL ? ", with this externalId"
                                                  : "; set externalId if that policy requires one");
}

static bool explain_audience(const struct sts_oidc *oidc, const struct claims *claims,
                             struct error *err)
{
    if (claims->audience_fits)
        return error_advise(err,
                            "Most likely oidc:aud does not match: %s must list " EXPLAIN_AUDIENCE
                            " among its client ids, and the role's trust policy must allow it",
                            oidc->provider_arn);
    return error_advise(err,
                        "Most likely oidc:aud does not match: the token's audience is %s; set %s "
                        "to " EXPLAIN_AUDIENCE ", or allow it in the OIDC provider",
                        claims->audience,
                        oidc->from_kubelet ? "the kubelet's serviceAccountTokenAudience"
                                           : "the audience of the projected token");
}

/* STS gives no reason: most likely it is where the token differs from what ACK's providers expect.
 */
static enum codes_meaning guess(const struct claims *claims, int64_t now_s, const struct error *err)
{
    if (strcasestr(err->cause, "OIDC Provider") != NULL ||
        strcasestr(err->cause, "OIDCProvider") != NULL)
        return CODES_OIDC_INVALID;
    if (claims->expires_at_s != 0 && claims->expires_at_s <= now_s)
        return CODES_OIDC_EXPIRED;
    return claims->audience_fits ? CODES_OIDC_REFUSED : CODES_OIDC_AUDIENCE;
}

bool explain_oidc(const struct sts_oidc *oidc, int64_t now_s, struct error *err)
{
    enum codes_meaning meaning = codes_meaning(err->service_code);
    struct claims claims;

    if (meaning == CODES_FORBIDDEN)
        meaning = CODES_OIDC_REFUSED;
    if (meaning < CODES_OIDC_EXPIRED || meaning > CODES_OIDC_REFUSED)
        return false;
    if (!claims_read(&claims, oidc->token, EXPLAIN_AUDIENCE))
        return error_advise(err, "The token is not a JSON Web Token: %s",
                            oidc->from_kubelet
                                ? "the kubelet has to send one of the pod's service account"
                                : "let the token file hold one of a service account");
    switch (meaning == CODES_OIDC_REFUSED ? guess(&claims, now_s, err) : meaning) {
    case CODES_OIDC_EXPIRED:
        return error_advise(err, "The token has expired: check the node's clock (NTP)");
    case CODES_OIDC_AUDIENCE:
        return explain_audience(oidc, &claims, err);
    case CODES_OIDC_ISSUER:
        return error_advise(
            err,
            "Most likely oidc:iss does not match: the token's issuer is %s; %s must be the "
            "provider of this cluster, with RRSA enabled",
            claims.issuer, oidc->provider_arn);
    case CODES_OIDC_INVALID:
        return error_advise(err,
                            "Check that OIDC provider %s exists, with RRSA enabled, and is that of "
                            "the cluster that made the token",
                            oidc->provider_arn);
    default:
        return error_advise(err,
                            "Most likely the trust policy's oidc:sub does not match: it must allow "
                            "oidc:sub %s with oidc:iss %s, and name %s as principal",
                            claims.subject, claims.issuer, oidc->provider_arn);
    }
}

bool explain_metadata(const struct metadata *metadata, long status, struct error *err)
{
    if (!metadata->was_reached)
        return error_advise(err,
                            "Check that this machine is an ECS instance whose metadata service is "
                            "enabled, and that it reaches %s",
                            metadata->base_url);
    if (err->kind == ERROR_TEMPORARY || status == 401)
        return error_advise(err, "Retry; if the error persists, check what answers at %s",
                            metadata->base_url);
    if (status == 0)
        return error_advise(err, "Check what answers at %s in its place", metadata->base_url);
    if (status != 403)
        return error_advise(err,
                            "Check what answers at %s in its place; where there is no metadata "
                            "service, set ALIBABA_CLOUD_ECS_METADATA_DISABLED=true",
                            metadata->base_url);
    if (metadata->modes == METADATA_NORMAL_ONLY)
        return error_advise(err, "This instance only answers with a session token: unset "
                                 "ALIBABA_CLOUD_IMDSV2_DISABLED");
    if (secret_is_empty(&metadata->token))
        return error_advise(err, "This instance only answers with a session token: let the node "
                                 "reach PUT /latest/api/token");
    return error_advise(err, "Check what filters requests of this node to %s", metadata->base_url);
}
