/* SPDX-License-Identifier: Apache-2.0 */
#include "figure_canvas.h"
#include "cli.h"

#include "../kernels/core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct { char text[8]; unsigned char dots; signed char ink; } Cell;

struct Canvas { int width, height, utf8; Cell *cell; };

Canvas *canvas_open(int width, int height, int utf8)
{
    Canvas *c = malloc(sizeof *c);
    if (!c)
        return NULL;
    *c = (Canvas){ width, height, utf8, calloc((size_t)width * (size_t)height, sizeof *c->cell) };
    if (c->cell)
        return c;
    free(c);
    return NULL;
}

void canvas_close(Canvas *c)
{
    if (c)
        free(c->cell);
    free(c);
}

static Cell *cell_at(const Canvas *c, int x, int y)
{
    const int inside = x >= 0 && x < c->width && y >= 0 && y < c->height;
    return inside ? &c->cell[y * c->width + x] : NULL;
}

void canvas_text(Canvas *c, int x, int y, const char *text, int ink)
{
    while (*text) {
        const size_t bytes = text_step(text);
        Cell *cell = cell_at(c, x++, y);
        if (cell)
            *cell = (Cell){ .ink = (signed char)ink };
        if (cell)
            memcpy(cell->text, text, bytes < sizeof cell->text ? bytes : sizeof cell->text - 1);
        text += bytes;
    }
}

void canvas_vertical(Canvas *c, int x, int from, int to, int ink)
{
    for (int y = from; y <= to; y++)
        if (!canvas_is_letter(c, x, y))
            canvas_text(c, x, y, "│", ink);
}

void canvas_horizontal(Canvas *c, int from, int to, int y, int ink)
{
    for (int x = from; x <= to; x++)
        canvas_text(c, x, y, "─", ink);
}

/* Unicode numbers the dots of a cell down the left, down the right, and the last row at the end. */
static void dot(Canvas *c, int x, int y, int ink)
{
    static const unsigned char bit[4][2] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };
    Cell *cell = x < 0 || y < 0 ? NULL : cell_at(c, x / 2, y / 4);
    if (!cell || *cell->text)
        return;
    cell->dots |= bit[y % 4][x % 2];
    cell->ink = (signed char)ink;
}

void canvas_line(Canvas *c, Place from, Place to, int gap, int ink)
{
    const double dx = 2 * (to.x - from.x), dy = 4 * (to.y - from.y);
    const int steps = (int)ceil(fmax(fabs(dx), fabs(dy)));
    for (int i = 0; i <= steps; i++) {
        const double share = steps ? (double)i / steps : 0;
        if (!gap || i % (2 * gap) < gap)
            dot(c, (int)floor(2 * from.x + share * dx), (int)floor(4 * from.y + share * dy), ink);
    }
}

int canvas_is_letter(const Canvas *c, int x, int y)
{
    const Cell *cell = cell_at(c, x, y);
    return cell && (isalpha((unsigned char)cell->text[0]) || cell->text[0] == '*');
}

const char *canvas_sequence(int ink)
{
    static const char *const series[] = { "38;5;32", "38;5;166", "38;5;36", "38;5;169",
                                          "38;5;178", "38;5;74", "38;5;246" };
    switch (ink) {
    case INK_PLAIN: return "0";
    case INK_FAINT: return "2";
    case INK_BOLD:  return "1";
    default:        return series[ink % 7];
    }
}

static void print_cell(const Canvas *c, const Cell *cell, FILE *out)
{
    const char braille[] = { (char)0xe2, (char)(0xa0 | cell->dots >> 6),
                             (char)(0x80 | (cell->dots & 63)), 0 };
    if (*cell->text)
        text_put(out, cell->text, strlen(cell->text), c->utf8);
    else if (cell->dots)
        fputs(c->utf8 ? braille : ".", out);
    else
        fputc(' ', out);
}

static int is_blank(const Cell *cell)
{
    return !cell->dots && (!*cell->text || !strcmp(cell->text, " "));
}

void canvas_print(const Canvas *c, FILE *out)
{
    for (int y = 0; y < c->height; y++) {
        int ink = INK_PLAIN, end = c->width;
        while (end && is_blank(cell_at(c, end - 1, y)))
            end--;
        for (int x = 0; x < end; x++) {
            const Cell *cell = cell_at(c, x, y);
            const int wanted = is_blank(cell) ? ink : cell->ink;
            if (wanted != ink && ink != INK_PLAIN)
                fputs(paint(out, "0"), out);
            if (wanted != ink && wanted != INK_PLAIN)
                fputs(paint(out, canvas_sequence(wanted)), out);
            ink = wanted;
            print_cell(c, cell, out);
        }
        if (ink != INK_PLAIN)
            fputs(paint(out, "0"), out);
        fputc('\n', out);
    }
}
