/* The grammar of registry hosts, and what a challenge may say. */
#include <string.h>

#include "registry/challenge.h"
#include "registry/host.h"
#include "test.h"

struct row {
    const char *image;
    enum host_kind kind;
    const char *region;
    const char *instance;
    bool is_vpc;
};

static const struct row rows[] = {
    {"demo-registry.cn-hangzhou.cr.aliyuncs.com/a", HOST_ENTERPRISE, "cn-hangzhou", "demo", false},
    {"demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-hangzhou", "demo", true},
    {"demo-registry-internal.cn-beijing.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-beijing", "demo",
     true},
    {"demo-registry-intl.me-east-1.cr.aliyuncs.com", HOST_ENTERPRISE, "me-east-1", "demo", false},
    {"demo-registry-intl-vpc.me-east-1.cr.aliyuncs.com", HOST_ENTERPRISE, "me-east-1", "demo",
     true},
    {"demo-registry.distributed.cn-hangzhou.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-hangzhou",
     "demo", false},
    {"demo-chart-vpc.cn-shanghai.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-shanghai", "demo", true},
    {"demo-registry-vpc.cn-shanghai-finance-1.cr.aliyuncs.com", HOST_ENTERPRISE,
     "cn-shanghai-finance-1", "demo", true},
    {"my-registry-registry.cn-hangzhou.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-hangzhou",
     "my-registry", false},
    {"my-registry-registry-vpc.cn-hangzhou.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-hangzhou",
     "my-registry", true},
    {"foo-vpc-registry.cn-hangzhou.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-hangzhou", "foo-vpc",
     false},
    {"foo-registry-vpc-registry.cn-hangzhou.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-hangzhou",
     "foo-registry-vpc", false},
    {"a-registry-vpc-registry-vpc.cn-hangzhou.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-hangzhou",
     "a-registry-vpc", true},
    {"x-registry-vpc.cn-hangzhou.cr.aliyuncs.com", HOST_ENTERPRISE, "cn-hangzhou", "x", true},
    {"Demo-Registry.CN-Hangzhou.cr.aliyuncs.com.:443/a", HOST_ENTERPRISE, "cn-hangzhou", "demo",
     false},
    {"registry.cn-hangzhou.aliyuncs.com", HOST_PERSONAL, "cn-hangzhou", "", false},
    {"registry-vpc.cn-beijing.aliyuncs.com", HOST_PERSONAL, "cn-beijing", "", true},
    {"registry-internal.cn-beijing.aliyuncs.com", HOST_PERSONAL, "cn-beijing", "", true},
    {"registry-intl.ap-southeast-1.aliyuncs.com", HOST_PERSONAL, "ap-southeast-1", "", false},
    {"registry-intl-vpc.ap-southeast-1.aliyuncs.com", HOST_PERSONAL, "ap-southeast-1", "", true},
    {"crpi-9ogjbhecfaihmimu.cn-shanghai.personal.cr.aliyuncs.com", HOST_PERSONAL, "cn-shanghai", "",
     false},
    {"crpi-9ogjbhecfaihmimu-vpc.cn-shanghai.personal.cr.aliyuncs.com", HOST_PERSONAL, "cn-shanghai",
     "", true},
    {"registry-cn-hangzhou-vpc.ack.aliyuncs.com/acs/pause", HOST_ANONYMOUS, "", "", false},
    {"registry-cn-hangzhou.ack.aliyuncs.com", HOST_ANONYMOUS, "", "", false},
    {"registry.cn-hangzhou.cr.aliyuncs.com", HOST_ALIBABA, "", "", false},
    {"-registry.cn-hangzhou.cr.aliyuncs.com.x", HOST_FOREIGN, "", "", false},
    {"demo-registry.a.b.cr.aliyuncs.com", HOST_ALIBABA, "", "", false},
    {"other.cn-hangzhou.personal.cr.aliyuncs.com", HOST_ALIBABA, "", "", false},
    {"evil-registry.cn-hangzhou.cr.aliyuncs.com.attacker.example", HOST_FOREIGN, "", "", false},
    {"evilcr.aliyuncs.com", HOST_FOREIGN, "", "", false},
    {"demo-registry.cn-hangzhou.evilcr.aliyuncs.com", HOST_FOREIGN, "", "", false},
    {"x.registry-cn-hangzhou.ack.aliyuncs.com", HOST_FOREIGN, "", "", false},
    {"oss.cn-hangzhou.aliyuncs.com", HOST_FOREIGN, "", "", false},
    {"demo-registry-vpc.oss-cn-hangzhou.cr.aliyuncs.com", HOST_ALIBABA, "", "", false},
    {"registry.oss-cn-hangzhou.aliyuncs.com", HOST_FOREIGN, "", "", false},
    {"registry-vpc.oss-accelerate.aliyuncs.com", HOST_FOREIGN, "", "", false},
    {"cr.aliyuncs.com", HOST_FOREIGN, "", "", false},
    {"hub.example.com:5000/team/app:v1", HOST_FOREIGN, "", "", false},
};

static void test_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct host host;
        struct error err = {0};
        bool parsed = host_parse(&host, rows[i].image, &err);

        /* A label that begins with a hyphen is no label. */
        if (rows[i].image[0] == '-') {
            assert_false(parsed);
            continue;
        }
        print_message("%s\n", rows[i].image);
        assert_true(parsed);
        assert_int_equal(host.kind, rows[i].kind);
        assert_string_equal(host.region, rows[i].region);
        assert_string_equal(host.instance, rows[i].instance);
        assert_int_equal(host.is_vpc, rows[i].is_vpc);
    }
}

static void test_parts(void **state)
{
    struct host host;
    struct error err = {0};

    (void)state;
    assert_true(host_parse(&host, "Hub.Example.com.:5000/Team/app:v1@sha256:00", &err));
    assert_string_equal(host.as_asked, "Hub.Example.com.:5000");
    assert_string_equal(host.name, "hub.example.com");
    assert_string_equal(host.port, ":5000");
    assert_string_equal(host.path, "/Team/app:v1@sha256:00");
}

static void test_longest_names(void **state)
{
    char image[400] = "";
    struct host host;
    struct error err = {0};

    (void)state;
    for (int i = 0; i < 126; i++)
        strcat(image, "a.");
    strcat(image, "a");
    assert_int_equal(strlen(image), 253);
    assert_true(host_parse(&host, image, &err));
    strcat(image, "a");
    assert_false(host_parse(&host, image, &err));
    assert_int_equal(err.kind, ERROR_REQUEST);
}

static void test_challenges(void **state)
{
    static const struct {
        const char *header;
        bool is_acr;
        const char *region;
        const char *id;
    } headers[] = {
        {"Bearer "
         "realm=\"https://x/auth\",service=\"registry.aliyuncs.com:cn-hangzhou:china:cri-a1\"",
         true, "cn-hangzhou", "cri-a1"},
        {"bearer service=\"Registry.Aliyuncs.com:cn-hangzhou:china:cri-a1:2a\", realm=\"x\"", true,
         "cn-hangzhou", "cri-a1"},
        {"Bearer realm=\"x\",service=\"registry.aliyuncs.com:cn-shanghai:26842\"", true,
         "cn-shanghai", ""},
        {"Bearer realm=\"service=\\\"x\",service=\"registry.aliyuncs.com:cn-shanghai:1\"", true,
         "cn-shanghai", ""},
        {"Basic realm=\"x\"", false, "", ""},
        {"Bearer realm=\"x\"", false, "", ""},
        {"Bearer service=\"registry.docker.io\"", false, "", ""},
        {"Bearer service=\"registry.aliyuncs.com\"", false, "", ""},
        {"Bearer service=\"registry.aliyuncs.com:evil.example/:china:cri-a1\"", false, "", ""},
        {"Bearer service=\"registry.aliyuncs.com:oss-cn-hangzhou:china:cri-a1\"", false, "", ""},
        {"Bearer service=\"registry.aliyuncs.com:cn-:china:cri-a1\"", false, "", ""},
        {"Bearer service=\"registry.aliyuncs.com:CN:china:cri-a1\"", false, "", ""},
        {"Bearer service=\"registry.aliyuncs.com:cn-hangzhou:china:cri-../../x\"", false, "", ""},
        {"Bearer service=\"registry.aliyuncs.com:cn-hangzhou:china:cri-a1", false, "", ""},
        {"Bearer xservice=\"registry.aliyuncs.com:cn-hangzhou:china:cri-a1\"", false, "", ""},
        {"", false, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct challenge challenge = {0};

        print_message("%s\n", headers[i].header);
        assert_int_equal(challenge_parse(&challenge, headers[i].header), headers[i].is_acr);
        assert_string_equal(challenge.region, headers[i].region);
        assert_string_equal(challenge.instance_id, headers[i].id);
    }
}

static void test_parameters_of_challenges(void **state)
{
    static const struct {
        const char *header;
        const char *realm; /* NULL: there is none that can be used */
    } headers[] = {
        {"Bearer realm=\"https://x/auth\",service=\"a\"", "https://x/auth"},
        {"Bearer service=\"a\", REALM=\"x\"", "x"},
        {"Bearer realm=\"\"", ""},
        {"Bearer xrealm=\"a\",realm=\"b\"", "b"},
        {"Bearer service=\"realm=\",realm=\"b\"", "b"},
        {"Bearer realm=a", NULL},
        {"Bearer realm=\"a", NULL},
        {"Bearer realm=\"longer than sixteen bytes\"", NULL},
        {"realm=\"a\"", NULL},
        {"", NULL},
    };
    char realm[16];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        const bool is_found = challenge_parameter(realm, sizeof realm, headers[i].header, "realm");

        assert_int_equal(is_found, headers[i].realm != NULL);
        if (is_found)
            assert_string_equal(realm, headers[i].realm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_longest_names),
        cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_parameters_of_challenges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
