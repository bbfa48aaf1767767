#include <string.h>

#include "base/text.h"
#include "test.h"

/* RFC 4648, section 10. */
static void encodes_and_decodes(void **state)
{
    static const struct {
        const char *plain;
        const char *standard;
        const char *url;
    } vectors[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xFB\xEF\xFF", "++//", "--__"},
    };
    struct buf out AUTO(buf_clear) = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        buf_clear(&out);
        text_base64_encode(&out, vectors[i].plain, strlen(vectors[i].plain));
        assert_string_equal(buf_text(&out), vectors[i].standard);
        buf_clear(&out);
        assert_true(text_base64url_decode(&out, vectors[i].url, strlen(vectors[i].url)));
        assert_string_equal(buf_text(&out), vectors[i].plain);
        assert_int_equal(out.length, strlen(vectors[i].plain));
    }
}

static void appends(void **state)
{
    struct buf out AUTO(buf_clear) = {0};

    (void)state;
    buf_append_text(&out, "a ");
    text_base64_encode(&out, "f", 1);
    assert_true(text_base64url_decode(&out, "Zg", 2));
    assert_string_equal(buf_text(&out), "a Zg==f");
}

/* All bytes, at every length of the last group, and with what follows the text left alone. */
static void decodes_what_it_encodes(void **state)
{
    unsigned char bytes[256];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    for (size_t length = sizeof bytes - 3; length <= sizeof bytes; length++) {
        struct buf text AUTO(buf_clear) = {0};
        struct buf back AUTO(buf_clear) = {0};

        text_base64_encode(&text, bytes, length);
        for (char *at = text.bytes; *at != '\0'; at++)
            *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
        assert_true(text_base64url_decode(&back, text.bytes, strcspn(text.bytes, "=")));
        assert_int_equal(back.length, length);
        assert_memory_equal(back.bytes, bytes, length);
        assert_int_equal(back.bytes[length], '\0');
    }
}

static void refuses_other_alphabets(void **state)
{
    static const char *const bad[] = {"Z",    "Zg==", "Zm9vY",  "Zm+v",   "Zm/v",
                                      "Zm v", " Zm9", "Zm9v\n", "Zm9\xC3"};
    struct buf out AUTO(buf_clear) = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(text_base64url_decode(&out, bad[i], strlen(bad[i])));
    assert_false(text_base64url_decode(&out, "Zm9\0", 4));
    assert_int_equal(out.length, 0);
    /* The last bits of the last character are not looked at, and leave no trace. */
    assert_true(text_base64url_decode(&out, "Zh", 2));
    assert_string_equal(buf_text(&out), "f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_and_decodes),
        cmocka_unit_test(appends),
        cmocka_unit_test(decodes_what_it_encodes),
        cmocka_unit_test(refuses_other_alphabets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
