/* proto-json/kubelet_request: requests of all versions, and hostile ones. */
#include <string.h>

#include "base/buf.h"
#include "proto-json/kubelet_request.h"
#include "test.h"

#define KIND  "\"kind\":\"CredentialProviderRequest\""
#define API   "\"apiVersion\":\"credentialprovider.kubelet.k8s.io/"
#define V1    "{" KIND "," API "v1\""
#define IMAGE ",\"image\":\"demo-registry.cn-hangzhou.cr.aliyuncs.com/team/app\""

static bool decode(struct kubelet_request *out, const char *text, struct error *err)
{
    return kubelet_request_decode(out, text, strlen(text), err);
}

static void decodes_a_full_request(void **state)
{
    static const char text[] =
        V1 IMAGE ",\"serviceAccountToken\":\"eyJh.e30.c2ln\","
                 "\"serviceAccountAnnotations\":{\"acr.aliyun.com/role-arn\":"
                 "\"acs:ram::1:role/r\",\"\":\"\\u003c\"}}\n";
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_true(decode(&request, text, &err));
    assert_string_equal(request.api_version, "credentialprovider.kubelet.k8s.io/v1");
    assert_string_equal(request.image, "demo-registry.cn-hangzhou.cr.aliyuncs.com/team/app");
    assert_string_equal(secret_reveal(&request.service_account_token), "eyJh.e30.c2ln");
    assert_int_equal(request.annotation_count, 2);
    assert_string_equal(kubelet_request_annotation(&request, "acr.aliyun.com/role-arn"),
                        "acs:ram::1:role/r");
    assert_string_equal(kubelet_request_annotation(&request, ""), "<");
    assert_null(kubelet_request_annotation(&request, "acr.aliyun.com/role"));

    /* Another decode replaces everything; a failed one changes nothing. */
    assert_false(decode(&request, V1 ",\"image\":\"\"}", &err));
    assert_int_equal(request.annotation_count, 2);
    assert_true(decode(&request, V1 ",\"image\":\"h/i\"}", &err));
    assert_string_equal(request.image, "h/i");
    assert_true(secret_is_empty(&request.service_account_token));
    assert_int_equal(request.annotation_count, 0);
}

static const char *const good[] = {
    V1 IMAGE "}",
    "{" API "v1beta1\"," KIND IMAGE "}",
    "{" KIND "," API "v1alpha1\"" IMAGE "}",
    /* Fields of a later kubelet, of any type. */
    V1 IMAGE ",\"new\":{\"a\":[1.5,null]},\"Image\":5}",
    V1 IMAGE ",\"serviceAccountToken\":\"\",\"serviceAccountAnnotations\":{}}",
    /* Unknown, so ignored, where the version does not have them. */
    "{" KIND "," API "v1beta1\"" IMAGE ",\"serviceAccountToken\":5}",
    "{" KIND "," API "v1alpha1\"" IMAGE ",\"serviceAccountAnnotations\":[]}",
    /* Callers other than the kubelet. */
    V1 ",\"image\":\"localhost:5000\"}",
    V1 ",\"image\":\"Hub.Example.com/a:tag@sha256:00\"}",
};

static void accepts_what_may_come(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct kubelet_request request AUTO(kubelet_request_clear) = {0};
        struct error err = {0};

        if (!decode(&request, good[i], &err))
            fail_msg("%s gave: %s", good[i], err.cause);
    }
}

static void ignores_the_service_account_in_old_versions(void **state)
{
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_true(decode(&request,
                       "{" KIND "," API "v1beta1\"" IMAGE ",\"serviceAccountToken\":\"token\","
                       "\"serviceAccountAnnotations\":{\"a\":\"b\"}}",
                       &err));
    assert_true(secret_is_empty(&request.service_account_token));
    assert_null(kubelet_request_annotation(&request, "a"));
}

static const struct {
    const char *text;
    const char *words;
} bad[] = {
    {"", "empty input"},
    {"[]", "the document must be a JSON object"},
    {"{}", "kind is missing"},
    {"{\"kind\":5," API "v1\"" IMAGE "}", "kind must be a string"},
    {"{\"kind\":\"CredentialProviderResponse\"," API "v1\"" IMAGE "}",
     "kind must be \"CredentialProviderRequest\""},
    {"{\"kind\":\"credentialproviderrequest\"," API "v1\"" IMAGE "}", "kind must be"},
    {"{" KIND IMAGE "}", "apiVersion is missing"},
    {"{" KIND ",\"apiVersion\":1" IMAGE "}", "apiVersion must be a string"},
    {"{" KIND "," API "v2\"" IMAGE "}", "apiVersion must be"},
    {"{" KIND "," API "v1 \"" IMAGE "}", "apiVersion must be"},
    {"{" KIND "," API "\"" IMAGE "}", "apiVersion must be"},
    {"{" KIND ",\"apiVersion\":\"v1\"" IMAGE "}", "apiVersion must be"},
    {"{" KIND "," API "v1" API IMAGE "}", "not valid JSON"},
    {V1 "}", "image is missing"},
    {V1 ",\"image\":null}", "image must be a string"},
    {V1 ",\"image\":[\"a\"]}", "image must be a string"},
    {V1 ",\"image\":\"\"}", "image is empty"},
    {V1 ",\"image\":\" \"}", "image has a blank"},
    {V1 ",\"image\":\"h/a b\"}", "image has a blank"},
    {V1 ",\"image\":\"h/a\\n\"}", "image has a byte that is not printable ASCII"},
    {V1 ",\"image\":\"h/a\\u001b[0m\"}", "image has a byte that is not printable ASCII"},
    {V1 ",\"image\":\"h/\xC3\xA9\"}", "image has a byte that is not printable ASCII"},
    {V1 ",\"image\":\"h/a\x7F\"}", "image has a byte that is not printable ASCII"},
    {V1 ",\"image\":\"h/a\\u0000b\"}", "image must not have a NUL"},
    {V1 IMAGE ",\"serviceAccountToken\":5}", "serviceAccountToken must be a string"},
    {V1 IMAGE ",\"serviceAccountToken\":null}", "serviceAccountToken must be a string"},
    {V1 IMAGE ",\"serviceAccountToken\":\"a\\u0000\"}", "serviceAccountToken must not have a NUL"},
    {V1 IMAGE ",\"serviceAccountAnnotations\":[]}", "serviceAccountAnnotations must be an object"},
    {V1 IMAGE ",\"serviceAccountAnnotations\":{\"a\":\"b\",\"c\":5}}",
     "serviceAccountAnnotations.c must be a string"},
    {V1 IMAGE ",\"serviceAccountAnnotations\":{\"a\":\"b\\u0000\"}}",
     "serviceAccountAnnotations.a must not have a NUL"},
    {V1 IMAGE "}\n{}", "line 2, column 1: unexpected character"},
};

static void refuses_with_the_name_of_the_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct kubelet_request request AUTO(kubelet_request_clear) = {0};
        struct error err = {0};

        if (decode(&request, bad[i].text, &err))
            fail_msg("accepted: %s", bad[i].text);
        if (strstr(err.cause, bad[i].words) == NULL)
            fail_msg("%s gave: %s", bad[i].text, err.cause);
        assert_int_equal(err.kind, ERROR_REQUEST);
    }
}

static void never_quotes_the_token(void **state)
{
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    struct error err = {0};
    char line[2048];

    (void)state;
    assert_false(decode(&request, V1 ",\"serviceAccountToken\":\"top-secret\",\"image\":5}", &err));
    error_format(&err, line, sizeof line);
    assert_null(strstr(line, "top-secret"));
    assert_false(decode(&request, V1 IMAGE ",\"serviceAccountToken\":[\"top-secret\"]}", &err));
    error_format(&err, line, sizeof line);
    assert_null(strstr(line, "top-secret"));
}

static void append_image(struct buf *text, size_t length)
{
    buf_append_text(text, V1 ",\"image\":\"");
    for (size_t i = 0; i < length; i++)
        buf_append_text(text, "a");
    buf_append_text(text, "\"}");
}

static void bounds_the_image(void **state)
{
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    struct buf fits AUTO(buf_clear) = {0};
    struct buf too_long AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    append_image(&fits, 1023);
    append_image(&too_long, 1024);
    assert_true(decode(&request, buf_text(&fits), &err));
    assert_int_equal(strlen(request.image), 1023);
    assert_false(decode(&request, buf_text(&too_long), &err));
    assert_string_equal(err.cause, "image must be at most 1023 bytes long");
}

static void append_annotations(struct buf *text, int count)
{
    buf_append_text(text, V1 IMAGE ",\"serviceAccountAnnotations\":{");
    for (int i = 0; i < count; i++)
        buf_append_format(text, "%s\"k%d\":\"v\"", i == 0 ? "" : ",", i);
    buf_append_text(text, "}}");
}

static void bounds_the_annotations(void **state)
{
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    struct buf fits AUTO(buf_clear) = {0};
    struct buf too_many AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    append_annotations(&fits, 64);
    append_annotations(&too_many, 65);
    assert_true(decode(&request, buf_text(&fits), &err));
    assert_string_equal(kubelet_request_annotation(&request, "k63"), "v");
    assert_false(decode(&request, buf_text(&too_many), &err));
    assert_string_equal(err.cause, "serviceAccountAnnotations must have at most 64 entries");
}

static void bounds_the_request(void **state)
{
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    buf_append_text(&text, V1 IMAGE "}");
    while (text.length < KUBELET_REQUEST_MAX_BYTES)
        buf_append_text(&text, " ");
    assert_true(decode(&request, buf_text(&text), &err));
    buf_append_text(&text, " ");
    assert_false(decode(&request, buf_text(&text), &err));
    assert_string_equal(err.cause, "longer than 1048576 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_a_full_request),
        cmocka_unit_test(accepts_what_may_come),
        cmocka_unit_test(ignores_the_service_account_in_old_versions),
        cmocka_unit_test(refuses_with_the_name_of_the_field),
        cmocka_unit_test(never_quotes_the_token),
        cmocka_unit_test(bounds_the_image),
        cmocka_unit_test(bounds_the_annotations),
        cmocka_unit_test(bounds_the_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
