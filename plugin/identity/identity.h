/* Who asks for the token: the pod, or whom the configuration names for this registry, or the first
 * of the official chain that exists. */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/credentials.h"
#include "base/error.h"
#include "config/run.h"
#include "identity/plan.h"

struct kubelet_request;
struct settings_identity;
struct store;

enum { IDENTITY_ACCOUNT_SIZE = 24, IDENTITY_PLANS_MAX = 2 };

/* What was chosen; it does not change any more. `{0}` is empty. */
struct identity_plans {
    /* The second is for ERROR_RETRY_NEXT_SOURCE of the first: only a request shows whether there is
     * a metadata service that has a role. */
    struct plan list[IDENTITY_PLANS_MAX];
    size_t count;
    struct buf reasons; /* why the sources before list[0] do not exist */
};

void identity_plans_clear(struct identity_plans *plans);

/* Chooses, without the network. A source that is configured but broken is an error: another one in
 * its place would be another identity than the operator meant. */
CHECKED bool identity_choose(struct identity_plans *out, const struct run *run,
                             const struct settings_identity *settings,
                             const struct kubelet_request *request, struct error *err);

/* Appends all that decides whose credentials a plan yields; for a digest only. The content of a
 * token file belongs to it. */
void identity_describe(struct buf *out, const struct run *run, const struct plan *plan);

/* Where this node is, by the metadata service; "" if it was not asked. */
struct node_place {
    char region[PLAN_REGION_SIZE];
    char account_id[IDENTITY_ACCOUNT_SIZE];
    bool by_session_token; /* the service wanted one, or offers them */
};

/* `{0}` is empty. */
struct identity {
    struct credentials credentials;
    char principal[PLAN_PRINCIPAL_SIZE]; /* for errors: "RAM role X of this instance" */
    struct node_place node;
};

void identity_clear(struct identity *identity);

/* Carries a plan out, in one try, its roles included. `cache` keeps what was learned of the
 * metadata service; NULL: nothing is kept. `out` is replaced. err->retry is
 * ERROR_RETRY_NEXT_SOURCE if the source does not exist on this node and the plan is not the
 * operator's own choice, ERROR_RETRY_NEW_CREDENTIALS if STS says that credentials or
 * token have expired, which their source may have renewed by now; never so for a pod's token. */
CHECKED bool identity_fetch(struct identity *out, const struct run *run, const struct plan *plan,
                            const struct store *cache, struct error *err);

/* Turns the ERROR_RETRY_NEXT_SOURCE of the last plan into an error that lists the reasons of all
 * sources. Returns false. */
bool identity_explain_none(const struct identity_plans *plans, const struct run *run,
                           struct error *err);

#endif
