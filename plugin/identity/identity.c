#include "identity/identity.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cloud/sts.h"
#include "config/settings.h"
#include "identity/chain.h"
#include "identity/command.h"
#include "identity/environment.h"
#include "identity/pod.h"
#include "identity/uri.h"
#include "net/http.h"
#include "proto-json/credentials_reply.h"

enum { OIDC_TOKEN_MAX_BYTES = 20000, ARN_SIZE = 256 };

void identity_clear(struct identity *identity)
{
    credentials_clear(&identity->signer.credentials);
    recipe_clear(&identity->recipe);
    buf_clear(&identity->reasons);
    *identity = (struct identity){0};
}

/* -- STS -- */

static bool choose_sts(struct openapi_endpoints *out, const struct identity *identity,
                       struct error *err)
{
    const struct settings_endpoints *settings = &identity->run->settings->endpoints;
    const struct recipe *recipe = &identity->recipe;
    const char *region = recipe->sts_region[0] != '\0' ? recipe->sts_region : identity->node.region;
    bool is_near = identity->node.region[0] != '\0' && strcmp(region, identity->node.region) == 0;
    enum sts_endpoint_order order = recipe->sts_by_vpc || is_near ? STS_VPC_FIRST : STS_PUBLIC_ONLY;

    if (settings->sts != NULL) {
        out->count = 1;
        (void)text_copy(out->urls[0], OPENAPI_URL_SIZE, settings->sts);
        return true;
    }
    if (settings->network == SETTINGS_NETWORK_PUBLIC)
        order = STS_PUBLIC_ONLY;
    if (settings->network == SETTINGS_NETWORK_VPC) {
        order = STS_VPC_ONLY;
        if (region[0] == '\0') {
            (void)error_set(err, ERROR_CONFIG,
                            "endpoints.network is \"vpc\", but the region of STS is not known");
            return error_advise(err, "Set endpoints.sts or ALIBABA_CLOUD_STS_REGION");
        }
    }
    sts_endpoints(out, region, order);
    return true;
}

/* Assumes the recipe's roles, each as the one before it. */
static bool assume_roles(struct identity *identity, struct error *err)
{
    const struct recipe *recipe = &identity->recipe;
    struct openapi_endpoints endpoints = {0};

    if (recipe->role_count == 0)
        return true;
    if (!choose_sts(&endpoints, identity, err))
        return false;
    for (size_t i = 0; i < recipe->role_count; i++) {
        struct openapi_signer as = {0};
        bool assumed;

        as.credentials = TAKE(identity->signer.credentials);
        (void)text_copy(as.words, sizeof as.words, identity->signer.words);
        assumed = sts_assume_role(&identity->signer.credentials, &identity->run->http, &endpoints,
                                  &recipe->roles[i], &as, err);
        credentials_clear(&as.credentials);
        if (!assumed)
            return false;
        text_join(identity->signer.words, sizeof identity->signer.words, "role ", "",
                  recipe->roles[i].arn);
    }
    return true;
}

/* -- OIDC -- */

/* "acs:ram::ACCOUNT:KIND/NAME" */
static char *make_arn(const char *account_id, const char *kind, const char *name)
{
    struct buf arn AUTO(buf_clear) = {0};

    buf_append_format(&arn, "acs:ram::%s:%s%s", account_id, kind, name);
    return alloc_string(buf_text(&arn));
}

/* Writes out the ARNs of which only names are known. */
static bool complete_arns(struct recipe_oidc *oidc, const struct ecs_place *node, struct error *err)
{
    const char *account_id = oidc->account_id != NULL ? oidc->account_id : node->account_id;

    if (oidc->role.arn != NULL && oidc->provider_arn != NULL)
        return true;
    if (account_id[0] == '\0') {
        (void)error_set(err, ERROR_CONFIG, "the account of the pod's RAM role is not known");
        return error_advise(err, "Set podIdentity.accountId");
    }
    if (oidc->role.arn == NULL)
        oidc->role.arn = make_arn(account_id, "role/", oidc->role_name);
    if (oidc->provider_arn == NULL)
        oidc->provider_arn = make_arn(account_id, "oidc-provider/ack-rrsa-", oidc->cluster_id);
    return true;
}

/* The place of the node is needed for ARNs that lack an account and welcome for the choice of the
 * STS endpoint. */
static bool locate_node(struct identity *identity, struct error *err)
{
    const struct settings_endpoints *settings = &identity->run->settings->endpoints;
    const struct recipe_oidc *oidc = &identity->recipe.oidc;
    bool needs_account =
        oidc->account_id == NULL && (oidc->role.arn == NULL || oidc->provider_arn == NULL);
    bool wants_region = identity->recipe.sts_region[0] == '\0' && settings->sts == NULL &&
                        settings->network != SETTINGS_NETWORK_PUBLIC;

    if ((!needs_account && !wants_region) || identity->node.region[0] != '\0')
        return true;
    if (ecs_locate(&identity->node, identity->run, needs_account, err))
        return true;
    if (needs_account) {
        (void)error_wrap(err, "looking for the account of the pod's RAM role");
        return error_advise(err, "Set podIdentity.accountId, or name the role by its whole ARN");
    }
    log_debug("the region of this node is not known: %s", err->cause);
    return true;
}

static bool advise_about_token_file(struct error *err)
{
    return error_advise(err, "Correct ALIBABA_CLOUD_OIDC_TOKEN_FILE, or the profile's "
                             "oidc_token_file");
}

static bool read_token_file(struct secret *out, const char *path, struct error *err)
{
    struct buf file AUTO(buf_clear) = {0};
    size_t length;

    switch (file_read_trusted(&file, path, OIDC_TOKEN_MAX_BYTES, err)) {
    case FILE_READ:
        break;
    case FILE_ABSENT:
        (void)error_set(err, ERROR_CONFIG, "there is no token file %s", path);
        return advise_about_token_file(err);
    case FILE_REFUSED:
        return err->advice[0] != '\0' ? false : advise_about_token_file(err);
    }
    length = strcspn(buf_text(&file), " \t\r\n");
    if (length == 0) {
        (void)error_set(err, ERROR_CONFIG, "token file %s is empty", path);
        return advise_about_token_file(err);
    }
    secret_set(out, buf_text(&file), length);
    return true;
}

static bool fetch_by_oidc(struct identity *identity, struct error *err)
{
    struct recipe_oidc *oidc = &identity->recipe.oidc;
    struct openapi_endpoints endpoints = {0};

    if (oidc->token_file != NULL && !read_token_file(&oidc->token, oidc->token_file, err))
        return false;
    if (identity->is_of_pod && !locate_node(identity, err))
        return false;
    return complete_arns(oidc, &identity->node, err) && choose_sts(&endpoints, identity, err) &&
           sts_assume_role_with_oidc(&identity->signer.credentials, &identity->run->http,
                                     &endpoints, &oidc->role, oidc->provider_arn, &oidc->token,
                                     identity->is_of_pod, err);
}

/* -- the other beginnings -- */

/* A command that fails may have printed its secrets to stderr as well. */
static void hide_printed(char *complaint, const struct buf *printed)
{
    struct credentials credentials AUTO(credentials_clear) = {0};
    struct error ignored;

    if (!credentials_reply_decode_process(&credentials, buf_text(printed), printed->length,
                                          &ignored))
        return;
    text_redact(complaint, secret_reveal(&credentials.access_key_secret));
    text_redact(complaint, secret_reveal(&credentials.security_token));
}

static bool fetch_by_command(struct identity *identity, struct error *err)
{
    struct command command AUTO(command_clear) = {{0}};
    struct buf answer AUTO(buf_clear) = {0};
    int64_t deadline_ms = clock_mono_ms() + http_remaining_ms(&identity->run->http);

    if (!command_split(&command, identity->recipe.command, err)) {
        (void)error_advise(err, "Correct process_command; no shell reads it");
        return error_wrap(err, "process_command of %s", identity->recipe.words);
    }
    if (!command_run(&answer, &command, CREDENTIALS_REPLY_MAX_BYTES, deadline_ms, hide_printed,
                     err) ||
        !credentials_reply_decode_process(&identity->signer.credentials, answer.bytes,
                                          answer.length, err)) {
        (void)error_advise(err, "Run the command by hand, as the user and in the environment of "
                                "this program");
        return error_wrap(err, "process_command of %s", identity->recipe.words);
    }
    return true;
}

static bool fetch_base(struct identity *identity, struct error *err);

static bool fetch_from_ecs(struct identity *identity, struct error *err)
{
    struct openapi_signer *signer = &identity->signer;
    struct recipe next AUTO(recipe_clear) = {0};

    switch (ecs_fetch(&signer->credentials, &identity->node, signer->words, identity->run,
                      identity->recipe.ecs_role, err)) {
    case RECIPE_FOUND:
        return true;
    case RECIPE_BROKEN:
        return false;
    case RECIPE_ABSENT:
        break;
    }
    if (!identity->recipe.may_be_absent)
        return false;
    if (!chain_go_on(&next, &identity->reasons, identity->run->settings->endpoints.metadata, err))
        return false;
    identity->is_stand_in = true;
    identity->recipe.base = next.base;
    identity->recipe.uri = next.uri;
    next.uri = NULL;
    (void)text_copy(identity->recipe.words, sizeof identity->recipe.words, next.words);
    (void)text_copy(signer->words, sizeof signer->words, next.words);
    return fetch_base(identity, err);
}

static bool fetch_base(struct identity *identity, struct error *err)
{
    struct credentials *credentials = &identity->signer.credentials;
    const struct recipe *recipe = &identity->recipe;

    switch (recipe->base) {
    case RECIPE_KEY:
        (void)text_copy(credentials->access_key_id, sizeof credentials->access_key_id,
                        recipe->key.access_key_id);
        secret_copy(&credentials->access_key_secret, &recipe->key.access_key_secret);
        secret_copy(&credentials->security_token, &recipe->key.security_token);
        return true;
    case RECIPE_OIDC:
        return fetch_by_oidc(identity, err);
    case RECIPE_ECS:
        return fetch_from_ecs(identity, err);
    case RECIPE_URI:
        return uri_fetch(credentials, &identity->run->http, recipe->uri, err);
    case RECIPE_PROCESS:
        return fetch_by_command(identity, err);
    }
    return error_set(err, ERROR_INTERNAL, "an identity of no kind");
}

/* Whether STS refused because what it was shown had just ended, and the next may not have. */
static bool has_ended_meanwhile(const struct identity *identity, const struct error *err)
{
    return text_starts_with(err->service_code, "InvalidSecurityToken.Expired") ||
           (identity->recipe.oidc.token_file != NULL &&
            text_starts_with(err->service_code, "AuthenticationFail.OIDCToken.Expired"));
}

static bool fetch(struct openapi_signer *signer, struct error *err)
{
    struct identity *identity = (struct identity *)(void *)signer;

    for (bool again = false;; again = true) {
        credentials_clear(&signer->credentials);
        (void)text_copy(signer->words, sizeof signer->words, identity->recipe.words);
        if (fetch_base(identity, err) && assume_roles(identity, err))
            return true;
        if (again || !has_ended_meanwhile(identity, err))
            return false;
        log_info("%s: what STS was shown has ended, fetching it anew", signer->words);
    }
}

bool identity_choose(struct identity *out, const struct run *run,
                     const struct settings_identity *settings,
                     const struct kubelet_request *request, struct error *err)
{
    out->run = run;
    out->signer.fetch = fetch;
    switch (pod_recipe(&out->recipe, &run->settings->pod, request, err)) {
    case RECIPE_FOUND:
        out->is_of_pod = true;
        return environment_sts(&out->recipe, err);
    case RECIPE_BROKEN:
        return false;
    case RECIPE_ABSENT:
        break;
    }
    if (!chain_find(&out->recipe, &out->reasons, settings, err))
        return false;
    for (size_t i = 0; i < settings->role_count; i++)
        recipe_add_role(&out->recipe, &settings->roles[i]);
    return environment_sts(&out->recipe, err);
}

bool identity_fetch(struct identity *identity, struct error *err)
{
    return identity->signer.fetch(&identity->signer, err);
}

bool identity_is_ecs(const struct identity *identity)
{
    return identity->recipe.base == RECIPE_ECS;
}

void identity_describe(struct buf *out, const struct identity *identity)
{
    const struct settings_endpoints *endpoints = &identity->run->settings->endpoints;
    struct secret token AUTO(secret_clear) = {0};
    struct error ignored;

    recipe_describe(out, &identity->recipe);
    buf_append_format(out, "%s,", endpoints->sts == NULL ? "" : endpoints->sts);
    if (identity->recipe.base == RECIPE_PROCESS)
        environment_describe(out);
    if (identity->recipe.base == RECIPE_OIDC && identity->recipe.oidc.token_file != NULL) {
        /* Another token may be another subject's; one that cannot be read is nobody's. */
        if (read_token_file(&token, identity->recipe.oidc.token_file, &ignored))
            buf_append(out, secret_reveal(&token), token.length + 1);
    }
    /* Where the metadata service is asked, and what may come of it. */
    if (identity->recipe.base == RECIPE_ECS)
        buf_append_format(out, "%s %s %s %s %d %s", endpoints->metadata,
                          environment_value("ALIBABA_CLOUD_IMDSV1_DISABLED"),
                          environment_value("ALIBABA_CLOUD_IMDSV2_DISABLED"),
                          environment_value("ALIBABA_CLOUD_ECS_METADATA"),
                          identity->recipe.may_be_absent,
                          environment_value("ALIBABA_CLOUD_CREDENTIALS_URI"));
}
