/* SPDX-License-Identifier: Apache-2.0 */
/* Scaling claims: the exponent of a power law, the length where one method overtakes another, and
 * how straight a line is. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../kernels/core/random.h"

static const uint64_t SLOPE_SEED = 0x736c6f7065;

/* ---- Slope ---- */

/* The points as a table: a row for each distinct x, ascending, a column for each block. */
typedef struct {
    double *label;       /* x of the rows, then the blocks' numbers from `block` on */
    double *block;
    double *work;        /* owns what follows */
    double *y;           /* rows x columns, NaN where not measured */
    double *median;      /* one a row */
    double *column;      /* one row's values */
    double *slope;       /* one a pair of rows */
    double *resample;    /* STATS_RESAMPLES */
    int *pick;           /* the columns of a resample */
    int rows, columns;
} Table;

/* Sorts; keeps one of each. */
static int distinct(double *value, int n)
{
    int kept = 0;
    stats_sort(value, n);
    for (int i = 0; i < n; i++)
        if (kept == 0 || value[i] != value[kept - 1]) value[kept++] = value[i];
    return kept;
}

static int place_of(const double *list, double value)
{
    int i = 0;
    while (list[i] != value) i++;
    return i;
}

static void table_close(Table *t)
{
    free(t->label);
    free(t->work);
    free(t->pick);
}

static Status table_take(Table *t, const Points *points, Err *err)
{
    const size_t n = (size_t)points->n;
    t->label = malloc(2 * n * sizeof *t->label);
    if (!t->label) return fail(err, NO_MEMORY, "no memory for %d points", points->n);
    t->block = t->label + n;
    for (size_t i = 0; i < n; i++) {
        t->label[i] = points->x[i];
        t->block[i] = points->block[i];
    }
    t->rows = distinct(t->label, points->n);
    t->columns = distinct(t->block, points->n);

    const size_t rows = (size_t)t->rows, columns = (size_t)t->columns, cells = rows * columns;
    t->work = malloc((cells + rows + columns + rows * rows / 2 + STATS_RESAMPLES)
                     * sizeof *t->work);
    t->pick = malloc(columns * sizeof *t->pick);
    if (!t->work || !t->pick)
        return fail(err, NO_MEMORY, "no memory for %d x %d points", t->rows, t->columns);
    t->y = t->work;
    t->median = t->y + cells;
    t->column = t->median + rows;
    t->slope = t->column + columns;
    t->resample = t->slope + rows * rows / 2;
    return OK;
}

static Status table_fill(Table *t, const Points *points, Err *err)
{
    for (int i = 0; i < t->rows * t->columns; i++) t->y[i] = NAN;
    for (int i = 0; i < points->n; i++) {
        const int row = place_of(t->label, points->x[i]);
        double *cell = t->y + row * t->columns + place_of(t->block, points->block[i]);
        if (!isnan(*cell))
            return fail(err, BAD_INPUT, "block %d has two values at x = %g: one is right",
                        points->block[i], points->x[i]);
        *cell = points->y[i];
    }
    return OK;
}

static Status points_check(const Points *points, Err *err)
{
    require(points && points->x && points->y && points->block && points->n >= 1);
    for (int i = 0; i < points->n; i++)
        if (!isfinite(points->x[i]) || !isfinite(points->y[i]))
            return fail(err, BAD_INPUT, "point %d, (%g, %g), is not finite",
                        i, points->x[i], points->y[i]);
    return OK;
}

/* Median of each row over the picked columns; NaN for a row that none of them measured. */
static void row_medians(Table *t)
{
    for (int row = 0; row < t->rows; row++) {
        int n = 0;
        for (int i = 0; i < t->columns; i++) {
            const double y = t->y[row * t->columns + t->pick[i]];
            if (!isnan(y)) t->column[n++] = y;
        }
        stats_sort(t->column, n);
        t->median[row] = n ? stats_quantile(t->column, n, 0.5) : NAN;
    }
}

/* Median of the slopes between all pairs of rows; NaN if fewer than two rows were measured. */
static double theil_sen(Table *t)
{
    int n = 0;
    row_medians(t);
    for (int i = 0; i < t->rows; i++)
        for (int j = i + 1; j < t->rows; j++) {
            const double rise = t->median[j] - t->median[i];
            if (!isnan(rise)) t->slope[n++] = rise / (t->label[j] - t->label[i]);
        }
    stats_sort(t->slope, n);
    return n ? stats_quantile(t->slope, n, 0.5) : NAN;
}

static double theil_sen_of_all(Table *t)
{
    for (int i = 0; i < t->columns; i++) t->pick[i] = i;
    return theil_sen(t);
}

/* How many resamples had a slope; they are left sorted in t->resample. */
static int resample_slopes(Table *t)
{
    int kept = 0;
    for (int r = 0; r < STATS_RESAMPLES; r++) {
        for (int i = 0; i < t->columns; i++)
            t->pick[i] = (int)random_below(SLOPE_SEED, (uint64_t)r, (uint64_t)i, t->columns);
        const double slope = theil_sen(t);
        if (!isnan(slope)) t->resample[kept++] = slope;
    }
    stats_sort(t->resample, kept);
    return kept;
}

static Interval slope_interval(Table *t, double level)
{
    Interval out = { .value = theil_sen_of_all(t), .low = -INFINITY, .high = INFINITY,
                     .n = t->columns };
    if (t->columns < 2 || (t->columns < STATS_BLOCKS_MIN && level > 0.95)) return out;
    const int kept = resample_slopes(t);
    if (kept < STATS_RESAMPLES / 2) return out;
    const double tail = (1 - level) / 2;
    out.low = fmin(out.value, stats_quantile(t->resample, kept, tail));
    out.high = fmax(out.value, stats_quantile(t->resample, kept, 1 - tail));
    out.level = level;
    out.kind = INTERVAL_BOOTSTRAP;
    stats_stretch(&out, false);
    return out;
}

static void fit(Table *t, double level, Slope *out)
{
    out->slope = slope_interval(t, level);
    out->rows = t->rows;
    theil_sen_of_all(t);
    out->r2 = stats_r2(t->label, t->median, t->rows);
    for (int i = 0; i < t->rows; i++) t->median[i] -= out->slope.value * t->label[i];
    stats_sort(t->median, t->rows);
    out->intercept = stats_quantile(t->median, t->rows, 0.5);
}

Status stats_slope(const Points *points, double level, Slope *out, Err *err)
{
    require(out && level > 0 && level < 1);
    Table t = { 0 };
    Status status = points_check(points, err);
    if (!status) status = table_take(&t, points, err);
    if (!status) status = table_fill(&t, points, err);
    if (!status && t.rows < 2)
        status = fail(err, BAD_INPUT, "a slope needs two different x; all are %g", points->x[0]);
    if (!status) fit(&t, level, out);
    table_close(&t);
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
