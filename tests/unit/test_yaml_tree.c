/* kubelet/yaml_tree: values and their places. */
#include <string.h>

#include "base/buf.h"
#include "kubelet/yaml_tree.h"
#include "test.h"

static bool parse(struct yaml_node *out, bool *is_unsupported, const char *text, struct error *err)
{
    return yaml_tree_parse(out, is_unsupported, text, strlen(text), err);
}

/* Whether the bytes of a node, and its line and column, are these. */
static bool is_at(const char *text, const struct yaml_node *node, const char *bytes, size_t line,
                  size_t column)
{
    return node != NULL && node->end - node->begin == strlen(bytes) &&
           memcmp(text + node->begin, bytes, strlen(bytes)) == 0 && node->line == line &&
           node->column == column;
}

static void knows_the_places_of_values(void **state)
{
    static const char *const marks[] = {"", "\xef\xbb\xbf"}; /* a byte order mark has no column */
    char text[256];
    bool is_unsupported;
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        struct yaml_node tree AUTO(yaml_tree_clear) = {0};
        const struct yaml_node *list;

        strcpy(text, marks[i]);
        strcat(text, "a: \"\xc3\xa4\xe2\x82\xac\" # \xf0\x9f\x90\xb3\n"
                     "list:\n"
                     "  - x: {k\xc3\xa4: [1, 'b\xc3\xa4']} \n"
                     "    y:\n"
                     "  - |\n"
                     "    literal\n"
                     "\n"
                     "z: last");
        assert_true(parse(&tree, &is_unsupported, text, &err));
        assert_int_equal(tree.kind, YAML_MAPPING);
        assert_false(tree.is_flow);
        assert_int_equal(tree.begin, strlen(marks[i]));
        assert_int_equal(tree.end, strlen(text));
        assert_true(is_at(text, yaml_tree_member(&tree, "a"), "\"\xc3\xa4\xe2\x82\xac\"", 1, 3));
        assert_string_equal(yaml_tree_member(&tree, "a")->text, "\xc3\xa4\xe2\x82\xac");
        assert_true(is_at(text, yaml_tree_member(&tree, "z"), "last", 8, 3));
        list = yaml_tree_member(&tree, "list");
        assert_int_equal(list->kind, YAML_SEQUENCE);
        assert_int_equal(list->column, 2);
        assert_int_equal(list->count, 2);
        assert_true(is_at(text, yaml_tree_member(&list->children[0], "x"),
                          "{k\xc3\xa4: [1, 'b\xc3\xa4']}", 3, 7));
        assert_true(yaml_tree_member(&list->children[0], "x")->is_flow);
        assert_true(is_at(text, yaml_tree_member(&list->children[0], "y"), "", 4, 6));
        /* A block ends with its last scalar: a literal with the blank lines below. */
        assert_true(
            is_at(text, &list->children[0], "x: {k\xc3\xa4: [1, 'b\xc3\xa4']} \n    y:", 3, 4));
        assert_true(is_at(text, &list->children[1], "|\n    literal\n\n", 5, 4));
        assert_int_equal(list->end, list->children[1].end);
        assert_null(yaml_tree_member(&tree, "b"));
        assert_null(yaml_tree_member(list, "b"));
    }
}

static void knows_the_place_of_a_dash_at_the_indent_of_its_key(void **state)
{
    static const char text[] = "{}\r\n# c\r\n...";
    static const char list[] = "k:\r\n- a\r\n-\r\n- b: c\r\n";
    struct yaml_node tree AUTO(yaml_tree_clear) = {0};
    struct yaml_node empty AUTO(yaml_tree_clear) = {0};
    bool is_unsupported;
    struct error err;

    (void)state;
    assert_true(parse(&tree, &is_unsupported, list, &err));
    assert_true(is_at(list, &tree.children[1], "- a\r\n-\r\n- b: c", 2, 0));
    assert_true(is_at(list, &tree.children[1].children[1], "", 3, 1));
    assert_true(parse(&empty, &is_unsupported, text, &err));
    assert_true(is_at(text, &empty, "{}", 1, 0));
    assert_true(empty.is_flow);
    assert_int_equal(empty.count, 0);
}

static void reads_nothing_from_comments(void **state)
{
    static const char *const texts[] = {"", " \n\n", "# comment\n", "\xef\xbb\xbf"};
    bool is_unsupported;
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct yaml_node tree AUTO(yaml_tree_clear) = {0};

        assert_true(parse(&tree, &is_unsupported, texts[i], &err));
        assert_int_equal(tree.kind, YAML_NONE);
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *text;
        bool is_unsupported;
        const char *words;
    } rows[] = {
        {"a: &x 1\nb: *x\n", true, "line 1: an anchor or a tag"},
        {"a: &x [1]\n", true, "line 1: an anchor or a tag"},
        {"a: &x {b: 1}\n", true, "line 1: an anchor or a tag"},
        {"a: !!str 1\n", true, "line 1: an anchor or a tag"},
        {"a: !x [1]\n", true, "line 1: an anchor or a tag"},
        {"a: *x\n", true, "line 1: an alias"},
        {"\n<<: {a: 1}\n", true, "line 2: a merge key"},
        {"a: 1\n---\nb: 1\n", true, "line 2: several documents"},
        {"? [a]\n: 1\n", true, "line 1: a key that is no scalar"},
        {"a: \"\\0\"\n", true, "line 1: a NUL in a string"},
        {"a: 1\n...\n]", true, "line 3: "},
        {"a: b: c\n", false, "line 1: "},
        {"a: 1\n b: 1\n", false, "line 2: "},
        {"a:\n\t- b\n", false, "line 2: "},
        {"a: [1\n", false, "line 2: "},
        {"a: \"b\n", false, "line "},
        {"a: \x01\n", false, "control characters are not allowed"},
        {"a: \xff\n", false, "invalid leading UTF-8 octet"},
        {"a: \"\\ud83d\\ude00\"\n", false, "line 1: "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct yaml_node tree AUTO(yaml_tree_clear) = {0};
        bool is_unsupported = !rows[i].is_unsupported;
        struct error err;

        assert_false(parse(&tree, &is_unsupported, rows[i].text, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_int_equal(is_unsupported, rows[i].is_unsupported);
        if (strstr(err.cause, rows[i].words) == NULL)
            fail_msg("%zu: %s", i, err.cause);
    }
}

static void refuses_what_is_too_large(void **state)
{
    struct yaml_node tree AUTO(yaml_tree_clear) = {0};
    struct yaml_node deep AUTO(yaml_tree_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    bool is_unsupported;
    struct error err;

    (void)state;
    for (int i = 0; i <= YAML_TREE_MAX_DEPTH; i++)
        buf_append_text(&text, "[");
    assert_false(parse(&deep, &is_unsupported, text.bytes, &err));
    assert_true(is_unsupported);
    assert_non_null(strstr(err.cause, "too deep a nesting"));
    memset(buf_extend(&text, YAML_TREE_MAX_BYTES), '[', YAML_TREE_MAX_BYTES);
    assert_false(parse(&tree, &is_unsupported, text.bytes, &err));
    assert_true(is_unsupported);
    assert_non_null(strstr(err.cause, "larger than"));
    assert_false(yaml_tree_parse(&tree, &is_unsupported, "a: b\0", 5, &err));
    assert_non_null(strstr(err.cause, "control characters"));
}

/* By what gopkg.in/yaml.v2 makes of them. */
static void tells_types(void **state)
{
    static const struct {
        enum yaml_type type;
        const char *texts[48];
    } rows[] = {
        {YAML_TYPE_NULL, {"", "~", "null", "Null", "NULL"}},
        {YAML_TYPE_BOOLEAN, {"true", "FALSE", "yes", "No", "on", "OFF", "y", "N"}},
        {YAML_TYPE_NUMBER,
         {"0",
          "-1",
          "+10",
          "0x1F",
          "-0x1f",
          "0o17",
          "0b101",
          "-0b1",
          "1_000",
          "007",
          "09",
          "1.5",
          "1.",
          ".5",
          "-.5",
          "1e3",
          "1E+3",
          "1.5e-3",
          ".5e1",
          ".inf",
          "-.INF",
          ".NaN",
          "+.inf",
          "1__0",
          "0_x1",
          "12345678901234567890123",
          "0b-1",
          "0b+1",
          "1e308",
          "1e-999",
          "0xffffffffffffffff",
          "-0x8000000000000000",
          "1234567890123456789012345678901234567890123456789012345678901234567"}},
        {YAML_TYPE_STRING,
         {"0s",
          "1:30",
          "2001-01-01",
          "0o8",
          "0b2",
          "0x",
          "0xg",
          "1e",
          "1e+",
          "1e+-5",
          "--1",
          "+",
          "-",
          ".",
          "1.2.3",
          "1,000",
          "_1",
          "a",
          "nUll",
          "tRUE",
          "~x",
          "=",
          "inf",
          "nan",
          "-inf",
          "0x1p3",
          "infinity",
          "NaN",
          "0b",
          "e5",
          "1e999",
          "-7e12345",
          "0x10000000000000000",
          "-0x8000000000000001",
          "+0xffffffffffffffff",
          "-0b-1",
          "0b--1",
          "0x-1"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t k = 0; k < COUNT_OF(rows[i].texts) && rows[i].texts[k] != NULL; k++) {
            char text[80];
            struct yaml_node node = {.kind = YAML_SCALAR, .is_bare = true, .text = text};

            strcpy(text, rows[i].texts[k]);
            if (yaml_tree_type(&node) != rows[i].type)
                fail_msg("%s", text);
            node.is_bare = false;
            assert_int_equal(yaml_tree_type(&node), YAML_TYPE_STRING);
            assert_false(yaml_tree_is_true(&node));
        }
    }
}

static void tells_true_from_false(void **state)
{
    static const char *const texts[] = {"y", "Yes", "TRUE", "on", "ON", "n", "No", "FALSE", "off"};
    char text[8];
    const struct yaml_node node = {.kind = YAML_SCALAR, .is_bare = true, .text = text};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        strcpy(text, texts[i]);
        assert_int_equal(yaml_tree_is_true(&node), i < 5);
    }
}

static void compares_values(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool is_equal;
    } rows[] = {
        {"{a: [1, x]}", "a:\n- 1\n- 'x' # c\n", true},
        {"a: 'x'", "a: \"\\x78\"", true},
        {"a: '1'", "a: 1", false},
        {"a: ''", "a:", false},
        {"a: x", "b: x", false},
        {"a: x", "a: x\nb: x", false},
        {"[a, b]", "[b, a]", false},
        {"{a: b, c: d}", "{c: d, a: b}", false},
        {"[a, b]", "{a: b}", false},
        {"", "", true},
        {"", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct yaml_node a AUTO(yaml_tree_clear) = {0};
        struct yaml_node b AUTO(yaml_tree_clear) = {0};
        bool is_unsupported;
        struct error err;

        assert_true(parse(&a, &is_unsupported, rows[i].a, &err));
        assert_true(parse(&b, &is_unsupported, rows[i].b, &err));
        if (yaml_tree_equal(&a, &b) != rows[i].is_equal)
            fail_msg("%s, %s", rows[i].a, rows[i].b);
    }
}

static void knows_its_library(void **state)
{
    (void)state;
    assert_true(yaml_tree_library_version()[0] == '0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_places_of_values),
        cmocka_unit_test(knows_the_place_of_a_dash_at_the_indent_of_its_key),
        cmocka_unit_test(reads_nothing_from_comments),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_what_is_too_large),
        cmocka_unit_test(tells_types),
        cmocka_unit_test(tells_true_from_false),
        cmocka_unit_test(compares_values),
        cmocka_unit_test(knows_its_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
