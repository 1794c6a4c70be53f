/* SPDX-License-Identifier: Apache-2.0 */
/* A figure without a database: rows that a test adds one by one. */
#ifndef FIGURE_SKETCH_H
#define FIGURE_SKETCH_H

#include "../../harness/figure.h"

#include <math.h>
#include <string.h>

enum { MOST = 64 };

static inline void add(Figure *f, const char *series, double x, double y, double half,
                       const char *outcome)
{
    f->row[f->rows++] = (FigureRow){ .facet = "",
                                     .series = (char *)series,
                                     .segment = "",
                                     .outcome = (char *)outcome,
                                     .point = "p",
                                     .x = x,
                                     .y = y,
                                     .low = half > 0 ? y - half : NAN,
                                     .high = half > 0 ? y + half : NAN };
    f->intervals |= half > 0;
}

static inline Figure sketch(FigureRow *row, FigureKind kind)
{
    Figure f = { .name = "sketch",
                 .title = "A \"title\" with 100 % <signs>",
                 .experiment = "demo/pair",
                 .note = "",
                 .x_label = "x",
                 .y_label = "time (ms)",
                 .reference_label = "",
                 .kind = kind,
                 .log_x = 1,
                 .log_y = 1,
                 .scale = 1,
                 .reference_y = NAN,
                 .query = "SELECT 'a' AS b\nFROM v_time WHERE 1 < 2",
                 .paper_query = "",
                 .row = row };
    strcpy(f.rows_hash, "0123456789abcdef");
    return f;
}

#endif
