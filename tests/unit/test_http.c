/* What holds for every transport: the deadline. */
#include <string.h>

#include "fake_http.h"
#include "test.h"

static const struct http_request request = {.method = "GET", .url = "https://host:1/path"};

static void test_nothing_is_sent_after_the_deadline(void **state)
{
    struct http http = fake_http_start(NULL, 0);
    struct http_response response AUTO(http_response_clear) = {0};
    struct error err = {0};

    (void)state;
    http.deadline_ms = fake.mono_ms;
    assert_false(http_send(&http, &request, &response, &err));
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_string_equal(err.cause, "host:1: no time left before the deadline");
    assert_string_equal(err.advice, "Retry, or raise --deadline");
    http_prefetch(&http, &request);
    http_preconnect(&http, &request);
    assert_int_equal(fake_http.sent + fake_http.prefetched + fake_http.preconnected, 0);
}

static void test_remaining_time(void **state)
{
    struct http http = fake_http_start(NULL, 0);

    (void)state;
    http.deadline_ms = fake.mono_ms + 300;
    assert_int_equal(http_remaining_ms(&http), 300);
    http_sleep_until(&http, fake.mono_ms + 100);
    assert_int_equal(http_remaining_ms(&http), 200);
    http_sleep_until(&http, fake.mono_ms + 1000);
    assert_int_equal(fake.slept_ms, 300);
    fake.mono_ms += 1000;
    assert_int_equal(http_remaining_ms(&http), 0);
}

static void test_environment_of_the_way(void **state)
{
    static const struct fake_text proxy[] = {{"HTTPS_PROXY", "a"}, {NULL, NULL}};
    static const struct fake_text certificates[] = {{"SSL_CERT_DIR", "a"}, {NULL, NULL}};
    struct buf first AUTO(buf_clear) = {0};
    struct buf second AUTO(buf_clear) = {0};

    (void)state;
    fake.variables = proxy;
    http_append_proxy_and_ca_environment(&first, &fake_system);
    fake.variables = certificates;
    http_append_proxy_and_ca_environment(&second, &fake_system);
    assert_string_not_equal(buf_text(&first), buf_text(&second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_sent_after_the_deadline),
        cmocka_unit_test(test_remaining_time),
        cmocka_unit_test(test_environment_of_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
