#include "base/token.h"

void token_clear(struct token *token)
{
    secret_clear(&token->password);
    *token = (struct token){0};
}

struct token token_take(struct token *from)
{
    struct token taken = *from;

    *from = (struct token){0};
    return taken;
}
