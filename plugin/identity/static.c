#include <string.h>

#include "base/text.h"
#include "identity/environment.h"
#include "identity/explain.h"
#include "identity/sources.h"

#define ID_NAME     "ALIBABA_CLOUD_ACCESS_KEY_ID"
#define SECRET_NAME "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
#define TOKEN_NAME  "ALIBABA_CLOUD_SECURITY_TOKEN"

enum { SECRET_MAX_BYTES = 512, TOKEN_MAX_BYTES = 16 * 1024, NAMES = 4 };

/* The official name first, then the older ones. */
static const char *const id_names[NAMES] = {ID_NAME, "ALICLOUD_ACCESS_KEY",
                                            "ALIBABACLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY_ID"};
static const char *const secret_names[NAMES] = {SECRET_NAME, "ALICLOUD_SECRET_KEY",
                                                "ALIBABACLOUD_ACCESS_KEY_SECRET",
                                                "ALICLOUD_ACCESS_KEY_SECRET"};
static const char *const token_names[NAMES] = {TOKEN_NAME, "ALICLOUD_ACCESS_KEY_STS_TOKEN",
                                               "ALIBABACLOUD_SECURITY_TOKEN",
                                               "ALICLOUD_SECURITY_TOKEN"};

/* The first of the names that is set; the official one if none is. */
static const char *first_set(const struct system *system, const char *const names[NAMES])
{
    for (size_t i = 0; i < NAMES; i++) {
        if (environment_is_set(system, names[i]))
            return names[i];
    }
    return names[0];
}

/* The values become HTTP headers. */
static bool check(const struct system *system, const char *name, size_t max_bytes,
                  struct error *err)
{
    const char *value = environment_value(system, name);

    if (strlen(value) <= max_bytes && text_is_visible(value))
        return true;
    return error_set_advised(err, ERROR_CONFIG, ADVICE_VARIABLE,
                             "%s is too long or has blanks or control bytes", name);
}

bool static_plan(struct plan *out, const struct system *system,
                 const struct settings_identity *settings, struct error *err)
{
    const bool is_official =
        environment_is_set(system, ID_NAME) || environment_is_set(system, SECRET_NAME);
    const char *id = is_official ? ID_NAME : first_set(system, id_names);
    const char *secret = is_official ? SECRET_NAME : first_set(system, secret_names);
    const char *token = is_official ? TOKEN_NAME : first_set(system, token_names);
    const bool has_id = environment_is_set(system, id);
    const bool has_secret = environment_is_set(system, secret);

    (void)settings;
    if (!has_id && !has_secret && environment_is_set(system, token))
        return error_set_advised(err, ERROR_CONFIG, ADVICE_TOKEN_WITHOUT_KEY,
                                 "%s is set, but " ID_NAME " is not", token);
    if (!has_id && !has_secret)
        return plan_absent(err, ID_NAME " is not set");
    if (!has_id || !has_secret)
        return error_set_advised(err, ERROR_CONFIG, ADVICE_HALF_KEY, "%s is set, but %s is not",
                                 has_id ? id : secret, has_id ? secret : id);
    if (!check(system, id, ACCESS_KEY_ID_SIZE - 1, err) ||
        !check(system, secret, SECRET_MAX_BYTES, err) ||
        !check(system, token, TOKEN_MAX_BYTES, err))
        return false;
    out->source = PLAN_STATIC;
    text_copy(out->credentials.access_key_id, sizeof out->credentials.access_key_id,
              environment_value(system, id));
    secret_set(&out->credentials.access_key_secret, environment_value(system, secret),
               strlen(environment_value(system, secret)));
    secret_set(&out->credentials.security_token, environment_value(system, token),
               strlen(environment_value(system, token)));
    text_join(out->principal, sizeof out->principal, "the AccessKey in ", "", id);
    return true;
}

void static_fetch(struct credentials *out, const struct plan *plan)
{
    text_copy(out->access_key_id, sizeof out->access_key_id, plan->credentials.access_key_id);
    secret_copy(&out->access_key_secret, &plan->credentials.access_key_secret);
    secret_copy(&out->security_token, &plan->credentials.security_token);
}
