/* cmd/options: the command line. */
#include "cmd/options.h"

#include <string.h>

#include "test.h"

enum { WORDS_MAX = 9 };

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
        const char *word; /* the only one; NULL: none */
    } cases[] = {
        {{{0}}, OPTIONS_KUBELET, NULL},
        {{{"--no-cache"}}, OPTIONS_KUBELET, NULL},
        {{{"get-credentials", "--no-cache"}}, OPTIONS_KUBELET, NULL},
        {{{"get", "h/a"}}, OPTIONS_GET, "h/a"},
        {{{"--no-cache", "get", "--deadline", "5", "h/a"}}, OPTIONS_GET, "h/a"},
        {{{"--cache-dir", "/doctor", "get", "get"}}, OPTIONS_GET, "get"},
        {{{"config"}}, OPTIONS_CONFIG, NULL},
        {{{"config", "--docker", "h"}}, OPTIONS_CONFIG, "h"},
        {{{"doctor"}}, OPTIONS_DOCTOR, NULL},
        {{{"doctor", "h"}}, OPTIONS_DOCTOR, "h"},
        {{{"completion", "zsh"}}, OPTIONS_COMPLETION, "zsh"},
        {{{"version"}}, OPTIONS_VERSION, NULL},
        {{{"--version"}}, OPTIONS_VERSION, NULL},
        {{{"get", "--version"}}, OPTIONS_VERSION, "get"},
        {{{"help"}}, OPTIONS_HELP, NULL},
        {{{"-h"}}, OPTIONS_HELP, NULL},
        {{{"help", "config"}}, OPTIONS_HELP, "config"},
        {{{"get", "h", "--help", "--nonsense"}}, OPTIONS_HELP, "get"},
        {{{"--help", "get-credentials"}}, OPTIONS_HELP, "get-credentials"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options options;

        assert_parsed(&options, &cases[i].line);
        assert_int_equal(options.command, cases[i].command);
        assert_int_equal(options.words.count, cases[i].word != NULL);
        if (cases[i].word != NULL)
            assert_string_equal(options.words.values[0], cases[i].word);
        else
            assert_null(options.words.values[0]);
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

static void test_flags_of_config(void **state)
{
    static const struct command_line print = {
        {"config", "--match", "a", "--match=b", "--pods", "--kubelet", "1.34", "--format=json"}};
    static const struct command_line install = {{"config", "--dry-run", "--install", "/d"}};
    static const struct command_line remove = {{"--remove=/f", "config"}};
    static const struct command_line docker = {{"config", "f", "--docker", "h"}};
    struct options options;

    (void)state;
    assert_parsed(&options, &print);
    assert_int_equal(options.matches.count, 2);
    assert_string_equal(options.matches.values[0], "a");
    assert_string_equal(options.matches.values[1], "b");
    assert_string_equal(options.kubelet_version, "1.34");
    assert_true(options.for_pods && options.is_json && !options.is_dry_run && !options.is_docker);
    assert_null(options.install_path);
    assert_parsed(&options, &install);
    assert_string_equal(options.install_path, "/d");
    assert_null(options.remove_path);
    assert_true(options.is_dry_run && !options.for_pods && !options.is_json);
    assert_parsed(&options, &remove);
    assert_string_equal(options.remove_path, "/f");
    assert_parsed(&options, &docker);
    assert_true(options.is_docker);
    assert_string_equal(options.words.values[0], "f");
    assert_string_equal(options.words.values[1], "h");
}

static void test_flags_of_doctor(void **state)
{
    static const struct command_line first = {
        {"doctor", "--output", "json", "--host-root", "/host", "--service-account-token", "/t"}};
    static const struct command_line second = {
        {"--output=text", "doctor", "--annotation", "k=v=w", "--kubelet=1.26", "--no-cache"}};
    struct options options;

    (void)state;
    assert_parsed(&options, &first);
    assert_true(options.is_json);
    assert_string_equal(options.host_root, "/host");
    assert_string_equal(options.token_path, "/t");
    assert_parsed(&options, &second);
    assert_false(options.is_json);
    assert_int_equal(options.annotations.count, 1);
    assert_string_equal(options.annotations.values[0], "k=v=w");
    assert_string_equal(options.kubelet_version, "1.26");
    assert_flag(&options.flags[0], "--no-cache", "cache.enabled", "false");
}

/* Each given once, and one of them twice. */
static void test_all_flags_that_set_keys(void **state)
{
    static const struct command_line line = {{"--cache-dir=/c", "--no-cache", "--deadline=5",
                                              "--log-level=info", "--log-to=stderr", "--no-cache"}};
    struct options options;

    (void)state;
    assert_parsed(&options, &line);
    assert_non_null(options.flags[4].name);
    assert_null(options.flags[5].name);
}

static void test_lists_that_are_full(void **state)
{
    static char *argv[OPTIONS_LIST_MAX + 4] = {"program", "doctor"};
    struct options options;
    struct error err;

    (void)state;
    for (size_t i = 0; i < OPTIONS_LIST_MAX; i++)
        argv[2 + i] = "h";
    assert_true(options_parse(&options, OPTIONS_LIST_MAX + 2, argv, &err));
    assert_int_equal(options.words.count, OPTIONS_LIST_MAX);
    argv[OPTIONS_LIST_MAX + 2] = "h";
    assert_false(options_parse(&options, OPTIONS_LIST_MAX + 3, argv, &err));
    assert_string_equal(err.cause, "arguments: more than 64 values");
    for (size_t i = 0; i <= OPTIONS_LIST_MAX; i++)
        argv[2 + i] = "--annotation=a=b";
    assert_false(options_parse(&options, OPTIONS_LIST_MAX + 3, argv, &err));
    assert_string_equal(err.cause, "--annotation: more than 64 values");
    assert_int_equal(err.kind, ERROR_USAGE);
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
        {{{"--no-cache=true"}}, "unknown flag: --no-cache="},
        {{{"--config"}}, "--config requires a value"},
        {{{"--config="}}, "--config requires a value"},
        {{{"--config", ""}}, "--config requires a value"},
        {{{"get"}}, "get requires an argument: IMAGE_OR_HOST"},
        {{{"get", "a", "b"}}, "unexpected argument: b"},
        {{{"get-credentials", "b"}}, "unexpected argument: b"},
        {{{"version", "b"}}, "unexpected argument: b"},
        {{{"config", "--install=/d", "b"}}, "unexpected argument: b"},
        {{{"config", "--docker"}}, "config requires an argument: --docker [FILE] HOST..."},
        {{{"completion"}}, "completion requires an argument: bash|zsh|fish"},
        {{{"completion", "csh"}}, "its argument must be one of: bash, zsh, fish"},
        {{{"help", "frobnicate"}}, "unknown command: frobnicate"},
        {{{"--output", "env"}}, "--output is valid only with get, doctor"},
        {{{"config", "--output", "env"}}, "--output is valid only with get, doctor"},
        {{{"get", "--pods", "h"}}, "--pods is valid only with config"},
        {{{"--install=/d"}}, "--install is valid only with config"},
        {{{"--kubelet", "1.34"}}, "--kubelet is valid only with config, doctor"},
        {{{"config", "--no-cache"}}, "--no-cache is not valid with config"},
        {{{"--config=/c", "version"}}, "--config is not valid with version"},
        {{{"config", "--install=/d", "--remove=/d"}}, "--remove is not valid with --install"},
        {{{"config", "--docker", "--install=/d", "h"}}, "--install is not valid with --docker"},
        {{{"config", "--match=h", "--remove=/d"}}, "--remove is not valid with --match"},
        {{{"config", "--install=/d", "--format=json"}}, "--format is not valid with --install"},
        {{{"get", "--output", "yaml", "h"}},
         "--output must be one of: kubelet, docker, env, password"},
        {{{"get", "--output", "json", "h"}},
         "--output must be one of: kubelet, docker, env, password"},
        {{{"doctor", "--output=env"}}, "--output must be one of: text, json"},
        {{{"--log-level=loud"}}, "--log-level must be one of: error, warning, info, debug"},
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

static void test_outputs(void **state)
{
    static const struct {
        char *word;
        enum get_output output;
    } cases[] = {{"kubelet", GET_KUBELET},
                 {"docker", GET_DOCKER},
                 {"env", GET_ENV},
                 {"password", GET_PASSWORD}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct command_line line = {{"get", "--output", cases[i].word, "h"}};
        struct options options;

        assert_parsed(&options, &line);
        assert_int_equal(options.output, cases[i].output);
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
        cmocka_unit_test(test_flags_of_config),
        cmocka_unit_test(test_flags_of_doctor),
        cmocka_unit_test(test_all_flags_that_set_keys),
        cmocka_unit_test(test_lists_that_are_full),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_usage_errors),
        cmocka_unit_test(test_no_arguments_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
