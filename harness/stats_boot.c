/* SPDX-License-Identifier: Apache-2.0 */
/* Hierarchical bootstrap over blocks and rounds, and the cost of one point.
 *
 * A block of r rounds is sorted once; a resample of it is then only a count of how often each of
 * its r ranks was drawn, and a quantile of the resample is a walk along these counts. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../kernels/core/random.h"

/* Any fixed value will do; it is part of what a stored result means. */
static const uint64_t BOOTSTRAP_SEED = 0x617474657374;

/* Uniform draws in a fixed order: word i of the generator's stream. */
typedef struct {
    uint64_t seed, taken;
    uint32_t word[4];
} Draws;

static int draw_below(Draws *draws, int n)
{
    const uint64_t i = draws->taken++;
    if (i % 4 == 0)
        philox4x32((uint32_t[]){ (uint32_t)(i / 4), (uint32_t)(i / 4 >> 32), 0, 0 },
                   (uint32_t[]){ (uint32_t)draws->seed, (uint32_t)(draws->seed >> 32) },
                   draws->word);
    return (int)((draws->word[i % 4] * (uint64_t)n) >> 32);
}

typedef struct {
    Nested samples;      /* each block sorted */
    double within;       /* the quantile taken of each block */
    double *sorted;      /* what samples.value points to */
    double *block;       /* one value a block */
    double *resample;    /* STATS_RESAMPLES values */
    int *count;          /* draws of each rank, as many as the longest block has */
} Bootstrap;

static int longest_block(const Nested *samples)
{
    int longest = 0;
    for (int b = 0; b < samples->blocks; b++) {
        const int n = samples->start[b + 1] - samples->start[b];
        if (n > longest) longest = n;
    }
    return longest;
}

static void bootstrap_close(Bootstrap *boot)
{
    free(boot->sorted);
    free(boot->block);
    free(boot->resample);
    free(boot->count);
}

static Status bootstrap_open(Bootstrap *boot, const Nested *samples, double within, Err *err)
{
    const int first = samples->start[0], end = samples->start[samples->blocks];
    *boot = (Bootstrap){ .samples = *samples, .within = within };
    boot->sorted = malloc((size_t)end * sizeof *boot->sorted);
    boot->block = malloc((size_t)samples->blocks * sizeof *boot->block);
    boot->resample = malloc(STATS_RESAMPLES * sizeof *boot->resample);
    boot->count = malloc((size_t)longest_block(samples) * sizeof *boot->count);
    if (!boot->sorted || !boot->block || !boot->resample || !boot->count) {
        bootstrap_close(boot);
        return fail(err, NO_MEMORY, "no memory to resample %d samples", end - first);
    }
    memcpy(boot->sorted + first, samples->value + first,
           (size_t)(end - first) * sizeof *boot->sorted);
    for (int b = 0; b < samples->blocks; b++)
        stats_sort(boot->sorted + samples->start[b], samples->start[b + 1] - samples->start[b]);
    boot->samples.value = boot->sorted;
    return OK;
}

static double median_of_blocks(double *block, int blocks)
{
    stats_sort(block, blocks);
    return stats_quantile(block, blocks, 0.5);
}

/* Leaves the block values sorted in boot->block. */
static double estimate(Bootstrap *boot)
{
    const Nested *s = &boot->samples;
    for (int b = 0; b < s->blocks; b++)
        boot->block[b] = stats_quantile(s->value + s->start[b], s->start[b + 1] - s->start[b],
                                        boot->within);
    return median_of_blocks(boot->block, s->blocks);
}

/* stats_quantile() of the values that the counts say, n in all. */
static double counted_quantile(const double *sorted, const int *count, int n, double p)
{
    const double h = (n - 1) * p;
    const int low = (int)h;
    int rank = 0, seen = count[0];
    while (seen <= low) seen += count[++rank];
    const double below = sorted[rank];
    if (h == low || seen > low + 1) return below;
    do rank++; while (count[rank] == 0);
    return below + (h - low) * (sorted[rank] - below);
}

static double resample_block(const Bootstrap *boot, int b, Draws *draws)
{
    const double *sorted = boot->samples.value + boot->samples.start[b];
    const int n = boot->samples.start[b + 1] - boot->samples.start[b];
    memset(boot->count, 0, (size_t)n * sizeof *boot->count);
    for (int i = 0; i < n; i++) boot->count[draw_below(draws, n)]++;
    return counted_quantile(sorted, boot->count, n, boot->within);
}

/* Leaves the resampled medians sorted in boot->resample. */
static void resample(Bootstrap *boot)
{
    const int blocks = boot->samples.blocks;
    Draws draws = { .seed = BOOTSTRAP_SEED };
    for (int r = 0; r < STATS_RESAMPLES; r++) {
        for (int i = 0; i < blocks; i++)
            boot->block[i] = resample_block(boot, draw_below(&draws, blocks), &draws);
        boot->resample[r] = median_of_blocks(boot->block, blocks);
    }
    stats_sort(boot->resample, STATS_RESAMPLES);
}

static Interval bootstrap_interval(Bootstrap *boot, double level)
{
    const int blocks = boot->samples.blocks;
    const double tail = (1 - level) / 2;
    Interval out = { .value = estimate(boot), .level = level, .n = blocks,
                     .kind = INTERVAL_BOOTSTRAP };
    resample(boot);
    out.low = fmin(out.value, stats_quantile(boot->resample, STATS_RESAMPLES, tail));
    out.high = fmax(out.value, stats_quantile(boot->resample, STATS_RESAMPLES, 1 - tail));
    if (blocks == 1) {
        out.kind = INTERVAL_ONE_BLOCK;
        out.n = boot->samples.start[1] - boot->samples.start[0];
    }
    return out;
}

Status stats_bootstrap(const Nested *samples, double within, double level, Interval *out, Err *err)
{
    require(level > 0 && level < 1);
    Bootstrap boot;
    Status status = stats_nested_check(samples, err);
    if (!status) status = bootstrap_open(&boot, samples, within, err);
    if (status) return status;
    *out = bootstrap_interval(&boot, level);
    bootstrap_close(&boot);
    return OK;
}

static Status positive_check(const Nested *time_ns, Err *err)
{
    const Status status = stats_nested_check(time_ns, err);
    if (status) return status;
    for (int b = 0; b < time_ns->blocks; b++)
        for (int i = time_ns->start[b]; i < time_ns->start[b + 1]; i++)
            if (!(time_ns->value[i] > 0))
                return fail(err, BAD_INPUT, "block %d, sample %d: a time must be above 0, not %g",
                            b, i - time_ns->start[b], time_ns->value[i]);
    return OK;
}

Status stats_cost(const Nested *time_ns, double within, double level, Interval *out, Err *err)
{
    require(level > 0 && level < 1);
    Bootstrap boot;
    Status status = positive_check(time_ns, err);
    if (!status) status = bootstrap_open(&boot, time_ns, within, err);
    if (status) return status;
    if (time_ns->blocks == 1) {
        *out = bootstrap_interval(&boot, level);
    } else {
        estimate(&boot);
        *out = stats_block_interval(boot.block, time_ns->blocks, level, true);
    }
    bootstrap_close(&boot);
    return OK;
}
