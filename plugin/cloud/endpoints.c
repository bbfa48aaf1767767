#include "cloud/endpoints.h"

#include <stdio.h>

#include "base/text.h"
#include "cloud/explain.h"

static void add(struct endpoints *out, const char *name, const char *dot, const char *region)
{
    if (snprintf(out->urls[out->count], ENDPOINTS_URL_SIZE, "https://%s%s%s.aliyuncs.com", name,
                 dot, region) > 0)
        out->count++;
}

bool endpoints_choose(struct endpoints *out, const struct endpoints_wish *wish, struct error *err)
{
    const bool is_sts = wish->service == ENDPOINTS_STS;
    const bool has_region = wish->region[0] != '\0';
    const bool is_vpc_only = wish->network == SETTINGS_NETWORK_VPC;
    const bool uses_vpc =
        is_vpc_only || (wish->network == SETTINGS_NETWORK_AUTO && wish->prefers_vpc);

    *out = (struct endpoints){0};
    if (wish->configured != NULL) {
        out->count = 1;
        return text_copy(out->urls[0], ENDPOINTS_URL_SIZE, wish->configured) ||
               error_set(err, ERROR_CONFIG, "the URL of an endpoint is too long");
    }
    if (has_region && uses_vpc)
        add(out, is_sts ? "sts-vpc" : "cr-vpc", ".", wish->region);
    if (has_region && !is_vpc_only)
        add(out, is_sts ? "sts" : "cr", ".", wish->region);
    /* Some regions have no STS host of their own. */
    if (is_sts && !is_vpc_only)
        add(out, "sts", "", "");
    if (out->count == 0 && is_sts)
        return error_set_advised(
            err, ERROR_CONFIG, ADVICE_STS_REGION,
            "endpoints.network is \"vpc\", but the region of STS is not known");
    return out->count > 0 || error_set_advised(err, ERROR_CONFIG, ADVICE_CR_REGION,
                                               "the region of the registry is not known");
}
