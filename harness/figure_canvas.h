/* SPDX-License-Identifier: Apache-2.0 */
/* A picture of characters: cells with a colour each, and dots, two by four in a cell, of which
 * lines are made (Unicode's braille, or '.' in ASCII). */
#ifndef FIGURE_CANVAS_H
#define FIGURE_CANVAS_H

#include <stdio.h>

typedef struct Canvas Canvas;

/* Colours are numbers: that of a series, or one of these. */
enum { INK_PLAIN = -1, INK_FAINT = -2, INK_BOLD = -3 };

Canvas *canvas_open(int width, int height, int utf8);   /* NULL: no memory */
void    canvas_close(Canvas *c);
/* What lies outside is left out. A character or text takes the place of what was there. */
void    canvas_text(Canvas *c, int x, int y, const char *text, int ink);
void    canvas_vertical(Canvas *c, int x, int from, int to, int ink);
void    canvas_horizontal(Canvas *c, int from, int to, int y, int ink);
/* Ends in cells, as fractions; gap: every how many dots one is left out, 0: none. Dots stand only
 * where no character does. */
typedef struct { double x, y; } Place;
void    canvas_line(Canvas *c, Place from, Place to, int gap, int ink);
int     canvas_is_letter(const Canvas *c, int x, int y);
/* A colour for paint(): the palette of the pictures, in the 256 colours of a terminal. */
const char *canvas_sequence(int ink);
void    canvas_print(const Canvas *c, FILE *out);

#endif
