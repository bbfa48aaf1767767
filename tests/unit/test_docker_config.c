/* kubelet/docker_config: configurations of docker before and after. */
#include <string.h>

#include "kubelet/docker_config.h"
#include "test.h"

#define HELPER(host) "\"" host "\": \"aliyun-acr\""

static bool add(struct buf *out, const char *text, const char *const *hosts, size_t count,
                struct error *err)
{
    struct buf before AUTO(buf_clear) = {0};

    buf_append_text(&before, text);
    return docker_config_add(out, &before, hosts, count, err);
}

static void adds_hosts(void **state)
{
    static const char *const hosts[] = {"a.b", "c.d:5000"};
    static const char fresh[] =
        "{\n\t\"credHelpers\": {\n\t\t" HELPER("a.b") ",\n\t\t" HELPER("c.d:5000") "\n\t}\n}\n";
    static const char *const rows[][2] = {
        {"", fresh},
        {" \n\t", fresh},
        {"{}\n", "{\"credHelpers\": {" HELPER("a.b") ", " HELPER("c.d:5000") "}}\n"},
        {"{\n\t\"auths\": {\n\t\t\"x\": {\"auth\": \"<\\u0026\\/\"}\n\t}\n}",
         "{\n\t\"auths\": {\n\t\t\"x\": {\"auth\": \"<\\u0026\\/\"}\n\t},\n\t\"credHelpers\": {\n"
         "\t\t" HELPER("a.b") ",\n\t\t" HELPER("c.d:5000") "\n\t}\n}"},
        {"{\r\n    \"credHelpers\": {\r\n        \"x.y\": \"other\"\r\n    },\r\n    \"z\": "
         "1e3\r\n}",
         "{\r\n    \"credHelpers\": {\r\n        \"x.y\": \"other\",\r\n        " HELPER(
             "a.b") ",\r\n        " HELPER("c.d:5000") "\r\n    },\r\n    \"z\": 1e3\r\n}"},
        {"{\"credHelpers\":{\"a.b\":\"other\",\"c.d:5000\":\"aliyun-acr\"}}",
         "{\"credHelpers\":{\"a.b\":\"aliyun-acr\",\"c.d:5000\":\"aliyun-acr\"}}"},
        {"{\"credHelpers\":{}}", "{\"credHelpers\":{" HELPER("a.b") ", " HELPER("c.d:5000") "}}"},
        {"{\"credHelpers\": null, \"a\": [true]}",
         "{\"credHelpers\": {" HELPER("a.b") ", " HELPER("c.d:5000") "}, \"a\": [true]}"},
        /* The last counts. */
        {"{\"credHelpers\": {}, \"credHelpers\": {\"a.b\": \"x\", \"a.b\": \"y\"}}",
         "{\"credHelpers\": {}, \"credHelpers\": {\"a.b\": \"x\", " HELPER("a.b") ", " HELPER(
             "c.d:5000") "}}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf once AUTO(buf_clear) = {0};
        struct buf twice AUTO(buf_clear) = {0};
        struct error err = {0};

        if (!add(&once, rows[i][0], hosts, COUNT_OF(hosts), &err))
            fail_msg("%s: %s", rows[i][0], err.cause);
        assert_string_equal(once.bytes, rows[i][1]);
        assert_true(add(&twice, once.bytes, hosts, COUNT_OF(hosts), &err));
        assert_string_equal(twice.bytes, once.bytes);
    }
}

static void refuses(void **state)
{
    static const char *const hosts[] = {"a.b"};
    static const char *const rows[][3] = {
        {"{", "not valid JSON at line 1", ""},
        {"[]", "the document must be a JSON object", ""},
        {"{\"a\": 1} x", "not valid JSON", ""},
        {"{\"credHelpers\": \"x\"}", "credHelpers must be an object", ""},
        {"{\"credHelpers\": []}", "credHelpers must be an object", ""},
        /* Only this program cannot read it. */
        {"{\"a\": \"\\ud83d\\ude00\"}", "line 1", "Edit it by hand: \"credHelpers\": {\"a.b\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf changed AUTO(buf_clear) = {0};
        struct error err = {0};

        assert_false(add(&changed, rows[i][0], hosts, COUNT_OF(hosts), &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        if (strstr(err.cause, rows[i][1]) == NULL || strstr(err.advice, rows[i][2]) == NULL)
            fail_msg("%s: %s. %s", rows[i][0], err.cause, err.advice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_hosts),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
