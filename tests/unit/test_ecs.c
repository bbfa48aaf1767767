/* identity/ecs: sessions and modes of the metadata service, roles, and what the cache keeps of
 * them; by a scripted transport. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/store.h"
#include "config/settings.h"
#include "fake_http.h"
#include "identity/sources.h"

#define PUT_TOKEN "/latest/api/token"
#define ROLES     "/latest/meta-data/ram/security-credentials/"
#define REGION    "/latest/meta-data/region-id"
#define ACCOUNT   "/latest/meta-data/owner-account-id"
#define ISSUED                                                                                     \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"STS.a\",\"AccessKeySecret\":\"b\","                   \
    "\"SecurityToken\":\"c\",\"Expiration\":\"2026-01-02T09:04:05Z\"}"
#define GOT(path, what)     .method = "GET", .url = (path), .status = 200, .body = (what)
#define NOT_FOUND(path)     .method = "GET", .url = (path), .status = 404
#define SESSION             .method = "PUT", .url = PUT_TOKEN, .status = 200, .body = "session-1"
#define NO_SESSION(status_) .method = "PUT", .url = PUT_TOKEN, .status = (status_)
#define UNREACHABLE         .method = "PUT", .url = PUT_TOKEN, .error_kind = ERROR_TEMPORARY

static char metadata_url[] = "http://100.100.100.200";
static struct settings settings;
static struct run run;
static struct plan plan;
static struct identity identity;
static struct error err;

static void start(const struct fake_exchange *script, size_t count)
{
    settings = (struct settings){.endpoints = {.metadata = metadata_url}};
    run = (struct run){.settings = &settings, .system = &fake_system};
    run.http = fake_http_start(script, count);
    err = (struct error){0};
    plan = (struct plan){.source = PLAN_ECS, .ecs = {.may_be_absent = true}};
}

static void end(void)
{
    fake_http_end();
    identity_clear(&identity);
    plan_clear(&plan);
}

static void look_at_the_session(const struct http_request *request)
{
    assert_int_equal(request->kind, HTTP_LINK_LOCAL);
    assert_string_equal(fake_http_header(request, "X-aliyun-ecs-metadata-token"), "session-1");
}

static void look_at_no_session(const struct http_request *request)
{
    assert_string_equal(fake_http_header(request, "X-aliyun-ecs-metadata-token"), "");
}

static void look_at_a_short_life(const struct http_request *request)
{
    assert_string_equal(fake_http_header(request, "X-aliyun-ecs-metadata-token-ttl-seconds"),
                        "900");
}

static void discovers_the_role(void **state)
{
    static const struct fake_exchange script[] = {{.method = "PUT",
                                                   .url = PUT_TOKEN,
                                                   .status = 200,
                                                   .body = "session-1\n",
                                                   .on_request = look_at_a_short_life},
                                                  {.method = "GET",
                                                   .url = ROLES,
                                                   .status = 200,
                                                   .body = " NodeRole\n",
                                                   .on_request = look_at_the_session},
                                                  {GOT(ROLES "NodeRole", ISSUED)},
                                                  {GOT(REGION, "cn-hangzhou\n")}};

    (void)state;
    start(script, COUNT_OF(script));
    assert_true(ecs_fetch(&identity, &run, &plan, NULL, &err));
    assert_string_equal(identity.credentials.access_key_id, "STS.a");
    assert_string_equal(identity.principal, "RAM role NodeRole of this instance");
    assert_string_equal(identity.node.region, "cn-hangzhou");
    assert_int_equal(fake_http.prefetched, 1);
    end();
}

static void asks_for_the_named_role_only(void **state)
{
    static const struct fake_exchange script[] = {
        {SESSION}, {GOT(ROLES "Named", ISSUED)}, {GOT(REGION, "oss-cn-hangzhou")}};

    (void)state;
    start(script, COUNT_OF(script));
    plan.ecs.role = strdup("Named");
    assert_true(ecs_fetch(&identity, &run, &plan, NULL, &err));
    /* Not a region. */
    assert_string_equal(identity.node.region, "");
    end();
}

static void uses_normal_mode_without_a_token_service(void **state)
{
    static const struct fake_exchange scripts[][4] = {
        {{NO_SESSION(403)}, {GOT(ROLES, "R")}, {GOT(ROLES "R", ISSUED)}, {GOT(REGION, "cn-a")}},
        {{NO_SESSION(404)},
         {.method = "GET",
          .url = ROLES,
          .status = 200,
          .body = "R",
          .on_request = look_at_no_session},
         {GOT(ROLES "R", ISSUED)},
         {GOT(REGION, "cn-a")}}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        start(scripts[i], COUNT_OF(scripts[i]));
        assert_true(ecs_fetch(&identity, &run, &plan, NULL, &err));
        end();
    }
    /* Without any PUT where that is disabled. */
    start(&scripts[1][1], 3);
    plan.ecs.modes = METADATA_NORMAL_ONLY;
    assert_true(ecs_fetch(&identity, &run, &plan, NULL, &err));
    end();
    start(&scripts[0][0], 1);
    plan.ecs.modes = METADATA_TOKEN_ONLY;
    assert_false(ecs_fetch(&identity, &run, &plan, NULL, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    end();
}

static void renews_a_session_once(void **state)
{
    static const struct fake_exchange script[] = {
        {SESSION},
        {.method = "GET", .url = ROLES, .status = 401},
        {SESSION},
        {GOT(ROLES, "R")},
        {.method = "GET", .url = ROLES "R", .status = 401},
        {SESSION},
        {.method = "GET", .url = ROLES "R", .status = 401}};

    (void)state;
    start(script, COUNT_OF(script));
    assert_false(ecs_fetch(&identity, &run, &plan, NULL, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    assert_string_equal(err.cause, "HTTP status 401");
    end();
}

static void is_absent_if_nothing_answers(void **state)
{
    static const struct fake_exchange script[] = {{UNREACHABLE}, {UNREACHABLE}, {UNREACHABLE}};

    (void)state;
    start(script, COUNT_OF(script));
    assert_false(ecs_fetch(&identity, &run, &plan, NULL, &err));
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
    end();
    /* The operator's own choice is not passed over. */
    start(script, COUNT_OF(script));
    plan.ecs.may_be_absent = false;
    assert_false(ecs_fetch(&identity, &run, &plan, NULL, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    assert_non_null(strstr(err.advice, "is an ECS instance"));
    end();
}

static void is_down_if_it_was_reached(void **state)
{
    static const struct fake_exchange script[] = {
        {UNREACHABLE},
        {.method = "PUT", .url = PUT_TOKEN, .error_kind = ERROR_TEMPORARY, .connected = true},
        {UNREACHABLE}};

    (void)state;
    start(script, COUNT_OF(script));
    assert_false(ecs_fetch(&identity, &run, &plan, NULL, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    end();
}

static void is_absent_without_a_role(void **state)
{
    static const struct fake_exchange scripts[][2] = {{{SESSION}, {NOT_FOUND(ROLES)}},
                                                      {{SESSION}, {GOT(ROLES, "")}}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        start(scripts[i], COUNT_OF(scripts[i]));
        assert_false(ecs_fetch(&identity, &run, &plan, NULL, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
        end();
    }
}

static void fails_on_answers_that_are_none(void **state)
{
    static const struct {
        struct fake_exchange script[3];
        size_t count;
        const char *named;
        const char *cause;
        const char *advice;
    } cases[] = {
        {{{.method = "PUT", .url = PUT_TOKEN, .status = 200, .body = "<html>"}},
         1,
         NULL,
         "ECS metadata service: the session token is not a token",
         "Check what answers at http://1"},
        {{{SESSION}, {GOT(ROLES, "<html>")}},
         2,
         NULL,
         "ECS metadata service: the answer is not a role name",
         "Check what answers at http://1"},
        {{{SESSION}, {GOT(ROLES, "R")}, {NOT_FOUND(ROLES "R")}},
         3,
         NULL,
         "RAM role R is not attached to this ECS instance",
         "Attach it, or another one"},
        {{{SESSION}, {NOT_FOUND(ROLES "N")}},
         2,
         "N",
         "RAM role N is not attached to this ECS instance",
         "Attach it, or correct the one"},
        {{{SESSION}, {GOT(ROLES "N", "{\"Code\":\"Failed\"}")}},
         2,
         "N",
         "",
         "Check that RAM role N still exists"},
        {{{SESSION}, {GOT(ROLES "N", "session-1")}}, 2, "N", "", "Check what answers at http://1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        start(cases[i].script, cases[i].count);
        if (cases[i].named != NULL)
            plan.ecs.role = strdup(cases[i].named);
        plan.ecs.role_named_by = cases[i].named != NULL ? "the one" : NULL;
        assert_false(ecs_fetch(&identity, &run, &plan, NULL, &err));
        assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
        assert_memory_equal(err.cause, cases[i].cause, strlen(cases[i].cause));
        assert_memory_equal(err.advice, cases[i].advice, strlen(cases[i].advice));
        assert_null(strstr(err.cause, "session-1"));
        end();
    }
}

/* -- what the cache keeps -- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void look_at_a_long_life(const struct http_request *request)
{
    assert_string_equal(fake_http_header(request, "X-aliyun-ecs-metadata-token-ttl-seconds"),
                        "21600");
}

static const struct fake_exchange keeps_session_script[] = {
    {.method = "PUT",
     .url = PUT_TOKEN,
     .status = 200,
     .body = "session-1",
     .on_request = look_at_a_long_life},
    {GOT(ROLES, "R")},
    {GOT(ROLES "R", ISSUED)},
    {GOT(REGION, "cn-a")},
    /* The next run. */
    {.method = "GET",
     .url = ROLES "R",
     .status = 200,
     .body = ISSUED,
     .on_request = look_at_the_session},
    /* A service that has answered before is not absent. */
    {.method = "GET", .url = ROLES "R", .error_kind = ERROR_TEMPORARY},
    {.method = "GET", .url = ROLES "R", .error_kind = ERROR_TEMPORARY},
    {.method = "GET", .url = ROLES "R", .error_kind = ERROR_TEMPORARY},
    /* The role was replaced by another. */
    {NOT_FOUND(ROLES "R")},
    {SESSION},
    {GOT(ROLES, "S")},
    {GOT(ROLES "S", ISSUED)},
    {GOT(REGION, "cn-a")},
    /* It was detached. */
    {NOT_FOUND(ROLES "S")},
    {SESSION},
    {NOT_FOUND(ROLES)},
    /* Nothing is kept of that. */
    {SESSION},
    {NOT_FOUND(ROLES)}};

static void keeps_session_role_and_region(void **state)
{
    char directory[] = "/tmp/test_ecs.XXXXXX";
    struct store store AUTO(store_close) = {0};

    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_true(store_open(&store, &system_real, directory));
    start(keeps_session_script, COUNT_OF(keeps_session_script));
    assert_true(ecs_fetch(&identity, &run, &plan, &store, &err));
    identity_clear(&identity);
    assert_true(ecs_fetch(&identity, &run, &plan, &store, &err));
    assert_string_equal(identity.node.region, "cn-a");
    assert_string_equal(identity.principal, "RAM role R of this instance");
    assert_false(ecs_fetch(&identity, &run, &plan, &store, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NOTHING);
    assert_true(ecs_fetch(&identity, &run, &plan, &store, &err));
    assert_string_equal(identity.principal, "RAM role S of this instance");
    assert_false(ecs_fetch(&identity, &run, &plan, &store, &err));
    assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
    assert_false(ecs_fetch(&identity, &run, &plan, &store, &err));
    end();
    assert_int_equal(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void look_at_the_second_session(const struct http_request *request)
{
    assert_string_equal(fake_http_header(request, "X-aliyun-ecs-metadata-token"), "session-2");
}

static void renews_a_kept_session(void **state)
{
    static const struct fake_exchange script[] = {
        {SESSION},
        {GOT(ROLES, "R")},
        {GOT(ROLES "R", ISSUED)},
        {GOT(REGION, "cn-a")},
        /* The session has expired early: the next one is kept with what is known. */
        {.method = "GET", .url = ROLES "R", .status = 401},
        {.method = "PUT", .url = PUT_TOKEN, .status = 200, .body = "session-2"},
        {GOT(ROLES "R", ISSUED)},
        {.method = "GET",
         .url = ROLES "R",
         .status = 200,
         .body = ISSUED,
         .on_request = look_at_the_second_session},
        /* There is no token service any more. */
        {.method = "GET", .url = ROLES "R", .status = 401},
        {NO_SESSION(404)},
        {.method = "GET",
         .url = ROLES "R",
         .status = 200,
         .body = ISSUED,
         .on_request = look_at_no_session},
        /* The same where normal mode is disabled. */
        {.method = "GET", .url = ROLES "R", .status = 401},
        {NO_SESSION(404)},
        {NO_SESSION(404)}};
    char directory[] = "/tmp/test_ecs.XXXXXX";
    struct store store AUTO(store_close) = {0};

    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_true(store_open(&store, &system_real, directory));
    start(script, COUNT_OF(script));
    for (unsigned i = 0; i < 4; i++) {
        assert_true(ecs_fetch(&identity, &run, &plan, &store, &err));
        assert_string_equal(identity.node.region, "cn-a");
        identity_clear(&identity);
    }
    plan.ecs.modes = METADATA_TOKEN_ONLY;
    assert_false(ecs_fetch(&identity, &run, &plan, &store, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    end();
    assert_int_equal(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* -- the place of the node -- */

static void locates_the_node(void **state)
{
    static const struct fake_exchange script[] = {
        {SESSION}, {GOT(REGION, "cn-a")}, {GOT(ACCOUNT, "1234567890123456\n")},
        {SESSION}, {NOT_FOUND(REGION)},   {GOT(ACCOUNT, "12:role/x")}};
    static const struct fake_exchange unreachable[] = {{UNREACHABLE}, {UNREACHABLE}, {UNREACHABLE}};
    struct node_place place = {0};

    (void)state;
    start(script, COUNT_OF(script));
    assert_true(ecs_locate(&place, &run, &plan.ecs, true, &err));
    assert_string_equal(place.region, "cn-a");
    assert_string_equal(place.account_id, "1234567890123456");
    assert_true(ecs_locate(&place, &run, &plan.ecs, true, &err));
    assert_string_equal(place.region, "");
    assert_string_equal(place.account_id, "");
    end();
    start(unreachable, 3);
    assert_false(ecs_locate(&place, &run, &plan.ecs, true, &err));
    end();
    start(unreachable, 1);
    assert_false(ecs_locate(&place, &run, &plan.ecs, false, &err));
    end();
    start(NULL, 0);
    plan.ecs.is_disabled = true;
    assert_false(ecs_locate(&place, &run, &plan.ecs, true, &err));
    assert_non_null(strstr(err.cause, "disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED"));
    end();
}

static void reads_the_environment(void **state)
{
    static const struct fake_text normal[] = {
        {"ALIBABA_CLOUD_IMDSV2_DISABLED", "1"}, {"ALIBABA_CLOUD_ECS_METADATA", "Named"}, {0}};
    static const struct fake_text token[] = {{"ALIBABA_CLOUD_IMDSV1_DISABLED", "TRUE"},
                                             {"ALIBABA_CLOUD_ECS_METADATA_DISABLED", "t"},
                                             {"ALIBABA_CLOUD_ECS_METADATA", "a/b"},
                                             {0}};

    (void)state;
    start(NULL, 0);
    fake.variables = normal;
    assert_true(ecs_use(&plan, &fake_system, &err));
    assert_int_equal(plan.source, PLAN_ECS);
    assert_int_equal(plan.ecs.modes, METADATA_NORMAL_ONLY);
    assert_false(plan.ecs.is_disabled);
    assert_string_equal(plan.ecs.role, "Named");
    assert_string_equal(plan.ecs.role_named_by, "ALIBABA_CLOUD_ECS_METADATA");
    end();
    start(NULL, 0);
    fake.variables = token;
    assert_false(ecs_use(&plan, &fake_system, &err));
    assert_int_equal(plan.ecs.modes, METADATA_TOKEN_ONLY);
    assert_true(plan.ecs.is_disabled);
    assert_non_null(strstr(err.cause, "ALIBABA_CLOUD_ECS_METADATA must be the name"));
    end();
    /* A name of the configuration or of a profile goes first. */
    start(NULL, 0);
    fake.variables = normal;
    plan.ecs.role = strdup("Given");
    assert_true(ecs_use(&plan, &fake_system, &err));
    assert_string_equal(plan.ecs.role, "Given");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discovers_the_role),
        cmocka_unit_test(asks_for_the_named_role_only),
        cmocka_unit_test(uses_normal_mode_without_a_token_service),
        cmocka_unit_test(renews_a_session_once),
        cmocka_unit_test(is_absent_if_nothing_answers),
        cmocka_unit_test(is_down_if_it_was_reached),
        cmocka_unit_test(is_absent_without_a_role),
        cmocka_unit_test(fails_on_answers_that_are_none),
        cmocka_unit_test(keeps_session_role_and_region),
        cmocka_unit_test(renews_a_kept_session),
        cmocka_unit_test(locates_the_node),
        cmocka_unit_test(reads_the_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
