/* kubelet/splice: texts before and after a change. */
#include <string.h>

#include "kubelet/splice.h"
#include "test.h"

static void parse(struct yaml_node *out, const char *text)
{
    bool is_unsupported;
    struct error err;

    if (!yaml_tree_parse(out, &is_unsupported, text, strlen(text), &err))
        fail_msg("%s: %s", text, err.cause);
}

static void expect(const struct buf *changed, const char *before, const char *after)
{
    if (strcmp(buf_text(changed), after) != 0)
        fail_msg("of\n%s\nhas become\n%s\nand not\n%s", before, buf_text(changed), after);
}

/* The collection that is the value of "list", or the whole text. */
static const struct yaml_node *list_of(const struct yaml_node *tree)
{
    const struct yaml_node *list = yaml_tree_member(tree, "list");

    return list == NULL ? tree : list;
}

#define MORE "[{name: new, on: [\"x\", \"y\"], in: {a: false}}]"
/* The same in blocks, one line after the other. */
#define NEW_0(nl)                                                                                  \
    "- name: new" nl "  on:" nl "  - \"x\"" nl "  - \"y\"" nl "  in:" nl "    a: false"
#define NEW_2(nl)                                                                                  \
    "  - name: new" nl "    on:" nl "    - \"x\"" nl "    - \"y\"" nl "    in:" nl "      a: "     \
    "false"
#define NEW_LINE "{\"name\": \"new\", \"on\": [\"x\", \"y\"], \"in\": {\"a\": false}}"

/* Appends an element, and removes it again. */
static void appends_to_sequences(void **state)
{
    static const char *const rows[][2] = {
        {"list:\n- a\n", "list:\n- a\n" NEW_0("\n") "\n"},
        {"list:\n- a", "list:\n- a\n" NEW_0("\n")},
        {"list:\n  - a: 1\n    b:\n", "list:\n  - a: 1\n    b:\n" NEW_2("\n") "\n"},
        {"list:\r\n- a # c\r\nx: 1\r\n", "list:\r\n- a # c\r\n" NEW_0("\r\n") "\r\nx: 1\r\n"},
        {"list:\r- a\r", "list:\r- a\r" NEW_0("\r") "\r"},
        {"# a\rlist:\n- a\n\nx: 1\n", "# a\rlist:\n- a\n" NEW_0("\n") "\n\nx: 1\n"},
        {"# \xc3\xa4\nlist:\n- '\xe2\x82\xac'  # \xc3\xa4\n\n...\n",
         "# \xc3\xa4\nlist:\n- '\xe2\x82\xac'  # \xc3\xa4\n" NEW_0("\n") "\n\n...\n"},
        /* Comments below the last element that are indented deeper than its dash are its own. */
        {"list:\n- a\n # of a\n\n  # of a too\n\n# of x\nx: 1\n",
         "list:\n- a\n # of a\n\n  # of a too\n" NEW_0("\n") "\n\n# of x\nx: 1\n"},
        {"list:\n  - a\n  # next\n", "list:\n  - a\n" NEW_2("\n") "\n  # next\n"},
        {"list:\n- a\n  # of a", "list:\n- a\n  # of a\n" NEW_0("\n")},
        /* Literals end where a line begins, and may keep blank lines. */
        {"list:\n- |\n  a # no comment\n\nx: 1\n",
         "list:\n- |\n  a # no comment\n\n" NEW_0("\n") "\nx: 1\n"},
        {"list:\n- |+\n  a\n\n\n", "list:\n- |+\n  a\n\n\n" NEW_0("\n") "\n"},
        {"list:\n- >-\n  a\n  b\n # c\n", "list:\n- >-\n  a\n  b\n # c\n" NEW_0("\n") "\n"},
        {"list:\n- a\n  b\n", "list:\n- a\n  b\n" NEW_0("\n") "\n"},
        {"list:\n- [a,\n   b] # c\n", "list:\n- [a,\n   b] # c\n" NEW_0("\n") "\n"},
        /* In brackets. */
        {"list: [a]\n", "list: [a, " NEW_LINE "]\n"},
        {"list: [a,]\n", "list: [a, " NEW_LINE ",]\n"},
        {"list: [a # c\n]\n", "list: [a, " NEW_LINE " # c\n]\n"},
        {"[\"\xe2\x80\xa8\"]", "[\"\xe2\x80\xa8\", " NEW_LINE "]"},
        {"{\"list\":[{\"a\":1}]}", "{\"list\":[{\"a\":1}, " NEW_LINE "]}"},
        {"{\n  \"list\": [\n    {\"a\": 1},\n    {\"b\": 1}\n  ]\n}\n",
         "{\n  \"list\": [\n    {\"a\": 1},\n    {\"b\": 1},\n    " NEW_LINE "\n  ]\n}\n"},
        {"{\r\n\t\"list\": [\r\n\t\t{\r\n\t\t\t\"a\": 1\r\n\t\t}\r\n\t]\r\n}",
         "{\r\n\t\"list\": [\r\n\t\t{\r\n\t\t\t\"a\": 1\r\n\t\t},\r\n\t\t{\r\n"
         "\t\t\t\"name\": \"new\",\r\n\t\t\t\"on\": "
         "[\r\n\t\t\t\t\"x\",\r\n\t\t\t\t\"y\"\r\n\t\t\t],\r\n"
         "\t\t\t\"in\": {\r\n\t\t\t\t\"a\": false\r\n\t\t\t}\r\n\t\t}\r\n\t]\r\n}"},
        {"{\n   \"list\": [{\n      \"a\": 1\n   }]\n}\n",
         "{\n   \"list\": [{\n      \"a\": 1\n   }, {\n      \"name\": \"new\",\n      \"on\": [\n"
         "         \"x\",\n         \"y\"\n      ],\n      \"in\": {\n         \"a\": false\n      "
         "}\n"
         "   }]\n}\n"},
    };
    struct yaml_node more AUTO(yaml_tree_clear) = {0};

    (void)state;
    parse(&more, MORE);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *before = rows[i][0];
        struct yaml_node tree AUTO(yaml_tree_clear) = {0};
        struct yaml_node after AUTO(yaml_tree_clear) = {0};
        struct buf text AUTO(buf_clear) = {0};
        struct buf changed AUTO(buf_clear) = {0};
        struct buf again AUTO(buf_clear) = {0};

        parse(&tree, before);
        buf_append_text(&text, before);
        splice_append(&changed, &text, list_of(&tree), more.children, more.count);
        expect(&changed, before, rows[i][1]);
        parse(&after, changed.bytes);
        assert_true(splice_remove(&again, &changed, list_of(&after), list_of(&after)->count - 1));
        expect(&again, changed.bytes, before);
    }
}

static void fills_empty_brackets(void **state)
{
    static const char *const rows[][2] = {
        {"list: []\n", "list: [" NEW_LINE "]\n"},
        {"list: [ # none\n] # c\n", "list: [ # none\n" NEW_LINE "] # c\n"},
    };
    struct yaml_node more AUTO(yaml_tree_clear) = {0};

    (void)state;
    parse(&more, MORE);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct yaml_node tree AUTO(yaml_tree_clear) = {0};
        struct buf text AUTO(buf_clear) = {0};
        struct buf changed AUTO(buf_clear) = {0};

        parse(&tree, rows[i][0]);
        buf_append_text(&text, rows[i][0]);
        splice_append(&changed, &text, list_of(&tree), more.children, more.count);
        expect(&changed, rows[i][0], rows[i][1]);
    }
}

static void appends_to_mappings(void **state)
{
    static const char *const rows[][2] = {
        {"a: 1\n", "a: 1\nk:\n  x: \"y\"\n  z:\n  - on\n"},
        {"- # c\n  a: 1 # d\n  # e\n# f\n",
         "- # c\n  a: 1 # d\n  # e\n  k:\n    x: \"y\"\n    z:\n    - on\n# f\n"},
        {"- a: 1", "- a: 1\n  k:\n    x: \"y\"\n    z:\n    - on"},
        {"- a:\n  - 1\n- b\n", "- a:\n  - 1\n  k:\n    x: \"y\"\n    z:\n    - on\n- b\n"},
        {"- {a: 1}\n", "- {a: 1, \"k\": {\"x\": \"y\", \"z\": [on]}}\n"},
        {"- {}\n", "- {\"k\": {\"x\": \"y\", \"z\": [on]}}\n"},
        {"[{\n\t\"a\": 1\n}]",
         "[{\n\t\"a\": 1,\n\t\"k\": {\n\t\t\"x\": \"y\",\n\t\t\"z\": [\n\t\t\ton\n\t\t]\n\t}\n}]"},
        {"[ {\"a\": 1,\n   \"b\": 1 } ]", "[ {\"a\": 1,\n   \"b\": 1,\n   \"k\": {\n      \"x\": "
                                          "\"y\",\n      \"z\": [\n         on\n"
                                          "      ]\n   } } ]"},
    };
    struct yaml_node more AUTO(yaml_tree_clear) = {0};

    (void)state;
    parse(&more, "k: {x: 'y', z: [on]}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct yaml_node tree AUTO(yaml_tree_clear) = {0};
        struct buf text AUTO(buf_clear) = {0};
        struct buf changed AUTO(buf_clear) = {0};

        parse(&tree, rows[i][0]);
        buf_append_text(&text, rows[i][0]);
        splice_append(&changed, &text, tree.kind == YAML_SEQUENCE ? tree.children : &tree,
                      more.children, more.count);
        expect(&changed, rows[i][0], rows[i][1]);
    }
}

static void replaces(void **state)
{
    static const struct {
        const char *before;
        const char *value;
        const char *after;
    } rows[] = {
        {"list:\n- a # c\n- b # d\n# e\n", "['x', 'y']", "list:\n- \"x\"\n- \"y\" # d\n# e\n"},
        {"list:\n    - a", "['x', 'y']", "list:\n    - \"x\"\n    - \"y\""},
        {"list: [a, b] # c\n", "['x', 'y']", "list: [\"x\", \"y\"] # c\n"},
        {"list: []\n", "['x', 'y']", "list: [\"x\", \"y\"]\n"},
        {"{\n \"list\": [\n   \"a\"\n ],\n \"b\": 1\n}", "['x', 'y']",
         "{\n \"list\": [\n   \"x\",\n   \"y\"\n ],\n \"b\": 1\n}"},
        {"list:\n  a: 1\nb: 1\n", "{c: {d: 'x'}, e: 0s}",
         "list:\n  c:\n    d: \"x\"\n  e: 0s\nb: 1\n"},
        {"{list: {a: 1}}", "{c: [1, 0s]}", "{list: {\"c\": [1, \"0s\"]}}"},
        {"list:\nb: 1\n", "{c: 'x'}", "list: {\"c\": \"x\"}\nb: 1\n"},
        {"list: ~\nb: 1\n", "{c: 'x'}", "list: {\"c\": \"x\"}\nb: 1\n"},
        {"{\"list\": \"a\"}", "'x'", "{\"list\": \"x\"}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct yaml_node tree AUTO(yaml_tree_clear) = {0};
        struct yaml_node value AUTO(yaml_tree_clear) = {0};
        struct buf text AUTO(buf_clear) = {0};
        struct buf changed AUTO(buf_clear) = {0};

        parse(&tree, rows[i].before);
        parse(&value, rows[i].value);
        buf_append_text(&text, rows[i].before);
        splice_replace(&changed, &text, list_of(&tree), &value);
        expect(&changed, rows[i].before, rows[i].after);
    }
}

/* Removes the element named x; `after` is NULL where that is refused. */
static void removes(void **state)
{
    static const char *const rows[][2] = {
        {"- x\n- a\n", "- a\n"},
        {"- a\n- x\n", "- a\n"},
        {"- a\n# of x\n- x # c\n  # d\n\n# of b\n- b\n", "- a\n# of x\n\n# of b\n- b\n"},
        {"- a\n- x", "- a"},
        {"- a\n-  # c\n   x\n- b\n", "- a\n- b\n"},
        {"- a\n\n-\n\n  x\n\n- b\n", "- a\n\n\n- b\n"},
        {"- |\n  a\n- x\n- b", "- |\n  a\n- b"},
        {"- |\n  a\n- x", "- |\n  a"},
        {"list:\n  - a\n  - x\nb: 1\n", "list:\n  - a\nb: 1\n"},
        {"? list\n: - x\n  - a\n", NULL},
        {"? list\n: - a\n  - x\n", "? list\n: - a\n"},
        {"[x, a]", "[a]"},
        {"[a, x]", "[a]"},
        {"[a, x,]", "[a,]"},
        {"[a,\n x,\n b]", "[a,\n b]"},
        {"[x,\n a]", "[a]"},
        {"[a, # of a\n x]", NULL},
        {"[x, # of x\n a]", NULL},
        {"[a, x # of x\n ]", "[a # of x\n ]"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct yaml_node tree AUTO(yaml_tree_clear) = {0};
        struct buf text AUTO(buf_clear) = {0};
        struct buf changed AUTO(buf_clear) = {0};
        const struct yaml_node *list;
        size_t index = 0;

        parse(&tree, rows[i][0]);
        buf_append_text(&text, rows[i][0]);
        list = list_of(&tree);
        while (strcmp(list->children[index].text, "x") != 0)
            index++;
        assert_int_equal(splice_remove(&changed, &text, list, index), rows[i][1] != NULL);
        expect(&changed, rows[i][0], rows[i][1] == NULL ? "" : rows[i][1]);
    }
}

static void prints_json(void **state)
{
    struct yaml_node value AUTO(yaml_tree_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};

    (void)state;
    parse(&value, "a: b\nc:\n- 1\n- 'd'\ne: {}\nf: false\ng: 'false'\n");
    splice_append_json(&text, &value, "\t");
    assert_string_equal(text.bytes,
                        "{\n\t\"a\": \"b\",\n\t\"c\": [\n\t\t1,\n\t\t\"d\"\n\t],\n\t\"e\": {\n\t},"
                        "\n\t\"f\": false,\n\t\"g\": \"false\"\n}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_to_sequences),
        cmocka_unit_test(fills_empty_brackets),
        cmocka_unit_test(appends_to_mappings),
        cmocka_unit_test(replaces),
        cmocka_unit_test(removes),
        cmocka_unit_test(prints_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
