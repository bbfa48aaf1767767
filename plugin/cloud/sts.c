#include "cloud/sts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/system.h"
#include "base/text.h"
#include "cloud/codes.h"
#include "cloud/explain.h"
#include "cloud/openapi.h"
#include "net/http.h"
#include "proto-json/credentials_reply.h"

enum { SESSION_NAME_SIZE = 65, NUMBER_SIZE = 24 };

/* "acr-NODENAME", of the characters that STS allows. */
static void name_session(char out[SESSION_NAME_SIZE])
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.@-_";
    char node[256] = "";

    if (gethostname(node, sizeof node - 1) != 0 || node[0] == '\0')
        text_copy(node, sizeof node, "node");
    text_join(out, SESSION_NAME_SIZE, "acr-", "", node);
    for (char *at = out; *at != '\0'; at++) {
        if (strchr(allowed, *at) == NULL)
            *at = '-';
    }
}

static bool decode(struct credentials *out, const struct openapi_reply *reply, const char *action,
                   const char *role_arn, struct error *err)
{
    struct credentials issued AUTO(credentials_clear) = {0};

    if (!credentials_reply_decode(&issued, CREDENTIALS_REPLY_STS, reply->body.bytes,
                                  reply->body.length, err))
        return openapi_fail_answer(reply, action, err);
    if (issued.expires_at_s <= reply->server_time_s)
        return error_set_advised(err, ERROR_UNAVAILABLE, ADVICE_ISSUED_EXPIRED,
                                 "the credentials of %s had expired when they were issued",
                                 role_arn);
    credentials_clear(out);
    *out = TAKE(issued);
    return true;
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
    snprintf(session->duration, sizeof session->duration, "%lld", (long long)role->duration_s);
    add(&call, "RoleArn", role->arn);
    add(&call, "RoleSessionName", role->session_name != NULL ? role->session_name : session->name);
    add(&call, "DurationSeconds", role->duration_s > 0 ? session->duration : NULL);
    add(&call, "Policy", role->policy);
    return call;
}

bool sts_assume_role(struct credentials *out, const struct api *api, const struct role *role,
                     struct error *err)
{
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    struct session session;
    struct openapi_call call = make_call("AssumeRole", role, &session);

    add(&call, "ExternalId", role->external_id);
    add(&call, "SourceIdentity", role->source_identity);
    if (!openapi_call(&reply, api, &call, err)) {
        if (codes_meaning(err->service_code) == CODES_FORBIDDEN)
            explain_assume_role(api->principal, role, err);
    } else if (decode(out, &reply, call.action, role->arn, err)) {
        return true;
    }
    return error_wrap(err, "assuming %s as %s", role->arn, api->principal);
}

bool sts_assume_role_with_oidc(struct credentials *out, const struct api *api,
                               const struct role *role, const struct sts_oidc *oidc,
                               struct error *err)
{
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    struct session session;
    struct openapi_call call = make_call("AssumeRoleWithOIDC", role, &session);

    add(&call, "OIDCProviderArn", oidc->provider_arn);
    add(&call, "OIDCToken", secret_reveal(oidc->token));
    call.secret = oidc->token;
    if (!openapi_call(&reply, api, &call, err))
        explain_oidc(oidc, api->http->system->wall_s(), err);
    else if (decode(out, &reply, call.action, role->arn, err))
        return true;
    return error_wrap(err, "assuming %s with OIDC provider %s", role->arn, oidc->provider_arn);
}
