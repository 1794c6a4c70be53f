/* SPDX-License-Identifier: Apache-2.0 */
/* What one block of measuring leaves behind, raw; every statistic is computed from it
 * later. A worker writes these, the store keeps them, nothing else passes between. */
#ifndef RECORD_H
#define RECORD_H

#include "../kernels/core/problem.h"

typedef enum {
    OUTCOME_OK,
    OUTCOME_WRONG,             /* ran, but its output is not the reference's */
    OUTCOME_SKIPPED,           /* not tried: over the budget or the limits of the spec */
    OUTCOME_UNSUPPORTED,       /* cannot run here, or not with these parameters */
    OUTCOME_CRASHED,
    OUTCOME_TIMEOUT,
    OUTCOME_OUT_OF_MEMORY,
    OUTCOME_IMPOSSIBLE,        /* faster than the measured ceiling: the clock is at fault */
    OUTCOME_NONDETERMINISTIC,  /* equal inputs, unequal outputs */
    OUTCOME_END
} Outcome;

const char *outcome_name(Outcome outcome);   /* "ok", "wrong", ..., "out-of-memory", ... */

typedef struct {               /* one timed stretch of `calls` calls */
    int64_t wall_ns, cpu_ns;   /* of all calls; cpu_ns summed over the team's threads */
    int64_t delay_ns;          /* time that the threads waited in the run queue; -1: not known */
    int32_t switches;          /* involuntary context switches; -1: not known */
    int32_t calls;
    int32_t round, position;   /* which round of the block; which place in the round */
    int32_t warmup;            /* 1: before the steady state, kept but not counted */
} Epoch;

typedef struct {
    char   instrument[16], name[40], unit[12];
    double value;              /* NaN is not a value: leave the metric out instead */
} Metric;

typedef struct {               /* one point in one block: a row of table `run` */
    Point    point;
    Outcome  outcome;
    char     reason[256];      /* empty where the outcome is ok */
    char     note[256];        /* why metrics that were asked for are absent; empty: none are */
    Epoch   *epoch;            /* in the order taken; NULL if epochs is 0 */
    int      epochs;
    Metric  *metric;
    int      metrics;
} RunRecord;

typedef struct {
    uint64_t   seed;           /* of the order and the inputs */
    int        block;          /* 0, 1, ...: this compare group's how-manieth process */
    int64_t    started_at_ms;  /* since 1970, UTC */
    int64_t    duration_ms;
    RunRecord *run;            /* the arms, in the order of the compare group */
    int        runs;
} BlockRecord;

void block_free(BlockRecord *block);   /* what its pointers own; the struct is the caller's */

#endif
