/* proto-json/doc: what is refused, what is read, and that json-c's leniency does not show. */
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
    const char *words; /* part of the message */
};

static const struct refusal refusals[] = {
    {LITERAL(""), "nothing"},
    {LITERAL("   \n"), "line 2, column 1: an object is expected"},
    {LITERAL("[]"), "an object is expected"},
    {LITERAL("\"a\""), "an object is expected"},
    {LITERAL("null"), "an object is expected"},
    /* Not UTF-8. */
    {LITERAL("\xEF\xBB\xBF{}"), "line 1, column 1: an object is expected"},
    {LITERAL("{\"a\":\"\xFF\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\x80\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xC3\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xC0\xAF\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xC1\xBF\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xE0\x80\xAF\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xE0\x9F\xBF\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xF0\x8F\xBF\xBF\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xED\xA0\x80\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xED\xBF\xBF\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xF4\x90\x80\x80\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xF5\x80\x80\x80\"}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xE2\x82\"}"), "not UTF-8"},
    {LITERAL("{\"\xFF\":1}"), "not UTF-8"},
    {LITERAL("{\"a\":\"\xE2\x82"), "not UTF-8"},
    /* NUL and other control bytes. */
    {LITERAL("{\"a\":\"x\0y\"}"), "control byte"},
    {LITERAL("{\"a\0b\":1}"), "control byte"},
    {LITERAL("{}\0"), "nothing may follow"},
    {LITERAL("\0{}"), "an object is expected"},
    {LITERAL("{\"a\":\"x\\u0000y\"}"), "\\u0000"},
    {LITERAL("{\"a\\u0000b\":1}"), "\\u0000"},
    {LITERAL("{\"a\":[{\"b\":[\"\\u0000\"]}]}"), "\\u0000"},
    {LITERAL("{\"a\":\"line\nbreak\"}"), "control byte"},
    {LITERAL("{\"a\":\"tab\tstop\"}"), "control byte"},
    {LITERAL("{\"a\":\"\x1F\"}"), "control byte"},
    {LITERAL("{\"a\nb\":1}"), "control byte"},
    /* Escapes. */
    {LITERAL("{\"a\":\"\\x41\"}"), "no such escape"},
    {LITERAL("{\"a\":\"\\'\"}"), "no such escape"},
    {LITERAL("{\"a\":\"\\\n\"}"), "no such escape"},
    {LITERAL("{\"a\":\"\\\0\"}"), "no such escape"},
    {LITERAL("{\"a\":\"\\u12\"}"), "four hexadecimal digits"},
    {LITERAL("{\"a\":\"\\u12G4\"}"), "four hexadecimal digits"},
    {LITERAL("{\"a\":\"\\ud800\"}"), "surrogate"},
    {LITERAL("{\"a\":\"\\udc00\"}"), "surrogate"},
    {LITERAL("{\"a\":\"\\udc00\\ud800\"}"), "surrogate"},
    {LITERAL("{\"a\":\"\\ud800\\ud800\"}"), "surrogate"},
    {LITERAL("{\"a\":\"\\ud800x\"}"), "surrogate"},
    {LITERAL("{\"a\":\"\\ud800\\n\"}"), "surrogate"},
    {LITERAL("{\"a\":\"\\ud800\\u\"}"), "four hexadecimal digits"},
    {LITERAL("{\"\\ud800\":1}"), "surrogate"},
    {LITERAL("{\"a\":\"x\\"), "no such escape"},
    /* Keys given twice. */
    {LITERAL("{\"a\":1,\"a\":1}"), "line 1, column 8: this key is given twice"},
    {LITERAL("{\"a\":1,\n \"b\":2,\n  \"a\":1}"), "line 3, column 3: this key is given twice"},
    {LITERAL("{\"a\":1,\"\\u0061\":2}"), "twice"},
    {LITERAL("{\"a/b\":1,\"a\\/b\":2}"), "twice"},
    {LITERAL("{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}"), "twice"},
    {LITERAL("{\"\\u00e9\":1,\"\xC3\xA9\":2}"), "twice"},
    {LITERAL("{\"\\u20ac\":1,\"\xE2\x82\xAC\":2}"), "twice"},
    {LITERAL("{\"\":1,\"\":2}"), "twice"},
    {LITERAL("{\"a\":{\"b\":[{\"c\":1,\"d\":2,\"c\":3}]}}"), "column 25: this key is given twice"},
    {LITERAL("{\"a\":{\"b\":1},\"c\":[1,{}],\"a\":2}"), "twice"},
    {LITERAL("{\"a\":null,\"a\":null}"), "twice"},
    /* What JSON is not. */
    {LITERAL("{} {}"), "nothing may follow"},
    {LITERAL("{}x"), "nothing may follow"},
    {LITERAL("{},"), "nothing may follow"},
    {LITERAL("{}}"), "nothing may follow"},
    {LITERAL("{'a':1}"), "double quotes"},
    {LITERAL("{\"a\":'b'}"), "a value is expected"},
    {LITERAL("{a:1}"), "double quotes"},
    {LITERAL("{\"a\":NaN}"), "a value is expected"},
    {LITERAL("{\"a\":nan}"), "a value is expected"},
    {LITERAL("{\"a\":Infinity}"), "a value is expected"},
    {LITERAL("{\"a\":-Infinity}"), "a digit is expected"},
    {LITERAL("{\"a\":TRUE}"), "a value is expected"},
    {LITERAL("{\"a\":Null}"), "a value is expected"},
    {LITERAL("{\"a\":tru}"), "a value is expected"},
    {LITERAL("{\"a\":truee}"), "a comma or the closing bracket"},
    {LITERAL("{\"a\":1} // end"), "nothing may follow"},
    {LITERAL("{/* a */\"a\":1}"), "double quotes"},
    {LITERAL("{\"a\":1,}"), "double quotes"},
    {LITERAL("{\"a\":[1,]}"), "a value is expected"},
    {LITERAL("{\"a\":[,1]}"), "a value is expected"},
    {LITERAL("{,}"), "double quotes"},
    {LITERAL("{\"a\"}"), "a colon is expected"},
    {LITERAL("{\"a\" 1}"), "a colon is expected"},
    {LITERAL("{\"a\":}"), "a value is expected"},
    {LITERAL("{\"a\":1 \"b\":2}"), "a comma or the closing bracket"},
    {LITERAL("{\"a\":[1}"), "a comma or the closing bracket"},
    {LITERAL("{\"a\":{]}"), "double quotes"},
    {LITERAL("{\"a\":1"), "a comma or the closing bracket"},
    {LITERAL("{\"a\":"), "a value is expected"},
    {LITERAL("{\"a"), "does not end"},
    {LITERAL("{"), "double quotes"},
    {LITERAL("{\"a\":\v1}"), "a value is expected"},
    /* Numbers. */
    {LITERAL("{\"a\":01}"), "must not begin with 0"},
    {LITERAL("{\"a\":-01}"), "must not begin with 0"},
    {LITERAL("{\"a\":+1}"), "a value is expected"},
    {LITERAL("{\"a\":.5}"), "a value is expected"},
    {LITERAL("{\"a\":1.}"), "a digit is expected"},
    {LITERAL("{\"a\":1e}"), "a digit is expected"},
    {LITERAL("{\"a\":1e+}"), "a digit is expected"},
    {LITERAL("{\"a\":-}"), "a digit is expected"},
    {LITERAL("{\"a\":0x10}"), "a comma or the closing bracket"},
};

static void refuses_what_is_not_strict_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct doc doc AUTO(doc_clear) = {0};
        struct error err = {0};
        /* An exact copy on the heap, so that reading past its end is seen. */
        char *copy = malloc(refusals[i].length + (refusals[i].length == 0));

        assert_non_null(copy);
        memcpy(copy, refusals[i].bytes, refusals[i].length);
        if (doc_parse(&doc, ERROR_REQUEST, copy, refusals[i].length, MAX_BYTES, &err))
            fail_msg("accepted: %s", refusals[i].bytes);
        free(copy);
        if (strstr(err.cause, refusals[i].words) == NULL)
            fail_msg("\"%s\" gave: %s", refusals[i].bytes, err.cause);
        assert_int_equal(err.kind, ERROR_REQUEST);
        assert_null(doc.root);
    }
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
    "{\"a\":1e999,\"b\":99999999999999999999999999999999}",
};

static void accepts_strict_json(void **state)
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
    assert_non_null(strstr(err.cause, "nested too deep"));
    assert_false(doc_parse(&doc, ERROR_REQUEST, deepest, strlen(deepest), MAX_BYTES, &err));
    assert_non_null(strstr(err.cause, "nested too deep"));
    free(deep);
    free(deeper);
    free(deepest);

    assert_true(doc_parse(&doc, ERROR_REQUEST, "{\"a\":1}", 7, 7, &err));
    doc_clear(&doc);
    assert_false(doc_parse(&doc, ERROR_UNAVAILABLE, "{\"a\":1}", 7, 6, &err));
    assert_string_equal(err.cause, "longer than 6 bytes");
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
}

/* A hundred thousand keys must neither take quadratic time nor hide the one that comes twice. */
static void finds_a_duplicate_among_many(void **state)
{
    struct buf text AUTO(buf_clear) = {0};
    struct doc doc AUTO(doc_clear) = {0};
    struct error err = {0};

    (void)state;
    buf_append_text(&text, "{\"k77777\":0");
    for (int i = 0; i < 100000; i++)
        buf_append_format(&text, ",\"k%06d\":0", i);
    buf_append_text(&text, "}");
    assert_true(doc_parse(&doc, ERROR_REQUEST, text.bytes, text.length, 2 * MAX_BYTES, &err));
    text.bytes[text.length - 1] = ',';
    buf_append_text(&text, "\"k77777\":0}");
    assert_false(doc_parse(&doc, ERROR_REQUEST, text.bytes, text.length, 2 * MAX_BYTES, &err));
    assert_non_null(strstr(err.cause, "twice"));
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
    root = doc_root(&doc);
    assert_true(doc_text(text, sizeof text, doc_member(&root, "t"), DOC_REQUIRED, &err));
    assert_string_equal(text, "\xC3\xA9x");
    assert_true(doc_string(&string, 8, doc_member(&root, "t"), DOC_REQUIRED, &err));
    assert_string_equal(string, "\xC3\xA9x");
    assert_true(doc_string(&string, 0, doc_member(&root, "e"), DOC_REQUIRED, &err));
    assert_string_equal(string, "");
    free(string);
    assert_true(doc_secret(&secret, 8, doc_member(&root, "t"), DOC_REQUIRED, &err));
    assert_string_equal(secret_reveal(&secret), "\xC3\xA9x");
    assert_true(doc_integer(&number, -5, -5, doc_member(&root, "n"), DOC_REQUIRED, &err));
    assert_int_equal(number, -5);
    assert_true(doc_boolean(&truth, doc_member(&root, "b"), DOC_REQUIRED, &err));
    assert_true(truth);
    list = doc_member(&root, "l");
    assert_true(doc_array(&count, 2, list, DOC_REQUIRED, &err));
    assert_int_equal(count, 2);
    list = doc_element(&list, 1);
    assert_true(doc_object(list, DOC_REQUIRED, &err));
    assert_true(doc_text(text, sizeof text, doc_member(&list, "q"), DOC_REQUIRED, &err));
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
    root = doc_root(&doc);
    assert_true(doc_text(text, sizeof text, doc_member(&root, "x"), DOC_OPTIONAL, &err));
    assert_true(doc_integer(&number, 0, 9, doc_member(&root, "x"), DOC_OPTIONAL, &err));
    assert_true(doc_boolean(&truth, doc_member(&root, "x"), DOC_OPTIONAL, &err));
    assert_true(doc_object(doc_member(&root, "x"), DOC_OPTIONAL, &err));
    assert_string_equal(err.cause, "");
    assert_false(doc_text(text, sizeof text, doc_member(&root, "long"), DOC_OPTIONAL, &err));
    assert_string_equal(err.cause, "long must be at most 7 bytes long");
    assert_string_equal(text, "before");
    assert_int_equal(number, 7);
    assert_true(truth);
    assert_true(doc_array(&count, 1, doc_member(&root, "x"), DOC_OPTIONAL, &err));
    assert_int_equal(count, 0);
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
    root = doc_root(&doc);
    node = doc_member(&root, "registries");
    assert_false(doc_array(&count, 1, node, DOC_REQUIRED, &err));
    assert_string_equal(err.cause, "registries must have at most 1 elements");
    node = doc_element(&node, 1);
    node = doc_member(&node, "match");
    node = doc_element(&node, 0);
    assert_false(doc_text(text, sizeof text, node, DOC_OPTIONAL, &err));
    assert_string_equal(err.cause, "registries[1].match[0] must be a string");
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_false(doc_text(text, sizeof text, doc_member(&root, "n"), DOC_OPTIONAL, &err));
    assert_string_equal(err.cause, "n must be a string");
    assert_false(doc_text(text, sizeof text, doc_member(&root, "x"), DOC_REQUIRED, &err));
    assert_string_equal(err.cause, "x is missing: it must be a string");
    assert_false(doc_boolean(&truth, doc_member(&root, "n"), DOC_REQUIRED, &err));
    assert_string_equal(err.cause, "n must be true or false");
    assert_false(doc_integer(&number, 0, 1, doc_member(&root, "n"), DOC_REQUIRED, &err));
    assert_string_equal(err.cause, "n must be a whole number");
    assert_false(doc_object(doc_member(&root, "registries"), DOC_REQUIRED, &err));
    assert_string_equal(err.cause, "registries must be an object");
    assert_false(doc_array(&count, 1, root, DOC_REQUIRED, &err));
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
    struct doc_cursor cursor = {0};
    const char *key = NULL;

    (void)state;
    buf_append_text(&text, "{\"");
    for (int i = 0; i < 5000; i++)
        buf_append_text(&text, "k");
    buf_append_text(&text, "\":1}");
    parse(&doc, buf_text(&text));
    root = doc_root(&doc);
    assert_true(doc_next(&cursor, &root, &member, &key));
    assert_int_equal(strlen(key), 5000);
    assert_int_equal(strlen(member.path), DOC_PATH_SIZE - 1);
    assert_false(doc_object(member, DOC_REQUIRED, &err));
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
        root = doc_root(&doc);
        fine = doc_integer(&number, INT64_MIN + 1, INT64_MAX - 1, doc_member(&root, "n"),
                           DOC_REQUIRED, &err);
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
    struct doc_cursor cursor = {0};
    const char *key = NULL;
    char keys[8] = "";

    (void)state;
    parse(&doc, "{\"a\":1,\"b\":null,\"c\":[]}");
    root = doc_root(&doc);
    while (doc_next(&cursor, &root, &member, &key)) {
        strcat(keys, key);
        assert_string_equal(member.path, key);
        assert_true(member.present);
    }
    assert_string_equal(keys, "abc");
    cursor = (struct doc_cursor){0};
    list = doc_member(&root, "c");
    assert_false(doc_next(&cursor, &list, &member, &key));
}

static void reads_error_bodies_leniently(void **state)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node root;
    struct doc_node node;
    char text[4] = "old";

    (void)state;
    parse(&doc, "{\"s\":\"12345\",\"n\":5}");
    root = doc_root(&doc);
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
        {"a\xFF"
         "b\xE2\x82",
         "\"a\xEF\xBF\xBD"
         "b\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out AUTO(buf_clear) = {0};

        doc_append_string(&out, cases[i].text);
        assert_string_equal(buf_text(&out), cases[i].literal);
    }
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
    root = doc_root(&doc);
    assert_true(doc_text(back, sizeof back, doc_member(&root, "a"), DOC_REQUIRED, &err));
    assert_string_equal(back, all);
}

static void knows_utf8(void **state)
{
    (void)state;
    assert_true(doc_is_utf8("", 0));
    assert_true(doc_is_utf8(LITERAL("a\xC3\xA9\xF0\x9F\x98\x80")));
    assert_false(doc_is_utf8(LITERAL("a\xC3")));
    assert_false(doc_is_utf8(LITERAL("\xED\xA0\x80")));
    assert_false(doc_is_utf8(LITERAL("a\0b")));
}

static void clears_twice(void **state)
{
    struct doc doc = {0};

    (void)state;
    doc_clear(&doc);
    parse(&doc, "{\"a\":[\"b\",{\"c\":\"d\"}]}");
    doc_clear(&doc);
    assert_null(doc.root);
    doc_clear(&doc);
    assert_true(strlen(doc_library_version()) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_not_strict_json),
        cmocka_unit_test(accepts_strict_json),
        cmocka_unit_test(bounds_depth_and_size),
        cmocka_unit_test(finds_a_duplicate_among_many),
        cmocka_unit_test(reads_typed_values),
        cmocka_unit_test(leaves_outputs_alone_without_a_value),
        cmocka_unit_test(names_the_place_of_an_error),
        cmocka_unit_test(survives_very_long_paths),
        cmocka_unit_test(never_clamps_integers),
        cmocka_unit_test(visits_all_members),
        cmocka_unit_test(reads_error_bodies_leniently),
        cmocka_unit_test(encodes_strings),
        cmocka_unit_test(encodes_what_it_can_read),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(clears_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
