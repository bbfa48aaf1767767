/* A fleet that booted together: when its nodes ask for new tokens, by the rules that the program
 * itself goes by. */
#include <stdlib.h>
#include <string.h>

#include "cache/freshness.h"
#include "test.h"

enum {
    NODES = 5000,
    HOURS = 24,
    DURATION_S = HOURS * 3600,
    BOOT_S = 600, /* the first pulls are not the fleet's to spread */
    LIFE_S = 3600,
    MARGIN_S = 900,
    /* The one limit that Alibaba Cloud documents: AssumeRole, requests a second of an account. */
    LIMIT = 100
};

struct fleet {
    int calls[DURATION_S];
    uint64_t state;
};

/* A generator of our own, so that each run of the test is the same one. */
static int64_t next_random(struct fleet *fleet)
{
    fleet->state = fleet->state * 6364136223846793005U + 1442695040888963407U;
    return (int64_t)(fleet->state >> 33);
}

/* One node, whose kubelet always has something to pull: it asks again as soon as it may. */
static void run_node(struct fleet *fleet, int64_t boot_s, int has_jitter)
{
    int64_t token_ends_s = 0;

    for (int64_t now_s = boot_s; now_s < DURATION_S;) {
        if (!freshness_is_fresh(token_ends_s - now_s, LIFE_S, MARGIN_S)) {
            fleet->calls[now_s]++;
            token_ends_s = now_s + LIFE_S;
        }
        now_s +=
            freshness_cache_s(token_ends_s - now_s, MARGIN_S, has_jitter ? next_random(fleet) : 0);
    }
}

struct load {
    int peak; /* calls in one second */
    int total;
};

static struct load run_fleet(int boot_spread_s, int has_jitter)
{
    struct fleet *fleet = calloc(1, sizeof *fleet);
    struct load load = {0};

    assert_non_null(fleet);
    for (int i = 0; i < NODES; i++)
        run_node(fleet, i % boot_spread_s, has_jitter);
    for (int i = BOOT_S; i < DURATION_S; i++) {
        load.total += fleet->calls[i];
        if (fleet->calls[i] > load.peak)
            load.peak = fleet->calls[i];
    }
    free(fleet);
    return load;
}

static void test_fleet_that_booted_in_one_second_stays_under_the_limit(void **state)
{
    const struct load load = run_fleet(1, 1);

    (void)state;
    print_message("%d nodes: at most %d calls a second, %d an hour on average\n", NODES, load.peak,
                  load.total / HOURS);
    assert_in_range(load.peak, 1, LIMIT / 2);
    /* Each node asks for at most three tokens in two hours. */
    assert_in_range(load.total, NODES * HOURS, NODES * HOURS * 3 / 2);
}

/* What the jitter is for: this test would show if the simulation could not fail. */
static void test_fleet_without_jitter_breaks_the_limit(void **state)
{
    const struct load load = run_fleet(1, 0);

    (void)state;
    print_message("without jitter: %d calls a second\n", load.peak);
    assert_int_equal(load.peak, NODES);
}

static void test_fleet_that_booted_in_a_minute(void **state)
{
    (void)state;
    assert_true(run_fleet(60, 1).peak <= LIMIT / 2);
}

static void test_durations(void **state)
{
    static const struct {
        int64_t left_s;
        int64_t margin_s;
        int64_t most_s;
    } cases[] = {{3600, 900, 2700}, {1800, 900, 900}, {600, 900, 300},  {3600, 0, 3540},
                 {1, 900, 1},       {0, 900, 0},      {3601, 900, 2701}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t least_s = cases[i].most_s - cases[i].most_s / 10;

        assert_int_equal(freshness_cache_s(cases[i].left_s, cases[i].margin_s, 0), cases[i].most_s);
        assert_int_equal(
            freshness_cache_s(cases[i].left_s, cases[i].margin_s, cases[i].most_s / 10), least_s);
        for (int64_t random = 0; random < 1000; random++)
            assert_in_range(freshness_cache_s(cases[i].left_s, cases[i].margin_s, random), least_s,
                            cases[i].most_s);
    }
}

/* Whoever comes back after the shortest duration renews; whoever comes at once does not. */
static void test_freshness_ends_when_kubelets_come_back(void **state)
{
    (void)state;
    for (int64_t life_s = 200; life_s < 8000; life_s += 7) {
        int64_t shortest_s = freshness_cache_s(life_s, MARGIN_S, 0) * 9 / 10;

        assert_true(freshness_is_fresh(life_s, life_s, MARGIN_S));
        assert_false(freshness_is_fresh(life_s - shortest_s - 2, life_s, MARGIN_S));
    }
    assert_false(freshness_is_fresh(60, 60, MARGIN_S));
    assert_false(freshness_is_usable(60));
    assert_true(freshness_is_usable(61));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fleet_that_booted_in_one_second_stays_under_the_limit),
        cmocka_unit_test(test_fleet_without_jitter_breaks_the_limit),
        cmocka_unit_test(test_fleet_that_booted_in_a_minute),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_freshness_ends_when_kubelets_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
