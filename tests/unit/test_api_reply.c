/* proto-json/api_reply: errors of every shape, tokens of both editions, lists. */
#include <string.h>

#include "base/buf.h"
#include "proto-json/api_reply.h"
#include "test.h"

#define OK       "\"IsSuccess\":true,\"Code\":\"success\",\"RequestId\":\"R-1\""
#define USER     "\"TempUsername\":\"cr_temp_user\""
#define PASSWORD "\"AuthorizationToken\":\"eyJ0:example\""
#define EXPIRE   "\"ExpireTime\":1767326645000"

static void reads_errors_of_both_styles(void **state)
{
    static const char upper[] =
        "{\"RequestId\":\"E069\",\"HostId\":\"cr.cn-hangzhou.aliyuncs.com\","
        "\"Code\":\"NoPermission\",\"Message\":\"You are not\\nauthorized.\","
        "\"AccessDeniedDetail\":{\"AuthAction\":\"cr:GetAuthorizationToken\","
        "\"AuthPrincipalDisplayName\":\"role:session\",\"AuthPrincipalOwnerId\":\"1\","
        "\"NoPermissionType\":\"ImplicitDeny\"}}";
    static const char lower[] =
        "{\"code\":\"USER_NOT_EXIST\",\"message\":\"user is not exist.\",\"requestId\":\"77C7\","
        "\"status\":404,\"accessDeniedDetail\":{\"AuthAction\":\"cr:X\","
        "\"NoPermissionType\":null}}";
    struct api_error error = {.auth_principal = "old"};

    (void)state;
    api_reply_decode_error(&error, upper, strlen(upper));
    assert_string_equal(error.code, "NoPermission");
    assert_string_equal(error.message, "You are not?authorized.");
    assert_string_equal(error.request_id, "E069");
    assert_string_equal(error.auth_action, "cr:GetAuthorizationToken");
    assert_string_equal(error.auth_principal, "role:session");
    assert_string_equal(error.no_permission_type, "ImplicitDeny");
    api_reply_decode_error(&error, lower, strlen(lower));
    assert_string_equal(error.code, "USER_NOT_EXIST");
    assert_string_equal(error.message, "user is not exist.");
    assert_string_equal(error.request_id, "77C7");
    assert_string_equal(error.auth_action, "cr:X");
    assert_string_equal(error.auth_principal, "");
    assert_string_equal(error.no_permission_type, "");
}

static const struct {
    const char *text;
    const char *code;
} error_bodies[] = {
    {"", ""},
    {"null", ""},
    {"[]", ""},
    {"{}", ""},
    {"<html>502</html>", ""},
    {"{\"Code\":5}", ""},
    {"{\"Code\":null,\"Message\":[],\"RequestId\":{},\"AccessDeniedDetail\":\"x\"}", ""},
    {"{\"Code\":\"\",\"code\":\"lower\"}", "lower"},
    {"{\"Code\":5,\"code\":\"lower\"}", "lower"},
    {"{\"Code\":\"Upper\",\"code\":\"lower\"}", "Upper"},
    {"{\"Code\":\"A\"} trailing", ""},
    {"{\"Code\":\"Throttling.User\",\"AccessDeniedDetail\":[]}", "Throttling.User"},
    {"{\"Code\":\"\\u001b[31m\xC3\xA9\"}", "?[31m??"},
};

static void never_fails_on_an_error_body(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(error_bodies); i++) {
        struct api_error error = {.code = "old", .message = "old"};

        api_reply_decode_error(&error, error_bodies[i].text, strlen(error_bodies[i].text));
        assert_string_equal(error.code, error_bodies[i].code);
        assert_string_equal(error.message, "");
    }
}

static void cuts_long_errors(void **state)
{
    struct buf text AUTO(buf_clear) = {0};
    struct api_error error;

    (void)state;
    buf_append_text(&text, "{\"Code\":\"");
    for (int i = 0; i < 5000; i++)
        buf_append_text(&text, "c");
    buf_append_text(&text, "\"}");
    api_reply_decode_error(&error, text.bytes, text.length);
    assert_int_equal(strlen(error.code), sizeof error.code - 1);
}

static const struct {
    const char *text;
    bool is_refusal;
} answers[] = {
    {"{\"IsSuccess\":true}", false},
    {"{\"IsSuccess\":true,\"Code\":\"success\"}", false},
    {"{\"IsSuccess\":false}", true},
    {"{\"IsSuccess\":\"true\"}", true},
    {"{\"IsSuccess\":1}", true},
    {"{\"IsSuccess\":null}", true},
    {"{\"code\":\"USER_NOT_EXIST\",\"message\":\"none\"}", true},
    {"{\"Code\":\"NoPermission\",\"a\":{\"IsSuccess\":true}}", true},
    {"{\"code\":\"anything\",\"data\":{}}", false},
    {"{\"Code\":\"anything\",\"Credentials\":{}}", false},
    {"{\"RequestId\":\"R\"}", false},
    {"<html>", false},
    {"", false},
};

static void knows_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        if (api_reply_is_refusal(answers[i].text, strlen(answers[i].text)) != answers[i].is_refusal)
            fail_msg("%s", answers[i].text);
    }
}

static const struct {
    const char *text;
    int64_t expires_at_s;
} enterprise[] = {
    {"{" OK "," USER "," PASSWORD "," EXPIRE "}", 1767326645},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":1767326645999,\"New\":null}", 1767326645},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":\"1767326645000\"}", 1767326645},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":1767326645}", 1767326645},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":\"1767326645\"}", 1767326645},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":99999999999}", 99999999999},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":100000000000}", 100000000},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":1}", 1},
};

static void decodes_enterprise_tokens(void **state)
{
    struct token token AUTO(credentials_clear_token) = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(enterprise); i++) {
        struct error err = {0};

        if (!api_reply_decode_token(&token, false, enterprise[i].text, strlen(enterprise[i].text),
                                    &err))
            fail_msg("%s gave: %s", enterprise[i].text, err.cause);
        assert_string_equal(token.user, "cr_temp_user");
        assert_string_equal(secret_reveal(&token.password), "eyJ0:example");
        assert_int_equal(token.expires_at_s, enterprise[i].expires_at_s);
    }
}

static const struct {
    const char *text;
    const char *words;
} bad_enterprise[] = {
    {"", "empty input"},
    {"{}", "IsSuccess is not true"},
    {"{\"IsSuccess\":\"true\"," USER "," PASSWORD "," EXPIRE "}", "IsSuccess is not true"},
    {"{" OK "," PASSWORD "," EXPIRE "}", "TempUsername is missing"},
    {"{" OK ",\"TempUsername\":\"\"," PASSWORD "," EXPIRE "}", "TempUsername is empty"},
    {"{" OK ",\"TempUsername\":\"a\\nb\"," PASSWORD "," EXPIRE "}",
     "TempUsername has a byte that is not printable ASCII"},
    {"{" OK ",\"TempUsername\":5," PASSWORD "," EXPIRE "}", "TempUsername must be a string"},
    {"{" OK "," USER "," EXPIRE "}", "AuthorizationToken is missing"},
    {"{" OK "," USER ",\"AuthorizationToken\":\"\"," EXPIRE "}", "AuthorizationToken is empty"},
    {"{" OK "," USER ",\"AuthorizationToken\":\"a\\u007f\"," EXPIRE "}",
     "AuthorizationToken has a byte that is not printable ASCII"},
    {"{" OK "," USER ",\"AuthorizationToken\":\"a\\r\"," EXPIRE "}",
     "AuthorizationToken has a byte that is not printable ASCII"},
    {"{" OK "," USER "," PASSWORD "}", "ExpireTime is missing"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":null}", "ExpireTime must be a whole number"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":0}", "ExpireTime must be from 1"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":-1}", "ExpireTime must be from 1"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":1.5}", "ExpireTime must be a whole number"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":9223372036854775808}", "ExpireTime must be"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":253402300800000}", "ExpireTime must be"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":\"\"}", "ExpireTime must be a number"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":\"0\"}", "ExpireTime must be a number"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":\"-5\"}", "ExpireTime must be a number"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":\"1767326645000Z\"}",
     "ExpireTime must be a number"},
    {"{" OK "," USER "," PASSWORD ",\"ExpireTime\":\"99999999999999999999999\"}",
     "ExpireTime must be a number"},
    {"{" OK "," USER ",\"AuthorizationToken\":\"a\xC3\xA9\"," EXPIRE "}",
     "AuthorizationToken has a byte that is not printable ASCII"},
    {"{" OK "," USER ",\"AuthorizationToken\":\"a\\u0000b\"," EXPIRE "}",
     "AuthorizationToken must not have a NUL"},
};

static void refuses_enterprise_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad_enterprise); i++) {
        struct token token AUTO(credentials_clear_token) = {0};
        struct error err = {0};

        if (api_reply_decode_token(&token, false, bad_enterprise[i].text,
                                   strlen(bad_enterprise[i].text), &err))
            fail_msg("accepted: %s", bad_enterprise[i].text);
        if (strstr(err.cause, bad_enterprise[i].words) == NULL)
            fail_msg("%s gave: %s", bad_enterprise[i].text, err.cause);
        assert_int_equal(err.kind, ERROR_UNAVAILABLE);
        assert_null(strstr(err.cause, "eyJ0"));
        assert_string_equal(token.user, "");
    }
}

static void append_token(struct buf *text, int length)
{
    buf_append_text(text, "{" OK "," USER "," EXPIRE ",\"AuthorizationToken\":\"");
    for (int i = 0; i < length; i++)
        buf_append_text(text, "t");
    buf_append_text(text, "\"}");
}

static void bounds_the_password(void **state)
{
    struct buf fits AUTO(buf_clear) = {0};
    struct buf too_long AUTO(buf_clear) = {0};
    struct token token AUTO(credentials_clear_token) = {0};
    struct error err = {0};

    (void)state;
    append_token(&fits, TOKEN_PASSWORD_MAX_BYTES);
    append_token(&too_long, TOKEN_PASSWORD_MAX_BYTES + 1);
    assert_true(api_reply_decode_token(&token, false, fits.bytes, fits.length, &err));
    assert_int_equal(token.password.length, TOKEN_PASSWORD_MAX_BYTES);
    assert_false(api_reply_decode_token(&token, false, too_long.bytes, too_long.length, &err));
}

#define DATA(fields) "{\"requestId\":\"R\",\"data\":{" fields "}}"
#define P_USER       "\"tempUserName\":\"cr_temp_user\""
#define P_PASSWORD   "\"authorizationToken\":\"opaque\""

static void decodes_personal_tokens(void **state)
{
    static const char text[] = DATA(P_USER "," P_PASSWORD ",\"expireDate\":1646219005000");
    static const char *const bad[] = {
        "{}",
        "{\"data\":null}",
        "{\"data\":[]}",
        "{" P_USER "," P_PASSWORD ",\"expireDate\":1646219005000}",
        DATA(P_PASSWORD ",\"expireDate\":1646219005000"),
        DATA("\"tempUsername\":\"u\"," P_PASSWORD ",\"expireDate\":1646219005000"),
        DATA(P_USER ",\"expireDate\":1646219005000"),
        DATA(P_USER "," P_PASSWORD),
        DATA(P_USER "," P_PASSWORD ",\"expireDate\":\"tomorrow\""),
    };
    struct token token AUTO(credentials_clear_token) = {0};
    struct error err = {0};

    (void)state;
    assert_true(api_reply_decode_token(&token, true, text, strlen(text), &err));
    assert_string_equal(token.user, "cr_temp_user");
    assert_string_equal(secret_reveal(&token.password), "opaque");
    assert_int_equal(token.expires_at_s, 1646219005);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (api_reply_decode_token(&token, true, bad[i], strlen(bad[i]), &err))
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    }
    assert_false(api_reply_decode_token(&token, true, bad[4], strlen(bad[4]), &err));
    assert_string_equal(err.cause, "data.tempUserName is missing: it must be a string");
}

static void decodes_instances(void **state)
{
    static const char text[] =
        "{" OK ",\"PageNo\":1,\"PageSize\":\"30\",\"TotalCount\":\"2\",\"Instances\":["
        "{\"InstanceId\":\"cri-a\",\"InstanceName\":\"demo\",\"InstanceStatus\":\"RUNNING\","
        "\"RegionId\":\"cn-shanghai\",\"CreateTime\":\"1\",\"Tags\":[]},"
        "{\"InstanceId\":\"cri-b\",\"InstanceName\":null}]}";
    static const char empty[] = "{\"IsSuccess\":true,\"Instances\":[]}";
    struct api_instance_page page = {0};
    struct error err = {0};

    (void)state;
    assert_true(api_reply_decode_instances(&page, "demo", text, strlen(text), &err));
    assert_int_equal(page.count, 2);
    assert_int_equal(page.page_size, 30);
    assert_int_equal(page.total_count, 2);
    assert_string_equal(page.id, "cri-a");
    assert_true(api_reply_decode_instances(&page, "dem", text, strlen(text), &err));
    assert_string_equal(page.id, "");
    assert_true(api_reply_decode_instances(&page, "", text, strlen(text), &err));
    assert_string_equal(page.id, "cri-b");
    assert_true(api_reply_decode_instances(&page, "demo", empty, strlen(empty), &err));
    assert_int_equal(page.count, 0);
    assert_int_equal(page.total_count, 0);
}

static void refuses_instances(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } bad[] = {
        {"{\"Instances\":[]}", "IsSuccess"},
        {"{" OK "}", "Instances is missing"},
        {"{" OK ",\"Instances\":{}}", "Instances must be an array"},
        {"{" OK ",\"Instances\":[null]}", "Instances[0] must be an object"},
        {"{" OK ",\"Instances\":[{}]}", "Instances[0].InstanceId is missing"},
        {"{" OK ",\"Instances\":[{\"InstanceId\":\"a\"},{\"InstanceId\":5}]}",
         "Instances[1].InstanceId must be a string"},
        {"{" OK ",\"Instances\":[{\"InstanceId\":\"a\",\"InstanceName\":5}]}",
         "Instances[0].InstanceName must be a string"},
        {"{" OK ",\"Instances\":[],\"TotalCount\":-1}", "TotalCount must be"},
        {"{" OK ",\"Instances\":[],\"TotalCount\":\"many\"}", "TotalCount must be a number"},
        {"{" OK ",\"Instances\":[],\"PageSize\":9223372036854775807}", "PageSize must be"},
    };
    struct buf many AUTO(buf_clear) = {0};
    struct api_instance_page page = {0};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(
            api_reply_decode_instances(&page, "demo", bad[i].text, strlen(bad[i].text), &err));
        if (strstr(err.cause, bad[i].words) == NULL)
            fail_msg("%s gave: %s", bad[i].text, err.cause);
    }
    buf_append_text(&many, "{" OK ",\"Instances\":[{\"InstanceId\":\"a\"}");
    for (int i = 0; i < API_REPLY_INSTANCES_MAX; i++)
        buf_append_text(&many, ",{\"InstanceId\":\"a\"}");
    buf_append_text(&many, "]}");
    assert_false(api_reply_decode_instances(&page, "demo", many.bytes, many.length, &err));
    assert_string_equal(err.cause, "Instances must have at most 100 elements");
}

#define ENDPOINTS                                                                                  \
    "{" OK ",\"Endpoints\":[{\"EndpointType\":\"internet\",\"Domains\":["                          \
    "{\"Domain\":\"demo-registry.cn-shanghai.cr.aliyuncs.com\",\"Type\":\"SYSTEM\"},"              \
    "{\"Domain\":\"Hub.Example.com\",\"Type\":\"USER\"}]},"                                        \
    "{\"EndpointType\":\"vpc\",\"Domains\":null},{\"Domains\":[]},{},"                             \
    "{\"Domains\":[{\"Domain\":\"last.example.com\"}]}]}"

static const struct {
    const char *text;
    const char *host;
    bool found;
} domains[] = {
    {ENDPOINTS, "demo-registry.cn-shanghai.cr.aliyuncs.com", true},
    {ENDPOINTS, "hub.example.com", true},
    {ENDPOINTS, "last.example.com", true},
    {ENDPOINTS, "example.com", false},
    {ENDPOINTS, "hub.example.com.", false},
    {ENDPOINTS, "hub.example.com:443", false},
    {ENDPOINTS, "xhub.example.com", false},
    {ENDPOINTS, "hub.example.co", false},
    {ENDPOINTS, "USER", false},
    {ENDPOINTS, "", false},
    {"{" OK ",\"Domains\":[{\"Domain\":\"a\"}]}", "a", false},
    {"{" OK "}", "a", false},
    {"{" OK ",\"Endpoints\":null}", "a", false},
    {"{" OK ",\"Other\":[{\"Domain\":\"a\"}]}", "a", false},
};

static void finds_domains_exactly(void **state)
{
    static const char *const bad[] = {
        "{\"Endpoints\":[{\"Domains\":[{\"Domain\":\"a\"}]}]}",
        "{\"IsSuccess\":false,\"Endpoints\":[{\"Domains\":[{\"Domain\":\"a\"}]}]}",
        "{" OK ",\"Endpoints\":[{\"Domains\":[\"a\"]}]}",
        "{" OK ",\"Endpoints\":{}}",
        "{" OK ",\"Endpoints\":[\"a\"]}",
        "{" OK ",\"Endpoints\":[{\"Domains\":\"a\"}]}",
        "{" OK ",\"Endpoints\":[{\"Domains\":[5]}]}",
        "{" OK ",\"Endpoints\":[{\"Domains\":[{\"Domain\":null}]}]}",
        "{" OK ",\"Endpoints\":[{\"Domains\":[{\"Domain\":\"a\\u0000b\"}]}]}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(domains); i++) {
        struct error err = {0};
        bool found = !domains[i].found;

        if (!api_reply_lists_domain(&found, domains[i].text, strlen(domains[i].text),
                                    domains[i].host, &err))
            fail_msg("%s", err.cause);
        if (found != domains[i].found)
            fail_msg("%s in %s", domains[i].host, domains[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct error err = {0};
        bool found = false;

        if (api_reply_lists_domain(&found, bad[i], strlen(bad[i]), "a", &err))
            fail_msg("accepted: %s", bad[i]);
        assert_false(found);
        assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_errors_of_both_styles),
        cmocka_unit_test(never_fails_on_an_error_body),
        cmocka_unit_test(cuts_long_errors),
        cmocka_unit_test(knows_refusals),
        cmocka_unit_test(decodes_enterprise_tokens),
        cmocka_unit_test(refuses_enterprise_tokens),
        cmocka_unit_test(bounds_the_password),
        cmocka_unit_test(decodes_personal_tokens),
        cmocka_unit_test(decodes_instances),
        cmocka_unit_test(refuses_instances),
        cmocka_unit_test(finds_domains_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
