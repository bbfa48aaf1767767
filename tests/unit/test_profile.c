/* identity/profile: every mode of both kinds of files as a plan, and where the files are. */
#include <string.h>

#include "fake_system.h"
#include "identity/sources.h"
#include "test.h"

#define ROLE_ARN     "acs:ram::1234567890123456:role/r"
#define PROVIDER_ARN "acs:ram::1234567890123456:oidc-provider/p"
#define CLI_PATH     "/home/me/.aliyun/config.json"
#define INI_PATH     "/home/me/.alibabacloud/credentials"
#define CLI(profile) "{\"current\":\"a\",\"profiles\":[{\"name\":\"a\"," profile "}]}"
#define STATIC       "\"access_key_id\":\"k\",\"access_key_secret\":\"s\""
#define ROLE         "\"ram_role_arn\":\"" ROLE_ARN "\""
#define MODE(name)   "\"mode\":\"" name "\","

static struct plan plan;
static struct error err;

static struct settings_identity settings;

static bool plan_cli(const char *content, const struct fake_text *variables)
{
    const struct fake_text files[] = {{CLI_PATH, content}, {0}};

    plan_clear(&plan);
    err = (struct error){0};
    fake = (struct fake_state){.home = "/home/me", .files = files, .variables = variables};
    return profile_plan_cli(&plan, &fake_system, &settings, &err);
}

static bool plan_ini(const char *content, const struct fake_text *variables)
{
    const struct fake_text files[] = {{INI_PATH, content}, {0}};

    plan_clear(&plan);
    err = (struct error){0};
    fake = (struct fake_state){.home = "/home/me", .files = files, .variables = variables};
    return profile_plan_file(&plan, &fake_system, &settings, &err);
}

static int end(void **state)
{
    (void)state;
    plan_clear(&plan);
    return 0;
}

static void makes_a_plan_of_each_mode(void **state)
{
    (void)state;
    assert_true(plan_cli(CLI(MODE("AK") STATIC ",\"sts_token\":\"left over\""), NULL));
    assert_int_equal(plan.source, PLAN_STATIC);
    assert_string_equal(plan.credentials.access_key_id, "k");
    assert_string_equal(secret_reveal(&plan.credentials.access_key_secret), "s");
    assert_true(secret_is_empty(&plan.credentials.security_token));
    assert_string_equal(plan.principal, "profile a");

    assert_true(plan_cli(CLI(MODE("StsToken") STATIC ",\"sts_token\":\"t\""), NULL));
    assert_string_equal(secret_reveal(&plan.credentials.security_token), "t");

    assert_true(plan_cli(CLI(MODE("RamRoleArn") STATIC
                             "," ROLE ",\"ram_session_name\":\"me\",\"expired_seconds\":900,"
                             "\"external_id\":\"x-1\",\"policy\":\"{}\",\"sts_region\":\"cn-a\","
                             "\"enable_vpc\":true"),
                         NULL));
    assert_int_equal(plan.source, PLAN_STATIC);
    assert_int_equal(plan.role_count, 1);
    assert_string_equal(plan.roles[0].arn, ROLE_ARN);
    assert_string_equal(plan.roles[0].session_name, "me");
    assert_string_equal(plan.roles[0].external_id, "x-1");
    assert_string_equal(plan.roles[0].policy, "{}");
    assert_int_equal(plan.roles[0].duration_s, 900);
    assert_string_equal(plan.sts_region, "cn-a");
    assert_true(plan.sts_prefers_vpc);

    assert_true(plan_cli(CLI(MODE("EcsRamRole") "\"ram_role_name\":\"N\""), NULL));
    assert_int_equal(plan.source, PLAN_ECS);
    assert_string_equal(plan.ecs.role, "N");
    assert_string_equal(plan.ecs.role_named_by, "the role's name in the profile");
    assert_false(plan.ecs.may_be_absent);

    assert_true(plan_cli(CLI(MODE("RamRoleArnWithRoleName") ROLE), NULL));
    assert_int_equal(plan.source, PLAN_ECS);
    assert_null(plan.ecs.role);
    assert_null(plan.ecs.role_named_by);
    assert_string_equal(plan.roles[0].arn, ROLE_ARN);

    assert_true(plan_cli(CLI(MODE("OIDC") ROLE ",\"oidc_provider_arn\":\"" PROVIDER_ARN
                                               "\",\"oidc_token_file\":\"/t\""),
                         NULL));
    assert_int_equal(plan.source, PLAN_OIDC);
    assert_string_equal(plan.oidc.role.arn, ROLE_ARN);
    assert_string_equal(plan.oidc.provider_arn, PROVIDER_ARN);
    assert_string_equal(plan.oidc.token_file, "/t");
    assert_false(plan.from_pod);

    assert_true(plan_cli(CLI(MODE("External") "\"process_command\":\"echo a\""), NULL));
    assert_int_equal(plan.source, PLAN_EXTERNAL);
    assert_string_equal(plan.command, "echo a");

    assert_true(plan_cli(CLI(MODE("CredentialsURI") "\"credentials_uri\":\"https://h\""), NULL));
    assert_int_equal(plan.source, PLAN_URI);
    assert_string_equal(plan.uri, "https://h");
}

static void follows_source_profiles(void **state)
{
    (void)state;
    assert_true(
        plan_cli("{\"current\":\"a\",\"profiles\":["
                 "{\"name\":\"a\",\"mode\":\"ChainableRamRoleArn\",\"source_profile\":\"b\","
                 "\"ram_role_arn\":\"" ROLE_ARN "1\"},"
                 "{\"name\":\"b\",\"mode\":\"ChainableRamRoleArn\",\"source_profile\":\"c\","
                 "\"ram_role_arn\":\"" ROLE_ARN "2\"},"
                 "{\"name\":\"c\",\"mode\":\"AK\"," STATIC "}]}",
                 NULL));
    assert_string_equal(plan.credentials.access_key_id, "k");
    assert_int_equal(plan.role_count, 2);
    assert_string_equal(plan.roles[0].arn, ROLE_ARN "2");
    assert_string_equal(plan.roles[1].arn, ROLE_ARN "1");
}

static void completes_profiles_by_the_environment(void **state)
{
    static const struct fake_text variables[] = {{"ALIBABA_CLOUD_ROLE_ARN", ROLE_ARN},
                                                 {"ALICLOUD_ROLE_SESSION_NAME", "job"},
                                                 {"ALIBABA_CLOUD_OIDC_PROVIDER_ARN", PROVIDER_ARN},
                                                 {"ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/t"},
                                                 {"ALIBABA_CLOUD_ECS_METADATA", "Named"},
                                                 {0}};

    (void)state;
    assert_true(plan_cli(CLI(MODE("OIDC") "\"oidc_token_file\":\"\""), variables));
    assert_string_equal(plan.oidc.role.arn, ROLE_ARN);
    assert_string_equal(plan.oidc.role.session_name, "job");
    assert_string_equal(plan.oidc.token_file, "/t");
    assert_true(plan_cli(CLI(MODE("EcsRamRole") "\"ram_role_name\":\"\""), variables));
    assert_string_equal(plan.ecs.role, "Named");
    assert_string_equal(plan.ecs.role_named_by, "ALIBABA_CLOUD_ECS_METADATA");
}

static void refuses_profiles_that_cannot_be_used(void **state)
{
    static const struct fake_text no_process[] = {{"ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", "1"},
                                                  {0}};
    static const struct fake_text no_metadata[] = {{"ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"},
                                                   {0}};
    static const struct {
        const char *profile;
        const char *cause;
        const struct fake_text *variables;
    } cases[] = {
        {"\"access_key_id\":\"k\"", "mode is missing", NULL},
        {"\"mode\":\"Odd\"", "mode Odd is not supported", NULL},
        {MODE("AK") "\"access_key_id\":\"k\"", "access_key_secret is missing", NULL},
        {MODE("AK") "\"access_key_secret\":\"s\"", "access_key_id is missing", NULL},
        {MODE("AK") "\"access_key_id\":\"k k\",\"access_key_secret\":\"s\"",
         "its AccessKey or token is too long or has blanks or control bytes", NULL},
        {MODE("StsToken") STATIC, "sts_token is missing", NULL},
        {MODE("RamRoleArn") STATIC, "ram_role_arn is missing", NULL},
        {MODE("RamRoleArn") STATIC ",\"ram_role_arn\":\"r\"",
         "ram_role_arn must be the ARN of a RAM role, acs:ram::ACCOUNT:role/NAME", NULL},
        {MODE("RamRoleArn") STATIC "," ROLE ",\"sts_region\":\"x/\"",
         "sts_region must be a region id such as cn-shanghai", NULL},
        {MODE("OIDC") ROLE, "oidc_provider_arn is missing", NULL},
        {MODE("External") "\"x\":1", "process_command is missing", NULL},
        {MODE("External") "\"process_command\":\"a\"",
         "mode External is disabled by ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", no_process},
        {MODE("CredentialsURI") "\"credentials_uri\":\"a\"",
         "mode CredentialsURI is disabled by ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", no_process},
        {MODE("CredentialsURI") "\"x\":1", "credentials_uri is missing", NULL},
        {MODE("EcsRamRole") "\"x\":1",
         "the ECS metadata service is disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED",
         no_metadata},
        {MODE("CloudSSO") "\"x\":1", "mode CloudSSO needs a person to sign in", NULL},
        {MODE("ChainableRamRoleArn") ROLE, "source_profile is missing", NULL},
        {MODE("ChainableRamRoleArn") ROLE ",\"source_profile\":\"gone\"",
         "its source profile gone is not in the file", NULL},
        {MODE("ChainableRamRoleArn") ROLE ",\"source_profile\":\"a\"",
         "source_profile forms a loop or is nested deeper than 8", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf file AUTO(buf_clear) = {0};

        buf_append_format(&file, CLI("%s"), cases[i].profile);
        assert_false(plan_cli(buf_text(&file), cases[i].variables));
        assert_string_equal(err.cause, cases[i].cause);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
        assert_memory_equal(err.context, "profile a of " CLI_PATH,
                            strlen("profile a of " CLI_PATH));
    }
}

static void names_the_keys_of_its_file(void **state)
{
    static const struct {
        const char *section;
        const char *cause;
    } cases[] = {
        {"type = ram_role_arn\naccess_key_id = a\naccess_key_secret = b\n", "role_arn is missing"},
        {"type = ecs_ram_role\nrole_name = a/b\n",
         "role_name must be the name of a RAM role: 1 to 64 letters, digits, . _ and -"},
        {"type = bearer\n", "type bearer is not supported"},
        {"access_key_id = a\n", "type is missing"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf file AUTO(buf_clear) = {0};

        buf_append_format(&file, "[default]\n%s", cases[i].section);
        assert_false(plan_ini(buf_text(&file), NULL));
        assert_string_equal(err.cause, cases[i].cause);
    }
}

static void finds_its_file(void **state)
{
    static const struct fake_text named[] = {
        {"ALIBABA_CLOUD_CONFIG_FILE", "/named"}, {"HOME", "/home/me"}, {0}};
    static const struct fake_text files[] = {
        {"/named", CLI(MODE("AK") STATIC)}, {CLI_PATH, "{"}, {0}};
    static const struct fake_text usual[] = {{CLI_PATH, CLI(MODE("AK") STATIC)}, {0}};
    static const struct fake_text disabled[] = {{"ALIBABACLOUD_IGNORE_PROFILE", "TRUE"}, {0}};

    (void)state;
    fake = (struct fake_state){.variables = named, .files = files};
    assert_true(profile_plan_cli(&plan, &fake_system, &settings, &err));
    plan_clear(&plan);
    /* By HOME, else by the user database. */
    fake = (struct fake_state){.variables = &named[1], .files = usual, .home = "/root"};
    assert_true(profile_plan_cli(&plan, &fake_system, &settings, &err));
    plan_clear(&plan);
    fake = (struct fake_state){.files = usual, .home = "/home/me"};
    assert_true(profile_plan_cli(&plan, &fake_system, &settings, &err));
    plan_clear(&plan);

    /* Absent: no home, no file, disabled. Broken: a file that was named. */
    fake = (struct fake_state){.files = usual};
    assert_false(profile_plan_cli(&plan, &fake_system, &settings, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
    assert_memory_equal(err.cause, "this user has no home directory", 31);
    fake = (struct fake_state){.home = "/home/other", .files = usual};
    assert_false(profile_plan_cli(&plan, &fake_system, &settings, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
    assert_string_equal(err.cause, "there is no /home/other/.aliyun/config.json");
    fake = (struct fake_state){.home = "/home/me", .files = usual, .variables = disabled};
    assert_false(profile_plan_cli(&plan, &fake_system, &settings, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
    assert_string_equal(err.cause, "disabled by ALIBABA_CLOUD_CLI_PROFILE_DISABLED");
    fake = (struct fake_state){.variables = named};
    assert_false(profile_plan_cli(&plan, &fake_system, &settings, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    assert_string_equal(err.cause, "there is no /named");
    assert_string_equal(err.advice, "Correct ALIBABA_CLOUD_CONFIG_FILE");
}

static void finds_its_profile(void **state)
{
    static const struct fake_text asks[] = {{"ALIBABA_CLOUD_PROFILE", "b"}, {0}};
    static const struct fake_text named[] = {{"ALIBABA_CLOUD_CONFIG_FILE", CLI_PATH}, {0}};
    static const char two[] = "{\"current\":\"a\",\"profiles\":["
                              "{\"name\":\"a\",\"mode\":\"AK\"," STATIC "},"
                              "{\"name\":\"b\",\"mode\":\"AK\"," STATIC "}]}";
    static char name[] = "a";
    static const char blank[] = CLI(MODE("AK") "\"access_key_id\":\"\"");

    (void)state;
    assert_true(plan_cli(two, asks));
    assert_string_equal(plan.principal, "profile b");
    /* The configuration goes before the environment. */
    settings.profile = name;
    assert_true(plan_cli(two, asks));
    assert_string_equal(plan.principal, "profile a");
    settings.profile = NULL;
    assert_false(plan_cli(CLI(MODE("AK") STATIC), asks));
    assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
    assert_string_equal(err.cause, CLI_PATH " has no profile b");
    /* As `aliyun configure` leaves it before anything was entered. */
    assert_false(plan_cli(blank, NULL));
    assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
    assert_false(plan_cli(blank, named));
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    assert_false(plan_cli("{\"profiles\":[]}", named));
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    assert_string_equal(err.cause, CLI_PATH " has no current profile");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(makes_a_plan_of_each_mode, end),
        cmocka_unit_test_teardown(follows_source_profiles, end),
        cmocka_unit_test_teardown(completes_profiles_by_the_environment, end),
        cmocka_unit_test_teardown(refuses_profiles_that_cannot_be_used, end),
        cmocka_unit_test_teardown(names_the_keys_of_its_file, end),
        cmocka_unit_test_teardown(finds_its_file, end),
        cmocka_unit_test_teardown(finds_its_profile, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
