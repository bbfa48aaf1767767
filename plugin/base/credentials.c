#include "base/credentials.h"

void credentials_clear(struct credentials *credentials)
{
    secret_clear(&credentials->access_key_secret);
    secret_clear(&credentials->security_token);
    *credentials = (struct credentials){0};
}
