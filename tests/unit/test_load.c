/* config/load: which of file, environment and flags wins, and which file it is. */
#include "config/load.h"

#include <string.h>

#include "fake_system.h"
#include "test.h"

#define ENDPOINT " without user, path or query; HOST is a name or a whole IP address"

static const struct load_flag no_flags[] = {{0}};

static int reset(void **state)
{
    (void)state;
    fake = (struct fake_state){0};
    return 0;
}

static void load(struct settings *out, const char *config_path, const struct load_flag *flags)
{
    struct error err = {0};

    if (!load_settings(out, &fake_system, config_path, flags, &err))
        fail_msg("%s", err.cause);
}

static void test_defaults(void **state)
{
    struct settings settings AUTO(settings_clear) = {0};

    (void)state;
    load(&settings, NULL, no_flags);
    assert_int_equal(settings.deadline_s, 50);
    assert_string_equal(settings.endpoints.metadata, "http://100.100.100.200");
    assert_null(settings.endpoints.sts);
}

static void test_environment_wins_over_file(void **state)
{
    struct settings settings AUTO(settings_clear) = {0};

    (void)state;
    fake.files = (const struct fake_text[]){
        {LOAD_CONFIG_FILE, "{\"endpoints\":{\"metadata\":\"http://file\",\"sts\":\"https://file\","
                           "\"acr\":\"https://file\"}}"},
        {0}};
    load(&settings, NULL, no_flags);
    assert_string_equal(settings.endpoints.metadata, "http://file");
    assert_string_equal(settings.endpoints.sts, "https://file");
    fake.variables = (const struct fake_text[]){{"ALIBABA_CLOUD_IMDS_ENDPOINT", "http://variable"},
                                                {"ALIBABA_CLOUD_STS_ENDPOINT", "variable"},
                                                {0}};
    load(&settings, NULL, no_flags);
    assert_string_equal(settings.endpoints.metadata, "http://variable");
    assert_string_equal(settings.endpoints.sts, "https://variable");
    assert_string_equal(settings.endpoints.acr, "https://file");
    fake.variables = (const struct fake_text[]){{"ALIBABA_CLOUD_STS_ENDPOINT", "https://v:8"}, {0}};
    load(&settings, NULL, no_flags);
    assert_string_equal(settings.endpoints.sts, "https://v:8");
}

static void test_flags_win_over_file(void **state)
{
    static const struct load_flag flags[] = {
        {"--cache-dir", "cache.directory", "/flag"}, {"--no-cache", "cache.enabled", "false"},
        {"--deadline", "deadlineSeconds", "600"},    {"--log-level", "log.level", "warning"},
        {"--log-to", "log.destination", "stderr"},   {0},
    };
    struct settings settings AUTO(settings_clear) = {0};

    (void)state;
    fake.files = (const struct fake_text[]){
        {LOAD_CONFIG_FILE,
         "{\"cache\":{\"enabled\":true,\"directory\":\"/file\"},\"deadlineSeconds\":7,"
         "\"log\":{\"level\":\"debug\",\"destination\":\"syslog\"}}"},
        {0}};
    load(&settings, NULL, no_flags);
    assert_true(settings.cache.is_enabled);
    assert_string_equal(settings.cache.directory, "/file");
    assert_int_equal(settings.deadline_s, 7);
    assert_int_equal(settings.log.level, LOG_LEVEL_DEBUG);
    assert_int_equal(settings.log.destination, LOG_TO_SYSLOG);
    load(&settings, NULL, flags);
    assert_false(settings.cache.is_enabled);
    assert_string_equal(settings.cache.directory, "/flag");
    assert_int_equal(settings.deadline_s, 600);
    assert_int_equal(settings.log.level, LOG_LEVEL_WARNING);
    assert_int_equal(settings.log.destination, LOG_TO_STDERR);
}

static void test_which_file(void **state)
{
    static const struct fake_text files[] = {{"/flag", "{\"deadlineSeconds\":1}"},
                                             {"/variable", "{\"deadlineSeconds\":2}"},
                                             {LOAD_CONFIG_FILE, "{\"deadlineSeconds\":3}"},
                                             {0}};
    struct settings settings AUTO(settings_clear) = {0};
    struct error err = {0};

    (void)state;
    fake.files = files;
    load(&settings, NULL, no_flags);
    assert_int_equal(settings.deadline_s, 3);
    fake.variables = (const struct fake_text[]){{LOAD_CONFIG_VARIABLE, "/variable"}, {0}};
    load(&settings, NULL, no_flags);
    assert_int_equal(settings.deadline_s, 2);
    load(&settings, "/flag", no_flags);
    assert_int_equal(settings.deadline_s, 1);
    assert_false(load_settings(&settings, &fake_system, "/none", no_flags, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_string_equal(err.cause, "/none: there is no such file");
    fake.variables = (const struct fake_text[]){{LOAD_CONFIG_VARIABLE, "/none"}, {0}};
    assert_false(load_settings(&settings, &fake_system, NULL, no_flags, &err));
    assert_string_equal(err.cause, "/none: there is no such file");
}

static void test_refusals(void **state)
{
    static const struct {
        struct load_flag flags[2];
        struct fake_text variables[2];
        struct fake_text files[2];
        enum error_kind kind;
        const char *cause;
    } cases[] = {
        {.flags = {{"--deadline", "deadlineSeconds", "601"}},
         .kind = ERROR_USAGE,
         .cause = "--deadline must be a whole number from 1 to 600"},
        {.flags = {{"--deadline", "deadlineSeconds", "1s"}},
         .kind = ERROR_USAGE,
         .cause = "--deadline must be a whole number from 1 to 600"},
        {.flags = {{"--log-level", "log.level", "loud"}},
         .kind = ERROR_USAGE,
         .cause = "--log-level must be one of: error, warning, info, debug"},
        {.flags = {{"--log-to", "log.destination", "file"}},
         .kind = ERROR_USAGE,
         .cause = "--log-to must be one of: stderr, syslog"},
        {.flags = {{"--cache-dir", "cache.directory", "run"}},
         .kind = ERROR_USAGE,
         .cause = "--cache-dir must be an absolute path of at most 1024 bytes"},
        {.variables = {{"ALIBABA_CLOUD_IMDS_ENDPOINT", "https://h"}},
         .kind = ERROR_CONFIG,
         .cause = "ALIBABA_CLOUD_IMDS_ENDPOINT must be http://HOST[:PORT]" ENDPOINT},
        {.variables = {{"ALIBABA_CLOUD_STS_ENDPOINT", "http://h"}},
         .kind = ERROR_CONFIG,
         .cause = "ALIBABA_CLOUD_STS_ENDPOINT must be https://HOST[:PORT]" ENDPOINT},
        {.files = {{LOAD_CONFIG_FILE, "{\"log\":{\"level\":\"loud\"}}"}},
         .kind = ERROR_CONFIG,
         .cause = "log.level must be one of: error, warning, info, debug"},
        {.files = {{LOAD_CONFIG_FILE, "!not a regular file"}},
         .kind = ERROR_CONFIG,
         .cause = LOAD_CONFIG_FILE ": not a regular file"},
        /* The command line is looked at first. */
        {.flags = {{"--log-level", "log.level", "loud"}},
         .files = {{LOAD_CONFIG_FILE, "{"}},
         .kind = ERROR_USAGE,
         .cause = "--log-level must be one of: error, warning, info, debug"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct settings settings AUTO(settings_clear) = {0};
        struct error err = {0};

        fake.variables = cases[i].variables;
        fake.files = cases[i].files;
        assert_false(load_settings(&settings, &fake_system, NULL, cases[i].flags, &err));
        assert_string_equal(err.cause, cases[i].cause);
        assert_int_equal(err.kind, cases[i].kind);
        if (strstr(err.cause, "not a regular file") != NULL)
            assert_string_equal(err.advice, "Name a regular file by --config");
    }
}

/* Their errors are to be logged where the flags say. */
static void test_flags_hold_although_file_or_environment_are_broken(void **state)
{
    static const struct load_flag flags[] = {{"--log-to", "log.destination", "syslog"}, {0}};
    struct settings settings AUTO(settings_clear) = {0};
    struct error err = {0};

    (void)state;
    fake.files = (const struct fake_text[]){{LOAD_CONFIG_FILE, "{\"a\":1}"}, {0}};
    assert_false(load_settings(&settings, &fake_system, NULL, flags, &err));
    assert_string_equal(err.context, LOAD_CONFIG_FILE);
    assert_string_equal(err.cause, "a is not a known key");
    assert_int_equal(settings.log.destination, LOG_TO_SYSLOG);
    fake.files = (const struct fake_text[]){{LOAD_CONFIG_FILE, "{}"}, {0}};
    fake.variables = (const struct fake_text[]){{"ALIBABA_CLOUD_STS_ENDPOINT", "http://h"}, {0}};
    assert_false(load_settings(&settings, &fake_system, NULL, flags, &err));
    assert_string_equal(err.cause,
                        "ALIBABA_CLOUD_STS_ENDPOINT must be https://HOST[:PORT]" ENDPOINT);
    assert_int_equal(settings.log.destination, LOG_TO_SYSLOG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, reset),
        cmocka_unit_test_setup(test_environment_wins_over_file, reset),
        cmocka_unit_test_setup(test_flags_win_over_file, reset),
        cmocka_unit_test_setup(test_which_file, reset),
        cmocka_unit_test_setup(test_refusals, reset),
        cmocka_unit_test_setup(test_flags_hold_although_file_or_environment_are_broken, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
