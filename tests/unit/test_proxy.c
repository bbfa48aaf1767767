/* Which proxy the environment names, and whether it is one. */
#include <string.h>

#include "fake_system.h"
#include "net/proxy.h"
#include "test.h"

static void test_no_proxy(void **state)
{
    struct proxy proxy;

    (void)state;
    fake = (struct fake_state){0};
    proxy = proxy_of_environment(&fake_system);
    assert_string_equal(proxy.url, "");
    assert_string_equal(proxy.exceptions, "");
    assert_true(proxy.is_usable);
}

/* As curl(1) has it: lower case first, an empty variable counts as unset, http_proxy is not for
 * HTTPS. */
static void test_order_of_variables(void **state)
{
    static const struct fake_text names[] = {
        {"http_proxy", "e"},  {"ALL_PROXY", "d"}, {"all_proxy", "c"}, {"HTTPS_PROXY", "b"},
        {"https_proxy", "a"}, {"NO_PROXY", "g"},  {"no_proxy", "f"},  {NULL, NULL}};
    static const char expected[][2] = {"", "d", "c", "b", "a"};
    struct proxy proxy;
    struct fake_text variables[COUNT_OF(names) + 1];

    (void)state;
    for (size_t count = 1; count <= COUNT_OF(expected); count++) {
        memset(variables, 0, sizeof variables);
        memcpy(variables, names, count * sizeof *names);
        fake = (struct fake_state){.variables = variables};
        proxy = proxy_of_environment(&fake_system);
        assert_string_equal(proxy.url, expected[count - 1]);
        if (count > 1)
            assert_string_equal(proxy.variable, names[count - 1].name);
        variables[count] = (struct fake_text){"https_proxy", ""};
        assert_string_equal(proxy_of_environment(&fake_system).url, expected[count - 1]);
    }
    fake = (struct fake_state){.variables = names};
    assert_string_equal(proxy_of_environment(&fake_system).exceptions, "f");
    fake.variables = (const struct fake_text[]){{"no_proxy", ""}, {"NO_PROXY", "g"}, {NULL, NULL}};
    assert_string_equal(proxy_of_environment(&fake_system).exceptions, "g");
}

static void test_urls(void **state)
{
    static const struct {
        const char *url;
        bool is_usable;
    } urls[] = {
        {"proxy", true},
        {"proxy:3128", true},
        {"http://user:p%40ss@proxy:3128", true},
        {"http://user:p%40ss@[::1]:3128/", true},
        {"HTTPS://proxy", true},
        {"socks5h://proxy", true},
        {"ftp://proxy", false},
        {"http://", false},
        {"http://user:a#b@proxy:1", false},
        {"http://user:a/b@proxy:1", false},
        {"http://proxy:99999", false},
        {"http://pro xy", false},
        {"secret://user:secret@proxy", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        const struct fake_text variables[] = {{"HTTPS_PROXY", urls[i].url}, {NULL, NULL}};

        fake = (struct fake_state){.variables = variables};
        print_message("%s\n", urls[i].url);
        assert_int_equal(proxy_of_environment(&fake_system).is_usable, urls[i].is_usable);
        assert_string_equal(proxy_of_environment(&fake_system).url, urls[i].url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_proxy),
        cmocka_unit_test(test_order_of_variables),
        cmocka_unit_test(test_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
