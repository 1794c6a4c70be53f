/* SPDX-License-Identifier: Apache-2.0 */
/* Slopes, exponents, crossovers and straightness with known answers, and the coverage of their
 * intervals. */
#include "../../harness/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../kernels/core/random.h"

enum { LENGTHS = 8, BLOCKS_LARGEST = 9, POINTS_LARGEST = LENGTHS * BLOCKS_LARGEST };

/* y = c x^p at x = 128, 256, ..., times noise: one part common to a block, one to each point, and
 * an exponent of its own for each block. */
typedef struct { double exponent, block_sd, point_sd, exponent_sd; int blocks; } Law;

static double xs[POINTS_LARGEST], ys[POINTS_LARGEST];
static int blocks[POINTS_LARGEST];

static Points points_of(const Law *law, uint64_t seed)
{
    int n = 0;
    for (int b = 0; b < law->blocks; b++)
        for (int i = 0; i < LENGTHS; i++, n++) {
            const double own = law->exponent_sd * random_normal(seed, 3, (uint64_t)b);
            xs[n] = 128 * pow(2, i);
            ys[n] = 5 * pow(xs[n], law->exponent + own)
                    * exp(law->block_sd * random_normal(seed, 1, (uint64_t)b)
                          + law->point_sd * random_normal(seed, 2, (uint64_t)n));
            blocks[n] = 100 - b;   /* any numbers will do */
        }
    return (Points){ xs, ys, blocks, n };
}

static Slope exponent_of(const Points *points)
{
    Slope got;
    Err err;
    if (stats_exponent(points, 0.95, &got, &err)) fail_msg("%s", err.text);
    return got;
}

static void a_power_law_is_found_exactly(void **state)
{
    (void)state;
    for (double p = 0; p <= 2; p += 0.5) {
        const Law law = { .exponent = p, .blocks = 6 };
        const Points points = points_of(&law, 1);
        const Slope got = exponent_of(&points);
        assert_true(fabs(got.slope.value - p) < 1e-12 && fabs(exp(got.intercept) - 5) < 1e-9);
        assert_true(fabs(got.slope.low - p) < 1e-12 && fabs(got.slope.high - p) < 1e-12);
        assert_true(got.slope.kind == INTERVAL_ORDER && got.slope.n == 6);
        assert_true(p == 0 || got.r2 > 1 - 1e-12);
    }
}

static void one_bad_length_does_not_tilt_it(void **state)
{
    (void)state;
    const Law law = { .exponent = 1, .blocks = 6 };
    const Points points = points_of(&law, 1);
    for (int i = 0; i < points.n; i++)
        if (i % LENGTHS == LENGTHS - 1) ys[i] *= 30;   /* the largest falls out of a cache */
    assert_true(fabs(exponent_of(&points).slope.value - 1) < 1e-12);
}

static void spread_common_to_a_block_does_not_widen_it(void **state)
{
    (void)state;
    const Law law = { .exponent = 1, .block_sd = 0.5, .blocks = 7 };
    const Points points = points_of(&law, 2);
    const Slope got = exponent_of(&points);
    assert_true(fabs(got.slope.low - 1) < 1e-12 && fabs(got.slope.high - 1) < 1e-12);
}

static double coverage(const Law *law, int trials)
{
    int hits = 0;
    for (int trial = 0; trial < trials; trial++) {
        const Points points = points_of(law, 1000 + (uint64_t)trial);
        const Slope got = exponent_of(&points);
        hits += got.slope.low <= law->exponent && law->exponent <= got.slope.high;
    }
    return (double)hits / trials;
}

static void exponents_are_covered(void **state)
{
    (void)state;
    enum { TRIALS = 400 };
    for (int n = 2; n <= 9; n++) {
        const Law noisy = { .exponent = 1.5, .block_sd = 0.02, .point_sd = 0.05, .blocks = n };
        const Law own = { .exponent = 1.5, .exponent_sd = 0.02, .blocks = n };
        const double by_points = coverage(&noisy, TRIALS), by_blocks = coverage(&own, TRIALS);
        print_message("    %d blocks: exponent covered in %.1f %% (noise at each point), "
                      "%.1f %% (each block its own exponent)\n",
                      n, 100 * by_points, 100 * by_blocks);
        assert_true(by_points >= 0.92 && by_blocks >= 0.92);
    }
}

static void few_blocks_and_holes_are_handled(void **state)
{
    (void)state;
    const Law law = { .exponent = 1, .point_sd = 0.01, .blocks = 1 };
    Points points = points_of(&law, 3);
    assert_int_equal(exponent_of(&points).slope.kind, INTERVAL_NONE);

    const Law three = { .exponent = 1, .point_sd = 0.01, .blocks = 3 };
    points = points_of(&three, 3);
    assert_int_equal(exponent_of(&points).slope.kind, INTERVAL_RANGE);

    const Law seven = { .exponent = 1, .point_sd = 0.01, .blocks = 7 };
    points = points_of(&seven, 3);
    points.n -= LENGTHS - 1;   /* the last block timed out at all lengths but one */
    const Slope got = exponent_of(&points);
    assert_true(got.slope.kind == INTERVAL_ORDER && got.slope.n == 6);
    assert_true(got.slope.low > 0.97 && got.slope.high < 1.03);
}

static void bad_points_are_named(void **state)
{
    (void)state;
    const Law law = { .exponent = 1, .blocks = 2 };
    const Points points = points_of(&law, 4), alone = { xs, ys, blocks, 1 };
    Slope got;
    Err err;
    assert_int_equal(stats_slope(&alone, 0.95, &got, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "two different x"));
    xs[1] = -1;
    assert_int_equal(stats_exponent(&points, 0.95, &got, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "point 1"));
    xs[1] = NAN;
    assert_int_equal(stats_slope(&points, 0.95, &got, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "point 1"));
}

static void straightness_by_hand(void **state)
{
    (void)state;
    const double x[] = { 1, 2, 3, 4 }, line[] = { 3, 5, 7, 9 }, bent[] = { 1, 4, 9, 16 };
    const double flat[] = { 2, 2, 2, 2 }, square[] = { 1, -1, -1, 1 };
    assert_true(stats_r2(x, line, 4) == 1 && stats_r2(x, flat, 4) == 1);
    assert_true(stats_r2(flat, line, 4) == 0 && stats_r2(x, square, 4) == 0);
    assert_true(fabs(stats_r2(x, bent, 4) - 25.0 * 25 / (5 * 129)) < 1e-14);
}

/* ---- Crossover ---- */

static const double length[] = { 1024, 2048, 4096, 8192 };

/* Intervals value -+ half. */
static Crossover crossover(const double *value, double half)
{
    Interval d[4];
    for (int i = 0; i < 4; i++)
        d[i] = (Interval){ .value = value[i], .low = value[i] - half, .high = value[i] + half,
                           .level = 0.96, .n = 9, .kind = INTERVAL_ORDER };
    return stats_crossover(length, d, 4);
}

static void crossover_is_interpolated_in_log_x(void **state)
{
    (void)state;
    const Crossover got = crossover((double[]){ -0.6, -0.2, 0.2, 0.6 }, 0.1);
    assert_int_equal(got.kind, CROSSOVER_ONE);
    assert_true(got.at_from == DECISION_SLOWER && got.at_to == DECISION_FASTER);
    assert_true(fabs(got.x.value / (2048 * sqrt(2)) - 1) < 1e-12);
    assert_true(fabs(got.x.low / (2048 * pow(2, 0.25)) - 1) < 1e-12);
    assert_true(fabs(got.x.high / (2048 * pow(2, 0.75)) - 1) < 1e-12);
    assert_true(got.x.kind == INTERVAL_INVERSION && got.x.level == 0.96 && got.x.n == 9);
    assert_true(got.sign_changes == 1 && got.from == 1024 && got.to == 8192);

    const Crossover mirrored = crossover((double[]){ 0.6, 0.2, -0.2, -0.6 }, 0.1);
    assert_true(mirrored.at_from == DECISION_FASTER && mirrored.at_to == DECISION_SLOWER);
    assert_true(fabs(mirrored.x.low / got.x.low - 1) < 1e-12);
    assert_true(fabs(mirrored.x.high / got.x.high - 1) < 1e-12);
}

static void no_crossover_names_its_range_and_side(void **state)
{
    (void)state;
    const Crossover got = crossover((double[]){ 0.3, 0.2, 0.5, 0.6 }, 0.1);
    assert_int_equal(got.kind, CROSSOVER_NONE);
    assert_true(got.at_from == DECISION_FASTER && got.at_to == DECISION_FASTER);
    assert_true(isnan(got.x.value) && got.from == 1024 && got.to == 8192);
}

static void unclear_ends_leave_the_interval_open(void **state)
{
    (void)state;
    Crossover got = crossover((double[]){ -0.6, -0.3, -0.2, 0.05 }, 0.1);
    assert_int_equal(got.kind, CROSSOVER_UNCLEAR);
    assert_true(isinf(got.x.high) && got.x.low > 4096 && got.at_to == DECISION_INCONCLUSIVE);
    got = crossover((double[]){ 0.05, 0.3, 0.2, 0.5 }, 0.1);   /* A may still win everywhere */
    assert_int_equal(got.kind, CROSSOVER_UNCLEAR);
    assert_true(got.x.low == 0 && got.x.high < 2048 && isnan(got.x.value));
    got = crossover((double[]){ 0.3, 0.05, 0.2, 0.5 }, 0.1);   /* clear ends, a doubtful middle */
    assert_int_equal(got.kind, CROSSOVER_UNCLEAR);
    assert_true(got.x.low > 1024 && got.x.high < 4096);
}

static void several_crossovers_are_told(void **state)
{
    (void)state;
    const Crossover got = crossover((double[]){ -0.3, 0.3, -0.3, 0.3 }, 0.1);
    assert_true(got.kind == CROSSOVER_SEVERAL && got.sign_changes == 3);
    assert_true(fabs(got.x.value / (2048 * sqrt(2)) - 1) < 1e-12);   /* the middle one */
    const Crossover noisy = crossover((double[]){ -0.3, 0.02, -0.02, 0.3 }, 0.1);
    assert_true(noisy.kind == CROSSOVER_ONE && noisy.sign_changes == 3);
    const Crossover touching = crossover((double[]){ -0.3, 0, 0, 0.3 }, 0.1);
    assert_true(touching.sign_changes == 1);
    assert_true(fabs(touching.x.value / (2048 * sqrt(2)) - 1) < 1e-12);
}

static void blind_intervals_prove_no_side(void **state)
{
    (void)state;
    Interval d[2] = { { .value = -0.5, .low = -0.6, .high = -0.4, .kind = INTERVAL_ONE_BLOCK },
                      { .value = 0.5, .low = -INFINITY, .high = INFINITY } };
    Crossover got = stats_crossover(length, d, 2);
    assert_true(got.kind == CROSSOVER_UNCLEAR && got.x.kind == INTERVAL_NONE);
    assert_true(got.x.low == 0 && isinf(got.x.high) && got.x.value > 1024 && got.x.value < 2048);
    d[0].kind = INTERVAL_ORDER;
    got = stats_crossover(length, d, 2);   /* beyond a clear end nothing is known: up to its x */
    assert_true(fabs(got.x.low - 1024) < 1e-9 && isinf(got.x.high));
}

/* d rises through zero at x = `truth` in a straight line of ln x; 9 blocks at each of 4 lengths. */
static double crossover_coverage(double truth)
{
    enum { TRIALS = 1500, EACH = 9 };
    int hits = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        Interval d[4];
        for (int i = 0; i < 4; i++) {
            double value[EACH];
            for (int b = 0; b < EACH; b++)
                value[b] = 0.3 * log(length[i] / truth)
                           + 0.05 * random_normal(60, trial, (uint64_t)(i * EACH + b));
            stats_sort(value, EACH);
            d[i] = stats_median_interval(value, EACH, 0.95);
        }
        const Crossover got = stats_crossover(length, d, 4);
        hits += got.x.low <= truth && truth <= got.x.high;
    }
    return (double)hits / TRIALS;
}

static void crossovers_are_covered(void **state)
{
    (void)state;
    const double at = crossover_coverage(2048), between = crossover_coverage(3000);
    print_message("    crossover covered in %.1f %% at a measured x, %.1f %% between two "
                  "(each interval: 96.1 %%)\n", 100 * at, 100 * between);
    assert_true(at >= 0.945 && at <= 0.98 && between >= at);
}

static void stored_points_give_stored_bits(void **state)
{
    (void)state;
    double x[24], y[24];
    int block[24];
    for (int i = 0; i < 24; i++) {
        x[i] = 128 << i % 4;
        y[i] = (double)(x[i] * 10 + (double)random_below(12, 0, (uint64_t)i, 400));
        block[i] = i / 4;
    }
    const Points points = { x, y, block, 24 };
    const Slope got = exponent_of(&points);
    const double bits[] = { 0x1.e412b1dfac557p-1, 0x1.da04671c73974p-1, 0x1.f4cd405bf42eap-1,
                            0x1.575bc0ab2fe6cp+1, 0x1.ff75253c9189ap-1 };
    const double now[] = { got.slope.value, got.slope.low, got.slope.high, got.intercept, got.r2 };
    for (int i = 0; i < 5; i++)
        if (memcmp(&now[i], &bits[i], sizeof *bits))
            fail_msg("number %d is %a, stored was %a", i, now[i], bits[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_law_is_found_exactly),
        cmocka_unit_test(one_bad_length_does_not_tilt_it),
        cmocka_unit_test(spread_common_to_a_block_does_not_widen_it),
        cmocka_unit_test(exponents_are_covered),
        cmocka_unit_test(few_blocks_and_holes_are_handled),
        cmocka_unit_test(bad_points_are_named),
        cmocka_unit_test(straightness_by_hand),
        cmocka_unit_test(crossover_is_interpolated_in_log_x),
        cmocka_unit_test(no_crossover_names_its_range_and_side),
        cmocka_unit_test(unclear_ends_leave_the_interval_open),
        cmocka_unit_test(several_crossovers_are_told),
        cmocka_unit_test(blind_intervals_prove_no_side),
        cmocka_unit_test(crossovers_are_covered),
        cmocka_unit_test(stored_points_give_stored_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
