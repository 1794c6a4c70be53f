/* SPDX-License-Identifier: Apache-2.0 */
/* A figure in characters. Each series has a letter and its colour: capitals are ours, small letters
 * what the paper prints, in the letter of the arm that it is compared with. */
#include "figure_canvas.h"
#include "figure_draw.h"
#include "cli.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_LEAST = 40, BESIDE_LEAST = 116, HEIGHT = 17, ABOVE = 2, BELOW = 4, GUTTER = 8 };

typedef struct {
    const Layout *l;
    int     utf8;
    Canvas *canvas;
    Axis    x, y;
    char    letter[SERIES_MAX];
    int     left, top, width, height;            /* of the plot itself, in cells */
} Plot;

/* ---- letters ---------------------------------------------------------------------------- */

static int is_taken(const Plot *p, char letter)
{
    return memchr(p->letter, letter, SERIES_MAX) != NULL;
}

static void give_letters(Plot *p)
{
    const Layout *l = p->l;
    for (int s = 0; s < l->series_count; s++) {
        const Series *series = &l->series[s];
        char letter = (char)((series->published ? 'a' : 'A') +
                             (series->colour < 0 ? s : series->colour));
        while (is_taken(p, letter))
            letter++;
        p->letter[s] = letter;
    }
}

/* "A attention/blas   B flash_attention/online   a paper: PyTorch", in lines. */
static void print_legend(const Plot *p, FILE *out, int width)
{
    int column = 0;
    for (char letter = 'A'; letter <= 'z'; letter++) {
        const char *found = memchr(p->letter, letter, SERIES_MAX);
        if (!found)
            continue;
        const Series *series = &p->l->series[found - p->letter];
        const int needed = 2 + text_width(series->label);
        if (column && column + 3 + needed > width)
            column = 0, fputc('\n', out);
        fprintf(out, "%*s%s%c%s ", column ? 3 : 0, "", paint(out, canvas_sequence(series->colour)),
                letter, paint(out, "0"));
        text_put(out, series->label, strlen(series->label), p->utf8);
        column += (column ? 3 : 0) + needed;
    }
    fputc('\n', out);
}

/* ---- places ----------------------------------------------------------------------------- */

static double place_x(const Plot *p, double x)
{
    return p->left + axis_place(&p->x, x) * (p->width - 1) + 0.5;
}

static double place_y(const Plot *p, double y)
{
    return p->top + (1 - axis_place(&p->y, y)) * (p->height - 1) + 0.5;
}

static Place place(const Plot *p, const FigureRow *row)
{
    return (Place){ place_x(p, row->x), place_y(p, row->y) };
}

static int is_drawable(const Plot *p, const FigureRow *row)
{
    return isfinite(row->x) && isfinite(row->y) && !row_failed(row) &&
           !(p->x.log && row->x <= 0) && !(p->y.log && row->y <= 0);
}

static void draw_frame(const Plot *p)
{
    Canvas *c = p->canvas;
    const int bottom = p->top + p->height;
    char text[32];
    Marks marks;
    int taken = -1;
    for (int y = p->top; y < bottom; y++)
        canvas_text(c, p->left - 1, y, "│", INK_FAINT);
    canvas_text(c, p->left - 1, bottom, "└", INK_FAINT);
    canvas_horizontal(c, p->left, p->left + p->width - 1, bottom, INK_FAINT);
    axis_marks(&p->y, &marks);
    for (int i = 0; i < marks.count; i++) {
        const int y = (int)place_y(p, marks.at[i]);
        number_print(marks.at[i], marks.powers_of_two, text, sizeof text);
        canvas_text(c, p->left - 2 - text_width(text), y, text, INK_PLAIN);
        canvas_text(c, p->left - 1, y, "┤", INK_FAINT);
    }
    axis_marks(&p->x, &marks);
    for (int i = 0; i < marks.count; i++) {
        const int x = (int)place_x(p, marks.at[i]);
        number_print(marks.at[i], marks.powers_of_two, text, sizeof text);
        const int at = x - text_width(text) / 2;
        canvas_text(c, x, bottom, "┬", INK_FAINT);
        if (at <= taken)
            continue;                            /* no room: the mark goes without its number */
        canvas_text(c, at, bottom + 1, text, INK_PLAIN);
        taken = at + text_width(text);
    }
}

static void draw_reference(const Plot *p)
{
    const Figure *f = p->l->figure;
    if (!isfinite(f->reference_y))
        return;
    const double y = place_y(p, f->reference_y);
    canvas_line(p->canvas, (Place){ p->left, y }, (Place){ p->left + p->width, y }, 2, INK_FAINT);
    canvas_text(p->canvas, p->left + 1, (int)y, f->reference_label, INK_FAINT);
}

/* ---- series ----------------------------------------------------------------------------- */

static void draw_lines(const Plot *p, int panel, int s)
{
    const Figure *f = p->l->figure;
    const FigureRow *last = NULL;
    for (int i = 0; i < f->rows; i++) {
        const FigureRow *row = &f->row[i];
        if (series_find(p->l, row) != s || !row_in_panel(row, p->l->panel[panel]) ||
            !is_drawable(p, row))
            continue;
        if (last && f->kind == FIGURE_LINE)
            canvas_line(p->canvas, place(p, last), place(p, row), row->published ? 2 : 0,
                        p->l->series[s].colour);
        last = row;
    }
}

static void draw_point(const Plot *p, const FigureRow *row, int s)
{
    const int x = (int)place_x(p, row->x), y = (int)place_y(p, row->y);
    const int ink = p->l->series[s].colour;
    const char text[] = { canvas_is_letter(p->canvas, x, y) ? '*' : p->letter[s], 0 };
    if (isfinite(row->low) && isfinite(row->high) && !(p->y.log && row->low <= 0))
        canvas_vertical(p->canvas, x, (int)place_y(p, row->high), (int)place_y(p, row->low), ink);
    canvas_text(p->canvas, x, y, text, *text == '*' ? INK_BOLD : ink);
}

static int failed_in(const Plot *p, const FigureRow *row, int panel, int s)
{
    return row_failed(row) && series_find(p->l, row) == s && isfinite(row->x) &&
           !(p->x.log && row->x <= 0) && row_in_panel(row, p->l->panel[panel]);
}

/* Failures of a series stand in a row of their own at the top, with its letter and the reason. */
static void draw_failures(const Plot *p, int panel, int s, int *line)
{
    const Figure *f = p->l->figure;
    const FigureRow *first = NULL;
    int from = p->left + p->width;
    for (int i = 0; i < f->rows; i++)
        if (failed_in(p, &f->row[i], panel, s) && (int)place_x(p, f->row[i].x) < from)
            from = (int)place_x(p, f->row[i].x), first = &f->row[i];
    if (!first)
        return;
    char text[80];
    const int ink = p->l->series[s].colour, y = p->top + *line;
    snprintf(text, sizeof text, " %c %.70s ", p->letter[s], first->outcome);
    const int before = from - text_width(text);
    canvas_text(p->canvas, before >= p->left ? before : from + 1, y, text, ink);
    for (int i = 0; i < f->rows; i++)
        if (failed_in(p, &f->row[i], panel, s))
            canvas_text(p->canvas, (int)place_x(p, f->row[i].x), y, "×", ink);
    ++*line;
}

static void draw_panel(const Plot *p, int panel)
{
    const Figure *f = p->l->figure;
    int line = 0;
    canvas_text(p->canvas, p->left - GUTTER + 1, p->top - 2, p->l->panel[panel], INK_BOLD);
    canvas_text(p->canvas, p->left - GUTTER + 1, p->top - 1, f->y_label, INK_FAINT);
    draw_frame(p);
    canvas_text(p->canvas, p->left + (p->width - text_width(f->x_label)) / 2,
                p->top + p->height + 2, f->x_label, INK_FAINT);
    draw_reference(p);
    for (int s = 0; s < p->l->series_count; s++)
        draw_lines(p, panel, s);
    for (int i = 0; i < f->rows; i++) {
        const int s = series_find(p->l, &f->row[i]);
        if (s >= 0 && row_in_panel(&f->row[i], p->l->panel[panel]) && is_drawable(p, &f->row[i]))
            draw_point(p, &f->row[i], s);
    }
    for (int s = 0; s < p->l->series_count; s++)
        draw_failures(p, panel, s, &line);
}

static void find_axes(Plot *p)
{
    const Figure *f = p->l->figure;
    p->x.log = f->log_x;
    p->y.log = f->log_y;
    for (int i = 0; i < f->rows; i++) {
        axis_add(&p->x, f->row[i].x);
        axis_add(&p->y, f->row[i].y);
        axis_add(&p->y, f->row[i].low);
        axis_add(&p->y, f->row[i].high);
    }
    if (isfinite(f->reference_y))
        axis_add(&p->y, f->reference_y);
    axis_finish(&p->x, 0.03);
    axis_finish(&p->y, 0.05);
    axis_make_room(&p->y, fmin((double)layout_failing_series(p->l) / HEIGHT, 0.8));
}

static void print_panels(Plot *p, FILE *out, int width)
{
    const int columns = width >= BESIDE_LEAST && p->l->panels > 1 ? 2 : 1, room = width / columns;
    const int lines = (p->l->panels + columns - 1) / columns, high = ABOVE + HEIGHT + BELOW;
    p->canvas = canvas_open(width, lines * high, p->utf8);
    if (!p->canvas)
        return;
    find_axes(p);
    p->width = room - GUTTER - 3;
    p->height = HEIGHT;
    for (int panel = 0; panel < p->l->panels; panel++) {
        p->left = panel % columns * room + GUTTER;
        p->top = panel / columns * high + ABOVE;
        draw_panel(p, panel);
    }
    canvas_print(p->canvas, out);
    canvas_close(p->canvas);
}

/* Broken at blanks. */
static void print_line(FILE *out, const char *text, const char *sequence, int width, int utf8)
{
    for (; *text; fputc('\n', out)) {
        size_t bytes = text_fit(text, width), end = bytes;
        while (text[bytes] && end && text[end] != ' ')
            end--;
        bytes = end ? end : bytes;
        fputs(paint(out, sequence), out);
        text_put(out, text, bytes, utf8);
        fputs(paint(out, "0"), out);
        text += bytes;
        text += strspn(text, " ");
    }
}

/* ---- bars ------------------------------------------------------------------------------- */

/* A bar that is stacked begins where the one before it ended, a line lower. */
static double begin_of(const Plot *p, const FigureRow *row, const FigureRow *before, double end)
{
    const int goes_on = p->l->figure->stacked && before && before->published == row->published &&
                        strcmp(before->series, row->series) == 0;
    return goes_on ? end : 0;
}

static void print_bar(const Plot *p, FILE *out, const FigureRow *row, int name, int begin, int end)
{
    const int s = series_find(p->l, row), utf8 = p->utf8;
    const size_t bytes = text_fit(row->segment, name);
    if (s < 0)
        return;
    fprintf(out, "%s%c%s  ", paint(out, canvas_sequence(p->l->series[s].colour)), p->letter[s],
            paint(out, "0"));
    text_put(out, row->segment, bytes, utf8);
    fprintf(out, "%*s%s", name - text_width(row->segment) + 2 + begin, "",
            paint(out, canvas_sequence(p->l->series[s].colour)));
    for (int i = begin; i < end; i++)
        text_put(out, row->published ? "░" : "█", strlen("█"), utf8);
    fputs(paint(out, "0"), out);
    if (row_failed(row))
        fprintf(out, "%s\n", row->outcome);
    else if (isfinite(row->low) && row->low < row->high)
        fprintf(out, " %.3g [%.3g, %.3g]\n", row->y, row->low, row->high);
    else
        fprintf(out, " %.3g\n", row->y);
}

/* Walks over the bars of a panel: prints them, or with out == NULL measures the longest. */
static double walk_bars(const Plot *p, FILE *out, const char *panel, int name, double unit)
{
    const Figure *f = p->l->figure;
    const FigureRow *before = NULL;
    double end = 0, longest = 0;
    for (int i = 0; i < f->rows; i++) {
        const FigureRow *row = &f->row[i];
        if (!row_in_panel(row, panel) || (!isfinite(row->y) && !row_failed(row)))
            continue;
        const double begin = begin_of(p, row, before, end);
        end = begin + (isfinite(row->y) && !row_failed(row) ? row->y : 0);
        longest = fmax(longest, end);
        if (out)
            print_bar(p, out, row, name, (int)lround(begin * unit), (int)lround(end * unit));
        before = row;
    }
    return longest;
}

static void print_bars(const Plot *p, FILE *out, int width)
{
    enum { VALUE = 24, NAME_MOST = 28 };
    const Layout *l = p->l;
    int name = 0;
    for (int i = 0; i < l->segments; i++)
        name = text_width(l->segment[i]) > name ? text_width(l->segment[i]) : name;
    name = name > NAME_MOST ? NAME_MOST : name;
    const int room = width - name - VALUE - 5 > 8 ? width - name - VALUE - 5 : 8;
    for (int i = 0; i < l->panels; i++) {
        const double longest = walk_bars(p, NULL, l->panel[i], name, 0);
        fputc('\n', out);
        print_line(out, l->panel[i], "1", width, p->utf8);
        print_line(out, l->figure->y_label, "2", width, p->utf8);
        walk_bars(p, out, l->panel[i], name, longest > 0 ? room / longest : 0);
    }
}

/* ---- the whole -------------------------------------------------------------------------- */

void figure_terminal(FILE *out, const Figure *f, int width, int utf8)
{
    Layout l;
    char signs[400];
    layout_open(&l, f, 1, 1);
    Plot p = { .l = &l, .utf8 = utf8 };
    width = width < WIDTH_LEAST ? WIDTH_LEAST : width;
    give_letters(&p);
    print_line(out, f->title, "1", width, utf8);
    layout_signs(&l, f->kind == FIGURE_BARS ? "small letters, pale" : "small letters", signs,
                 sizeof signs);
    print_legend(&p, out, width);
    if (f->kind == FIGURE_BARS)
        print_bars(&p, out, width);
    else
        print_panels(&p, out, width);
    if (f->kind == FIGURE_BARS)
        fputc('\n', out);
    else
        snprintf(signs + strlen(signs), sizeof signs - strlen(signs), "; *: several at one place");
    print_line(out, signs, "2", width, utf8);
}
