/* SPDX-License-Identifier: Apache-2.0 */
/* Cost, comparison and decision on samples small enough to know the answer; and the promise that
 * stored samples give the same bits everywhere. */
#include "../../harness/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../kernels/core/random.h"

static Interval interval(double low, double high)
{
    return (Interval){ .value = (low + high) / 2, .low = low, .high = high, .level = 0.95, .n = 6,
                       .kind = INTERVAL_ORDER };
}

static Decision decide(double ratio_low, double ratio_high, double margin)
{
    const Interval d = interval(log(ratio_low), log(ratio_high));
    return stats_decide(&d, margin);
}

static void margins_make_four_decisions(void **state)
{
    (void)state;
    assert_int_equal(decide(1.03, 1.05, 0.02), DECISION_FASTER);
    assert_int_equal(decide(0.95, 0.97, 0.02), DECISION_SLOWER);
    assert_int_equal(decide(0.99, 1.01, 0.02), DECISION_SAME);
    assert_int_equal(decide(1.01, 1.03, 0.02), DECISION_INCONCLUSIVE);
    assert_int_equal(decide(0.97, 0.99, 0.02), DECISION_INCONCLUSIVE);
    assert_int_equal(decide(0.90, 1.10, 0.02), DECISION_INCONCLUSIVE);
    assert_int_equal(decide(1.01, 1.03, 0), DECISION_FASTER);
    assert_int_equal(decide(1, 1, 0), DECISION_SAME);

    Interval blind = interval(0.5, 0.6);
    blind.kind = INTERVAL_ONE_BLOCK;
    assert_int_equal(stats_decide(&blind, 0.02), DECISION_INCONCLUSIVE);
    blind.kind = INTERVAL_NONE;
    assert_int_equal(stats_decide(&blind, 0.02), DECISION_INCONCLUSIVE);
}

static void detectable_effect_is_half_width_and_margin(void **state)
{
    (void)state;
    const Interval d = interval(log(0.98), log(1.02)), open = interval(-INFINITY, INFINITY);
    assert_true(fabs(stats_mde(&d, 0) - (sqrt(1.02 / 0.98) - 1)) < 1e-14);
    assert_true(fabs(stats_mde(&d, 0.05) - (1.05 * sqrt(1.02 / 0.98) - 1)) < 1e-14);
    assert_true(isinf(stats_mde(&open, 0.05)));
}

static void log_ratios_are_antisymmetric(void **state)
{
    (void)state;
    double a[100], b[100], ab[100], ba[100];
    for (uint64_t i = 0; i < 100; i++) {
        a[i] = 1 + 1e6 * random_uniform(1, 1, i);
        b[i] = i % 10 ? 1 + 1e6 * random_uniform(1, 2, i) : a[i];
    }
    Err err;
    assert_int_equal(stats_log_ratios(a, b, 100, ab, &err), OK);
    assert_int_equal(stats_log_ratios(b, a, 100, ba, &err), OK);
    for (int i = 0; i < 100; i++) {
        assert_true(ab[i] == -ba[i] && fabs(ab[i] - log(b[i] / a[i])) < 1e-13);
        assert_true(i % 10 || ab[i] == 0);
    }
    b[7] = 0;
    assert_int_equal(stats_log_ratios(a, b, 100, ab, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "round 7"));
}

/* Blocks of equal length whose samples lie `noise` around the given centres. */
enum { ROUNDS = 9, BLOCKS_LARGEST = 12 };
static double sample[BLOCKS_LARGEST * ROUNDS];
static int start[BLOCKS_LARGEST + 1];

static Nested around(const double *centre, int blocks, double noise)
{
    for (int b = 0; b <= blocks; b++) start[b] = b * ROUNDS;
    for (int i = 0; i < blocks * ROUNDS; i++)
        sample[i] = centre[i / ROUNDS] + noise * (i % ROUNDS - ROUNDS / 2);
    return (Nested){ sample, start, blocks };
}

static Comparison compare(const double *centre, int blocks, double noise)
{
    const Nested d = around(centre, blocks, noise);
    Comparison c;
    Err err;
    if (stats_compare(&d, 0.95, 0.02, &c, &err)) fail_msg("%s", err.text);
    return c;
}

static void six_blocks_decide_by_order_statistics(void **state)
{
    (void)state;
    const double centre[] = { 0.12, 0.10, 0.11, 0.15, 0.13, 0.14 };
    const Comparison c = compare(centre, 6, 1e-4);
    assert_int_equal(c.decision, DECISION_FASTER);
    assert_int_equal(c.d.kind, INTERVAL_ORDER);
    assert_int_equal(c.check.kind, INTERVAL_BOOTSTRAP);
    assert_int_equal(c.ratio.kind, INTERVAL_ORDER);
    assert_true(c.blocks == 6 && c.rounds == 54 && c.d.n == 6);
    assert_true(c.d.low == 0.10 && c.d.high == 0.15 && c.d.level == 1 - 2 / 64.0);
    assert_true(fabs(c.d.value - 0.125) < 1e-15 && fabs(c.ratio.value - exp(0.125)) < 1e-15);
    assert_true(fabs(c.ratio.low - exp(0.10)) < 1e-15 && fabs(c.ratio.high - exp(0.15)) < 1e-15);
    assert_true(c.p == 2 / 64.0);
    assert_true(c.check.low >= 0.10 - 0.0005 && c.check.high <= 0.15 + 0.0005);
}

static void fewer_blocks_are_a_stretched_range(void **state)
{
    (void)state;
    static const double factor[] = { 0, 0, 12.71, 2.68, 1.48, 1.12 };
    const double centre[] = { 0.300, 0.301, 0.302, 0.303, 0.304 };
    for (int blocks = 2; blocks <= 5; blocks++) {
        const Comparison c = compare(centre, blocks, 0);
        assert_int_equal(c.d.kind, INTERVAL_RANGE);
        assert_int_equal(c.check.kind, INTERVAL_NONE);
        assert_true(c.d.n == blocks && c.d.level == 0.95 && isnan(c.p));
        assert_true(fabs((c.d.high - c.d.low) - factor[blocks] * 0.001 * (blocks - 1)) < 1e-14);
        assert_int_equal(c.decision, DECISION_FASTER);
    }
    const Nested d = around(centre, 5, 0);
    Comparison strict;
    assert_int_equal(stats_compare(&d, 0.99, 0.02, &strict, NULL), OK);
    assert_int_equal(strict.d.kind, INTERVAL_NONE);
    assert_int_equal(strict.decision, DECISION_INCONCLUSIVE);
}

static void one_block_decides_nothing(void **state)
{
    (void)state;
    const Comparison c = compare((double[]){ 0.5 }, 1, 0.001);
    assert_int_equal(c.d.kind, INTERVAL_ONE_BLOCK);
    assert_int_equal(c.d.n, ROUNDS);
    assert_true(c.d.low < 0.5 && c.d.high > 0.5 && c.d.low > 0.49);
    assert_int_equal(c.decision, DECISION_INCONCLUSIVE);
    assert_non_null(strstr(c.reason, "one block"));
}

static void resampled_quantiles_interpolate(void **state)
{
    (void)state;
    /* Two rounds, 0 and 1: a resampled median is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4. */
    const Nested one = { (const double[]){ 0, 1 }, (const int[]){ 0, 2 }, 1 };
    Interval got;
    assert_int_equal(stats_bootstrap(&one, 0.5, 0.4, &got, NULL), OK);
    assert_true(got.low == 0.5 && got.high == 0.5);
    assert_int_equal(stats_bootstrap(&one, 0.5, 0.6, &got, NULL), OK);
    assert_true(got.low == 0 && got.high == 1);
}

static void intervals_hold_their_estimate(void **state)
{
    (void)state;
    /* Resampling can only raise a minimum: here 58 % of resamples are above the estimate. */
    double value[18];
    for (int i = 0; i < 18; i++) value[i] = 1 + i % 9;
    Interval got;
    assert_int_equal(stats_bootstrap(&(Nested){ value, (const int[]){ 0, 9, 18 }, 2 }, 0, 0.1, &got,
                                     NULL), OK);
    assert_true(got.value == 1 && got.low == 1 && got.high > 1);
}

static void disagreement_is_inconclusive(void **state)
{
    (void)state;
    /* All medians are beyond the margin, but inside each block half of the rounds see no effect:
     * resampled medians do not hold it. */
    double d[6 * 9];
    int offsets[7];
    for (int b = 0; b <= 6; b++) offsets[b] = 9 * b;
    for (int i = 0; i < 54; i++) d[i] = i % 9 < 4 ? -0.5 : 0.1;
    Comparison c;
    assert_int_equal(stats_compare(&(Nested){ d, offsets, 6 }, 0.95, 0.02, &c, NULL), OK);
    assert_int_equal(stats_decide(&c.d, 0.02), DECISION_FASTER);
    assert_int_equal(stats_decide(&c.check, 0.02), DECISION_INCONCLUSIVE);
    assert_int_equal(c.decision, DECISION_INCONCLUSIVE);
    assert_true(c.p == 1);
    assert_non_null(strstr(c.reason, "disagree"));
}

static void samples_without_noise_are_decided_at_once(void **state)
{
    (void)state;
    const double none[6] = { 0 }, tenth[] = { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 };
    const StopRule rule = { .blocks_max = 100 };
    Comparison c = compare(none, 6, 0);
    assert_true(c.decision == DECISION_SAME && c.ratio.low == 1 && c.ratio.high == 1);
    assert_int_equal(stats_stop(&rule, &c), STOP_DECIDED);
    c = compare(tenth, 6, 0);
    assert_true(c.decision == DECISION_FASTER && c.d.low == c.d.high);
    const double edge = stats_log(1.02);   /* exactly on the margin: still the same */
    c = compare((double[]){ edge, edge, edge, edge, edge, edge }, 6, 0);
    assert_int_equal(stats_stop(&rule, &c), STOP_DECIDED);
}

static void sign_test_and_interval_say_the_same(void **state)
{
    (void)state;
    int seen[4] = { 0 };
    for (uint64_t trial = 0; trial < 3000; trial++) {
        const int n = 6 + (int)(trial % 15);
        const double centre = 0.08 * random_uniform(2, 1, trial) - 0.04;
        double d[20];
        for (int i = 0; i < n; i++)
            d[i] = centre + 0.03 * (random_uniform(2, 2 + trial, (uint64_t)i) - 0.5);
        stats_sort(d, n);
        const Interval got = stats_median_interval(d, n, 0.95);
        const Decision decision = stats_decide(&got, 0.02);
        seen[decision]++;
        for (Decision other = DECISION_FASTER; other <= DECISION_SAME; other++) {
            const bool significant = stats_decision_p(d, n, 0.02, other) <= 0.05;
            assert_int_equal(significant, other == decision);
        }
    }
    for (int i = 0; i < 4; i++) assert_true(seen[i] > 100);

    const double edge = stats_log(1.02), at_edge[] = { edge, edge, edge, edge, edge, edge };
    assert_true(stats_decision_p(at_edge, 6, 0.02, DECISION_FASTER) == 1);
    assert_true(stats_decision_p(at_edge, 6, 0.02, DECISION_SAME) == 2 / 64.0);
}

static void holm_takes_back_what_a_family_cannot_hold(void **state)
{
    (void)state;
    const double centre[] = { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 };
    Comparison family[4];
    double scratch[8];
    for (int i = 0; i < 3; i++) family[i] = compare(centre, 6 + i, 0);   /* p = 1/32, 1/64, 1/128 */
    family[3] = compare(centre, 9, 0);                                   /* p = 1/256 */
    stats_holm_decisions(family, 4, 0.05, scratch);
    assert_int_equal(family[3].decision, DECISION_FASTER);        /* 4 / 256 */
    assert_int_equal(family[2].decision, DECISION_FASTER);        /* 3 / 128 */
    assert_int_equal(family[1].decision, DECISION_FASTER);        /* 2 / 64 */
    assert_int_equal(family[0].decision, DECISION_FASTER);        /* 1 / 32 */

    Comparison pair[2] = { compare(centre, 6, 0), compare(centre, 6, 0) };   /* 2 / 32 > 0.05 */
    stats_holm_decisions(pair, 2, 0.05, scratch);
    assert_int_equal(pair[0].decision, DECISION_INCONCLUSIVE);
    assert_non_null(strstr(pair[0].reason, "Holm"));

    Comparison few[2] = { compare(centre, 5, 0), compare(centre, 9, 0) };
    stats_holm_decisions(few, 2, 0.05, scratch);
    assert_int_equal(few[0].decision, DECISION_INCONCLUSIVE);
    assert_int_equal(few[1].decision, DECISION_FASTER);
}

static void cost_is_block_first(void **state)
{
    (void)state;
    /* One block has ten times the epochs: it must not weigh more. */
    double time_ns[6 * 4 + 40];
    int offsets[] = { 0, 4, 8, 12, 16, 20, 64 };
    for (int i = 0; i < 64; i++) time_ns[i] = 100 + (i < 20 ? i / 4 : 5) + (i % 4 == 3 ? 50 : 0);
    const Nested samples = { time_ns, offsets, 6 };
    Interval got;
    assert_int_equal(stats_cost(&samples, 0.25, 0.95, &got, NULL), OK);
    assert_true(got.value == 102.5 && got.low == 100 && got.high == 105);
    assert_true(got.kind == INTERVAL_ORDER && got.n == 6);
    const Nested four = { time_ns, offsets, 4 };
    assert_int_equal(stats_cost(&four, 0, 0.95, &got, NULL), OK);
    assert_true(got.kind == INTERVAL_RANGE && got.value == 101.5 && got.n == 4);
    assert_true(got.low > 0 && got.low < 100 && got.high > 103);
    const Nested one = { time_ns, offsets, 1 };
    assert_int_equal(stats_cost(&one, 0.5, 0.95, &got, NULL), OK);
    assert_true(got.kind == INTERVAL_ONE_BLOCK && got.n == 4);

    Err err;
    time_ns[5] = -1;
    assert_int_equal(stats_cost(&samples, 0.25, 0.95, &got, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "block 1, sample 1"));
}

static void two_blocks_far_apart_keep_times_positive(void **state)
{
    (void)state;
    const double time_ns[] = { 10, 10, 1000, 1000 };
    const Nested samples = { time_ns, (const int[]){ 0, 2, 4 }, 2 };
    Interval got;
    assert_int_equal(stats_cost(&samples, 0.5, 0.95, &got, NULL), OK);
    assert_true(got.value == 505 && got.low > 0 && got.high > 1e6);
}

static void shares_have_wilson_intervals(void **state)
{
    (void)state;
    const Interval none = stats_share(0, 60), three = stats_share(3, 60), all = stats_share(60, 60);
    assert_true(none.low == 0 && fabs(none.high - 0.0602) < 1e-4);
    assert_true(three.value == 0.05 && fabs(three.low - 0.0171) < 1e-4);
    assert_true(fabs(three.high - 0.1370) < 1e-4 && three.kind == INTERVAL_SHARE);
    assert_true(all.high == 1 && fabs(all.low - (1 - none.high)) < 1e-12);
}

static void certificate_counts_whole_trials(void **state)
{
    (void)state;
    const double centre[12] = { 0 };
    Nested d = around(centre, 12, 0.001);
    Certificate got;
    Err err;
    assert_int_equal(stats_certificate(&d, 6, &got, &err), OK);
    assert_true(got.false_alarms.n == 2 && got.false_alarms.value == 0 && got.width_rel == 0);
    d.blocks = 5;
    assert_int_equal(stats_certificate(&d, 6, &got, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "5 blocks"));

    double either[12];   /* an alarm on either side is an alarm */
    for (int b = 0; b < 12; b++) either[b] = b < 6 ? -0.1 : 0.1;
    d = around(either, 12, 0.001);
    assert_int_equal(stats_certificate(&d, 6, &got, &err), OK);
    assert_true(got.false_alarms.value == 1 && fabs(got.off_p50_rel - (exp(0.1) - 1)) < 1e-12);
}

/* Samples made of integers and halves alone, so that they are the same on every machine. */
static Nested integer_samples(double *value, int *offset, int blocks, int rounds)
{
    for (int b = 0; b <= blocks; b++) offset[b] = b * rounds;
    for (int i = 0; i < blocks * rounds; i++)
        value[i] = (double)(100000 + random_below(9, (uint64_t)(i / rounds), (uint64_t)i, 4001)
                            + random_below(10, 0, (uint64_t)(i / rounds), 3001));
    return (Nested){ value, offset, blocks };
}

static void assert_bits(const char *what, double got, double wanted)
{
    if (memcmp(&got, &wanted, sizeof got)) fail_msg("%s is %a, stored was %a", what, got, wanted);
}

static void stored_samples_give_stored_bits(void **state)
{
    (void)state;
    enum { BLOCKS = 9, EACH = 13 };
    double a[BLOCKS * EACH], b[BLOCKS * EACH], d[BLOCKS * EACH];
    int offset[BLOCKS + 1];
    integer_samples(a, offset, BLOCKS, EACH);
    for (int i = 0; i < BLOCKS * EACH; i++)
        b[i] = (double)(104000 + random_below(11, 0, (uint64_t)i, 5001));
    assert_int_equal(stats_log_ratios(a, b, BLOCKS * EACH, d, NULL), OK);

    Comparison c, again, four;
    Interval cost;
    Components parts;
    assert_int_equal(stats_compare(&(Nested){ d, offset, BLOCKS }, 0.95, 0.02, &c, NULL), OK);
    assert_int_equal(stats_compare(&(Nested){ d, offset, BLOCKS }, 0.95, 0.02, &again, NULL), OK);
    assert_memory_equal(&c.d, &again.d, sizeof c.d);
    assert_memory_equal(&c.check, &again.check, sizeof c.check);
    assert_int_equal(stats_compare(&(Nested){ d, offset, 4 }, 0.95, 0.02, &four, NULL), OK);
    assert_int_equal(stats_cost(&(Nested){ a, offset, 3 }, 0.25, 0.95, &cost, NULL), OK);
    assert_int_equal(stats_components(&(Nested){ d, offset, BLOCKS }, &parts, NULL), OK);

    assert_bits("ratio", c.ratio.value, 0x1.0923a7582b1bdp+0);
    assert_bits("ratio low", c.ratio.low, 0x1.06b6451ce68c4p+0);
    assert_bits("ratio high", c.ratio.high, 0x1.0acb7f53298a6p+0);
    assert_bits("check low", c.check.low, 0x1.a74ee0c9532p-6);
    assert_bits("check high", c.check.high, 0x1.525a3e76731p-5);
    assert_bits("mde", c.mde_rel, 0x1.c90a7f96a81p-6);
    assert_bits("few low", four.d.low, 0x1.1e6beb1d43f33p-6);
    assert_bits("few high", four.d.high, 0x1.30a8eb6700466p-5);
    assert_bits("cost low", cost.low, 0x1.866ac28143ad9p+16);
    assert_bits("cost high", cost.high, 0x1.9a9a5cf798bep+16);
    assert_bits("within", parts.within, 0x1.10a549544d1fp-12);
    assert_bits("between", parts.between, 0x1.bd0387065d978p-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(margins_make_four_decisions),
        cmocka_unit_test(detectable_effect_is_half_width_and_margin),
        cmocka_unit_test(log_ratios_are_antisymmetric),
        cmocka_unit_test(six_blocks_decide_by_order_statistics),
        cmocka_unit_test(fewer_blocks_are_a_stretched_range),
        cmocka_unit_test(one_block_decides_nothing),
        cmocka_unit_test(resampled_quantiles_interpolate),
        cmocka_unit_test(intervals_hold_their_estimate),
        cmocka_unit_test(disagreement_is_inconclusive),
        cmocka_unit_test(samples_without_noise_are_decided_at_once),
        cmocka_unit_test(sign_test_and_interval_say_the_same),
        cmocka_unit_test(holm_takes_back_what_a_family_cannot_hold),
        cmocka_unit_test(cost_is_block_first),
        cmocka_unit_test(two_blocks_far_apart_keep_times_positive),
        cmocka_unit_test(shares_have_wilson_intervals),
        cmocka_unit_test(certificate_counts_whole_trials),
        cmocka_unit_test(stored_samples_give_stored_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
