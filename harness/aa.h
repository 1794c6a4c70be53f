/* SPDX-License-Identifier: Apache-2.0 */
/* The long form of the noise certificate: how often this machine raises a false alarm, and how
 * small a difference it finds, in comparisons of a given length.
 *
 * A comparison is what a user meets: rounds in random turns, six blocks, stats_compare() with all
 * its checks, at a margin of nothing. Equal arms are compared often. Then arm B is given more work
 * - more rounds of arithmetic, more bytes to stream - from little to much, until the difference is
 * found in enough of the comparisons. Nothing is ever added to a time: what is found was done.
 *
 * What it cannot tell: blocks are cut from one process here, to make hundreds of comparisons
 * affordable. A difference that one process's memory layout makes to one arm is what real
 * comparisons take six processes for. */
#ifndef AA_H
#define AA_H

#include "twins.h"

enum { AA_STEPS = 5, AA_TRIALS = 200, AA_TRIALS_MIN = 20, AA_TRIALS_MAX = 100000 };
/* Found in so many of the comparisons counts as found. */
#define AA_FOUND_SHARE 0.85

typedef struct {
    double   injected;         /* more work in arm B, as a share */
    Interval found;            /* share of comparisons that call A faster */
    double   estimate_p50_rel; /* median over comparisons of the ratio, less 1 */
    int      wrong;            /* comparisons that call A slower */
} AaStep;

typedef struct {
    Interval false_alarms;     /* share of A/A comparisons that find a difference */
    double   width_p50_rel;    /* median over them of the interval's high / low, less 1 */
    double   off_p95_rel;      /* 95 % of their estimates are closer to 1 */
    double   rounds_p50;       /* median rounds of a comparison */
    AaStep   step[AA_STEPS];
    int      steps;            /* taken: none after the first that is found */
    double   smallest;         /* injected share of that one; NaN: not even the largest */
    double   flagged_share;    /* of all epochs; NaN: not known */
    double   seconds;          /* of measuring */
} AaReport;

typedef struct {
    int      cpu, trials;                /* trials: of equal arms; half as many a step */
    int64_t  each_ns;                    /* for one comparison */
    /* After each comparison; done is of aa_comparisons_most(). Returns 0 to stop. May be NULL. */
    int    (*tell)(void *self, int done, const char *what);
    void    *self;
} AaPlan;

/* Comparisons of all kernels together, if every step is taken. */
int    aa_comparisons_most(const AaPlan *plan);
/* BAD_INPUT: it was told to stop. */
Status aa_measure(const AaPlan *plan, AaReport out[NOISE_KERNELS], Err *err);

enum { AA_NAME = 40 };
/* As rows for the database: name, unit and value of entry i, 0 after the last. */
int    aa_entry(const AaReport *report, int i, char name[AA_NAME], const char **unit,
                double *value);

#endif
