/* What an image's host is, by its name and the configuration alone. */
#include "test.h"

#include <string.h>

#include "registry/explain.h"
#include "registry/registry.h"

#define DEMO "demo-registry.cn-hangzhou.cr.aliyuncs.com"
#define ACK  "registry-cn-hangzhou.ack.aliyuncs.com"

static char *all_of_acr[] = {"*-registry.*.cr.aliyuncs.com"};
static char *hub[] = {"hub.example.com", "hub.example.com:5000"};
static char *team_a[] = {DEMO "/team-a"};
static char *ack[] = {"registry-*.ack.aliyuncs.com"};

static struct settings_registry entries[] = {
    {.matches = all_of_acr, .match_count = 1},
    {.matches = hub,
     .match_count = 2,
     .region = (char *)"cn-beijing",
     .instance_id = (char *)"cri-hub"},
    {.matches = team_a, .match_count = 1, .edition = SETTINGS_EDITION_ENTERPRISE},
    {.matches = ack, .match_count = 1},
};

static const struct settings configured = {.registries = entries, .registry_count = 4};
static const struct settings empty = {0};

static struct registry resolve(const char *image, const struct settings *settings)
{
    struct registry registry;
    struct error err = {0};

    if (!registry_resolve(&registry, settings, image, &err))
        fail_msg("%s: %s", image, err.cause);
    return registry;
}

static void name_says_what_it_is(void **state)
{
    struct registry registry = resolve(DEMO "/a", &empty);

    (void)state;
    assert_string_equal(registry.region, "cn-hangzhou");
    assert_string_equal(registry.instance_id, "");
    assert_false(registry.is_personal);
    assert_false(registry_is_unknown(&registry));
    assert_true(resolve("registry.cn-hangzhou.aliyuncs.com/a", &empty).is_personal);
    assert_true(resolve(ACK "/acs/pause", &empty).is_anonymous);
    registry = resolve("docker.io/library/nginx", &empty);
    assert_true(registry_is_unknown(&registry));
}

static void entry_says_the_rest(void **state)
{
    struct registry registry = resolve("hub.example.com:5000/a", &configured);

    (void)state;
    assert_ptr_equal(registry.entry, &entries[1]);
    assert_string_equal(registry.region, "cn-beijing");
    assert_string_equal(registry.instance_id, "cri-hub");
    assert_false(registry_is_unknown(&registry));
    registry = resolve("hub.example.com:5001/a", &configured);
    assert_null(registry.entry);
}

static void longest_path_wins(void **state)
{
    struct registry registry = resolve(DEMO "/team-a/app", &configured);

    (void)state;
    assert_ptr_equal(registry.entry, &entries[2]);
    assert_string_equal(registry.matched_path, "/team-a");
    assert_true(registry.depends_on_path);
    registry = resolve(DEMO "/team-b/app", &configured);
    assert_ptr_equal(registry.entry, &entries[0]);
    assert_string_equal(registry.matched_path, "");
    assert_true(registry.depends_on_path); /* other paths of the host have another answer */
    assert_false(
        resolve("other-registry.cn-hangzhou.cr.aliyuncs.com/a", &configured).depends_on_path);
}

static void wildcard_does_not_make_public_images_private(void **state)
{
    struct settings_registry describes = entries[3];
    const struct settings settings = {.registries = &describes, .registry_count = 1};

    (void)state;
    assert_true(resolve(ACK "/a", &configured).is_anonymous);
    describes.region = (char *)"cn-hangzhou";
    assert_false(resolve(ACK "/a", &settings).is_anonymous);
}

static void texts_of_keys_differ_where_tokens_do(void **state)
{
    static const struct {
        const char *one;
        const char *other;
        bool shares_token;
    } pairs[] = {
        {DEMO, "demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com", true},
        {DEMO, DEMO ":81", true},
        {DEMO, "demo-registry.cn-beijing.cr.aliyuncs.com", false},
        {DEMO, "other-registry.cn-hangzhou.cr.aliyuncs.com", false},
        {"hub.example.com", "hub.example.com:5000", false},
        {"hub.example.com", "hub2.example.com", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct registry one = resolve(pairs[i].one, &empty);
        struct registry other = resolve(pairs[i].other, &empty);
        struct buf texts[2] = {{0}};

        registry_describe(&texts[0], &one, &empty);
        registry_describe(&texts[1], &other, &empty);
        assert_int_equal(strcmp(buf_text(&texts[0]), buf_text(&texts[1])) == 0,
                         pairs[i].shares_token);
        assert_string_not_equal(one.host.authority, other.host.authority);
        buf_clear(&texts[0]);
        buf_clear(&texts[1]);
    }
}

static void host_trusted_by_an_entry_shares_no_token_without_it(void **state)
{
    static char *match[] = {"hub.example.com"};
    struct settings_registry entry = {.matches = match, .match_count = 1};
    const struct settings settings = {.registries = &entry, .registry_count = 1};
    struct registry with = resolve("hub.example.com", &settings);
    struct registry without = resolve("hub.example.com", &empty);
    struct buf texts[2] = {{0}};

    (void)state;
    registry_describe(&texts[0], &with, &settings);
    registry_describe(&texts[1], &without, &empty);
    assert_string_not_equal(buf_text(&texts[0]), buf_text(&texts[1]));
    buf_clear(&texts[0]);
    buf_clear(&texts[1]);
}

static void what_cannot_be_acrs_is_refused_without_the_network(void **state)
{
    static const struct {
        const char *image;
        enum error_kind kind;
        const char *advice;
    } rows[] = {
        {"nginx", ERROR_CONFIG, "Docker Hub"},
        {"localhost:5000/a", ERROR_CONFIG, "ACR only"},
        {"127.0.0.1/a", ERROR_CONFIG, "ACR only"},
        {"127.0.0.0x1/a", ERROR_CONFIG, "ACR only"},
        {"https://" DEMO "/a", ERROR_REQUEST, "HOST[:PORT]/PATH"},
        {"user@" DEMO "/a", ERROR_REQUEST, "HOST[:PORT]/PATH"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct registry registry;
        struct error err = {0};

        assert_false(registry_resolve(&registry, &empty, rows[i].image, &err));
        assert_int_equal(err.kind, rows[i].kind);
        assert_non_null(strstr(err.advice, rows[i].advice));
    }
}

static void advice_fits_the_host(void **state)
{
    static const struct {
        const char *image;
        const char *advice;
    } rows[] = {
        {"hub.example.com:81/a", "{\"match\": [\"hub.example.com:81\"], \"region\""},
        {"registry.cn-hangzhou.cr.aliyuncs.com/a", "Check the spelling"},
        {"demo.aliyuncs.com/a", "Check the spelling"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct registry registry = resolve(rows[i].image, &empty);
        struct error err = {0};

        assert_false(explain_not_acr(&registry, "HTTP status 404", &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.cause, "is not an ACR host: HTTP status 404"));
        assert_non_null(strstr(err.advice, rows[i].advice));
    }
}

static void challenge_that_failed_says_what_helps(void **state)
{
    struct registry unknown = resolve("hub.example.com/a", &empty);
    struct registry named = resolve(DEMO "/a", &empty);
    struct registry entry = resolve("hub.example.com/a", &configured);
    struct error err = {0};

    (void)state;
    error_set_advised(&err, ERROR_TEMPORARY, "Check routes", "no connection");
    assert_false(explain_no_challenge(&unknown, &err));
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_string_equal(err.advice, "Check routes");

    error_set(&err, ERROR_CONFIG, "HTTP status 200");
    assert_false(explain_no_challenge(&unknown, &err));
    assert_non_null(strstr(err.cause, "hub.example.com is not an ACR host"));

    error_set(&err, ERROR_UNAVAILABLE, "not an HTTP answer");
    assert_false(explain_no_challenge(&named, &err));
    assert_non_null(strstr(err.advice, "Set instanceId for it"));

    entry.region[0] = '\0';
    entry.instance_id[0] = '\0';
    error_set(&err, ERROR_UNAVAILABLE, "not an HTTP answer");
    assert_false(explain_no_challenge(&entry, &err));
    assert_non_null(strstr(err.advice, "Set region and instanceId for it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_says_what_it_is),
        cmocka_unit_test(entry_says_the_rest),
        cmocka_unit_test(longest_path_wins),
        cmocka_unit_test(wildcard_does_not_make_public_images_private),
        cmocka_unit_test(texts_of_keys_differ_where_tokens_do),
        cmocka_unit_test(host_trusted_by_an_entry_shares_no_token_without_it),
        cmocka_unit_test(what_cannot_be_acrs_is_refused_without_the_network),
        cmocka_unit_test(advice_fits_the_host),
        cmocka_unit_test(challenge_that_failed_says_what_helps),
    };

    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
