/* cloud/endpoints: which hosts of an API are asked, in which order. */
#include <string.h>

#include "cloud/endpoints.h"
#include "test.h"

#define CR_PUBLIC "https://cr.cn-hangzhou.aliyuncs.com"
#define CR_VPC    "https://cr-vpc.cn-hangzhou.aliyuncs.com"
#define STS_VPC   "https://sts-vpc.cn-hangzhou.aliyuncs.com"
#define STS       "https://sts.cn-hangzhou.aliyuncs.com"
#define STS_ALL   "https://sts.aliyuncs.com"

static void orders_hosts_by_network_and_region(void **state)
{
    static const struct {
        struct endpoints_wish wish;
        const char *urls[ENDPOINTS_MAX];
    } cases[] = {
        {{ENDPOINTS_CR, NULL, SETTINGS_NETWORK_AUTO, "cn-hangzhou", false}, {CR_PUBLIC}},
        {{ENDPOINTS_CR, NULL, SETTINGS_NETWORK_AUTO, "cn-hangzhou", true}, {CR_VPC, CR_PUBLIC}},
        {{ENDPOINTS_CR, NULL, SETTINGS_NETWORK_PUBLIC, "cn-hangzhou", true}, {CR_PUBLIC}},
        {{ENDPOINTS_CR, NULL, SETTINGS_NETWORK_VPC, "cn-hangzhou", false}, {CR_VPC}},
        {{ENDPOINTS_CR, "https://a:1", SETTINGS_NETWORK_VPC, "", true}, {"https://a:1"}},
        {{ENDPOINTS_STS, NULL, SETTINGS_NETWORK_AUTO, "cn-hangzhou", false}, {STS, STS_ALL}},
        {{ENDPOINTS_STS, NULL, SETTINGS_NETWORK_AUTO, "cn-hangzhou", true},
         {STS_VPC, STS, STS_ALL}},
        {{ENDPOINTS_STS, NULL, SETTINGS_NETWORK_PUBLIC, "cn-hangzhou", true}, {STS, STS_ALL}},
        {{ENDPOINTS_STS, NULL, SETTINGS_NETWORK_VPC, "cn-hangzhou", false}, {STS_VPC}},
        {{ENDPOINTS_STS, NULL, SETTINGS_NETWORK_AUTO, "", true}, {STS_ALL}},
        {{ENDPOINTS_STS, NULL, SETTINGS_NETWORK_PUBLIC, "", false}, {STS_ALL}},
        {{ENDPOINTS_STS, "https://b", SETTINGS_NETWORK_VPC, "", false}, {"https://b"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct endpoints endpoints = {.reached = 2, .clock_offset_s = 7};
        struct error err;
        size_t count = 0;

        print_message("case %zu\n", i);
        assert_true(endpoints_choose(&endpoints, &cases[i].wish, &err));
        for (; count < ENDPOINTS_MAX && cases[i].urls[count] != NULL; count++)
            assert_string_equal(endpoints.urls[count], cases[i].urls[count]);
        assert_int_equal(endpoints.count, count);
        assert_int_equal(endpoints.reached, 0);
        assert_int_equal(endpoints.clock_offset_s, 0);
    }
}

static void needs_a_region_for_hosts_of_a_region(void **state)
{
    struct endpoints_wish wish = {
        .service = ENDPOINTS_STS, .network = SETTINGS_NETWORK_VPC, .region = ""};
    struct endpoints endpoints;
    struct error err;

    (void)state;
    assert_false(endpoints_choose(&endpoints, &wish, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.cause, "the region of STS is not known"));
    assert_non_null(strstr(err.advice, "ALIBABA_CLOUD_STS_REGION"));
    wish = (struct endpoints_wish){.service = ENDPOINTS_CR, .region = ""};
    assert_false(endpoints_choose(&endpoints, &wish, &err));
    assert_non_null(strstr(err.cause, "the region of the registry is not known"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_hosts_by_network_and_region),
        cmocka_unit_test(needs_a_region_for_hosts_of_a_region),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
