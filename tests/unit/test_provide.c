/* The whole way of a request and every second try in it, without sockets. */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "config/settings.h"
#include "fake_http.h"
#include "proto-json/kubelet_request.h"
#include "provide.h"

#define DEMO      "demo-registry.cn-hangzhou.cr.aliyuncs.com"
#define FOUND     "Bearer service=\"registry.aliyuncs.com:cn-hangzhou:china:cri-found\""
#define MADE_ANEW "Bearer service=\"registry.aliyuncs.com:cn-hangzhou:china:cri-anew\""
#define TOKEN                                                                                      \
    "{\"IsSuccess\":true,\"TempUsername\":\"cr_temp_user\",\"AuthorizationToken\":\"secret-1\","   \
    "\"ExpireTime\":1767326645000,\"RequestId\":\"REQUEST-1\"}"
#define REFUSAL(code) "{\"Code\":\"" code "\",\"Message\":\"no\",\"RequestId\":\"REQUEST-2\"}"
#define ROLE_CREDENTIALS                                                                           \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"STS.a\",\"AccessKeySecret\":\"b\","                   \
    "\"SecurityToken\":\"c\",\"Expiration\":\"2026-01-02T09:04:05Z\"}"

static const struct fake_text key[] = {{"ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIkey"},
                                       {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret-0"},
                                       {NULL, NULL}};

static struct settings settings;
static char directory[] = "/tmp/test-provide-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(directory));
    settings_default(&settings);
    free(settings.cache.directory);
    settings.cache.directory = alloc_string(directory);
    return 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    settings_clear(&settings);
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}

static size_t count_files(void)
{
    DIR *files = opendir(directory);
    size_t count = 0;

    assert_non_null(files);
    while (readdir(files) != NULL)
        count++;
    (void)closedir(files);
    return count - 2; /* . and .. */
}

/* The script of a run that starts `later_ms` after the first; no two start at the same time. */
static struct http start(const struct fake_exchange *script, size_t count, int64_t later_ms)
{
    static int64_t runs;
    struct http http = fake_http_start(script, count);

    later_ms += ++runs;
    fake.mono_ms += later_ms;
    http.deadline_ms += later_ms;
    return http;
}

/* One run with this script; `variables` are its environment. */
static bool ask(struct answer *out, const char *image, const struct fake_text *variables,
                const struct fake_exchange *script, size_t count, struct error *err)
{
    struct kubelet_request request = {0};
    struct run run = {.settings = &settings, .system = &fake_system};
    bool provided;

    run.http = start(script, count, 0);
    fake.variables = variables;
    text_copy(request.image, sizeof request.image, image);
    provided = provide(out, &run, &request, err);
    fake_http_end();
    return provided;
}

static const struct fake_exchange first_run[] = {
    {.method = "GET", .url = "https://" DEMO "/v2/", .status = 401, .challenge = FOUND},
    {.method = "POST",
     .url = "https://cr.cn-hangzhou.aliyuncs.com/?InstanceId=cri-found",
     .status = 200,
     .body = TOKEN,
     .request_id = "REQUEST-1"},
};

static void token_is_requested_once_and_then_cached(void **state)
{
    struct answer first AUTO(provide_answer_clear) = {0};
    struct answer second AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_true(ask(&first, DEMO "/a", key, first_run, COUNT_OF(first_run), &err));
    assert_string_equal(secret_reveal(&first.token.password), "secret-1");
    assert_string_equal(first.token.request_id, "REQUEST-1");
    assert_string_equal(first.key, DEMO);
    assert_false(first.is_from_cache);
    assert_int_equal(fake_http.preconnected, 1);
    assert_int_equal(fake_http.prefetched, 1);

    assert_true(ask(&second, DEMO "/b", key, NULL, 0, &err));
    assert_string_equal(secret_reveal(&second.token.password), "secret-1");
    assert_true(second.is_from_cache);
}

static void nothing_is_kept_without_a_cache(void **state)
{
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    settings.cache.is_enabled = false;
    assert_true(ask(&answer, DEMO "/a", key, first_run, COUNT_OF(first_run), &err));
    assert_int_equal(count_files(), 0);
}

/* As the metadata service of an instance answers; the region is prefetched. */
#define SESSION                                                                                    \
    {                                                                                              \
        .method = "PUT", .url = "/latest/api/token", .status = 200, .body = "session"              \
    }
#define ROLE                                                                                       \
    {                                                                                              \
        .method = "GET", .url = "/ram/security-credentials/", .status = 200, .body = "worker"      \
    }
#define CREDENTIALS                                                                                \
    {                                                                                              \
        .method = "GET", .url = "/ram/security-credentials/worker", .status = 200,                 \
        .body = ROLE_CREDENTIALS                                                                   \
    }
#define REGION                                                                                     \
    {                                                                                              \
        .method = "GET", .url = "/region-id", .status = 200, .body = "cn-hangzhou"                 \
    }
#define IDENTITY SESSION, ROLE, CREDENTIALS, REGION

static void expired_credentials_are_fetched_again_once(void **state)
{
    static const struct fake_exchange script[] = {
        IDENTITY,
        {.method = "GET", .url = DEMO "/v2/", .status = 401, .challenge = FOUND},
        {.method = "POST",
         .url = "cr-vpc.cn-hangzhou",
         .status = 403,
         .body = REFUSAL("InvalidSecurityToken.Expired")},
        IDENTITY,
        {.method = "POST",
         .url = "cr-vpc.cn-hangzhou",
         .status = 403,
         .body = REFUSAL("InvalidSecurityToken.Expired")},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    settings.cache.is_enabled = false;
    assert_false(ask(&answer, DEMO "/a", NULL, script, COUNT_OF(script), &err));
    assert_int_equal(err.kind, ERROR_PERMISSION);
    assert_string_equal(err.service_code, "InvalidSecurityToken.Expired");
}

static void remembered_instance_that_is_unknown_is_identified_again_once(void **state)
{
    static const struct fake_exchange script[] = {
        {.method = "POST",
         .url = "InstanceId=cri-found",
         .status = 404,
         .body = REFUSAL("INSTANCE_NOT_EXIST")},
        {.method = "GET", .url = DEMO ":81/v2/", .status = 401, .challenge = MADE_ANEW},
        {.method = "POST",
         .url = "InstanceId=cri-anew",
         .status = 404,
         .body = REFUSAL("INSTANCE_NOT_EXIST")},
    };
    static const struct fake_exchange first[] = {
        {.method = "GET", .url = DEMO ":81/v2/", .status = 401, .challenge = FOUND},
        {.method = "POST",
         .url = "InstanceId=cri-found",
         .status = 403,
         .body = REFUSAL("NoPermission")},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_false(ask(&answer, DEMO ":81/a", key, first, COUNT_OF(first), &err));
    assert_string_equal(err.service_code, "NoPermission");
    assert_false(ask(&answer, DEMO ":81/a", key, script, COUNT_OF(script), &err));
    assert_string_equal(err.service_code, "INSTANCE_NOT_EXIST");
}

/* -- what another process does meanwhile, at a request of the script -- */

static void in_directory(const char *command)
{
    char line[256];

    (void)snprintf(line, sizeof line, "cd %s && %s", directory, command);
    assert_int_equal(system(line), 0);
}

static void save_instance(const struct http_request *request)
{
    (void)request;
    in_directory("cp -p instance-* saved && ls instance-* >name");
}

static void find_instance_again(const struct http_request *request)
{
    (void)request;
    in_directory("cp -p saved $(cat name)");
}

static void instance_is_looked_up_again_once_whatever_others_do(void **state)
{
    static const struct fake_exchange first[] = {
        IDENTITY,
        {.method = "GET", .url = DEMO "/v2/", .status = 401, .challenge = FOUND},
        {.method = "POST",
         .url = "InstanceId=cri-found",
         .status = 403,
         .body = REFUSAL("NoPermission")},
    };
    static const struct fake_exchange script[] = {
        CREDENTIALS,
        {.method = "POST",
         .url = "InstanceId=cri-found",
         .status = 404,
         .body = REFUSAL("INSTANCE_NOT_EXIST"),
         .on_request = save_instance},
        {.method = "GET",
         .url = "/ram/security-credentials/worker",
         .status = 200,
         .body = ROLE_CREDENTIALS,
         .on_request = find_instance_again},
        {.method = "GET", .url = DEMO "/v2/", .status = 401, .challenge = FOUND},
        {.method = "POST",
         .url = "InstanceId=cri-found",
         .status = 404,
         .body = REFUSAL("INSTANCE_NOT_EXIST")},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_false(ask(&answer, DEMO "/a", NULL, first, COUNT_OF(first), &err));
    assert_false(ask(&answer, DEMO "/a", NULL, script, COUNT_OF(script), &err));
    assert_string_equal(err.service_code, "INSTANCE_NOT_EXIST");
}

static void unknown_instance_is_not_remembered(void **state)
{
    static const struct fake_exchange script[] = {
        {.method = "GET", .url = DEMO "/v2/", .status = 401, .challenge = FOUND},
        {.method = "POST",
         .url = "InstanceId=cri-found",
         .status = 404,
         .body = REFUSAL("INSTANCE_NOT_EXIST")},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_false(ask(&answer, DEMO "/a", key, script, COUNT_OF(script), &err));
}

static void instance_is_remembered_for_one_configuration(void **state)
{
    static const struct fake_exchange elsewhere[] = {
        {.method = "GET", .url = DEMO "/v2/", .status = 401, .challenge = MADE_ANEW},
        {.method = "POST",
         .url = "https://127.0.0.1:82/?InstanceId=cri-anew",
         .status = 200,
         .body = TOKEN},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_true(ask(&answer, DEMO "/a", key, first_run, COUNT_OF(first_run), &err));
    provide_answer_clear(&answer);
    settings.endpoints.acr = alloc_string("https://127.0.0.1:82");
    assert_true(ask(&answer, DEMO "/a", key, elsewhere, COUNT_OF(elsewhere), &err));
}

static void errors_of_this_process_alone_are_not_shared(void **state)
{
    static const struct fake_exchange script[] = {
        {.method = "GET", .url = DEMO "/v2/", .status = 401, .challenge = FOUND},
        {.method = "POST", .url = "cr.cn-hangzhou", .error_kind = ERROR_INTERNAL},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_false(ask(&answer, DEMO "/a", key, script, COUNT_OF(script), &err));
    assert_int_equal(err.kind, ERROR_INTERNAL);
    in_directory("! ls failure-* 2>/dev/null");
}

static void next_source_follows_an_absent_metadata_service(void **state)
{
    static const struct fake_text uri[] = {
        {"ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:81/credentials"}, {NULL, NULL}};
    static const struct fake_exchange script[] = {
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
        {.method = "GET",
         .url = "http://127.0.0.1:81/credentials",
         .status = 200,
         .body = ROLE_CREDENTIALS},
        {.method = "GET", .url = DEMO "/v2/", .status = 401, .challenge = FOUND},
        {.method = "POST", .url = "https://cr.cn-hangzhou", .status = 200, .body = TOKEN},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct answer again AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_true(ask(&answer, DEMO "/a", uri, script, COUNT_OF(script), &err));
    assert_non_null(strstr(answer.principal, "ALIBABA_CLOUD_CREDENTIALS_URI"));
    assert_int_equal(fake_http.prefetched, 1); /* the challenge, for both sources */
    /* Later runs look for the metadata service again, but not for a token. */
    assert_true(ask(&again, DEMO "/a", uri, script, 3, &err));
    assert_true(again.is_from_cache);
}

/* It shows that the metadata service exists, though it is down: another source would be another
 * identity. */
static void stale_token_of_the_metadata_service_comes_before_the_next_source(void **state)
{
    static const struct fake_text uri[] = {
        {"ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:81/credentials"}, {NULL, NULL}};
    static const struct fake_exchange first[] = {
        IDENTITY,
        {.method = "GET", .url = DEMO "/v2/", .status = 401, .challenge = FOUND},
        {.method = "POST", .url = "cr-vpc.cn-hangzhou", .status = 200, .body = TOKEN},
    };
    static const struct fake_exchange down[] = {
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct kubelet_request request = {.image = DEMO "/a"};
    struct run run = {.settings = &settings, .system = &fake_system};
    struct error err = {0};

    (void)state;
    assert_true(ask(&answer, DEMO "/a", uri, first, COUNT_OF(first), &err));
    provide_answer_clear(&answer);
    in_directory("rm node-*");
    run.http = start(down, COUNT_OF(down), 3000000);
    fake.variables = uri;
    assert_true(provide(&answer, &run, &request, &err));
    fake_http_end();
    assert_string_equal(secret_reveal(&answer.token.password), "secret-1");
}

static void every_source_is_named_when_there_is_none(void **state)
{
    static const struct fake_exchange script[] = {
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
        {.method = "PUT", .url = "/latest/api/token", .error_kind = ERROR_TEMPORARY},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_false(ask(&answer, DEMO "/a", NULL, script, COUNT_OF(script), &err));
    assert_non_null(strstr(err.cause, "ALIBABA_CLOUD_ACCESS_KEY_ID is not set"));
    assert_non_null(strstr(err.cause, "ALIBABA_CLOUD_CREDENTIALS_URI is not set"));
}

static void host_that_is_not_acrs_is_what_is_wrong(void **state)
{
    static const struct fake_text disabled[] = {{"ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"},
                                                {NULL, NULL}};
    static const struct fake_exchange script[] = {
        {.method = "GET",
         .url = "https://docker.io/v2/",
         .status = 401,
         .challenge = "Bearer service=\"registry.docker.io\""},
    };
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_false(ask(&answer, "docker.io/library/nginx", i == 0 ? disabled : NULL, script,
                         COUNT_OF(script), &err));
        assert_non_null(strstr(err.cause, "docker.io is not an ACR host"));
    }
}

static void stale_token_is_served_in_an_outage_and_not_after_a_refusal(void **state)
{
    static const struct fake_exchange outage[] = {
        {.method = "POST", .url = "cr.cn-hangzhou", .status = 200, .body = "<html>"},
    };
    static const struct fake_exchange expired[] = {
        {.method = "POST",
         .url = "cr.cn-hangzhou",
         .status = 200,
         .body = TOKEN,
         .date_s = 1767326646},
    };
    static const struct fake_exchange refused[] = {
        {.method = "POST", .url = "cr.cn-hangzhou", .status = 403, .body = REFUSAL("NoPermission")},
    };
    const struct fake_exchange *const scripts[] = {outage, expired, refused};
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct kubelet_request request = {.image = DEMO "/a"};
    struct run run = {.settings = &settings, .system = &fake_system};
    struct error err = {0};

    (void)state;
    assert_true(ask(&answer, DEMO "/a", key, first_run, COUNT_OF(first_run), &err));
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        bool is_outage = scripts[i] != refused;

        provide_answer_clear(&answer);
        run.http = start(scripts[i], 1, 3000000);
        fake.variables = key;
        assert_int_equal(provide(&answer, &run, &request, &err), is_outage);
        fake_http_end();
        assert_string_equal(secret_reveal(&answer.token.password), is_outage ? "secret-1" : "");
    }
    assert_string_equal(err.service_code, "NoPermission");
}

static void what_a_pod_obtains_is_kept_nowhere(void **state)
{
    static const struct fake_exchange script[] = {
        {.method = "POST",
         .url = "https://sts.cn-hangzhou.aliyuncs.com",
         .status = 200,
         .body = "{\"Credentials\":" ROLE_CREDENTIALS "}"},
        {.method = "GET", .url = DEMO "/v2/", .status = 401, .challenge = FOUND},
        {.method = "POST", .url = "https://cr.cn-hangzhou", .status = 200, .body = TOKEN},
    };
    static const struct fake_text region[] = {{"ALIBABA_CLOUD_STS_REGION", "cn-hangzhou"},
                                              {NULL, NULL}};
    struct kubelet_annotation annotation = {.key = (char *)"acr.aliyun.com/role-arn",
                                            .value = (char *)"acs:ram::1234567890123456:role/pod"};
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct kubelet_request request = {
        .image = DEMO "/a", .annotations = &annotation, .annotation_count = 1};
    struct run run = {.settings = &settings, .system = &fake_system};
    struct error err = {0};

    (void)state;
    settings.pod.oidc_provider_arn =
        alloc_string("acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1");
    secret_set(&request.service_account_token, "a.b.c", 5);
    run.http = start(script, COUNT_OF(script), 0);
    fake.variables = region;
    if (!provide(&answer, &run, &request, &err))
        fail_msg("%s", err.cause);
    fake_http_end();
    assert_int_equal(count_files(), 0);
    secret_clear(&request.service_account_token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(token_is_requested_once_and_then_cached, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_kept_without_a_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expired_credentials_are_fetched_again_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            remembered_instance_that_is_unknown_is_identified_again_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(instance_is_looked_up_again_once_whatever_others_do, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unknown_instance_is_not_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(instance_is_remembered_for_one_configuration, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(errors_of_this_process_alone_are_not_shared, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(next_source_follows_an_absent_metadata_service, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            stale_token_of_the_metadata_service_comes_before_the_next_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_source_is_named_when_there_is_none, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(host_that_is_not_acrs_is_what_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stale_token_is_served_in_an_outage_and_not_after_a_refusal,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_pod_obtains_is_kept_nowhere, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("provide", tests, NULL, NULL);
}
