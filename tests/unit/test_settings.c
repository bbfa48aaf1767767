/* proto-json/settings: defaults, every key, and that nothing is ever ignored. */
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "config/settings.h"
#include "test.h"

#define A60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

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
    assert_null(settings->endpoints.acr);
    assert_int_equal(settings->endpoints.network, SETTINGS_NETWORK_AUTO);
    assert_int_equal(settings->deadline_s, 50);
    assert_int_equal(settings->refresh_margin_s, 900);
    assert_int_equal(settings->log_level, LOG_LEVEL_ERROR);
    assert_int_equal(settings->log_destination, LOG_TO_STDERR);
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
    "{\"match\":[\"h.x:5000/\"],\"edition\":\"personal\"}],"
    "\"identity\":{\"source\":\"ecs\",\"roleName\":\"Node.Role_1-a\"},"
    "\"endpoints\":{\"metadata\":\"http://127.0.0.1:8080\",\"acr\":\"https://[::1]:8443\","
    "\"network\":\"vpc\"},\"deadlineSeconds\":600,\"refreshMarginSeconds\":0,"
    "\"log\":{\"level\":\"debug\",\"destination\":\"syslog\"}}";

static void decodes_every_key(void **state)
{
    struct settings settings AUTO(settings_clear) = {0};
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
    assert_int_equal(settings.identity.source, SETTINGS_SOURCE_ECS);
    assert_string_equal(settings.identity.role_name, "Node.Role_1-a");
    assert_string_equal(settings.endpoints.metadata, "http://127.0.0.1:8080");
    assert_string_equal(settings.endpoints.acr, "https://[::1]:8443");
    assert_int_equal(settings.endpoints.network, SETTINGS_NETWORK_VPC);
    assert_int_equal(settings.deadline_s, 600);
    assert_int_equal(settings.refresh_margin_s, 0);
    assert_int_equal(settings.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(settings.log_destination, LOG_TO_SYSLOG);

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
    {"", "nothing"},
    {"[]", "an object is expected"},
    {"{\"a\":1,}", "not valid JSON at line 1, column 8"},
    {"{\"log\":{},\"log\":{}}", "this key is given twice"},
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
     "endpoints.metadata must begin with http://"},
    {"{\"endpoints\":{\"acr\":\"http://cr.cn-shanghai.aliyuncs.com\"}}",
     "endpoints.acr must begin with https://"},
    {"{\"endpoints\":{\"acr\":\"https://h/\"}}", "endpoints.acr must be https://HOST"},
    {"{\"deadlineSeconds\":0}", "deadlineSeconds must be from 1 to 600"},
    {"{\"deadlineSeconds\":601}", "deadlineSeconds must be from 1 to 600"},
    {"{\"deadlineSeconds\":\"50\"}", "deadlineSeconds must be a whole number"},
    {"{\"deadlineSeconds\":5.5}", "deadlineSeconds must be a whole number"},
    {"{\"deadlineSeconds\":18446744073709551666}", "deadlineSeconds must be from 1 to 600"},
    {"{\"refreshMarginSeconds\":-1}", "refreshMarginSeconds must be from 0 to 43200"},
    {"{\"refreshMarginSeconds\":43201}", "refreshMarginSeconds must be from 0 to 43200"},
    {"{\"log\":{\"level\":\"trace\"}}", "log.level must be one of: error, warning, info, debug"},
    {"{\"log\":{\"destination\":\"journal\"}}",
     "log.destination must be one of: stderr, syslog"},
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
     "registries[0].apiEndpoint must begin with https://"},
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

static const struct {
    const char *text;
    bool fine; /* with scheme https */
} endpoints[] = {
    {"https://h", true},
    {"https://cr.cn-shanghai.aliyuncs.com", true},
    {"https://CR.Example.Com:1", true},
    {"https://h:65535", true},
    {"https://127.0.0.1:8443", true},
    {"https://[::1]", true},
    {"https://[2001:db8::1]:443", true},
    {"https://[::ffff:192.0.2.1]:443", true},
    {"", false},
    {"https", false},
    {"https://", false},
    {"https:/h", false},
    {"HTTPS://h", false},
    {"http://h", false},
    {"httpss://h", false},
    {" https://h", false},
    {"https://h ", false},
    {"https://h:", false},
    {"https://h:0", false},
    {"https://h:65536", false},
    {"https://h:0443", false},
    {"https://h:+443", false},
    {"https://h:443:443", false},
    {"https://h:44a", false},
    {"https://:443", false},
    {"https://h/", false},
    {"https://h/path", false},
    {"https://h?x=1", false},
    {"https://h#x", false},
    {"https://user@h", false},
    {"https://user:pw@h", false},
    {"https://h\\@evil", false},
    {"https://-h", false},
    {"https://h-", false},
    {"https://a..b", false},
    {"https://.a", false},
    {"https://a.", false},
    {"https://a_b", false},
    {"https://a%2eb", false},
    {"https://\xC3\xA9", false},
    {"https://[::1", false},
    {"https://[]", false},
    {"https://[::1]x", false},
    {"https://[::1]:", false},
    {"https://[::1]:0", false},
    {"https://[fe80::1%25eth0]", false},
    {"https://[127.0.0.1]", false},
    {"https://[1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:1:2:3:4:5:6:7:8:9]", false},
    {"https://::1", false},
    {"https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
    {"https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
};

static void checks_endpoints(void **state)
{
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(endpoints); i++) {
        if (check_endpoint(endpoints[i].text, "https", "--acr", &err) != endpoints[i].fine)
            fail_msg("%s", endpoints[i].text);
    }
    assert_int_equal(strncmp(err.cause, "--acr must ", 11), 0);
    assert_true(
        check_endpoint("https://" A60 "." A60 "." A60 "." A60 ".abcdefgh", "https", "x", &err));
    assert_false(
        check_endpoint("https://" A60 "." A60 "." A60 "." A60 ".abcdefghij", "https", "x", &err));
    assert_true(check_endpoint("http://100.100.100.200", "http", "x", &err));
    assert_false(check_endpoint("https://100.100.100.200", "http", "x", &err));
}

static const struct {
    const char *text;
    const char *fault; /* NULL: none */
} matches[] = {
    {"h", NULL},
    {"hub.example.com", NULL},
    {"hub.example.com:5000", NULL},
    {"*-registry*.*.cr.aliyuncs.com", NULL},
    {"**.x", NULL},
    {"h.x/team", NULL},
    {"h.x/team/", NULL},
    {"h.x/", NULL},
    {"h.x:5000/Team-a/b_c.d", NULL},
    {"", "must not be empty"},
    {"https://h.x", "has a scheme"},
    {"h.x/https://y", "has a scheme"},
    {"demo-registr?.x", "has a ?"},
    {"h.x/te?m", "has a ?"},
    {"[a-z].x", "has a ["},
    {"h.x/[a]", "has a ["},
    {"Hub.example.com", "upper case in its host"},
    {"h.x/*", "has a * in its path"},
    {"h.x/v1/team", "has a path that begins with /v1/ or /v2/"},
    {"h.x/v2/", "has a path that begins with /v1/ or /v2/"},
    {"h.x/team/*", "has a * in its path"},
    {"/team", "has no host"},
    {":5000", "has no host"},
    {"/", "has no host"},
    {"a..b", "empty label"},
    {".a", "empty label"},
    {"a.", "empty label"},
    {"a./t", "empty label"},
    {"h.x:", "has a port"},
    {"h.x:*", "has a port"},
    {"h.x:0", "has a port"},
    {"h.x:65536", "has a port"},
    {"h.x:123456789", "has a port"},
    {"h.x:5000:5000", "has a port"},
    {"h x", "no host name has"},
    {"h.x ", "no host name has"},
    {"user@h.x", "no host name has"},
    {"h.x]", "no host name has"},
    {"h.x\xC3\xA9", "no host name has"},
    {"h.x/a b", "no repository name has"},
    {"h.x/a:tag", "no repository name has"},
    {"h.x/a#b", "no repository name has"},
};

static void checks_matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(matches); i++) {
        struct error err = {0};
        bool fine = check_match(matches[i].text, "match", &err);

        if (fine != (matches[i].fault == NULL))
            fail_msg("%s: %s", matches[i].text, err.cause);
        if (!fine && strstr(err.cause, matches[i].fault) == NULL)
            fail_msg("%s gave: %s", matches[i].text, err.cause);
    }
}

static void checks_names(void **state)
{
    static const char *const good_regions[] = {"cn-shanghai", "ap-southeast-1", "us-west-1"};
    static const char *const bad_regions[] = {
        "",     "c",   "-cn", "cn-",         "CN-shanghai",     "c_n",
        "cn.x", "c n", "cn/", "cn-" A60 "a", "oss-cn-hangzhou", "cn"};
    static const char *const good_ids[] = {"cri-a", "cri-sgedpenzw80e1abc", ("cri-" A60)};
    static const char *const bad_ids[] = {"",       "cri-",     "cri-A",         "crpi-a",
                                          "cri-a-", "xcri-abc", ("cri-" A60 "a")};
    static const char *const good_roles[] = {"R", "a.b_c-D9", A64};
    static const char *const bad_roles[] = {"", "a b", "a/b", "a\n", A64 "a", "\xC3\xA9"};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good_regions); i++)
        assert_true(check_region(good_regions[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(bad_regions); i++)
        assert_false(check_region(bad_regions[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(good_ids); i++)
        assert_true(check_instance_id(good_ids[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(bad_ids); i++)
        assert_false(check_instance_id(bad_ids[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(good_roles); i++)
        assert_true(check_role_name(good_roles[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(bad_roles); i++)
        assert_false(check_role_name(bad_roles[i], "x", &err));
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
        cmocka_unit_test(checks_endpoints),
        cmocka_unit_test(checks_matches),
        cmocka_unit_test(checks_names),
        cmocka_unit_test(bounds_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
