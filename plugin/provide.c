#include "provide.h"

#include "base/random.h"
#include "base/text.h"
#include "cloud/cr.h"
#include "identity/identity.h"
#include "proto-json/kubelet.h"
#include "proto-json/settings.h"
#include "registry/registry.h"

enum { ANONYMOUS_CACHE_S = 6 * 3600 };

void provide_answer_clear(struct answer *answer)
{
    token_clear(&answer->token);
    *answer = (struct answer){0};
}

static bool answer_without_credentials(struct answer *out)
{
    out->cache_s = ANONYMOUS_CACHE_S;
    return true;
}

/* Kubelets should ask again well before the password ends, since pulls log in again as they go on,
 * and not all at once after a fleet booted together. */
static int64_t cache_duration_s(int64_t left_s, int64_t margin_s)
{
    if (margin_s > left_s / 2)
        margin_s = left_s / 2;
    left_s -= margin_s;
    return left_s - random_below(left_s / 10 + 1);
}

static bool answer_from_token(struct answer *out, const struct run *run,
                              const struct registry *registry, const struct identity *identity,
                              int64_t server_time_s, struct error *err)
{
    int64_t ends_s = out->token.expires_at_s;
    int64_t identity_ends_s = identity->signer.credentials.expires_at_s;

    if (identity_ends_s != 0 && identity_ends_s < ends_s)
        ends_s = identity_ends_s;
    if (ends_s <= server_time_s)
        return error_set(err, ERROR_UNAVAILABLE,
                         "the registry token had expired when it was issued");
    out->has_credentials = true;
    out->depends_on_path = registry->depends_on_path;
    text_join(out->key, sizeof out->key, registry->host.as_asked, "", registry->matched_path);
    out->cache_s = cache_duration_s(ends_s - server_time_s, run->settings->refresh_margin_s);
    return true;
}

static bool request_token(struct answer *out, int64_t *server_time_s, const struct run *run,
                          struct registry *registry, struct identity *identity, struct error *err)
{
    const struct cr cr = {
        .http = run->http, .endpoints = &registry->endpoints, .signer = &identity->signer};
    const char *instance = registry->is_personal ? NULL : registry->instance_id;

    if (cr_get_token(&out->token, server_time_s, &cr, instance, err))
        return true;
    if (registry->host.is_new_personal && err->kind == ERROR_PERMISSION)
        (void)error_advise(err, "For Personal Edition instances since September 2024 Alibaba Cloud "
                                "documents only a fixed password in an imagePullSecret");
    return error_wrap(err, "no registry token for %s", registry->host.name);
}

bool provide_is_ours(const struct run *run, const char *image)
{
    struct registry registry AUTO(registry_clear) = {0};
    struct error ignored;

    return registry_resolve(&registry, run, image, &ignored) && !registry.is_anonymous &&
           (registry.entry != NULL || registry.host.kind == HOST_ENTERPRISE ||
            registry.host.kind == HOST_PERSONAL || registry.host.kind == HOST_ALIBABA);
}

/* Whom the configuration names for a registry, else for all. */
static const struct settings_identity *identity_settings(const struct run *run,
                                                         const struct registry *registry)
{
    if (registry->entry != NULL && registry->entry->identity != NULL)
        return registry->entry->identity;
    return &run->settings->identity;
}

/* Each line is one step. The registry is asked what it is while the metadata service is asked who
 * we are. */
bool provide(struct answer *out, const struct run *run, const struct kubelet_request *request,
             struct error *err)
{
    struct registry registry AUTO(registry_clear) = {0};
    struct identity identity AUTO(identity_clear) = {0};
    int64_t server_time_s = 0;

    if (!registry_resolve(&registry, run, request->image, err))
        return false;
    if (registry.is_anonymous)
        return answer_without_credentials(out);
    if (!identity_choose(&identity, run, identity_settings(run, &registry), request, err))
        return false;
    registry_start_challenge(&registry, run);
    if (!identity_fetch(&identity, err) ||
        !registry_complete(&registry, run, identity.node.region, &identity.signer, err))
        return false;
    if (!request_token(out, &server_time_s, run, &registry, &identity, err))
        return false;
    return answer_from_token(out, run, &registry, &identity, server_time_s, err);
}
