/* What is said of an exchange without a response: the kind by numbers alone, the advice with it. */
#include <openssl/ssl3.h>
#include <openssl/tls1.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "net/explain.h"
#include "test.h"

static const struct {
    struct failure failure;
    enum error_kind kind;
    const char *cause;
    const char *advice;
} cases[] = {
    {{.result = CURLE_COULDNT_RESOLVE_HOST}, ERROR_TEMPORARY, "name not resolved", "resolv.conf"},
    {{.result = CURLE_COULDNT_RESOLVE_PROXY}, ERROR_TEMPORARY, "name not resolved", "resolv.conf"},
    {{.result = CURLE_OPERATION_TIMEDOUT}, ERROR_TEMPORARY, "name not resolved", "resolv.conf"},
    {{.result = CURLE_OPERATION_TIMEDOUT, .is_resolved = true},
     ERROR_TEMPORARY,
     "no answer in time",
     "Check routes"},
    {{.result = CURLE_COULDNT_CONNECT, .is_resolved = true},
     ERROR_TEMPORARY,
     "no connection",
     "Check routes"},
    {{.result = CURLE_RECV_ERROR, .is_resolved = true},
     ERROR_TEMPORARY,
     "connection failed",
     "firewalls"},
    {{.result = CURLE_SSL_CONNECT_ERROR, .is_resolved = true},
     ERROR_TEMPORARY,
     "connection failed",
     "firewalls"},
    {{.result = CURLE_SSL_CONNECT_ERROR, .tls_alert = SSL_AD_INTERNAL_ERROR},
     ERROR_TEMPORARY,
     "connection failed",
     "firewalls"},
    {{.result = CURLE_SSL_CONNECT_ERROR, .tls_alert = SSL3_AD_HANDSHAKE_FAILURE},
     ERROR_UNAVAILABLE,
     "no TLS 1.2",
     ""},
    {{.result = CURLE_SSL_CONNECT_ERROR, .tls_alert = TLS1_AD_PROTOCOL_VERSION},
     ERROR_UNAVAILABLE,
     "no TLS 1.2",
     ""},
    {{.result = CURLE_SSL_CONNECT_ERROR, .is_peer_without_tls = true},
     ERROR_UNAVAILABLE,
     "no TLS 1.2",
     ""},
    {{.result = CURLE_PEER_FAILED_VERIFICATION, .verify_result = X509_V_ERR_CERT_HAS_EXPIRED},
     ERROR_UNAVAILABLE,
     "certificate",
     "(NTP)"},
    {{.result = CURLE_PEER_FAILED_VERIFICATION, .verify_result = X509_V_ERR_CERT_NOT_YET_VALID},
     ERROR_UNAVAILABLE,
     "certificate",
     "(NTP)"},
    {{.result = CURLE_PEER_FAILED_VERIFICATION}, ERROR_UNAVAILABLE, "certificate", "/etc/hosts"},
    {{.result = CURLE_PEER_FAILED_VERIFICATION, .verify_result = X509_V_ERR_HOSTNAME_MISMATCH},
     ERROR_UNAVAILABLE,
     "certificate",
     "/etc/hosts"},
    {{.result = CURLE_PEER_FAILED_VERIFICATION,
      .verify_result = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
     ERROR_UNAVAILABLE,
     "certificate",
     "Update the node's"},
    {{.result = CURLE_PEER_FAILED_VERIFICATION,
      .verify_result = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      .ca_directories = "/d"},
     ERROR_UNAVAILABLE,
     "certificate",
     "SSL_CERT_DIR replaces"},
    {{.result = CURLE_PEER_FAILED_VERIFICATION,
      .verify_result = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      .ca_file = "/f"},
     ERROR_UNAVAILABLE,
     "certificate",
     "SSL_CERT_FILE replaces"},
    {{.result = CURLE_SSL_CACERT_BADFILE}, ERROR_CONFIG, "cannot be read", "/etc/ssl"},
    {{.result = CURLE_SSL_CACERT_BADFILE, .ca_file = "/f"},
     ERROR_CONFIG,
     "SSL_CERT_FILE cannot be read: /f",
     "readable PEM"},
    {{.result = CURLE_WEIRD_SERVER_REPLY}, ERROR_UNAVAILABLE, "not an HTTP answer", ""},
    {{.result = CURLE_FILESIZE_EXCEEDED}, ERROR_UNAVAILABLE, "larger than 7 bytes", ""},
    {{.result = CURLE_WRITE_ERROR}, ERROR_UNAVAILABLE, "larger than 7 bytes", ""},
    {{.result = CURLE_RECV_ERROR, .proxy_status = 407},
     ERROR_UNAVAILABLE,
     "HTTP status 407",
     "into all_proxy"},
    {{.result = CURLE_RECV_ERROR, .proxy_status = 403},
     ERROR_TEMPORARY,
     "HTTP status 403",
     "NO_PROXY"},
    {{.result = CURLE_RECV_ERROR, .proxy_status = 429},
     ERROR_TEMPORARY,
     "connection failed",
     "firewalls"},
    {{.result = CURLE_RECV_ERROR, .proxy_status = 502},
     ERROR_TEMPORARY,
     "connection failed",
     "firewalls"},
    /* NO_PROXY makes an unusable proxy harmless: then it failed for another reason. */
    {{.result = CURLE_COULDNT_CONNECT, .has_unusable_proxy = true, .is_resolved = true},
     ERROR_TEMPORARY,
     "no connection",
     "Check routes"},
    {{.result = CURLE_COULDNT_RESOLVE_HOST, .has_unusable_proxy = true},
     ERROR_TEMPORARY,
     "name not resolved",
     "resolv.conf"},
};

static void test_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int is_silent = 0; is_silent < 2; is_silent++) {
            struct failure failure = cases[i].failure;
            struct error err = {0};

            failure.host = "host:1";
            failure.body_max_bytes = 7;
            failure.proxy_variable = "all_proxy";
            failure.ca_file = failure.ca_file == NULL ? "" : failure.ca_file;
            failure.ca_directories = failure.ca_directories == NULL ? "" : failure.ca_directories;
            failure.message = is_silent != 0 ? "" : "expired proxy:// mismatch, protocol version";
            assert_false(explain_failure(&failure, &err));
            print_message("%zu: %s. %s\n", i, err.cause, err.advice);
            assert_int_equal(err.kind, cases[i].kind);
            assert_non_null(strstr(err.cause, cases[i].cause));
            assert_ptr_equal(strstr(err.cause, "host:1: "), err.cause);
            assert_non_null(strstr(err.advice, cases[i].advice));
        }
    }
}

static void test_proxy_that_libcurl_quotes_is_not_shown(void **state)
{
    static const CURLcode results[] = {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_PROXY,
                                       CURLE_UNSUPPORTED_PROTOCOL, CURLE_NOT_BUILT_IN};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        const struct failure failure = {.host = "host",
                                        .result = results[i],
                                        .message = "u:hidden@p",
                                        .has_unusable_proxy = true,
                                        .proxy_variable = "ALL_PROXY"};
        struct error err = {0};
        char line[2048];

        assert_false(explain_failure(&failure, &err));
        error_format(&err, line, sizeof line);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(line, "ALL_PROXY is not"));
        assert_null(strstr(line, "hidden"));
    }
}

static void test_temporary_status(void **state)
{
    struct error err = {0};

    (void)state;
    assert_false(explain_temporary_status(503, &err));
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_string_equal(err.cause, "HTTP status 503");
    assert_true(err.advice[0] != '\0');
}

static void test_deadline(void **state)
{
    struct error err = {.advice = "Check routes"};

    (void)state;
    assert_false(explain_deadline(&err));
    assert_string_equal(err.advice,
                        "Retry, or raise --deadline; if that does not help: Check routes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_proxy_that_libcurl_quotes_is_not_shown),
        cmocka_unit_test(test_temporary_status),
        cmocka_unit_test(test_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
