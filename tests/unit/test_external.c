/* identity/external: how command lines are split, and commands run. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/system.h"
#include "identity/external.h"
#include "test.h"

static void splits_commands(void **state)
{
    static const struct {
        const char *text;
        const char *arguments; /* joined by | */
    } good[] = {
        {"a", "a"},
        {"  a\tb \n c ", "a|b|c"},
        {"'a b' \"c d\"", "a b|c d"},
        {"a'b'\"c\"d", "abcd"},
        {"'' \"\"", "|"},
        {"'a\\b$`'", "a\\b$`"},
        {"\"a\\\"b\\\\c\\$d\\`e\\n\"", "a\"b\\c$d`e\\n"},
        {"a\\ b \\'c", "a b|'c"},
        {"a\\\nb \"c\\\nd\"", "ab|cd"},
        {"a|b; c && d > e", "a|b;|c|&&|d|>|e"},
    };
    static const char *const bad[] = {"", " \t\n", "'a", "\"a", "a\\", "\"a\\", "'a\"b"};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct external_command command AUTO(external_clear) = {{0}};
        struct buf joined AUTO(buf_clear) = {0};

        assert_true(external_split(&command, good[i].text, &err));
        for (size_t word = 0; command.argv[word] != NULL; word++)
            buf_append_format(&joined, "%s%s", word == 0 ? "" : "|", command.argv[word]);
        assert_string_equal(buf_text(&joined), good[i].arguments);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct external_command command AUTO(external_clear) = {{0}};

        assert_false(external_split(&command, bad[i], &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
    }
}

static void bounds_the_arguments_of_a_command(void **state)
{
    struct external_command command AUTO(external_clear) = {{0}};
    struct buf text AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    for (int i = 0; i < EXTERNAL_ARGUMENTS_MAX; i++)
        buf_append_text(&text, "a ");
    assert_true(external_split(&command, buf_text(&text), &err));
    external_clear(&command);
    buf_append_text(&text, "a");
    assert_false(external_split(&command, buf_text(&text), &err));
}

static bool run(struct buf *out, const char *line, size_t max_bytes, int64_t time_ms,
                struct error *err)
{
    struct external_command command AUTO(external_clear) = {{0}};

    assert_true(external_split(&command, line, err));
    return external_run(out, &command, max_bytes, system_mono_ms() + time_ms, err);
}

static void runs_commands(void **state)
{
    static const struct {
        const char *line;
        size_t max_bytes;
        int64_t time_ms;
        enum error_kind kind; /* of the failure; ERROR_INTERNAL: none */
        const char *text;     /* the output, or the cause of the failure */
    } cases[] = {
        {"echo one", 100, 20000, ERROR_INTERNAL, "one\n"},
        {"sh -c 'echo two; echo hidden >&2'", 100, 20000, ERROR_INTERNAL, "two\n"},
        /* What stays in the background is not waited for. */
        {"sh -c 'sleep 5 & echo three'", 100, 3000, ERROR_INTERNAL, "three\n"},
        {"sh -c 'cat; echo four'", 100, 20000, ERROR_INTERNAL, "four\n"},
        {"sh -c 'echo hidden >&2; exit 3'", 100, 20000, ERROR_UNAVAILABLE, "exit status 3"},
        {"sh -c 'kill -9 $$'", 100, 20000, ERROR_UNAVAILABLE, "it was ended by signal 9"},
        {"yes", 100, 20000, ERROR_UNAVAILABLE, "it printed more than 100 bytes"},
        {"sleep 99", 100, 100, ERROR_TEMPORARY, "it did not end in time"},
        {"sh -c 'exec >&- 2>&-; sleep 99'", 100, 100, ERROR_TEMPORARY, "it did not end in time"},
        {"sleep 99", 100, -1, ERROR_TEMPORARY, "it did not start in time"},
        {"no-such-command a", 100, 20000, ERROR_UNAVAILABLE,
         "cannot start no-such-command: No such file or directory"},
        {"/", 100, 20000, ERROR_UNAVAILABLE, "cannot start /: Permission denied"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out AUTO(buf_clear) = {0};
        struct error err = {0};

        print_message("%s\n", cases[i].line);
        if (run(&out, cases[i].line, cases[i].max_bytes, cases[i].time_ms, &err)) {
            assert_int_equal(cases[i].kind, ERROR_INTERNAL);
            assert_string_equal(buf_text(&out), cases[i].text);
        } else {
            assert_int_equal(err.kind, cases[i].kind);
            assert_string_equal(err.cause, cases[i].text);
        }
        /* No child is left. */
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
}

static void leaves_signals_as_they_were(void **state)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE, SIGALRM};
    static const char *const lines[] = {"true", "false", "no-such-command"};
    struct sigaction before[COUNT_OF(numbers)];
    sigset_t mask_before;

    (void)state;
    assert_int_not_equal(signal(SIGHUP, SIG_IGN), SIG_ERR);
    assert_int_not_equal(signal(SIGCHLD, SIG_IGN), SIG_ERR);
    assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask_before), 0);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        assert_int_equal(sigaction(numbers[i], NULL, &before[i]), 0);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct buf out AUTO(buf_clear) = {0};
        struct error err = {0};
        sigset_t mask;

        /* Although SIGCHLD is ignored, there is an exit status. */
        assert_int_equal(run(&out, lines[i], 100, 20000, &err), i == 0);
        assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
        for (size_t j = 0; j < COUNT_OF(numbers); j++) {
            struct sigaction after;

            assert_int_equal(sigaction(numbers[j], NULL, &after), 0);
            assert_ptr_equal(after.sa_handler, before[j].sa_handler);
            assert_int_equal(sigismember(&mask, numbers[j]), sigismember(&mask_before, numbers[j]));
        }
    }
    assert_int_not_equal(signal(SIGHUP, SIG_DFL), SIG_ERR);
    assert_int_not_equal(signal(SIGCHLD, SIG_DFL), SIG_ERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_commands),
        cmocka_unit_test(bounds_the_arguments_of_a_command),
        cmocka_unit_test(runs_commands),
        cmocka_unit_test(leaves_signals_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
