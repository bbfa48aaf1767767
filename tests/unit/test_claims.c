#include <string.h>

#include "base/text.h"
#include "proto-json/claims.h"
#include "test.h"

static void make_token(struct secret *token, const char *payload)
{
    struct buf text AUTO(buf_clear) = {0};

    buf_append_text(&text, "e30.");
    text_base64_encode(&text, payload, strlen(payload));
    while (text.bytes[text.length - 1] == '=')
        text.bytes[--text.length] = '\0';
    buf_append_text(&text, ".c2ln");
    secret_set(token, text.bytes, text.length);
}

static bool read_claims(struct claims *out, const char *payload)
{
    struct secret token AUTO(secret_clear) = {0};

    make_token(&token, payload);
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

static void reads_what_a_registry_grants(void **state)
{
    static const struct {
        const char *payload;
        bool is_readable;
        bool is_granted;
    } rows[] = {
        {"{\"access\":[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":[\"pull\"]}]}", true,
         true},
        {"{\"access\":[{\"name\":\"a/b\",\"actions\":[\"push\",\"pull\"]}]}", true, true},
        {"{\"access\":[{\"name\":\"a/b\",\"actions\":[\"*\"]}]}", true, true},
        {"{\"access\":[{\"name\":\"x\"},{\"name\":\"a/b\",\"actions\":[\"pull\"]}]}", true, true},
        {"{\"access\":[{\"name\":\"a/b\",\"actions\":[\"push\"]}]}", true, false},
        {"{\"access\":[{\"name\":\"a/b\",\"actions\":[]}]}", true, false},
        {"{\"access\":[{\"name\":\"a/b\",\"actions\":\"pull\"}]}", true, false},
        {"{\"access\":[{\"name\":\"a/bc\",\"actions\":[\"pull\"]}]}", true, false},
        {"{\"access\":[\"a/b\"]}", true, false},
        {"{\"access\":[]}", true, false},
        {"{\"access\":null}", true, false},
        {"{\"access\":{}}", false, false},
        {"{}", false, false},
        {"[]", false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret token AUTO(secret_clear) = {0};
        bool is_readable = !rows[i].is_readable;

        print_message("%s\n", rows[i].payload);
        make_token(&token, rows[i].payload);
        assert_int_equal(claims_grant(&is_readable, &token, "a/b", "pull"), rows[i].is_granted);
        assert_int_equal(is_readable, rows[i].is_readable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_claims),
        cmocka_unit_test(reads_what_a_registry_grants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
