/* SPDX-License-Identifier: Apache-2.0 */
/* All figures of a paper: the `figures:` of its experiments, drawn from the stored rows into one
 * folder. */
#ifndef FIGURES_H
#define FIGURES_H

#include "figure.h"

enum { FIGURES_MAX = 128 };   /* of a paper */

typedef struct {
    Figure *item;       /* those with rows, in the order of paper.yaml's experiments */
    Tree  **tree;       /* of the experiments; own the entries' text */
    int     count, trees, empty;   /* empty: figures that no row stands behind yet */
    char   *folder;     /* "results/figures/flashattention" */
} Figures;

/* Reads experiments/NAME.yaml for each experiment of paper.yaml that has a file, checks all their
 * figures, runs the queries on one machine's rows (0: none were measured). BAD_INPUT: complaints,
 * one a line. */
Status figures_open(Figures *figures, const Paper *paper, const char *db_path, int64_t machine,
                    Err *err);
void   figures_close(Figures *figures);

/* Draws each into INTO/figures/PAPER/NAME.{gp,svg,png} and notes it in the database. */
Status figures_draw(Figures *figures, const Paper *paper, const char *db_path, const char *into,
                    Err *err);

/* How many pictures under INTO are missing or were drawn from other rows; told one a line to
 * `out`. */
int figures_stale(const Figures *figures, const Paper *paper, const char *into, FILE *out);

#endif
