/* SPDX-License-Identifier: Apache-2.0 */
/* The rank statistics of `attest compare`: against counting every arrangement, published critical
 * values, and how often equal sides are told apart. */
#include "../../harness/unpaired.h"

#include "../../kernels/core/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Every way to place a of a + b ranks, one bit each. */
static double counted_tail(int a, int b, int u)
{
    int all = 0, hits = 0;
    for (unsigned set = 0; set < 1u << (a + b); set++) {
        int ones = 0, pairs = 0;
        for (int i = 0; i < a + b; i++) {
            if (set >> i & 1) ones++;
            else pairs += ones;               /* each a below this b */
        }
        if (ones != a) continue;
        all++;
        hits += pairs <= u;
    }
    return (double)hits / all;
}

static void the_exact_distribution(void **state)
{
    (void)state;
    for (int a = 1; a <= 6; a++)
        for (int b = 1; b <= 6; b++)
            for (int u = -1; u <= a * b; u++)
                assert_true(fabs(unpaired_tail(a, b, u) - (u < 0 ? 0 : counted_tail(a, b, u))) <
                            1e-12);
}

/* Largest U that is significant at 5 %, two-sided, from the usual tables. */
static void published_critical_values(void **state)
{
    (void)state;
    static const int table[][3] = { { 4, 4, 0 },  { 5, 5, 2 },    { 6, 6, 5 },
                                    { 8, 8, 13 }, { 10, 10, 23 }, { 20, 20, 127 } };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const int *t = table[i];
        assert_true(2 * unpaired_tail(t[0], t[1], t[2]) <= 0.05);
        assert_true(2 * unpaired_tail(t[0], t[1], t[2] + 1) > 0.05);
    }
}

static Unpaired compared(const double *a, int an, const double *b, int bn)
{
    Unpaired out;
    Err err;
    assert_int_equal(unpaired_ratio(&(Blocks){ a, an }, &(Blocks){ b, bn }, 0.95, &out, &err), OK);
    return out;
}

static void ratios_and_intervals(void **state)
{
    (void)state;
    const double a[] = { 10, 11, 12, 13, 14, 15 }, b[] = { 20, 22, 24, 26, 28, 30 };
    Unpaired x = compared(a, 6, b, 6);
    assert_true(fabs(x.ratio.value - 2) < 1e-12);
    assert_true(x.ratio.low > 1 && x.ratio.high < 3 && x.ratio.level >= 0.95);
    assert_true(fabs(x.p - 2 * unpaired_tail(6, 6, 0)) < 1e-15);
    x = compared(b, 6, a, 6);
    assert_true(fabs(x.ratio.value - 0.5) < 1e-12);
    x = compared(a, 6, a, 6);
    assert_true(x.p == 1 && fabs(x.ratio.value - 1) < 1e-12);
    assert_true(x.ratio.low < 1 && x.ratio.high > 1);
    x = compared(a, 3, b, 3);
    assert_int_equal(x.ratio.kind, INTERVAL_NONE);
}

/* Of equal populations at most 5 % are told apart, and the interval covers 1 as often. */
static void false_alarms(void **state)
{
    (void)state;
    enum { TRIALS = 1000 };
    int alarms = 0;
    for (uint64_t t = 0; t < TRIALS; t++) {
        double a[7], b[6];
        for (uint64_t i = 0; i < 7; i++) a[i] = exp(0.3 * random_normal(5, t, i));
        for (uint64_t i = 0; i < 6; i++) b[i] = exp(0.3 * random_normal(5, t, 10 + i));
        const Unpaired x = compared(a, 7, b, 6);
        alarms += x.p <= 0.05;
        assert_int_equal(x.p <= 0.05, x.ratio.low > 1 || x.ratio.high < 1);
    }
    print_message("%d false alarms in %d\n", alarms, TRIALS);
    assert_true(alarms <= 65 && alarms >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exact_distribution), cmocka_unit_test(published_critical_values),
        cmocka_unit_test(ratios_and_intervals),   cmocka_unit_test(false_alarms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
