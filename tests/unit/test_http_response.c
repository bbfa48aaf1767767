/* What is kept of the head of a response. */
#include <stdlib.h>
#include <string.h>

#include "net/http_response.h"
#include "test.h"

/* Each line in memory of just its length, so that a reader beyond its end is found out. */
static void take(struct http_response *response, const char *line)
{
    size_t length = strlen(line);
    char *bytes = malloc(length);

    assert_non_null(bytes);
    memcpy(bytes, line, length);
    http_response_take_line(response, bytes, length);
    free(bytes);
}

static void test_headers(void **state)
{
    struct http_response response AUTO(http_response_clear) = {0};

    (void)state;
    take(&response, "HTTP/1.1 200 OK\r\n");
    take(&response, "date:Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    take(&response, "Retry-After: \t 7\r\n");
    take(&response, "Retry-After: 8\r\n");
    take(&response, "x-acs-request-id: 1-2\x1b[0m\r\n");
    take(&response, "X-RateLimit-User: Limit:1\r\n");
    take(&response, "dates: none\r\n");
    take(&response, "\r\n");
    assert_int_equal(response.date_s, 784111777);
    assert_string_equal(response.retry_after, "7");
    assert_string_equal(response.request_id, "1-2?[0m");
    assert_string_equal(response.rate_limit, "Limit:1");
    take(&response, "Date: yesterday\r\n");
    assert_int_equal(response.date_s, 0);
}

static void test_final_answer_follows_an_interim_one(void **state)
{
    struct http_response response AUTO(http_response_clear) = {0};

    (void)state;
    take(&response, "HTTP/1.1 100 Continue\r\n");
    take(&response, "Retry-After: 1\r\n");
    take(&response, "HTTP/1.1 200 OK\r\n");
    assert_string_equal(response.retry_after, "");
}

static void test_headers_that_are_too_long(void **state)
{
    static const size_t lengths[] = {63, 64, 1100, 1199, 1200, 5000};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct http_response response AUTO(http_response_clear) = {0};
        char line[6000] = "Retry-After: ";

        memset(line + strlen("Retry-After: "), '9', lengths[i]);
        take(&response, line);
        assert_int_equal(strlen(response.retry_after), lengths[i] < 64 ? lengths[i] : 0);
    }
}

static void test_challenges(void **state)
{
    static const struct {
        const char *line;
        const char *challenge;
    } lines[] = {
        {"WWW-Authenticate: Bearer realm=\"r\"", "Bearer realm=\"r\""},
        {"www-authenticate: Basic realm=x, bearer service=\"s\"", "bearer service=\"s\""},
        {"WWW-Authenticate: Basic x,Bearer s", "Bearer s"},
        {"WWW-Authenticate: NotBearer s", ""},
        {"WWW-Authenticate: Basic realm=x", ""},
        {"WWW-Authenticate:", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct http_response response AUTO(http_response_clear) = {0};

        take(&response, lines[i].line);
        assert_string_equal(response.challenge, lines[i].challenge);
        take(&response, "WWW-Authenticate: Bearer second");
        assert_string_equal(response.challenge,
                            lines[i].challenge[0] != '\0' ? lines[i].challenge : "Bearer second");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_final_answer_follows_an_interim_one),
        cmocka_unit_test(test_headers_that_are_too_long),
        cmocka_unit_test(test_challenges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
