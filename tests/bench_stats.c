/* SPDX-License-Identifier: Apache-2.0 */
/* The statistics on synthetic timings, in tables: false alarms, coverage, power, stopping. Takes
 * some minutes; `make bench-stats` builds and runs it. What must hold is asserted by
 * tests/unit/test_stats_errors.c with fewer trials; this is for looking. */
#include "unit/stats_trials.h"

#include <stdio.h>

enum { CHEAP = 4000, DEAR = 400 };     /* trials without and with the bootstrap's cross-check */
static const double PROCESS_SD = 0.003;

static int trials_of(int blocks) { return blocks < STATS_BLOCKS_MIN ? CHEAP : DEAR; }

static Scenario scenario(Shape shape, int blocks, int rounds, double ratio)
{
    return (Scenario){ .shape = shape, .blocks = blocks, .rounds = rounds, .ratio = ratio,
                       .block_sd = PROCESS_SD, .interleaved = true };
}

static void heading(const char *title)
{
    printf("\n%s\n%-22s", title, "");
    for (Shape shape = 0; shape < SHAPES; shape++) printf("%15s", shape_name[shape]);
    putchar('\n');
}

static void cell(int hits, int trials) { printf("%13.1f %%", 100.0 * hits / trials); }

/* Two rows: how often equal arms are found different, and how often the interval holds 1. */
static void errors(int blocks, int rounds)
{
    const int trials = trials_of(blocks);
    Outcomes got[SHAPES];
    for (Shape shape = 0; shape < SHAPES; shape++) {
        const Scenario s = scenario(shape, blocks, rounds, 1);
        got[shape] = try_comparisons(&s, trials);
    }
    printf("%2d x %2d  false alarms  ", blocks, rounds);
    for (Shape shape = 0; shape < SHAPES; shape++)
        cell(got[shape].found + got[shape].wrong, trials);
    printf("\n         coverage      ");
    for (Shape shape = 0; shape < SHAPES; shape++) cell(got[shape].covered, trials);
    putchar('\n');
}

static void costs(int blocks, int rounds)
{
    printf("%2d x %2d                ", blocks, rounds);
    for (Shape shape = 0; shape < SHAPES; shape++) {
        const Scenario s = scenario(shape, blocks, rounds, 1);
        cell(covered_costs(&s, CHEAP), CHEAP);
    }
    putchar('\n');
}

static void power(int blocks, int rounds)
{
    static const double differences[] = { 0.005, 0.01, 0.02, 0.05, 0.10 };
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        printf("%2d x %2d  %4.1f %%        ", blocks, rounds, 100 * differences[i]);
        for (Shape shape = 0; shape < SHAPES; shape++) {
            const Scenario s = scenario(shape, blocks, rounds, 1 + differences[i]);
            cell(try_comparisons(&s, DEAR).found, DEAR);
        }
        putchar('\n');
        fflush(stdout);
    }
}

static void stopping(double ratio)
{
    enum { CAP = 21, ROUNDS = 16, TRIALS = 200 };
    int decided[SHAPES] = { 0 }, alarmed[SHAPES] = { 0 }, covered[SHAPES] = { 0 };
    double blocks[SHAPES] = { 0 };
    for (Shape shape = 0; shape < SHAPES; shape++)
        for (int trial = 0; trial < TRIALS; trial++) {
            const Scenario s = scenario(shape, CAP, ROUNDS, ratio);
            const Ending end = measure_until_stop(&s, CAP, 0.02, trial_seed(&s, trial));
            require(end.stop != STOP_GO_ON);
            decided[shape] += end.stop == STOP_DECIDED;
            alarmed[shape] += end.alarmed;
            covered[shape] += end.covered;
            blocks[shape] += (double)end.blocks / TRIALS;
        }
    printf("ratio %.2f decided     ", ratio);
    for (Shape shape = 0; shape < SHAPES; shape++) cell(decided[shape], TRIALS);
    printf("\n           different   ");
    for (Shape shape = 0; shape < SHAPES; shape++) cell(alarmed[shape], TRIALS);
    printf("\n           coverage    ");
    for (Shape shape = 0; shape < SHAPES; shape++) cell(covered[shape], TRIALS);
    printf("\n           blocks      ");
    for (Shape shape = 0; shape < SHAPES; shape++) printf("%15.1f", blocks[shape]);
    putchar('\n');
    fflush(stdout);
}

int main(void)
{
    static const int blocks[] = { 2, 3, 4, 5, 6, 9, 14 };
    enum { COUNTS = sizeof blocks / sizeof *blocks };
    printf("Synthetic timings; processes differ by %.1f %% (sd). Blocks x rounds; trials: %d below "
           "6 blocks, else %d.\nA comparison finds a difference if it says faster or slower at a "
           "margin of 0.\n", 100 * PROCESS_SD, CHEAP, DEAR);
    heading("Equal arms, interval of the ratio (95 %)");
    for (int i = 0; i < COUNTS; i++)
        for (int rounds = 8; rounds <= 48; rounds *= 6) errors(blocks[i], rounds);
    heading("Interval of a cost (95 %): coverage");
    for (int i = 0; i < COUNTS; i++)
        for (int rounds = 8; rounds <= 48; rounds *= 6) costs(blocks[i], rounds);
    heading("Power: true differences that are found");
    power(3, 48);
    power(6, 8);
    power(6, 48);
    power(14, 48);
    heading("Looks at 6, 9, 14, 21 blocks of 16 rounds, margin 2 %");
    for (double ratio = 1; ratio < 1.06; ratio += 0.02) stopping(ratio);
    return 0;
}
