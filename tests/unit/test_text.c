#include <string.h>

#include "base/text.h"
#include "test.h"

static void copies_and_joins_what_fits(void **state)
{
    char out[6];

    (void)state;
    assert_true(text_copy(out, sizeof out, "12345"));
    assert_string_equal(out, "12345");
    assert_false(text_copy(out, sizeof out, "123456"));
    assert_string_equal(out, "12345");
    text_join(out, sizeof out, "a", ".", "b");
    assert_string_equal(out, "a.b");
    text_join(out, sizeof out, "", "", "");
    assert_string_equal(out, "");
    text_join(out, sizeof out, "abc", "::", "def");
    assert_string_equal(out, "abc::");
    text_join(out, sizeof out, "abcdefg", ".", "h");
    assert_string_equal(out, "abcde");
}

static void changes_in_place(void **state)
{
    char text[] = " \t a\x1b[31m\xC3\xA9\x7F~ B\r\n";
    char *trimmed = text_trim(text);
    char blank[] = " \n";

    (void)state;
    text_make_printable(trimmed);
    assert_string_equal(trimmed, "a?[31m???~ B");
    text_lower(trimmed);
    assert_string_equal(trimmed, "a?[31m???~ b");
    assert_string_equal(text_trim(blank), "");
}

static void tells_printable_from_visible(void **state)
{
    static const char *const bad[] = {"a\n", "\r", "\t", "\x1b", "\x7F", "\x80", "\xC3\xA9"};

    (void)state;
    assert_true(text_is_printable(""));
    assert_true(text_is_visible(""));
    assert_true(text_is_printable(" !~"));
    assert_true(text_is_visible("!~"));
    assert_false(text_is_visible("a b"));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(text_is_printable(bad[i]));
        assert_false(text_is_visible(bad[i]));
    }
}

static void finds_prefixes_and_suffixes(void **state)
{
    (void)state;
    assert_true(text_starts_with("abc", "ab"));
    assert_true(text_starts_with("abc", ""));
    assert_false(text_starts_with("a", "ab"));
    assert_true(text_ends_with("abc", "bc"));
    assert_true(text_ends_with("abc", ""));
    assert_false(text_ends_with("c", "bc"));
}

static void knows_regions(void **state)
{
    static const char *const good[] = {"cn-hangzhou", "ap-southeast-1", "cn-hangzhou-finance-1"};
    static const char *const bad[] = {"",          "cn",         "cn-",          "CN-hangzhou",
                                      "oss-cn-a",  "c-hangzhou", "cn-hangzhou.", "cn-hang zhou",
                                      "cn-hangzh/"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(text_is_region(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(text_is_region(bad[i]));
}

static void encodes(void **state)
{
    struct buf out AUTO(buf_clear) = {0};
    char hex[9];

    (void)state;
    text_percent_encode(&out, "aZ09-_.~ /+*%\xC3\xA9");
    assert_string_equal(buf_text(&out), "aZ09-_.~%20%2F%2B%2A%25%C3%A9");
    text_hex(hex, (const unsigned char *)"\x00\x0F\xF0\xFF", 4);
    assert_string_equal(hex, "000ff0ff");
}

static void redacts(void **state)
{
    static const struct {
        const char *text;
        const char *secret;
        const char *redacted;
    } cases[] = {
        {"a secretsecretsecret b secretsecretsecret", "secretsecretsecret",
         "a [redacted] b [redacted]"},
        {"hush hush hushhush", "hush", "[red [red [red[red"},
        {"an error", "an", "an error"},
        {"an error", "", "an error"},
        {"cut off: secretse", "secretsecretsecret", "cut off: ********"},
        {"cut off: secre", "secretsecretsecret", "cut off: secre"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[64];

        assert_true(text_copy(text, sizeof text, cases[i].text));
        text_redact(text, cases[i].secret);
        assert_string_equal(text, cases[i].redacted);
    }
}

static void parses_numbers(void **state)
{
    static const char *const bad[] = {"",   "-1",  "+1",  " 1", "1 ",
                                      "1a", "101", "0x1", "9",  "99999999999999999999"};
    int64_t number = 42;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(text_parse_number(bad[i], 10, 100, &number));
    assert_int_equal(number, 42);
    assert_true(text_parse_number("0010", 10, 100, &number));
    assert_int_equal(number, 10);
    assert_true(text_parse_number("100", 10, 100, &number));
    assert_int_equal(number, 100);
    assert_false(text_parse_number("9223372036854775808", 0, INT64_MAX, &number));
}

static void parses_utc(void **state)
{
    static const char *const bad[] = {
        "",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05z",
        "2026-01-02 03:04:05Z",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-01-32T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-06-31T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "1969-01-02T03:04:05Z",
        "2026-01-02T03:04:05ZZ",
        "2026-01-02T03:04:05Z ",
        " 2026-01-02T03:04:05Z",
        "2026- 1-02T03:04:05Z",
        "2026-1-2T3:4:5Z",
        "+026-01-02T03:04:05Z",
        "12026-01-02T03:04:05Z",
        "2026-01-02T03:04:05+08:00",
        "2026-01-02T03:04:05.123Z",
    };
    static const struct {
        const char *text;
        int64_t unix_s;
    } good[] = {
        {"2026-01-02T03:04:05Z", 1767323045},   {"1970-01-01T00:00:00Z", 0},
        {"2024-02-29T23:59:59Z", 1709251199},   {"2038-01-19T03:14:08Z", 2147483648},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    int64_t unix_s = 42;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (text_parse_utc(bad[i], &unix_s))
            fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(unix_s, 42);
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        char again[TEXT_UTC_SIZE];

        assert_true(text_parse_utc(good[i].text, &unix_s));
        assert_int_equal(unix_s, good[i].unix_s);
        text_format_utc(again, unix_s);
        assert_string_equal(again, good[i].text);
    }
}

static void parses_http_dates(void **state)
{
    static const char *const bad[] = {
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT, Mon",
        "Sun, 06 anF 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
    };
    int64_t unix_s = 42;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (text_parse_http_date(bad[i], &unix_s))
            fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(unix_s, 42);
    assert_true(text_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &unix_s));
    assert_int_equal(unix_s, 784111777);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_and_joins_what_fits),
        cmocka_unit_test(changes_in_place),
        cmocka_unit_test(tells_printable_from_visible),
        cmocka_unit_test(finds_prefixes_and_suffixes),
        cmocka_unit_test(knows_regions),
        cmocka_unit_test(encodes),
        cmocka_unit_test(redacts),
        cmocka_unit_test(parses_numbers),
        cmocka_unit_test(parses_utc),
        cmocka_unit_test(parses_http_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
