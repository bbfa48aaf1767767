/* config/settings: defaults, every key, and that nothing is ever ignored. */
#include <string.h>

#include "base/buf.h"
#include "config/settings.h"
#include "test.h"

static bool decode(struct settings *out, const char *text, struct error *err)
{
    return settings_decode(out, text, strlen(text), err);
}

static void assert_defaults(const struct settings *settings)
{
    assert_int_equal(settings->registry_count, 0);
    assert_int_equal(settings->identity.source, SETTINGS_SOURCE_DEFAULT);
    assert_null(settings->identity.role_name);
    assert_string_equal(settings->endpoints.metadata, "http://100.100.100.200");
    assert_null(settings->endpoints.sts);
    assert_null(settings->endpoints.acr);
    assert_null(settings->pod.account_id);
    assert_int_equal(settings->pod.without_role, SETTINGS_WITHOUT_ROLE_NODE);
    assert_true(settings->cache.is_enabled);
    assert_string_equal(settings->cache.directory, "/run/aliyun-acr-credential-provider");
    assert_int_equal(settings->endpoints.network, SETTINGS_NETWORK_AUTO);
    assert_int_equal(settings->deadline_s, 50);
    assert_int_equal(settings->refresh_margin_s, 900);
    assert_int_equal(settings->log.level, LOG_LEVEL_ERROR);
    assert_int_equal(settings->log.destination, LOG_TO_STDERR);
}

static void has_defaults(void **state)
{
    struct settings settings AUTO(settings_clear) = {0};
    struct error err = {0};

    (void)state;
    settings_default(&settings);
    assert_defaults(&settings);
    assert_true(decode(&settings, "{\"registries\":[],\"identity\":{},\"log\":{}}", &err));
    assert_defaults(&settings);
    assert_true(decode(&settings, " {}\n", &err));
    assert_defaults(&settings);
    settings_clear(&settings);
    settings_clear(&settings);
    settings_default(&settings);
    settings_default(&settings);
    assert_defaults(&settings);
}

static const char full[] =
    "{\"registries\":[{\"match\":[\"hub.example.com\",\"*-registry.*.cr.aliyuncs.com/team-a\"],"
    "\"edition\":\"enterprise\",\"region\":\"cn-shanghai\",\"instanceId\":\"cri-0a\","
    "\"apiEndpoint\":\"https://cr.cn-shanghai.aliyuncs.com:8443\"},"
    "{\"match\":[\"h.x:5000/\"],\"edition\":\"personal\","
    "\"identity\":{\"profile\":\"team\",\"assumeRole\":[{\"roleArn\":\"acs:ram::12345678:role/a\"},"
    "{\"roleArn\":\"acs:ram::12345678:role/b\",\"externalId\":\"x-1\",\"sessionName\":\"s@n\","
    "\"durationSeconds\":900,\"sourceIdentity\":\"me\",\"policy\":\"{}\"}]}}],"
    "\"identity\":{\"source\":\"ecs\",\"roleName\":\"Node.Role_1-a\"},"
    "\"podIdentity\":{\"oidcProviderArn\":\"acs:ram::12345678:oidc-provider/p\","
    "\"accountId\":\"12345678\",\"clusterId\":\"c1\",\"withoutRole\":\"refuse\"},"
    "\"cache\":{\"enabled\":false,\"directory\":\"/c\"},"
    "\"endpoints\":{\"metadata\":\"http://127.0.0.1:8080\",\"acr\":\"https://[::1]:8443\","
    "\"sts\":\"https://"
    "sts\",\"network\":\"vpc\"},\"deadlineSeconds\":600,\"refreshMarginSeconds\":0,"
    "\"log\":{\"level\":\"debug\",\"destination\":\"syslog\"}}";

static void decodes_every_key(void **state)
{
    struct settings settings AUTO(settings_clear) = {0};
    const struct settings_identity *identity;
    struct error err = {0};

    (void)state;
    if (!decode(&settings, full, &err))
        fail_msg("%s", err.cause);
    assert_int_equal(settings.registry_count, 2);
    assert_int_equal(settings.registries[0].match_count, 2);
    assert_string_equal(settings.registries[0].matches[0], "hub.example.com");
    assert_string_equal(settings.registries[0].matches[1], "*-registry.*.cr.aliyuncs.com/team-a");
    assert_int_equal(settings.registries[0].edition, SETTINGS_EDITION_ENTERPRISE);
    assert_string_equal(settings.registries[0].region, "cn-shanghai");
    assert_string_equal(settings.registries[0].instance_id, "cri-0a");
    assert_string_equal(settings.registries[0].api_endpoint,
                        "https://cr.cn-shanghai.aliyuncs.com:8443");
    assert_string_equal(settings.registries[1].matches[0], "h.x:5000/");
    assert_int_equal(settings.registries[1].edition, SETTINGS_EDITION_PERSONAL);
    assert_null(settings.registries[1].region);
    assert_null(settings.registries[1].instance_id);
    assert_null(settings.registries[1].api_endpoint);
    assert_null(settings.registries[0].identity);
    identity = settings.registries[1].identity;
    assert_int_equal(identity->source, SETTINGS_SOURCE_PROFILE);
    assert_string_equal(identity->profile, "team");
    assert_int_equal(identity->role_count, 2);
    assert_string_equal(identity->roles[0].arn, "acs:ram::12345678:role/a");
    assert_null(identity->roles[0].policy);
    assert_int_equal(identity->roles[0].duration_s, 0);
    assert_string_equal(identity->roles[1].arn, "acs:ram::12345678:role/b");
    assert_string_equal(identity->roles[1].external_id, "x-1");
    assert_string_equal(identity->roles[1].session_name, "s@n");
    assert_string_equal(identity->roles[1].source_identity, "me");
    assert_string_equal(identity->roles[1].policy, "{}");
    assert_int_equal(identity->roles[1].duration_s, 900);
    assert_int_equal(settings.identity.source, SETTINGS_SOURCE_ECS);
    assert_string_equal(settings.identity.role_name, "Node.Role_1-a");
    assert_string_equal(settings.pod.oidc_provider_arn, "acs:ram::12345678:oidc-provider/p");
    assert_string_equal(settings.pod.account_id, "12345678");
    assert_string_equal(settings.pod.cluster_id, "c1");
    assert_int_equal(settings.pod.without_role, SETTINGS_WITHOUT_ROLE_REFUSE);
    assert_false(settings.cache.is_enabled);
    assert_string_equal(settings.cache.directory, "/c");
    assert_string_equal(settings.endpoints.sts, "https://sts");
    assert_string_equal(settings.endpoints.metadata, "http://127.0.0.1:8080");
    assert_string_equal(settings.endpoints.acr, "https://[::1]:8443");
    assert_int_equal(settings.endpoints.network, SETTINGS_NETWORK_VPC);
    assert_int_equal(settings.deadline_s, 600);
    assert_int_equal(settings.refresh_margin_s, 0);
    assert_int_equal(settings.log.level, LOG_LEVEL_DEBUG);
    assert_int_equal(settings.log.destination, LOG_TO_SYSLOG);

    /* A failure changes nothing; another success replaces everything. */
    assert_false(decode(&settings, "{\"deadlineSeconds\":0}", &err));
    assert_int_equal(settings.registry_count, 2);
    assert_true(decode(&settings, "{}", &err));
    assert_defaults(&settings);
}

static const char *const good[] = {
    "{\"identity\":{\"source\":\"env\"}}",
    "{\"identity\":{\"source\":\"default\"}}",
    "{\"identity\":{\"roleName\":\"R\"}}",
    "{\"endpoints\":{\"network\":\"public\"}}",
    "{\"endpoints\":{\"network\":\"auto\"}}",
    "{\"deadlineSeconds\":1,\"refreshMarginSeconds\":43200}",
    "{\"log\":{\"level\":\"warning\",\"destination\":\"stderr\"}}",
    "{\"log\":{\"level\":\"info\"}}",
    "{\"registries\":[{\"match\":[\"h\"],\"edition\":\"enterprise\"}]}",
    "{\"registries\":[{\"match\":[\"h\"],\"instanceId\":\"cri-a\"}]}",
};

static void accepts_what_is_in_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct settings settings AUTO(settings_clear) = {0};
        struct error err = {0};

        if (!decode(&settings, good[i], &err))
            fail_msg("%s gave: %s", good[i], err.cause);
    }
}

#define REGISTRY(fields) "{\"registries\":[{\"match\":[\"h\"]," fields "}]}"

static const struct {
    const char *text;
    const char *words;
} bad[] = {
    {"", "empty input"},
    {"[]", "the document must be a JSON object"},
    {"{\"a\":1", "not valid JSON at line 1, column 7"},
    /* Keys that are not known. */
    {"{\"registry\":[]}", "registry is not a known key"},
    {"{\"Registries\":[]}", "Registries is not a known key: write registries"},
    {"{\"deadlineseconds\":5}", "deadlineseconds is not a known key: write deadlineSecond"},
    {REGISTRY("\"instanceID\":\"cri-a\""),
     "registries[0].instanceID is not a known key: write instanceId"},
    {REGISTRY("\"comment\":\"x\""), "registries[0].comment is not a known key"},
    {"{\"identity\":{\"rolename\":\"R\"}}", "identity.rolename is not a known key: write"},
    {"{\"endpoints\":{\"imds\":\"x\"}}", "endpoints.imds is not a known key"},
    {"{\"log\":{\"file\":\"x\"}}", "log.file is not a known key"},
    {"{\"\":1}", "is not a known key"},
    /* Keys of the contract that this version does not support. */
    {REGISTRY("\"identity\":null"), "registries[0].identity must be an object"},
    {REGISTRY("\"identity\":{\"x\":1}"), "registries[0].identity.x is not a known key"},
    {"{\"podIdentity\":null}", "podIdentity must be an object"},
    {"{\"cache\":{\"directory\":\"run\"}}", "cache.directory must be an absolute path"},
    {"{\"identity\":{\"profile\":\"p\",\"source\":\"uri\"}}",
     "identity.profile must be given with source \"profile\" only"},
    {"{\"identity\":{\"assumeRole\":[{\"roleArn\":\"puller\"}]}}",
     "identity.assumeRole[0].roleArn must be the ARN of a RAM role"},
    {"{\"identity\":{\"source\":\"ECS\"}}",
     "identity.source must be one of: default, env, oidc, profile, ecs, uri"},
    {"{\"identity\":{\"source\":null}}", "identity.source must be a string"},
    {"{\"identity\":[]}", "identity must be an object"},
    {"{\"identity\":{\"roleName\":\"\"}}", "identity.roleName must be the name of a RAM role"},
    {"{\"identity\":{\"roleName\":\"a/b\"}}", "identity.roleName must be the name"},
    {"{\"identity\":{\"roleName\":5}}", "identity.roleName must be a string"},
    {"{\"endpoints\":\"x\"}", "endpoints must be an object"},
    {"{\"endpoints\":{\"network\":\"internal\"}}", "endpoints.network must be one of: auto, vpc"},
    {"{\"endpoints\":{\"metadata\":\"https://100.100.100.200\"}}",
     "endpoints.metadata must be http://HOST[:PORT] without"},
    {"{\"endpoints\":{\"acr\":\"http://cr.cn-shanghai.aliyuncs.com\"}}",
     "endpoints.acr must be https://HOST[:PORT] without"},
    {"{\"endpoints\":{\"acr\":\"https://h/\"}}", "endpoints.acr must be https://HOST"},
    {"{\"deadlineSeconds\":0}", "deadlineSeconds must be from 1 to 600"},
    {"{\"deadlineSeconds\":601}", "deadlineSeconds must be from 1 to 600"},
    {"{\"deadlineSeconds\":\"50\"}", "deadlineSeconds must be a whole number"},
    {"{\"deadlineSeconds\":5.5}", "deadlineSeconds must be a whole number"},
    {"{\"deadlineSeconds\":18446744073709551666}", "deadlineSeconds must be from 1 to 600"},
    {"{\"refreshMarginSeconds\":-1}", "refreshMarginSeconds must be from 0 to 43200"},
    {"{\"refreshMarginSeconds\":43201}", "refreshMarginSeconds must be from 0 to 43200"},
    {"{\"log\":{\"level\":\"trace\"}}", "log.level must be one of: error, warning, info, debug"},
    {"{\"log\":{\"destination\":\"journal\"}}", "log.destination must be one of: stderr, syslog"},
    {"{\"log\":\"debug\"}", "log must be an object"},
    /* Registries. */
    {"{\"registries\":{}}", "registries must be an array"},
    {"{\"registries\":[\"h\"]}", "registries[0] must be an object"},
    {"{\"registries\":[{}]}", "registries[0].match is missing"},
    {"{\"registries\":[{\"match\":[\"h\"]},{\"match\":[]}]}",
     "registries[1].match must have at least one entry"},
    {"{\"registries\":[{\"match\":\"h\"}]}", "registries[0].match must be an array"},
    {"{\"registries\":[{\"match\":[\"h\",5]}]}", "registries[0].match[1] must be a string"},
    {"{\"registries\":[{\"match\":[\"h\",\"\"]}]}", "registries[0].match[1] must not be empty"},
    {"{\"registries\":[{\"match\":[\"h\",\"https://h\"]}]}", "registries[0].match[1] has a scheme"},
    {REGISTRY("\"edition\":\"Enterprise\""),
     "registries[0].edition must be one of: enterprise, personal"},
    {REGISTRY("\"edition\":null"), "registries[0].edition must be a string"},
    {REGISTRY("\"region\":\"\""), "registries[0].region must be a region id"},
    {REGISTRY("\"region\":\"cn-shanghai.evil.org/\""), "registries[0].region must be a region id"},
    {REGISTRY("\"instanceId\":\"crpi-a\""), "registries[0].instanceId must be an instance id"},
    {REGISTRY("\"edition\":\"personal\",\"instanceId\":\"cri-a\""),
     "registries[0].instanceId must not be given with edition \"personal\""},
    {REGISTRY("\"apiEndpoint\":\"cr.cn-shanghai.aliyuncs.com\""),
     "registries[0].apiEndpoint must be https://HOST[:PORT] without"},
};

static void refuses_with_the_name_of_the_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct settings settings AUTO(settings_clear) = {0};
        struct error err = {0};

        if (decode(&settings, bad[i].text, &err))
            fail_msg("accepted: %s", bad[i].text);
        if (strstr(err.cause, bad[i].words) == NULL)
            fail_msg("%s gave: %s", bad[i].text, err.cause);
        assert_int_equal(err.kind, ERROR_CONFIG);
    }
}

/* A configuration of `registries` registries with `entries` entries of `length` bytes each. */
static void append_registries(struct buf *text, int registries, int entries, int length)
{
    buf_append_text(text, "{\"registries\":[");
    for (int i = 0; i < registries; i++) {
        buf_append_text(text, i == 0 ? "{\"match\":[" : ",{\"match\":[");
        for (int j = 0; j < entries; j++) {
            buf_append_text(text, j == 0 ? "\"" : ",\"");
            for (int k = 0; k < length; k++)
                buf_append_text(text, "h");
            buf_append_text(text, "\"");
        }
        buf_append_text(text, "]}");
    }
    buf_append_text(text, "]}");
}

static void bounds_counts(void **state)
{
    static const struct {
        int registries;
        int entries;
        int length;
        const char *words; /* NULL: accepted */
    } cases[] = {
        {256, 1, 1, NULL},
        {257, 1, 1, "registries must have at most 256 elements"},
        {1, 64, 1, NULL},
        {1, 65, 1, "registries[0].match must have at most 64 elements"},
        {1, 1, 512, NULL},
        {1, 1, 513, "registries[0].match[0] must be at most 512 bytes long"},
        {256, 64, 100, "longer than 1048576 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct settings settings AUTO(settings_clear) = {0};
        struct buf text AUTO(buf_clear) = {0};
        struct error err = {0};

        append_registries(&text, cases[i].registries, cases[i].entries, cases[i].length);
        assert_true(settings_decode(&settings, text.bytes, text.length, &err) ==
                    (cases[i].words == NULL));
        if (cases[i].words != NULL)
            assert_string_equal(err.cause, cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(decodes_every_key),
        cmocka_unit_test(accepts_what_is_in_the_contract),
        cmocka_unit_test(refuses_with_the_name_of_the_key),
        cmocka_unit_test(bounds_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
