/* How credentials are obtained: the source they come from, and the roles that are assumed one after
 * the other from there. Every source of the official chain, every profile and every pod is turned
 * into a plan, which is made without the network and does not change any more. */
#ifndef IDENTITY_PLAN_H
#define IDENTITY_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/credentials.h"
#include "base/error.h"
#include "base/secret.h"
#include "cloud/metadata.h"

enum plan_source {
    PLAN_STATIC,   /* an AccessKey or STS credentials that are given */
    PLAN_OIDC,     /* a role, assumed with a token of an OIDC provider */
    PLAN_ECS,      /* the RAM role of this ECS instance */
    PLAN_URI,      /* the answer of a local service */
    PLAN_EXTERNAL, /* what a command prints */
};

enum { PLAN_PRINCIPAL_SIZE = 256, PLAN_REGION_SIZE = 65 };

/* A role for a token of an OIDC provider. Strings are owned. */
struct plan_oidc {
    struct role role;   /* without an ARN if only its name is known, see role_name */
    char *role_name;    /* in the account below */
    char *account_id;   /* NULL: that of the node */
    char *provider_arn; /* NULL: that of the ACK cluster below, in the same account */
    char *cluster_id;
    char *token_file; /* NULL: the token is below */
    struct secret token;
};

/* How the metadata service is used. */
struct plan_ecs {
    char *role;                /* owned; NULL: the service is asked for its name */
    const char *role_named_by; /* for errors: "identity.roleName" */
    enum metadata_modes modes;
    bool is_disabled;   /* it must not be asked */
    bool may_be_absent; /* as a link of the chain: another source may follow */
};

/* Strings are owned. `{0}` is empty. */
struct plan {
    enum plan_source source;
    bool from_pod; /* with the token of the pod's service account: nothing of it is kept */
    struct credentials credentials;
    struct plan_oidc oidc;
    struct plan_ecs ecs;
    char *uri;
    char *command;
    struct role *roles;
    size_t role_count;
    char sts_region[PLAN_REGION_SIZE]; /* "": that of the node */
    bool sts_prefers_vpc;
    char principal[PLAN_PRINCIPAL_SIZE]; /* for errors: "profile default" */
};

/* Wipes, frees and returns to `{0}`. */
void plan_clear(struct plan *plan);

/* Appends a copy of a role. */
void plan_add_role(struct plan *plan, const struct role *role);

/* Appends all that decides whose credentials come out, and whether another source may follow, so
 * that equal texts mean equal outcomes. It holds secrets: for a digest only. */
void plan_describe(struct buf *out, const struct plan *plan);

/* Fills err for a source that is not configured: ERROR_CONFIG with ERROR_RETRY_NEXT_SOURCE. A
 * source that is configured but broken fails without it, and is never passed over: another one in
 * its place would be another identity than the operator meant. Returns false. */
#define plan_absent(err, ...)                                                                      \
    (error_set(err, ERROR_CONFIG, __VA_ARGS__), (err)->retry = ERROR_RETRY_NEXT_SOURCE, false)

#endif
