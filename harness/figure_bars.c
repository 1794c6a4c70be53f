/* SPDX-License-Identifier: Apache-2.0 */
/* Bars lie, so that their names can be read: stacked where segments add up (the phases of one
 * call), one below the other where they do not. Published bars are pale; each panel has its own
 * scale, because milliseconds of two machines share no axis. */
#include "figure_draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 24, STEP = 34, BAR_MAX = 40, TOP = 34, BOTTOM = 50, LEGEND = 26 };

typedef struct {
    const char *series, *segment;   /* segment: only where bars are not stacked */
    int         published;
    double      total, reach;       /* reach: with the interval */
    const char *outcome;            /* of a bar that could not be drawn */
} Bar;

typedef struct {
    Bar bar[BAR_MAX];
    int bars;
} Bars;

static int segment_of(const Layout *l, const FigureRow *row)
{
    int i = 0;
    while (i < l->segments - 1 && strcmp(l->segment[i], row->segment) != 0)
        i++;
    return i;
}

static int bar_of(Bars *bars, const FigureRow *row, int stacked)
{
    for (int i = 0; i < bars->bars; i++)
        if (bars->bar[i].published == row->published &&
            strcmp(bars->bar[i].series, row->series) == 0 &&
            (stacked || strcmp(bars->bar[i].segment, row->segment) == 0))
            return i;
    if (bars->bars == BAR_MAX)
        return -1;
    bars->bar[bars->bars] = (Bar){ .series = row->series,
                                   .segment = stacked ? "" : row->segment,
                                   .published = row->published,
                                   .outcome = "" };
    return bars->bars++;
}

static void collect(const Layout *l, int panel, Bars *bars)
{
    const Figure *f = l->figure;
    bars->bars = 0;
    for (int i = 0; i < f->rows; i++) {
        const FigureRow *row = &f->row[i];
        const int bar = row_in_panel(row, l->panel[panel]) ? bar_of(bars, row, f->stacked) : -1;
        if (bar < 0)
            continue;
        if (row_failed(row))
            bars->bar[bar].outcome = row->outcome;
        else if (isfinite(row->y))
            bars->bar[bar].total += row->y;
        bars->bar[bar].reach =
            fmax(bars->bar[bar].total, f->stacked || !isfinite(row->high) ? 0 : row->high);
    }
}

static void bar_name(const Bar *bar, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s%s", bar->published ? "paper: " : "", bar->series,
             *bar->series && *bar->segment ? ", " : "", bar->segment);
}

static int longest_name(const Layout *l)
{
    size_t longest = 6;
    for (int panel = 0; panel < l->panels; panel++) {
        Bars bars;
        collect(l, panel, &bars);
        for (int i = 0; i < bars.bars; i++) {
            char name[LABEL_SIZE];
            bar_name(&bars.bar[i], name, sizeof name);
            longest = strlen(name) > longest ? strlen(name) : longest;
        }
    }
    return (int)longest;
}

static int most_bars(const Layout *l)
{
    int most = 1;
    for (int panel = 0; panel < l->panels; panel++) {
        Bars bars;
        collect(l, panel, &bars);
        most = bars.bars > most ? bars.bars : most;
    }
    return most;
}

/* A rectangle for each value, as an object: bars are few, and each has its own colour and place. */
static void write_rectangles(FILE *out, const Layout *l, int panel, Bars *bars)
{
    const Figure *f = l->figure;
    double end[BAR_MAX] = { 0 };
    int id = 1;
    for (int i = 0; i < f->rows; i++) {
        const FigureRow *row = &f->row[i];
        const int bar = row_in_panel(row, l->panel[panel]) ? bar_of(bars, row, f->stacked) : -1;
        if (bar < 0 || !isfinite(row->y))
            continue;
        const double y = bars->bars - bar, half = 0.5 * BAR / STEP;
        fprintf(out,
                "set object %d rectangle from first %.9g, first %.4f to first %.9g, first %.4f fc "
                "rgb \"%s\" fs %s noborder\n",
                id++, end[bar], y - half, end[bar] + row->y, y + half,
                palette_light[segment_of(l, row) % COLOURS],
                row->published ? "transparent solid 0.45" : "solid 1");
        end[bar] += row->y;
        if (!f->stacked && isfinite(row->low) && isfinite(row->high) && row->low < row->high)
            fprintf(out,
                    "set arrow %d from first %.9g, first %.4f to first %.9g, first %.4f heads size "
                    "graph 0.006,90 front lw 1.2 lc rgb \"%s\"\n",
                    id, row->low, y, row->high, y, palette_light[COLOURS - 1]);
    }
}

static void write_names(FILE *out, const Bars *bars)
{
    for (int i = 0; i < bars->bars; i++) {
        char name[LABEL_SIZE], value[40];
        bar_name(&bars->bar[i], name, sizeof name);
        snprintf(value, sizeof value, "%.3g", bars->bar[i].total);
        fprintf(out, "set label %d ", 100 + i);
        gp_text(out, name);
        fprintf(out,
                " at graph 0, first %d right offset character -0.8,0 font face.\",11\"\nset label "
                "%d ",
                bars->bars - i, 200 + i);
        gp_text(out,
                *bars->bar[i].outcome && bars->bar[i].total == 0 ? bars->bar[i].outcome : value);
        fprintf(out, " at first %.9g, first %d left offset character 0.8,0 font face.\",11\"\n",
                bars->bar[i].reach, bars->bars - i);
    }
}

/* ■ name   ■ name ..., below the figure's heading. */
static void write_legend(FILE *out, const Layout *l)
{
    double x = 16;
    for (int i = 0; l->segments > 1 && i < l->segments; i++) {
        char text[LABEL_SIZE];
        snprintf(text, sizeof text, "■ %.100s", l->segment[i]);
        fprintf(out, "set label %d ", 300 + i);
        gp_text(out, text);
        fprintf(out, " at screen %.5f, screen %.5f left font face.\",11\" tc rgb \"%s\"\n",
                x / l->width, 1 - 64.0 / l->height, palette_light[i % COLOURS]);
        x += 6.6 * ((double)strlen(text) + 1);
    }
}

/* A panel without a name needs no room for it. */
static int panel_top(const Layout *l)
{
    return l->panels == 1 && !*l->panel[0] ? 6 : TOP;
}

static void plot_panel(FILE *out, const Layout *l, int panel, int left)
{
    const Figure *f = l->figure;
    Bars bars;
    Axis x = { 0 };
    collect(l, panel, &bars);
    axis_add(&x, 0);
    for (int i = 0; i < bars.bars; i++)
        axis_add(&x, bars.bar[i].reach);
    if (isfinite(f->reference_y))
        axis_add(&x, f->reference_y);
    if (x.high <= 0)
        x.high = 1;
    fprintf(out, "\n# panel %d\nunset arrow\nunset object\n%s", panel + 1,
            panel ? "unset label\n" : "");
    const int top = panel_top(l);
    /* Panels with fewer bars keep the bars' size. */
    const int spare = (l->panel_height - top - BOTTOM) - bars.bars * STEP;
    gp_margins(out, l, panel, (Margins){ left, 60, top, BOTTOM + spare });
    axis_write_marks(out, &x, 'x');
    fprintf(out, "set xrange [0:%.9g]\nset yrange [0.4:%.1f]\nunset ytics\nset label 10 ", x.high,
            bars.bars + 0.6);
    gp_text(out, l->panel[panel]);
    fputs(" at graph 0, graph 1 left offset character 0, character 0.9 font face.\":Bold,12\"\nset "
          "xlabel ",
          out);
    gp_text(out, f->y_label);
    fputs(" font face.\",11\" offset 0,0.4\n", out);
    if (isfinite(f->reference_y))
        fprintf(out,
                "set arrow 900 from first %.9g, graph 0 to first %.9g, graph 1 nohead lw 1 dt 2 lc "
                "rgb grey\n",
                f->reference_y, f->reference_y);
    write_rectangles(out, l, panel, &bars);
    write_names(out, &bars);
    if (panel == 0)
        write_legend(out, l);
    fputs("plot NaN notitle\n", out);
}

void figure_plot_bars(FILE *out, Layout *l)
{
    const int most = most_bars(l), left = (int)(6.4 * longest_name(l)) + 16;
    l->panel_height = most * STEP + panel_top(l) + BOTTOM;
    l->panel_width = left + 60 + 320;
    if (l->panels == 1 && l->panel_width < 720)
        l->panel_width = 720;
    l->top = l->segments > 1 ? 56 + LEGEND : 56;
    layout_fit(l);
    fputs("unset key\nset border 1 lc rgb grey\nset tics nomirror scale 0.5 font "
                                                         "face.\",11\"\n"
          "set grid xtics lt 1 lw 0.4 lc rgb faint\n",
          out);
    for (int panel = 0; panel < l->panels; panel++)
        plot_panel(out, l, panel, left);
}
