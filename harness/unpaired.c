/* SPDX-License-Identifier: Apache-2.0 */
#include "unpaired.h"

#include <math.h>
#include <stdlib.h>

/* The number of ways to reach each u obeys f(a, b, u) = f(a - 1, b, u - b) + f(a, b - 1, u); as
 * shares of all ways: P = a/(a+b) P(a-1, b, u-b) + b/(a+b) P(a, b-1, u). One row of u for each b is
 * kept. */
static double *distribution(int a, int b)
{
    const int cells = a * b + 1;
    double *p = calloc((size_t)(b + 1) * (size_t)cells, sizeof *p);
    if (!p) return NULL;
    for (int j = 0; j <= b; j++) p[j * cells] = 1;               /* no a yet: u = 0 */
    for (int i = 1; i <= a; i++)
        for (int j = 1; j <= b; j++) {
            double *now = p + j * cells;                         /* holds a = i - 1 */
            const double *fewer_b = now - cells;
            for (int u = i * j; u >= 0; u--) {
                const double with_a = u >= j ? now[u - j] : 0;
                now[u] = (i * with_a + j * fewer_b[u]) / (i + j);
            }
        }
    return p;
}

double unpaired_tail(int a, int b, int u)
{
    require(a >= 1 && b >= 1 && a <= UNPAIRED_MAX && b <= UNPAIRED_MAX);
    if (u < 0) return 0;
    if (u >= a * b) return 1;
    double *p = distribution(a, b), sum = 0;
    if (!p) return NAN;
    for (int i = 0; i <= u; i++) sum += p[b * (a * b + 1) + i];
    free(p);
    return sum < 1 ? sum : 1;
}

/* Ties count half, rounded towards the middle, which only makes p larger. */
static int count_u(const Blocks *a, const Blocks *b)
{
    const int pairs = a->n * b->n;
    int twice = 0;
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++)
            twice += 2 * (a->value[i] < b->value[j]) + (a->value[i] == b->value[j]);
    return twice <= pairs ? (twice + 1) / 2 : twice / 2;
}

static void log_differences(const Blocks *a, const Blocks *b, double *d)
{
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++) {
            require(a->value[i] > 0 && b->value[j] > 0);
            d[i * b->n + j] = stats_log(b->value[j]) - stats_log(a->value[i]);
        }
    stats_sort(d, a->n * b->n);
}

/* The interval of the shift is cut from the sorted differences at the largest k with
 * 2 P(U <= k - 1) <= 1 - level. */
static Interval cut(const double *sorted, int pairs, const double *share, double level)
{
    double below = 0;
    int k = 0;
    while (k < pairs / 2 && 2 * (below + share[k]) <= 1 - level) below += share[k++];
    const double middle = stats_exp(stats_quantile(sorted, pairs, 0.5));
    if (k == 0)
        return (Interval){ .value = middle, .low = -INFINITY, .high = INFINITY, .n = pairs };
    return (Interval){ .value = middle, .low = stats_exp(sorted[k - 1]),
                       .high = stats_exp(sorted[pairs - k]), .level = 1 - 2 * below, .n = pairs,
                       .kind = INTERVAL_ORDER };
}

static double two_sided(const double *share, int pairs, int u)
{
    const int smaller = u < pairs - u ? u : pairs - u;
    double sum = 0;
    for (int i = 0; i <= smaller; i++) sum += share[i];
    return fmin(1, 2 * sum);
}

Status unpaired_ratio(const Blocks *a, const Blocks *b, double level, Unpaired *out, Err *err)
{
    require(a->n >= 1 && a->n <= UNPAIRED_MAX);
    require(b->n >= 1 && b->n <= UNPAIRED_MAX);
    const int pairs = a->n * b->n;
    double *all = distribution(a->n, b->n), *d = malloc((size_t)pairs * sizeof *d);
    Status status = OK;
    if (all && d) {
        const double *share = all + b->n * (pairs + 1);
        log_differences(a, b, d);
        *out = (Unpaired){ .ratio = cut(d, pairs, share, level),
                           .p = two_sided(share, pairs, count_u(a, b)) };
    } else status = fail(err, NO_MEMORY, "no memory to compare %d and %d blocks", a->n, b->n);
    free(all);
    free(d);
    return status;
}
