/* One process fetches, the others wait: played by several `struct singleflight` over one directory,
 * with a clock that moves only when somebody sleeps. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cache/singleflight.h"
#include "fake_system.h"

enum { LIFE_S = 3600, MARGIN_S = 900 };

static struct store store;
static char directory[] = "/tmp/test-singleflight-XXXXXX";

static struct singleflight make_flight(const char *token, const char *attempt)
{
    struct singleflight flight = {.store = store, .margin_s = MARGIN_S};
    struct error err = {0};

    assert_true(digest_sha256(flight.token_key, token, strlen(token), &err));
    assert_true(digest_sha256(flight.attempt_key, attempt, strlen(attempt), &err));
    return flight;
}

static enum singleflight_outcome join(struct singleflight *flight, struct token *out,
                                      int64_t *remaining_s, struct error *err)
{
    credentials_clear_token(out);
    return singleflight_join(flight, out, remaining_s, fake.mono_ms + 25000, err);
}

static struct token make_token(const char *password)
{
    struct token token = {.user = "cr_temp_user", .request_id = "REQUEST-1"};

    secret_set(&token.password, password, strlen(password));
    return token;
}

static int set_up(void **state)
{
    (void)state;
    memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(directory));
    fake = (struct fake_state){.mono_ms = 1000000, .wall_s = 1800000000};
    assert_true(store_open(&store, &fake_system, directory));
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    store_close(&store);
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}

/* What the leader of a test does while another process sleeps for the first time. */
static struct singleflight leader;
static void (*leader_does)(void);

static void once_asleep(void)
{
    if (leader_does != NULL) {
        leader_does();
        leader_does = NULL;
        singleflight_leave(&leader);
    }
}

static void leads(const char *token, const char *attempt, void (*does)(void))
{
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    leader = make_flight(token, attempt);
    assert_int_equal(join(&leader, &out, &remaining_s, &err), SINGLEFLIGHT_FETCH);
    assert_true(leader.is_leader);
    leader_does = does;
    fake.on_sleep = once_asleep;
}

static void publishes_a_token(void)
{
    struct token token = make_token("secret-1");

    singleflight_publish_token(&leader, &token, LIFE_S);
    credentials_clear_token(&token);
}

static void publishes_an_error(void)
{
    struct error err = {0};

    error_set_advised(&err, ERROR_PERMISSION, "Allow it", "refused");
    error_wrap(&err, "cr.example");
    err.retry = ERROR_RETRY_NEXT_SOURCE;
    memcpy(err.service_code, "NoPermission", sizeof "NoPermission");
    memcpy(err.request_id, "REQUEST-2", sizeof "REQUEST-2");
    singleflight_publish_error(&leader, &err);
}

static void dies(void)
{
}

static void waiter_takes_the_token_of_the_leader(void **state)
{
    struct singleflight waiter = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", publishes_a_token);
    assert_int_equal(join(&waiter, &out, &remaining_s, &err), SINGLEFLIGHT_TOKEN);
    assert_string_equal(secret_reveal(&out.password), "secret-1");
    assert_string_equal(out.user, "cr_temp_user");
    assert_string_equal(out.request_id, "REQUEST-1");
    assert_in_range(remaining_s, LIFE_S - 2, LIFE_S);
    assert_true(fake.slept_ms < 100);
    credentials_clear_token(&out);
    singleflight_leave(&waiter);
}

static void waiter_takes_the_error_of_the_leader(void **state)
{
    struct singleflight waiter = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", publishes_an_error);
    assert_int_equal(join(&waiter, &out, &remaining_s, &err), SINGLEFLIGHT_FAILED);
    assert_int_equal(err.kind, ERROR_PERMISSION);
    assert_int_equal(err.retry, ERROR_RETRY_NEXT_SOURCE);
    assert_string_equal(err.cause, "cr.example: refused");
    assert_string_equal(err.service_code, "NoPermission");
    assert_string_equal(err.request_id, "REQUEST-2");
    assert_string_equal(err.advice, "Allow it");
    singleflight_leave(&waiter);
}

static void runs_out_of_time(void)
{
    struct error err = {0};

    error_set(&err, ERROR_TEMPORARY, "gave up");
    leader.deadline_s = 3;
    singleflight_publish_error(&leader, &err);
}

static void waiter_with_more_time_leads_after_a_leader_with_less(void **state)
{
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    for (int64_t deadline_s = 3; deadline_s < 5; deadline_s++) {
        struct singleflight waiter = make_flight("instance", "host");

        waiter.deadline_s = deadline_s;
        leads("instance", "host", runs_out_of_time);
        assert_int_equal(join(&waiter, &out, &remaining_s, &err),
                         deadline_s == 3 ? SINGLEFLIGHT_FAILED : SINGLEFLIGHT_FETCH);
        assert_int_equal(waiter.is_leader, deadline_s > 3);
        singleflight_leave(&waiter);
        fake.mono_ms++;
    }
}

static void later_processes_do_not_take_an_old_error(void **state)
{
    struct singleflight later = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", dies);
    publishes_an_error();
    singleflight_leave(&leader);
    fake.mono_ms++;
    assert_int_equal(join(&later, &out, &remaining_s, &err), SINGLEFLIGHT_FETCH);
    assert_true(later.is_leader);
    singleflight_leave(&later);
}

static void waiter_leads_after_a_leader_that_died(void **state)
{
    struct singleflight waiter = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", dies);
    assert_int_equal(join(&waiter, &out, &remaining_s, &err), SINGLEFLIGHT_FETCH);
    assert_true(waiter.is_leader);
    singleflight_leave(&waiter);
}

static void other_hosts_of_an_instance_share_the_token_but_neither_lock_nor_error(void **state)
{
    struct singleflight other = make_flight("instance", "host:81");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", NULL);
    publishes_an_error();
    assert_int_equal(join(&other, &out, &remaining_s, &err), SINGLEFLIGHT_FETCH);
    assert_true(other.is_leader);
    assert_int_equal(fake.slept_ms, 0);
    singleflight_leave(&other);

    publishes_a_token();
    other = make_flight("instance", "host:81");
    assert_int_equal(join(&other, &out, &remaining_s, &err), SINGLEFLIGHT_TOKEN);
    credentials_clear_token(&out);
    singleflight_leave(&other);
    singleflight_leave(&leader);
}

static void slow_leader_is_waited_for_until_the_limit(void **state)
{
    struct singleflight waiter = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", NULL);
    assert_int_equal(join(&waiter, &out, &remaining_s, &err), SINGLEFLIGHT_FETCH);
    assert_false(waiter.is_leader);
    assert_in_range(fake.slept_ms, 25000, 25100);
    singleflight_leave(&waiter);
    singleflight_leave(&leader);
}

static int sleeps;

static void count_sleep(void)
{
    sleeps++;
}

/* A hundred processes may wait: each look at the files costs all of them. */
static void longer_waits_look_less_often(void **state)
{
    struct singleflight waiter = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", NULL);
    sleeps = 0;
    fake.on_sleep = count_sleep;
    assert_int_equal(join(&waiter, &out, &remaining_s, &err), SINGLEFLIGHT_FETCH);
    assert_int_equal(fake.slept_ms, 25000);
    assert_in_range(sleeps, 10, 40);
    singleflight_leave(&waiter);
    singleflight_leave(&leader);
}

static void stale_token_shortens_the_wait(void **state)
{
    struct singleflight waiter = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", NULL);
    publishes_a_token();
    fake.mono_ms += (int64_t)(LIFE_S - 600) * 1000;
    assert_int_equal(join(&waiter, &out, &remaining_s, &err), SINGLEFLIGHT_FAILED);
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_in_range(fake.slept_ms, SINGLEFLIGHT_PATIENCE_MS, SINGLEFLIGHT_PATIENCE_MS + 100);
    assert_true(singleflight_has_stale(&waiter));
    fake.mono_ms += 5000;
    assert_true(singleflight_take_stale(&waiter, &out, &remaining_s));
    assert_string_equal(secret_reveal(&out.password), "secret-1");
    assert_in_range(remaining_s, 580, 590);
    assert_false(singleflight_has_stale(&waiter));
    credentials_clear_token(&out);
    singleflight_leave(&waiter);
    singleflight_leave(&leader);
}

static void stale_token_that_expires_meanwhile_is_not_served(void **state)
{
    struct singleflight waiter = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", NULL);
    publishes_a_token();
    fake.mono_ms += (int64_t)(LIFE_S - 600) * 1000;
    assert_int_equal(join(&waiter, &out, &remaining_s, &err), SINGLEFLIGHT_FAILED);
    fake.mono_ms += 600000;
    assert_false(singleflight_take_stale(&waiter, &out, &remaining_s));
    assert_string_equal(secret_reveal(&out.password), "");
    singleflight_leave(&waiter);
    singleflight_leave(&leader);
}

/* The number of bytes that a function prints on stderr. */
static long measure_stderr(void (*does)(void))
{
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    long length;

    assert_non_null(file);
    (void)dup2(fileno(file), STDERR_FILENO);
    log_configure(LOG_LEVEL_WARNING, LOG_TO_STDERR);
    does();
    log_configure(LOG_LEVEL_ERROR, LOG_TO_STDERR);
    (void)dup2(before, STDERR_FILENO);
    (void)close(before);
    length = lseek(fileno(file), 0, SEEK_END);
    (void)fclose(file);
    return length;
}

static void waits_in_vain(void)
{
    struct singleflight waiter = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    assert_int_equal(join(&waiter, &out, &remaining_s, &err), SINGLEFLIGHT_FETCH);
    singleflight_leave(&waiter);
}

static void damaged_file_is_reported_once(void **state)
{
    char command[128];

    (void)state;
    leads("instance", "host", NULL);
    publishes_a_token();
    (void)snprintf(command, sizeof command, "for f in %s/token-*; do echo x >$f; done", directory);
    assert_int_equal(system(command), 0);
    assert_in_range(measure_stderr(waits_in_vain), 80, 400);
    singleflight_leave(&leader);
}

static void expired_token_is_none(void **state)
{
    struct singleflight flight = make_flight("instance", "host");
    struct token out = {0};
    struct error err = {0};
    int64_t remaining_s = 0;

    (void)state;
    leads("instance", "host", NULL);
    publishes_a_token();
    singleflight_leave(&leader);
    fake.mono_ms += (int64_t)(LIFE_S - 30) * 1000;
    assert_int_equal(join(&flight, &out, &remaining_s, &err), SINGLEFLIGHT_FETCH);
    assert_false(singleflight_has_stale(&flight));
    singleflight_leave(&flight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waiter_takes_the_token_of_the_leader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waiter_takes_the_error_of_the_leader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waiter_with_more_time_leads_after_a_leader_with_less,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(later_processes_do_not_take_an_old_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(waiter_leads_after_a_leader_that_died, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            other_hosts_of_an_instance_share_the_token_but_neither_lock_nor_error, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(slow_leader_is_waited_for_until_the_limit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(longer_waits_look_less_often, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stale_token_shortens_the_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stale_token_that_expires_meanwhile_is_not_served, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(damaged_file_is_reported_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expired_token_is_none, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("singleflight", tests, NULL, NULL);
}
