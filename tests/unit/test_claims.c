#include <string.h>

#include "base/text.h"
#include "proto-json/claims.h"
#include "test.h"

static bool read_claims(struct claims *out, const char *payload)
{
    struct secret token AUTO(secret_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};

    buf_append_text(&text, "e30.");
    text_base64_encode(&text, payload, strlen(payload));
    while (text.bytes[text.length - 1] == '=')
        text.bytes[--text.length] = '\0';
    buf_append_text(&text, ".c2ln");
    secret_set(&token, text.bytes, text.length);
    return claims_read(out, &token, "second");
}

static void reads_claims(void **state)
{
    static const char *const no_tokens[] = {"", "a", "a.b", "..", "a.e30", "a.!!.c", "a.W10.c"};
    struct claims claims;

    (void)state;
    assert_true(read_claims(&claims, "{\"iss\":\"https://i\",\"aud\":\"a\",\"sub\":\"s\","
                                     "\"exp\":1767344645}"));
    assert_string_equal(claims.issuer, "https://i");
    assert_string_equal(claims.audience, "a");
    assert_false(claims.audience_fits);
    assert_string_equal(claims.subject, "s");
    assert_int_equal(claims.expires_at_s, 1767344645);
    assert_true(read_claims(&claims, "{\"aud\":[\"first\",\"second\"],\"exp\":1.5,\"sub\":7}"));
    assert_string_equal(claims.audience, "first");
    assert_true(claims.audience_fits);
    assert_true(read_claims(&claims, "{\"aud\":\"second\"}"));
    assert_true(claims.audience_fits);
    assert_true(read_claims(&claims, "{\"aud\":[\"first\",\"second\"],\"exp\":1.5,\"sub\":7}"));
    assert_string_equal(claims.subject, "");
    assert_int_equal(claims.expires_at_s, 0);
    assert_true(read_claims(&claims, "{\"aud\":[],\"sub\":\"a\\u001b[31mb\"}"));
    assert_string_equal(claims.audience, "");
    assert_string_equal(claims.subject, "a?[31mb");
    for (size_t i = 0; i < COUNT_OF(no_tokens); i++) {
        struct secret token AUTO(secret_clear) = {0};

        secret_set(&token, no_tokens[i], strlen(no_tokens[i]));
        assert_false(claims_read(&claims, &token, "a"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_claims),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
