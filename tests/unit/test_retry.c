/* When a request is sent again, and after how long. */
#include <string.h>

#include "fake_http.h"
#include "net/retry.h"
#include "test.h"

static const struct http_request request = {.method = "GET", .url = "https://host:1/path"};
static const struct http_response no_response = {0};

enum { NOW_S = 1767323045 }; /* as fake_http_start() sets it: 2026-01-02T03:04:05Z */

/* Waits once after a temporary failure. Returns for how long, -1 if there is to be no other try. */
static int64_t wait_once(unsigned failed, int64_t remaining_ms, unsigned char random,
                         const struct http_response *response)
{
    struct http http = fake_http_start(NULL, 0);
    struct retry retry = {.http = &http, .tries_max = RETRY_TRIES_MAX, .failed = failed};
    struct error err = {.kind = ERROR_TEMPORARY};

    http.deadline_ms = fake.mono_ms + remaining_ms;
    fake.random = random;
    return retry_wait(&retry, response, &err) ? fake.slept_ms : -1;
}

static void test_pauses_grow_and_are_random(void **state)
{
    (void)state;
    for (unsigned failed = 0; failed + 1 < RETRY_TRIES_MAX; failed++) {
        int64_t longest_ms = 0;
        int64_t last_ms = -1;
        int different = 0;

        for (int random = 0; random < 256; random++) {
            int64_t waited_ms = wait_once(failed, INT32_MAX, (unsigned char)random, &no_response);

            assert_in_range(waited_ms, 0, (uint64_t)RETRY_BASE_MS << failed);
            longest_ms = waited_ms > longest_ms ? waited_ms : longest_ms;
            different += waited_ms != last_ms ? 1 : 0;
            last_ms = waited_ms;
        }
        assert_true(longest_ms > (RETRY_BASE_MS << failed) * 9 / 10);
        assert_true(different > 100);
    }
    assert_int_equal(wait_once(RETRY_TRIES_MAX - 1, INT32_MAX, 0, &no_response), -1);
    assert_int_equal(wait_once(0, 0, 0, &no_response), -1);
}

static void test_wish_of_the_server(void **state)
{
    static const struct {
        const char *retry_after;
        const char *rate_limit;
        int64_t wish_ms;
    } wishes[] = {
        {"", "", 0},
        {"2", "", 2000},
        {"-2", "", 0},
        {"99999999999999999999", "", 0},
        {"Fri, 02 Jan 2026 03:04:12 GMT", "", 7000},
        {"Fri, 02 Jan 2026 03:04:00 GMT", "", 0},
        {"Fri, 02 Jan 2099 03:04:00 GMT", "", 0},
        {"", "Limit:1,Remain:0,TimeLeft:2500,Reset:1", 2500},
        {"2", "TimeLeft:2500", 2000},
        {"", "TimeLeft:", 0},
        {"", "TimeLeft:99999999999999999999", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wishes); i++) {
        struct http_response response = {0};

        text_copy(response.retry_after, sizeof response.retry_after, wishes[i].retry_after);
        text_copy(response.rate_limit, sizeof response.rate_limit, wishes[i].rate_limit);
        print_message("%s %s\n", wishes[i].retry_after, wishes[i].rate_limit);
        assert_int_equal(wait_once(0, 100000, 0, &response), wishes[i].wish_ms);
        assert_int_equal(wait_once(0, wishes[i].wish_ms, 0, &response), -1);
        /* A date is by the clock of the server, if that is known. */
        response.date_s = NOW_S + 1;
        assert_int_equal(wait_once(0, 100000, 0, &response),
                         wishes[i].wish_ms == 7000 ? 6000 : wishes[i].wish_ms);
    }
}

static void test_only_temporary_failures_are_tried_again(void **state)
{
    const struct http http = fake_http_start(NULL, 0);

    (void)state;
    for (int kind = ERROR_INTERNAL; kind <= ERROR_CONFIG; kind++) {
        struct retry retry = {.http = &http, .tries_max = 2};
        struct error err = {.kind = (enum error_kind)kind};

        assert_int_equal(retry_wait(&retry, &no_response, &err), kind == ERROR_TEMPORARY);
        assert_string_equal(err.context, "");
    }
}

#define ANSWER(number)      .method = "GET", .url = "/path", .status = (number)
#define FAILURE(kind_of_it) .method = "GET", .url = "/path", .error_kind = (kind_of_it)

static void test_sends_until_the_answer_is_final(void **state)
{
    static const struct {
        struct fake_exchange script[3];
        size_t sent;
        const char *context;
        bool succeeds;
        bool connected;
    } cases[] = {
        {{{ANSWER(404)}}, 1, "", true, true},
        {{{ANSWER(503)}, {ANSWER(429)}, {ANSWER(200)}}, 3, "", true, true},
        {{{ANSWER(503), .retry_after = "3"}, {FAILURE(ERROR_UNAVAILABLE)}}, 2, "", false, true},
        {{{FAILURE(ERROR_TEMPORARY)}, {FAILURE(ERROR_TEMPORARY)}, {FAILURE(ERROR_TEMPORARY)}},
         3,
         "gave up after 3 tries",
         false,
         false},
        {{{ANSWER(500)}, {ANSWER(500)}, {ANSWER(500)}}, 3, "gave up after 3 tries", false, true},
        {{{ANSWER(503), .retry_after = "100"}}, 1, "", false, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct http http = fake_http_start(cases[i].script, cases[i].sent);
        struct http_response response AUTO(http_response_clear) = {0};
        struct error err = {0};

        assert_int_equal(retry_send(&http, &request, 3, &response, &err), cases[i].succeeds);
        fake_http_end();
        assert_int_equal(response.connected, cases[i].connected);
        assert_string_equal(err.context, cases[i].context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses_grow_and_are_random),
        cmocka_unit_test(test_wish_of_the_server),
        cmocka_unit_test(test_only_temporary_failures_are_tried_again),
        cmocka_unit_test(test_sends_until_the_answer_is_final),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
