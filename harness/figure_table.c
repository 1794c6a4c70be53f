/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a figure as Markdown, for those who would rather read: a line an x, a column a
 * series, a table a panel. An interval stands in brackets, a failure by its name. */
#include "figure_draw.h"
#include "markdown.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_number(FILE *out, double value)
{
    if (fabs(value) >= 1000 && fabs(value) < 1e7)
        fprintf(out, "%.0f", value);
    else
        fprintf(out, "%.3g", value);
}

static void put_cell(FILE *out, const FigureRow *row)
{
    if (row_failed(row)) {
        md_text(out, row->outcome);
    } else if (isfinite(row->y)) {
        put_number(out, row->y);
        if (isfinite(row->low) && isfinite(row->high) && row->low < row->high) {
            fputs(" [", out);
            put_number(out, row->low);
            fputs(", ", out);
            put_number(out, row->high);
            fputs("]", out);
        }
    }
}

static void put_x(FILE *out, const FigureRow *row)
{
    if (isfinite(row->x) && row->x == floor(row->x) && fabs(row->x) < 1e15)
        fprintf(out, "%.0f", row->x);
    else
        md_text(out, row->segment);
}

/* Rows come sorted by facet, series and x; a table wants all series of one x together. */
static int same_x(const FigureRow *a, const FigureRow *b)
{
    return isfinite(a->x) && isfinite(b->x) && (a->x != 0 || b->x != 0)
               ? a->x == b->x : strcmp(a->segment, b->segment) == 0;
}

static int seen_before(const Layout *l, int row, const char *panel)
{
    const FigureRow *all = l->figure->row;
    for (int i = 0; i < row; i++)
        if (row_in_panel(&all[i], panel) && same_x(&all[i], &all[row]))
            return 1;
    return 0;
}

static int by_x(const void *a, const void *b)
{
    const FigureRow *x = *(const FigureRow *const *)a, *y = *(const FigureRow *const *)b;
    if (x->x != y->x)
        return x->x < y->x ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void put_heading(FILE *out, const Layout *l, const char *panel, const int *used)
{
    const Figure *f = l->figure;
    fputs(*panel ? "\n**" : "\n", out);
    md_text(out, panel);
    fputs(*panel ? "**\n\n| " : "\n\n| ", out);
    md_text(out, f->kind == FIGURE_BARS ? "" : f->x_label);
    fputs(" |", out);
    for (int s = 0; s < l->series_count; s++) {
        if (!used[s])
            continue;
        fputs(" ", out);
        md_text(out, l->series[s].label);
        fputs(" |", out);
    }
    fputs("\n|---|", out);
    for (int s = 0; s < l->series_count; s++)
        if (used[s])
            fputs("---:|", out);
    fputs("\n", out);
}

static void put_line(FILE *out, const Layout *l, const char *panel, const int *used,
                     const FigureRow *at)
{
    const Figure *f = l->figure;
    fputs("| ", out);
    put_x(out, at);
    fputs(" |", out);
    for (int s = 0; s < l->series_count; s++) {
        if (!used[s])
            continue;
        fputc(' ', out);
        for (int i = 0; i < f->rows; i++)
            if (series_find(l, &f->row[i]) == s && row_in_panel(&f->row[i], panel) &&
                same_x(&f->row[i], at)) {
                put_cell(out, &f->row[i]);
                break;
            }
        fputs(" |", out);
    }
    fputs("\n", out);
}

static void put_panel(FILE *out, const Layout *l, const char *panel, const FigureRow **line)
{
    const Figure *f = l->figure;
    int used[SERIES_MAX] = { 0 }, lines = 0;
    for (int i = 0; i < f->rows; i++) {
        const int s = row_in_panel(&f->row[i], panel) ? series_find(l, &f->row[i]) : -1;
        if (s < 0)
            continue;
        used[s] = 1;
        if (!seen_before(l, i, panel))
            line[lines++] = &f->row[i];
    }
    if (f->kind != FIGURE_BARS)
        qsort(line, (size_t)lines, sizeof *line, by_x);
    put_heading(out, l, panel, used);
    for (int i = 0; i < lines; i++)
        put_line(out, l, panel, used, line[i]);
}

void figure_table(FILE *out, const Figure *f)
{
    Layout l;
    const FigureRow **line = calloc((size_t)f->rows + 1, sizeof *line);
    if (!line)
        return;
    layout_open(&l, f, 1, 1);
    md_text(out, f->y_label);
    fputs(f->intervals ? "; 95 % interval in brackets\n" : "\n", out);
    for (int panel = 0; panel < l.panels; panel++)
        put_panel(out, &l, l.panel[panel], line);
    free(line);
}
