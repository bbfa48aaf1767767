/* The kubelet's rules for patterns, with those that users of ACR write. */
#include <string.h>

#include "registry/match.h"
#include "test.h"

#define PUBLIC   "demo-registry.cn-hangzhou.cr.aliyuncs.com"
#define VPC      "demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com"
#define INTERNAL "demo-registry-internal.cn-hangzhou.cr.aliyuncs.com"
#define INTL     "demo-registry-intl.ap-southeast-1.cr.aliyuncs.com"
#define INTL_VPC "demo-registry-intl-vpc.ap-southeast-1.cr.aliyuncs.com"
#define CHART    "demo-chart.cn-hangzhou.cr.aliyuncs.com"
#define SPREAD   "demo.distributed.cn-hangzhou.cr.aliyuncs.com"
#define CRPI     "crpi-0123456789abcdef.cn-hangzhou.personal.cr.aliyuncs.com"
#define CRPI_VPC "crpi-0123456789abcdef-vpc.cn-hangzhou.personal.cr.aliyuncs.com"
#define PERSONAL "registry.cn-hangzhou.aliyuncs.com"
#define ACK      "registry-cn-hangzhou-vpc.ack.aliyuncs.com"

static const struct {
    const char *pattern;
    const char *host;
    const char *path;
    bool fits;
} cases[] = {
    /* The patterns for ACR. */
    {"*-registry.*.cr.aliyuncs.com", PUBLIC, "", true},
    {"*-registry.*.cr.aliyuncs.com", VPC, "", false},
    {"*-registry.*.cr.aliyuncs.com", INTERNAL, "", false},
    {"*-registry-vpc.*.cr.aliyuncs.com", VPC, "", true},
    {"*-registry-vpc.*.cr.aliyuncs.com", "my-registry-registry-vpc.cn-beijing.cr.aliyuncs.com", "",
     true},
    {"*-registry-vpc.*.cr.aliyuncs.com", PUBLIC, "", false},
    {"*-registry-internal.*.cr.aliyuncs.com", INTERNAL, "", true},
    {"*-registry*.*.cr.aliyuncs.com", PUBLIC, "", true},
    {"*-registry*.*.cr.aliyuncs.com", VPC, "", true},
    {"*-registry*.*.cr.aliyuncs.com", INTERNAL, "", true},
    {"*-registry*.*.cr.aliyuncs.com", INTL, "", true},
    {"*-registry*.*.cr.aliyuncs.com", INTL_VPC, "", true},
    {"*-registry*.*.cr.aliyuncs.com", CHART, "", false},
    {"*-registry*.*.cr.aliyuncs.com", CRPI, "", false},
    {"*.*.cr.aliyuncs.com", PUBLIC, "", true},
    {"*.*.cr.aliyuncs.com", CHART, "", true},
    {"*.*.cr.aliyuncs.com", CRPI, "", false},
    {"*.*.cr.aliyuncs.com", SPREAD, "", false},
    {"*.distributed.*.cr.aliyuncs.com", SPREAD, "", true},
    {"*.*.personal.cr.aliyuncs.com", CRPI, "", true},
    {"*.*.personal.cr.aliyuncs.com", CRPI_VPC, "", true},
    {"*.*.personal.cr.aliyuncs.com", SPREAD, "", false},
    {"registry.*.aliyuncs.com", PERSONAL, "", true},
    {"registry.*.aliyuncs.com", "registry-vpc.cn-hangzhou.aliyuncs.com", "", false},
    {"registry-vpc.*.aliyuncs.com", "registry-vpc.cn-hangzhou.aliyuncs.com", "", true},
    {"registry-*.*.aliyuncs.com", ACK, "", true},
    {"registry*.*.aliyuncs.com", ACK, "", true},
    {"registry*.*.aliyuncs.com", PERSONAL, "", true},
    {"registry.*.aliyuncs.com", ACK, "", false},
    {"*.aliyuncs.com", PUBLIC, "", false},
    {"*.cr.aliyuncs.com", PUBLIC, "", false},
    {"**.cr.aliyuncs.com", PUBLIC, "", false},
    /* Ports. */
    {"hub.example.com", "hub.example.com", "", true},
    {"hub.example.com", "hub.example.com:5000", "", false},
    {"hub.example.com:5000", "hub.example.com", "", false},
    {"hub.example.com:5000", "hub.example.com:5000", "", true},
    {"hub.example.com:5000", "hub.example.com:50001", "", false},
    {"hub.example.com:443", "hub.example.com", "", false},
    {"hub.example.com:*", "hub.example.com:5000", "", false},
    {"*.example.com:5000", "hub.example.com:5000", "/team/app", true},
    {"*", "localhost:5000", "", false},
    /* Labels. */
    {"*", "localhost", "", true},
    {"*", "a.b", "", false},
    {"*.*", "a.b", "", true},
    {"*.*", "a", "", false},
    {"a", "a.b", "", false},
    {"a.b", "a", "", false},
    {"hub.example.com", "hub.example.org", "", false},
    {"hub.example.com", "xhub.example.com", "", false},
    {"hub.example.com", "hub.example.com.evil.org", "", false},
    {"hub.example.com", "hub.example.comx", "", false},
    {"HUB.example.com", "hub.example.com", "", false},
    {"a*c.x", "abbc.x", "", true},
    {"a*c.x", "ac.x", "", true},
    {"a*c.x", "abcd.x", "", false},
    {"*a*b*.x", "xxayyb.x", "", true},
    {"*a*b*.x", "xxbyya.x", "", false},
    {"*ab.x", "aab.x", "", true},
    {"*abab.x", "ababab.x", "", true},
    {"a**b.x", "axb.x", "", true},
    {"demo-registr?.x", "demo-registry.x", "", false},
    {"[a-z].x", "a.x", "", false},
    {"https://hub.example.com", "hub.example.com", "", false},
    {"", "hub.example.com", "", false},
    {"hub.example.com", "", "", false},
    /* Paths. */
    {"h.x/team", "h.x", "/team/app", true},
    {"h.x/team", "h.x", "/teams/app", true},
    {"h.x/team/", "h.x", "/team/app", true},
    {"h.x/team/", "h.x", "/teams/app", false},
    {"h.x/team/", "h.x", "/team", false},
    {"h.x/team", "h.x", "/tea", false},
    {"h.x/team", "h.x", "", false},
    {"h.x/team", "h.x", "/other/team", false},
    {"h.x/*", "h.x", "/team/app", false},
    {"h.x/team/*", "h.x", "/team/app", false},
    {"h.x/", "h.x", "/team/app", true},
    {"h.x/", "h.x", "", false},
    {"h.x", "h.x", "/team/app", true},
    {"h.x:5000/team", "h.x:5000", "/team/app", true},
    {"h.x:5000/team", "h.x", "/team/app", false},
    {"h.x/Team", "h.x", "/team", false},
    {"*.x/a.b/c:d", "h.x", "/a.b/c:de", true},
};

static void follows_the_kubelet(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if ((match_host(cases[i].pattern, cases[i].host) &&
             match_path(cases[i].pattern, cases[i].path)) != cases[i].fits)
            fail_msg("%s and %s %s", cases[i].pattern, cases[i].host, cases[i].path);
    }
}

/* Would take longer than the universe if every star were tried at every place. */
static void is_not_exponential(void **state)
{
    char pattern[512] = "";
    char label[4096] = "";

    (void)state;
    for (int i = 0; i < 100; i++)
        strcat(pattern, "*a*");
    strcat(pattern, "b");
    memset(label, 'a', sizeof label - 1);
    assert_false(match_host(pattern, label));
    label[sizeof label - 2] = 'b';
    assert_true(match_host(pattern, label));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_kubelet),
        cmocka_unit_test(is_not_exponential),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
