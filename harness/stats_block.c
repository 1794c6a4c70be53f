/* SPDX-License-Identifier: Apache-2.0 */
/* What one block (process) says by itself: its summary, its warm-up, its share of the spread. */
#include "stats.h"

#include <math.h>
#include <string.h>

Status stats_nested_check(const Nested *samples, Err *err)
{
    require(samples && samples->value && samples->start);
    require(samples->blocks >= 1 && samples->start[0] >= 0);
    for (int b = 0; b < samples->blocks; b++) {
        const int from = samples->start[b], to = samples->start[b + 1];
        if (from >= to) return fail(err, BAD_INPUT, "block %d has no samples", b);
        for (int i = from; i < to; i++)
            if (!isfinite(samples->value[i]))
                return fail(err, BAD_INPUT, "block %d, sample %d: %g is not a finite number",
                            b, i - from, samples->value[i]);
    }
    return OK;
}

bool stats_flagged(int64_t run_delay_ns, int64_t involuntary_switches)
{
    return run_delay_ns > 0 || involuntary_switches > 0;
}

static double share(const bool *flagged, int n)
{
    if (!flagged) return NAN;
    int count = 0;
    for (int i = 0; i < n; i++) count += flagged[i];
    return (double)count / n;
}

BlockSummary stats_block_summary(const double *time_ns, const bool *flagged, int n,
                                 double *scratch)
{
    require(time_ns && scratch && n >= 1);
    memcpy(scratch, time_ns, (size_t)n * sizeof *scratch);
    stats_sort(scratch, n);
    return (BlockSummary){ .min = scratch[0],
                           .p25 = stats_quantile(scratch, n, 0.25),
                           .median = stats_quantile(scratch, n, 0.5),
                           .flagged_share = share(flagged, n),
                           .n = n };
}

/* The 32 epochs that end before `end` show no trend in their 8 medians of 4. */
static bool is_steady(const double *time_ns, int end)
{
    double median[8];
    for (int i = 0; i < 8; i++) {
        double four[4];
        memcpy(four, time_ns + end - 32 + 4 * i, sizeof four);
        stats_sort(four, 4);
        median[i] = stats_quantile(four, 4, 0.5);
    }
    const int s = stats_mann_kendall(median, 8);
    return s < 16 && s > -16;
}

Warmup stats_warmup(const double *time_ns, int n, int limit)
{
    require(time_ns && n >= 0 && limit >= 0);
    const int end = n < limit ? n : limit;
    for (int epochs = 32; epochs <= end; epochs += 4)
        if (is_steady(time_ns, epochs)) return (Warmup){ .epochs = epochs, .steady = true };
    return (Warmup){ .epochs = end };
}

static double mean_of(const double *value, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += value[i];
    return sum / n;
}

static double variance_of(const double *value, int n, double mean)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (value[i] - mean) * (value[i] - mean);
    return n > 1 ? sum / (n - 1) : 0;
}

Status stats_components(const Nested *samples, Components *out, Err *err)
{
    const Status status = stats_nested_check(samples, err);
    if (status) return status;
    const int blocks = samples->blocks;
    double within = 0, of_means = 0, grand = 0, between = 0;
    for (int b = 0; b < blocks; b++) {
        const double *value = samples->value + samples->start[b];
        const int n = samples->start[b + 1] - samples->start[b];
        const double mean = mean_of(value, n), s2 = variance_of(value, n, mean);
        const double step = mean - grand;   /* Welford: the means need no array of their own */
        grand += step / (b + 1);
        between += step * (mean - grand);
        within += s2;
        of_means += s2 / n;
    }
    const double s2_squared = blocks > 1 ? between / (blocks - 1) : 0;
    out->within = within / blocks;
    out->between = fmax(0, s2_squared - of_means / blocks);
    return OK;
}

int stats_rounds(const Components *parts, double block_ns, double round_ns)
{
    require(parts && block_ns > 0 && round_ns > 0);
    require(parts->within >= 0 && parts->between >= 0);
    if (parts->within == 0) return STATS_ROUNDS_MIN;
    if (parts->between == 0) return STATS_ROUNDS_MAX;
    const double best = sqrt(block_ns / round_ns * (parts->within / parts->between));
    if (best >= STATS_ROUNDS_MAX) return STATS_ROUNDS_MAX;
    return best <= STATS_ROUNDS_MIN ? STATS_ROUNDS_MIN : (int)ceil(best);
}
