/* cloud/openapi: signing, retries, endpoints and what a refusal leaves in err->retry, by a scripted
 * transport and a clock that stands still. */
#include <stdlib.h>
#include <string.h>

#include "cloud/openapi.h"
#include "fake_http.h"

#define NOW_S 1767323045 /* 2026-01-02T03:04:05Z */

static const struct openapi_call call = {.method = "POST",
                                         .path = "/",
                                         .product = "cr",
                                         .action = "GetAuthorizationToken",
                                         .version = "2018-12-01",
                                         .parameters = {{"InstanceId", "cri-a"}},
                                         .parameter_count = 1};

/* A caller with three endpoints. */
static struct caller {
    struct http http;
    struct endpoints endpoints;
    struct credentials credentials;
    struct api api;
} caller;

static void start(const struct fake_exchange *script, size_t count)
{
    caller.http = fake_http_start(script, count);
    caller.endpoints =
        (struct endpoints){.urls = {"https://a", "https://b:443", "https://c:1"}, .count = 3};
    text_copy(caller.credentials.access_key_id, ACCESS_KEY_ID_SIZE, "STS.key");
    secret_set(&caller.credentials.access_key_secret, "not-to-be-seen", 14);
    secret_set(&caller.credentials.security_token, "CAIS+token", 10);
    caller.api = (struct api){&caller.http, &caller.endpoints, &caller.credentials, "role X"};
}

#define START(script) start(script, COUNT_OF(script))

static void end(void)
{
    fake_http_end();
    credentials_clear(&caller.credentials);
}

static void succeed(void)
{
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    struct error err = {0};

    if (!openapi_call(&reply, &caller.api, &call, &err))
        fail_msg("%s (%s)", err.cause, err.service_code);
    assert_string_equal(buf_text(&reply.body), "{\"answer\":1}");
}

static struct error refused(void)
{
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    struct error err = {0};

    assert_false(openapi_call(&reply, &caller.api, &call, &err));
    return err;
}

#define ANSWER            "{\"answer\":1}"
#define REFUSAL(code)     "{\"Code\":\"" code "\",\"Message\":\"no\",\"RequestId\":\"R-1\"}"
#define GOOD(host)        .method = "POST", .url = (host), .status = 200, .body = ANSWER
#define BAD(host, code)   .method = "POST", .url = (host), .status = 400, .body = REFUSAL(code)
#define UNREACHABLE(host) .method = "POST", .url = (host), .error_kind = ERROR_TEMPORARY

static void look_at_a_signed_request(const struct http_request *request)
{
    assert_string_equal(request->url, "https://a/?InstanceId=cri-a");
    assert_string_equal(fake_http_header(request, "x-acs-action"), "GetAuthorizationToken");
    assert_string_equal(fake_http_header(request, "x-acs-version"), "2018-12-01");
    assert_string_equal(fake_http_header(request, "x-acs-date"), "2026-01-02T03:04:05Z");
    assert_string_equal(fake_http_header(request, "x-acs-security-token"), "CAIS+token");
    assert_int_equal(strlen(fake_http_header(request, "x-acs-signature-nonce")), 32);
    assert_memory_equal(fake_http_header(request, "Authorization"),
                        "ACS3-HMAC-SHA256 Credential=STS.key,", 36);
    /* Where another endpoint is left, an unreachable one is given up early. */
    assert_true(request->connect_timeout_ms < OPENAPI_CONNECT_TIMEOUT_MS);
}

static void signs_calls(void **state)
{
    static const struct fake_exchange script[] = {{.method = "POST",
                                                   .url = "https://a",
                                                   .status = 200,
                                                   .body = ANSWER,
                                                   .on_request = look_at_a_signed_request}};

    (void)state;
    START(script);
    succeed();
    end();
}

static void look_at_an_unsigned_request(const struct http_request *request)
{
    assert_non_null(strstr(request->url, "?Action=GetAuthorizationToken&Format=JSON&"));
    assert_non_null(strstr(request->url, "&Timestamp=2026-01-02T03%3A04%3A05Z&Version="));
    assert_string_equal(request->form, "InstanceId=cri-a");
    assert_string_equal(fake_http_header(request, "Authorization"), "");
}

static void sends_unsigned_calls(void **state)
{
    static const struct fake_exchange script[] = {{.method = "POST",
                                                   .url = "https://a/?",
                                                   .status = 200,
                                                   .body = ANSWER,
                                                   .on_request = look_at_an_unsigned_request}};
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    struct openapi_call form = call;
    struct error err;

    (void)state;
    START(script);
    caller.api.credentials = NULL;
    form.in_body = true;
    assert_true(openapi_call(&reply, &caller.api, &form, &err));
    assert_int_equal(reply.server_time_s, NOW_S);
    end();
}

static void waits_where_the_service_throttles(void **state)
{
    static const struct fake_exchange script[] = {{.method = "POST",
                                                   .url = "//a",
                                                   .status = 503,
                                                   .body = REFUSAL("Throttling.User"),
                                                   .retry_after = "7"},
                                                  {BAD("//a", "ServiceUnavailable")},
                                                  {GOOD("//a")}};

    (void)state;
    START(script);
    succeed();
    /* Retry-After, and jitter. */
    assert_in_range(fake.slept_ms, 7000, 7999);
    end();
}

static void gives_up_after_some_tries(void **state)
{
    static const struct fake_exchange script[] = {{BAD("//a", "Throttling")},
                                                  {BAD("//a", "Throttling")},
                                                  {BAD("//a", "Throttling")},
                                                  {BAD("//a", "Throttling")},
                                                  {BAD("//a", "Throttling")}};
    struct error err;

    (void)state;
    START(script);
    err = refused();
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    assert_string_equal(err.context, "gave up after 5 tries: a");
    end();
}

static void waits_no_longer_than_the_deadline(void **state)
{
    static const struct fake_exchange script[] = {{.method = "POST",
                                                   .url = "//a",
                                                   .status = 503,
                                                   .body = REFUSAL("Throttling"),
                                                   .retry_after = "60"}};

    (void)state;
    START(script);
    assert_string_equal(refused().service_code, "Throttling");
    assert_int_equal(fake.slept_ms, 0);
    end();
}

static void look_at_the_corrected_clock(const struct http_request *request)
{
    assert_string_equal(fake_http_header(request, "x-acs-date"), "2026-01-02T03:24:05Z");
}

static void corrects_its_clock_once(void **state)
{
    static const struct fake_exchange script[] = {
        {.method = "POST",
         .url = "//a",
         .status = 400,
         .date_s = NOW_S + 1200,
         .body = REFUSAL("InvalidTimeStamp.Expired")},
        {.method = "POST",
         .url = "//a",
         .status = 200,
         .body = ANSWER,
         .on_request = look_at_the_corrected_clock},
        /* The next call begins with what this one has learned. */
        {.method = "POST",
         .url = "//a",
         .status = 400,
         .date_s = NOW_S + 1200,
         .body = REFUSAL("InvalidTimeStamp.Expired"),
         .on_request = look_at_the_corrected_clock},
        {.method = "POST",
         .url = "//a",
         .status = 400,
         .date_s = NOW_S + 1200,
         .body = REFUSAL("InvalidTimeStamp.Expired")}};
    struct error err;

    (void)state;
    START(script);
    succeed();
    err = refused();
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.advice, "NTP"));
    end();
}

static void keeps_its_clock_without_another(void **state)
{
    static const struct fake_exchange script[] = {{BAD("//a", "InvalidTimeStamp.Expired")}};

    (void)state;
    START(script);
    assert_string_equal(refused().service_code, "InvalidTimeStamp.Expired");
    end();
}

static char first_nonce[33];

static void keep_nonce(const struct http_request *request)
{
    text_copy(first_nonce, sizeof first_nonce, fake_http_header(request, "x-acs-signature-nonce"));
}

static void compare_nonce(const struct http_request *request)
{
    assert_string_not_equal(fake_http_header(request, "x-acs-signature-nonce"), first_nonce);
}

static void takes_another_nonce_once(void **state)
{
    static const struct fake_exchange script[] = {{.method = "POST",
                                                   .url = "//a",
                                                   .status = 400,
                                                   .body = REFUSAL("SignatureNonceUsed"),
                                                   .on_request = keep_nonce},
                                                  {.method = "POST",
                                                   .url = "//a",
                                                   .status = 400,
                                                   .body = REFUSAL("SignatureNonceUsed"),
                                                   .on_request = compare_nonce}};

    (void)state;
    START(script);
    assert_int_equal(refused().kind, ERROR_TEMPORARY);
    assert_int_equal(fake.slept_ms, 0);
    end();
}

static void goes_on_to_the_next_endpoint(void **state)
{
    static const struct fake_exchange script[] = {{UNREACHABLE("//a")},
                                                  {UNREACHABLE("//b")},
                                                  {GOOD("//c")},
                                                  /* The next call begins there. */
                                                  {UNREACHABLE("//c")},
                                                  {GOOD("//a")}};

    (void)state;
    START(script);
    succeed();
    assert_int_equal(caller.endpoints.reached, 2);
    succeed();
    assert_int_equal(caller.endpoints.reached, 0);
    assert_int_equal(fake.slept_ms, 0);
    end();
}

static void remembers_an_endpoint_that_refused(void **state)
{
    static const struct fake_exchange script[] = {
        {UNREACHABLE("//a")}, {BAD("//b", "INSTANCE_NOT_EXIST")}, {GOOD("//b")}};

    (void)state;
    START(script);
    assert_int_equal(refused().retry, ERROR_RETRY_NEW_INSTANCE_ID);
    succeed();
    end();
}

static void begins_again_after_the_last_endpoint(void **state)
{
    static const struct fake_exchange script[] = {
        {UNREACHABLE("//a")}, {UNREACHABLE("//b")}, {UNREACHABLE("//c")}, {GOOD("//a")}};

    (void)state;
    START(script);
    fake.random = 1;
    succeed();
    assert_true(fake.slept_ms > 0);
    end();
}

static void does_not_go_on_after_other_failures(void **state)
{
    static const struct fake_exchange untrusted[] = {
        {.method = "POST", .url = "//a", .error_kind = ERROR_UNAVAILABLE}};
    static const struct fake_exchange forbidden[] = {{BAD("//a", "NoPermission")}};

    (void)state;
    START(untrusted);
    assert_int_equal(refused().kind, ERROR_UNAVAILABLE);
    end();
    START(forbidden);
    assert_int_equal(refused().kind, ERROR_PERMISSION);
    end();
}

static void says_what_would_cure_a_refusal(void **state)
{
    static const struct {
        struct fake_exchange exchange;
        bool is_long_lived;
        enum error_retry retry;
    } cases[] = {
        {{BAD("//a", "InvalidSecurityToken.Expired")}, false, ERROR_RETRY_NEW_CREDENTIALS},
        {{BAD("//a", "InvalidAccessKeyId.NotFound")}, false, ERROR_RETRY_NEW_CREDENTIALS},
        {{BAD("//a", "InvalidAccessKeyId.NotFound")}, true, ERROR_RETRY_NOTHING},
        {{BAD("//a", "InvalidSecurityToken.Malformed")}, false, ERROR_RETRY_NOTHING},
        {{BAD("//a", "INSTANCE_NOT_EXIST")}, false, ERROR_RETRY_NEW_INSTANCE_ID},
        {{BAD("//a", "NoPermission")}, false, ERROR_RETRY_NOTHING},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].exchange.body);
        start(&cases[i].exchange, 1);
        if (cases[i].is_long_lived)
            secret_clear(&caller.credentials.security_token);
        assert_int_equal(refused().retry, cases[i].retry);
        end();
    }
}

static void takes_a_refusal_with_status_200_for_one(void **state)
{
    static const struct fake_exchange script[] = {
        {.method = "POST",
         .url = "//a",
         .status = 200,
         .body = "{\"Code\":\"INSTANCE_NOT_EXIST\",\"IsSuccess\":false,\"RequestId\":\"R-2\"}"}};
    struct error err;

    (void)state;
    START(script);
    err = refused();
    assert_string_equal(err.service_code, "INSTANCE_NOT_EXIST");
    assert_string_equal(err.request_id, "R-2");
    end();
}

static void words_a_refusal(void **state)
{
    static const struct {
        const char *body;
        const char *cause;
        const char *advice;
    } cases[] = {
        {REFUSAL("NoPermission"), "GetAuthorizationToken refused: no",
         "Grant cr:GetAuthorizationToken to role X in a RAM policy"},
        {"{\"Code\":\"NoPermission\",\"Message\":\"no\",\"AccessDeniedDetail\":{\"AuthAction\":"
         "\"cr:Do\",\"AuthPrincipalDisplayName\":\"r:s\",\"NoPermissionType\":\"ExplicitDeny\"}}",
         "GetAuthorizationToken refused: no",
         "A policy denies cr:Do to role X explicitly: remove that Deny"},
        {"{\"Code\":\"SignatureDoesNotMatch\",\"Message\":\"you signed POST /\"}",
         "GetAuthorizationToken refused with HTTP status 400", "Check the AccessKey secret"},
        {"{\"Code\":\"Odd\",\"Message\":\"not-to-be-seen, CAIS%2Btoken or CAIS+token\"}",
         "GetAuthorizationToken refused: [redacted], [redacted] or [redacted]", "Look up the code"},
        {"<html>", "GetAuthorizationToken failed with HTTP status 400",
         "What answered is not the Alibaba Cloud API"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct fake_exchange exchange = {
            .method = "POST", .url = "//a", .status = 400, .body = cases[i].body};
        struct error err;

        start(&exchange, 1);
        err = refused();
        assert_string_equal(err.cause, cases[i].cause);
        assert_memory_equal(err.advice, cases[i].advice, strlen(cases[i].advice));
        assert_string_equal(err.context, "a");
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_calls),
        cmocka_unit_test(sends_unsigned_calls),
        cmocka_unit_test(waits_where_the_service_throttles),
        cmocka_unit_test(gives_up_after_some_tries),
        cmocka_unit_test(waits_no_longer_than_the_deadline),
        cmocka_unit_test(corrects_its_clock_once),
        cmocka_unit_test(keeps_its_clock_without_another),
        cmocka_unit_test(takes_another_nonce_once),
        cmocka_unit_test(goes_on_to_the_next_endpoint),
        cmocka_unit_test(remembers_an_endpoint_that_refused),
        cmocka_unit_test(begins_again_after_the_last_endpoint),
        cmocka_unit_test(does_not_go_on_after_other_failures),
        cmocka_unit_test(says_what_would_cure_a_refusal),
        cmocka_unit_test(takes_a_refusal_with_status_200_for_one),
        cmocka_unit_test(words_a_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
