/* SPDX-License-Identifier: Apache-2.0 */
/* Two sets of blocks that were not measured together: other days, other machines. Without pairs all
 * that is left is ranks, and a drift between the two days looks like a change of the code; so what
 * this says is a hint where to measure side by side. Exact, for any distribution:
 * Mann and Whitney (1947); interval and estimate of the shift by Hodges and Lehmann (1963). */
#ifndef UNPAIRED_H
#define UNPAIRED_H

#include "stats.h"

enum { UNPAIRED_MAX = 200 };   /* blocks a side */

/* P(U <= u), U the number of pairs (a, b) with a < b, if both sides are drawn from one population.
 */
double unpaired_tail(int a, int b, int u);

typedef struct {
    const double *value;       /* positive */
    int           n;           /* 1..UNPAIRED_MAX */
} Blocks;

typedef struct {
    Interval ratio;
    double   p;                /* two-sided, of a ratio of 1 */
} Unpaired;

/* The ratio b / a: the median of all pairs' ratios, with an interval of at least `level` where the
 * numbers suffice (4 and 4 for 95 %); kind NONE where they do not. */
Status unpaired_ratio(const Blocks *a, const Blocks *b, double level, Unpaired *out, Err *err);

#endif
