/* Which instance serves a host, and whether the host may have a token: challenge, ListInstance,
 * ListInstanceEndpoint. */
#include "test.h"

#include <string.h>

#include "config/settings.h"
#include "fake_http.h"
#include "registry/instance.h"

#define DEMO "demo-registry.cn-hangzhou.cr.aliyuncs.com"
#define HUB  "hub.example.com"

#define SERVICE(rest)                                                                              \
    "Bearer realm=\"https://x\",service=\"registry.aliyuncs.com:cn-hangzhou" rest "\""
#define CHALLENGE(host, rest)                                                                      \
    {                                                                                              \
        .method = "GET", .url = "https://" host "/v2/", .status = 401, .challenge = SERVICE(rest)  \
    }
#define API(query, json)                                                                           \
    {                                                                                              \
        .method = "POST", .url = "https://cr.cn-hangzhou.aliyuncs.com/?" query, .status = 200,     \
        .body = "{\"IsSuccess\":true," json "}"                                                    \
    }
#define REFUSED(query, code)                                                                       \
    {                                                                                              \
        .method = "POST", .url = query, .status = 403, .body = "{\"Code\":\"" code "\"}"           \
    }

static char *hub[] = {HUB};
static struct settings_registry entry;
static const struct settings settings = {.registries = &entry, .registry_count = 1};

/* Identifies and confirms the instance of a host, by this script. */
static bool identify(struct instance *out, const char *image, const struct fake_exchange *script,
                     size_t count, struct error *err)
{
    struct registry registry;
    struct credentials credentials = {.access_key_id = "LTAIkey"};
    struct run run = {
        .settings = &settings, .system = &fake_system, .http = fake_http_start(script, count)};
    const struct api api = {.http = &run.http,
                            .endpoints = &out->endpoints,
                            .credentials = &credentials,
                            .principal = "the test"};
    bool identified;

    *out = (struct instance){0};
    *err = (struct error){0};
    secret_set(&credentials.access_key_secret, "secret", 6);
    assert_true(registry_resolve(&registry, &settings, image, err));
    instance_prepare(out, &run, &registry, NULL, false);
    identified = instance_identify(out, &run, &registry, err) &&
                 instance_choose_endpoints(out, &run, &registry, "", err) &&
                 instance_confirm(out, &api, &registry, NULL, err);
    fake_http_end();
    credentials_clear(&credentials);
    return identified;
}

#define IDENTIFY(out, image, err, ...)                                                             \
    identify(out, image, (const struct fake_exchange[]){__VA_ARGS__},                              \
             COUNT_OF(((const struct fake_exchange[]){__VA_ARGS__})), err)

static int set_up(void **state)
{
    (void)state;
    entry = (struct settings_registry){.matches = hub, .match_count = 1};
    return 0;
}

static void challenge_names_the_instance(void **state)
{
    struct instance instance;
    struct error err;

    (void)state;
    assert_true(IDENTIFY(&instance, DEMO, &err, CHALLENGE(DEMO, ":china:cri-demo")));
    assert_string_equal(instance.id, "cri-demo");
    assert_string_equal(instance.region, "cn-hangzhou");
    assert_string_equal(instance.endpoints.urls[0], "https://cr.cn-hangzhou.aliyuncs.com");
    assert_int_equal(instance.endpoints.count, 1);

    assert_true(IDENTIFY(&instance, HUB, &err, CHALLENGE(HUB, ":26842")));
    assert_true(instance.is_personal);
    assert_string_equal(instance.id, "");
}

static void configured_instance_is_not_asked_for(void **state)
{
    struct instance instance;
    struct error err;

    (void)state;
    entry.region = (char *)"cn-beijing";
    entry.instance_id = (char *)"cri-hub";
    assert_true(identify(&instance, HUB, NULL, 0, &err));
    assert_string_equal(instance.id, "cri-hub");
    assert_string_equal(instance.endpoints.urls[0], "https://cr.cn-beijing.aliyuncs.com");
}

static void challenge_does_not_override_the_configuration(void **state)
{
    struct instance instance;
    struct error err;

    (void)state;
    entry.region = (char *)"cn-beijing";
    assert_false(IDENTIFY(&instance, HUB, &err, CHALLENGE(HUB, ":china:cri-demo")));
    assert_non_null(strstr(err.cause, "region cn-hangzhou, but cn-beijing is configured"));
    entry.region = NULL;
    entry.instance_id = (char *)"cri-hub";
    assert_false(IDENTIFY(&instance, HUB, &err, CHALLENGE(HUB, ":china:cri-demo")));
    assert_non_null(strstr(err.cause, "instanceId cri-demo, but cri-hub is configured"));
    entry.instance_id = NULL;
    entry.edition = SETTINGS_EDITION_PERSONAL;
    assert_false(IDENTIFY(&instance, HUB, &err, CHALLENGE(HUB, ":china:cri-demo")));
    assert_non_null(strstr(err.cause, "edition Enterprise, but Personal is configured"));
}

#define LISTED                                                                                     \
    "\"Instances\":[{\"InstanceId\":\"cri-other\",\"InstanceName\":\"demo2\"},"                    \
    "{\"InstanceId\":\"cri-demo\",\"InstanceName\":\"demo\"}]"

static void name_is_looked_up_where_the_challenge_fails(void **state)
{
    struct instance instance;
    struct error err;

    (void)state;
    assert_true(IDENTIFY(&instance, DEMO, &err,
                         {.method = "GET", .url = DEMO, .error_kind = ERROR_TEMPORARY},
                         API("InstanceName=demo", LISTED)));
    assert_string_equal(instance.id, "cri-demo");
    assert_true(IDENTIFY(&instance, DEMO, &err, {.method = "GET", .url = DEMO, .status = 200},
                         API("InstanceName=demo", LISTED)));
    assert_string_equal(instance.id, "cri-demo");
}

static void challenge_is_requested_again_where_listing_is_forbidden(void **state)
{
    struct instance instance;
    struct error err;

    (void)state;
    assert_true(IDENTIFY(
        &instance, DEMO, &err, {.method = "GET", .url = DEMO, .error_kind = ERROR_TEMPORARY},
        REFUSED("InstanceName", "NoPermission"), {.method = "GET", .url = DEMO, .status = 503},
        CHALLENGE(DEMO, ":china:cri-demo")));
    assert_string_equal(instance.id, "cri-demo");
    /* But not if the challenge was not ACR's. */
    assert_false(IDENTIFY(&instance, DEMO, &err, {.method = "GET", .url = DEMO, .status = 200},
                          REFUSED("InstanceName", "NoPermission")));
    assert_string_equal(err.service_code, "NoPermission");
}

static void host_without_a_name_has_only_its_challenge(void **state)
{
    struct instance instance;
    struct error err;

    (void)state;
    assert_true(
        IDENTIFY(&instance, HUB, &err, {.method = "GET", .url = HUB, .error_kind = ERROR_TEMPORARY},
                 {.method = "GET", .url = HUB, .status = 502}, CHALLENGE(HUB, ":china:cri-demo")));
    assert_string_equal(instance.id, "cri-demo");
    assert_false(IDENTIFY(&instance, HUB, &err, {.method = "GET", .url = HUB, .status = 404}));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

#define OTHER "other.example.com"

static void unknown_host_needs_proof(void **state)
{
    struct instance instance;
    struct error err;

    (void)state;
    assert_true(
        IDENTIFY(&instance, OTHER, &err, CHALLENGE(OTHER, ":china:cri-demo"),
                 API("InstanceId=cri-demo&ModuleName=Registry",
                     "\"Endpoints\":[{\"Domains\":[{\"Domain\":\"Other.Example.com\"}]}]")));
    assert_false(IDENTIFY(&instance, OTHER, &err, CHALLENGE(OTHER, ":china:cri-demo"),
                          API("InstanceId=cri-demo&ModuleName=Registry",
                              "\"Endpoints\":[{\"Domains\":[{\"Domain\":\"x.example.com\"}]}]")));
    assert_non_null(strstr(err.cause, "does not list it among its domains"));
    assert_false(IDENTIFY(&instance, OTHER, &err, CHALLENGE(OTHER, ":china:cri-demo"),
                          REFUSED("ModuleName=Registry", "NoPermission")));
    assert_non_null(strstr(err.advice, "grant cr:ListInstanceEndpoint to the test"));
    assert_false(IDENTIFY(&instance, OTHER, &err, CHALLENGE(OTHER, ":china:cri-demo"),
                          REFUSED("ModuleName=Registry", "INSTANCE_NOT_EXIST")));
    assert_non_null(strstr(err.advice, "the account that owns instance cri-demo"));
    assert_false(IDENTIFY(&instance, OTHER, &err, CHALLENGE(OTHER, ":26842")));
    assert_non_null(strstr(err.cause, "is not an ACR host"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(challenge_names_the_instance, set_up),
        cmocka_unit_test_setup(configured_instance_is_not_asked_for, set_up),
        cmocka_unit_test_setup(challenge_does_not_override_the_configuration, set_up),
        cmocka_unit_test_setup(name_is_looked_up_where_the_challenge_fails, set_up),
        cmocka_unit_test_setup(challenge_is_requested_again_where_listing_is_forbidden, set_up),
        cmocka_unit_test_setup(host_without_a_name_has_only_its_challenge, set_up),
        cmocka_unit_test_setup(unknown_host_needs_proof, set_up),
    };

    return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
