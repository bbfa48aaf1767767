/* proto-json/credentials_reply: the documents that hand out credentials. */
#include <string.h>

#include "base/buf.h"
#include "proto-json/credentials_reply.h"
#include "test.h"

#define CODE       "\"Code\":\"Success\""
#define KEY_ID     "\"AccessKeyId\":\"STS.NUexampleKeyId\""
#define KEY        "\"AccessKeySecret\":\"exampleSecretValue\""
#define TOKEN      "\"SecurityToken\":\"CAISexampletoken==\""
#define EXPIRATION "\"Expiration\":\"2026-01-02T09:04:05Z\""

static bool decode(struct credentials *out, const char *text, struct error *err)
{
    return credentials_reply_decode_metadata(out, text, strlen(text), err);
}

static void decodes_the_document(void **state)
{
    struct credentials credentials AUTO(credentials_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_true(decode(&credentials,
                       "{" KEY_ID "," KEY "," EXPIRATION "," TOKEN
                       ",\"LastUpdated\":\"2026-01-02T03:04:05Z\"," CODE ",\"New\":{\"a\":[1]}}\n",
                       &err));
    assert_string_equal(credentials.access_key_id, "STS.NUexampleKeyId");
    assert_string_equal(secret_reveal(&credentials.access_key_secret), "exampleSecretValue");
    assert_string_equal(secret_reveal(&credentials.security_token), "CAISexampletoken==");
    assert_int_equal(credentials.expires_at_s, 1767344645);

    /* A failure leaves what was there, another success replaces it. */
    assert_false(decode(&credentials, "{" CODE "}", &err));
    assert_string_equal(credentials.access_key_id, "STS.NUexampleKeyId");
    assert_true(decode(&credentials,
                       "{" CODE ",\"AccessKeyId\":\"b\"," KEY "," TOKEN "," EXPIRATION "}", &err));
    assert_string_equal(credentials.access_key_id, "b");
}

static const struct {
    const char *text;
    const char *words;
} bad[] = {
    {"", "nothing"},
    {"<html>404</html>", "not valid JSON"},
    {"[]", "an object is expected"},
    {"{}", "Code is missing"},
    {"{\"Code\":\"Failed\"," KEY_ID "," KEY "," TOKEN "," EXPIRATION "}",
     "Code is not \"Success\""},
    {"{\"Code\":\"success\"," KEY_ID "," KEY "," TOKEN "," EXPIRATION "}",
     "Code is not \"Success\""},
    {"{\"Code\":true," KEY_ID "," KEY "," TOKEN "," EXPIRATION "}", "Code must be a string"},
    {"{" CODE "," KEY "," TOKEN "," EXPIRATION "}", "AccessKeyId is missing"},
    {"{" CODE "," KEY_ID "," TOKEN "," EXPIRATION "}", "AccessKeySecret is missing"},
    {"{" CODE "," KEY_ID "," KEY "," EXPIRATION "}", "SecurityToken is missing"},
    {"{" CODE "," KEY_ID "," KEY "," TOKEN "}", "Expiration is missing"},
    {"{" CODE ",\"AccessKeyId\":\"\"," KEY "," TOKEN "," EXPIRATION "}", "AccessKeyId is empty"},
    {"{" CODE "," KEY_ID ",\"AccessKeySecret\":\"\"," TOKEN "," EXPIRATION "}",
     "AccessKeySecret is empty"},
    {"{" CODE "," KEY_ID "," KEY ",\"SecurityToken\":\"\"," EXPIRATION "}",
     "SecurityToken is empty"},
    {"{" CODE "," KEY_ID "," KEY ",\"SecurityToken\":null," EXPIRATION "}",
     "SecurityToken must be a string"},
    {"{" CODE "," KEY_ID "," KEY ",\"SecurityToken\":\"a\\r\\nX-Forged: 1\"," EXPIRATION "}",
     "SecurityToken has a byte that is not visible ASCII"},
    {"{" CODE ",\"AccessKeyId\":\"a b\"," KEY "," TOKEN "," EXPIRATION "}",
     "AccessKeyId has a byte"},
    {"{" CODE "," KEY_ID ",\"AccessKeySecret\":\"\xC3\xA9\"," TOKEN "," EXPIRATION "}",
     "AccessKeySecret has a byte"},
    {"{" CODE "," KEY_ID "," KEY "," TOKEN ",\"Expiration\":\"\"}", "Expiration \"\" is not"},
    {"{" CODE "," KEY_ID "," KEY "," TOKEN ",\"Expiration\":\"soon\"}",
     "Expiration \"soon\" is not"},
    {"{" CODE "," KEY_ID "," KEY "," TOKEN ",\"Expiration\":\"2026-13-02T09:04:05Z\"}",
     "Expiration"},
    {"{" CODE "," KEY_ID "," KEY "," TOKEN ",\"Expiration\":\"2026-01-02T09:04:05+08:00\"}",
     "Expiration"},
    {"{" CODE "," KEY_ID "," KEY "," TOKEN ",\"Expiration\":\"2026-01-02 09:04:05\"}",
     "Expiration"},
    {"{" CODE "," KEY_ID "," KEY "," TOKEN ",\"Expiration\":1767344645}",
     "Expiration must be a string"},
    {"{" CODE "," KEY_ID "," KEY "," TOKEN "," EXPIRATION "," KEY_ID "}", "twice"},
};

static void refuses_what_is_not_usable(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct credentials credentials AUTO(credentials_clear) = {0};
        struct error err = {0};

        if (decode(&credentials, bad[i].text, &err))
            fail_msg("accepted: %s", bad[i].text);
        if (strstr(err.cause, bad[i].words) == NULL)
            fail_msg("%s gave: %s", bad[i].text, err.cause);
        assert_int_equal(err.kind, ERROR_UNAVAILABLE);
        assert_null(strstr(err.cause, "exampleSecretValue"));
        assert_string_equal(credentials.access_key_id, "");
    }
}

static void bounds_the_access_key_id(void **state)
{
    struct credentials credentials AUTO(credentials_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    buf_append_text(&text, "{" CODE "," KEY "," TOKEN "," EXPIRATION ",\"AccessKeyId\":\"");
    for (int i = 0; i < ACCESS_KEY_ID_SIZE; i++)
        buf_append_text(&text, "a");
    buf_append_text(&text, "\"}");
    assert_false(decode(&credentials, buf_text(&text), &err));
    assert_string_equal(err.cause, "AccessKeyId must be at most 128 bytes long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_the_document),
        cmocka_unit_test(refuses_what_is_not_usable),
        cmocka_unit_test(bounds_the_access_key_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
