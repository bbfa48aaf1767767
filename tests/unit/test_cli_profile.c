#include <string.h>

#include "proto-json/cli_profile.h"
#include "test.h"

static enum cli_profile_outcome find(struct cli_profile *out, char name[CLI_PROFILE_NAME_SIZE],
                                     const char *text, struct error *err)
{
    return cli_profile_find(out, name, text, strlen(text), err);
}

static void reads_a_profile(void **state)
{
    static const char text[] =
        "{\"current\":\"a\",\"meta_path\":\"\",\"profiles\":[{\"name\":\"b\",\"mode\":5},"
        "{\"name\":\"a\",\"mode\":\"RamRoleArn\",\"access_key_id\":\"id\","
        "\"access_key_secret\":\"key\",\"sts_token\":\"\",\"ram_role_arn\":\"arn\","
        "\"ram_session_name\":null,\"expired_seconds\":900,\"enable_vpc\":true,"
        "\"source_profile\":\"\",\"sts_region\":\"cn-shanghai\",\"language\":\"zh\"}]}";
    struct cli_profile profile AUTO(cli_profile_clear) = {0};
    char name[CLI_PROFILE_NAME_SIZE] = "";
    struct error err = {0};

    (void)state;
    assert_int_equal(find(&profile, name, text, &err), CLI_PROFILE_FOUND);
    assert_string_equal(name, "a");
    assert_string_equal(profile.mode, "RamRoleArn");
    assert_string_equal(profile.access_key_id, "id");
    assert_string_equal(secret_reveal(&profile.access_key_secret), "key");
    assert_true(secret_is_empty(&profile.sts_token));
    assert_string_equal(profile.role.arn, "arn");
    assert_null(profile.role.session_name);
    assert_int_equal(profile.role.duration_s, 900);
    assert_true(profile.enable_vpc);
    assert_null(profile.source_profile);
    assert_string_equal(profile.sts_region, "cn-shanghai");

    /* A failure leaves what was found before. */
    strcpy(name, "b");
    assert_int_equal(find(&profile, name, text, &err), CLI_PROFILE_BROKEN);
    assert_string_equal(err.cause, "profiles[0].mode must be a string");
    assert_string_equal(profile.mode, "RamRoleArn");
}

static void says_what_is_absent_or_broken(void **state)
{
    static const struct {
        const char *text;
        const char *cause; /* "": absent */
    } files[] = {
        {"{}", ""},
        {"{\"current\":null,\"profiles\":null}", ""},
        {"{\"profiles\":[]}", ""},
        {"{\"profiles\":[5,{\"name\":5},{\"name\":\"other\"}]}", ""},
        {"", "empty input, expected a JSON object"},
        {"{\"profiles\":{}}", "profiles must be an array"},
        {"{\"profiles\":[{\"name\":\"wanted\",\"policy\":\"a\\u0000b\"}]}",
         "profiles[0].policy must not have a NUL"},
        {"{\"profiles\":[{\"name\":\"wanted\",\"expired_seconds\":43201}]}",
         "profiles[0].expired_seconds must be from 0 to 43200"},
        {"{\"profiles\":[{\"name\":\"wanted\",\"enable_vpc\":\"true\"}]}",
         "profiles[0].enable_vpc must be true or false"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct cli_profile profile AUTO(cli_profile_clear) = {0};
        char name[CLI_PROFILE_NAME_SIZE] = "wanted";
        struct error err = {0};

        assert_int_equal(find(&profile, name, files[i].text, &err),
                         files[i].cause[0] == '\0' ? CLI_PROFILE_ABSENT : CLI_PROFILE_BROKEN);
        assert_string_equal(err.cause, files[i].cause);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_profile),
        cmocka_unit_test(says_what_is_absent_or_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
