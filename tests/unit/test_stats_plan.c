/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration, order of arms, looks and stopping: that they end, and where. */
#include "../../harness/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../kernels/core/random.h"

/* ---- Calibration ---- */

/* A clock that ticks every `tick_ns`; the reading with number `late` is interrupted for 1 ms. */
static Calibration calibrate(double call_ns, double tick_ns, int late)
{
    Calibration c = stats_calibration(200e3, tick_ns);
    do {
        const double elapsed = (double)c.calls * call_ns + (c.readings == late ? 1e6 : 0);
        stats_calibrate(&c, tick_ns > 0 ? floor(elapsed / tick_ns) * tick_ns : elapsed);
    } while (!c.done);
    return c;
}

static void epochs_are_as_long_as_asked(void **state)
{
    (void)state;
    for (double call_ns = 0.3; call_ns < 1e9; call_ns *= 1.7) {
        const Calibration c = calibrate(call_ns, 20, -1);
        const double epoch_ns = (double)c.calls * call_ns;
        assert_int_equal(c.hits, 2);
        assert_true(epoch_ns >= 200e3);
        assert_true(c.calls == 1 || epoch_ns <= 500e3);
        assert_true(c.readings <= 12);
    }
}

static void one_interrupted_reading_does_not_end_it(void **state)
{
    (void)state;
    for (int late = 0; late < 6; late++) {
        const Calibration c = calibrate(10, 20, late);
        assert_true(c.calls >= 20000 && c.calls <= 50000);
    }
}

static void two_readings_must_be_successive(void **state)
{
    (void)state;
    Calibration c = stats_calibration(200e3, 20);
    assert_false(stats_calibrate(&c, 1e6));   /* interrupted */
    assert_false(stats_calibrate(&c, 50e3));  /* the truth: 4.4 times the calls */
    assert_int_equal(c.calls, 5);
    assert_false(stats_calibrate(&c, 250e3));
    assert_true(stats_calibrate(&c, 250e3));
    assert_true(c.calls == 5 && c.readings == 4);
}

static void goal_is_a_thousand_clock_ticks(void **state)
{
    (void)state;
    assert_true(stats_calibration(200e3, 20).goal_ns == 200e3);
    assert_true(stats_calibration(200e3, 1000).goal_ns == 1e6);
    assert_true(calibrate(1, 1000, -1).calls >= 1000000);
}

static void a_dead_clock_does_not_hang(void **state)
{
    (void)state;
    Calibration c = stats_calibration(200e3, 0);
    int asked = 0;
    while (!stats_calibrate(&c, 0)) asked++;
    assert_int_equal(asked + 1, CALIBRATION_READINGS_MAX);
    assert_int_equal(c.hits, 0);
    assert_true(c.calls == (int64_t)1 << 30);
    assert_true(stats_calibrate(&c, 1e9));   /* done stays done */
}

/* Clocks that stand still, go back, jump, or tell no number, each at any resolution. */
static double told(int clock, int reading)
{
    switch (clock) {
    case 0: return 0;
    case 1: return -1e9;
    case 2: return NAN;
    case 3: return -INFINITY;
    case 4: return INFINITY;
    case 5: return reading % 2 ? 1e9 : -1e9;
    case 6: return reading % 3 ? NAN : 3e5;
    default: return 1e12 * (random_uniform(12, 0, (uint64_t)reading) - 0.5);
    }
}

static void lying_clocks_do_not_hang(void **state)
{
    (void)state;
    static const double resolution_ns[] = { 0, 1, 20, 1000, 1e7 };
    for (int clock = 0; clock < 8; clock++)
        for (int i = 0; i < 5; i++) {
            Calibration c = stats_calibration(200e3, resolution_ns[i]);
            while (!stats_calibrate(&c, told(clock, c.readings)))
                assert_true(c.readings < CALIBRATION_READINGS_MAX);
            assert_true(c.calls >= 1 && c.calls <= (int64_t)1 << 30);
            assert_true((c.hits == 2) == (clock == 4 || c.readings < CALIBRATION_READINGS_MAX));
        }
}

/* A step back in the middle only starts the count of hits again. */
static void a_step_back_is_no_time(void **state)
{
    (void)state;
    Calibration c = stats_calibration(200e3, 1000);   /* the goal is 1000 ticks of 1 us */
    assert_false(stats_calibrate(&c, 2e6));
    assert_false(stats_calibrate(&c, -2e6));
    assert_true(c.hits == 0 && c.calls == 10);
    assert_false(stats_calibrate(&c, 2e6));
    assert_true(stats_calibrate(&c, 2e6));
}

static void arms_share_the_slowest_ones_calls(void **state)
{
    (void)state;
    const double call_ns[] = { 100, 4000, 250 };
    assert_true(stats_shared_calls(call_ns, 3, 200e3, 1) == 50);
    assert_true(stats_shared_calls(call_ns, 3, 200e3, 20) == 200);   /* 100 ns x 200 = 1000 ticks */
    assert_true(stats_shared_calls(&call_ns[1], 1, 3e3, 1) == 1);
    assert_true(stats_shared_calls((double[]){ 1e-9 }, 1, 200e3, 1) == (int64_t)1 << 30);
}

/* ---- Order ---- */

static void every_arm_stands_once_in_every_place(void **state)
{
    (void)state;
    for (int arms = 1; arms <= 7; arms++) {
        int order[49], row[7], column[7];
        stats_order(5, (uint64_t)arms, arms, order);
        for (int i = 0; i < arms; i++) {
            memset(row, 0, sizeof row);
            memset(column, 0, sizeof column);
            for (int j = 0; j < arms; j++) {
                row[order[i * arms + j]]++;
                column[order[j * arms + i]]++;
            }
            for (int j = 0; j < arms; j++) assert_true(row[j] == 1 && column[j] == 1);
        }
    }
}

static void two_arms_are_abba_or_baab(void **state)
{
    (void)state;
    int abba = 0;
    for (uint64_t square = 0; square < 1000; square++) {
        int order[4], again[4];
        stats_order(6, square, 2, order);
        stats_order(6, square, 2, again);
        assert_memory_equal(order, again, sizeof order);
        assert_true(order[0] == order[3] && order[1] == order[2] && order[0] != order[1]);
        abba += order[0] == 0;
    }
    assert_true(abba > 440 && abba < 560);
}

static void all_arms_start_equally_often(void **state)
{
    (void)state;
    int first[5] = { 0 }, order[25];
    for (uint64_t square = 0; square < 1000; square++) {
        stats_order(7, square, 5, order);
        first[order[0]]++;
    }
    for (int i = 0; i < 5; i++) assert_true(first[i] > 150 && first[i] < 250);
}

/* ---- Looks and stopping ---- */

static void looks_are_half_as_many_again(void **state)
{
    (void)state;
    static const int looks[] = { 6, 9, 14, 21, 32, 48, 72, 108, 162, 243, 365, 548, 822 };
    int found = 0;
    for (int blocks = 1; blocks <= STATS_BLOCKS_MAX; blocks++) {
        const double level = stats_look_level(blocks, false, 0.05);
        if (level == 1) continue;
        assert_int_equal(blocks, looks[found]);
        assert_true(level >= 0.95 && level < 1);
        found++;
    }
    assert_int_equal(found, (int)(sizeof looks / sizeof *looks));
}

static void the_first_look_can_decide_and_the_sum_stays_within_alpha(void **state)
{
    (void)state;
    double x[STATS_BLOCKS_MAX], error = 0;
    for (int i = 0; i < STATS_BLOCKS_MAX; i++) x[i] = i;
    for (int blocks = 1; blocks <= STATS_BLOCKS_MAX; blocks++) {
        const bool cap = blocks == STATS_BLOCKS_MAX;
        const double level = stats_look_level(blocks, cap, 0.05);
        if (level == 1) continue;
        const Interval got = stats_median_interval(x, blocks, level);
        assert_int_equal(got.kind, INTERVAL_ORDER);
        error += 1 - got.level;
        if (blocks <= 32)
            print_message("    look at %2d blocks: level %.4f, interval [x(%.0f), x(%.0f)]\n",
                          blocks, got.level, got.low + 1, got.high + 1);
    }
    print_message("    chance of an error over all looks: at most %.4f\n", error);
    assert_true(error <= 0.05 && error > 0.04);
    assert_true(stats_look_level(3, true, 0.05) == 0.95);
    assert_true(stats_look_level(6, true, 0.05) == 0.95);
    assert_true(fabs(stats_look_level(7, true, 0.05) - (1 - 0.01875)) < 1e-15);
}

static Comparison undecided(int blocks, double mde_rel)
{
    return (Comparison){ .d = { .low = -1, .high = 1, .kind = INTERVAL_ORDER, .n = blocks },
                         .mde_rel = mde_rel, .blocks = blocks };
}

static void stopping_has_a_reason(void **state)
{
    (void)state;
    const StopRule rule = { .mde_goal = 0.03, .blocks_max = 20 }, no_goal = { .blocks_max = 20 };
    Comparison c = undecided(6, 0.05);
    assert_int_equal(stats_stop(&rule, &c), STOP_GO_ON);
    c = undecided(6, 0.03);
    assert_int_equal(stats_stop(&rule, &c), STOP_PRECISE);
    assert_int_equal(stats_stop(&no_goal, &c), STOP_GO_ON);
    c = undecided(20, 0.05);
    assert_int_equal(stats_stop(&rule, &c), STOP_CAP);
    c.decision = DECISION_SAME;
    assert_int_equal(stats_stop(&rule, &c), STOP_DECIDED);
    c = undecided(5, 0.001);
    c.d.kind = INTERVAL_RANGE;
    assert_int_equal(stats_stop(&rule, &c), STOP_GO_ON);
    assert_string_equal(stats_stop_name(STOP_CAP), "cap");
}

/* Blocks of 4 rounds are measured and judged until the rule says stop. */
static int blocks_until_stop(double noise, int cap, Comparison *c)
{
    double d[4 * 60];
    int start[61];
    const StopRule rule = { .mde_goal = 0.021, .blocks_max = cap };
    for (int blocks = 1; blocks <= cap; blocks++) {
        start[0] = 0;
        start[blocks] = 4 * blocks;
        for (int i = 4 * (blocks - 1); i < 4 * blocks; i++)
            d[i] = 0.02 + noise * (random_uniform(8, 0, (uint64_t)i) - 0.5);
        const double level = stats_look_level(blocks, blocks == cap, 0.05);
        if (level == 1) continue;
        if (stats_compare(&(Nested){ d, start, blocks }, level, 0.02, c, NULL)) return -1;
        if (stats_stop(&rule, c) != STOP_GO_ON) return blocks;
    }
    return -1;
}

static void measuring_always_ends(void **state)
{
    (void)state;
    Comparison c;
    assert_int_equal(blocks_until_stop(0, 60, &c), 6);        /* no noise: first look */
    assert_int_equal(c.decision, DECISION_FASTER);            /* 0.02 > ln 1.02 */
    assert_int_equal(blocks_until_stop(0.3, 20, &c), 20);     /* on the margin, noisy: the cap */
    assert_int_equal(c.decision, DECISION_INCONCLUSIVE);
    assert_int_equal(blocks_until_stop(0.001, 60, &c), 6);    /* on the margin, quiet: precise */
}

/* Samples that are no numbers stop everything at once, with a sentence that says where. */
static void measuring_ends_with_what_is_no_number(void **state)
{
    (void)state;
    static const double bad[] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 3; i++)
        for (int at = 0; at < 24; at += 23) {
            double d[24] = { 0 };
            const int start[] = { 0, 4, 8, 12, 16, 20, 24 };
            Comparison c;
            Interval cost;
            Err err;
            d[at] = bad[i];
            for (int blocks = at ? 6 : 1; blocks <= 6; blocks++) {
                const Nested samples = { d, start, blocks };
                assert_int_equal(stats_compare(&samples, 0.95, 0, &c, &err), BAD_INPUT);
                assert_non_null(strstr(err.text, at ? "block 5, sample 3" : "block 0, sample 0"));
                assert_int_equal(stats_cost(&samples, 0.5, 0.95, &cost, &err), BAD_INPUT);
            }
        }
    double times[40];
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 40; k++) times[k] = k % 2 ? bad[i] : 0;
        const Warmup got = stats_warmup(times, 40, 1000);
        assert_true(got.epochs >= 32 && got.epochs <= 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_are_as_long_as_asked),
        cmocka_unit_test(one_interrupted_reading_does_not_end_it),
        cmocka_unit_test(two_readings_must_be_successive),
        cmocka_unit_test(goal_is_a_thousand_clock_ticks),
        cmocka_unit_test(a_dead_clock_does_not_hang),
        cmocka_unit_test(lying_clocks_do_not_hang),
        cmocka_unit_test(a_step_back_is_no_time),
        cmocka_unit_test(arms_share_the_slowest_ones_calls),
        cmocka_unit_test(every_arm_stands_once_in_every_place),
        cmocka_unit_test(two_arms_are_abba_or_baab),
        cmocka_unit_test(all_arms_start_equally_often),
        cmocka_unit_test(looks_are_half_as_many_again),
        cmocka_unit_test(the_first_look_can_decide_and_the_sum_stays_within_alpha),
        cmocka_unit_test(stopping_has_a_reason),
        cmocka_unit_test(measuring_always_ends),
        cmocka_unit_test(measuring_ends_with_what_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
