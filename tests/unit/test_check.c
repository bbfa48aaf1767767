/* base/check: single values, each with what it refuses. */
#include "base/check.h"

#include <string.h>

#include "test.h"

#define A60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text;
    bool is_valid; /* with scheme https */
} endpoints[] = {
    {"https://h", true},
    {"https://cr.cn-shanghai.aliyuncs.com", true},
    {"https://CR.Example.Com:1", true},
    {"https://h:65535", true},
    {"https://127.0.0.1:8443", true},
    {"https://1password.com", true},
    {"https://127.1", false},
    {"https://127.0.1:443", false},
    {"https://2130706433", false},
    {"https://0x7f.1", false},
    {"https://0x7f000001:443", false},
    {"https://0177.0.0.1", false},
    {"https://127.0.0.0x1", false},
    {"https://127.0.0.1.1", false},
    {"https://256.0.0.1", false},
    {"https://evil.1", false},
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
        if (check_text(CHECK_ENDPOINT_HTTPS, endpoints[i].text, "--acr", &err) !=
            endpoints[i].is_valid)
            fail_msg("%s", endpoints[i].text);
    }
    assert_int_equal(strncmp(err.cause, "--acr must ", 11), 0);
    assert_true(check_text(CHECK_ENDPOINT_HTTPS, "https://" A60 "." A60 "." A60 "." A60 ".abcdefgh",
                           "x", &err));
    assert_false(check_text(CHECK_ENDPOINT_HTTPS,
                            "https://" A60 "." A60 "." A60 "." A60 ".abcdefghij", "x", &err));
    assert_true(check_text(CHECK_ENDPOINT_HTTP, "http://100.100.100.200", "x", &err));
    assert_false(check_text(CHECK_ENDPOINT_HTTP, "https://100.100.100.200", "x", &err));
}

static void splits_urls(void **state)
{
    static const struct {
        const char *url;
        const char *host; /* NULL: refused */
        const char *rest;
    } urls[] = {
        {"http://h", "h", ""},
        {"http://h/a?b#c", "h", "/a?b#c"},
        {"http://h.x:80?q", "h.x", "?q"},
        {"http://127.0.0.1:8080/", "127.0.0.1", "/"},
        {"http://[::1]:80/x", "::1", "/x"},
        {"http://[fe80::1%25eth0]/x", "fe80::1", "/x"},
        {"http://[fe80::1%25eth0]:80/x", "fe80::1", "/x"},
        {"http://[fe80::1%25e]@evil/x", NULL, NULL},
        {"http://[fe80::1%eth0]/x", NULL, NULL},
        {"http://[fe80::1%25a/b]/x", NULL, NULL},
        {"http://h%25eth0/x", NULL, NULL},
        {"http://h\\x", NULL, NULL},
        {"http://h@evil/x", NULL, NULL},
        {"http://h:80@evil/x", NULL, NULL},
        {"http://127.1/x", NULL, NULL},
        {"http:///x", NULL, NULL},
        {"https://h/x", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        char host[CHECK_HOST_SIZE];
        const char *rest = check_split_url(host, urls[i].url, "http");

        if ((rest == NULL) != (urls[i].host == NULL))
            fail_msg("%s", urls[i].url);
        if (rest != NULL) {
            assert_string_equal(host, urls[i].host);
            assert_string_equal(rest, urls[i].rest);
        }
    }
}

static void checks_words(void **state)
{
    static const char *const words[] = {NULL, "on", "off"};
    struct error err = {0};
    unsigned word = 9;

    (void)state;
    assert_true(check_word(&word, "off", words, COUNT_OF(words), "x", &err));
    assert_int_equal(word, 2);
    assert_false(check_word(&word, "ON", words, COUNT_OF(words), "x", &err));
    assert_string_equal(err.cause, "x must be one of: on, off");
    assert_int_equal(word, 2);
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
    {"demo-registr?.x", "has a ? or ["},
    {"h.x/te?m", "has a ? or ["},
    {"[a-z].x", "has a ? or ["},
    {"h.x/[a]", "has a ? or ["},
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
        bool fine = check_text(CHECK_MATCH, matches[i].text, "match", &err);

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
        assert_true(check_text(CHECK_REGION, good_regions[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(bad_regions); i++)
        assert_false(check_text(CHECK_REGION, bad_regions[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(good_ids); i++)
        assert_true(check_text(CHECK_INSTANCE_ID, good_ids[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(bad_ids); i++)
        assert_false(check_text(CHECK_INSTANCE_ID, bad_ids[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(good_roles); i++)
        assert_true(check_text(CHECK_ROLE_NAME, good_roles[i], "x", &err));
    for (size_t i = 0; i < COUNT_OF(bad_roles); i++)
        assert_false(check_text(CHECK_ROLE_NAME, bad_roles[i], "x", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_endpoints), cmocka_unit_test(splits_urls),
        cmocka_unit_test(checks_words),     cmocka_unit_test(checks_matches),
        cmocka_unit_test(checks_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
