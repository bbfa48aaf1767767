#include "base/credentials.h"

#include <stdlib.h>

#include "base/alloc.h"

void credentials_clear(struct credentials *credentials)
{
    secret_clear(&credentials->access_key_secret);
    secret_clear(&credentials->security_token);
    *credentials = (struct credentials){0};
}

void credentials_clear_role(struct role *role)
{
    free(role->arn);
    free(role->session_name);
    free(role->external_id);
    free(role->source_identity);
    free(role->policy);
    *role = (struct role){0};
}

struct role credentials_copy_role(const struct role *from)
{
    return (struct role){.arn = alloc_string_or_null(from->arn),
                         .session_name = alloc_string_or_null(from->session_name),
                         .external_id = alloc_string_or_null(from->external_id),
                         .source_identity = alloc_string_or_null(from->source_identity),
                         .policy = alloc_string_or_null(from->policy),
                         .duration_s = from->duration_s};
}

void credentials_clear_token(struct token *token)
{
    secret_clear(&token->password);
    *token = (struct token){0};
}
