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
    return credentials_reply_decode(out, CREDENTIALS_REPLY_METADATA, text, strlen(text), err);
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
    {"", "empty input"},
    {"<html>404</html>", "not valid JSON"},
    {"[]", "the document must be a JSON object"},
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
     "SecurityToken has a byte that is not printable ASCII"},
    {"{" CODE ",\"AccessKeyId\":\"a b\"," KEY "," TOKEN "," EXPIRATION "}",
     "AccessKeyId has a blank"},
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
    {"{" CODE "," KEY_ID ",\"AccessKeySecret\":\"a\\u0000b\"," TOKEN "," EXPIRATION "}",
     "AccessKeySecret must not have a NUL"},
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

static void decodes_an_answer_of_sts(void **state)
{
    static const char answer[] =
        "{\"RequestId\":\"R\",\"Credentials\":{" KEY_ID "," KEY "," TOKEN "," EXPIRATION "}}";
    static const char empty_id[] = "{\"Credentials\":{\"AccessKeyId\":\"\"," KEY "}}";
    struct credentials credentials AUTO(credentials_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_true(credentials_reply_decode(&credentials, CREDENTIALS_REPLY_STS, answer,
                                         strlen(answer), &err));
    assert_string_equal(credentials.access_key_id, "STS.NUexampleKeyId");
    assert_int_equal(credentials.expires_at_s, 1767344645);
    assert_false(credentials_reply_decode(&credentials, CREDENTIALS_REPLY_STS, "{}", 2, &err));
    assert_string_equal(err.cause, "Credentials is missing: it must be an object");
    assert_false(credentials_reply_decode(&credentials, CREDENTIALS_REPLY_STS, empty_id,
                                          strlen(empty_id), &err));
    assert_string_equal(err.cause, "Credentials.AccessKeyId is empty");
}

static void needs_no_code_of_a_credentials_uri(void **state)
{
    static const char with[] = "{" CODE "," KEY_ID "," KEY "," TOKEN "," EXPIRATION "}";
    static const char without[] = "{" KEY_ID "," KEY "," TOKEN "," EXPIRATION "}";
    static const char failed[] = "{\"Code\":\"No\\u001b\"}";
    struct credentials credentials AUTO(credentials_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_true(
        credentials_reply_decode(&credentials, CREDENTIALS_REPLY_URI, with, strlen(with), &err));
    assert_true(credentials_reply_decode(&credentials, CREDENTIALS_REPLY_URI, without,
                                         strlen(without), &err));
    assert_false(credentials_reply_decode(&credentials, CREDENTIALS_REPLY_URI, failed,
                                          strlen(failed), &err));
    assert_string_equal(err.service_code, "No?");
}

static void decodes_the_output_of_a_command(void **state)
{
#define P_KEY "\"access_key_id\":\"id\",\"access_key_secret\":\"key\""
    static const struct {
        const char *text;
        const char *token; /* NULL: refused */
        int64_t expires_at_s;
    } outputs[] = {
        {"{" P_KEY "}", "", 0},
        {"{\"mode\":\"AK\"," P_KEY ",\"expiration\":\"soon\"}", "", 0},
        {"{" P_KEY ",\"sts_token\":\"token\",\"expiration\":\"2026-01-02T09:04:05Z\"}", "token",
         1767344645},
        {"{\"mode\":\"StsToken\"," P_KEY ",\"sts_token\":\"token\"}", "token", 0},
        {"{\"mode\":\"StsToken\"," P_KEY "}", NULL, 0},
        {"{\"mode\":\"OIDC\"," P_KEY "}", NULL, 0},
        {"{\"access_key_id\":\"id\"}", NULL, 0},
        {"{" P_KEY ",\"sts_token\":\"to\\nken\"}", NULL, 0},
    };
#undef P_KEY

    (void)state;
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        struct credentials credentials AUTO(credentials_clear) = {0};
        struct error err = {0};
        const char *text = outputs[i].text;

        print_message("%s\n", text);
        assert_int_equal(credentials_reply_decode(&credentials, CREDENTIALS_REPLY_PROCESS, text,
                                                  strlen(text), &err),
                         outputs[i].token != NULL);
        if (outputs[i].token == NULL)
            continue;
        assert_string_equal(credentials.access_key_id, "id");
        assert_string_equal(secret_reveal(&credentials.security_token), outputs[i].token);
        assert_int_equal(credentials.expires_at_s, outputs[i].expires_at_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_the_document),
        cmocka_unit_test(refuses_what_is_not_usable),
        cmocka_unit_test(bounds_the_access_key_id),
        cmocka_unit_test(decodes_an_answer_of_sts),
        cmocka_unit_test(needs_no_code_of_a_credentials_uri),
        cmocka_unit_test(decodes_the_output_of_a_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
