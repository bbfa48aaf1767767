#include "identity/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void plan_clear(struct plan *plan)
{
    credentials_clear(&plan->credentials);
    credentials_clear_role(&plan->oidc.role);
    free(plan->oidc.role_name);
    free(plan->oidc.account_id);
    free(plan->oidc.provider_arn);
    free(plan->oidc.cluster_id);
    free(plan->oidc.token_file);
    secret_clear(&plan->oidc.token);
    free(plan->ecs.role);
    free(plan->uri);
    free(plan->command);
    for (size_t i = 0; i < plan->role_count; i++)
        credentials_clear_role(&plan->roles[i]);
    free(plan->roles);
    *plan = (struct plan){0};
}

void plan_add_role(struct plan *plan, const struct role *role)
{
    struct role *longer = alloc_zeroed(plan->role_count + 1, sizeof *longer);

    if (plan->role_count > 0)
        memcpy(longer, plan->roles, plan->role_count * sizeof *longer);
    longer[plan->role_count++] = credentials_copy_role(role);
    free(plan->roles);
    plan->roles = longer;
}

/* With the NUL that no text holds, so that no two lists of fields give the same bytes. */
static void add(struct buf *out, const char *text)
{
    buf_append_text(out, text == NULL ? "-" : "+");
    if (text != NULL)
        buf_append(out, text, strlen(text) + 1);
}

static void add_role(struct buf *out, const struct role *role)
{
    add(out, role->arn);
    add(out, role->session_name);
    add(out, role->external_id);
    add(out, role->source_identity);
    add(out, role->policy);
    buf_append_format(out, "%lld;", (long long)role->duration_s);
}

void plan_describe(struct buf *out, const struct plan *plan)
{
    const struct plan_oidc *oidc = &plan->oidc;

    buf_append_format(out, "%d;", (int)plan->source);
    add(out, plan->credentials.access_key_id);
    add(out, secret_reveal(&plan->credentials.access_key_secret));
    add(out, secret_reveal(&plan->credentials.security_token));
    add_role(out, &oidc->role);
    add(out, oidc->role_name);
    add(out, oidc->account_id);
    add(out, oidc->provider_arn);
    add(out, oidc->cluster_id);
    add(out, oidc->token_file);
    add(out, plan->ecs.role);
    buf_append_format(out, "%d;%d;", (int)plan->ecs.modes, plan->ecs.may_be_absent);
    add(out, plan->uri);
    add(out, plan->command);
    add(out, plan->sts_region);
    buf_append_format(out, "%d;", plan->sts_prefers_vpc);
    for (size_t i = 0; i < plan->role_count; i++)
        add_role(out, &plan->roles[i]);
}
