/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that write gnuplot share: axes with their marks, the palette, and the panels of a
 * figure. Places are worked out here and not by gnuplot, so that labels can be kept apart and
 * failures can be put at a plot's edge. */
#ifndef FIGURE_DRAW_H
#define FIGURE_DRAW_H

#include "figure.h"

enum { PANEL_MAX = 12, SERIES_MAX = 24, SEGMENT_MAX = 16, LABEL_SIZE = 120 };

/* ---- axes (figure_axis.c) ------------------------------------------------------------------- */

typedef struct { double low, high; int log, powers_of_two, any; } Axis;

/* So that marks beyond the ends are still numbers. */
#define LOW_LEAST 1e-304
#define HIGH_MOST 1e304

void axis_add(Axis *a, double value); /* widens it; NaN, and on a log axis <= 0, are passed over */
void axis_finish(Axis *a, double room); /* adds room at both ends as a share of the length */
/* Room above the curves, as a share of the whole, so that a failure is never taken for a value. */
void axis_make_room(Axis *a, double share);
double axis_place(const Axis *a, double value);  /* 0 at the low end, 1 at the high one */
enum { MARKS_MAX = 64 };
typedef struct { double at[MARKS_MAX]; int count, powers_of_two; } Marks;
void   axis_marks(const Axis *a, Marks *m);
void   axis_write_marks(FILE *out, const Axis *a, char which);   /* "set xtics (...)" */
/* "16K", "0.25", "1.2M": as short as it can be read. */
void   number_print(double value, int powers_of_two, char *out, size_t size);

/* ---- what a figure consists of (figure_axis.c) ---------------------------------------------- */

typedef struct {
    const char *name;
    int published, colour, shape;                /* colour -1: grey */
    char label[LABEL_SIZE];
} Series;

typedef struct {
    const Figure *figure;
    const char *panel[PANEL_MAX];
    Series series[SERIES_MAX];
    const char *segment[SEGMENT_MAX];            /* of bars, in order of appearance */
    int panels, series_count, segments;
    int columns, width, height;                  /* of the picture */
    int panel_width, panel_height, top;          /* of one panel; above them all */
} Layout;

void layout_open(Layout *l, const Figure *f, int panel_width, int panel_height);
void layout_fit(Layout *l); /* after panel_width, panel_height or top has changed */
/* What the signs mean, for the signs that are there; published_as: "dashed". */
void layout_signs(const Layout *l, const char *published_as, char *out, size_t size);
/* Rows of crosses that the fullest panel needs. */
int  layout_failing_series(const Layout *l);
int  series_find(const Layout *l, const FigureRow *row);         /* -1: too many series */
/* A published row stands in every panel whose name it does not contradict. */
int  row_in_panel(const FigureRow *row, const char *panel);
int  row_failed(const FigureRow *row);

/* Okabe and Ito's colours, told apart by all; with a lighter one for dark pages. */
enum { COLOURS = 7 };
extern const char *const palette_light[COLOURS], *const palette_dark[COLOURS];
#define GREY_LIGHT  "#767676"
#define GREY_DARK   "#9a9a9a"
#define FAINT_LIGHT "#dddddd"   /* of grid lines */
#define FAINT_DARK  "#3a4048"
const char *series_colour(const Series *s);

/* ---- pieces of a .gp (figure_gp.c) ---------------------------------------------------------- */

void gp_text(FILE *out, const char *text);       /* in single quotes, whatever it is */
/* "set lmargin at screen ..." for panel i with space inside it for axis (left, bottom) and
 * labels. */
typedef struct { int left, right, top, bottom; } Margins;   /* inside a panel */
void gp_margins(FILE *out, const Layout *l, int panel, Margins inside);
void gp_heading(FILE *out,
                const Layout *l); /* title and legend of signs, as labels of the first panel */

void figure_plot_lines(FILE *out, Layout *l);    /* figure_plot.c */
void figure_plot_bars(FILE *out, Layout *l);     /* figure_bars.c */

#endif
