#include "proto-json/bearer_reply.h"

#include <string.h>

#include "test.h"

static void decodes_tokens(void **state)
{
    static const struct {
        const char *reply;
        const char *token; /* NULL: it is refused */
    } rows[] = {
        {"{\"token\":\"a\",\"expires_in\":600}", "a"},
        {"{\"access_token\":\"b\"}", "b"},
        {"{\"token\":\"a\",\"access_token\":\"b\"}", "a"},
        {"{}", NULL},
        {"{\"token\":7}", NULL},
        {"{\"token\":null}", NULL},
        {"[\"a\"]", NULL},
        {"<html>", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret token AUTO(secret_clear) = {0};
        struct error err = {0};
        const bool is_read =
            bearer_reply_decode(&token, rows[i].reply, strlen(rows[i].reply), &err);

        assert_int_equal(is_read, rows[i].token != NULL);
        if (is_read)
            assert_string_equal(secret_reveal(&token), rows[i].token);
        else
            assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
