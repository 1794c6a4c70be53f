/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of noisy timings: from stored samples to an interval and a decision.
 *
 * Every number here can be computed again from the stored samples, bit for bit, on any machine with
 * IEEE doubles: sums run in index order, resampling draws from a counter generator with a fixed
 * seed, sorting is our own, and logarithm and exponential are our own too, because those of libm
 * differ in the last bit between machines with and without FMA. The files are compiled with
 * -ffp-contract=off and never with -ffast-math.
 *
 * Words. A *round* times every arm once, in a random order. A *block* is one process, with many
 * rounds. Rounds of one process share its memory layout and its luck, so the block is the
 * independent unit: blocks are summarised first, and intervals are taken over blocks.
 * Nothing is ever dropped as an outlier. Flags say what disturbed a sample; they do not remove it.
 *
 * A wrong call (NULL, n < 1, a level outside (0, 1)) stops the program; samples that are not finite
 * or not positive come back as BAD_INPUT with a sentence. Functions that need working memory
 * return NO_MEMORY when there is none. On any failure *out is left as it was.
 *
 *   stats_math.c     logarithm, exponential, sorting
 *   stats_rank.c     quantiles, sign test, median interval, trends, Holm
 *   stats_block.c    summary, warm-up and variance components of blocks
 *   stats_boot.c     hierarchical bootstrap, cost of one point
 *   stats_pair.c     paired comparison, decision, A/A certificate
 *   stats_plan.c     order of arms, calls per epoch, looks and stopping
 *   stats_scaling.c  slope, crossover, linearity
 */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "../kernels/core/status.h"

enum {
    STATS_RESAMPLES = 2000,     /* of every bootstrap */
    STATS_BLOCKS_MIN = 6,       /* the fewest blocks with an order-statistic interval at 95 % */
    STATS_BLOCKS_MAX = 1000,    /* the hard cap of every stopping rule */
    STATS_ROUNDS_MIN = 4,       /* rounds of one block, as stats_rounds() clamps them */
    STATS_ROUNDS_MAX = 50
};

/* ---- Intervals ------------------------------------------------------------------------------ */

typedef enum {
    INTERVAL_NONE,       /* too few blocks for the level asked: from -inf to +inf */
    INTERVAL_ORDER,      /* order statistics of the block values; level is exact (sign test) */
    INTERVAL_RANGE,      /* stretched range of 2 to 5 block values; exact for normal ones */
    INTERVAL_BOOTSTRAP,  /* hierarchical bootstrap: a cross-check of INTERVAL_ORDER */
    INTERVAL_ONE_BLOCK,  /* bootstrap of one block's rounds: blind to spread between processes */
    INTERVAL_INVERSION,  /* where a band of intervals holds zero (crossover) */
    INTERVAL_SHARE       /* of a share, by Wilson's formula */
} IntervalKind;

/* An estimate with its interval. `level` is the one achieved: never below the one asked, except
 * that INTERVAL_NONE has level 0. `n` counts what the interval was taken over: blocks, or for
 * ONE_BLOCK rounds, or for SHARE trials. */
typedef struct {
    double value, low, high, level;
    int n;
    IntervalKind kind;
} Interval;

const char *stats_interval_kind_name(IntervalKind kind);   /* "order", "bootstrap", ... */

/* Samples in blocks: block i is value[start[i]] .. value[start[i + 1] - 1], in the order taken.
 * start has blocks + 1 ascending entries; no block is empty. */
typedef struct {
    const double *value;
    const int *start;
    int blocks;
} Nested;

/* BAD_INPUT, naming block and place, for an empty block or a sample that is not finite. */
Status stats_nested_check(const Nested *samples, Err *err);

/* ---- Arithmetic that is the same everywhere ------------------------------------------------- */

/* Natural logarithm and exponential, within 2 ulp; log(0) = -inf, log(x < 0) = NaN.
 * log: x = 2^k m with m in [sqrt(1/2), sqrt 2), log m = 2 atanh((m - 1)/(m + 1)) as a series.
 * exp: x = k ln 2 + r, |r| <= (ln 2)/2, Taylor series of degree 13. */
double stats_log(double x);
double stats_exp(double x);

/* Ascending, in place. Values must not be NaN. */
void stats_sort(double *value, int n);

/* ---- Ranks ---------------------------------------------------------------------------------- */

/* Quantile p of n ascending values, type 7 of Hyndman & Fan (1996): linear between the order
 * statistics around position (n - 1) p. p = 0 is the minimum, 1/4 is p25, 1/2 the median. */
double stats_quantile(const double *sorted, int n, double p);

/* P(X <= k) for X ~ Binomial(n, 1/2), summed exactly up to rounding; 0 for k < 0. Any n. */
double stats_binomial_tail(int n, int k);

/* Interval of the median of n ascending values: [x(k), x(n + 1 - k)] with the largest k for which
 * 2 P(Binomial(n, 1/2) <= k - 1) <= 1 - level. `level` comes back as 1 minus that exact tail,
 * whatever the distribution of the values. At 95 % there is none below n = 6: kind is then NONE. */
Interval stats_median_interval(const double *sorted, int n, double level);

/* The interval of a quantity from n ascending block values: INTERVAL_ORDER from 6 on.
 *
 * The range of fewer values holds the median in only 50, 75, 87.5, 93.75 % of cases for n = 2 to
 * 5 (1 - 2^(1-n), for any distribution). So there it becomes value -+ f (largest - least) / 2, in
 * logarithms if told so (times and their quantiles, which are above 0), with f = 12.71, 2.68, 1.48,
 * 1.12: the factors for which median -+ f range / 2 of n normal values covers 95 % (n = 2 is
 * Student's t; the others are from a million simulated samples). Block values are medians of many
 * rounds, so they are near normal whatever the rounds are: 94 to 96 % are covered at 48 rounds for
 * every noise that `make bench-stats` tries. It is less where block values have two modes: 93, 93,
 * 92, 90 % for times in two modes with 8 rounds, 91, 95, 92, 87 % where one process in four is
 * slower by 20 sigma.
 * One value, or fewer than 6 at a level above 0.95: INTERVAL_NONE. */
Interval stats_block_interval(const double *sorted, int n, double level, bool in_logarithms);

/* The fewest blocks that have an order-statistic interval at this level: 6 for 0.95. A family of m
 * comparisons under Holm needs stats_blocks_needed(1 - alpha / m) for its first rejection. */
int stats_blocks_needed(double level);

/* Kendall's S: later-is-larger pairs minus later-is-smaller pairs (Mann 1945). O(n^2). */
int stats_mann_kendall(const double *value, int n);

/* Spearman's rank correlation with mid-ranks for ties, in [-1, 1]; 0 if x or y is constant.
 * +1 exactly if y rises with x throughout. n >= 2, O(n^2). */
double stats_spearman(const double *x, const double *y, int n);

/* Holm (1979) step-down: adjusted[i] >= p[i]; rejecting where adjusted[i] <= alpha keeps the chance
 * of any false rejection among the m within alpha. A p that is NaN counts as 1. O(m^2). */
void stats_holm(const double *p, int m, double *adjusted);

/* ---- Blocks --------------------------------------------------------------------------------- */

typedef struct {
    double min, p25, median;
    double flagged_share;   /* of the n epochs; NaN where no signal was available */
    int n;
} BlockSummary;

/* An epoch is flagged if it waited for a core or was switched out. Negative: signal unavailable. */
bool stats_flagged(int64_t run_delay_ns, int64_t involuntary_switches);

/* `flagged` may be NULL (no signal); scratch holds n doubles. No epoch is left out. */
BlockSummary stats_block_summary(const double *time_ns, const bool *flagged, int n,
                                 double *scratch);

typedef struct {
    int epochs;    /* how many belong to the warm-up */
    bool steady;   /* false: the limit was reached while there still was a trend */
} Warmup;

/* The end of the warm-up: the first multiple of 4, at least 32, at which the last 8 medians of 4
 * epochs show no trend, that is Mann-Kendall |S| < 16: for 8 values without ties
 * P(|S| >= 16) = 2 * 1230 / 40320 = 0.061. Otherwise `limit` epochs, for which the caller takes a
 * quarter of the budget. With n < limit and no steady state so far, epochs = n: ask again later. */
Warmup stats_warmup(const double *time_ns, int n, int limit);

/* Variance components of nested samples, as Kalibera & Jones (ISMM 2013, corrected edition, 9.2):
 *   S1^2 = mean over blocks of the variance inside a block,   T1^2 = S1^2
 *   S2^2 = variance of the block means,                       T2^2 = S2^2 - S1^2 / r, at least 0.
 * With r differing between blocks, S1^2 / r is the mean of each block's own S1^2 / r. */
typedef struct { double within, between; } Components;   /* T1^2, T2^2 */
Status stats_components(const Nested *samples, Components *out, Err *err);

/* Rounds of the next block: sqrt((c2 / c1) (T1^2 / T2^2)) (Kalibera & Jones 2013), rounded up and
 * clamped to 4 .. 50, with c1 the cost of a round and c2 that of starting a block. Without spread
 * between blocks the answer is 50; without any spread, 4. */
int stats_rounds(const Components *parts, double block_ns, double round_ns);

/* ---- Cost of one point ---------------------------------------------------------------------- */

/* Hierarchical bootstrap: blocks are drawn with replacement, then rounds inside each drawn block,
 * 2000 times; each resample is the median over its blocks of the quantile `within` of each block.
 * The interval is [q(a/2), q(1 - a/2)] of the resamples, a = 1 - level (Davison & Hinkley 1997).
 * INTERVAL_ONE_BLOCK of one block. Otherwise a cross-check of order statistics and nothing more:
 * resampling the rounds counts their noise twice, which makes it wide where rounds are noisy, and
 * without such noise it covers only 87.5 % at 7 blocks, where it ends at the second smallest and
 * second largest. */
Status stats_bootstrap(const Nested *samples, double within, double level, Interval *out, Err *err);

/* Cost of a point from its raw epochs: quantile `within` (0 min, 0.25, 0.5) of each block, median
 * over blocks, stats_block_interval() in logarithms. One block: INTERVAL_ONE_BLOCK. */
Status stats_cost(const Nested *time_ns, double within, double level, Interval *out, Err *err);

/* ---- Paired comparison ---------------------------------------------------------------------- */

/* What arm A is, compared with arm B. */
typedef enum {
    DECISION_INCONCLUSIVE,
    DECISION_FASTER,    /* the interval of time(B) / time(A) lies above 1 + margin */
    DECISION_SLOWER,    /* it lies below 1 / (1 + margin) */
    DECISION_SAME       /* it lies between the two: equivalent, within the margin */
} Decision;

const char *stats_decision_name(Decision decision);   /* "faster", ... */

/* d[i] = ln b_ns[i] - ln a_ns[i]: exactly 0 for equal times, exactly -d for swapped arms.
 * BAD_INPUT if a time is not above 0 and finite. */
Status stats_log_ratios(const double *a_ns, const double *b_ns, int n, double *d, Err *err);

/* The band is symmetric in logarithms, so that swapping A and B swaps faster and slower.
 * INTERVAL_NONE and INTERVAL_ONE_BLOCK are always inconclusive. */
Decision stats_decide(const Interval *d, double margin);

/* Minimum detectable effect: half-width of d + ln(1 + margin), as a ratio less one. A true effect
 * of this size is told from "same" when the estimate hits it. +inf without an interval. */
double stats_mde(const Interval *d, double margin);

/* Two-sided sign test behind a decision from n block medians of d:
 *   faster: 2 P(Binomial(n, 1/2) <= number of blocks with d <= ln(1 + margin)); slower mirrored;
 *   same: the larger of the two tests against the two edges; inconclusive: 1.
 * The interval at `level` gives that decision exactly if p <= 1 - level. */
double stats_decision_p(const double *block_d, int n, double margin, Decision decision);

typedef struct {
    Interval d;            /* of ln(time(B) / time(A)): what the decision was taken from */
    Interval check;        /* 6 blocks and more: the bootstrap's interval of the same; else NONE */
    Interval ratio;        /* exp of d: time(B) / time(A), above 1 where A is faster */
    Decision decision;
    const char *reason;    /* one clause, a constant string */
    double margin;
    double mde_rel;        /* stats_mde */
    double p;              /* stats_decision_p; NaN without INTERVAL_ORDER */
    int blocks, rounds;
} Comparison;

/* d holds ln(tB / tA) of every round, in blocks. Median of each block, then the interval over
 * blocks, stats_block_interval(). From 6 blocks on the bootstrap must lead to the same decision, or
 * it is inconclusive; one block is INTERVAL_ONE_BLOCK. margin: 0.02 is 2 %.
 * That agreement costs power close to the margin and little elsewhere: of 100 simulated pairs 3 %
 * apart (margin 2 %, 6 blocks of 8 rounds) log-normal noise left 6 decided instead of 14, bimodal
 * 21 instead of 43, drift 23 instead of 61; of pairs 7 % apart, 97, 73, 100 instead of 97, 74 and
 * 100. */
Status stats_compare(const Nested *d, double level, double margin, Comparison *out, Err *err);

/* Turns decisions of a family of m comparisons that Holm's correction does not leave standing at
 * alpha into inconclusive ones. scratch holds 2 m doubles. Comparisons of fewer than 6 blocks have
 * no p and never survive. */
void stats_holm_decisions(Comparison *family, int m, double alpha, double *scratch);

/* hits / trials with its 95 % interval by Wilson (1927). */
Interval stats_share(int hits, int trials);

/* A/A: both arms run the same code, so every difference found is a false alarm. */
typedef struct {
    Interval false_alarms;   /* share of trials whose 95 % interval excludes a ratio of 1 */
    double width_rel;        /* median over trials: high / low of the ratio, less 1 */
    double off_p50_rel;      /* median and 95th percentile of the estimate's distance from 1 */
    double off_p95_rel;
} Certificate;

/* d: ln ratios of A/A rounds in blocks; per_trial >= 6 consecutive blocks make one trial, a rest is
 * left out. BAD_INPUT if there is not one whole trial. Blocks cut from one process are good enough
 * to test the procedure, not to know the spread between processes. */
Status stats_certificate(const Nested *d, int per_trial, Certificate *out, Err *err);

/* ---- What to measure next ------------------------------------------------------------------- */

enum { CALIBRATION_READINGS_MAX = 64, STATS_ARMS_MAX = 64 };

/* Finds how many calls fill an epoch. Time `calls` calls, tell stats_calibrate(), until done. */
typedef struct {
    int64_t calls;       /* to time next; when done, the answer */
    double goal_ns;
    int hits;            /* readings in a row that reached the goal with these calls */
    int readings;
    bool done;           /* hits == 2, or 64 readings: then hits tells whether the goal was met */
} Calibration;

/* The goal is target_ns, but at least 1000 times the clock's resolution. */
Calibration stats_calibration(double target_ns, double clock_ns);

/* One reading is not enough: an interrupt can lift a short epoch over the goal. A reading below it
 * starts the count again, with 1.1 goal / elapsed times the calls, between one more and ten times
 * as many (at most 2^30). What a broken clock says - a step back, NaN - counts as no time at all.
 * Returns state->done. */
bool stats_calibrate(Calibration *state, double elapsed_ns);

/* Calls an epoch for several arms together, from each arm's time of one call: what the slowest arm
 * needs to fill target_ns, more if the fastest would stay below 1000 times the clock's resolution.
 * All arms share it, because a different count biases the ratio. */
int64_t stats_shared_calls(const double *call_ns, int arms, double target_ns, double clock_ns);

/* order[round * arms + place] = the arm to run, for `arms` rounds: a cyclic Latin square with
 * random names and random row order, so every arm stands once in every place. For two arms that is
 * ABBA or BAAB. `square` counts the squares of a block; each is drawn anew from the seed. */
void stats_order(uint64_t seed, uint64_t square, int arms, int *order);

/* The level at which to judge after `blocks` blocks, so that looking several times errs at most
 * with chance alpha in all. Looks happen at 6, 9, 14, 21, 32, ... blocks (half as many again); each
 * is allowed 5/8 of what is left of alpha and is charged what its order-statistic interval really
 * spends. 5/8 because 5/8 of 0.05 is 2^-5, the least with which 6 blocks can decide anything. The
 * last look, at any number of blocks, may spend all that is left.
 * Returns 1 where there is no look: measure on. "Last" must not depend on what the data say: it is
 * the cap, or the end of the budget. */
double stats_look_level(int blocks, bool last, double alpha);

typedef enum { STOP_GO_ON, STOP_DECIDED, STOP_PRECISE, STOP_CAP } Stop;

typedef struct {
    double mde_goal;    /* stop once the minimum detectable effect is no larger; 0: ignore it */
    int blocks_max;     /* 1 .. STATS_BLOCKS_MAX */
} StopRule;

const char *stats_stop_name(Stop stop);

/* After a look: stop when decided, when precise enough (6 blocks and more), or at the cap.
 * Noise-free samples are decided at the first look. */
Stop stats_stop(const StopRule *rule, const Comparison *c);

/* ---- Scaling -------------------------------------------------------------------------------- */

/* Points (x, y) with the number of the block each was measured in. */
typedef struct {
    const double *x, *y;
    const int *block;
    int n;
} Points;

typedef struct {
    Interval slope;      /* n = blocks */
    double intercept;    /* median over blocks of the median of y - slope x */
    double r2;           /* median over blocks of stats_r2 */
} Slope;

/* Theil (1950) and Sen (1968): the slope of a block is the median of the slopes between all its
 * pairs of different x. Then over blocks, as everything here: stats_block_interval(). What all
 * points of a block have in common cancels. A block may lack some x (a timeout); one without two
 * different x has no slope and does not count in n. BAD_INPUT if no block has one. */
Status stats_slope(const Points *points, double level, Slope *out, Err *err);

/* The exponent p of y = c x^p: stats_slope of ln y on ln x; c is exp(intercept). */
Status stats_exponent(const Points *points, double level, Slope *out, Err *err);

/* Share of the variance of y that the least-squares line on x explains (squared Pearson
 * correlation); 1 for constant y, 0 for constant x. n >= 2. */
double stats_r2(const double *x, const double *y, int n);

typedef enum {
    CROSSOVER_UNCLEAR,   /* the intervals at the ends do not say */
    CROSSOVER_ONE,       /* clear on both ends, different sides */
    CROSSOVER_NONE,      /* clear at every x, same side: no crossover in [from, to] */
    CROSSOVER_SEVERAL    /* the clear x change sides more than once */
} CrossoverKind;

const char *stats_crossover_name(CrossoverKind kind);   /* "unclear", "one", "none", "several" */

typedef struct {
    CrossoverKind kind;
    Interval x;                  /* INTERVAL_INVERSION */
    Decision at_from, at_to;     /* A at either end, with no margin */
    double from, to;             /* the lowest and the highest x measured */
    int sign_changes;            /* of the estimates, noise included */
} Crossover;

/* Where the paired ratio of A and B crosses 1 over x, from the intervals of d = ln(tB / tA) at n
 * ascending x > 0. Estimates and bounds are joined by lines that are straight in ln x.
 * x.value: the zero of the estimates (of an odd number of zeros the middle one; of an even number,
 * none: NaN). [x.low, x.high]: the smallest range outside which the band of intervals excludes zero
 * (inverting the test, Fieller 1954): at the true crossover d is 0, and the interval there covers
 * it with its level, which is therefore that of x; between two measured x it covers more often.
 * low = 0 or high = +inf where the lowest or highest x is not clear: the crossover may lie beyond
 * what was measured. */
Crossover stats_crossover(const double *x, const Interval *d, int n);

#endif
