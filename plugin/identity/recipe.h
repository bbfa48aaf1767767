/* How an identity comes about: credentials to begin with, and the roles that are assumed one after
 * the other from there. Every source of the official chain, every profile and every pod comes down
 * to one of these, made without the network. */
#ifndef IDENTITY_RECIPE_H
#define IDENTITY_RECIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/credentials.h"
#include "base/role.h"
#include "base/secret.h"

enum recipe_base {
    RECIPE_KEY,     /* an AccessKey or STS credentials that are there */
    RECIPE_OIDC,    /* a role, assumed with a token of an OIDC provider */
    RECIPE_ECS,     /* the RAM role of this ECS instance */
    RECIPE_URI,     /* what a local service answers */
    RECIPE_PROCESS, /* what a command prints */
};

enum { RECIPE_WORDS_SIZE = 256, RECIPE_REGION_SIZE = 65 };

/* Where a token of an OIDC provider leads. Strings are owned. */
struct recipe_oidc {
    struct role role;   /* without an ARN if it has only a name, see role_name */
    char *role_name;    /* in the account below */
    char *account_id;   /* NULL: that of the node */
    char *provider_arn; /* NULL: that of the ACK cluster below, in the same account */
    char *cluster_id;
    char *token_file; /* NULL: the token is below */
    struct secret token;
};

/* Strings are owned. `{0}` is empty. */
struct recipe {
    enum recipe_base base;
    struct credentials key;
    struct recipe_oidc oidc;
    char *ecs_role;     /* NULL: the metadata service is asked for it */
    bool may_be_absent; /* ECS as a link of the chain: only the network tells whether it is there */
    char *uri;
    char *command;
    struct role *roles;
    size_t role_count;
    char sts_region[RECIPE_REGION_SIZE]; /* "": that of the node */
    bool sts_by_vpc;
    char words[RECIPE_WORDS_SIZE]; /* for errors: "profile default" */
};

/* Wipes, frees and returns to `{0}`. */
void recipe_clear(struct recipe *recipe);

/* Appends a copy of a role. */
void recipe_add_role(struct recipe *recipe, const struct role *role);

/* Appends what makes the identity this one and no other, so that equal texts mean equal identities.
 * It holds secrets: for a digest only. */
void recipe_describe(struct buf *out, const struct recipe *recipe);

/* What a source says: it has an identity; it is not configured (err then holds the reason, for the
 * list of a chain that finds nothing); or it is configured and broken (err is an error). Only what
 * is absent may be passed over: another identity in the place of a broken one would be another than
 * the operator meant. */
enum recipe_outcome { RECIPE_FOUND, RECIPE_ABSENT, RECIPE_BROKEN };

#endif
