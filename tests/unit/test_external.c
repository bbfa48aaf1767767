/* identity/external: how command lines are split. */
#include <string.h>

#include "identity/external.h"
#include "test.h"

static void splits_commands(void **state)
{
    static const struct {
        const char *text;
        const char *words; /* joined by | */
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
        for (size_t word = 0; command.words[word] != NULL; word++)
            buf_append_format(&joined, "%s%s", word == 0 ? "" : "|", command.words[word]);
        assert_string_equal(buf_text(&joined), good[i].words);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct external_command command AUTO(external_clear) = {{0}};

        assert_false(external_split(&command, bad[i], &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
    }
}

static void bounds_the_words_of_a_command(void **state)
{
    struct external_command command AUTO(external_clear) = {{0}};
    struct buf text AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    for (int i = 0; i < EXTERNAL_WORDS_MAX; i++)
        buf_append_text(&text, "a ");
    assert_true(external_split(&command, buf_text(&text), &err));
    external_clear(&command);
    buf_append_text(&text, "a");
    assert_false(external_split(&command, buf_text(&text), &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_commands),
        cmocka_unit_test(bounds_the_words_of_a_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
