#include "identity/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void clear_oidc(struct recipe_oidc *oidc)
{
    role_clear(&oidc->role);
    free(oidc->role_name);
    free(oidc->account_id);
    free(oidc->provider_arn);
    free(oidc->cluster_id);
    free(oidc->token_file);
    secret_clear(&oidc->token);
}

void recipe_clear(struct recipe *recipe)
{
    credentials_clear(&recipe->key);
    clear_oidc(&recipe->oidc);
    free(recipe->ecs_role);
    free(recipe->uri);
    free(recipe->command);
    for (size_t i = 0; i < recipe->role_count; i++)
        role_clear(&recipe->roles[i]);
    free(recipe->roles);
    *recipe = (struct recipe){0};
}

void recipe_add_role(struct recipe *recipe, const struct role *role)
{
    struct role *longer = alloc_zeroed(recipe->role_count + 1, sizeof *longer);

    if (recipe->role_count > 0)
        memcpy(longer, recipe->roles, recipe->role_count * sizeof *longer);
    longer[recipe->role_count++] = role_copy(role);
    free(recipe->roles);
    recipe->roles = longer;
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

void recipe_describe(struct buf *out, const struct recipe *recipe)
{
    const struct recipe_oidc *oidc = &recipe->oidc;

    buf_append_format(out, "%d;", (int)recipe->base);
    add(out, recipe->key.access_key_id);
    add(out, secret_reveal(&recipe->key.access_key_secret));
    add(out, secret_reveal(&recipe->key.security_token));
    add_role(out, &oidc->role);
    add(out, oidc->role_name);
    add(out, oidc->account_id);
    add(out, oidc->provider_arn);
    add(out, oidc->cluster_id);
    add(out, oidc->token_file);
    add(out, recipe->ecs_role);
    add(out, recipe->uri);
    add(out, recipe->command);
    add(out, recipe->sts_region);
    buf_append_format(out, "%d;", recipe->sts_by_vpc);
    for (size_t i = 0; i < recipe->role_count; i++)
        add_role(out, &recipe->roles[i]);
}
