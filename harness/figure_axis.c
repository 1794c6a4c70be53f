/* SPDX-License-Identifier: Apache-2.0 */
/* Axes and their marks, colours, panels: everything about a figure that is arithmetic. */
#include "figure_draw.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Blue, vermilion, green, purple, orange, sky blue, black: first those that are legible as text. */
const char *const palette_light[COLOURS] = { "#0072b2", "#d55e00", "#009e73", "#a9547f",
                                             "#b87e00", "#3a8fbf", "#333333" };
const char *const palette_dark[COLOURS] = { "#56b4e9", "#ff8c4a", "#3fc9a0", "#e39ac3",
                                            "#e6b14a", "#8fd0f5", "#cccccc" };

const char *series_colour(const Series *s)
{
    return s->colour < 0 ? GREY_LIGHT : palette_light[s->colour % COLOURS];
}

enum { STEPS_MAX = 12 };

/* ---- axes ----------------------------------------------------------------------------------- */

static int is_power_of_two(double x)
{
    int exponent;
    return x >= 1 && frexp(x, &exponent) == 0.5;
}

void axis_add(Axis *a, double value)
{
    if (!isfinite(value) || (a->log && value <= 0))
        return;
    if (!a->any)
        a->low = a->high = value, a->powers_of_two = 1;
    a->any = 1;
    a->low = fmin(a->low, value);
    a->high = fmax(a->high, value);
    a->powers_of_two &= is_power_of_two(value);
}

void axis_finish(Axis *a, double room)
{
    if (!a->any)
        a->low = a->log ? 1 : 0, a->high = 10;
    if (a->log) {
        const double length = fmax(log(a->high) - log(a->low), 0.7);
        a->low = fmax(a->low * exp(-room * length), LOW_LEAST);
        a->high = fmin(a->high * exp(room * length), HIGH_MOST);
    } else {
        const double length = a->high > a->low ? a->high - a->low : fmax(fabs(a->high), 1);
        /* An axis that could begin at zero does. */
        a->low = a->low >= 0 && a->low < 0.6 * a->high ? 0 : a->low - room * length;
        a->high += room * length;
    }
}

void axis_make_room(Axis *y, double share)
{
    if (y->log)
        y->high = fmin(y->high * exp((log(y->high) - log(y->low)) * share / (1 - share)),
                       HIGH_MOST);
    else
        y->high += (y->high - y->low) * share / (1 - share);
}

double axis_place(const Axis *a, double value)
{
    return a->log ? (log(value) - log(a->low)) / (log(a->high) - log(a->low))
                  : (value - a->low) / (a->high - a->low);
}

/* 2×10⁻⁶ */
static void print_scientific(double value, char *out, size_t size)
{
    static const char *const raised[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
    char exponent[32] = "", digits[32];
    int power = (int)floor(log10(fabs(value)) + 1e-9);
    snprintf(digits, sizeof digits, "%d", abs(power));
    for (const char *d = digits; *d; d++)
        strcat(exponent, raised[*d - '0']);
    const double lead = value / pow(10, power);
    if (fabs(lead - 1) < 1e-6)
        snprintf(out, size, "10%s%s", power < 0 ? "⁻" : "", exponent);
    else
        snprintf(out, size, "%.3g×10%s%s", lead, power < 0 ? "⁻" : "", exponent);
}

void number_print(double value, int powers_of_two, char *out, size_t size)
{
    const double base = powers_of_two ? 1024 : 1000, size_of = fabs(value);
    if (powers_of_two && size_of >= base * base)
        snprintf(out, size, "%gM", value / (base * base));
    else if (powers_of_two && size_of >= base)
        snprintf(out, size, "%gK", value / base);
    else if (size_of >= 1e6 || (size_of > 0 && size_of < 1e-3))
        print_scientific(value, out, size);
    else
        snprintf(out, size, "%.6g", value);
}

static void mark(Marks *m, double value)
{
    if (m->count < MARKS_MAX)
        m->at[m->count++] = value + 0.0;   /* -0 becomes 0 */
}

/* Powers of two, thinned to at most nine. */
static void mark_powers(Marks *m, const Axis *a)
{
    const int from = (int)ceil(log2(a->low) - 1e-9), to = (int)floor(log2(a->high) + 1e-9);
    const int step = (to - from) / 9 + 1;
    m->powers_of_two = 1;
    for (int e = from; e <= to; e += step)
        mark(m, exp2(e));
}

static void mark_decades(Marks *m, const Axis *a)
{
    static const double all[] = { 1, 2, 5 };
    const double decades = log10(a->high) - log10(a->low);
    const int each = decades < 2.2 ? 3 : 1, step = decades > 8 ? 2 : 1;
    for (int e = (int)floor(log10(a->low)); e <= (int)ceil(log10(a->high)); e += step)
        for (int i = 0; i < each; i++) {
            const double value = all[i] * pow(10, e);
            if (value >= a->low * 0.999 && value <= a->high * 1.001)
                mark(m, value);
        }
}

static void mark_steps(Marks *m, const Axis *a)
{
    const double rough = (a->high - a->low) / 5, unit = pow(10, floor(log10(rough)));
    const double step = rough / unit < 1.5   ? unit
                        : rough / unit < 3.5 ? 2 * unit
                        : rough / unit < 7.5 ? 5 * unit
                                             : 10 * unit;
    const double first = ceil(a->low / step - 1e-9);
    /* Far from zero two marks may be the same number: no more than fit. */
    for (int k = 0; k < STEPS_MAX && (first + k) * step <= a->high * (1 + 1e-9); k++)
        mark(m, (first + k) * step);
}

void axis_marks(const Axis *a, Marks *m)
{
    *m = (Marks){ 0 };
    if (!a->log || (!a->powers_of_two && a->high < 8 * a->low))
        mark_steps(m, a);
    else if (a->powers_of_two)
        mark_powers(m, a);
    else
        mark_decades(m, a);
}

void axis_write_marks(FILE *out, const Axis *a, char which)
{
    Marks m;
    char text[32];
    axis_marks(a, &m);
    if (a->log)
        fprintf(out, "set logscale %c\n", which);
    fprintf(out, "set %crange [%.9g:%.9g]\nset %ctics (", which, a->low, a->high, which);
    for (int i = 0; i < m.count; i++) {
        number_print(m.at[i], m.powers_of_two, text, sizeof text);
        fprintf(out, "%s\"%s\" %.9g", i ? ", " : "", text, m.at[i]);
    }
    fputs(")\n", out);
}

/* ---- panels and series ---------------------------------------------------------------------- */

int row_failed(const FigureRow *row)
{
    return !row->published && *row->outcome && strcmp(row->outcome, "ok") != 0;
}

/* 1 if the comma-separated list has this item. */
static int has_item(const char *list, const char *item, size_t size)
{
    for (const char *at = list; *at;) {
        const size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, item, size) == 0)
            return 1;
        at += length;
        at += strspn(at, ", ");
    }
    return size == 0;
}

/* "D=128" against a setting with "d=64": 1. Settings write the paper's letters, in any case. */
static int contradicts(const char *setting, const char *item, size_t size)
{
    const char *equals = memchr(item, '=', size);
    if (!equals)
        return 0;
    const size_t name = (size_t)(equals - item) + 1;
    for (const char *at = setting; *at; at++)
        if (strncasecmp(at, item, name) == 0 &&
            (at == setting || !isalnum((unsigned char)at[-1]))) {
            const size_t value = strspn(at + name, "0123456789.");
            return value != size - name || strncmp(at + name, item + name, value) != 0;
        }
    return 0;
}

int row_in_panel(const FigureRow *row, const char *panel)
{
    if (!row->published)
        return strcmp(row->facet, panel) == 0;
    for (const char *at = row->facet; *at;) {
        const size_t length = strcspn(at, ",");
        if (!has_item(panel, at, length))
            return 0;
        at += length;
        at += strspn(at, ", ");
    }
    for (const char *at = panel; *at;) {
        const size_t length = strcspn(at, ",");
        if (contradicts(row->point, at, length))
            return 0;
        at += length;
        at += strspn(at, ", ");
    }
    return 1;
}

int series_find(const Layout *l, const FigureRow *row)
{
    for (int i = 0; i < l->series_count; i++)
        if (l->series[i].published == row->published && strcmp(l->series[i].name, row->series) == 0)
            return i;
    return -1;
}

static void add_panel(Layout *l, const char *name)
{
    for (int i = 0; i < l->panels; i++)
        if (strcmp(l->panel[i], name) == 0)
            return;
    if (l->panels < PANEL_MAX)
        l->panel[l->panels++] = name;
}

static void add_segment(Layout *l, const char *name)
{
    for (int i = 0; i < l->segments; i++)
        if (strcmp(l->segment[i], name) == 0)
            return;
    if (l->segments < SEGMENT_MAX)
        l->segment[l->segments++] = name;
}

/* "D=64" before "D=128": runs of digits compare as numbers. */
static int natural_order(const char *a, const char *b)
{
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            const long x = strtol(a, (char **)&a, 10), y = strtol(b, (char **)&b, 10);
            if (x != y)
                return x < y ? -1 : 1;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++, b++;
        }
    }
    return *a ? 1 : *b ? -1 : 0;
}

/* Forward comes before backward, whatever the alphabet says. */
static int pass_rank(const char *panel)
{
    return strstr(panel, "fwd") ? 0 : strstr(panel, "bwd") ? 1 : 2;
}

static int by_panel(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    const size_t until = strcspn(x, "fb");
    if (until == strcspn(y, "fb") && strncmp(x, y, until) == 0 && pass_rank(x) != pass_rank(y))
        return pass_rank(x) - pass_rank(y);
    return natural_order(x, y);
}

static int by_series(const void *a, const void *b)
{
    const Series *x = a, *y = b;
    return x->published != y->published ? x->published - y->published
                                        : natural_order(x->name, y->name);
}

/* A published series takes the colour of the arm that paper.yaml puts beside it. */
static int colour_of_pair(const Layout *l, const Series *s)
{
    const char *ours = paper_ours(l->figure->paper, s->name);
    for (int i = 0; ours && i < l->series_count; i++)
        if (!l->series[i].published && strncmp(l->series[i].name, ours, strlen(ours)) == 0)
            return l->series[i].colour;
    return -1;
}

static void dress(Layout *l)
{
    static const int shapes[] = { 7, 5, 9, 13, 11 }; /* filled circle, square, triangles, diamond */
    int ours = 0;
    qsort(l->series, (size_t)l->series_count, sizeof *l->series, by_series);
    for (int i = 0; i < l->series_count; i++) {
        Series *s = &l->series[i];
        if (!s->published) {
            s->colour = ours;
            s->shape = shapes[ours++ % 5];
            snprintf(s->label, sizeof s->label, "%.100s", s->name);
        } else {
            s->colour = colour_of_pair(l, s);
            s->shape = 6;
            snprintf(s->label, sizeof s->label, "paper: %.100s", s->name);
        }
    }
}

/* The picture holds its panels, and its title on one line. */
void layout_fit(Layout *l)
{
    const int title = (int)(8.6 * (double)strlen(l->figure->title)) + 32;
    if (l->columns * l->panel_width < title)
        l->panel_width = (title + l->columns - 1) / l->columns;
    l->width = l->columns * l->panel_width;
    l->height = (l->panels + l->columns - 1) / l->columns * l->panel_height + l->top;
}

void layout_open(Layout *l, const Figure *f, int panel_width, int panel_height)
{
    *l = (Layout){
        .figure = f, .panel_width = panel_width, .panel_height = panel_height, .top = 58
    };
    for (int i = 0; i < f->rows; i++) {
        const FigureRow *row = &f->row[i];
        if (!row->published)
            add_panel(l, row->facet);
        if (f->kind == FIGURE_BARS)
            add_segment(l, row->segment);
        if (series_find(l, row) < 0 && l->series_count < SERIES_MAX)
            l->series[l->series_count++] =
                (Series){ .name = row->series, .published = row->published };
    }
    /* A published panel of its own only where nothing of ours would take it. */
    for (int i = 0; i < f->rows; i++) {
        int taken = !f->row[i].published;
        for (int k = 0; k < l->panels; k++)
            taken |= row_in_panel(&f->row[i], l->panel[k]);
        if (!taken && f->kind == FIGURE_BARS)
            add_panel(l, f->row[i].facet);
    }
    if (l->panels == 0)
        add_panel(l, "");
    qsort(l->panel, (size_t)l->panels, sizeof *l->panel, by_panel);
    dress(l);
    l->columns = l->panels == 1 ? 1 : 2;
    layout_fit(l);
}

void layout_signs(const Layout *l, const char *published_as, char *out, size_t size)
{
    const Figure *f = l->figure;
    int failed = 0, published = 0;
    for (int i = 0; i < f->rows; i++) {
        failed |= row_failed(&f->row[i]);
        published |= f->row[i].published;
    }
    char machine[80] = "";
    if (f->published_setting)
        snprintf(machine, sizeof machine, "%.*s", (int)strcspn(f->published_setting, ";"),
                 f->published_setting);
    snprintf(out, size, "%s%s%s%s%s%s%s%s",
             f->intervals ? "ours with 95 % intervals over processes" : "ours",
             published ? "; " : "", published ? published_as : "",
             published ? ": as published" : "", published && *machine ? " (" : "",
             published ? machine : "", published && *machine ? ")" : "",
             failed ? "; ×: did not finish" : "");
}
