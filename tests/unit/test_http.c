/* What is kept of an answer's head, and what is said of an exchange without an answer. */
#include <stdlib.h>
#include <string.h>

#include "net/http_failure.h"
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

static void test_failures(void **state)
{
    static const struct {
        CURLcode result;
        const char *complaint;
        enum error_kind kind;
        const char *words;
    } failures[] = {
        {CURLE_COULDNT_RESOLVE_HOST, "", ERROR_TEMPORARY, "resolv.conf"},
        {CURLE_COULDNT_RESOLVE_PROXY, "Could not resolve proxy: p", ERROR_TEMPORARY, "resolv.conf"},
        {CURLE_COULDNT_CONNECT, "refused", ERROR_TEMPORARY, "Check routes"},
        {CURLE_OPERATION_TIMEDOUT, "", ERROR_TEMPORARY, "no answer in time"},
        {CURLE_SSL_CACERT_BADFILE, "", ERROR_CONFIG, "SSL_CERT_FILE"},
        {CURLE_PEER_FAILED_VERIFICATION, "certificate has expired", ERROR_UNAVAILABLE, "(NTP)"},
        {CURLE_PEER_FAILED_VERIFICATION, "certificate is not yet valid", ERROR_UNAVAILABLE,
         "(NTP)"},
        {CURLE_PEER_FAILED_VERIFICATION, "subject name 'a' does not match target host name 'b'",
         ERROR_UNAVAILABLE, "/etc/hosts"},
        {CURLE_PEER_FAILED_VERIFICATION, "unable to get local issuer certificate",
         ERROR_UNAVAILABLE, "SSL_CERT_FILE"},
        {CURLE_SSL_CONNECT_ERROR, "tlsv1 alert protocol version", ERROR_UNAVAILABLE, "TLS 1.2"},
        {CURLE_SSL_CONNECT_ERROR, "reset", ERROR_TEMPORARY, "connection failed"},
        {CURLE_WEIRD_SERVER_REPLY, "", ERROR_UNAVAILABLE, "not an HTTP answer"},
        {CURLE_FILESIZE_EXCEEDED, "", ERROR_UNAVAILABLE, "larger than 7 bytes"},
        {CURLE_RECV_ERROR, "reset", ERROR_TEMPORARY, "connection failed"},
        {CURLE_COULDNT_CONNECT, "Unsupported proxy scheme for 'ftp://u:hidden@p'", ERROR_CONFIG,
         "HTTPS_PROXY"},
        {CURLE_COULDNT_RESOLVE_PROXY, "Unsupported proxy syntax in 'http://u:hidden@p'",
         ERROR_CONFIG, "HTTPS_PROXY"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        const struct http_failure failure = {.host = "host:1",
                                             .result = failures[i].result,
                                             .complaint = failures[i].complaint,
                                             .body_max_bytes = 7};
        struct error err = {0};
        char line[2048];

        assert_false(http_failure_tell(&failure, &err));
        error_format(&err, line, sizeof line);
        print_message("%s\n", line);
        assert_int_equal(err.kind, failures[i].kind);
        assert_non_null(strstr(line, failures[i].words));
        assert_non_null(strstr(line, "host:1: "));
        assert_null(strstr(line, "hidden"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_final_answer_follows_an_interim_one),
        cmocka_unit_test(test_headers_that_are_too_long),
        cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
