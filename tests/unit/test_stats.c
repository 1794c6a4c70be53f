/* SPDX-License-Identifier: Apache-2.0 */
/* Building blocks of the statistics against numbers worked out by hand, by enumeration, or by the
 * wider arithmetic of long double. */
#include "../../harness/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../kernels/core/random.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

static void assert_near(double got, double wanted, double tolerance)
{
    if (!(fabs(got - wanted) <= tolerance)) fail_msg("got %.17g, wanted %.17g", got, wanted);
}

/* ---- Arithmetic ---- */

static double ulps_off(double got, long double exact)
{
    const double near = (double)exact, ulp = nextafter(fabs(near), INFINITY) - fabs(near);
    return (double)(fabsl((long double)got - exact) / (long double)ulp);
}

static void logarithm_is_within_two_ulps(void **state)
{
    (void)state;
    double worst = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        const double u = random_uniform(1, 1, i);
        const double x = i % 2 ? 0.5 + u : ldexp(1 + u, (int)random_below(1, 2, i, 2000) - 1000);
        worst = fmax(worst, ulps_off(stats_log(x), logl((long double)x)));
    }
    print_message("    worst error of stats_log: %.2f ulp\n", worst);
    assert_true(worst <= 2);
    assert_true(stats_log(1) == 0);
    assert_true(stats_log(0) == -INFINITY && stats_log(INFINITY) == INFINITY);
    assert_true(isnan(stats_log(-1)) && isnan(stats_log(NAN)));
    assert_near(stats_log(0x1p-1074), -1074 * 0.6931471805599453, 1e-12);
}

static void exponential_is_within_two_ulps(void **state)
{
    (void)state;
    double worst = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        const double x = (random_uniform(2, 1, i) - 0.5) * (i % 2 ? 2 : 1400);
        worst = fmax(worst, ulps_off(stats_exp(x), expl((long double)x)));
    }
    print_message("    worst error of stats_exp: %.2f ulp\n", worst);
    assert_true(worst <= 2);
    assert_true(stats_exp(0) == 1 && stats_exp(-INFINITY) == 0);
    assert_true(stats_exp(INFINITY) == INFINITY && stats_exp(711) == INFINITY);
    assert_true(isfinite(stats_exp(709.7)) && isnan(stats_exp(NAN)));
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort_agrees_with_the_library(void **state)
{
    (void)state;
    static double mine[3000], theirs[3000];
    for (int n = 0; n <= 3000; n = n < 40 ? n + 1 : 2 * n + 7) {
        for (int i = 0; i < n; i++)
            mine[i] = theirs[i] = (double)random_below(3, (uint64_t)n, (uint64_t)i, 1 + n / 2);
        stats_sort(mine, n);
        qsort(theirs, (size_t)n, sizeof *theirs, by_value);
        assert_memory_equal(mine, theirs, (size_t)n * sizeof *mine);
    }
}

/* ---- Ranks ---- */

static void quantile_is_type_seven(void **state)
{
    (void)state;
    const double x[] = { 1, 2, 3, 4, 10 };
    assert_true(stats_quantile(x, 5, 0) == 1 && stats_quantile(x, 5, 1) == 10);
    assert_true(stats_quantile(x, 5, 0.5) == 3 && stats_quantile(x, 4, 0.5) == 2.5);
    assert_true(stats_quantile(x, 5, 0.25) == 2 && stats_quantile(x, 4, 0.25) == 1.75);
    assert_near(stats_quantile(x, 5, 0.9), 4 + 0.6 * 6, 1e-14);
    assert_true(stats_quantile(x, 1, 0.25) == 1);
}

static void binomial_tail_is_exact(void **state)
{
    (void)state;
    assert_true(stats_binomial_tail(6, -1) == 0 && stats_binomial_tail(6, 6) == 1);
    assert_true(stats_binomial_tail(6, 0) == 1.0 / 64);
    assert_true(stats_binomial_tail(9, 1) == 10.0 / 512);
    assert_true(stats_binomial_tail(20, 5) == 21700.0 / 1048576);
    for (int n = 1; n < 6000; n = 3 * n + 1)   /* P(X <= k) + P(X <= n - 1 - k) = 1 */
        for (int k = 0; k < n; k += 1 + n / 7)
            assert_near(stats_binomial_tail(n, k) + stats_binomial_tail(n, n - 1 - k), 1, 1e-12);
    /* The normal limit with a continuity correction: P(X <= 4900 of 10000) = Phi(-1.99). */
    assert_near(stats_binomial_tail(10000, 4900), 0.5 * erfc(1.99 / sqrt(2)), 1e-5);
}

static void median_interval_knows_its_level(void **state)
{
    (void)state;
    /* n, rank of the lower bound, the exact error 2 P(Binomial(n, 1/2) < rank) */
    static const struct { int n, rank; double error; } known[] = {
        { 6, 1, 2 / 64.0 },     { 7, 1, 2 / 128.0 },     { 8, 1, 2 / 256.0 },
        { 9, 2, 20 / 512.0 },   { 10, 2, 22 / 1024.0 },  { 12, 3, 158 / 4096.0 },
        { 14, 3, 212 / 16384.0 }, { 17, 5, 6428 / 131072.0 }, { 20, 6, 43400 / 1048576.0 },
    };
    double x[20];
    for (int i = 0; i < 20; i++) x[i] = i + 1;
    for (int i = 0; i < LENGTH(known); i++) {
        const Interval got = stats_median_interval(x, known[i].n, 0.95);
        assert_int_equal(got.kind, INTERVAL_ORDER);
        assert_int_equal(got.n, known[i].n);
        assert_true(got.low == known[i].rank && got.high == known[i].n + 1 - known[i].rank);
        assert_near(got.level, 1 - known[i].error, 1e-15);
    }
}

static void too_few_blocks_have_no_interval(void **state)
{
    (void)state;
    const double x[] = { 1, 2, 3, 4, 5, 6 };
    for (int n = 1; n <= 5; n++) {
        const Interval got = stats_median_interval(x, n, 0.95);
        assert_int_equal(got.kind, INTERVAL_NONE);
        assert_true(got.low == -INFINITY && got.high == INFINITY && got.level == 0);
        assert_true(got.value == stats_quantile(x, n, 0.5));
    }
    assert_int_equal(stats_median_interval(x, 6, 0.97).kind, INTERVAL_NONE);
    assert_int_equal(stats_median_interval(x, 5, 0.90).kind, INTERVAL_ORDER);
    assert_int_equal(stats_blocks_needed(0.95), 6);
    assert_int_equal(stats_blocks_needed(0.96875), 6);
    assert_int_equal(stats_blocks_needed(0.99), 8);
    assert_int_equal(stats_blocks_needed(1 - 0.05 / 10), 9);
}

/* Kendall's S of a permutation of 8, and how many of the 40320 reach |S| >= 16. */
static void count_permutations(double *value, int n, int *trending, int *all)
{
    if (n == 8) {
        const int s = stats_mann_kendall(value, 8);
        *trending += s >= 16 || s <= -16;
        ++*all;
        return;
    }
    for (int i = n; i < 8; i++) {
        const double a = value[n], b = value[i];
        value[n] = b;
        value[i] = a;
        count_permutations(value, n + 1, trending, all);
        value[n] = a;
        value[i] = b;
    }
}

static void trend_threshold_is_what_the_header_says(void **state)
{
    (void)state;
    double value[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    int trending = 0, all = 0;
    assert_int_equal(stats_mann_kendall(value, 8), 28);
    count_permutations(value, 0, &trending, &all);
    assert_int_equal(all, 40320);
    assert_int_equal(trending, 2 * 1230);
    assert_int_equal(stats_mann_kendall((double[]){ 3, 3, 3, 2 }, 4), -3);
}

static void spearman_handles_ties_and_trends(void **state)
{
    (void)state;
    const double x[] = { 1, 2, 4, 8, 16 }, up[] = { 1, 10, 11, 12, 900 }, flat[5] = { 0 };
    const double down[] = { 5, 4, 3, 2, 1 }, mixed[] = { 2, 1, 4, 3, 5 };
    const double tied[] = { 1, 1, 2, 2, 3 };   /* mid-ranks 1.5 1.5 3.5 3.5 5 */
    assert_true(stats_spearman(x, up, 5) == 1 && stats_spearman(x, down, 5) == -1);
    assert_true(stats_spearman(x, flat, 5) == 0);
    assert_near(stats_spearman(x, mixed, 5), 1 - 6.0 * 4 / (5 * 24), 1e-15);
    assert_near(stats_spearman(x, tied, 5), 9 / sqrt(90), 1e-15);
}

static void holm_steps_down(void **state)
{
    (void)state;
    const double p[] = { 0.01, 0.04, 0.03, 0.005, NAN }, want4[] = { 0.03, 0.06, 0.06, 0.02 };
    double got[5];
    stats_holm(p, 4, got);
    for (int i = 0; i < 4; i++) assert_near(got[i], want4[i], 1e-15);
    stats_holm(p, 5, got);   /* one more, never rejected: every factor grows by one */
    const double want5[] = { 0.04, 0.09, 0.09, 0.025, 1 };
    for (int i = 0; i < 5; i++) assert_near(got[i], want5[i], 1e-15);
    const double equal[] = { 0.02, 0.02 };
    stats_holm(equal, 2, got);
    assert_near(got[0], 0.04, 1e-15);
    assert_near(got[1], 0.04, 1e-15);
}

/* ---- Blocks ---- */

static void summary_drops_nothing(void **state)
{
    (void)state;
    const double time_ns[] = { 30, 10, 1000, 20, 40 };
    const bool flagged[] = { false, false, true, false, false };
    double scratch[5];
    const BlockSummary got = stats_block_summary(time_ns, flagged, 5, scratch);
    assert_true(got.min == 10 && got.p25 == 20 && got.median == 30 && got.n == 5);
    assert_true(got.flagged_share == 0.2);
    assert_true(isnan(stats_block_summary(time_ns, NULL, 5, scratch).flagged_share));
    assert_true(time_ns[2] == 1000);
    assert_true(stats_flagged(1, 0) && stats_flagged(-1, 2));
    assert_false(stats_flagged(0, 0) || stats_flagged(-1, -1));
}

static void warmup_ends_where_the_trend_does(void **state)
{
    (void)state;
    double time_ns[400];
    for (int i = 0; i < 400; i++)   /* 3 times slower at first, gone to a ten-thousandth at 100 */
        time_ns[i] = 100 + 200 * exp(-i / 10.0) + random_uniform(4, 1, (uint64_t)i);
    const Warmup got = stats_warmup(time_ns, 400, 100);
    print_message("    decaying start: warm after %d epochs\n", got.epochs);
    assert_true(got.steady && got.epochs >= 48 && got.epochs <= 100);
    assert_int_equal(got.epochs % 4, 0);

    const Warmup early = stats_warmup(time_ns, 40, 100);
    assert_true(!early.steady && early.epochs == 40);
    const Warmup limited = stats_warmup(time_ns, 400, 36);
    assert_true(!limited.steady && limited.epochs == 36);
}

static void steady_or_constant_epochs_are_warm_at_once(void **state)
{
    (void)state;
    double time_ns[32];
    for (int i = 0; i < 32; i++) time_ns[i] = 7;
    assert_true(stats_warmup(time_ns, 32, 100).steady);
    assert_false(stats_warmup(time_ns, 31, 100).steady);
    assert_int_equal(stats_warmup(time_ns, 0, 100).epochs, 0);

    int warm = 0;
    for (uint64_t trial = 0; trial < 2000; trial++) {
        for (uint64_t i = 0; i < 32; i++) time_ns[i] = random_uniform(5, trial, i);
        warm += stats_warmup(time_ns, 32, 100).steady;
    }
    print_message("    steady noise is called steady: %.1f %% (exact: 93.9 %%)\n", warm / 20.0);
    assert_true(warm > 2000 * 0.925 && warm < 2000 * 0.955);
}

static void components_by_hand(void **state)
{
    (void)state;
    const double value[] = { 1, 3, 5, 7, 9, 11 };   /* means 2, 6, 10; variance 2 in each */
    const int start[] = { 0, 2, 4, 6 };
    const Nested samples = { value, start, 3 };
    Components got;
    assert_int_equal(stats_components(&samples, &got, NULL), OK);
    assert_near(got.within, 2, 1e-15);
    assert_near(got.between, 16 - 2 / 2.0, 1e-14);

    const double same_means[] = { 1, 3, 1, 3, 1, 3 };   /* S2^2 = 0: T2^2 is not negative */
    assert_int_equal(stats_components(&(Nested){ same_means, start, 3 }, &got, NULL), OK);
    assert_true(got.within == 2 && got.between == 0);
    assert_int_equal(stats_components(&(Nested){ value, start, 1 }, &got, NULL), OK);
    assert_true(got.between == 0);
}

static void components_are_unbiased(void **state)
{
    (void)state;
    enum { BLOCKS = 400, ROUNDS = 5 };
    double value[BLOCKS * ROUNDS];
    int start[BLOCKS + 1];
    for (int b = 0; b <= BLOCKS; b++) start[b] = b * ROUNDS;
    for (int i = 0; i < BLOCKS * ROUNDS; i++)
        value[i] = 2 * random_normal(6, 1, (uint64_t)(i / ROUNDS))
                   + 3 * random_normal(6, 2, (uint64_t)i);
    Components got;
    assert_int_equal(stats_components(&(Nested){ value, start, BLOCKS }, &got, NULL), OK);
    assert_near(got.within, 9, 1);    /* standard errors: 0.32 and 0.41 */
    assert_near(got.between, 4, 1.3);
}

static void rounds_are_clamped(void **state)
{
    (void)state;
    const Components parts = { .within = 4, .between = 1 };
    assert_int_equal(stats_rounds(&parts, 25, 1), 10);
    assert_int_equal(stats_rounds(&parts, 26, 1), 11);   /* 10.2: rounded up */
    assert_int_equal(stats_rounds(&parts, 1, 1), 4);
    assert_int_equal(stats_rounds(&parts, 1e9, 1), 50);
    assert_int_equal(stats_rounds(&(Components){ .within = 0, .between = 1 }, 25, 1), 4);
    assert_int_equal(stats_rounds(&(Components){ .within = 1, .between = 0 }, 25, 1), 50);
    assert_int_equal(stats_rounds(&(Components){ 0 }, 25, 1), 4);
}

static void bad_samples_are_named(void **state)
{
    (void)state;
    const double value[] = { 1, 2, INFINITY, 4 };
    const int pairs[] = { 0, 2, 4 }, empty[] = { 0, 2, 2 };
    Err err;
    assert_int_equal(stats_nested_check(&(Nested){ value, pairs, 2 }, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "block 1, sample 0"));
    assert_int_equal(stats_nested_check(&(Nested){ value, empty, 2 }, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "block 1 has no samples"));
    assert_int_equal(stats_nested_check(&(Nested){ value, pairs, 1 }, &err), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logarithm_is_within_two_ulps),
        cmocka_unit_test(exponential_is_within_two_ulps),
        cmocka_unit_test(sort_agrees_with_the_library),
        cmocka_unit_test(quantile_is_type_seven),
        cmocka_unit_test(binomial_tail_is_exact),
        cmocka_unit_test(median_interval_knows_its_level),
        cmocka_unit_test(too_few_blocks_have_no_interval),
        cmocka_unit_test(trend_threshold_is_what_the_header_says),
        cmocka_unit_test(spearman_handles_ties_and_trends),
        cmocka_unit_test(holm_steps_down),
        cmocka_unit_test(summary_drops_nothing),
        cmocka_unit_test(warmup_ends_where_the_trend_does),
        cmocka_unit_test(steady_or_constant_epochs_are_warm_at_once),
        cmocka_unit_test(components_by_hand),
        cmocka_unit_test(components_are_unbiased),
        cmocka_unit_test(rounds_are_clamped),
        cmocka_unit_test(bad_samples_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
