/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics as SQL functions, so that a claim's evidence is one query that anybody can read.
 * Each aggregate gathers its rows and leaves the arithmetic to stats.h. */
#include "db_internal.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* ---- gathering rows ------------------------------------------------------------------- */

typedef struct {
    double  x, y;
    int64_t block;             /* any number that is the block's own */
} Row;

typedef struct {
    Row *row;
    int  count, room;
    int  first;                /* of half_median(): which half is asked for */
    int  no_memory;
} Rows;

/* A slope looks at all pairs of a block's rows, a crossover has an interval for each x; and no
 * signal stops a function. */
enum { ROWS_MAX = 4000000, FIT_ROWS_MAX = 5000 };

/* Rows with a NULL tell nothing; what is not a number is no number. */
static void gather(sqlite3_context *context, int arguments, sqlite3_value **value)
{
    Rows *rows = sqlite3_aggregate_context(context, sizeof *rows);
    Row row = { 0 };
    if (!rows) { sqlite3_result_error_nomem(context); return; }
    for (int i = 0; i < arguments; i++) {
        const int type = sqlite3_value_numeric_type(value[i]);
        if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) return;
    }
    row.x = sqlite3_value_double(value[0]);
    if (arguments > 1) row.y = sqlite3_value_double(value[1]);
    if (arguments > 2) row.block = sqlite3_value_int64(value[2]);
    if (arguments > 3) rows->first = sqlite3_value_int(value[3]);
    if (rows->count == rows->room) {
        const int room = 2 * rows->room + 64;
        /* SQLite's memory has a limit. */
        Row *more = rows->count > ROWS_MAX
                        ? NULL : sqlite3_realloc64(rows->row, (size_t)room * sizeof *more);
        if (!more) { rows->no_memory = 1; sqlite3_result_error_nomem(context); return; }
        rows->row = more;
        rows->room = room;
    }
    rows->row[rows->count++] = row;
}

/* By x, then block: the result must not depend on the order in which SQLite finds rows. */
static int before(const void *a, const void *b)
{
    const Row *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    if (p->block != q->block) return p->block < q->block ? -1 : 1;
    return p->y < q->y ? -1 : p->y > q->y;
}

static void result_number(sqlite3_context *context, double value)
{
    if (isnan(value)) sqlite3_result_null(context);
    else sqlite3_result_double(context, value);
}

/* What an aggregate is made of; SQLite hands it to `finish` by way of its user data. */
typedef enum { VALUE, LOW, HIGH, KIND } Part;

typedef struct {
    const char *name;
    int         arguments;
    Part        part;
    Status    (*result)(sqlite3_context *, Rows *, Part, Err *);
} Aggregate;

/* Rows that do not suffice are no error: the answer is NULL. */
static void finish(sqlite3_context *context)
{
    Rows *rows = sqlite3_aggregate_context(context, 0);
    const Aggregate *f = sqlite3_user_data(context);
    Err err;
    if (!rows || rows->count == 0) {
        if (rows && rows->no_memory) sqlite3_result_error_nomem(context);
        return;
    }
    qsort(rows->row, (size_t)rows->count, sizeof *rows->row, before);
    const Status status = rows->no_memory ? NO_MEMORY : f->result(context, rows, f->part, &err);
    if (status == NO_MEMORY) sqlite3_result_error_nomem(context);
    else if (status) sqlite3_result_error(context, err.text, -1);
    sqlite3_free(rows->row);
}

/* ---- the aggregates ------------------------------------------------------------------- */

static int distinct_x(const Rows *rows)
{
    int n = 1;
    for (int i = 1; i < rows->count; i++) n += rows->row[i].x != rows->row[i - 1].x;
    return n;
}

static Status too_many(const char *function, Err *err)
{
    return fail(err, BAD_INPUT, "%s: more than %d different rows in one group", function,
                FIT_ROWS_MAX);
}

static void result_part(sqlite3_context *context, const Interval *i, Part part)
{
    if (i->kind == INTERVAL_NONE && part != VALUE) return;
    result_number(context, part == VALUE ? i->value : part == LOW ? i->low : i->high);
}

/* Columns of the rows, one after another: x, y. */
static double *columns_of(const Rows *rows)
{
    double *x = malloc(2 * (size_t)rows->count * sizeof *x);
    for (int i = 0; x && i < rows->count; i++) {
        x[i] = rows->row[i].x;
        x[rows->count + i] = rows->row[i].y;
    }
    return x;
}

static int ascending(const void *a, const void *b)
{
    const int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return p < q ? -1 : p > q;
}

/* Blocks by small numbers, equal where their own are equal; NULL: no memory. */
static int *block_numbers(const Rows *rows)
{
    const size_t n = (size_t)rows->count;
    int *number = malloc(n * sizeof *number);
    int64_t *own = malloc(n * sizeof *own);
    for (size_t i = 0; own && i < n; i++) own[i] = rows->row[i].block;
    if (own) qsort(own, n, sizeof *own, ascending);
    for (size_t i = 0; own && number && i < n; i++) {
        const int64_t *at = bsearch(&rows->row[i].block, own, n, sizeof *own, ascending);
        while (at > own && at[-1] == *at) at--;
        number[i] = (int)(at - own);
    }
    if (!own) { free(number); number = NULL; }
    free(own);
    return number;
}

static Status slope(sqlite3_context *context, Rows *rows, Part part, Err *err)
{
    Slope fit;
    Status status = NO_MEMORY;
    if (rows->count > FIT_ROWS_MAX) return too_many("slope", err);
    if (distinct_x(rows) < 3) return OK;
    double *x = columns_of(rows);
    int *block = block_numbers(rows);
    if (!x || !block) goto done;
    status = stats_exponent(&(Points){ x, x + rows->count, block, rows->count }, 0.95, &fit, err);
    if (!status) result_part(context, &fit.slope, part);
done:
    free(x);
    free(block);
    return status;
}

static void result_crossover(sqlite3_context *context, const Crossover *c, Part part)
{
    if (part == KIND)
        sqlite3_result_text(context, stats_crossover_name(c->kind), -1, SQLITE_STATIC);
    else if (c->kind != CROSSOVER_NONE) result_part(context, &c->x, part);
}

static Status crossover(sqlite3_context *context, Rows *rows, Part part, Err *err)
{
    const int n = distinct_x(rows);
    Status status = NO_MEMORY;
    if (n > FIT_ROWS_MAX) return too_many("crossover", err);
    double *x = malloc((size_t)n * sizeof *x), *d = malloc((size_t)rows->count * sizeof *d);
    Interval *at = malloc((size_t)n * sizeof *at);
    if (!x || !d || !at) goto done;
    for (int i = 0, k = 0; k < n; k++) {
        const int first = i;
        x[k] = rows->row[first].x;
        for (; i < rows->count && rows->row[i].x == x[k]; i++) {
            const double ratio = rows->row[i].y;
            if (!(x[k] > 0) || !(ratio > 0)) {
                status = fail(err, BAD_INPUT, "crossover: x = %g and the ratio %g must be above 0",
                              x[k], ratio);
                goto done;
            }
            d[i] = stats_log(ratio);
        }
        stats_sort(d + first, i - first);
        at[k] = stats_block_interval(d + first, i - first, 0.95, false);
    }
    const Crossover c = stats_crossover(x, at, n);
    result_crossover(context, &c, part);
    status = OK;
done:
    free(x);
    free(d);
    free(at);
    return status;
}

static Status r2(sqlite3_context *context, Rows *rows, Part part, Err *err)
{
    (void)part, (void)err;
    if (rows->count < 2) return OK;
    double *x = columns_of(rows);
    if (!x) return NO_MEMORY;
    result_number(context, stats_r2(x, x + rows->count, rows->count));
    free(x);
    return OK;
}

static Status median(sqlite3_context *context, Rows *rows, Part part, Err *err)
{
    (void)part, (void)err;
    double *x = columns_of(rows);
    if (!x) return NO_MEMORY;
    result_number(context, stats_quantile(x, rows->count, 0.5));
    free(x);
    return OK;
}

/* The middle y of the rows that come first or last by x; of an odd number the middle row is a later
 * one, so of one row there is no first half. */
static Status half_median(sqlite3_context *context, Rows *rows, Part part, Err *err)
{
    (void)part, (void)err;
    const int half = rows->count / 2, n = rows->first ? half : rows->count - half;
    if (n == 0) return OK;
    double *y = malloc((size_t)n * sizeof *y);
    if (!y) return NO_MEMORY;
    for (int i = 0; i < n; i++) y[i] = rows->row[rows->first ? i : half + i].y;
    stats_sort(y, n);
    result_number(context, stats_quantile(y, n, 0.5));
    free(y);
    return OK;
}

static const Aggregate aggregates[] = {
    { "slope", 3, VALUE, slope },
    { "slope_low", 3, LOW, slope },
    { "slope_high", 3, HIGH, slope },
    { "crossover", 3, VALUE, crossover },
    { "crossover_low", 3, LOW, crossover },
    { "crossover_high", 3, HIGH, crossover },
    { "crossover_kind", 3, KIND, crossover },
    { "r2", 2, VALUE, r2 },
    { "median", 1, VALUE, median },
    { "half_median", 4, VALUE, half_median },
};

/* ---- logarithms, the same on every machine -------------------------------------------- */

static void logarithm(sqlite3_context *context, int arguments, sqlite3_value **value)
{
    (void)arguments;
    const double *base = sqlite3_user_data(context);
    if (sqlite3_value_type(value[0]) == SQLITE_NULL) return;
    const double x = sqlite3_value_double(value[0]);
    if (x > 0) sqlite3_result_double(context, stats_log(x) / (base ? stats_log(*base) : 1));
}

int sql_functions_register(sqlite3 *sqlite)
{
    static double two = 2;
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int rc = sqlite3_create_function_v2(sqlite, "ln", 1, flags, NULL, logarithm, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc =
            sqlite3_create_function_v2(sqlite, "log2", 1, flags, &two, logarithm, NULL, NULL, NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof aggregates / sizeof *aggregates; i++)
        rc = sqlite3_create_function_v2(sqlite, aggregates[i].name, aggregates[i].arguments, flags,
                                        (void *)(uintptr_t)&aggregates[i], NULL, gather, finish,
                                        NULL);
    return rc;
}
