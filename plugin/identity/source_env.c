#include "identity/source_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ID_NAME     "ALIBABA_CLOUD_ACCESS_KEY_ID"
#define SECRET_NAME "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
#define TOKEN_NAME  "ALIBABA_CLOUD_SECURITY_TOKEN"

enum { SECRET_MAX_BYTES = 512, TOKEN_MAX_BYTES = 16 * 1024 };

/* The value of a variable, "" if it is not set. */
static const char *value_of(const char *name)
{
    const char *value = secure_getenv(name);

    return value == NULL ? "" : value;
}

bool source_env_is_present(void)
{
    return value_of(ID_NAME)[0] != '\0' || value_of(SECRET_NAME)[0] != '\0';
}

/* Visible ASCII only: the values become HTTP headers. */
static bool is_visible(const char *text, size_t max_bytes)
{
    if (strlen(text) > max_bytes)
        return false;
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

static bool check(const char *name, size_t max_bytes, bool needed, struct error *err)
{
    const char *value = value_of(name);

    if (value[0] == '\0' && needed) {
        (void)error_set(err, ERROR_CONFIG, "the environment has no %s", name);
        return error_advise(err, "Set both " ID_NAME " and " SECRET_NAME ", or neither");
    }
    return is_visible(value, max_bytes) ||
           error_set(err, ERROR_CONFIG, "%s is too long or has blanks or control bytes", name);
}

bool source_env_fetch(struct credentials *out, struct error *err)
{
    const char *secret = value_of(SECRET_NAME);
    const char *token = value_of(TOKEN_NAME);

    if (!check(ID_NAME, ACCESS_KEY_ID_SIZE - 1, true, err) ||
        !check(SECRET_NAME, SECRET_MAX_BYTES, true, err) ||
        !check(TOKEN_NAME, TOKEN_MAX_BYTES, false, err))
        return false;
    credentials_clear(out);
    (void)text_copy(out->access_key_id, sizeof out->access_key_id, value_of(ID_NAME));
    secret_set(&out->access_key_secret, secret, strlen(secret));
    if (token[0] != '\0')
        secret_set(&out->security_token, token, strlen(token));
    return true;
}
