/* SPDX-License-Identifier: Apache-2.0 */
/* From a `figures:` entry to rows: the query is written out in full (a figure shows it, and anybody
 * can paste it into `attest query`), run, and its rows are hashed as they come. */
#include "db.h"
#include "deadline.h"
#include "figure_query.h"
#include "file.h"

#include "../kernels/core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 5000, TEXT_MAX = 400, SECONDS_MAX = 30 };   /* of a figure */

/* ---- running -------------------------------------------------------------------------------- */

enum { FACET, SERIES, X, Y, LOW, HIGH, OUTCOME, POINT, SETTING, COLUMNS };
static const char *const column_names[COLUMNS] = { "facet", "series",  "x",     "y",      "low",
                                                   "high",  "outcome", "point", "setting" };

static char *text_of(const Query *q, int column)
{
    char *text = strndup(column < 0 ? "" : column_text(q, column), TEXT_MAX);
    return text ? text_clean(text) : NULL;
}

/* Numbers that no axis can show are none. */
static double drawable(double value)
{
    const double size = fabs(value);
    return size > 1e300 ? NAN : size < 1e-300 ? 0 : value;
}

static double real_of(const Query *q, int column, double scale)
{
    return column < 0 ? NAN : drawable(scale * column_real(q, column));
}

static int add_row(Figure *f, const Query *q, const int *at, int published)
{
    if (f->rows % 64 == 0) {
        FigureRow *more = realloc(f->row, (size_t)(f->rows + 64) * sizeof *more);
        if (!more)
            return 0;
        f->row = more;
    }
    const double scale = published ? 1 : f->scale;
    FigureRow row = { .facet = text_of(q, at[FACET]),
                      .series = text_of(q, at[SERIES]),
                      .segment = text_of(q, at[X]),
                      .outcome = text_of(q, at[OUTCOME]),
                      .point = text_of(q, published ? at[SETTING] : at[POINT]),
                      .x = real_of(q, at[X], 1),
                      .y = real_of(q, at[Y], scale),
                      .low = real_of(q, at[LOW], scale),
                      .high = real_of(q, at[HIGH], scale),
                      .published = published };
    f->row[f->rows++] = row;
    if (!published && row.low < row.high)
        f->intervals = 1;
    if (published && !f->published_setting && *row.point)
        f->published_setting = strdup(row.point);
    return row.facet && row.series && row.segment && row.outcome && row.point;
}

static Status run_query(Figure *f, Db *db, const char *sql, int published, Sha256 *hash, Err *err)
{
    int at[COLUMNS], complete = 1, more = 0;
    Query *q = query_open(db, sql, NO_VALUES);
    for (int i = 0; i < COLUMNS; i++) {
        at[i] = -1;
        for (int k = 0; k < query_columns(q); k++)
            if (strcmp(query_name(q, k), column_names[i]) == 0)
                at[i] = k;
    }
    while (complete && !more && query_row(q)) {
        query_hash_row(q, hash);
        more = f->rows == ROWS_MAX;
        complete = more || add_row(f, q, at, published);
    }
    query_close(q);
    if (!complete)
        return fail(err, NO_MEMORY, "figure %s: no memory for its rows", f->name);
    Err why = { "" };
    const Status status = db_check(db, &why);
    if (status)
        return fail(err, status, "figure %s of %s: %.380s", f->name, f->experiment, why.text);
    return more ? fail(err, BAD_INPUT, "figure %s of %s: more than %d rows", f->name,
                       f->experiment, ROWS_MAX) : OK;
}

/* Both queries, within the time that anybody waits for a figure. */
static Status run_queries(Figure *f, Db *db, Sha256 *hash, Err *err)
{
    db_stop_when(db, deadline_open(1000 * SECONDS_MAX));
    Status status = run_query(f, db, f->query, 0, hash, err);
    if (!status && *f->paper_query)
        status = run_query(f, db, f->paper_query, 1, hash, err);
    const int late = deadline_close();
    db_stop_when(db, NULL);
    if (!status || !late)
        return status;
    return fail(err, BAD_INPUT, "figure %s of %s: its query did not end within %d s", f->name,
                f->experiment, SECONDS_MAX);
}

static double number_of(const Node *map, const char *key, double fallback)
{
    double value = fallback;
    const Node *node = map ? node_get(map, key) : NULL;
    return node && node_number(node, &value) ? drawable(value) : fallback;
}

static char *caught(void (*put)(FILE *, const Node *, const void *), const Node *entry,
                    const void *with)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    put(out, entry, with);
    if (file_close(out))
        return text;
    free(text);
    return NULL;
}

static void query_text(FILE *out, const Node *entry, const void *experiment)
{
    figure_put_query(out, entry, experiment);
}

static void paper_text(FILE *out, const Node *entry, const void *paper)
{
    figure_put_paper_query(out, entry, paper);
}

/* Names that every attention method shares get words; any other parameter is its own label. */
static const char *words_of(const char *name)
{
    static const char *const known[][2] = {
        { "T", "sequence length T" },  { "Tk", "keys Tk" },
        { "D", "head dimension D" },   { "fast_bytes", "fast memory (bytes)" },
        { "block_k", "keys a block" }, { "threads", "threads" },
        { "isa", "instruction set" }
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i][0], name) == 0)
            return known[i][1];
    return name;
}

static void read_entry(Figure *f, const Node *entry, const char *experiment, const Paper *paper)
{
    const char *kind = node_text(entry, "kind", "line"), *log = node_text(entry, "log", "none");
    const char *x = words_of(node_text(entry, "x", ""));
    const Node *reference = node_get(entry, "reference");
    *f =
        (Figure){ .name = strdup(node_text(entry, "name", "")),
                  .title = strdup(node_text(entry, "title", node_text(entry, "name", ""))),
                  .experiment = strdup(experiment),
                  .note = strdup(node_text(entry, "note", "")),
                  .x_label = strdup(node_text(entry, "x_label", x)),
                  .y_label = strdup(node_text(entry, "y_label", figure_default_label(entry))),
                  .reference_label = strdup(reference ? node_text(reference, "label", "") : ""),
                  .kind = *kind == 'b'   ? FIGURE_BARS
                          : *kind == 's' ? FIGURE_SCATTER
                                         : FIGURE_LINE,
                  .log_x = *log == 'x',
                  .log_y = *log == 'y' || strcmp(log, "xy") == 0,
                  .stacked = strcmp(node_text(entry, "stack",
                                              strcmp(node_text(entry, "y", ""), "lap") == 0 ? "true"
                                                                                            : "fals"
                                                                                              "e"),
                                    "true") == 0,
                  .fit = strcmp(node_text(entry, "fit", "none"), "line") == 0,
                  .scale = number_of(entry, "scale", figure_default_scale(entry)),
                  .reference_y = number_of(reference, "y", NAN),
                  .paper = paper,
                  .query = caught(query_text, entry, experiment),
                  .paper_query = caught(paper_text, entry, paper) };
}

Status figure_open(Figure *f, const Node *entry, const char *experiment, const Paper *paper, Db *db,
                   Err *err)
{
    Sha256 hash;
    uint8_t digest[SHA256_BYTES];
    read_entry(f, entry, experiment, paper);
    if (!f->name || !f->title || !f->experiment || !f->note || !f->x_label || !f->y_label ||
        !f->reference_label || !f->query || !f->paper_query) {
        figure_close(f);
        return fail(err, NO_MEMORY, "no memory for a figure");
    }
    sha256_open(&hash);
    const Status status = run_queries(f, db, &hash, err);
    sha256_close(&hash, digest);
    sha256_text(digest, f->rows_hash);
    if (status)
        figure_close(f);
    return status;
}

void figure_close(Figure *f)
{
    for (int i = 0; i < f->rows; i++) {
        free(f->row[i].facet);
        free(f->row[i].series);
        free(f->row[i].segment);
        free(f->row[i].outcome);
        free(f->row[i].point);
    }
    char *const text[] = {
        f->name,    f->title,           f->experiment, f->note,        f->x_label,
        f->y_label, f->reference_label, f->query,      f->paper_query, f->published_setting
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        free(text[i]);
    free(f->row);
    *f = (Figure){ 0 };
}
