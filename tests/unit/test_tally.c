/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks made by hand, with known medians and ratios. */
#include "measure_toy.h"

#include "../../harness/tally.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { ARMS = 2, ROUNDS = 5 };

static Point points[ARMS];
static MeasurePlan plan = { .arm = points, .arms = ARMS };

/* Arm 0 takes base_ns a call in every round, arm 1 `ratio` times as long; one warm-up epoch before,
 * which would spoil everything if it counted. */
static BlockRecord made(int number, double base_ns, double ratio)
{
    BlockRecord block = { .block = number, .runs = ARMS, .run = calloc(ARMS, sizeof *block.run) };
    for (int a = 0; a < ARMS; a++) {
        RunRecord *run = &block.run[a];
        *run = (RunRecord){ .point = points[a], .epochs = ROUNDS + 1,
                            .epoch = calloc(ROUNDS + 1, sizeof *run->epoch),
                            .metrics = 1, .metric = calloc(1, sizeof *run->metric) };
        run->metric[0] = (Metric){ .instrument = "memory",
                                   .name = "workspace_bytes",
                                   .value = 64 + number };
        for (int r = 0; r <= ROUNDS; r++) {
            const double ns = base_ns * (a ? ratio : 1) * 10;
            run->epoch[r] = (Epoch){ .cpu_ns = r ? (int64_t)ns : 1,
                                     .wall_ns = r ? 3 * (int64_t)ns : 1,
                                     .calls = 10,
                                     .round = r,
                                     .warmup = r == 0,
                                     .switches = r == 1,
                                     .delay_ns = 0 };
        }
    }
    return block;
}

static void filled(Tally *t, int blocks, double ratio)
{
    Err err;
    points[0] = toy_point("right", 10, FWD);
    points[1] = toy_point("twice", 10, FWD);
    tally_open(t, &plan);
    for (int i = 0; i < blocks; i++) {
        BlockRecord block = made(i, 1000 + i, ratio);
        assert_int_equal(tally_add(t, &block, &err), OK);
    }
}

static void medians_are_over_blocks(void **state)
{
    (void)state;
    Tally t;
    ArmTally arm;
    Err err;
    filled(&t, 7, 2);
    assert_int_equal(tally_arm(&t, 0, &arm, &err), OK);
    assert_float_equal(arm.median_ns.value, 1003, 1e-9);
    assert_true(arm.median_ns.low == 1000 && arm.median_ns.high == 1006);
    assert_true(arm.min_ns == 1000);
    assert_int_equal(arm.epochs, 7 * ROUNDS);
    assert_int_equal(arm.processes, 7);
    assert_float_equal(arm.flagged_share, 1.0 / ROUNDS, 1e-9);
    assert_true(arm.waited_share == 0);
    assert_true(tally_metric(&t, 0, "memory", "workspace_bytes") == 67);
    assert_true(isnan(tally_metric(&t, 0, "memory", "no such metric")));
    tally_close(&t);
}

static void threads_are_timed_by_the_wall(void **state)
{
    (void)state;
    Tally t;
    ArmTally arm;
    Err err;
    filled(&t, 6, 1);
    for (int i = 0; i < 6; i++) t.block[i].run[0].point.threads = 2;
    assert_int_equal(tally_arm(&t, 0, &arm, &err), OK);
    assert_true(arm.min_ns == 3000);
    tally_close(&t);
}

static void ratios_pair_the_rounds(void **state)
{
    (void)state;
    Tally t;
    Comparison c;
    Err err;
    filled(&t, 6, 1.5);
    /* A round that one arm lacks is left out; the others still pair with their own. */
    t.block[2].run[1].epoch[3].warmup = 1;
    assert_int_equal(tally_ratio(&t, 0, 1, 0.95, 0.02, &c, &err), OK);
    assert_float_equal(c.ratio.value, 1.5, 1e-3);
    assert_int_equal(c.decision, DECISION_FASTER);
    assert_int_equal(c.rounds, 6 * ROUNDS - 1);
    assert_int_equal(tally_ratio(&t, 1, 0, 0.95, 0.02, &c, &err), OK);
    assert_int_equal(c.decision, DECISION_SLOWER);
    tally_close(&t);
}

static void failures_are_told_and_not_counted(void **state)
{
    (void)state;
    Tally t;
    ArmTally arm;
    Comparison c;
    Err err;
    filled(&t, 3, 2);
    t.block[1].run[1].outcome = OUTCOME_TIMEOUT;
    strcpy(t.block[1].run[1].reason, "more than 1 s");
    assert_int_equal(tally_arm(&t, 1, &arm, &err), OK);
    assert_int_equal(arm.outcome, OUTCOME_TIMEOUT);
    assert_string_equal(arm.reason, "more than 1 s");
    assert_int_equal(arm.processes, 2);
    assert_int_equal(tally_ratio(&t, 0, 1, 0.95, 0.02, &c, &err), OK);
    assert_int_equal(c.blocks, 2);
    for (int i = 0; i < 3; i++) t.block[i].run[1].outcome = OUTCOME_CRASHED;
    assert_int_equal(tally_ratio(&t, 0, 1, 0.95, 0.02, &c, &err), UNSUPPORTED);
    assert_int_equal(tally_arm(&t, 1, &arm, &err), OK);
    assert_true(isnan(arm.median_ns.value) && arm.processes == 0);
    tally_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_are_over_blocks),
        cmocka_unit_test(threads_are_timed_by_the_wall),
        cmocka_unit_test(ratios_pair_the_rounds),
        cmocka_unit_test(failures_are_told_and_not_counted),
    };
    (void)toy_main;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
