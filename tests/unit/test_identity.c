/* identity/command and identity/ini: how commands and credentials files are read. */
#include <string.h>

#include "identity/command.h"
#include "identity/ini.h"
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
        struct command command AUTO(command_clear) = {{0}};
        struct buf joined AUTO(buf_clear) = {0};

        assert_true(command_split(&command, good[i].text, &err));
        for (size_t word = 0; command.words[word] != NULL; word++)
            buf_append_format(&joined, "%s%s", word == 0 ? "" : "|", command.words[word]);
        assert_string_equal(buf_text(&joined), good[i].words);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct command command AUTO(command_clear) = {{0}};

        assert_false(command_split(&command, bad[i], &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
    }
}

static void bounds_the_words_of_a_command(void **state)
{
    struct command command AUTO(command_clear) = {{0}};
    struct buf text AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    for (int i = 0; i < COMMAND_WORDS_MAX; i++)
        buf_append_text(&text, "a ");
    assert_true(command_split(&command, buf_text(&text), &err));
    command_clear(&command);
    buf_append_text(&text, "a");
    assert_false(command_split(&command, buf_text(&text), &err));
}

static enum cli_profile_outcome find(struct cli_profile *out, const char *name, const char *text,
                                     struct error *err)
{
    char named[CLI_PROFILE_NAME_SIZE] = "";

    strcpy(named, name);
    return ini_find(out, named, text, strlen(text), err);
}

static void reads_credentials_files(void **state)
{
    static const char text[] = "; comment\n"
                               "stray = before any section\n"
                               "[default]\n"
                               "type = access_key\n"
                               "access_key_id=first\n"
                               "access_key_id =  last one \r\n"
                               "access_key_secret = 'a # b'\n"
                               "[ other ]\n"
                               "type=ram_role_arn ; as a role\n"
                               "role_arn=a#b=c\n"
                               "policy = \"{\\\"a\\\": 1}\"\n"
                               "unknown = x\n"
                               "role_session_name =\n";
    struct cli_profile profile AUTO(cli_profile_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(find(&profile, "", text, &err), CLI_PROFILE_FOUND);
    assert_string_equal(profile.mode, "AK");
    assert_string_equal(profile.access_key_id, "last one");
    assert_string_equal(secret_reveal(&profile.access_key_secret), "a # b");
    assert_null(profile.role.arn);
    assert_int_equal(find(&profile, "other", text, &err), CLI_PROFILE_FOUND);
    assert_string_equal(profile.mode, "RamRoleArn");
    assert_string_equal(profile.role.arn, "a#b=c");
    assert_null(profile.role.session_name);
    assert_null(profile.access_key_id);
    assert_int_equal(find(&profile, "third", text, &err), CLI_PROFILE_ABSENT);
    assert_int_equal(find(&profile, "", "", &err), CLI_PROFILE_ABSENT);
    assert_int_equal(find(&profile, "", "[default]\nno equals sign\n", &err), CLI_PROFILE_BROKEN);
    assert_string_equal(err.cause, "line 2 is neither [section] nor key = value");
    assert_int_equal(find(&profile, "", "[default\n", &err), CLI_PROFILE_BROKEN);
    assert_int_equal(find(&profile, "", "[\n", &err), CLI_PROFILE_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_commands),
        cmocka_unit_test(bounds_the_words_of_a_command),
        cmocka_unit_test(reads_credentials_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
