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

#define PROVIDER "acs:ram::12345678:oidc-provider/"

static const struct {
    enum check_type type;
    bool is_valid;
    const char *text;
} names[] = {
    {CHECK_REGION, true, "cn-shanghai"},
    {CHECK_REGION, true, "ap-southeast-1"},
    {CHECK_REGION, true, "us-west-1"},
    {CHECK_REGION, false, ""},
    {CHECK_REGION, false, "c"},
    {CHECK_REGION, false, "-cn"},
    {CHECK_REGION, false, "cn-"},
    {CHECK_REGION, false, "CN-shanghai"},
    {CHECK_REGION, false, "c_n"},
    {CHECK_REGION, false, "cn.x"},
    {CHECK_REGION, false, "c n"},
    {CHECK_REGION, false, "cn/"},
    {CHECK_REGION, false, "cn-" A60 "a"},
    {CHECK_REGION, false, "oss-cn-hangzhou"},
    {CHECK_REGION, false, "cn"},
    {CHECK_INSTANCE_ID, true, "cri-a"},
    {CHECK_INSTANCE_ID, true, "cri-sgedpenzw80e1abc"},
    {CHECK_INSTANCE_ID, true, "cri-" A60},
    {CHECK_INSTANCE_ID, false, ""},
    {CHECK_INSTANCE_ID, false, "cri-"},
    {CHECK_INSTANCE_ID, false, "cri-A"},
    {CHECK_INSTANCE_ID, false, "crpi-a"},
    {CHECK_INSTANCE_ID, false, "cri-a-"},
    {CHECK_INSTANCE_ID, false, "xcri-abc"},
    {CHECK_INSTANCE_ID, false, "cri-" A60 "a"},
    {CHECK_ACCOUNT_ID, true, "12345678"},
    {CHECK_ACCOUNT_ID, true, "12345678901234567890"},
    {CHECK_ACCOUNT_ID, false, "1234567"},
    {CHECK_ACCOUNT_ID, false, "123456789012345678901"},
    {CHECK_ACCOUNT_ID, false, "1234567a"},
    {CHECK_CLUSTER_ID, true, "c0ffee-1"},
    {CHECK_CLUSTER_ID, false, ""},
    {CHECK_CLUSTER_ID, false, "C"},
    {CHECK_CLUSTER_ID, false, A64 "a"},
    {CHECK_ROLE_NAME, true, "R"},
    {CHECK_ROLE_NAME, true, "a.b_c-D9"},
    {CHECK_ROLE_NAME, true, A64},
    {CHECK_ROLE_NAME, false, ""},
    {CHECK_ROLE_NAME, false, "a b"},
    {CHECK_ROLE_NAME, false, "a/b"},
    {CHECK_ROLE_NAME, false, "a\n"},
    {CHECK_ROLE_NAME, false, A64 "a"},
    {CHECK_ROLE_NAME, false, "\xC3\xA9"},
    {CHECK_ROLE_ARN, true, "acs:ram::12345678:role/a/B.c_d-e"},
    {CHECK_ROLE_ARN, true, "acs:ram::12345678901234567890:role/" A64 A64},
    {CHECK_ROLE_ARN, false, ""},
    {CHECK_ROLE_ARN, false, "role/a"},
    {CHECK_ROLE_ARN, false, "acs:ram::1234567:role/a"},
    {CHECK_ROLE_ARN, false, "acs:ram::123456789012345678901:role/a"},
    {CHECK_ROLE_ARN, false, "acs:ram::12345678role/a"},
    {CHECK_ROLE_ARN, false, "acs:ram::12345678:role"},
    {CHECK_ROLE_ARN, false, "acs:ram::12345678:role/"},
    {CHECK_ROLE_ARN, false, "acs:ram::12345678:roles/a"},
    {CHECK_ROLE_ARN, false, "acs:ram::12345678:role/a b"},
    {CHECK_ROLE_ARN, false, "acs:ram::12345678:role/" A64 A64 "a"},
    {CHECK_ROLE_ARN, false, PROVIDER "a"},
    {CHECK_OIDC_PROVIDER_ARN, true, PROVIDER "ack-rrsa-c1"},
    {CHECK_OIDC_PROVIDER_ARN, false, PROVIDER},
    {CHECK_OIDC_PROVIDER_ARN, false, "acs:ram::12345678:role/a"},
    {CHECK_SESSION_NAME, true, "a@"},
    {CHECK_SESSION_NAME, true, A64},
    {CHECK_SESSION_NAME, false, "a"},
    {CHECK_SESSION_NAME, false, "a b"},
    {CHECK_SESSION_NAME, false, A64 "a"},
    {CHECK_EXTERNAL_ID, true, "a_B9+=,.@:/-"},
    {CHECK_EXTERNAL_ID, false, "a"},
    {CHECK_EXTERNAL_ID, false, "a b"},
    {CHECK_POLICY, true, "{\n}"},
    {CHECK_POLICY, false, ""},
    {CHECK_PROFILE_NAME, true, "a b\xC3\xA9"},
    {CHECK_PROFILE_NAME, true, A64 A64 A64 A64},
    {CHECK_PROFILE_NAME, false, ""},
    {CHECK_PROFILE_NAME, false, "a\nb"},
    {CHECK_PROFILE_NAME, false, "a\x7F"},
    {CHECK_PROFILE_NAME, false, A64 A64 A64 A64 "a"},
    {CHECK_DIRECTORY, true, "/"},
    {CHECK_DIRECTORY, true, "/a b"},
    {CHECK_DIRECTORY, false, ""},
    {CHECK_DIRECTORY, false, "a"},
    {CHECK_DIRECTORY, false, "/a\n"},
};

static void checks_names(void **state)
{
    char path[1026] = "/";
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (check_text(names[i].type, names[i].text, "x", &err) != names[i].is_valid)
            fail_msg("type %u: %s", (unsigned)names[i].type, names[i].text);
    }
    memset(path + 1, 'a', 1024);
    assert_false(check_text(CHECK_DIRECTORY, path, "x", &err));
    assert_string_equal(err.cause, "x must be an absolute path of at most 1024 bytes");
    assert_int_equal(err.kind, ERROR_CONFIG);
    path[1024] = '\0';
    assert_true(check_text(CHECK_DIRECTORY, path, "x", &err));
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
