/* SPDX-License-Identifier: Apache-2.0 */
/* How often the statistics are wrong: false alarms, coverage and power on synthetic timings.
 * Seeds are fixed, so a rate is the same number in every run; numbers of trials are such that the
 * bounds leave room for the chance of the seed, but none for a broken procedure. The arithmetic is
 * beside each bound: a rate p of n trials has a standard deviation of sqrt(p (1 - p) / n). The
 * tables with many trials are printed by `make bench-stats`. */
#include "stats_trials.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static double d[24 * 24];
static int start[25];

/* ---- False alarms ---- */

/* 1200 A/A trials of 6 blocks; exactly 1/32 = 3.1 % of them should cry wolf, sd 0.5 %: 6 % are 5.7
 * sd away. A procedure that is wrong in 10 % of cases stays below 6 % with a chance of 1e-6. */
static Certificate certificate(Shape shape, bool interleaved)
{
    const Scenario s = { .shape = shape, .blocks = 7200, .rounds = 12, .ratio = 1,
                         .block_sd = shape == CONSTANT ? 0 : 0.01, .interleaved = interleaved };
    const Nested samples = trial_pairs(&s, 100 + (uint64_t)shape);
    Certificate got;
    assert_int_equal(stats_certificate(&samples, 6, &got, NULL), OK);
    return got;
}

static void equal_arms_rarely_differ(void **state)
{
    (void)state;
    for (Shape shape = 0; shape < SHAPES; shape++) {
        const Certificate got = certificate(shape, true);
        print_message("    %-15s %4.1f %% false alarms [%.1f, %.1f], width %.2f %%, "
                      "95 %% are off by less than %.2f %%\n",
                      shape_name[shape], 100 * got.false_alarms.value, 100 * got.false_alarms.low,
                      100 * got.false_alarms.high, 100 * got.width_rel, 100 * got.off_p95_rel);
        assert_true(got.false_alarms.value <= 0.06);
        assert_true((shape == CONSTANT) == (got.width_rel == 0));
    }
}

static void without_interleaving_drift_is_an_alarm(void **state)
{
    (void)state;
    const Certificate got = certificate(DRIFT, false);
    print_message("    all of A, then all of B, under drift: %.0f %% false alarms\n",
                  100 * got.false_alarms.value);
    assert_true(got.false_alarms.value > 0.5);
}

/* The whole of stats_compare, as a user meets it; processes differ by 0.3 % whatever the noise
 * inside. Two to five blocks: 5 % of 8000 are wrong, sd 0.24 %, and the bound of 6 % is 4.1 sd
 * away. From 6 blocks on at most 3.1 % of 400 are, sd 0.9 %, and 6 % are 3.3 sd away. A procedure
 * that errs in 10 % of cases stays below in 1 of 10^30 and in 1 of 250 cases, for each shape. */
static void comparisons_keep_their_error(void **state)
{
    (void)state;
    static const struct { int blocks, trials; } at[] = { { 2, 8000 }, { 3, 8000 }, { 6, 400 } };
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        for (Shape shape = 0; shape < SHAPES; shape++) {
            const Scenario s = { .shape = shape, .blocks = at[i].blocks, .rounds = 8, .ratio = 1,
                                 .block_sd = 0.003, .interleaved = true };
            const Outcomes got = try_comparisons(&s, at[i].trials);
            const double share = (double)(got.found + got.wrong) / at[i].trials;
            print_message("    %d blocks, %-15s %4.1f %% false alarms of %d\n", at[i].blocks,
                          shape_name[shape], 100 * share, at[i].trials);
            assert_true(share <= 0.06);
        }
}

/* Blocks arrive one by one, and we look at every look up to 48. */
static bool ever_alarmed(uint64_t trial, bool spend_alpha)
{
    double block_d[48], sorted[48];
    for (int blocks = 1; blocks <= 48; blocks++) {
        block_d[blocks - 1] = random_normal(20, trial, (uint64_t)blocks);
        const double level = stats_look_level(blocks, blocks == 48, 0.05);
        if (level == 1) continue;
        for (int i = 0; i < blocks; i++) sorted[i] = block_d[i];
        stats_sort(sorted, blocks);
        const Interval got = stats_median_interval(sorted, blocks, spend_alpha ? level : 0.95);
        if (got.low > 0 || got.high < 0) return true;
    }
    return false;
}

static void looking_again_and_again_keeps_the_error(void **state)
{
    (void)state;
    int with = 0, without = 0;
    for (uint64_t trial = 0; trial < 4000; trial++) {
        with += ever_alarmed(trial, true);
        without += ever_alarmed(trial, false);
    }
    print_message("    six looks at A/A: %.1f %% false alarms; at 95 %% each: %.1f %%\n",
                  with / 40.0, without / 40.0);
    assert_true(with <= 4000 * 0.05);
    assert_true(without > 4000 * 0.08);
}

/* ---- Power ---- */

/* Share of trials that end in each decision; B takes `ratio` times as long as A. */
static void decide_often(Shape shape, double ratio, int blocks, int count[4])
{
    enum { TRIALS = 40 };
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        const Scenario s = { .shape = shape, .blocks = blocks, .rounds = 8, .ratio = ratio,
                             .block_sd = 0.003, .interleaved = true };
        const Nested samples = trial_pairs(&s, 7000 + trial);
        Comparison c;
        assert_int_equal(stats_compare(&samples, 0.95, 0.02, &c, NULL), OK);
        count[c.decision]++;
    }
}

static void power_grows_with_the_effect(void **state)
{
    (void)state;
    static const double ratio[] = { 1, 1.01, 1.02, 1.03, 1.05, 1.1, 0.9 };
    enum { RATIOS = sizeof ratio / sizeof *ratio, TRIALS = 40 };
    int count[2][RATIOS][4] = { 0 };
    static const Shape shape[2] = { LOG_NORMAL, SPIKES };
    print_message("    margin 2 %%, 6 blocks of 8 rounds: %% of 40 trials called faster, slower, "
                  "same\n");
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < RATIOS; i++) {
            int *n = count[k][i];
            decide_often(shape[k], ratio[i], 6, n);
            print_message("    %-11s true ratio %.2f: %5.1f %5.1f %5.1f\n", shape_name[shape[k]],
                          ratio[i], 2.5 * n[DECISION_FASTER], 2.5 * n[DECISION_SLOWER],
                          2.5 * n[DECISION_SAME]);
            assert_true(ratio[i] > 1.02 || n[DECISION_FASTER] <= 3);   /* 6 % of 40 is 2.4 */
            assert_true(ratio[i] < 0.98 || n[DECISION_SLOWER] <= 3);
            assert_true((ratio[i] < 1.02 && ratio[i] > 0.98) || n[DECISION_SAME] <= 3);
        }
    for (int k = 0; k < 2; k++) {
        assert_true(count[k][5][DECISION_FASTER] >= TRIALS * 9 / 10);
        assert_true(count[k][6][DECISION_SLOWER] >= TRIALS * 9 / 10);
        assert_true(count[k][4][DECISION_FASTER] >= count[k][3][DECISION_FASTER]);
    }
    assert_true(count[1][0][DECISION_SAME] > TRIALS / 2);   /* quiet but for its spikes */
}

/* ---- Coverage ---- */

/* Coverage of the true median by intervals of n values drawn from a skewed law. */
static double coverage_of_median(int n, double level)
{
    enum { TRIALS = 4000 };
    int hits = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        double x[40];
        for (int i = 0; i < n; i++)
            x[i] = exp(0.5 * random_normal(30 + (uint64_t)n, trial, (uint64_t)i));
        stats_sort(x, n);
        const Interval got = stats_median_interval(x, n, level);
        hits += got.low <= 1 && got.high >= 1;
    }
    return (double)hits / TRIALS;
}

static void order_statistics_cover_as_they_say(void **state)
{
    (void)state;
    static const int tight[] = { 6, 9, 12, 15, 17, 20, 40 };
    for (size_t i = 0; i < sizeof tight / sizeof *tight; i++) {
        const double got = coverage_of_median(tight[i], 0.95);
        print_message("    %2d blocks: covers %.1f %%\n", tight[i], 100 * got);
        assert_true(got >= 0.93 && got <= 0.975);
    }
    /* n = 11 and 14 have no interval near 95 %: they cover what `level` says. */
    assert_true(fabs(coverage_of_median(11, 0.95) - (1 - 24 / 2048.0)) < 0.007);
    assert_true(fabs(coverage_of_median(14, 0.95) - (1 - 212 / 16384.0)) < 0.007);
    assert_true(fabs(coverage_of_median(20, 0.80) - (1 - 2 * 60460 / 1048576.0)) < 0.02);
}

/* Share of intervals that hold 0, for d of mean 0: `between` processes, `within` them. */
static double coverage_of_comparison(int blocks, double between, double within, int trials)
{
    enum { ROUNDS = 4 };
    int hits = 0;
    equal_blocks(blocks, ROUNDS, start);
    for (int trial = 0; trial < trials; trial++) {
        const uint64_t stream = random_u64(40, (uint64_t)blocks, (uint64_t)trial);
        for (int i = 0; i < blocks * ROUNDS; i++)
            d[i] = between * random_normal(stream, 1, (uint64_t)(i / ROUNDS))
                   + within * random_normal(stream, 2, (uint64_t)i);
        Comparison got;
        must(stats_compare(&(Nested){ d, start, blocks }, 0.95, 0, &got, NULL));
        hits += got.d.low <= 0 && got.d.high >= 0;
    }
    return (double)hits / trials;
}

/* Wherever the spread comes from. 95 % of 3000, sd 0.4 %: 93 and 97 % are 5 sd away. */
static void few_blocks_are_honest(void **state)
{
    (void)state;
    enum { TRIALS = 3000 };
    for (int blocks = 2; blocks <= 5; blocks++) {
        const double part[] = { coverage_of_comparison(blocks, 1, 0, TRIALS),
                                coverage_of_comparison(blocks, 1, 1, TRIALS),
                                coverage_of_comparison(blocks, 0, 1, TRIALS) };
        print_message("    %d blocks: covers %.1f %% (spread between processes only), "
                      "%.1f %% (both), %.1f %% (inside only)\n",
                      blocks, 100 * part[0], 100 * part[1], 100 * part[2]);
        for (int i = 0; i < 3; i++) assert_true(part[i] >= 0.93 && part[i] <= 0.97);
    }
    const double one = coverage_of_comparison(1, 1, 1, 300);
    print_message("    one block: covers %.0f %%, which is why it decides nothing\n", 100 * one);
    assert_true(one < 0.8);
}

/* Whatever the noise. 95 % of 2000, sd 0.5 %: 93 and 97 % are 4 sd away. Rounds that are 40 % in
 * another mode have block medians with several peaks if there are only 8 of them; hence 32. */
static void every_noise_is_covered(void **state)
{
    (void)state;
    enum { TRIALS = 2000 };
    for (Shape shape = 0; shape < CONSTANT; shape++) {
        const Scenario s = { .shape = shape, .blocks = 3, .rounds = 32, .ratio = 1.05,
                             .block_sd = 0.003, .interleaved = true };
        const double cost = (double)covered_costs(&s, TRIALS) / TRIALS;
        const double ratio = (double)try_comparisons(&s, TRIALS).covered / TRIALS;
        print_message("    3 blocks, %-15s costs %.1f %%, ratios %.1f %%\n", shape_name[shape],
                      100 * cost, 100 * ratio);
        assert_true(cost >= 0.93 && cost <= 0.97 && ratio >= 0.93 && ratio <= 0.97);
    }
}

/* ---- Cost ---- */

static void cost_covers_the_typical_process(void **state)
{
    (void)state;
    enum { TRIALS = 1500, EACH = 8 };   /* 95 %, sd 0.6 % */
    int few = 0, many = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        for (int i = 0; i < 9 * EACH; i++)   /* p25 of exp(z) is exp(-0.6745), up to its bias */
            d[i] = exp(0.1 * random_normal(50, trial, (uint64_t)(i / EACH))
                       + 0.01 * random_normal(51, trial, (uint64_t)i));
        equal_blocks(9, EACH, start);
        Interval three, nine;
        must(stats_cost(&(Nested){ d, start, 3 }, 0.25, 0.95, &three, NULL));
        must(stats_cost(&(Nested){ d, start, 9 }, 0.25, 0.95, &nine, NULL));
        const double truth = exp(-0.0067);
        few += three.low <= truth && truth <= three.high;
        many += nine.low <= truth && truth <= nine.high;
    }
    print_message("    cost: 3 processes cover %.0f %%, 9 cover %.0f %%\n",
                  100.0 * few / TRIALS, 100.0 * many / TRIALS);
    assert_true(few >= TRIALS * 0.925 && few <= TRIALS * 0.975);
    assert_true(many >= TRIALS * 0.93 && many <= TRIALS * 0.985);   /* 96.1 % by theory */
}

/* ---- Stopping ---- */

/* Every noise, on the margin and off it: measuring ends by the cap, and looking again and again
 * finds differences between equal arms in at most 5 % of cases: of 20, more than 4 by a chance of
 * 0.3 %. */
static void measuring_ends_whatever_the_noise(void **state)
{
    (void)state;
    enum { TRIALS = 20, CAP = 14 };
    static const double ratio[] = { 1, 1.02, 1.05 };
    for (Shape shape = 0; shape < SHAPES; shape++) {
        int ended[STOP_CAP + 1] = { 0 }, alarms = 0;
        for (int i = 0; i < 3; i++)
            for (int trial = 0; trial < TRIALS; trial++) {
                const Scenario s = { .shape = shape, .rounds = 8, .ratio = ratio[i],
                                     .block_sd = 0.003, .interleaved = true };
                const Ending end = measure_until_stop(&s, CAP, 0.02, trial_seed(&s, trial));
                ended[end.stop]++;
                alarms += i == 0 && end.alarmed;
                assert_true(end.blocks >= STATS_BLOCKS_MIN && end.blocks <= CAP);
            }
        print_message("    %-15s decided %d, precise %d, at the cap %d; false alarms %d of %d\n",
                      shape_name[shape], ended[STOP_DECIDED], ended[STOP_PRECISE], ended[STOP_CAP],
                      alarms, TRIALS);
        assert_int_equal(ended[STOP_GO_ON], 0);
        assert_true(alarms <= 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_arms_rarely_differ),
        cmocka_unit_test(without_interleaving_drift_is_an_alarm),
        cmocka_unit_test(comparisons_keep_their_error),
        cmocka_unit_test(looking_again_and_again_keeps_the_error),
        cmocka_unit_test(power_grows_with_the_effect),
        cmocka_unit_test(order_statistics_cover_as_they_say),
        cmocka_unit_test(few_blocks_are_honest),
        cmocka_unit_test(every_noise_is_covered),
        cmocka_unit_test(cost_covers_the_typical_process),
        cmocka_unit_test(measuring_ends_whatever_the_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
