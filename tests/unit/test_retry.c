/* When a request is sent again, by a clock and a transport of the test. */
#include <string.h>

#include "base/text.h"
#include "fake_system.h"
#include "net/http.h"
#include "net/retry.h"
#include "test.h"

enum { START_MS = 1000, SERVER_NOW_S = 784111770 };

/* One answer after the other; the last one again and again. A status of 0 is a failure. */
struct answer {
    long status;
    enum error_kind kind;
    bool connected;
    const char *retry_after;
};

static const struct answer *next_answer;
static unsigned sent;

static bool send_request(struct http_transport *transport, const struct http_request *request,
                         int64_t deadline_ms, struct http_response *out, struct error *err)
{
    const struct answer answer = *next_answer;

    (void)transport;
    (void)request;
    assert_true(deadline_ms > fake.mono_ms);
    sent++;
    if (next_answer[1].status != -1)
        next_answer++;
    out->status = answer.status;
    out->connected = answer.connected;
    if (answer.retry_after != NULL)
        text_copy(out->retry_after, sizeof out->retry_after, answer.retry_after);
    return answer.status != 0 || error_set(err, answer.kind, "it failed");
}

static struct http_transport test_transport = {.send = send_request};

static struct http make_http(int64_t remaining_ms)
{
    fake = (struct fake_state){.wall_s = SERVER_NOW_S, .mono_ms = START_MS};
    return (struct http){&fake_system, &test_transport, START_MS + remaining_ms};
}

/* Waits once after a temporary failure and returns for how long, -1 if it does not. */
static int64_t wait_once(unsigned failed, int64_t remaining_ms,
                         const struct http_response *response)
{
    struct http http = make_http(remaining_ms);
    struct retry retry = {.http = &http, .tries_max = RETRY_TRIES_MAX, .failed = failed};
    struct error err = {.kind = ERROR_TEMPORARY};

    return retry_wait(&retry, response, &err) ? fake.slept_ms : -1;
}

static void test_pauses_grow_and_are_random(void **state)
{
    const struct http_response nothing = {0};
    struct http http = make_http(INT32_MAX);

    (void)state;
    for (unsigned failed = 0; failed + 1 < RETRY_TRIES_MAX; failed++) {
        int64_t last_ms = -1;
        int different = 0;

        for (int byte = 0; byte < 256; byte++) {
            struct retry retry = {.http = &http, .tries_max = RETRY_TRIES_MAX, .failed = failed};
            struct error err = {.kind = ERROR_TEMPORARY};

            fake = (struct fake_state){.mono_ms = START_MS, .random = (unsigned char)byte};
            assert_true(retry_wait(&retry, &nothing, &err));
            assert_in_range(fake.slept_ms, 0, (uint64_t)RETRY_BASE_MS << failed);
            different += fake.slept_ms != last_ms ? 1 : 0;
            last_ms = fake.slept_ms;
        }
        assert_true(different > 100);
    }
    assert_int_equal(wait_once(RETRY_TRIES_MAX - 1, INT32_MAX, &nothing), -1);
    assert_int_equal(wait_once(0, 0, &nothing), -1);
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
        {"Sun, 06 Nov 1994 08:49:37 GMT", "", 7000},
        {"Sun, 06 Nov 1994 08:49:20 GMT", "", 0},
        {"Sun, 06 Nov 2094 08:49:37 GMT", "", 0},
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
        assert_int_equal(wait_once(0, 100000, &response), wishes[i].wish_ms);
        assert_int_equal(wait_once(0, wishes[i].wish_ms, &response), -1);
        /* The clock of the server counts, if it is known. */
        response.date_s = SERVER_NOW_S + 1;
        assert_int_equal(wait_once(0, 100000, &response),
                         wishes[i].wish_ms == 7000 ? 6000 : wishes[i].wish_ms);
    }
}

static void test_only_temporary_failures_are_retried(void **state)
{
    const struct http_response nothing = {0};
    const struct http http = make_http(100000);

    (void)state;
    for (int kind = ERROR_INTERNAL; kind <= ERROR_CONFIG; kind++) {
        struct retry retry = {.http = &http, .tries_max = 2};
        struct error err = {.kind = (enum error_kind)kind};

        assert_int_equal(retry_wait(&retry, &nothing, &err), kind == ERROR_TEMPORARY);
        assert_string_equal(err.context, "");
    }
}

static void test_sends_until_the_answer_is_final(void **state)
{
    static const struct {
        struct answer answers[4]; /* ended by a status of -1 */
        unsigned sent;
        bool succeeds;
        bool connected;
        const char *context;
    } cases[] = {
        {{{.status = 404, .connected = true}, {.status = -1}}, 1, true, true, ""},
        {{{.status = 503, .connected = true}, {.status = 429}, {.status = 200}, {.status = -1}},
         .sent = 3,
         .succeeds = true,
         .connected = true,
         .context = ""},
        {{{.status = 503, .connected = true, .retry_after = "3"},
          {.kind = ERROR_UNAVAILABLE},
          {.status = -1}},
         .sent = 2,
         .connected = true,
         .context = ""},
        {{{.kind = ERROR_TEMPORARY}, {.status = -1}},
         .sent = 3,
         .context = "gave up after 3 tries"},
        {{{.status = 500, .connected = true}, {.status = -1}},
         .sent = 3,
         .connected = true,
         .context = "gave up after 3 tries"},
        {{{.status = 503, .retry_after = "100"}, {.status = -1}}, .sent = 1, .context = ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct http http = make_http(10000);
        const struct http_request request = {.method = "GET", .url = "http://host/"};
        struct http_response response = {0};
        struct error err = {0};

        next_answer = cases[i].answers;
        sent = 0;
        assert_int_equal(retry_send(&http, &request, 3, &response, &err), cases[i].succeeds);
        assert_int_equal(sent, cases[i].sent);
        assert_int_equal(response.connected, cases[i].connected);
        assert_string_equal(err.context, cases[i].context);
        assert_true(response.retry_after[0] == '\0' || sent == 1);
        http_response_clear(&response);
    }
}

static void test_nothing_is_sent_after_the_deadline(void **state)
{
    const struct http http = make_http(0);
    const struct http_request request = {.method = "GET", .url = "https://host:1/path"};
    struct http_response response = {0};
    struct error err = {0};

    (void)state;
    sent = 0;
    assert_false(http_send(&http, &request, &response, &err));
    assert_int_equal(sent, 0);
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_string_equal(err.cause, "host:1: no time left before the deadline");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses_grow_and_are_random),
        cmocka_unit_test(test_wish_of_the_server),
        cmocka_unit_test(test_only_temporary_failures_are_retried),
        cmocka_unit_test(test_sends_until_the_answer_is_final),
        cmocka_unit_test(test_nothing_is_sent_after_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
