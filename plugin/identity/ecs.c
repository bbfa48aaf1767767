#include "identity/ecs.h"

#include <string.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/text.h"
#include "cache/store.h"
#include "cloud/metadata.h"
#include "config/settings.h"
#include "identity/environment.h"
#include "net/http.h"
#include "proto-json/credentials_reply.h"

enum { ROLE_NAME_SIZE = 65, TRIES = 3, TOKEN_LIFE_OF_A_RUN_S = 900 };

#define CREDENTIALS_ITEM "ram/security-credentials/"
#define REGION_ITEM      "region-id"
#define ACCOUNT_ITEM     "owner-account-id"

bool ecs_is_disabled(void)
{
    return environment_is_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED");
}

static struct metadata make_metadata(const struct run *run, unsigned tries)
{
    enum metadata_modes modes = METADATA_BOTH;

    if (environment_is_true("ALIBABA_CLOUD_IMDSV1_DISABLED"))
        modes = METADATA_TOKEN_ONLY;
    else if (environment_is_go_true("ALIBABA_CLOUD_IMDSV2_DISABLED"))
        modes = METADATA_NORMAL_ONLY;
    return (struct metadata){.http = &run->http,
                             .base_url = run->settings->endpoints.metadata,
                             .modes = modes,
                             .tries = tries,
                             .token_life_s = run->store->is_open ? METADATA_TOKEN_LIFE_MAX_S
                                                                 : TOKEN_LIFE_OF_A_RUN_S};
}

static enum recipe_outcome fail_no_role(struct error *err)
{
    (void)error_set(err, ERROR_CONFIG, "no RAM role is attached to this ECS instance");
    (void)error_advise(err, "Attach one that allows cr:GetAuthorizationToken and "
                            "cr:PullRepository");
    return RECIPE_ABSENT;
}

static enum recipe_outcome discover_role(char role[ROLE_NAME_SIZE], struct metadata *metadata,
                                         struct error *err)
{
    struct buf answer AUTO(buf_clear) = {0};
    char *name;

    switch (metadata_read(&answer, metadata, CREDENTIALS_ITEM, err)) {
    case METADATA_FAILED:
        return RECIPE_BROKEN;
    case METADATA_ABSENT:
        return fail_no_role(err);
    case METADATA_FOUND:
        break;
    }
    if (answer.length == 0)
        return fail_no_role(err);
    name = answer.bytes + strspn(answer.bytes, " \t\r\n");
    name[strcspn(name, " \t\r\n")] = '\0';
    if (check_role_name(name, "role", err) && text_copy(role, ROLE_NAME_SIZE, name))
        return RECIPE_FOUND;
    (void)error_set(err, ERROR_UNAVAILABLE, "ECS metadata service: the answer is not a role name");
    (void)error_advise(err, "Check what answers at %s in its place", metadata->base_url);
    return RECIPE_BROKEN;
}

/* Given, named by the environment, found by an earlier run, or discovered. */
static enum recipe_outcome name_role(char role[ROLE_NAME_SIZE], struct metadata *metadata,
                                     const char *given, char found[ROLE_NAME_SIZE],
                                     struct error *err)
{
    const char *named = environment_value("ALIBABA_CLOUD_ECS_METADATA");
    enum recipe_outcome outcome;

    if (given == NULL && named[0] != '\0') {
        if (!check_role_name(named, "ALIBABA_CLOUD_ECS_METADATA", err))
            return RECIPE_BROKEN;
        given = named;
    }
    if (given != NULL)
        return text_copy(role, ROLE_NAME_SIZE, given) ? RECIPE_FOUND : RECIPE_BROKEN;
    if (found[0] == '\0') {
        outcome = discover_role(found, metadata, err);
        if (outcome != RECIPE_FOUND)
            return outcome;
    }
    (void)text_copy(role, ROLE_NAME_SIZE, found);
    return RECIPE_FOUND;
}

/* Who named the role, NULL if the service did. `words` are those of the recipe. */
static const char *namer_of_role(const char *given, const char *words)
{
    if (given != NULL)
        return text_starts_with(words, "profile ") ? "the role's name in the profile"
                                                   : "roleName in the configuration";
    return environment_value("ALIBABA_CLOUD_ECS_METADATA")[0] != '\0' ? "ALIBABA_CLOUD_ECS_METADATA"
                                                                      : NULL;
}

static bool read_credentials(struct credentials *out, struct metadata *metadata, const char *role,
                             const char *namer, struct error *err)
{
    struct buf answer AUTO(buf_clear) = {0};
    char item[sizeof CREDENTIALS_ITEM + ROLE_NAME_SIZE];

    text_join(item, sizeof item, CREDENTIALS_ITEM, "", role);
    switch (metadata_read(&answer, metadata, item, err)) {
    case METADATA_FAILED:
        return false;
    case METADATA_ABSENT:
        (void)error_set(err, ERROR_CONFIG, "RAM role %s is not attached to this ECS instance",
                        role);
        return namer == NULL ? error_advise(err, "Attach it, or another one")
                             : error_advise(err, "Attach it, or correct %s, which names it", namer);
    case METADATA_FOUND:
        break;
    }
    /* Whether they have expired is for the API to say: this node's clock may be wrong. */
    if (credentials_reply_decode_metadata(out, answer.bytes, answer.length, err))
        return true;
    if (err->service_code[0] != '\0')
        (void)error_advise(err, "Check that RAM role %s still exists and trusts ecs.aliyuncs.com",
                           role);
    else
        (void)error_advise(err, "Check what answers at %s in its place", metadata->base_url);
    error_redact(err, secret_reveal(&metadata->token));
    return error_wrap(err, "ECS metadata service: credentials of RAM role %s", role);
}

typedef bool checker(const char *text, const char *what, struct error *err);

/* Takes an item that is welcome but not needed, if it has the form that it should have. */
static void take_item(const struct metadata *metadata, const char *item, char *out,
                      unsigned long size, checker *check)
{
    struct error ignored;

    if (!metadata_read_prefetched(out, size, metadata, item) || !check(out, "it", &ignored))
        out[0] = '\0';
}

/* -- what the next run need not ask again -- */

#define KIND "node"

enum { TOKEN_VALUE, ROLE_VALUE, REGION_VALUE, MARGIN_S = 600 };

/* Of the metadata service at this address. */
static bool make_key(char key[DIGEST_HEX_SIZE], const struct run *run)
{
    const char *base_url = run->settings->endpoints.metadata;
    struct error ignored;

    return digest_sha256(key, base_url, strlen(base_url), &ignored);
}

/* Takes session token, role and region of an earlier run. */
static bool recall(struct metadata *metadata, char role[ROLE_NAME_SIZE], struct ecs_place *place,
                   const struct run *run)
{
    struct record record AUTO(record_clear) = {0};
    char key[DIGEST_HEX_SIZE];
    int64_t left_s = 0;

    if (!make_key(key, run) || !store_read(&record, &left_s, run->store, KIND, key) ||
        secret_is_empty(&record.values[TOKEN_VALUE]) || metadata->modes == METADATA_NORMAL_ONLY)
        return false;
    secret_copy(&metadata->token, &record.values[TOKEN_VALUE]);
    /* Since the system started it has answered: it may be down, but absent it is not. */
    metadata->is_there = true;
    (void)text_copy(role, ROLE_NAME_SIZE, secret_reveal(&record.values[ROLE_VALUE]));
    (void)text_copy(place->region, sizeof place->region,
                    secret_reveal(&record.values[REGION_VALUE]));
    return true;
}

static void remember(const struct metadata *metadata, const char *role,
                     const struct ecs_place *place, const struct run *run)
{
    struct record record AUTO(record_clear) = {.life_s = metadata->token_life_s - MARGIN_S};

    if (!metadata->token_is_new || !make_key(record.key, run))
        return;
    secret_copy(&record.values[TOKEN_VALUE], &metadata->token);
    secret_set(&record.values[ROLE_VALUE], role, strlen(role));
    secret_set(&record.values[REGION_VALUE], place->region, strlen(place->region));
    store_write(run->store, KIND, &record);
}

static void forget(const struct run *run)
{
    char key[DIGEST_HEX_SIZE];

    if (make_key(key, run))
        store_remove(run->store, KIND, key);
}

/* One conversation with the service. `found` is a role that an earlier one has found, else "", and
 * becomes the one that this one finds. */
static enum recipe_outcome converse(struct credentials *out, struct ecs_place *place,
                                    char found[ROLE_NAME_SIZE], char words[RECIPE_WORDS_SIZE],
                                    struct metadata *metadata, const char *given, struct error *err)
{
    bool needs_region = place->region[0] == '\0';
    char role[ROLE_NAME_SIZE] = "";
    enum recipe_outcome outcome;

    if (!metadata_open(metadata, err))
        return RECIPE_BROKEN;
    if (needs_region)
        metadata_prefetch(metadata, REGION_ITEM);
    outcome = name_role(role, metadata, given, found, err);
    if (outcome != RECIPE_FOUND)
        return outcome;
    if (!read_credentials(out, metadata, role, namer_of_role(given, words), err))
        return RECIPE_BROKEN;
    if (needs_region)
        take_item(metadata, REGION_ITEM, place->region, sizeof place->region, check_region);
    text_join(words, RECIPE_WORDS_SIZE, "RAM role ", role, " of this instance");
    return RECIPE_FOUND;
}

static bool fail_disabled(struct error *err)
{
    (void)error_set(err, ERROR_CONFIG,
                    "ALIBABA_CLOUD_ECS_METADATA_DISABLED forbids the ECS metadata service");
    return error_advise(err, "Unset it, or name another source of an identity");
}

enum recipe_outcome ecs_fetch(struct credentials *out, struct ecs_place *place,
                              char words[RECIPE_WORDS_SIZE], const struct run *run,
                              const char *role, struct error *err)
{
    if (ecs_is_disabled()) {
        (void)fail_disabled(err);
        return RECIPE_BROKEN;
    }
    for (bool again = false;; again = true) {
        struct metadata metadata AUTO(metadata_clear) = make_metadata(run, TRIES);
        char found[ROLE_NAME_SIZE] = "";
        bool is_recalled = !again && recall(&metadata, found, place, run);
        enum recipe_outcome outcome = converse(out, place, found, words, &metadata, role, err);

        if (outcome == RECIPE_FOUND)
            remember(&metadata, found, place, run);
        if (outcome == RECIPE_BROKEN && err->kind == ERROR_TEMPORARY && !metadata.is_there)
            return RECIPE_ABSENT;
        if (outcome == RECIPE_FOUND || !is_recalled || err->kind == ERROR_TEMPORARY)
            return outcome;
        /* The role may be another one by now, or the instance another mode: ask for everything. */
        forget(run);
        *place = (struct ecs_place){0};
    }
}

bool ecs_locate(struct ecs_place *out, const struct run *run, bool needed, struct error *err)
{
    struct metadata metadata AUTO(metadata_clear) = make_metadata(run, needed ? TRIES : 1);

    if (ecs_is_disabled())
        return fail_disabled(err);
    if (!metadata_open(&metadata, err))
        return false;
    metadata_prefetch(&metadata, REGION_ITEM);
    metadata_prefetch(&metadata, ACCOUNT_ITEM);
    take_item(&metadata, REGION_ITEM, out->region, sizeof out->region, check_region);
    take_item(&metadata, ACCOUNT_ITEM, out->account_id, sizeof out->account_id, check_account_id);
    return true;
}
