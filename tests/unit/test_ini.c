/* identity/ini: credentials files. */
#include <string.h>

#include "identity/ini.h"
#include "test.h"

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
        cmocka_unit_test(reads_credentials_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
