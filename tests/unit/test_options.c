/* cmd/options: the command line. */
#include "cmd/options.h"

#include <string.h>

#include "test.h"

enum { WORDS_MAX = 8 };

struct command_line {
    char *words[WORDS_MAX]; /* ends with NULL; without the name of the program */
};

static bool parse(struct options *out, const struct command_line *line, struct error *err)
{
    char name[] = "program";
    char *argv[WORDS_MAX + 2] = {name};
    int argc = 1;

    for (; line->words[argc - 1] != NULL; argc++)
        argv[argc] = line->words[argc - 1];
    return options_parse(out, argc, argv, err);
}

static void assert_parsed(struct options *out, const struct command_line *line)
{
    struct error err = {0};

    if (!parse(out, line, &err))
        fail_msg("%s", err.cause);
}

static void test_commands(void **state)
{
    static const struct {
        struct command_line line;
        enum options_command command;
        const char *image;
    } cases[] = {
        {{{0}}, OPTIONS_KUBELET, NULL},
        {{{"--no-cache"}}, OPTIONS_KUBELET, NULL},
        {{{"get", "h/a"}}, OPTIONS_GET, "h/a"},
        {{{"--no-cache", "get", "--deadline", "5", "h/a"}}, OPTIONS_GET, "h/a"},
        {{{"version"}}, OPTIONS_VERSION, NULL},
        {{{"--version"}}, OPTIONS_VERSION, NULL},
        {{{"get", "--version"}}, OPTIONS_VERSION, NULL},
        {{{"help"}}, OPTIONS_HELP, NULL},
        {{{"-h"}}, OPTIONS_HELP, NULL},
        {{{"get", "--help", "--nonsense"}}, OPTIONS_HELP, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options options;

        assert_parsed(&options, &cases[i].line);
        assert_int_equal(options.command, cases[i].command);
        if (cases[i].image != NULL)
            assert_string_equal(options.image, cases[i].image);
    }
}

static void assert_flag(const struct load_flag *flag, const char *name, const char *key,
                        const char *value)
{
    assert_string_equal(flag->name, name);
    assert_string_equal(flag->key, key);
    assert_string_equal(flag->value, value);
}

static void test_flags(void **state)
{
    static const struct command_line line = {{"--log-level", "info", "--config=/x=y", "--no-cache",
                                              "--log-level=debug", "--log-to", "syslog"}};
    static const struct command_line output = {{"get", "--output", "env", "h"}};
    struct options options;

    (void)state;
    assert_parsed(&options, &line);
    assert_string_equal(options.config_path, "/x=y");
    /* Of one that is given twice, the last value counts. */
    assert_flag(&options.flags[0], "--log-level", "log.level", "debug");
    assert_flag(&options.flags[1], "--no-cache", "cache.enabled", "false");
    assert_flag(&options.flags[2], "--log-to", "log.destination", "syslog");
    assert_null(options.flags[3].name);
    assert_parsed(&options, &output);
    assert_int_equal(options.output, GET_ENV);
    assert_null(options.flags[0].name);
    assert_null(options.config_path);
}

static void test_usage_errors(void **state)
{
    static const struct {
        struct command_line line;
        const char *cause;
    } cases[] = {
        {{{"frobnicate"}}, "unknown command: frobnicate"},
        {{{""}}, "unknown command: "},
        {{{"--nonsense"}}, "unknown flag: --nonsense"},
        {{{"-"}}, "unknown flag: -"},
        {{{"--conf", "x"}}, "unknown flag: --conf"},
        {{{"--configs", "x"}}, "unknown flag: --configs"},
        {{{"--no-cache=true"}}, "unknown flag: --no-cache=true"},
        {{{"--config"}}, "--config requires a value"},
        {{{"--config="}}, "--config requires a value"},
        {{{"--config", ""}}, "--config requires a value"},
        {{{"get"}}, "get requires an argument: IMAGE_OR_HOST"},
        {{{"get", "a", "b"}}, "unexpected argument: b"},
        {{{"version", "b"}}, "unexpected argument: b"},
        {{{"--output", "env"}}, "--output is valid only with get"},
        {{{"get", "--output", "yaml", "h"}},
         "--output must be one of: kubelet, docker, env, password"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options options;
        struct error err = {0};

        if (parse(&options, &cases[i].line, &err))
            fail_msg("accepted: %s", cases[i].line.words[0]);
        assert_string_equal(err.cause, cases[i].cause);
        assert_int_equal(err.kind, ERROR_USAGE);
    }
}

static void test_no_arguments_at_all(void **state)
{
    char *argv[] = {NULL};
    struct options options;
    struct error err = {0};

    (void)state;
    assert_true(options_parse(&options, 0, argv, &err));
    assert_int_equal(options.command, OPTIONS_KUBELET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_usage_errors),
        cmocka_unit_test(test_no_arguments_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
