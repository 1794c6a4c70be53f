/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: which comparisons a spec becomes and in which order, and what is not measured again
 * because the database holds it. */
#include "db_rows.h"
#include "planned.h"

/* The comparison of db_rows.h, and a longer one that its database knows nothing of. */
#define STORED TWO "fixed: {B: 1, H: 1, D: 16}\nsweep: {T: [64, 128]}\n" \
                   "instruments: [time, accuracy]\n"

/* ---- which comparisons --------------------------------------------------------------------- */

/* Every point, a line for each comparison. */
static void points_are(const Plan *plan, const char *right)
{
    char got[8192] = "", text[POINT_TEXT_MAX];
    for (int i = 0; i < plan->groups; i++)
        for (int k = 0; k < plan->group[i].arms; k++) {
            const Group *g = &plan->group[i];
            point_print(&g->arm[k].point, text, sizeof text);
            assert_true(strlen(got) + strlen(text) + 2 < sizeof got);
            sprintf(got + strlen(got), "%s%s", text, k + 1 < g->arms ? " " : "\n");
        }
    assert_string_equal(got, right);
}

static void planned(const char *spec, const char *profile, const char *only, const char *right)
{
    Planned p;
    open_planned(&p, spec, profile, only);
    points_are(&p.plan, right);
    close_planned(&p);
}

#define BLAS    "attention/blas@portable:B=1,H=1,"
#define UNFUSED "attention/unfused@portable:B=1,H=1,"
#define SMALL   "fixed: {B: 1, H: 1}\nhardware: {isa: portable}\n"

/* The order is what a budget spends first: dtype, pass, then the sweep, its last axis fastest; the
 * arms as the spec has them. */
static void sweeps_become_comparisons_in_their_order(void **state)
{
    (void)state;
    planned(TWO SMALL "sweep: {T: [8, 4], D: [2, 3]}\n", "quick", NULL,
            BLAS "T=8,D=2,causal=0:f32:fwd " UNFUSED "T=8,D=2,causal=0:f32:fwd\n"
            BLAS "T=8,D=3,causal=0:f32:fwd " UNFUSED "T=8,D=3,causal=0:f32:fwd\n"
            BLAS "T=4,D=2,causal=0:f32:fwd " UNFUSED "T=4,D=2,causal=0:f32:fwd\n"
            BLAS "T=4,D=3,causal=0:f32:fwd " UNFUSED "T=4,D=3,causal=0:f32:fwd\n");
    planned(HEAD "compare: attention/blas\n" SMALL "sweep: {T: [4, 8], D: 2}\n"
            "dtype: [bf16, f32]\npass: [bwd, fwd]\n", "quick", NULL,
            BLAS "T=4,D=2,causal=0:bf16:bwd\n" BLAS "T=8,D=2,causal=0:bf16:bwd\n"
            BLAS "T=4,D=2,causal=0:bf16:fwd\n" BLAS "T=8,D=2,causal=0:bf16:fwd\n"
            BLAS "T=4,D=2,causal=0:f32:bwd\n" BLAS "T=8,D=2,causal=0:f32:bwd\n"
            BLAS "T=4,D=2,causal=0:f32:fwd\n" BLAS "T=8,D=2,causal=0:f32:fwd\n");
}

static void profiles_and_parts_are_followed(void **state)
{
    (void)state;
    static const char text[] = HEAD "compare: attention/blas\n" SMALL
        "parts:\n"
        "  - {sweep: {T: [4, 8], D: 2}}\n"
        "  - {sweep: {T: 16, D: 2}, pass: bwd, profiles: {smoke: {skip: 1}}}\n"
        "profiles: {smoke: {T: {to: 4}}}\n";
    planned(text, "smoke", NULL, BLAS "T=4,D=2,causal=0:f32:fwd\n");
    planned(text, "quick", NULL,
            BLAS "T=4,D=2,causal=0:f32:fwd\n" BLAS "T=8,D=2,causal=0:f32:fwd\n"
            BLAS "T=16,D=2,causal=0:f32:bwd\n");
}

/* A comparison stays whole where any of its arms matches. */
static void only_chooses_comparisons(void **state)
{
    (void)state;
    static const char text[] = TWO SMALL "sweep: {T: [4, 8], D: 2}\n";
    planned(text, "quick", "*/unfused*T=8,*",
            BLAS "T=8,D=2,causal=0:f32:fwd " UNFUSED "T=8,D=2,causal=0:f32:fwd\n");
    planned(text, "quick", "attention/blas", "");
}

/* At causal=1 the two arms are one and the same point. */
static void equal_points_are_one_arm(void **state)
{
    (void)state;
    planned(HEAD "compare: [attention/blas, \"attention/blas:causal=1\"]\n" SMALL
            "sweep: {T: 4, D: 2, causal: [0, 1]}\n", "quick", NULL,
            BLAS "T=4,D=2,causal=0:f32:fwd " BLAS "T=4,D=2,causal=1:f32:fwd\n"
            BLAS "T=4,D=2,causal=1:f32:fwd\n");
}

static int comparisons_of(const char *second_part)
{
    char text[1024];
    Planned p;
    snprintf(text, sizeof text, TWO SMALL
             "parts:\n"
             "  - {sweep: {T: 4, D: 2}, instruments: memory, blocks: 3}\n"
             "  - {sweep: {T: 4, D: 2}, %s}\n", second_part);
    open_planned(&p, text, "quick", NULL);
    const int n = p.plan.groups;
    close_planned(&p);
    return n;
}

static void the_same_comparison_is_planned_once(void **state)
{
    (void)state;
    assert_int_equal(comparisons_of("instruments: memory, blocks: 3"), 1);
    assert_int_equal(comparisons_of("instruments: memory, blocks: 2"), 1);
    assert_int_equal(comparisons_of("instruments: memory, blocks: 4"), 2);
    assert_int_equal(comparisons_of("instruments: count, blocks: 3"), 2);
    assert_int_equal(comparisons_of("instruments: memory, blocks: 3, compare: attention/blas"), 2);
}

/* ---- the machine's axes -------------------------------------------------------------------- */

static void each_number_of_threads_comes_once(void **state)
{
    (void)state;
    char text[512];
    Planned p;
    open_planned(&p, TWO "sweep: {T: 4}\n", "quick", NULL);
    const int cores = p.plan.cores;
    close_planned(&p);
    snprintf(text, sizeof text, TWO "sweep: {T: 4}\nhardware: {threads: [1, all, %d]}\n", cores);
    open_planned(&p, text, "quick", NULL);
    assert_int_equal(p.plan.groups, cores > 1 ? 2 : 1);
    assert_int_equal(p.plan.group[0].arm[0].point.threads, 1);
    assert_int_equal(p.plan.group[p.plan.groups - 1].arm[1].point.threads, cores);
    close_planned(&p);
}

static int isas_here(const char *method, const char *variant)
{
    int n = 0;
    for (Isa isa = ISA_PORTABLE; isa < ISA_COUNT; isa++)
        n += isa_runs_here(isa) && variant_find(method, variant, isa);
    return n;
}

static void instruction_sets_are_an_axis(void **state)
{
    (void)state;
    Planned p;
    open_planned(&p, TWO "sweep: {T: 4}\nhardware: {isa: all}\n", "quick", NULL);
    assert_int_equal(p.plan.groups, isas_here("attention", "blas"));
    for (int i = 0; i < p.plan.groups; i++) {
        const PlannedArm *a = p.plan.group[i].arm;
        assert_int_equal(a[0].point.variant->isa, a[1].point.variant->isa);
        assert_int_equal(a[0].refused, OUTCOME_OK);
    }
    close_planned(&p);
    open_planned(&p, HEAD "compare: [attention/blas@portable, attention/unfused]\n"
                 "sweep: {T: 4}\nhardware: {isa: best}\n", "quick", NULL);
    assert_int_equal(p.plan.group[0].arm[0].point.variant->isa, ISA_PORTABLE);
    assert_ptr_equal(p.plan.group[0].arm[1].point.variant,
                     variant_find("attention", "unfused", ISA_END));
    close_planned(&p);
}

/* Built for other processors: no point of this program's, so it cannot even be a row. */
static void arms_that_this_program_lacks_are_left_out(void **state)
{
    (void)state;
    char text[512];
    Planned p;
    const int x86 = variant_find("attention", "blas", ISA_AVX2) != NULL;
    snprintf(text, sizeof text,
             HEAD "compare: [attention/blas, attention/blas@%s]\nsweep: {T: 4}\n",
             x86 ? "neon" : "avx2");
    open_planned(&p, text, "quick", NULL);
    assert_int_equal(p.plan.groups, 1);
    assert_int_equal(p.plan.group[0].arms, 1);
    assert_int_equal(p.plan.left_out, 1);
    close_planned(&p);
}

/* ---- what is known already ----------------------------------------------------------------- */

static Planned looked_up(Db *db, const char *spec, int64_t machine)
{
    Planned p;
    Err err = { "" };
    open_planned(&p, spec, "quick", NULL);
    fine(plan_look_up(&p.plan, db, machine, &err), &err);
    return p;
}

static void stored_blocks_are_not_planned_again(void **state)
{
    (void)state;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    for (int i = 0; i < 3; i++) store(db, i, 1.5);
    Planned p = looked_up(db, STORED, context.from.machine);
    const Group *stored = &p.plan.group[0], *fresh_one = &p.plan.group[1];
    assert_int_equal(stored->known.blocks, 3);
    assert_int_equal(fresh_one->known.blocks, 0);
    assert_false(group_wants(stored, 3));
    assert_true(group_wants(stored, 4));
    assert_true(group_wants(fresh_one, 1));
    assert_true(stored->block_s == 0.25);             /* what they took, no guess any more */
    assert_true(fresh_one->block_s == plan_guess_block(fresh_one));
    close_planned(&p);
    db_close(db);
}

/* Another machine's blocks, or those without an instrument that is wanted now, are no answer. */
static void other_measurements_do_not_count(void **state)
{
    (void)state;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    store(db, 0, 1.5);
    Planned p = looked_up(db, STORED, context.from.machine + 1);
    assert_int_equal(p.plan.group[0].known.blocks, 0);
    close_planned(&p);
    p = looked_up(db, TWO "fixed: {B: 1, H: 1, D: 16}\nsweep: {T: 64}\n"
                  "instruments: [time, accuracy, memory]\n", context.from.machine);
    assert_int_equal(p.plan.group[0].known.blocks, 0);
    close_planned(&p);
    p = looked_up(db, TWO "fixed: {B: 1, H: 1, D: 16}\nsweep: {T: 64}\ninstruments: time\n",
                  context.from.machine);
    assert_int_equal(p.plan.group[0].known.blocks, 1);    /* more than was asked for is enough */
    close_planned(&p);
    db_close(db);
}

static int is_undecided(double ratio)
{
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    for (int i = 0; i < 6; i++) store(db, i, ratio + (i % 2 ? 0.02 : 0));
    refresh(db);
    Planned p = looked_up(db, STORED, context.from.machine);
    const int undecided = group_is_undecided(&p.plan.group[0]);
    close_planned(&p);
    db_close(db);
    return undecided;
}

static void pairs_with_a_verdict_are_decided(void **state)
{
    (void)state;
    assert_false(is_undecided(1.5));
}

static void pairs_without_one_are_not(void **state)
{
    (void)state;
    assert_true(is_undecided(1.01));
}

static void store_outcome(Db *db, int which, Outcome outcome)
{
    Block b;
    Err err;
    make_block(&b, 0, 1.5);
    b.run[which].outcome = outcome;
    b.run[which].epochs = b.run[which].metrics = 0;
    fine(db_store_block(db, &context, arm, 2, &b.record, &err), &err);
}

static void what_failed_for_good_is_not_tried_again(void **state)
{
    (void)state;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    store_outcome(db, 1, OUTCOME_WRONG);
    Planned p = looked_up(db, STORED, context.from.machine);
    Group *g = &p.plan.group[0];
    assert_true(g->known.failed[1] && !g->known.failed[0]);
    assert_int_equal(g->known.blocks, 1);                 /* of the arm that is left */
    assert_true(group_is_open(g));
    g->arm[0].refused = OUTCOME_SKIPPED;
    assert_false(group_is_open(g) || group_wants(g, 100));
    assert_true(group_refuses(g));                        /* that refusal is no row yet */
    g->known.failed[0] = 1;
    assert_false(group_refuses(g));
    close_planned(&p);
    db_close(db);
}

static void an_impossible_time_is_tried_again(void **state)
{
    (void)state;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    store_outcome(db, 1, OUTCOME_IMPOSSIBLE);
    Planned p = looked_up(db, STORED, context.from.machine);
    assert_false(p.plan.group[0].known.failed[1]);
    assert_int_equal(p.plan.group[0].known.blocks, 0);
    close_planned(&p);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweeps_become_comparisons_in_their_order),
        cmocka_unit_test(profiles_and_parts_are_followed),
        cmocka_unit_test(only_chooses_comparisons),
        cmocka_unit_test(equal_points_are_one_arm),
        cmocka_unit_test(the_same_comparison_is_planned_once),
        cmocka_unit_test(each_number_of_threads_comes_once),
        cmocka_unit_test(instruction_sets_are_an_axis),
        cmocka_unit_test(arms_that_this_program_lacks_are_left_out),
        cmocka_unit_test_setup_teardown(stored_blocks_are_not_planned_again, fresh, cleaned),
        cmocka_unit_test_setup_teardown(other_measurements_do_not_count, fresh, cleaned),
        cmocka_unit_test_setup_teardown(pairs_with_a_verdict_are_decided, fresh, cleaned),
        cmocka_unit_test_setup_teardown(pairs_without_one_are_not, fresh, cleaned),
        cmocka_unit_test_setup_teardown(what_failed_for_good_is_not_tried_again, fresh, cleaned),
        cmocka_unit_test_setup_teardown(an_impossible_time_is_tried_again, fresh, cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
