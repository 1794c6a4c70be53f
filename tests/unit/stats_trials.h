/* SPDX-License-Identifier: Apache-2.0 */
/* Many trials of a procedure on synthetic timings: how often it is right, wrong, or silent. The
 * unit test asks for few trials, `make bench-stats` for many. Seeds are fixed: a rate is the same
 * number in every run. */
#ifndef STATS_TRIALS_H
#define STATS_TRIALS_H

#include "stats_samples.h"

#include <stdlib.h>

/* The largest scenario: 1,200 trials of 6 blocks of 12 rounds in one go. */
enum { TRIAL_SAMPLES = 1200 * 6 * 12, TRIAL_BLOCKS = 1200 * 6, COSTS = 4001 };

static double trial_a_ns[TRIAL_SAMPLES], trial_b_ns[TRIAL_SAMPLES], trial_d[TRIAL_SAMPLES];
static int trial_start[TRIAL_BLOCKS + 1];

/* Trouble here is a bug of the test. */
static inline void must(Status status) { require(status == OK); }

/* ln(tB / tA) by rounds; valid until the next call. */
static inline Nested trial_pairs(const Scenario *s, uint64_t seed)
{
    const int samples = s->blocks * s->rounds;
    require(samples <= TRIAL_SAMPLES && s->blocks <= TRIAL_BLOCKS);
    make_pairs(s, seed, trial_a_ns, trial_b_ns);
    equal_blocks(s->blocks, s->rounds, trial_start);
    must(stats_log_ratios(trial_a_ns, trial_b_ns, samples, trial_d, NULL));
    return (Nested){ trial_d, trial_start, s->blocks };
}

static inline uint64_t trial_seed(const Scenario *s, int trial)
{
    return random_u64((uint64_t)s->shape, (uint64_t)s->blocks, (uint64_t)trial);
}

typedef struct {
    int found, wrong, covered;   /* A called faster; slower; the interval holds the true ratio */
} Outcomes;

/* Comparisons at no margin, of B that takes s->ratio times as long as A. */
static inline Outcomes try_comparisons(const Scenario *s, int trials)
{
    const double truth = stats_log(s->ratio);
    Outcomes out = { 0 };
    for (int trial = 0; trial < trials; trial++) {
        const Nested d = trial_pairs(s, trial_seed(s, trial));
        Comparison c;
        must(stats_compare(&d, 0.95, 0, &c, NULL));
        out.found += c.decision == DECISION_FASTER;
        out.wrong += c.decision == DECISION_SLOWER;
        out.covered += c.d.low <= truth && truth <= c.d.high;
    }
    return out;
}

/* The median of A's times in one block, times the luck of its process, of 1 %. */
static inline double block_cost(Scenario one, uint64_t seed, double *scratch)
{
    one.blocks = 1;
    make_pairs(&one, seed, trial_a_ns, trial_b_ns);
    return stats_block_summary(trial_a_ns, NULL, one.rounds, scratch).median
         * stats_exp(0.01 * random_normal(seed, 5, 0));
}

/* Trials in which the interval of A's cost holds the typical block's. That one is not known in
 * closed form: it is the median of 4001 blocks, whose error is a fiftieth of their spread. */
static inline int covered_costs(const Scenario *s, int trials)
{
    static double cost[COSTS], scratch[TRIAL_SAMPLES];
    int covered = 0;
    for (int i = 0; i < COSTS; i++)
        cost[i] = block_cost(*s, random_u64(70, 0, (uint64_t)i), scratch);
    stats_sort(cost, COSTS);
    const double truth = cost[COSTS / 2];
    equal_blocks(s->blocks, 1, trial_start);
    for (int trial = 0; trial < trials; trial++) {
        for (int b = 0; b < s->blocks; b++)
            cost[b] = block_cost(*s, random_u64(trial_seed(s, trial), 1, (uint64_t)b), scratch);
        Interval got;
        must(stats_cost(&(Nested){ cost, trial_start, s->blocks }, 0.5, 0.95, &got, NULL));
        covered += got.low <= truth && truth <= got.high;
    }
    return covered;
}

/* How measuring ended that was looked at after 6, 9, 14, ... blocks until it is decided. */
typedef struct {
    Stop stop;
    int  blocks;
    bool alarmed, covered;       /* it found a difference; the last interval holds the truth */
} Ending;

static inline Ending measure_until_stop(const Scenario *s, int cap, double margin, uint64_t seed)
{
    const StopRule rule = { .mde_goal = margin, .blocks_max = cap };
    Scenario whole = *s;
    whole.blocks = cap;
    Nested d = trial_pairs(&whole, seed);
    const double truth = stats_log(s->ratio);
    for (d.blocks = 1; d.blocks <= cap; d.blocks++) {
        const double level = stats_look_level(d.blocks, d.blocks == cap, 0.05);
        Comparison c;
        if (level == 1) continue;
        must(stats_compare(&d, level, margin, &c, NULL));
        const Stop stop = stats_stop(&rule, &c);
        if (stop == STOP_GO_ON) continue;
        return (Ending){ .stop = stop, .blocks = d.blocks,
                         .alarmed = c.decision == DECISION_FASTER || c.decision == DECISION_SLOWER,
                         .covered = c.d.low <= truth && truth <= c.d.high };
    }
    return (Ending){ .stop = STOP_GO_ON };         /* it never ended */
}

#endif
