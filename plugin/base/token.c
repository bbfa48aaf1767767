#include "base/token.h"

void token_clear(struct token *token)
{
    secret_clear(&token->password);
    *token = (struct token){0};
}
