/* doctor/login_check: who is sent the password, and what the answers mean. */
#include "doctor/login_check.h"

#include <string.h>

#include "base/credentials.h"
#include "doctor/report.h"
#include "fake_http.h"

/* base64 of "user:secret" */
#define BASIC "Basic dXNlcjpzZWNyZXQ="

static struct buf said; /* the JSON of the checks */

/* Runs the check with this realm; `script` is what the token service answers. */
static void check(const char *realm, const char *path, const struct fake_exchange *script,
                  size_t count)
{
    struct token token AUTO(credentials_clear_token) = {.user = "user"};
    struct report report AUTO(report_clear) = {.system = &fake_system, .is_json = true};
    const struct http http = fake_http_start(script, count);
    struct buf challenge AUTO(buf_clear) = {0};

    secret_set(&token.password, "secret", 6);
    buf_append_format(&challenge, "Bearer realm=\"%s\",service=\"registry.aliyuncs.com:a b\"",
                      realm);
    login_check(&report, &http, buf_text(&challenge), &token, "RAM role X", path);
    fake_http_end();
    buf_clear(&said);
    said = TAKE(report.checks);
    assert_null(strstr(buf_text(&said), "secret"));
}

static void assert_said(const char *id, const char *status)
{
    struct buf text AUTO(buf_clear) = {0};

    buf_append_format(&text, "\"id\":\"%s\",\"status\":\"%s\"", id, status);
    if (strstr(buf_text(&said), buf_text(&text)) == NULL)
        fail_msg("%s is not in %s", buf_text(&text), buf_text(&said));
}

static void assert_login(const struct http_request *request)
{
    assert_string_equal(fake_http_header(request, "Authorization"), BASIC);
}

static void sends_the_password_to_token_services(void **state)
{
    static const char *const realms[] = {
        "https://dockerauth.cn-hangzhou.aliyuncs.com/auth",
        "https://dockerauth-vpc.cn-hangzhou.aliyuncs.com/auth",
        "https://dockerauth-ee.ap-southeast-1.aliyuncs.com/auth",
        "https://dockerauth-ee-vpc.us-west-1.aliyuncs.com/auth",
        "https://dockerauth-cn-hangzhou.aliyuncs.com/auth",
        "https://dockerauth.cn-hangzhou.aliyuncs.com",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(realms); i++) {
        const struct fake_exchange script[] = {
            {"GET", realms[i], 200, "{\"token\":\"a.b.c\"}", .on_request = assert_login}};

        check(realms[i], "", script, COUNT_OF(script));
        assert_said("login.password", "ok");
    }
}

static void sends_the_password_to_nobody_else(void **state)
{
    static const char *const realms[] = {
        "https://x.oss-cn-hangzhou.aliyuncs.com/",
        "https://dockerauth.oss-cn-hangzhou.aliyuncs.com/auth",
        "https://dockerauth-x.oss-cn-hangzhou.aliyuncs.com/auth",
        "https://dockerauth-oss-cn-hangzhou.aliyuncs.com/auth",
        "https://dockerauth.cn-hangzhou.aliyuncs.com.evil.example/auth",
        "https://dockerauth.cn-hangzhou.evilaliyuncs.com/auth",
        "https://a.dockerauth.cn-hangzhou.aliyuncs.com/auth",
        "https://dockerauth.a.cn-hangzhou.aliyuncs.com/auth",
        "https://evil.example/dockerauth.cn-hangzhou.aliyuncs.com",
        "https://evil.example#.dockerauth.cn-hangzhou.aliyuncs.com/",
        "https://evil.example?.dockerauth.cn-hangzhou.aliyuncs.com/",
        "https://evil.example\\\\.dockerauth.cn-hangzhou.aliyuncs.com/",
        "https://dockerauth.cn-hangzhou.aliyuncs.com@evil.example/auth",
        "https://user@dockerauth.cn-hangzhou.aliyuncs.com/auth",
        "https://user:a@dockerauth.cn-hangzhou.aliyuncs.com/auth",
        "https://dockerauth.cn-hangzhou.aliyuncs.com:443/auth",
        "https://dockerauth.cn-hangzhou.aliyuncs.com:8443/auth",
        "https://dockerauth.cn-hangzhou.aliyuncs.com?a=b",
        "https://dockerauth.cn-hangzhou.aliyuncs.com./auth",
        "https://dockerauth.cn-hangzhou.aliyuncs.com%2eevil.example/auth",
        "https://DOCKERAUTH.cn-hangzhou.aliyuncs.com/auth",
        "https://dockerauth..aliyuncs.com/auth",
        "https://dockerauth.aliyuncs.com/auth",
        "https://dockerauth-ee-.cn-hangzhou.aliyuncs.com/auth",
        "http://dockerauth.cn-hangzhou.aliyuncs.com/auth",
        "HTTPS://dockerauth.cn-hangzhou.aliyuncs.com/auth",
        "//dockerauth.cn-hangzhou.aliyuncs.com/auth",
        "dockerauth.cn-hangzhou.aliyuncs.com/auth",
        "https://127.0.0.1/auth",
        "https://[::1]/auth",
        "https://",
        "",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(realms); i++) {
        check(realms[i], "/team/app", NULL, 0);
        assert_said("login.password", "warning");
    }
}

/* What is asked for, and what the answers mean: the claims are {"access": [...]}. */
static void asks_for_a_repository(void **state)
{
    static const char realm[] = "https://dockerauth.cn-hangzhou.aliyuncs.com/auth";
    static const char grants[] = /* name team/app, action pull */
        "{\"token\":\"e30.eyJhY2Nlc3MiOlt7Im5hbWUiOiJ0ZWFtL2FwcCIsImFjdGlvbnMiOlsicHVsbCJdfV19."
        "c\"}";
    static const char grants_nothing[] = /* [] */
        "{\"token\":\"e30.eyJhY2Nlc3MiOltdfQ.c\"}";
    static const struct {
        const char *path;
        const char *url; /* NULL: without a scope */
        long status;
        const char *body;
        const char *password;
        const char *pull; /* NULL: nothing is said of it */
    } rows[] = {
        {"/team/app", "repository%3Ateam%2Fapp%3Apull", 200, grants, "ok", "ok"},
        {"/team/app:v1", "repository%3Ateam%2Fapp%3Apull", 200, grants, "ok", "ok"},
        {"/team/app@sha256:00", "repository%3Ateam%2Fapp%3Apull", 200, grants, "ok", "ok"},
        {"/team/app:v1@sha256:00", "repository%3Ateam%2Fapp%3Apull", 200, grants, "ok", "ok"},
        {"/app:v1", "repository%3Aapp%3Apull", 200, grants, "ok", "failed"},
        {"/team/app", "pull", 200, grants_nothing, "ok", "failed"},
        {"/team/app", "pull", 200, "{\"token\":\"opaque\"}", "ok", "skipped"},
        {"", NULL, 200, grants, "ok", "skipped"},
        {"/team/app", "pull", 401, "secret", "failed", NULL},
        {"/team/app", "pull", 403, "", "failed", NULL},
        {"/team/app", "pull", 404, "", "failed", NULL},
        {"/team/app", "pull", 200, "{}", "failed", NULL},
        {"/team/app", "pull", 200, "<html>secret", "failed", NULL},
        {"/team/app", "pull", 0, NULL, "failed", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct fake_exchange script[] = {
            {"GET", rows[i].url == NULL ? "?service=registry.aliyuncs.com%3Aa%20b" : rows[i].url,
             rows[i].status, rows[i].body, .error_kind = ERROR_UNAVAILABLE,
             .on_request = assert_login}};

        check(realm, rows[i].path, script, COUNT_OF(script));
        assert_said("login.password", rows[i].password);
        if (rows[i].pull != NULL)
            assert_said("login.pull", rows[i].pull);
        else
            assert_null(strstr(buf_text(&said), "login.pull"));
    }
}

static void needs_a_challenge(void **state)
{
    static const char *const challenges[] = {
        "", "Basic realm=\"a\"",
        "Bearer realm=\"https://dockerauth.cn-hangzhou.aliyuncs.com/auth\"",
        "Bearer service=\"a\""};
    const struct token token = {0};
    const struct http http = fake_http_start(NULL, 0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(challenges); i++) {
        struct report report AUTO(report_clear) = {.system = &fake_system, .is_json = true};

        login_check(&report, &http, challenges[i], &token, "RAM role X", "/a");
        assert_non_null(strstr(buf_text(&report.checks), "\"status\":\"skipped\""));
    }
}

static int clear(void **state)
{
    (void)state;
    buf_clear(&said);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_the_password_to_token_services),
        cmocka_unit_test(sends_the_password_to_nobody_else),
        cmocka_unit_test(asks_for_a_repository),
        cmocka_unit_test(needs_a_challenge),
    };

    return cmocka_run_group_tests(tests, NULL, clear);
}
