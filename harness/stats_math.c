/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithm, exponential and sorting from +, -, *, / alone: IEEE 754 rounds these correctly, so
 * that stored samples give the same statistics everywhere. */
#include "stats.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

_Static_assert(FLT_EVAL_METHOD == 0, "doubles must be evaluated as doubles");

/* ln 2 in two parts: HIGH ends in 21 zero bits, so k * HIGH is exact for every exponent k. */
static const double LN2_HIGH = 0x1.62e42fefp-1, LN2_LOW = 0x1.473de6af278edp-34;

double stats_log(double x)
{
    if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
    if (isinf(x)) return x;
    int k;
    double m = frexp(x, &k);
    if (m < 0x1.6a09e667f3bcdp-1) {   /* sqrt(1/2) */
        m *= 2;
        k--;
    }
    const double s = (m - 1) / (m + 1), z = s * s;   /* z <= 0.0295: z^11 / 23 < 2^-60 */
    double series = 0;
    for (int i = 23; i >= 3; i -= 2) series = (series + 1.0 / i) * z;
    return k * LN2_HIGH + (2 * s + (2 * s * series + k * LN2_LOW));
}

double stats_exp(double x)
{
    if (isnan(x)) return x;
    if (x > 710) return INFINITY;
    if (x < -746) return 0;
    const double k = floor(x * 0x1.71547652b82fep+0 + 0.5);   /* 1 / ln 2 */
    const double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    double series = 1;
    for (int i = 13; i >= 1; i--) series = 1 + series * r / i;
    return ldexp(series, (int)k);
}

/* Shell's sort with Ciura's gaps (2001), extended by 9/4: qsort() may allocate, and the order in
 * which it leaves -0 and +0 belongs to the C library. */
void stats_sort(double *value, int n)
{
    static const int gaps[] = { 46090, 20484, 9104, 4046, 1798, 701, 301, 132, 57, 23, 10, 4, 1 };
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++) {
        const int gap = gaps[g];
        for (int i = gap; i < n; i++) {
            const double v = value[i];
            int j = i;
            for (; j >= gap && value[j - gap] > v; j -= gap) value[j] = value[j - gap];
            value[j] = v;
        }
    }
}
