#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "cloud/openapi.h"
#include "cloud/sts.h"
#include "identity/environment.h"
#include "identity/explain.h"
#include "identity/sources.h"

#define REGION_NAME "ALIBABA_CLOUD_STS_REGION"

bool assume_read_environment(struct plan *plan, const struct system *system, struct error *err)
{
    const char *region = environment_value(system, REGION_NAME);

    if (environment_is_true(system, "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"))
        plan->sts_prefers_vpc = true;
    if (plan->sts_region[0] != '\0' || region[0] == '\0')
        return true;
    if (!check_text(CHECK_REGION, region, REGION_NAME, err))
        return error_advise(err, ADVICE_VARIABLE);
    text_copy(plan->sts_region, sizeof plan->sts_region, region);
    return true;
}

bool assume_choose_endpoints(struct endpoints *out, const struct run *run, const struct plan *plan,
                             const char *node_region, struct error *err)
{
    const struct settings_endpoints *settings = &run->settings->endpoints;
    const char *region = plan->sts_region[0] != '\0' ? plan->sts_region : node_region;
    const bool is_near = node_region[0] != '\0' && strcmp(region, node_region) == 0;
    const struct endpoints_wish wish = {.service = ENDPOINTS_STS,
                                        .configured = settings->sts,
                                        .network = settings->network,
                                        .region = region,
                                        .prefers_vpc = plan->sts_prefers_vpc || is_near};

    return endpoints_choose(out, &wish, err);
}

bool assume_roles(struct identity *identity, const struct run *run, const struct plan *plan,
                  struct error *err)
{
    struct endpoints endpoints;

    if (plan->role_count == 0)
        return true;
    if (!assume_choose_endpoints(&endpoints, run, plan, identity->node.region, err))
        return false;
    for (size_t i = 0; i < plan->role_count; i++) {
        struct credentials own AUTO(credentials_clear) = TAKE(identity->credentials);
        const struct api api = {.http = &run->http,
                                .endpoints = &endpoints,
                                .credentials = &own,
                                .principal = identity->principal};

        if (!sts_assume_role(&identity->credentials, &api, &plan->roles[i], err))
            return false;
        text_join(identity->principal, sizeof identity->principal, "role ", "", plan->roles[i].arn);
    }
    return true;
}
