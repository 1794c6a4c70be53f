/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks: quantiles, the sign test and its interval, trends, and Holm's correction.
 * They are chosen over means and variances because timings have long tails and several modes. */
#include "stats.h"

#include <math.h>

const char *stats_interval_kind_name(IntervalKind kind)
{
    static const char *const name[] = {
        [INTERVAL_NONE] = "none",           [INTERVAL_ORDER] = "order",
        [INTERVAL_RANGE] = "range",         [INTERVAL_BOOTSTRAP] = "bootstrap",
        [INTERVAL_ONE_BLOCK] = "one-block", [INTERVAL_INVERSION] = "inversion",
        [INTERVAL_SHARE] = "share",
    };
    require((unsigned)kind < sizeof name / sizeof *name);
    return name[kind];
}

double stats_quantile(const double *sorted, int n, double p)
{
    require(sorted && n >= 1);
    require(p >= 0 && p <= 1);
    const double h = (n - 1) * p;
    const int low = (int)h;
    if (low + 1 >= n) return sorted[n - 1];
    return sorted[low] + (h - low) * (sorted[low + 1] - sorted[low]);
}

/* C(n, i) summed for i <= k. Once the terms get large they are scaled by exact powers of two. */
double stats_binomial_tail(int n, int k)
{
    require(n >= 1);
    if (k < 0) return 0;
    if (k >= n) return 1;
    double term = 1, sum = 1;
    int exponent = -n;
    for (int i = 1; i <= k; i++) {
        term = term * (n - i + 1) / i;
        sum += term;
        if (sum > 0x1p+500) {
            term *= 0x1p-500;
            sum *= 0x1p-500;
            exponent += 500;
        }
    }
    return ldexp(sum, exponent);
}

/* The largest k with 2 P(X <= k - 1) <= 1 - level, 0 if there is none. Bisection: the tail rises
 * with k, and passes 1/2 in the middle. */
static int order_rank(int n, double level)
{
    int good = 0, bad = n / 2 + 1;
    while (bad - good > 1) {
        const int k = good + (bad - good) / 2;
        if (2 * stats_binomial_tail(n, k - 1) <= 1 - level) good = k;
        else bad = k;
    }
    return good;
}

Interval stats_median_interval(const double *sorted, int n, double level)
{
    require(level > 0 && level < 1);
    const double median = stats_quantile(sorted, n, 0.5);
    const int k = order_rank(n, level);
    if (k == 0)
        return (Interval){ .value = median, .low = -INFINITY, .high = INFINITY, .n = n };
    return (Interval){ .value = median, .low = sorted[k - 1], .high = sorted[n - k],
                       .level = 1 - 2 * stats_binomial_tail(n, k - 1), .n = n,
                       .kind = INTERVAL_ORDER };
}

/* value -+ factor (high - low) / 2. */
static void stretch(Interval *x, double factor, bool in_logarithms)
{
    if (x->low == x->high) return;
    if (in_logarithms) {
        const double half = factor * (stats_log(x->high) - stats_log(x->low)) / 2;
        x->low = x->value * stats_exp(-half);
        x->high = x->value * stats_exp(half);
    } else {
        const double half = factor * (x->high - x->low) / 2;
        x->low = x->value - half;
        x->high = x->value + half;
    }
}

Interval stats_block_interval(const double *sorted, int n, double level, bool in_logarithms)
{
    static const double factor[STATS_BLOCKS_MIN] = { [2] = 12.71, 2.68, 1.48, 1.12 };
    require(n >= 1 && !(in_logarithms && sorted[0] <= 0));
    if (n >= STATS_BLOCKS_MIN) return stats_median_interval(sorted, n, level);
    Interval out = { .value = stats_quantile(sorted, n, 0.5), .low = -INFINITY, .high = INFINITY,
                     .n = n };
    if (n == 1 || level > 0.95) return out;
    out.low = sorted[0];
    out.high = sorted[n - 1];
    out.level = 0.95;
    out.kind = INTERVAL_RANGE;
    stretch(&out, factor[n], in_logarithms);
    return out;
}

int stats_blocks_needed(double level)
{
    require(level > 0 && level < 1);
    int n = 1;
    while (ldexp(1, 1 - n) > 1 - level) n++;
    return n;
}

int stats_mann_kendall(const double *value, int n)
{
    int s = 0;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            s += (value[j] > value[i]) - (value[j] < value[i]);
    return s;
}

/* Twice the mid-rank of value[i], counted from the middle: 0 on average, and an integer. */
static int centred_rank(const double *value, int n, int i)
{
    int rank = 0;
    for (int j = 0; j < n; j++)
        rank += (value[j] < value[i]) - (value[j] > value[i]);
    return rank;
}

double stats_spearman(const double *x, const double *y, int n)
{
    require(x && y && n >= 2);
    double xx = 0, yy = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        const double rx = centred_rank(x, n, i), ry = centred_rank(y, n, i);
        xx += rx * rx;
        yy += ry * ry;
        xy += rx * ry;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

/* adjusted[i] = max over p[j] <= p[i] of (m - number of p below p[j]) p[j], at most 1. */
void stats_holm(const double *p, int m, double *adjusted)
{
    require(p && adjusted && p != adjusted);
    for (int i = 0; i < m; i++) {
        const double mine = isnan(p[i]) ? 1 : p[i];
        adjusted[i] = mine;
        for (int j = 0; j < m; j++) {
            if (!(p[j] <= mine)) continue;
            int below = 0;
            for (int l = 0; l < m; l++) below += p[l] < p[j];
            adjusted[i] = fmax(adjusted[i], fmin(1, (m - below) * p[j]));
        }
    }
}
