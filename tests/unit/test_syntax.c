/* kubelet/syntax: values as Go and Kubernetes parse them; each was tried with the kubelet's code.
 */
#include <string.h>

#include "kubelet/syntax.h"
#include "test.h"

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

static void knows_durations(void **state)
{
    static const char *const valid[] = {"0",
                                        "-0",
                                        "+0",
                                        "0s",
                                        "10m",
                                        "1h30m",
                                        "1.s",
                                        ".5s",
                                        "+1s",
                                        "-0s",
                                        "1ns",
                                        "1us",
                                        "1ms",
                                        "-.0s",
                                        "1s1s",
                                        "1\xc2\xb5s",
                                        "1\xce\xbcs",
                                        "2562047h",
                                        "9223372036854775807ns",
                                        "2562047h47m16.854775807s"};
    static const char *const invalid[] = {"",
                                          "10",
                                          "-1s",
                                          "1d",
                                          "1 s",
                                          "1S",
                                          ".s",
                                          "1..5s",
                                          "s",
                                          "5e0s",
                                          "0x1s",
                                          "1h-1m",
                                          "1:30",
                                          "0.0",
                                          "++1s",
                                          "+",
                                          "1s ",
                                          "1m1",
                                          "2562048h",
                                          "9223372036854775808ns",
                                          "2562047h47m17s",
                                          "99999999999999999999s"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        if (!syntax_is_duration(valid[i]))
            fail_msg("%s", valid[i]);
    }
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        if (syntax_is_duration(invalid[i]))
            fail_msg("%s", invalid[i]);
    }
}

static void knows_patterns(void **state)
{
    static const char *const valid[] = {"a.b",       "a.b:5000/team/", "*-x*.*.b",
                                        "",          "https://a.b",    "/a.b",
                                        ":443",      "a..b",           "a.b:",
                                        "a.b:99999", "a<\"'>b",        "a.b/c d",
                                        "a.b/[\\",   "a.b/%20",        "a?{b",
                                        "a?b c",     "a#\tb",          "\xc3\xa4.b",
                                        "[::1]",     "[::1]:5000",     "[fe80::1%25eth0]",
                                        "u:p@a.b",   "a%25b",          "a%c3%a4b",
                                        "u%20@b",    "a#%20",          "a?%zz"};
    static const char *const invalid[] = {
        "a b",     "a\\b",   "a^b",    "a`b",    "a{b}", "a|b",   "a\tb",      "a.b/\n", "a\x7f",
        "a.b:x",   "a.b:*",  "a.b:-1", "a[1].b", "[a.b", "[]",    "[1.2.3.4]", "[a].b",  "[::1]x",
        "a.b/%zz", "a.b/%2", "a%20b",  "a%",     "a%zz", "u p@b", "u%zz@b",    "a#%zz",  "<@b"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        if (!syntax_is_pattern(valid[i], false))
            fail_msg("%s", valid[i]);
    }
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        if (syntax_is_pattern(invalid[i], true))
            fail_msg("%s", invalid[i]);
    }
    assert_true(syntax_is_pattern("a:1:2", true));
    assert_false(syntax_is_pattern("a:1:2", false));
    assert_false(syntax_is_pattern("a:1:x", true));
}

static void knows_annotation_keys(void **state)
{
    static const char *const valid[] = {"a", "A_b.c-d", "a.b/C", "A.b/c", LABEL_63, "1"};
    static const char *const invalid[] = {"",     "-a",    "a-",       "a b",
                                          "/a",   "a/",    "a/b/c",    "a_/b",
                                          ".a/b", "a../b", "\xc3\xa4", LABEL_63 "x"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        if (!syntax_is_annotation_key(valid[i]))
            fail_msg("%s", valid[i]);
    }
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        if (syntax_is_annotation_key(invalid[i]))
            fail_msg("%s", invalid[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_durations),
        cmocka_unit_test(knows_patterns),
        cmocka_unit_test(knows_annotation_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
