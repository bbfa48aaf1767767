/* proto-json/doc: what is refused and where, what the getters read, and what is printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto-json/doc.h"
#include "test.h"

enum { MAX_BYTES = 1024 * 1024 };

/* A literal with its length, so that a NUL byte can stand inside. */
#define LITERAL(text) text, sizeof(text) - 1

struct refusal {
    const char *bytes;
    size_t length;
    const char *place; /* part of the message */
};

static const struct refusal refusals[] = {
    {LITERAL(""), "empty input, expected a JSON object"},
    {LITERAL("   \n"), "line 2, column 1: unexpected end of data"},
    {LITERAL("[]"), "the document must be a JSON object"},
    {LITERAL("\"a\""), "the document must be a JSON object"},
    {LITERAL("null"), "line 1, column 5"},
    {LITERAL("5"), "line 1, column 2"},
    /* Not UTF-8. */
    {LITERAL("\xEF\xBB\xBF{}"), "line 1, column 1"},
    {LITERAL("{\"a\":\"\xFF\"}"), "line 1, column 7: invalid utf-8 string"},
    {LITERAL("{\"a\":\"\x80\"}"), "line 1, column 7"},
    {LITERAL("{\"a\":\"\xC3\"}"), "line 1, column 8"},
    {LITERAL("{\n\"a\":\"\xE2\x82\"}"), "line 2, column 8"},
    {LITERAL("{\"\xFF\":1}"), "line 1, column 3"},
    {LITERAL("{\"a\":\"\xE2\x82"), "line 1, column 9"},
    /* NUL bytes. */
    {LITERAL("{\"a\":\"x\0y\"}"), "unexpected end of data"},
    {LITERAL("{\"a\0b\":1}"), "unexpected end of data"},
    {LITERAL("{}\0"), "line 1, column 3: unexpected character"},
    {LITERAL("{} \0"), "line 1, column 4: unexpected character"},
    {LITERAL("\0{}"), "line 1, column 1"},
    /* Escapes. */
    {LITERAL("{\"a\":\"\\x41\"}"), "line 1, column 8: invalid string sequence"},
    {LITERAL("{\"a\":\"\\'\"}"), "line 1, column 8"},
    {LITERAL("{\"a\":\"\\u12G4\"}"), "line 1, column 11"},
    {LITERAL("{\"a\":\"x\\"), "unexpected end of data"},
    /* What follows the document. */
    {LITERAL("{} {}"), "line 1, column 4"},
    {LITERAL("{}x"), "line 1, column 3"},
    {LITERAL("{}\n\n x"), "line 3, column 2"},
    {LITERAL("{},"), "line 1, column 3"},
    {LITERAL("{}}"), "line 1, column 3"},
    {LITERAL("{} \xC3\xA9"), "line 1, column 4"},
    /* What JSON is not. */
    {LITERAL("{a:1}"), "line 1, column 2: quoted object property name expected"},
    {LITERAL("{\"a\":tru}"), "line 1, column 9"},
    {LITERAL("{\"a\":truee}"), "line 1, column 10"},
    {LITERAL("{\"a\":[,1]}"), "line 1, column 7"},
    {LITERAL("{\"a\"}"), "line 1, column 5: object property name separator ':' expected"},
    {LITERAL("{\"a\" 1}"), "line 1, column 6"},
    {LITERAL("{\"a\":}"), "line 1, column 6"},
    {LITERAL("{\"a\":1\n \"b\":2}"), "line 2, column 2: object value separator ',' expected"},
    {LITERAL("{\"a\":[1}"), "line 1, column 8: array value separator ',' expected"},
    {LITERAL("{\"a\":{]}"), "line 1, column 7"},
    {LITERAL("{\"a\":1"), "line 1, column 7: unexpected end of data"},
    {LITERAL("{\"a\":"), "line 1, column 6: unexpected end of data"},
    {LITERAL("{\"a"), "line 1, column 4: unexpected end of data"},
    {LITERAL("{"), "line 1, column 2: unexpected end of data"},
    /* Numbers. */
    {LITERAL("{\"a\":+1}"), "not valid JSON"},
    {LITERAL("{\"a\":.5}"), "not valid JSON"},
    {LITERAL("{\"a\":-}"), "not valid JSON"},
    {LITERAL("{\"a\":1-2}"), "not valid JSON"},
    {LITERAL("{\"a\":0x10}"), "not valid JSON"},
};

/* By json-c's strict mode, which is not used in 0.18. */
static const struct refusal strict_refusals[] = {
    {LITERAL("{\"a\":'b'}"), "line 1, column 6: unexpected character"},
    {LITERAL("{\"a\":TRUE}"), "line 1, column 6"},
    {LITERAL("{\"a\":1} // end"), "line 1, column 9"},
    {LITERAL("{/* a */\"a\":1}"), "line 1, column 2"},
    {LITERAL("{\"a\":1,}"), "line 1, column 8"},
    {LITERAL("{\"a\":[1,]}"), "line 1, column 9"},
    {LITERAL("{,}"), "line 1, column 2"},
    {LITERAL("{\"a\":01}"), "not valid JSON"},
    {LITERAL("{\"a\":1e+}"), "not valid JSON"},
    {LITERAL("{\"a\":1e}"), "not valid JSON"},
};

static void refuse(const struct refusal *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct doc doc AUTO(doc_clear) = {0};
        struct error err = {0};
        /* An exact copy on the heap, so that reading past its end is seen. */
        char *copy = malloc(list[i].length + (list[i].length == 0));

        assert_non_null(copy);
        memcpy(copy, list[i].bytes, list[i].length);
        if (doc_parse(&doc, ERROR_REQUEST, copy, list[i].length, MAX_BYTES, &err))
            fail_msg("accepted: %s", list[i].bytes);
        free(copy);
        if (strstr(err.cause, list[i].place) == NULL)
            fail_msg("\"%s\" gave: %s", list[i].bytes, err.cause);
        assert_int_equal(err.kind, ERROR_REQUEST);
        assert_null(doc.root.value);
    }
}

static void refuses_what_is_not_json(void **state)
{
    (void)state;
    refuse(refusals, COUNT_OF(refusals));
    if (strcmp(doc_library_version(), "0.18") != 0)
        refuse(strict_refusals, COUNT_OF(strict_refusals));
}

static const char *const accepted[] = {
    "{}",
    " \t\r\n{ } \r\n",
    "{\"a\":{\"x\":1},\"b\":{\"x\":1},\"c\":[{\"x\":1},{\"x\":1}]}",
    "{\"a\":1,\"A\":2,\"aa\":3}",
    "{\"a\":[0,-0,1,-1,0.5,1e5,1E+5,1.25e-3,true,false,null,\"\",[],{}]}",
    "{\"\\ud83d\\ude00\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}",
    "{\"a\":\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"}",
    "{\"a\":\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\x7F\"}",
    "{\"a\":\"// no comment, NaN, 'quotes' and {\\\"a\\\":1}\"}",
    "{\"a\":\"x\\u0000y\"}", /* the getters refuse it */
};

static void accepts_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        struct doc doc AUTO(doc_clear) = {0};
        struct error err = {0};

        if (!doc_parse(&doc, ERROR_CONFIG, accepted[i], strlen(accepted[i]), MAX_BYTES, &err))
            fail_msg("%s gave: %s", accepted[i], err.cause);
    }
}

/* {"a":[[[...]]]} with `depth` levels in all. */
static char *nest(size_t depth)
{
    char *text = alloc_zeroed(2 * depth + 16, 1);

    strcpy(text, "{\"a\":");
    memset(text + strlen(text), '[', depth - 1);
    memset(text + strlen(text), ']', depth - 1);
    strcat(text, "}");
    return text;
}

static void bounds_depth_and_size(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct error err = {0};
    char *deep = nest(32);
    char *deeper = nest(33);
    char *deepest = nest(100000);

    (void)state;
    assert_true(doc_parse(&doc, ERROR_REQUEST, deep, strlen(deep), MAX_BYTES, &err));
    doc_clear(&doc);
    assert_false(doc_parse(&doc, ERROR_REQUEST, deeper, strlen(deeper), MAX_BYTES, &err));
    assert_non_null(strstr(err.cause, "nesting too deep"));
    assert_false(doc_parse(&doc, ERROR_REQUEST, deepest, strlen(deepest), MAX_BYTES, &err));
    assert_non_null(strstr(err.cause, "nesting too deep"));
    free(deep);
    free(deeper);
    free(deepest);

    assert_true(doc_parse(&doc, ERROR_REQUEST, "{\"a\":1}", 7, 7, &err));
    doc_clear(&doc);
    assert_false(doc_parse(&doc, ERROR_UNAVAILABLE, "{\"a\":1}", 7, 6, &err));
    assert_string_equal(err.cause, "longer than 6 bytes");
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
}

static void parse(struct doc *doc, const char *text)
{
    struct error err = {0};

    if (!doc_parse(doc, ERROR_CONFIG, text, strlen(text), MAX_BYTES, &err))
        fail_msg("%s: %s", text, err.cause);
}

static void reads_typed_values(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct secret secret AUTO(secret_clear) = {0};
    struct error err = {0};
    struct doc_node root;
    struct doc_node list;
    char text[8] = "before";
    char *string = alloc_string("before");
    int64_t number = 0;
    bool truth = false;
    size_t count = 0;

    (void)state;
    parse(&doc, "{\"t\":\"\\u00e9x\",\"n\":-5,\"b\":true,\"l\":[\"p\",{\"q\":\"r\"}],\"e\":\"\"}");
    root = doc.root;
    assert_true(doc_text(text, sizeof text, doc_member(&root, "t"), &err));
    assert_string_equal(text, "\xC3\xA9x");
    assert_true(doc_string(&string, 8, doc_member(&root, "t"), &err));
    assert_string_equal(string, "\xC3\xA9x");
    assert_true(doc_string(&string, 0, doc_member(&root, "e"), &err));
    assert_string_equal(string, "");
    free(string);
    assert_true(doc_secret(&secret, 8, doc_member(&root, "t"), &err));
    assert_string_equal(secret_reveal(&secret), "\xC3\xA9x");
    assert_true(doc_integer(&number, -5, -5, doc_member(&root, "n"), &err));
    assert_int_equal(number, -5);
    assert_true(doc_boolean(&truth, doc_member(&root, "b"), &err));
    assert_true(truth);
    list = doc_member(&root, "l");
    assert_true(doc_array(&count, 2, list, &err));
    assert_int_equal(count, 2);
    list = doc_element(&list, 1);
    assert_true(doc_object(list, &err));
    assert_true(doc_text(text, sizeof text, doc_member(&list, "q"), &err));
    assert_string_equal(text, "r");
    assert_string_equal(err.cause, "");
}

static void leaves_outputs_alone_without_a_value(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct error err = {0};
    struct doc_node root;
    char text[8] = "before";
    int64_t number = 7;
    bool truth = true;
    size_t count = 9;

    (void)state;
    parse(&doc, "{\"long\":\"12345678\"}");
    root = doc.root;
    assert_true(doc_text(text, sizeof text, doc_optional_member(&root, "x"), &err));
    assert_true(doc_integer(&number, 0, 9, doc_optional_member(&root, "x"), &err));
    assert_true(doc_boolean(&truth, doc_optional_member(&root, "x"), &err));
    assert_true(doc_object(doc_optional_member(&root, "x"), &err));
    assert_string_equal(err.cause, "");
    assert_false(doc_text(text, sizeof text, doc_optional_member(&root, "long"), &err));
    assert_string_equal(err.cause, "long must be at most 7 bytes long");
    assert_string_equal(text, "before");
    assert_int_equal(number, 7);
    assert_true(truth);
    assert_true(doc_array(&count, 1, doc_optional_member(&root, "x"), &err));
    assert_int_equal(count, 0);
}

static void counts_null_as_absent_where_asked(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node node;

    (void)state;
    parse(&doc, "{\"null\":null,\"text\":\"\"}");
    assert_true(doc_member(&doc.root, "null").present);
    assert_false(doc_optional_member(&doc.root, "null").present);
    assert_false(doc_optional_member(&doc.root, "x").present);
    node = doc_optional_member(&doc.root, "text");
    assert_true(node.present);
    assert_string_equal(node.path, "text");
}

static void refuses_a_string_with_a_nul(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct secret secret AUTO(secret_clear) = {0};
    struct error err = {0};
    struct doc_node node;
    char *string = NULL;
    char text[8] = "before";

    (void)state;
    parse(&doc, "{\"t\":\"x\\u0000y\",\"end\":\"x\\u0000\"}");
    node = doc_member(&doc.root, "t");
    assert_false(doc_text(text, sizeof text, node, &err));
    assert_string_equal(err.cause, "t must not have a NUL");
    assert_string_equal(text, "before");
    assert_false(doc_string(&string, 8, node, &err));
    assert_null(string);
    assert_false(doc_secret(&secret, 8, node, &err));
    assert_true(secret_is_empty(&secret));
    assert_false(doc_text(text, sizeof text, doc_optional_member(&doc.root, "end"), &err));
    doc_text_cut(text, sizeof text, node);
    assert_string_equal(text, "x");
}

static void checks_what_goes_into_headers(void **state)
{
    static const char *const bad[] = {"a\n", "a\r\nX-Forged: 1", "\x7F", "\xC3\xA9"};
    const struct doc_node node = {.kind = ERROR_UNAVAILABLE, .path = "a.b"};
    struct error err = {0};

    (void)state;
    assert_true(doc_check_visible("!\"aZ~", &node, &err));
    assert_true(doc_check_printable(" !\"aZ~", &node, &err));
    assert_false(doc_check_visible("a b", &node, &err));
    assert_string_equal(err.cause, "a.b has a blank");
    assert_false(doc_check_printable("", &node, &err));
    assert_string_equal(err.cause, "a.b is empty");
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(doc_check_visible(bad[i], &node, &err));
        assert_string_equal(err.cause, "a.b has a byte that is not printable ASCII");
    }
}

static void names_the_place_of_an_error(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct error err = {0};
    struct doc_node root;
    struct doc_node node;
    char text[8] = "";
    size_t count = 0;
    bool truth = false;
    int64_t number = 0;

    (void)state;
    parse(&doc, "{\"registries\":[{},{\"match\":[5]}],\"n\":null}");
    root = doc.root;
    node = doc_member(&root, "registries");
    assert_false(doc_array(&count, 1, node, &err));
    assert_string_equal(err.cause, "registries must have at most 1 elements");
    node = doc_element(&node, 1);
    node = doc_member(&node, "match");
    node = doc_element(&node, 0);
    assert_false(doc_text(text, sizeof text, node, &err));
    assert_string_equal(err.cause, "registries[1].match[0] must be a string");
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_false(doc_text(text, sizeof text, doc_member(&root, "n"), &err));
    assert_string_equal(err.cause, "n must be a string");
    assert_false(doc_text(text, sizeof text, doc_member(&root, "x"), &err));
    assert_string_equal(err.cause, "x is missing: it must be a string");
    assert_false(doc_boolean(&truth, doc_member(&root, "n"), &err));
    assert_string_equal(err.cause, "n must be true or false");
    assert_false(doc_integer(&number, 0, 1, doc_member(&root, "n"), &err));
    assert_string_equal(err.cause, "n must be a whole number");
    assert_false(doc_object(doc_member(&root, "registries"), &err));
    assert_string_equal(err.cause, "registries must be an object");
    assert_false(doc_array(&count, 1, root, &err));
    assert_string_equal(err.cause, "the document must be an array");
    /* A member of what is no object is merely absent. */
    node = doc_member(&node, "inner");
    assert_false(node.present);
}

static void survives_very_long_paths(void **state)
{
    struct buf text AUTO(buf_clear) = {0};
    struct doc doc AUTO(doc_clear) = {0};
    struct error err = {0};
    struct doc_node root;
    struct doc_node member;
    struct lh_entry *at = NULL;
    const char *key = NULL;

    (void)state;
    buf_append_text(&text, "{\"");
    for (int i = 0; i < 5000; i++)
        buf_append_text(&text, "k");
    buf_append_text(&text, "\":1}");
    parse(&doc, buf_text(&text));
    root = doc.root;
    assert_true(doc_next(&at, &root, &member, &key));
    assert_int_equal(strlen(key), 5000);
    assert_int_equal(strlen(member.path), DOC_PATH_SIZE - 1);
    assert_false(doc_object(member, &err));
}

struct integer {
    const char *text;
    bool fine;
    int64_t value;
};

static const struct integer integers[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"9223372036854775806", true, INT64_MAX - 1},
    {"-9223372036854775807", true, INT64_MIN + 1},
    {"9223372036854775807", false, 0},
    {"9223372036854775808", false, 0},
    {"18446744073709551615", false, 0},
    {"18446744073709551616", false, 0},
    {"-9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"99999999999999999999999999999999999999", false, 0},
    {"1.0", false, 0},
    {"1e3", false, 0},
    {"\"1\"", false, 0},
    {"true", false, 0},
};

static void never_clamps_integers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(integers); i++) {
        struct doc doc AUTO(doc_clear) = {0};
        struct error err = {0};
        struct doc_node root;
        char text[80];
        int64_t number = 42;
        bool fine;

        (void)snprintf(text, sizeof text, "{\"n\":%s}", integers[i].text);
        parse(&doc, text);
        root = doc.root;
        fine = doc_integer(&number, INT64_MIN + 1, INT64_MAX - 1, doc_member(&root, "n"), &err);
        if (fine != integers[i].fine || number != (fine ? integers[i].value : 42))
            fail_msg("%s gave %d, %lld", integers[i].text, fine, (long long)number);
    }
}

static void visits_all_members(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node root;
    struct doc_node member;
    struct doc_node list;
    struct lh_entry *at = NULL;
    const char *key = NULL;
    char keys[8] = "";

    (void)state;
    parse(&doc, "{\"a\":1,\"b\":null,\"c\":[]}");
    root = doc.root;
    while (doc_next(&at, &root, &member, &key)) {
        strcat(keys, key);
        assert_string_equal(member.path, key);
        assert_true(member.present);
    }
    assert_string_equal(keys, "abc");
    at = NULL;
    list = doc_member(&root, "c");
    assert_false(doc_next(&at, &list, &member, &key));
}

static void reads_error_bodies_leniently(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node root;
    struct doc_node node;
    char text[4] = "old";

    (void)state;
    parse(&doc, "{\"s\":\"12345\",\"n\":5}");
    root = doc.root;
    node = doc_member(&root, "s");
    assert_true(doc_is_string(&node));
    doc_text_cut(text, sizeof text, node);
    assert_string_equal(text, "123");
    node = doc_member(&root, "n");
    assert_false(doc_is_string(&node));
    doc_text_cut(text, sizeof text, node);
    assert_string_equal(text, "");
    doc_text_cut(text, sizeof text, doc_member(&root, "x"));
    assert_string_equal(text, "");
}

static void encodes_strings(void **state)
{
    static const struct {
        const char *text;
        const char *literal;
    } cases[] = {
        {"", "\"\""},
        {"plain <>&/", "\"plain <>&/\""},
        {"\"\\", "\"\\\"\\\\\""},
        {"\n\t\x01\x1F\x7F", "\"\\u000a\\u0009\\u0001\\u001f\x7F\""},
        {"\xE2\x82\xAC", "\"\xE2\x82\xAC\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out AUTO(buf_clear) = {0};

        doc_append_string(&out, cases[i].text);
        assert_string_equal(buf_text(&out), cases[i].literal);
    }
}

static void encodes_members(void **state)
{
    struct buf out AUTO(buf_clear) = {0};

    (void)state;
    buf_append_text(&out, "{");
    doc_append_member(&out, "a", "{");
    doc_append_member(&out, "b\"", "");
    assert_string_equal(buf_text(&out), "{\"a\":\"{\",\"b\\\"\":\"\"");
}

/* All that is encoded from valid text is read back as it was. */
static void encodes_what_it_can_read(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct buf out AUTO(buf_clear) = {0};
    struct error err = {0};
    struct doc_node root;
    char all[129] = "";
    char back[129] = "";

    (void)state;
    for (int i = 1; i < 128; i++)
        all[i - 1] = (char)i;
    buf_append_text(&out, "{\"a\":");
    doc_append_string(&out, all);
    buf_append_text(&out, "}");
    parse(&doc, buf_text(&out));
    root = doc.root;
    assert_true(doc_text(back, sizeof back, doc_member(&root, "a"), &err));
    assert_string_equal(back, all);
}

static void clears_twice(void **state)
{
    struct doc doc = {0};

    (void)state;
    doc_clear(&doc);
    parse(&doc, "{\"a\":[\"b\",{\"c\":\"d\"}]}");
    doc_clear(&doc);
    assert_null(doc.root.value);
    doc_clear(&doc);
    assert_true(strlen(doc_library_version()) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(accepts_json),
        cmocka_unit_test(bounds_depth_and_size),
        cmocka_unit_test(reads_typed_values),
        cmocka_unit_test(leaves_outputs_alone_without_a_value),
        cmocka_unit_test(counts_null_as_absent_where_asked),
        cmocka_unit_test(refuses_a_string_with_a_nul),
        cmocka_unit_test(checks_what_goes_into_headers),
        cmocka_unit_test(names_the_place_of_an_error),
        cmocka_unit_test(survives_very_long_paths),
        cmocka_unit_test(never_clamps_integers),
        cmocka_unit_test(visits_all_members),
        cmocka_unit_test(reads_error_bodies_leniently),
        cmocka_unit_test(encodes_strings),
        cmocka_unit_test(encodes_members),
        cmocka_unit_test(encodes_what_it_can_read),
        cmocka_unit_test(clears_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
