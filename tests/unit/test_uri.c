/* identity/uri: which URIs may be asked, and what may come back; by a scripted transport. */
#include <string.h>

#include "fake_http.h"
#include "identity/sources.h"

#define ISSUED                                                                                     \
    "{\"AccessKeyId\":\"STS.a\",\"AccessKeySecret\":\"b\",\"SecurityToken\":\"c\",\"Expiration\":" \
    "\"2026-01-02T09:04:05Z\"}"

static enum http_kind kind_sent;

static void keep_kind(const struct http_request *request)
{
    kind_sent = request->kind;
}

static void asks_uris_of_this_machine_or_by_https(void **state)
{
    static const struct {
        const char *uri;
        enum http_kind kind;
    } cases[] = {
        {"https://credentials.example/of/node?x=1", HTTP_SECURE},
        {"https://credentials.example:8443", HTTP_SECURE},
        {"https://192.0.2.1/", HTTP_SECURE},
        {"http://localhost:8080/c", HTTP_LINK_LOCAL},
        {"http://127.0.0.2/c", HTTP_LINK_LOCAL},
        {"http://169.254.7.7/c", HTTP_LINK_LOCAL},
        {"http://[::1]:80/c", HTTP_LINK_LOCAL},
        {"http://[fe80::7%25eth0]/c", HTTP_LINK_LOCAL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct fake_exchange exchange = {.method = "GET",
                                               .url = cases[i].uri,
                                               .status = 200,
                                               .body = ISSUED,
                                               .on_request = keep_kind};
        struct credentials out AUTO(credentials_clear) = {0};
        const struct http http = fake_http_start(&exchange, 1);
        struct error err;

        print_message("%s\n", cases[i].uri);
        assert_true(uri_fetch(&out, &http, cases[i].uri, &err));
        assert_int_equal(kind_sent, cases[i].kind);
        assert_string_equal(out.access_key_id, "STS.a");
        fake_http_end();
    }
}

static void asks_no_others(void **state)
{
    static const char *const uris[] = {
        "",
        "credentials",
        "ftp://127.0.0.1/",
        "http://192.0.2.1/",
        "http://169.253.0.1/",
        "http://10.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://credentials.example/",
        "http://localhost.attacker.example/",
        "http://127.0.0.1.attacker.example/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1/#a",
        "http://[2001:db8::1]/",
        "http://[2001:db8::1%25lo]/",
        "http://[::1",
        "http://[::1].attacker.example/",
        "http://[::1%25@[2001:db8::1]/x",
        "https://[::1%25@[2001:db8::1]/x",
        "http://[::1%25lo\\@evil.example]/x",
        "https://user@host/",
        "https://host:99999/",
        "https://host:/",
        "https:///",
        "https://a b/",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(uris); i++) {
        struct credentials out AUTO(credentials_clear) = {0};
        const struct http http = fake_http_start(NULL, 0);
        struct error err;

        print_message("%s\n", uris[i]);
        assert_false(uri_fetch(&out, &http, uris[i], &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_string_equal(err.context, "credentials URI");
        assert_non_null(strstr(err.advice, "ALIBABA_CLOUD_CREDENTIALS_URI"));
    }
}

static void fails_on_other_answers(void **state)
{
    static const struct {
        struct fake_exchange exchange;
        size_t times;
        enum error_kind kind;
    } cases[] = {
        {{.method = "GET", .url = "//h", .status = 404}, 1, ERROR_UNAVAILABLE},
        {{.method = "GET", .url = "//h", .status = 302}, 1, ERROR_UNAVAILABLE},
        {{.method = "GET", .url = "//h", .status = 200, .body = "{}"}, 1, ERROR_UNAVAILABLE},
        {{.method = "GET", .url = "//h", .status = 500}, 3, ERROR_TEMPORARY},
        {{.method = "GET", .url = "//h", .error_kind = ERROR_TEMPORARY}, 3, ERROR_TEMPORARY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct fake_exchange script[] = {cases[i].exchange, cases[i].exchange,
                                               cases[i].exchange};
        struct credentials out AUTO(credentials_clear) = {0};
        const struct http http = fake_http_start(script, cases[i].times);
        struct error err;

        assert_false(uri_fetch(&out, &http, "https://h", &err));
        assert_int_equal(err.kind, cases[i].kind);
        assert_string_not_equal(err.advice, "");
        fake_http_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_uris_of_this_machine_or_by_https),
        cmocka_unit_test(asks_no_others),
        cmocka_unit_test(fails_on_other_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
