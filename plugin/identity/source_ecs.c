#include "identity/source_ecs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "cloud/metadata.h"
#include "identity/identity.h"
#include "net/http.h"
#include "proto-json/imds.h"
#include "proto-json/settings.h"
#include "proto-json/settings_check.h"

enum { ROLE_NAME_SIZE = 65 };

#define CREDENTIALS_ITEM "ram/security-credentials/"

static bool is_true(const char *name)
{
    const char *value = secure_getenv(name);

    return value != NULL && (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

bool source_ecs_is_disabled(void)
{
    return is_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED");
}

static enum metadata_modes allowed_modes(void)
{
    if (is_true("ALIBABA_CLOUD_IMDSV1_DISABLED"))
        return METADATA_TOKEN_ONLY;
    return is_true("ALIBABA_CLOUD_IMDSV2_DISABLED") ? METADATA_NORMAL_ONLY : METADATA_BOTH;
}

static bool fail_no_role(struct error *err)
{
    (void)error_set(err, ERROR_CONFIG, "no RAM role is attached to this ECS instance");
    return error_advise(err, "Attach one that allows cr:GetAuthorizationToken and "
                             "cr:PullRepository");
}

static bool discover_role(char role[ROLE_NAME_SIZE], struct metadata *metadata, struct error *err)
{
    struct buf answer AUTO(buf_clear) = {0};
    char *name;

    switch (metadata_read(&answer, metadata, CREDENTIALS_ITEM, err)) {
    case METADATA_FAILED:
        return false;
    case METADATA_ABSENT:
        return fail_no_role(err);
    case METADATA_FOUND:
        break;
    }
    if (answer.length == 0)
        return fail_no_role(err);
    name = answer.bytes + strspn(answer.bytes, " \t\r\n");
    name[strcspn(name, " \t\r\n")] = '\0';
    if (!settings_check_role_name(name, "role", err) || !text_copy(role, ROLE_NAME_SIZE, name)) {
        (void)error_set(err, ERROR_UNAVAILABLE,
                        "ECS metadata service: the answer is not a role name");
        return error_advise(err, "Something else answers at the metadata address");
    }
    return true;
}

static bool name_role(char role[ROLE_NAME_SIZE], struct metadata *metadata,
                      const struct settings *settings, struct error *err)
{
    const char *configured = settings->identity.role_name;
    const char *named = secure_getenv("ALIBABA_CLOUD_ECS_METADATA");

    if (configured == NULL && named != NULL && named[0] != '\0') {
        if (!settings_check_role_name(named, "ALIBABA_CLOUD_ECS_METADATA", err))
            return false;
        configured = named;
    }
    if (configured != NULL)
        return text_copy(role, ROLE_NAME_SIZE, configured);
    return discover_role(role, metadata, err);
}

static bool read_credentials(struct credentials *out, struct metadata *metadata, const char *role,
                             struct error *err)
{
    struct buf answer AUTO(buf_clear) = {0};
    char item[sizeof CREDENTIALS_ITEM + ROLE_NAME_SIZE];

    text_join(item, sizeof item, CREDENTIALS_ITEM, "", role);
    switch (metadata_read(&answer, metadata, item, err)) {
    case METADATA_FAILED:
        return false;
    case METADATA_ABSENT:
        (void)error_set(err, ERROR_CONFIG, "RAM role %s is not attached to this ECS instance",
                        role);
        return error_advise(err, "Attach it, or leave the role's name away");
    case METADATA_FOUND:
        break;
    }
    if (!imds_credentials_decode(out, answer.bytes, answer.length, err))
        return error_wrap(err, "ECS metadata service: credentials of RAM role %s", role);
    if (out->expires_at_s <= clock_wall_s()) {
        char when[TEXT_UTC_SIZE];

        text_format_utc(when, out->expires_at_s);
        (void)error_set(err, ERROR_TEMPORARY, "credentials of RAM role %s have expired at %s", role,
                        when);
        return error_advise(err,
                            "Check the node's clock (NTP); the metadata service renews them by "
                            "itself");
    }
    return true;
}

bool source_ecs_fetch(struct identity *identity, struct error *err)
{
    const struct settings *settings = identity->run->settings;
    struct metadata metadata AUTO(metadata_clear) = {0};
    struct http_exchange *region AUTO(http_exchange_free) = NULL;
    char role[ROLE_NAME_SIZE] = "";
    struct error ignored;

    if (!metadata_open(&metadata, identity->run->http, settings->endpoints.metadata,
                       allowed_modes(), err))
        return false;
    if (identity->node_region[0] == '\0')
        region = metadata_start(&metadata, "region-id");
    if (!name_role(role, &metadata, settings, err) ||
        !read_credentials(&identity->signer.credentials, &metadata, role, err))
        return false;
    if (region != NULL &&
        (!metadata_finish(region, identity->node_region, sizeof identity->node_region) ||
         !settings_check_region(identity->node_region, "region", &ignored)))
        identity->node_region[0] = '\0';
    text_join(identity->signer.words, sizeof identity->signer.words, "RAM role ", role,
              " of this instance");
    return true;
}
