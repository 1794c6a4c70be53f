/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a .gp that all kinds of figures need. Every text of a file goes through gp_text(): for
 * gnuplot it is a text and nothing else. */
#include "figure_draw.h"

#include "../kernels/core/text.h"

#include <string.h>

/* In double quotes gnuplot would run what stands between backquotes; in single ones nothing means
 * anything but their end, and an apostrophe looks better anyway. */
void gp_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text += text_step(text))
        if (*text == '\'')
            fputs("’", out);
        else if (*text == '\n' || text_control(text))
            fputc(' ', out);
        else
            fwrite(text, 1, text_step(text), out);
    fputc('\'', out);
}

void gp_margins(FILE *out, const Layout *l, int panel, Margins inside)
{
    const double x = panel % l->columns * l->panel_width;
    const double y = l->top + panel / l->columns * l->panel_height;
    fprintf(out, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n",
            (x + inside.left) / l->width, (x + l->panel_width - inside.right) / l->width);
    fprintf(out, "set tmargin at screen %.6f\nset bmargin at screen %.6f\n",
            1 - (y + inside.top) / l->height,
            1 - (y + l->panel_height - inside.bottom) / l->height);
}

void gp_heading(FILE *out, const Layout *l)
{
    char signs[300];
    const FigureKind kind = l->figure->kind;
    layout_signs(l, kind == FIGURE_BARS ? "pale" : kind == FIGURE_LINE ? "dashed" : "open", signs,
                 sizeof signs);
    fprintf(out, "set label 1 ");
    gp_text(out, l->figure->title);
    fprintf(out, " at screen %.6f, screen %.6f left font face.\":Bold,15\"\n", 16.0 / l->width,
            1 - 22.0 / l->height);
    fprintf(out, "set label 2 ");
    gp_text(out, signs);
    fprintf(out, " at screen %.6f, screen %.6f left font face.\",11\" tc rgb grey\n",
            16.0 / l->width, 1 - 42.0 / l->height);
}
