/* identity/chain: the order of the sources, absent ones and broken ones, and why none was found. */
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "fake_system.h"
#include "identity/sources.h"
#include "test.h"

#define KEY_ID      "ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIa"
#define KEY_SECRET  "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "b"
#define ROLE        "ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1234567890123456:role/r"
#define PROVIDER    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "acs:ram::1234567890123456:oidc-provider/p"
#define TOKEN_FILE  "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"
#define HOME        "HOME", "/home/me"
#define URI         "ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1/c"
#define NO_METADATA "ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"
#define CLI         "/home/me/.aliyun/config.json", CLI_FILE
#define INI         "/home/me/.alibabacloud/credentials", INI_FILE
#define CLI_FILE                                                                                   \
    "{\"current\":\"a\",\"profiles\":[{\"name\":\"a\",\"mode\":\"AK\",\"access_key_id\":\"k\","    \
    "\"access_key_secret\":\"s\"}]}"
#define INI_FILE "[default]\ntype=access_key\naccess_key_id=k\naccess_key_secret=s\n"

static bool find(struct identity_plans *out, const struct fake_text *variables,
                 const struct fake_text *files, const struct settings_identity *settings,
                 struct error *err)
{
    fake = (struct fake_state){.variables = variables, .files = files};
    *err = (struct error){0};
    return chain_find(out, &fake_system, settings, err);
}

static void takes_the_first_that_is_configured(void **state)
{
    static const struct {
        struct fake_text variables[9];
        struct fake_text files[3];
        enum plan_source source;
        const char *principal;
        size_t count;
    } cases[] = {
        {{{KEY_ID}, {KEY_SECRET}, {ROLE}, {PROVIDER}, {TOKEN_FILE}, {HOME}, {URI}},
         {{CLI}, {INI}},
         PLAN_STATIC,
         "the AccessKey in ALIBABA_CLOUD_ACCESS_KEY_ID",
         1},
        {{{ROLE}, {PROVIDER}, {TOKEN_FILE}, {HOME}, {URI}},
         {{CLI}, {INI}},
         PLAN_OIDC,
         "role acs:ram::1234567890123456:role/r",
         1},
        {{{HOME}, {URI}}, {{CLI}, {INI}}, PLAN_STATIC, "profile a", 1},
        {{{HOME}, {URI}}, {{INI}}, PLAN_STATIC, "profile default", 1},
        {{{HOME}, {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true"}},
         {{CLI}, {INI}},
         PLAN_STATIC,
         "profile default",
         1},
        {{{HOME}}, {{0}}, PLAN_ECS, "the RAM role of this instance", 1},
        {{{HOME}, {URI}}, {{0}}, PLAN_ECS, "the RAM role of this instance", 2},
        {{{HOME}, {URI}, {NO_METADATA}},
         {{0}},
         PLAN_URI,
         "the credentials of ALIBABA_CLOUD_CREDENTIALS_URI",
         1},
    };
    static const struct settings_identity chain = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct identity_plans plans AUTO(identity_plans_clear) = {0};
        struct error err;

        print_message("case %zu\n", i);
        assert_true(find(&plans, cases[i].variables, cases[i].files, &chain, &err));
        assert_int_equal(plans.count, cases[i].count);
        assert_int_equal(plans.list[0].source, cases[i].source);
        assert_string_equal(plans.list[0].principal, cases[i].principal);
        assert_int_equal(plans.list[0].ecs.may_be_absent, cases[i].source == PLAN_ECS);
        if (plans.count == 2)
            assert_int_equal(plans.list[1].source, PLAN_URI);
        assert_string_equal(err.cause, "");
    }
}

static void keeps_the_reasons(void **state)
{
    static const struct fake_text variables[] = {{HOME}, {URI}, {0}};
    static const struct settings_identity chain = {0};
    struct identity_plans plans AUTO(identity_plans_clear) = {0};
    struct error err;

    (void)state;
    assert_true(find(&plans, variables, NULL, &chain, &err));
    assert_string_equal(buf_text(&plans.reasons),
                        "environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set; OIDC: "
                        "ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set; CLI profile: there is no "
                        "/home/me/.aliyun/config.json; credentials file: there is no "
                        "/home/me/.alibabacloud/credentials");
}

static void passes_over_nothing_that_is_broken(void **state)
{
    static const struct {
        struct fake_text variables[4];
        struct fake_text files[2];
        const char *context;
        const char *cause;
    } cases[] = {
        {{{"ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIa"}, {URI}},
         {{0}},
         "environment",
         "ALIBABA_CLOUD_ACCESS_KEY_ID is set, but ALIBABA_CLOUD_ACCESS_KEY_SECRET is not"},
        {{{"ALICLOUD_SECURITY_TOKEN", "t"}, {URI}},
         {{0}},
         "environment",
         "ALICLOUD_SECURITY_TOKEN is set, but ALIBABA_CLOUD_ACCESS_KEY_ID is not"},
        {{{"ALIBABA_CLOUD_ACCESS_KEY_ID", "a b"}, {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "b"}},
         {{0}},
         "environment",
         "ALIBABA_CLOUD_ACCESS_KEY_ID is too long or has blanks or control bytes"},
        {{{"ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"}, {URI}},
         {{0}},
         "OIDC",
         "ALIBABA_CLOUD_OIDC_TOKEN_FILE is set, but ALIBABA_CLOUD_ROLE_ARN is not"},
        {{{HOME}, {URI}},
         {{"/home/me/.aliyun/config.json", "!cannot be read"}},
         "CLI profile",
         "/home/me/.aliyun/config.json: cannot be read"},
        {{{HOME}, {URI}},
         {{"/home/me/.alibabacloud/credentials", "nonsense"}},
         "credentials file: /home/me/.alibabacloud/credentials",
         "line 1 is neither [section] nor key = value"},
        {{{HOME}, {URI}, {"ALIBABA_CLOUD_PROFILE", "gone"}},
         {{CLI}},
         "credentials file",
         "/home/me/.aliyun/config.json has no profile gone; there is no "
         "/home/me/.alibabacloud/credentials"},
        {{{HOME}, {"ALIBABA_CLOUD_ECS_METADATA", "a/b"}, {URI}},
         {{0}},
         "ECS metadata service",
         "ALIBABA_CLOUD_ECS_METADATA must be the name of a RAM role: 1 to 64 letters, digits, . _ "
         "and -"},
    };
    static const struct settings_identity chain = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct identity_plans plans AUTO(identity_plans_clear) = {0};
        struct error err;

        assert_false(find(&plans, cases[i].variables, cases[i].files, &chain, &err));
        assert_string_equal(err.context, cases[i].context);
        assert_string_equal(err.cause, cases[i].cause);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    }
}

static void asks_for_one_source_alone(void **state)
{
    static const struct fake_text variables[] = {{KEY_ID},     {KEY_SECRET}, {ROLE}, {PROVIDER},
                                                 {TOKEN_FILE}, {HOME},       {URI},  {0}};
    static const struct fake_text files[] = {{CLI}, {0}};
    static const struct {
        enum settings_source setting;
        enum plan_source source;
    } cases[] = {{SETTINGS_SOURCE_ENV, PLAN_STATIC},
                 {SETTINGS_SOURCE_OIDC, PLAN_OIDC},
                 {SETTINGS_SOURCE_PROFILE, PLAN_STATIC},
                 {SETTINGS_SOURCE_ECS, PLAN_ECS},
                 {SETTINGS_SOURCE_URI, PLAN_URI}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct settings_identity settings = {.source = cases[i].setting};
        struct identity_plans plans AUTO(identity_plans_clear) = {0};
        struct error err;

        assert_true(find(&plans, variables, files, &settings, &err));
        assert_int_equal(plans.count, 1);
        assert_int_equal(plans.list[0].source, cases[i].source);
        assert_false(plans.list[0].ecs.may_be_absent);
        identity_plans_clear(&plans);
        if (cases[i].setting == SETTINGS_SOURCE_ECS)
            continue;
        /* No other one takes its place. */
        assert_false(find(&plans, NULL, NULL, &settings, &err));
        assert_memory_equal(err.cause, "no identity found: ", 19);
        assert_memory_equal(err.advice, "Set it up, or", 13);
    }
}

static void names_of_the_configuration(void **state)
{
    static char role[] = "Named";
    static char profile[] = "a";
    static const struct fake_text variables[] = {
        {HOME}, {"ALIBABA_CLOUD_ECS_METADATA", "Other"}, {"ALIBABA_CLOUD_PROFILE", "gone"}, {0}};
    static const struct fake_text files[] = {{CLI}, {0}};
    const struct settings_identity ecs = {.source = SETTINGS_SOURCE_ECS, .role_name = role};
    const struct settings_identity cli = {.source = SETTINGS_SOURCE_PROFILE, .profile = profile};
    struct identity_plans plans AUTO(identity_plans_clear) = {0};
    struct error err;

    (void)state;
    assert_true(find(&plans, variables, files, &ecs, &err));
    assert_string_equal(plans.list[0].ecs.role, "Named");
    assert_string_equal(plans.list[0].ecs.role_named_by, "identity.roleName");
    identity_plans_clear(&plans);
    assert_true(find(&plans, variables, files, &cli, &err));
    assert_string_equal(plans.list[0].principal, "profile a");
}

static void lists_all_reasons(void **state)
{
    static const struct fake_text variables[] = {{NO_METADATA}, {0}};
    static const struct settings_identity chain = {0};
    struct identity_plans plans AUTO(identity_plans_clear) = {0};
    struct error err;

    (void)state;
    assert_false(find(&plans, variables, NULL, &chain, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
    assert_string_equal(
        err.cause,
        "no identity found: environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set; OIDC: "
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set; CLI profile: this user has no home directory, "
        "and ALIBABA_CLOUD_CONFIG_FILE is not set; credentials file: this user has no home "
        "directory, and ALIBABA_CLOUD_CREDENTIALS_FILE is not set; ECS metadata service: disabled "
        "by ALIBABA_CLOUD_ECS_METADATA_DISABLED; credentials URI: ALIBABA_CLOUD_CREDENTIALS_URI "
        "is "
        "not set");
    assert_memory_equal(err.advice, "Unset ALIBABA_CLOUD_ECS_METADATA_DISABLED, or set ", 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_first_that_is_configured),
        cmocka_unit_test(keeps_the_reasons),
        cmocka_unit_test(passes_over_nothing_that_is_broken),
        cmocka_unit_test(asks_for_one_source_alone),
        cmocka_unit_test(names_of_the_configuration),
        cmocka_unit_test(lists_all_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
