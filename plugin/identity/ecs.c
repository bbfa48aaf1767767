#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/text.h"
#include "cache/store.h"
#include "cloud/metadata.h"
#include "identity/environment.h"
#include "identity/explain.h"
#include "identity/sources.h"
#include "proto-json/credentials_reply.h"

enum { ROLE_NAME_SIZE = 65, TRIES = 3, TOKEN_LIFE_OF_A_RUN_S = 900 };

#define CREDENTIALS_ITEM "ram/security-credentials/"
#define REGION_ITEM      "region-id"
#define ACCOUNT_ITEM     "owner-account-id"
#define ROLE_VARIABLE    "ALIBABA_CLOUD_ECS_METADATA"

void ecs_read_environment(struct plan_ecs *out, const struct system *system)
{
    out->is_disabled = environment_is_true(system, "ALIBABA_CLOUD_ECS_METADATA_DISABLED");
    if (environment_is_true(system, "ALIBABA_CLOUD_IMDSV1_DISABLED"))
        out->modes = METADATA_TOKEN_ONLY;
    else if (environment_is_true(system, "ALIBABA_CLOUD_IMDSV2_DISABLED"))
        out->modes = METADATA_NORMAL_ONLY;
}

bool ecs_use(struct plan *out, const struct system *system, struct error *err)
{
    out->source = PLAN_ECS;
    ecs_read_environment(&out->ecs, system);
    if (out->ecs.role != NULL || !environment_is_set(system, ROLE_VARIABLE))
        return true;
    out->ecs.role = environment_copy(system, ROLE_VARIABLE);
    out->ecs.role_named_by = ROLE_VARIABLE;
    return check_text(CHECK_ROLE_NAME, out->ecs.role, ROLE_VARIABLE, err) ||
           error_advise(err, ADVICE_VARIABLE);
}

bool ecs_plan(struct plan *out, const struct system *system,
              const struct settings_identity *settings, struct error *err)
{
    out->ecs.role = alloc_string_or_null(settings->role_name);
    out->ecs.role_named_by = settings->role_name == NULL ? NULL : "identity.roleName";
    out->ecs.may_be_absent = settings->source == SETTINGS_SOURCE_DEFAULT;
    text_copy(out->principal, sizeof out->principal, "the RAM role of this instance");
    if (!ecs_use(out, system, err))
        return false;
    return !out->ecs.is_disabled ||
           plan_absent(err, "disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED");
}

static struct metadata make_metadata(const struct run *run, const struct plan_ecs *ecs,
                                     const struct store *cache)
{
    return (struct metadata){.http = &run->http,
                             .base_url = run->settings->endpoints.metadata,
                             .modes = ecs->modes,
                             .tries = TRIES,
                             .token_life_s =
                                 cache != NULL ? METADATA_TOKEN_LIFE_MAX_S : TOKEN_LIFE_OF_A_RUN_S};
}

/* -- what the next run need not ask again -- */

enum { TOKEN_VALUE, ROLE_VALUE, REGION_VALUE, MARGIN_S = 600 };

/* What one fetch learns of the instance, or an earlier run has learned. */
struct known {
    char role[ROLE_NAME_SIZE]; /* as the service says; "" if unknown */
    char region[PLAN_REGION_SIZE];
    bool is_recalled;
};

/* Takes session token, role and region of an earlier run. */
static void recall(struct known *known, struct metadata *metadata, const struct store *cache,
                   const char *key)
{
    struct record record AUTO(record_clear) = {0};
    int64_t remaining_s = 0;

    if (metadata->modes == METADATA_NORMAL_ONLY ||
        !store_read(&record, &remaining_s, cache, STORE_NODE, key) ||
        secret_is_empty(&record.values[TOKEN_VALUE]))
        return;
    secret_copy(&metadata->token, &record.values[TOKEN_VALUE]);
    /* It has answered since the system started: it may be down, but it is not absent. */
    metadata->was_reached = true;
    text_copy(known->role, sizeof known->role, secret_reveal(&record.values[ROLE_VALUE]));
    text_copy(known->region, sizeof known->region, secret_reveal(&record.values[REGION_VALUE]));
    known->is_recalled = true;
}

static void remember(const struct known *known, const struct metadata *metadata,
                     const struct store *cache, const char *key)
{
    struct record record AUTO(record_clear) = {.life_s = metadata->token_life_s - MARGIN_S};

    if (!metadata->token_is_new)
        return;
    text_copy(record.key, sizeof record.key, key);
    secret_copy(&record.values[TOKEN_VALUE], &metadata->token);
    secret_set(&record.values[ROLE_VALUE], known->role, strlen(known->role));
    secret_set(&record.values[REGION_VALUE], known->region, strlen(known->region));
    store_write(cache, STORE_NODE, &record);
}

/* -- one fetch -- */

static bool fail_no_role(struct error *err)
{
    error_set_advised(err, ERROR_CONFIG, ADVICE_NO_ROLE,
                      "no RAM role is attached to this ECS instance");
    err->retry = ERROR_RETRY_NEXT_SOURCE;
    return false;
}

static bool discover_role(struct known *known, struct metadata *metadata, struct error *err)
{
    struct buf answer AUTO(buf_clear) = {0};
    char *name;

    switch (metadata_read(&answer, metadata, CREDENTIALS_ITEM, err)) {
    case METADATA_FAILED:
        return false;
    case METADATA_ABSENT:
        return fail_no_role(err);
    case METADATA_FOUND:
        break;
    }
    if (answer.length == 0)
        return fail_no_role(err);
    name = answer.bytes + strspn(answer.bytes, " \t\r\n");
    name[strcspn(name, " \t\r\n")] = '\0';
    if (check_text(CHECK_ROLE_NAME, name, "role", err) &&
        text_copy(known->role, sizeof known->role, name))
        return true;
    error_set(err, ERROR_UNAVAILABLE, "ECS metadata service: the answer is not a role name");
    return explain_ecs_answer("", metadata->base_url, err);
}

static bool read_credentials(struct credentials *out, struct metadata *metadata, const char *role,
                             const char *role_named_by, struct error *err)
{
    struct buf answer AUTO(buf_clear) = {0};
    char item[sizeof CREDENTIALS_ITEM + ROLE_NAME_SIZE];

    text_join(item, sizeof item, CREDENTIALS_ITEM, "", role);
    switch (metadata_read(&answer, metadata, item, err)) {
    case METADATA_FAILED:
        return false;
    case METADATA_ABSENT:
        error_set(err, ERROR_CONFIG, "RAM role %s is not attached to this ECS instance", role);
        return explain_role_not_attached(role_named_by, err);
    case METADATA_FOUND:
        break;
    }
    /* The API decides whether they have expired: this node's clock may be wrong. */
    if (credentials_reply_decode(out, CREDENTIALS_REPLY_METADATA, answer.bytes, answer.length, err))
        return true;
    error_redact(err, secret_reveal(&metadata->token));
    explain_ecs_answer(role, metadata->base_url, err);
    return error_wrap(err, "ECS metadata service: credentials of RAM role %s", role);
}

/* Takes an item that can be missing, if it has the form that it must have. */
static void read_item(char *out, size_t size, const struct metadata *metadata, const char *item,
                      enum check_type type)
{
    struct error ignored;

    if (!metadata_read_optional(metadata, item, out, size) ||
        !check_text(type, out, "it", &ignored))
        out[0] = '\0';
}

static bool fetch_once(struct identity *out, struct known *known, struct metadata *metadata,
                       const struct plan_ecs *ecs, struct error *err)
{
    const bool needs_region = known->region[0] == '\0';
    const char *role = ecs->role != NULL ? ecs->role : known->role;

    if (!metadata_open(metadata, err))
        return false;
    if (needs_region)
        metadata_prefetch(metadata, REGION_ITEM);
    if (role[0] == '\0' && !discover_role(known, metadata, err))
        return false;
    if (!read_credentials(&out->credentials, metadata, role, ecs->role_named_by, err))
        return false;
    if (needs_region)
        read_item(known->region, sizeof known->region, metadata, REGION_ITEM, CHECK_REGION);
    text_copy(out->node.region, sizeof out->node.region, known->region);
    out->node.by_session_token = !secret_is_empty(&metadata->token);
    text_join(out->principal, sizeof out->principal, "RAM role ", role, " of this instance");
    return true;
}

bool ecs_fetch(struct identity *out, const struct run *run, const struct plan *plan,
               const struct store *cache, struct error *err)
{
    const char *base_url = run->settings->endpoints.metadata;
    char key[DIGEST_HEX_SIZE];

    if (!digest_sha256(key, base_url, strlen(base_url), err))
        return false;
    for (bool again = false;; again = true) {
        struct metadata metadata AUTO(metadata_clear) = make_metadata(run, &plan->ecs, cache);
        struct known known = {0};

        if (!again)
            recall(&known, &metadata, cache, key);
        if (fetch_once(out, &known, &metadata, &plan->ecs, err)) {
            remember(&known, &metadata, cache, key);
            return true;
        }
        if (!known.is_recalled || err->kind == ERROR_TEMPORARY) {
            if (err->kind == ERROR_TEMPORARY && !metadata.was_reached)
                err->retry = ERROR_RETRY_NEXT_SOURCE;
            if (!plan->ecs.may_be_absent)
                err->retry = ERROR_RETRY_NOTHING;
            return false;
        }
        /* The role may be another one by now, or the instance in another mode: ask again. */
        store_remove(cache, STORE_NODE, key);
    }
}

bool ecs_locate(struct node_place *out, const struct run *run, const struct plan_ecs *ecs,
                bool needed, struct error *err)
{
    struct metadata metadata AUTO(metadata_clear) = make_metadata(run, ecs, NULL);

    if (ecs->is_disabled)
        return explain_ecs_disabled(err);
    if (!needed)
        metadata.tries = 1;
    if (!metadata_open(&metadata, err))
        return false;
    metadata_prefetch(&metadata, REGION_ITEM);
    metadata_prefetch(&metadata, ACCOUNT_ITEM);
    read_item(out->region, sizeof out->region, &metadata, REGION_ITEM, CHECK_REGION);
    read_item(out->account_id, sizeof out->account_id, &metadata, ACCOUNT_ITEM, CHECK_ACCOUNT_ID);
    return true;
}
