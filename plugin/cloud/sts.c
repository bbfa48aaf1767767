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

bool sts_assume_role(struct credentials *out, struct http *http,
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

static void explain_audience(const struct claims *claims, struct error *err)
{
    (void)error_advise(err,
                       "Most likely oidc:aud failed: the token's audience is %s; ask for %s "
                       "(serviceAccountTokenAudience) or allow it in the OIDC provider",
                       claims->audience, AUDIENCE);
}

static void explain_issuer(const struct claims *claims, const char *provider_arn, struct error *err)
{
    (void)error_advise(err,
                       "Most likely oidc:iss failed: the token's issuer is %s; %s must be the "
                       "provider of this cluster, with RRSA enabled",
                       claims->issuer, provider_arn);
}

/* The service only says no: what differs from what ACK's providers expect is most likely why. */
static void guess(const struct claims *claims, struct error *err)
{
    if (claims->expires_at_s != 0 && claims->expires_at_s <= clock_wall_s())
        explain_end(err);
    else if (!claims->audience_fits)
        explain_audience(claims, err);
    else
        (void)error_advise(err,
                           "Most likely oidc:sub failed: the role's trust policy must admit "
                           "oidc:sub %s with oidc:iss %s",
                           claims->subject, claims->issuer);
}

/* Says which condition most likely failed. */
static void explain(const struct secret *token, const char *provider_arn, struct error *err)
{
    const char *code = err->service_code;
    struct claims claims;

    if (!claims_read(&claims, token, AUDIENCE))
        (void)error_advise(err, "The token is not a JSON Web Token");
    else if (strstr(code, "Expired") != NULL)
        explain_end(err);
    else if (strstr(code, "Audience") != NULL)
        explain_audience(&claims, err);
    else if (strstr(code, "Issuer") != NULL || strstr(code, "Fingerprint") != NULL)
        explain_issuer(&claims, provider_arn, err);
    else if (strstr(code, "Invalid") != NULL || strcasestr(err->cause, "OIDC Provider") != NULL ||
             strcasestr(err->cause, "OIDCProvider") != NULL)
        (void)error_advise(err,
                           "Check that OIDC provider %s exists, with RRSA enabled, and is that of "
                           "the cluster that made the token",
                           provider_arn);
    else
        guess(&claims, err);
}

bool sts_assume_role_with_oidc(struct credentials *out, struct http *http,
                               struct openapi_endpoints *endpoints, const struct role *role,
                               const char *provider_arn, const struct secret *token,
                               struct error *err)
{
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    struct session session;
    struct openapi_call call = make_call("AssumeRoleWithOIDC", role, &session);

    add(&call, "OIDCProviderArn", provider_arn);
    add(&call, "OIDCToken", secret_reveal(token));
    call.secret = token;
    if (!openapi_call(&reply, http, endpoints, &call, NULL, err)) {
        if (text_starts_with(err->service_code, "AuthenticationFail.") ||
            text_starts_with(err->service_code, "NoPermission"))
            explain(token, provider_arn, err);
    } else if (decode(out, &reply, call.action, role->arn, err)) {
        return true;
    }
    return error_wrap(err, "assuming %s with OIDC provider %s", role->arn, provider_arn);
}
