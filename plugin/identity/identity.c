#include "identity/identity.h"

#include <stdlib.h>

#include "base/text.h"
#include "identity/source_ecs.h"
#include "identity/source_env.h"
#include "proto-json/settings.h"

void identity_clear(struct identity *identity)
{
    credentials_clear(&identity->signer.credentials);
    *identity = (struct identity){0};
}

static bool fetch_env(struct openapi_signer *signer, struct error *err)
{
    return source_env_fetch(&signer->credentials, err);
}

static bool fetch_ecs(struct openapi_signer *signer, struct error *err)
{
    struct identity *identity = (struct identity *)(void *)signer;

    return source_ecs_fetch(identity, err);
}

bool identity_choose(struct identity *out, const struct run *run, struct error *err)
{
    enum settings_source source = run->settings->identity.source;

    out->run = run;
    if (source == SETTINGS_SOURCE_ENV ||
        (source == SETTINGS_SOURCE_DEFAULT && source_env_is_present())) {
        out->signer.fetch = fetch_env;
        (void)text_copy(out->signer.words, sizeof out->signer.words,
                        "the AccessKey of the environment");
        return true;
    }
    if (source_ecs_is_disabled()) {
        (void)error_set(err, ERROR_CONFIG,
                        "no identity: ALIBABA_CLOUD_ACCESS_KEY_ID is not set, and "
                        "ALIBABA_CLOUD_ECS_METADATA_DISABLED forbids the ECS metadata service");
        return error_advise(err, "Give one of the two");
    }
    out->signer.fetch = fetch_ecs;
    (void)text_copy(out->signer.words, sizeof out->signer.words, "the RAM role of this instance");
    return true;
}

bool identity_fetch(struct identity *identity, struct error *err)
{
    return identity->signer.fetch(&identity->signer, err);
}
