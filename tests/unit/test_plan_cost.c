/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan says of an arm: why it cannot be had here, and its memory and time. */
#include "../../harness/bind.h"
#include "../../harness/units.h"
#include "planned.h"

#include <math.h>
#include <stdio.h>

/* ---- what cannot be done here -------------------------------------------------------------- */

/* The first arm's fate; `free_bytes` not 0: on a machine with as much memory. */
static void refuses(const char *spec, int64_t free_bytes, Outcome outcome, const char *why)
{
    Planned p;
    open_planned(&p, spec, "quick", NULL);
    PlannedArm *a = p.plan.group[0].arm;
    if (free_bytes) {
        p.plan.memory_bytes = free_bytes;
        plan_judge_arm(&p.plan, &p.spec, a);
    }
    if (a->refused != outcome || strcmp(a->why, why))
        fail_msg("%s: '%s', expected '%s'", outcome_name(a->refused), a->why, why);
    close_planned(&p);
}

static void refusals_say_why(void **state)
{
    (void)state;
    char why[96];
    Planned p;
    open_planned(&p, TWO "sweep: {T: 4}\n", "quick", NULL);
    snprintf(why, sizeof why, "256 threads on %d cores", p.plan.cores);
    close_planned(&p);
    refuses(HEAD "compare: flash_attention/split_kv\nsweep: {T: 4}\n", 0, OUTCOME_UNSUPPORTED,
            "flash_attention/split_kv has no fwd pass");
    refuses(HEAD "compare: flash_attention/literal\nsweep: {T: 4}\ndtype: bf16\n", 0,
            OUTCOME_UNSUPPORTED, "flash_attention/literal does not take bf16");
    refuses(HEAD "compare: flash_attention/fp8_block\nsweep: {T: 4}\nfixed: {D: 24}\n", 0,
            OUTCOME_UNSUPPORTED, "the Hadamard transform wants a D that is a power of two");
    if (p.plan.cores < 256)
        refuses(TWO "sweep: {T: 4}\nhardware: {threads: 256}\n", 0, OUTCOME_UNSUPPORTED, why);
}

/* q, k, v and o alone take 64 KiB. */
static void memory_has_two_limits(void **state)
{
    (void)state;
    static const char text[] = HEAD "compare: flash_attention/literal\n"
        "fixed: {B: 1, H: 1, D: 64}\nsweep: {T: 64}\nhardware: {isa: portable}\n"
        "limits: {memory: 64KiB}\n";
    char why[160], need[UNITS_TEXT];
    Planned p;
    open_planned(&p, text, "quick", NULL);
    assert_true(p.plan.group[0].arm[0].memory_bytes > 4 * 64 * 64 * 4);
    bytes_print(need, p.plan.group[0].arm[0].memory_bytes);
    close_planned(&p);
    snprintf(why, sizeof why, "needs at least %s, the spec's limit is 64.0 KiB", need);
    refuses(text, 0, OUTCOME_SKIPPED, why);
    refuses(text, 1000, OUTCOME_SKIPPED, why);           /* the first reason stays */
    snprintf(why, sizeof why, "needs at least %s, free are 32.0 KiB", need);
    refuses(HEAD "compare: flash_attention/literal\nfixed: {B: 1, H: 1, D: 64}\nsweep: {T: 64}\n"
            "hardware: {isa: portable}\n", 32 << 10, OUTCOME_OUT_OF_MEMORY, why);
}

/* ---- what it costs ------------------------------------------------------------------------- */

/* What is said is what bind.h then takes. */
static void memory_is_what_a_problem_takes(void **state)
{
    (void)state;
    Device *device;
    Err err;
    Planned p;
    assert_int_equal(backend_cpu.open(&device, &err), OK);
    open_planned(&p, HEAD "compare: attention/unfused\nfixed: {B: 2, H: 3, Hkv: 1, T: 37, D: 20}\n"
                 "sweep: {keep_p: [0, 1], key_padding: [0, 2]}\n"
                 "dtype: [f32, bf16]\npass: [fwd, bwd]\n", "quick", NULL);
    assert_int_equal(p.plan.groups, 16);
    for (int i = 0; i < p.plan.groups; i++) {
        const PlannedArm *a = p.plan.group[i].arm;
        const Problem *problem = &a->point.problem;
        Bound b;
        assert_int_equal(bound_open(&b, problem, problem->dtype, 0, device, &err), OK);
        const size_t workspace = a->point.variant->workspace(problem, 1);
        assert_true(a->memory_bytes == (double)(b.tensor_bytes + workspace));
        bound_close(&b);
    }
    close_planned(&p);
    backend_cpu.close(device);
}

/* 4 D T T FLOPs at a portable rate of 3 GFLOP/s a thread. Of a block, what is exact takes no
 * rounds, and a slow arm is called eight times at least. */
static void time_is_a_guess_by_formula(void **state)
{
    (void)state;
    static const char text[] = HEAD "compare: attention/blas\nfixed: {B: 1, H: 1, D: 64}\n"
        "hardware: {isa: portable}\nbudget: 200ms\nsweep: {T: [1024, 64]}\ninstruments: %s\n";
    const double call_s = 4 * 64 * 1024 * 1024. / 3e9 + 1e-6;
    char spec[512];
    Planned p;
    snprintf(spec, sizeof spec, text, "time");
    open_planned(&p, spec, "quick", NULL);
    const Group *slow = &p.plan.group[0], *fast = &p.plan.group[1];
    assert_true(fabs(slow->arm[0].call_s / call_s - 1) < 1e-12);
    assert_true(fabs(slow->block_s / (0.05 + 8 * call_s + 0.1) - 1) < 1e-12);
    assert_true(fabs(fast->block_s / (0.05 + 1.5 * 0.2 + 0.1) - 1) < 1e-12);
    close_planned(&p);
    snprintf(spec, sizeof spec, text, "count");
    open_planned(&p, spec, "quick", NULL);
    assert_true(fabs(p.plan.group[0].block_s / (0.05 + 0.02 + 0.1) - 1) < 1e-12);
    p.plan.group[0].arm[0].refused = OUTCOME_SKIPPED;
    assert_true(plan_guess_block(&p.plan.group[0]) == 0);
    close_planned(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(memory_has_two_limits),
        cmocka_unit_test(memory_is_what_a_problem_takes),
        cmocka_unit_test(time_is_a_guess_by_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
