#include "base/role.h"

#include <stdlib.h>

#include "base/alloc.h"

void role_clear(struct role *role)
{
    free(role->arn);
    free(role->session_name);
    free(role->external_id);
    free(role->source_identity);
    free(role->policy);
    *role = (struct role){0};
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : alloc_string(text);
}

struct role role_copy(const struct role *from)
{
    return (struct role){.arn = copy(from->arn),
                         .session_name = copy(from->session_name),
                         .external_id = copy(from->external_id),
                         .source_identity = copy(from->source_identity),
                         .policy = copy(from->policy),
                         .duration_s = from->duration_s};
}
