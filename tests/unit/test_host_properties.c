/* Whatever the host: what may be asked is cr[-vpc].REGION.aliyuncs.com with a well-formed region.
 * Half a million hosts, made of the pieces that hosts and attacks are made of; the seed is fixed,
 * so that a failure comes again. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cloud/endpoints.h"
#include "registry/challenge.h"
#include "registry/host.h"
#include "test.h"

enum { ROUNDS = 500000 };

static uint64_t random_state = 0x9E3779B97F4A7C15;

/* xorshift64*, by Vigna. */
static unsigned pick(unsigned below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * 0x2545F4914F6CDD1D) >> 33) % below;
}

static void append_random_host(struct buf *out)
{
    static const char *const pieces[] = {
        "registry.cn-hangzhou.aliyuncs.com",
        "registry-cn-beijing-vpc.ack.aliyuncs.com",
        "demo",
        "-registry",
        "-registry-vpc",
        "-registry-internal",
        "-registry-intl",
        "registry",
        "registry-vpc",
        "-chart",
        "crpi-",
        "abcdefgh12345678",
        "-vpc",
        ".",
        ".",
        ".",
        ".",
        "cn-hangzhou",
        "ap-southeast-1",
        "cn-shanghai-finance-1",
        "oss-cn-hangzhou",
        "evil",
        "registry-cn-hangzhou",
        "demo-registry.cn-hangzhou",
        ".cr.aliyuncs.com",
        ".personal.cr.aliyuncs.com",
        ".aliyuncs.com",
        ".ack.aliyuncs.com",
        ".distributed",
        "aliyuncs",
        "com",
        "attacker.example",
        "@",
        ":",
        ":443",
        "%2e",
        "..",
        "-",
        "_",
        "CR",
        "Cn-",
        "/",
        "\\",
        "?",
        "#",
        "xn--",
        "\xC3\xA4",
        "*",
        " ",
        "1",
        "cr",
        "cr-vpc",
    };
    unsigned count = 1 + pick(6);

    for (unsigned i = 0; i < count; i++) {
        if (pick(20) == 0) {
            char byte = (char)(1 + pick(255));

            buf_append(out, &byte, 1);
        } else {
            buf_append_text(out, pieces[pick(sizeof pieces / sizeof *pieces)]);
        }
    }
}

/* Written out anew, so that the property does not lean on what it checks. */
static void assert_region(const char *region)
{
    size_t length = strlen(region);

    assert_true(length >= 4 && length <= 63);
    assert_true(islower(region[0]) && islower(region[1]) && region[2] == '-');
    for (size_t i = 0; i < length; i++)
        assert_true(islower(region[i]) || isdigit(region[i]) || region[i] == '-');
    assert_true(region[length - 1] != '-');
}

static void assert_url(const char *url, const char *name, const char *region)
{
    struct buf expected AUTO(buf_clear) = {0};

    buf_append_format(&expected, "https://%s.%s.aliyuncs.com", name, region);
    assert_string_equal(url, buf_text(&expected));
}

static void assert_endpoints(const char *region)
{
    struct endpoints_wish wish = {.service = ENDPOINTS_CR, .region = region, .prefers_vpc = true};
    struct endpoints endpoints;
    struct error err;

    assert_region(region);
    assert_true(endpoints_choose(&endpoints, &wish, &err));
    assert_int_equal(endpoints.count, 2);
    assert_url(endpoints.urls[0], "cr-vpc", region);
    assert_url(endpoints.urls[1], "cr", region);
    wish.service = ENDPOINTS_STS;
    assert_true(endpoints_choose(&endpoints, &wish, &err));
    assert_int_equal(endpoints.count, 3);
    assert_url(endpoints.urls[0], "sts-vpc", region);
    assert_url(endpoints.urls[1], "sts", region);
    assert_string_equal(endpoints.urls[2], "https://sts.aliyuncs.com");
}

static void hosts_lead_to_regions_only(void **state)
{
    unsigned seen[HOST_ANONYMOUS + 1] = {0};

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct buf image AUTO(buf_clear) = {0};
        struct host host;
        struct error err;

        append_random_host(&image);
        if (!host_parse(&host, buf_text(&image), &err)) {
            assert_int_equal(err.kind, ERROR_REQUEST);
            continue;
        }
        seen[host.kind]++;
        assert_true(strncmp(buf_text(&image), host.as_asked, strlen(host.as_asked)) == 0);
        for (const char *at = host.name; *at != '\0'; at++)
            assert_true(islower(*at) || isdigit(*at) || *at == '-' || *at == '.');
        if (host.kind != HOST_ENTERPRISE && host.kind != HOST_PERSONAL) {
            assert_string_equal(host.region, "");
            assert_string_equal(host.instance, "");
            continue;
        }
        assert_endpoints(host.region);
        assert_non_null(strstr(host.name, host.region));
        assert_string_equal(host.name + strlen(host.name) - strlen(".aliyuncs.com"),
                            ".aliyuncs.com");
    }
    for (unsigned kind = 0; kind <= HOST_ANONYMOUS; kind++) {
        print_message("kind %u: %u hosts\n", kind, seen[kind]);
        assert_true(seen[kind] > 20);
    }
}

static void challenges_lead_to_regions_only(void **state)
{
    static const char *const pieces[] = {
        "registry.aliyuncs.com",
        ":",
        ":",
        ":",
        "cn-hangzhou",
        "china",
        "cri-",
        "abc",
        "26842",
        "\"",
        "oss-cn-hangzhou",
        "evil.example",
        "/",
        "@",
        ",",
        " ",
        "service=\"",
        "REGISTRY",
        "2a",
        "..",
    };
    unsigned accepted = 0;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct buf header AUTO(buf_clear) = {0};
        struct challenge challenge;
        unsigned count = pick(9);

        buf_append_text(&header, "Bearer service=\"");
        if (pick(2) == 0)
            buf_append_text(&header, "registry.aliyuncs.com:");
        for (unsigned piece = 0; piece < count; piece++)
            buf_append_text(&header, pieces[pick(sizeof pieces / sizeof *pieces)]);
        buf_append_text(&header, "\"");
        if (!challenge_parse(&challenge, buf_text(&header)))
            continue;
        accepted++;
        assert_endpoints(challenge.region);
        if (challenge.instance_id[0] != '\0')
            assert_true(strncmp(challenge.instance_id, "cri-", 4) == 0 &&
                        strspn(challenge.instance_id + 4, "abcdefghijklmnopqrstuvwxyz0123456789") ==
                            strlen(challenge.instance_id + 4));
    }
    assert_true(accepted > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_lead_to_regions_only),
        cmocka_unit_test(challenges_lead_to_regions_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
