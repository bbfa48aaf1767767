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
