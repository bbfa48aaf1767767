#include "cloud/sts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cloud/openapi.h"
#include "proto-json/claims.h"
#include "proto-json/credentials_reply.h"

enum { SESSION_NAME_SIZE = 65, NUMBER_SIZE = 24 };

#define AUDIENCE "sts.aliyuncs.com"

static void add_endpoint(struct openapi_endpoints *out, const char *name, const char *dot,
                         const char *region)
{
    char *url = out->urls[out->count];

    if (snprintf(url, OPENAPI_URL_SIZE, "https://%s%s%s.aliyuncs.com", name, dot, region) > 0)
        out->count++;
}

void sts_endpoints(struct openapi_endpoints *out, const char *region, enum sts_endpoint_order order)
{
    *out = (struct openapi_endpoints){0};
    if (region[0] != '\0' && order != STS_PUBLIC_ONLY)
        add_endpoint(out, "sts-vpc", ".", region);
    if (order == STS_VPC_ONLY)
        return;
    if (region[0] != '\0')
        add_endpoint(out, "sts", ".", region);
    add_endpoint(out, "sts", "", "");
}

/* "acr-NODENAME", of the characters that STS allows. */
static void name_session(char out[SESSION_NAME_SIZE])
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.@-_";
    char node[256] = "";

    if (gethostname(node, sizeof node - 1) != 0 || node[0] == '\0')
        (void)text_copy(node, sizeof node, "node");
    text_join(out, SESSION_NAME_SIZE, "acr-", "", node);
    for (char *at = out; *at != '\0'; at++) {
        if (strchr(allowed, *at) == NULL)
            *at = '-';
    }
}

static bool decode(struct credentials *out, const struct openapi_reply *reply, const char *action,
                   const char *role_arn, struct error *err)
{
    if (!credentials_reply_decode_sts(out, reply->body.bytes, reply->body.length, err))
        return openapi_fail_answer(reply, action, err);
    if (out->expires_at_s > reply->server_time_s)
        return true;
    (void)error_set(err, ERROR_UNAVAILABLE,
                    "the credentials of %s had expired when they were issued", role_arn);
    return error_advise(err, "Try again; if it stays, ask Alibaba Cloud support");
}

/* What both calls have in common; both texts live as long as the call. */
struct session {
    char name[SESSION_NAME_SIZE];
    char duration[NUMBER_SIZE];
};

static void add(struct openapi_call *call, const char *name, const char *value)
{
    call->parameters[call->parameter_count++] = (struct sign_v3_parameter){name, value};
}

static struct openapi_call make_call(const char *action, const struct role *role,
                                     struct session *session)
{
    struct openapi_call call = {.method = "POST",
                                .path = "/",
                                .product = "sts",
                                .action = action,
                                .version = "2015-04-01",
                                .in_body = true};

    name_session(session->name);
    session->duration[0] = '\0';
    if (role->duration_s > 0)
        (void)snprintf(session->duration, sizeof session->duration, "%lld",
                       (long long)role->duration_s);
    add(&call, "RoleArn", role->arn);
    add(&call, "RoleSessionName", role->session_name != NULL ? role->session_name : session->name);
    add(&call, "DurationSeconds", session->duration[0] != '\0' ? session->duration : NULL);
    add(&call, "Policy", role->policy);
    return call;
}

bool sts_assume_role(struct credentials *out, const struct http *http,
                     struct openapi_endpoints *endpoints, const struct role *role,
                     struct openapi_signer *signer, struct error *err)
{
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    struct session session;
    struct openapi_call call = make_call("AssumeRole", role, &session);

    add(&call, "ExternalId", role->external_id);
    add(&call, "SourceIdentity", role->source_identity);
    if (!openapi_call(&reply, http, endpoints, &call, signer, err)) {
        /* STS says the same for a missing permission and for a trust policy that refuses. */
        if (text_starts_with(err->service_code, "NoPermission"))
            (void)error_advise(err,
                               "Allow sts:AssumeRole to %s, and let the role's trust policy name "
                               "it%s",
                               signer->words,
                               role->external_id != NULL
                                   ? " and this externalId"
                                   : "; if that asks for an external id, set externalId");
    } else if (decode(out, &reply, call.action, role->arn, err)) {
        return true;
    }
    return error_wrap(err, "assuming %s as %s", role->arn, signer->words);
}

static void explain_end(struct error *err)
{
    (void)error_advise(err, "The token has ended: check the node's clock (NTP)");
}

/* What STS was shown, and on what. */
struct proof {
    struct claims claims;
    const char *provider_arn;
    bool is_of_kubelet; /* else from a file */
};

static void explain_audience(const struct proof *proof, struct error *err)
{
    if (proof->claims.audience_fits)
        (void)error_advise(err,
                           "Most likely oidc:aud failed: %s must list " AUDIENCE
                           " among its client ids, and the role's trust policy admit it",
                           proof->provider_arn);
    else
        (void)error_advise(
            err,
            "Most likely oidc:aud failed: the token's audience is %s; set %s to " AUDIENCE
            ", or allow it in the OIDC provider",
            proof->claims.audience,
            proof->is_of_kubelet ? "the kubelet's serviceAccountTokenAudience"
                                 : "the audience of the projected token");
}

static void explain_issuer(const struct proof *proof, struct error *err)
{
    (void)error_advise(err,
                       "Most likely oidc:iss failed: the token's issuer is %s; %s must be the "
                       "provider of this cluster, with RRSA enabled",
                       proof->claims.issuer, proof->provider_arn);
}

/* The service only says no: what differs from what ACK's providers expect is most likely why. */
static void guess(const struct proof *proof, struct error *err)
{
    const struct claims *claims = &proof->claims;

    if (claims->expires_at_s != 0 && claims->expires_at_s <= clock_wall_s())
        explain_end(err);
    else if (!claims->audience_fits)
        explain_audience(proof, err);
    else
        (void)error_advise(err,
                           "Most likely oidc:sub failed: the role's trust policy must admit "
                           "oidc:sub %s with oidc:iss %s, and name %s as principal",
                           claims->subject, claims->issuer, proof->provider_arn);
}

/* Says which condition most likely failed. */
static void explain(struct proof *proof, const struct secret *token, struct error *err)
{
    const char *code = err->service_code;

    if (!claims_read(&proof->claims, token, AUDIENCE))
        (void)error_advise(err, "The token is not a JSON Web Token: %s",
                           proof->is_of_kubelet
                               ? "the kubelet has to send one of the pod's service account"
                               : "let the token file hold one of a service account");
    else if (strstr(code, "Expired") != NULL)
        explain_end(err);
    else if (strstr(code, "Audience") != NULL)
        explain_audience(proof, err);
    else if (strstr(code, "Issuer") != NULL || strstr(code, "Fingerprint") != NULL)
        explain_issuer(proof, err);
    else if (strstr(code, "Invalid") != NULL || strcasestr(err->cause, "OIDC Provider") != NULL ||
             strcasestr(err->cause, "OIDCProvider") != NULL)
        (void)error_advise(err,
                           "Check that OIDC provider %s exists, with RRSA enabled, and is that of "
                           "the cluster that made the token",
                           proof->provider_arn);
    else
        guess(proof, err);
}

bool sts_assume_role_with_oidc(struct credentials *out, const struct http *http,
                               struct openapi_endpoints *endpoints, const struct role *role,
                               const char *provider_arn, const struct secret *token,
                               bool is_of_kubelet, struct error *err)
{
    struct proof proof = {.provider_arn = provider_arn, .is_of_kubelet = is_of_kubelet};
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    struct session session;
    struct openapi_call call = make_call("AssumeRoleWithOIDC", role, &session);

    add(&call, "OIDCProviderArn", provider_arn);
    add(&call, "OIDCToken", secret_reveal(token));
    call.secret = token;
    if (!openapi_call(&reply, http, endpoints, &call, NULL, err)) {
        if (text_starts_with(err->service_code, "AuthenticationFail.") ||
            text_starts_with(err->service_code, "NoPermission"))
            explain(&proof, token, err);
    } else if (decode(out, &reply, call.action, role->arn, err)) {
        return true;
    }
    return error_wrap(err, "assuming %s with OIDC provider %s", role->arn, provider_arn);
}
