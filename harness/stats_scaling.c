/* SPDX-License-Identifier: Apache-2.0 */
/* Scaling claims: the exponent of a power law, the length where one method overtakes another, and
 * how straight a line is. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

/* ---- Slope ---- */

/* Working memory of a fit: the points of one block, its pairwise slopes, and a line a block. */
typedef struct {
    double *memory;      /* owns the rest */
    double *x, *y;
    double *pair;        /* slopes of pairs, then residuals */
    double *slope, *intercept, *r2;
    int blocks;
} Fit;

static Status points_check(const Points *points, Err *err)
{
    require(points && points->x && points->y && points->block && points->n >= 1);
    for (int i = 0; i < points->n; i++)
        if (!isfinite(points->x[i]) || !isfinite(points->y[i]))
            return fail(err, BAD_INPUT, "point %d, (%g, %g), is not finite",
                        i, points->x[i], points->y[i]);
    return OK;
}

static Status fit_open(Fit *fit, int points, Err *err)
{
    const size_t n = (size_t)points, pairs = n + n * (n - 1) / 2;
    *fit = (Fit){ .memory = malloc((5 * n + pairs) * sizeof *fit->memory) };
    if (!fit->memory) return fail(err, NO_MEMORY, "no memory for %d points", points);
    fit->x = fit->memory;
    fit->y = fit->x + n;
    fit->slope = fit->y + n;
    fit->intercept = fit->slope + n;
    fit->r2 = fit->intercept + n;
    fit->pair = fit->r2 + n;
    return OK;
}

static double median_of(double *value, int n)
{
    stats_sort(value, n);
    return stats_quantile(value, n, 0.5);
}

/* The line through n points; false if they have no two different x. */
static bool theil_sen(Fit *fit, int n, double *slope, double *intercept)
{
    int pairs = 0;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            if (fit->x[j] != fit->x[i])
                fit->pair[pairs++] = (fit->y[j] - fit->y[i]) / (fit->x[j] - fit->x[i]);
    if (pairs == 0) return false;
    *slope = median_of(fit->pair, pairs);
    for (int i = 0; i < n; i++) fit->pair[i] = fit->y[i] - *slope * fit->x[i];
    *intercept = median_of(fit->pair, n);
    return true;
}

static int points_of_block(const Points *points, int block, Fit *fit)
{
    int n = 0;
    for (int i = 0; i < points->n; i++) {
        if (points->block[i] != block) continue;
        fit->x[n] = points->x[i];
        fit->y[n++] = points->y[i];
    }
    return n;
}

static bool seen_before(const int *block, int i)
{
    for (int j = 0; j < i; j++)
        if (block[j] == block[i]) return true;
    return false;
}

static void fit_blocks(Fit *fit, const Points *points)
{
    for (int i = 0; i < points->n; i++) {
        if (seen_before(points->block, i)) continue;
        const int n = points_of_block(points, points->block[i], fit), b = fit->blocks;
        if (!theil_sen(fit, n, &fit->slope[b], &fit->intercept[b])) continue;
        fit->r2[b] = stats_r2(fit->x, fit->y, n);
        fit->blocks++;
    }
}

Status stats_slope(const Points *points, double level, Slope *out, Err *err)
{
    require(out && level > 0 && level < 1);
    Fit fit = { 0 };
    Status status = points_check(points, err);
    if (!status) status = fit_open(&fit, points->n, err);
    if (status) return status;
    fit_blocks(&fit, points);
    if (fit.blocks == 0) {
        status = fail(err, BAD_INPUT, "a slope needs a block with two different x");
    } else {
        stats_sort(fit.slope, fit.blocks);
        *out = (Slope){ .slope = stats_block_interval(fit.slope, fit.blocks, level, false),
                        .intercept = median_of(fit.intercept, fit.blocks),
                        .r2 = median_of(fit.r2, fit.blocks) };
    }
    free(fit.memory);
    return status;
}

Status stats_exponent(const Points *points, double level, Slope *out, Err *err)
{
    require(points && points->n >= 1);
    const size_t n = (size_t)points->n;
    double *logs = malloc(2 * n * sizeof *logs);
    if (!logs) return fail(err, NO_MEMORY, "no memory for %d points", points->n);
    Status status = OK;
    for (size_t i = 0; i < n && !status; i++) {
        if (!(points->x[i] > 0 && points->y[i] > 0))
            status = fail(err, BAD_INPUT, "point %zu: x = %g and y = %g must be above 0",
                          i, points->x[i], points->y[i]);
        logs[i] = stats_log(points->x[i]);
        logs[n + i] = stats_log(points->y[i]);
    }
    const Points logarithmic = { logs, logs + n, points->block, points->n };
    if (!status) status = stats_slope(&logarithmic, level, out, err);
    free(logs);
    return status;
}

double stats_r2(const double *x, const double *y, int n)
{
    require(x && y && n >= 2);
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        mean_x += x[i] / n;
        mean_y += y[i] / n;
    }
    for (int i = 0; i < n; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    if (yy == 0) return 1;
    return xx > 0 ? xy / xx * (xy / yy) : 0;
}

/* ---- Crossover ---- */

const char *stats_crossover_name(CrossoverKind kind)
{
    static const char *const name[] = { "unclear", "one", "none", "several" };
    require((unsigned)kind < sizeof name / sizeof *name);
    return name[kind];
}

/* The bound that faces zero as seen from side s; infinite for intervals that prove nothing. */
static double bound_facing_zero(const Interval *d, int s)
{
    if (d->kind == INTERVAL_NONE || d->kind == INTERVAL_ONE_BLOCK) return -s * INFINITY;
    return s > 0 ? d->low : d->high;
}

/* +1 or -1 where the interval excludes zero, else 0. */
static int side(const Interval *d)
{
    return (bound_facing_zero(d, 1) > 0) - (bound_facing_zero(d, -1) < 0);
}

/* x where the line from (x0, y0) to (x1, y1) is zero, straight in log x. */
static double zero_between(double x0, double y0, double x1, double y1)
{
    const double from = stats_log(x0), to = stats_log(x1);
    return stats_exp(from + (to - from) * (y0 / (y0 - y1)));
}

/* From the clear end `at`, walking by `step`: where the interval first touches zero. */
static double edge_from(const double *x, const Interval *d, int at, int step)
{
    const int s = side(&d[at]);
    int i = at + step;
    while (side(&d[i]) == s) i += step;
    return zero_between(x[i - step], bound_facing_zero(&d[i - step], s),
                        x[i], bound_facing_zero(&d[i], s));
}

/* Changes of sign along the estimates, zeros skipped; `middle`, if there is one, is where the
 * wanted change happens. */
static int sign_changes(const double *x, const Interval *d, int n, int wanted, double *middle)
{
    int changes = 0, last = -1;
    for (int i = 0; i < n; i++) {
        if (d[i].value == 0) continue;
        if (last >= 0 && (d[i].value > 0) != (d[last].value > 0) && changes++ == wanted)
            *middle = i == last + 1
                ? zero_between(x[last], d[last].value, x[i], d[i].value)
                : stats_exp((stats_log(x[last + 1]) + stats_log(x[i - 1])) / 2);
        last = i;
    }
    return changes;
}

/* Changes of side among the points that are clear. */
static int clear_changes(const Interval *d, int n)
{
    int changes = 0, last = 0;
    for (int i = 0; i < n; i++) {
        const int s = side(&d[i]);
        if (s == 0) continue;
        changes += last != 0 && s != last;
        last = s;
    }
    return changes;
}

static bool all_clear(const Interval *d, int n)
{
    for (int i = 0; i < n; i++)
        if (side(&d[i]) == 0) return false;
    return true;
}

static CrossoverKind kind_of(const Interval *d, int n)
{
    const int changes = clear_changes(d, n);
    if (changes > 1) return CROSSOVER_SEVERAL;
    if (changes == 1) return side(&d[0]) && side(&d[n - 1]) ? CROSSOVER_ONE : CROSSOVER_UNCLEAR;
    return all_clear(d, n) ? CROSSOVER_NONE : CROSSOVER_UNCLEAR;
}

static Decision winner(const Interval *d)
{
    const int s = side(d);
    return s > 0 ? DECISION_FASTER : s < 0 ? DECISION_SLOWER : DECISION_INCONCLUSIVE;
}

/* What a band of intervals is worth: its weakest. Intervals without bounds weaken nothing. */
static void worth_of(const Interval *d, int n, Interval *out)
{
    for (int i = 0; i < n; i++) {
        if (d[i].kind == INTERVAL_NONE || d[i].kind == INTERVAL_ONE_BLOCK) continue;
        if (out->kind == INTERVAL_NONE || d[i].level < out->level) out->level = d[i].level;
        if (out->kind == INTERVAL_NONE || d[i].n < out->n) out->n = d[i].n;
        out->kind = INTERVAL_INVERSION;
    }
}

Crossover stats_crossover(const double *x, const Interval *d, int n)
{
    require(x && d && n >= 1 && x[0] > 0);
    for (int i = 1; i < n; i++) require(x[i] > x[i - 1]);
    Crossover out = { .kind = kind_of(d, n), .from = x[0], .to = x[n - 1],
                      .at_from = winner(&d[0]), .at_to = winner(&d[n - 1]),
                      .x = { .value = NAN, .low = 0, .high = INFINITY } };
    out.sign_changes = sign_changes(x, d, n, -1, NULL);
    if (out.sign_changes % 2) sign_changes(x, d, n, out.sign_changes / 2, &out.x.value);
    worth_of(d, n, &out.x);
    if (out.kind == CROSSOVER_NONE) return out;
    if (out.at_from) out.x.low = edge_from(x, d, 0, 1);
    if (out.at_to) out.x.high = edge_from(x, d, n - 1, -1);
    return out;
}
