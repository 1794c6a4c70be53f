/* SPDX-License-Identifier: Apache-2.0 */
/* A figure is a query, and the rows that it gave, drawn. It carries both: the query and the SHA-256
 * of the rows stand in the .gp and in the .svg, so that anybody can see what a figure was drawn
 * from and whether it is stale. The .gp holds its data and draws by itself: `gnuplot runtime.gp`.
 *
 * A spec's `figures:` entry (experiments/NAME.yaml):
 *
 *   name, title      file name and heading; the title says what is compared
 *   kind             line | bars | scatter
 *   x, y             x: a parameter, or fast_bytes, isa, variant, threads, ...  y: a quantity of
 * the table in figure_rows.c: time, gflops, limit, speedup, memory, workspace, error, traffic,
 * work, lap series, facet    lists of parameters or columns; `method` means method/variant where
 * SQL that keeps some rows, over the columns of the view: "isa = 'avx512' AND p->>'D' = 64" query
 * instead of x, y, series, facet, where: SQL with columns facet, series, x, y, low, high, outcome,
 * point; of bars x is the segment's name. Missing columns are taken as empty paper_query      the
 * same for published values (facet, series, x, y); or paper_series     {table: fa1-table18, scale:
 * 1} or a list of such: the table's series that paper.yaml pairs with one of ours; facet: TEXT puts
 * them in one panel, `all: true` draws every series log              x | y | xy | none x_label,
 * y_label with unit; known quantities have one scale            y is multiplied by it reference {y:
 * 1, label: "equal"}: a thin line across fit              line: a straight line through the points
 * of each series, with its R2 stack            true: a bar's segments follow each other (as phases
 * of one call do); otherwise each x has its own bar. `lap` stacks unless told otherwise note
 * heading of the notes that explains it
 *
 * Failures (out of memory, timeout, unsupported, ...) are drawn as crosses at the upper edge. */
#ifndef FIGURE_H
#define FIGURE_H

#include "paper.h"
#include "tree.h"

#include <stdio.h>

typedef struct Db Db;

typedef enum { FIGURE_LINE, FIGURE_BARS, FIGURE_SCATTER } FigureKind;

typedef struct {
    char  *facet, *series, *segment;   /* never NULL */
    char  *outcome, *point;            /* outcome "" or "ok": drawn */
    double x, y, low, high;            /* NaN: none */
    int    published;                  /* a value that the paper prints */
} FigureRow;

typedef struct {
    /* from the spec */
    char       *name, *title, *experiment, *note;
    char       *x_label, *y_label, *reference_label;
    FigureKind  kind;
    int         log_x, log_y, fit, stacked;
    double      scale, reference_y;    /* NaN: no line */
    char       *query, *paper_query;   /* SQL; paper_query may be NULL */
    /* from the database */
    FigureRow  *row;
    int         rows, intervals;       /* intervals: 1 where a row of ours has one */
    char        rows_hash[65];
    char       *published_setting;     /* of the first published row, or NULL */
    const Paper *paper;                /* borrowed: pairs of series, links */
} Figure;

/* Checks the entry against the keys above; every complaint in one go. */
void   figure_check(const Tree *tree, const Node *entry, Complaints *complaints);
/* Reads a checked entry and runs its queries. A figure may come back with no rows. */
Status figure_open(Figure *f, const Node *entry, const char *experiment, const Paper *paper, Db *db,
                   Err *err);
void   figure_close(Figure *f);

/* The whole .gp; `stem` is what it names its .svg and .png. */
void   figure_plot(FILE *out, const Figure *f, const char *stem);
/* Draws .gp files by one gnuplot process; FOLDER is where it runs. IO_FAILED with gnuplot's last
 * words. */
Status figure_gnuplot(const char *folder, const char *const *gp, int count, Err *err);
/* Puts title, description, query, hash, dark colours and the link to the note into a drawn .svg. */
Status figure_finish_svg(const char *path, const Figure *f, const char *note_url, Err *err);
/* Drawn in characters, `width` columns wide (at least 40), with braille dots or in ASCII. */
void   figure_terminal(FILE *out, const Figure *f, int width, int utf8);
/* The rows as a Markdown table, a column a series. */
void   figure_table(FILE *out, const Figure *f);

#endif
