/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a .gp that stands by itself: data in named blocks, one panel a facet, a picture as SVG and
 * as PNG. Lines carry their name at their end instead of in a legend; names that would collide are
 * moved apart and tied to their line. */
#include "figure_draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_GAP = 15, LEFT = 68, TOP = 42, UNNAMED_TOP = 24, BOTTOM = 54 };

/* ---- data ----------------------------------------------------------------------------------- */

static int drawn(const FigureRow *row, const Layout *l, int panel, int series)
{
    return series_find(l, row) == series && row_in_panel(row, l->panel[panel]) && isfinite(row->x);
}

static void write_block(FILE *out, const Layout *l, int panel, int series)
{
    const Figure *f = l->figure;
    fprintf(out, "$p%ds%d << END\n", panel, series);
    for (int i = 0; i < f->rows; i++) {
        const FigureRow *row = &f->row[i];
        if (!drawn(row, l, panel, series) || !isfinite(row->y))
            continue;
        fprintf(out, "%.9g %.9g %.9g %.9g\n", row->x, row->y,
                isfinite(row->low) ? row->low : row->y, isfinite(row->high) ? row->high : row->y);
    }
    fputs("END\n", out);
}

static int count_drawn(const Layout *l, int panel, int series, const FigureRow **last)
{
    int count = 0;
    for (int i = 0; i < l->figure->rows; i++) {
        const FigureRow *row = &l->figure->row[i];
        if (!drawn(row, l, panel, series) || !isfinite(row->y))
            continue;
        count++;
        if (last && (!*last || row->x >= (*last)->x))
            *last = row;
    }
    return count;
}

/* ---- names at the lines' ends --------------------------------------------------------------- */

typedef struct {
    int series;
    double x, y, place;
} EndLabel; /* x, y: end of the line; place: of the text; 0 to 1 */

static int by_height(const void *a, const void *b)
{
    const EndLabel *x = a, *y = b;
    return x->y < y->y ? -1 : x->y > y->y ? 1 : x->series - y->series;
}

/* From below each name is lifted clear of the one under it; what then stands out above is pushed
 * down. */
static void keep_apart(EndLabel *label, int count, double gap)
{
    for (int i = 0; i < count; i++)
        label[i].place =
            i && label[i].y < label[i - 1].place + gap ? label[i - 1].place + gap : label[i].y;
    double ceiling = 1;
    for (int i = count - 1; i >= 0; i--) {
        if (label[i].place > ceiling)
            label[i].place = ceiling;
        ceiling = label[i].place - gap;
    }
}

static void write_end_labels(FILE *out, const Layout *l, int panel, const Axis *x, const Axis *y,
                             int height)
{
    EndLabel label[SERIES_MAX];
    int count = 0;
    for (int s = 0; s < l->series_count; s++) {
        const FigureRow *last = NULL;
        if (count_drawn(l, panel, s, &last))
            label[count++] =
                (EndLabel){ .series = s, .x = axis_place(x, last->x), .y = axis_place(y, last->y) };
    }
    qsort(label, (size_t)count, sizeof *label, by_height);
    keep_apart(label, count, (double)LABEL_GAP / height);
    for (int i = 0; i < count; i++) {
        const Series *s = &l->series[label[i].series];
        const int apart =
            fabs(label[i].place - label[i].y) > 0.6 * LABEL_GAP / height || label[i].x < 0.9;
        if (apart)
            fprintf(out,
                    "set arrow %d from graph %.4f, graph %.4f to graph 1.012, graph %.4f nohead lw "
                    "0.5 dt 3 lc rgb \"%s\"\n",
                    100 + i, label[i].x, label[i].y, label[i].place, series_colour(s));
        fprintf(out, "set label %d ", 100 + i);
        gp_text(out, s->label);
        fprintf(out, " at graph 1.018, graph %.4f left font face.\",11\" tc rgb \"%s\"\n",
                label[i].place, series_colour(s));
    }
}

/* About as wide as the text is in pixels: capitals are wider than the rest. */
static double label_width(const char *text)
{
    double width = 0;
    for (; *text; text++) width += *text >= 'A' && *text <= 'Z' ? 8.2 : 6.3;
    return width;
}

static int label_space(const Layout *l)
{
    double widest = label_width("name");
    for (int s = 0; s < l->series_count; s++)
        widest = fmax(widest, label_width(l->series[s].label));
    return (int)widest + 26;
}

/* ---- failures at the edge ------------------------------------------------------------------- */

#define FAILURE_STEP 0.055   /* of the height */

/* A cross for each, a row of crosses for each series; the first of a series says what happened. */
static void write_failures(FILE *out, const Layout *l, int panel, const Axis *x)
{
    const Figure *f = l->figure;
    int lines = 0, id = 300;
    for (int s = 0; s < l->series_count; s++) {
        const char *said = "", *colour = series_colour(&l->series[s]);
        for (int i = 0; i < f->rows; i++) {
            const FigureRow *row = &f->row[i];
            if (!row_failed(row) || !drawn(row, l, panel, s))
                continue;
            const char *what = strcmp(said, row->outcome) == 0 ? "" : row->outcome;
            const double place = axis_place(x, row->x);
            /* The name stands left of its cross, unless the axis is there. */
            fprintf(out, "set label %d ", id++);
            gp_text(out, what);
            fprintf(out, " at graph %.4f, graph %.4f %s font face.\",10\" ", place,
                    0.98 - FAILURE_STEP * lines,
                    place < 0.25 ? "left offset 1.3,0" : "right offset -1.3,0");
            fprintf(out, "tc rgb \"%s\" point pt 2 ps 0.8 lw 1.5 lc rgb \"%s\"\n", colour,
                    colour);
            said = row->outcome;
        }
        lines += *said != 0;
    }
}

/* ---- curves --------------------------------------------------------------------------------- */

/* Least squares y = a + b x over a series' points in a panel, with R2. */
static int fit_line(const Layout *l, int panel, int series, double *a, double *b, double *r2)
{
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
    for (int i = 0; i < l->figure->rows; i++) {
        const FigureRow *row = &l->figure->row[i];
        if (!drawn(row, l, panel, series) || !isfinite(row->y))
            continue;
        n++, sx += row->x, sy += row->y, sxx += row->x * row->x, sxy += row->x * row->y,
            syy += row->y * row->y;
    }
    const double dx = n * sxx - sx * sx, dy = n * syy - sy * sy, dxy = n * sxy - sx * sy;
    if (n < 3 || dx <= 0 || dy <= 0)
        return 0;
    *b = dxy / dx;
    *a = (sy - *b * sx) / n;
    *r2 = dxy * dxy / (dx * dy);
    return isfinite(*a) && isfinite(*b) && isfinite(*r2);
}

static void plot_series(FILE *out, const Layout *l, int panel, int s)
{
    const Series *series = &l->series[s];
    const char *colour = series_colour(series);
    double a, b, r2;
    const int lines = l->figure->kind == FIGURE_LINE;
    if (series->published) {
        fprintf(out,
                ", \\\n  $p%ds%d using 1:2 with %s dt 2 lw 1.2 lc rgb \"%s\" pt %d ps 0.55 title ",
                panel, s, lines ? "linespoints" : "points", colour, series->shape);
        gp_text(out, series->label);
        return;
    }
    if (lines)
        fprintf(out,
                ", \\\n  $p%ds%d using 1:3:4 with filledcurves fc rgb \"%s\" fs transparent solid "
                "0.18 noborder notitle",
                panel, s, colour);
    if (l->figure->intervals)
        fprintf(out,
                ", \\\n  $p%ds%d using 1:($3 < $4 ? $3 : NaN):(0):($4 - $3) with vectors heads "
                "size graph 0.005,90 lw 1.1 lc rgb \"%s\" notitle",
                panel, s, colour);
    fprintf(out, ", \\\n  $p%ds%d using 1:2 with %s lw 1.8 lc rgb \"%s\" pt %d ps 0.55 title ",
            panel, s, lines ? "linespoints" : "points", colour, series->shape);
    gp_text(out, series->label);
    if (l->figure->fit && fit_line(l, panel, s, &a, &b, &r2))
        fprintf(out,
                ", \\\n  %.9g + %.9g * x with lines dt 3 lw 1 lc rgb \"%s\" title \"straight line, "
                "R² = %.3f\"",
                a, b, colour, r2);
}

static void write_fit_labels(FILE *out, const Layout *l, int panel)
{
    double a, b, r2;
    int line = 0;
    for (int s = 0; l->figure->fit && s < l->series_count; s++)
        if (!l->series[s].published && fit_line(l, panel, s, &a, &b, &r2)) {
            fprintf(out,
                    "set label %d \"y = %.3g + %.3g x,  R² = %.3f\" at graph 0.03, graph %.3f left "
                    "font face.\",11\" tc rgb \"%s\"\n",
                    400 + s, a, b, r2, 0.88 - 0.07 * line, series_colour(&l->series[s]));
            line++;
        }
}

/* A panel without a name needs no room for it. */
static int above(const Layout *l)
{
    return l->panels == 1 && !*l->panel[0] ? UNNAMED_TOP : TOP;
}

static void plot_panel(FILE *out, const Layout *l, int panel, const Axis *x, const Axis *y)
{
    const Figure *f = l->figure;
    const int column = panel % l->columns, line = panel / l->columns;
    const double left = (column * l->panel_width + 16.0) / l->width,
                 top = 1 - (double)(l->top + line * l->panel_height) / l->height;
    fprintf(out, "\n# panel %d\nunset arrow\n", panel + 1);
    if (panel)
        fputs("unset label\n", out);
    gp_margins(out, l, panel, (Margins){ LEFT, label_space(l), above(l), BOTTOM });
    axis_write_marks(out, x, 'x');
    axis_write_marks(out, y, 'y');
    fputs("set label 10 ", out);
    gp_text(out, l->panel[panel]);
    fprintf(out, " at screen %.5f, screen %.5f left font face.\":Bold,12\"\nset label 11 ", left,
            top - 6.0 / l->height);
    gp_text(out, f->y_label);
    fprintf(out, " at screen %.5f, screen %.5f left font face.\",11\"\nset xlabel ", left,
            top - (above(l) - 18.0) / l->height);
    gp_text(out, f->x_label);
    fputs(" font face.\",11\" offset 0,0.4\n", out);
    write_end_labels(out, l, panel, x, y, l->panel_height - above(l) - BOTTOM);
    write_failures(out, l, panel, x);
    write_fit_labels(out, l, panel);
    if (isfinite(f->reference_y)) {
        fputs("set label 20 ", out);
        gp_text(out, f->reference_label);
        fprintf(out, " at graph 0.01, first %.9g left offset 0,0.5 font face.\",10\" tc rgb grey\n",
                f->reference_y);
    }
    fprintf(out, "plot %s lw 1 lc rgb grey notitle",
            isfinite(f->reference_y) ? "reference with lines" : "NaN with lines");
    for (int s = 0; s < l->series_count; s++)
        if (count_drawn(l, panel, s, NULL))
            plot_series(out, l, panel, s);
    fputs("\n", out);
}

int layout_failing_series(const Layout *l)
{
    int most = 0;
    for (int panel = 0; panel < l->panels; panel++) {
        int failing = 0;
        for (int s = 0; s < l->series_count; s++)
            for (int i = 0; i < l->figure->rows; i++)
                if (row_failed(&l->figure->row[i]) && drawn(&l->figure->row[i], l, panel, s)) {
                    failing++;
                    break;
                }
        most = failing > most ? failing : most;
    }
    return most;
}

void figure_plot_lines(FILE *out, Layout *l)
{
    const Figure *f = l->figure;
    Axis x = { .log = f->log_x }, y = { .log = f->log_y };
    for (int i = 0; i < f->rows; i++) {
        axis_add(&x, f->row[i].x);
        axis_add(&y, f->row[i].y);
        axis_add(&y, f->row[i].low);
        axis_add(&y, f->row[i].high);
    }
    if (isfinite(f->reference_y))
        axis_add(&y, f->reference_y);
    axis_finish(&x, 0.03);
    axis_finish(&y, 0.06);
    axis_make_room(&y, fmin(FAILURE_STEP * layout_failing_series(l), 0.8));
    fprintf(out, "reference = %.9g\nunset key\nset border 3 lc rgb grey\n",
            isfinite(f->reference_y) ? f->reference_y : 0);
    fputs("set tics nomirror scale 0.5 font face.\",11\"\n"
          "set grid ytics lt 1 lw 0.4 lc rgb faint\nset samples 200\n", out);
    for (int panel = 0; panel < l->panels; panel++)
        plot_panel(out, l, panel, &x, &y);
}

/* ---- the whole file ------------------------------------------------------------------------- */

static void write_comment(FILE *out, const char *name, const char *text)
{
    fprintf(out, "# %s:", name);
    for (const char *line = text; *line;) {
        const size_t length = strcspn(line, "\n");
        /* A backslash at the end would join the next line to the comment. */
        fprintf(out, "%s%.*s%s\n", line == text ? " " : "#   ", (int)length, line,
                length && line[length - 1] == '\\' ? " " : "");
        line += length + (line[length] == '\n');
    }
    if (!*text)
        fputs("\n", out);
}

void figure_plot(FILE *out, const Figure *f, const char *stem)
{
    Layout l;
    if (f->kind == FIGURE_BARS)
        layout_open(&l, f, 520, 0);
    else
        layout_open(&l, f, 560, 380);
    if (l.panels == 1 && f->kind != FIGURE_BARS) {
        l.panel_width = 720;
        l.panel_height += 40;
        layout_fit(&l);
    }
    fputs("# Drawn by attest from results/attest.db; this file holds its data: `gnuplot` draws it "
          "again.\n",
          out);
    write_comment(out, "figure", f->name);
    write_comment(out, "experiment", f->experiment);
    write_comment(out, "query", f->query);
    write_comment(out, "published values", f->paper_query);
    write_comment(out, "SHA-256 of the rows", f->rows_hash);
    fputs("\nreset\nset encoding utf8\ngrey = \"" GREY_LIGHT "\"\nfaint = \"" FAINT_LIGHT "\"\n",
          out);
    if (f->kind != FIGURE_BARS)
        for (int panel = 0; panel < l.panels; panel++)
            for (int s = 0; s < l.series_count; s++)
                if (count_drawn(&l, panel, s, NULL))
                    write_block(out, &l, panel, s);
    char *body = NULL;
    size_t size = 0;
    FILE *panels = open_memstream(&body, &size);
    if (!panels)
        return;
    if (f->kind == FIGURE_BARS)
        figure_plot_bars(panels, &l);
    else
        figure_plot_lines(panels, &l);
    fclose(panels);
    fprintf(out,
            "\ndo for [kind in \"svg png\"] {\nif (kind eq \"svg\") {\n  face = \"sans-serif\"\n"
            "  set terminal svg size %d,%d noenhanced font face.\",12\"\n} else {\n  face = "
            "\"DejaVu Sans\"\n"
            "  set terminal pngcairo size %d,%d noenhanced font face.\",12\" fontscale 1.75 "
            "linewidth 2 pointscale 2\n}\n",
            l.width, l.height, 2 * l.width, 2 * l.height);
    fprintf(out, "set output \"%s.\".kind\nset multiplot\nunset label\n", stem);
    gp_heading(out, &l);
    fputs(body, out);
    fputs("\nunset multiplot\nset output\n}\n", out);
    free(body);
}
