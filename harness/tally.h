/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks as they come, and what they say so far: the cost of each arm with an interval, and the
 * ratio of every other arm to the first. For programs that measure and answer at once; the database
 * derives its own from the stored rows with the same functions. */
#ifndef TALLY_H
#define TALLY_H

#include "measure.h"
#include "stats.h"

typedef struct {
    const MeasurePlan *plan;
    BlockRecord *block;        /* owned */
    int          blocks, room;
} Tally;

typedef struct {
    Outcome  outcome;          /* the worst of all blocks: the last that is not OK */
    char     reason[256];
    Interval median_ns;        /* per call; thread-CPU time with one thread, else wall time */
    double   min_ns;
    int      epochs, processes;
    double   flagged_share;    /* epochs that waited or were switched out; NaN: not known */
    double   waited_share;     /* time in the run queue / wall time */
} ArmTally;

void   tally_open(Tally *t, const MeasurePlan *plan);
void   tally_close(Tally *t);
/* Takes over what the block owns. */
Status tally_add(Tally *t, BlockRecord *block, Err *err);

Status tally_arm(const Tally *t, int arm, ArmTally *out, Err *err);
/* time(b) / time(a), paired by rounds. UNSUPPORTED: no block timed both. */
Status tally_ratio(const Tally *t, int a, int b, double level, double margin, Comparison *out,
                   Err *err);
/* The median over blocks of a metric; NaN: no block has it. */
double tally_metric(const Tally *t, int arm, const char *instrument, const char *name);

#endif
