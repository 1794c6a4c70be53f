/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of toys: what is measured, in which order, and that every way to break ends in an outcome
 * with a reason while the other arms are still measured. */
#include "measure_toy.h"

#include "../../harness/cli.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

/* ---- helpers ------------------------------------------------------------------------- */

typedef struct { Point arm[4]; MeasurePlan plan; Measure *m; } Group;

static void open_group(Group *g, const char *a, const char *b)
{
    *g = (Group){ .plan = { .instrument = { "time", "accuracy", "memory" }, .seed = 7,
                            .budget_ns = 4000000, .limit_wall_ns = (int64_t)60 * 1000000000 } };
    g->arm[g->plan.arms++] = toy_point(a, 1000, FWD);
    if (b) g->arm[g->plan.arms++] = toy_point(b, 1000, FWD);
    g->plan.arm = g->arm;
}

static void measure_group(Group *g, int block, BlockRecord *out)
{
    Err err = { "" };
    if (!g->m && measure_open(&g->m, &g->plan, &err)) fail_msg("%s", err.text);
    if (measure_block(g->m, block, out, &err)) fail_msg("%s", err.text);
    assert_int_equal(out->runs, g->plan.arms);
    assert_int_equal(out->block, block);
}

static void close_group(Group *g, BlockRecord *block)
{
    block_free(block);
    measure_close(g->m);
}

static double metric(const RunRecord *run, const char *instrument, const char *name)
{
    for (int i = 0; i < run->metrics; i++)
        if (!strcmp(run->metric[i].instrument, instrument) && !strcmp(run->metric[i].name, name))
            return run->metric[i].value;
    return NAN;
}

static int timed(const RunRecord *run)
{
    int n = 0;
    for (int i = 0; i < run->epochs; i++) n += !run->epoch[i].warmup;
    return n;
}

static void assert_ok(const RunRecord *run)
{
    if (run->outcome != OUTCOME_OK) fail_msg("%s: %s", outcome_name(run->outcome), run->reason);
    assert_string_equal(run->reason, "");
    assert_true(timed(run) >= 2);
}

/* The second arm breaks in a given way; the first is measured all the same. */
static void assert_breaks(const char *variant, Outcome outcome, const char *reason)
{
    Group g;
    BlockRecord block;
    open_group(&g, "right", variant);
    measure_group(&g, 0, &block);
    assert_ok(&block.run[0]);
    assert_string_equal(outcome_name(block.run[1].outcome), outcome_name(outcome));
    if (!strstr(block.run[1].reason, reason))
        fail_msg("'%s' does not say '%s'", block.run[1].reason, reason);
    if (outcome != OUTCOME_NONDETERMINISTIC) assert_int_equal(block.run[1].epochs, 0);
    close_group(&g, &block);
}

/* ---- what is measured ---------------------------------------------------------------- */

static void a_block_holds_epochs_and_metrics(void **state)
{
    Group g;
    BlockRecord block;
    (void)state;
    open_group(&g, "right", "twice");
    measure_group(&g, 0, &block);
    for (int i = 0; i < 2; i++) {
        const RunRecord *run = &block.run[i];
        assert_ok(run);
        assert_true(metric(run, "accuracy", "error_rel") <= 1e-6);
        assert_true(metric(run, "accuracy", "whole") == 1);
        assert_true(metric(run, "accuracy", "compared") >= 1000);
        assert_true(metric(run, "accuracy", "nan_count") == 0);
        assert_true(metric(run, "memory", "tensor_bytes") == 8000);
        assert_true(metric(run, "memory", "output_bytes") == 4000);
        assert_true(metric(run, "memory", "workspace_bytes") == 0);
        assert_true(metric(run, "time", "first_call_ns") > 0);
        assert_true(metric(run, "time", "fraction_of_limit") > 0);
        for (int k = 0; k < run->epochs; k++) {
            assert_true(run->epoch[k].wall_ns > 0 && run->epoch[k].cpu_ns > 0 &&
                        run->epoch[k].calls >= 1);
            assert_true(run->epoch[k].delay_ns >= -1 && run->epoch[k].switches >= -1);
        }
    }
    assert_int_equal(block.run[0].epoch[block.run[0].epochs - 1].calls,
                     block.run[1].epoch[block.run[1].epochs - 1].calls);
    assert_true(block.started_at_ms > 1700000000000 && block.duration_ms > 0);
    assert_non_null(ceiling_find(measure_ceilings(g.m), CEILING_FMA, ISA_PORTABLE, LEVEL_NONE, 1));
    assert_non_null(ceiling_find(measure_ceilings(g.m), CEILING_READ, ISA_PORTABLE, LEVEL_L1, 1));
    close_group(&g, &block);
}

/* The places of both arms in one round differ; over two rounds each arm stands once in each
 * place. */
static void rounds_are_latin_squares(void **state)
{
    Group g;
    BlockRecord block;
    (void)state;
    open_group(&g, "right", "twice");
    measure_group(&g, 0, &block);
    const RunRecord *a = &block.run[0], *b = &block.run[1];
    int compared = 0, last = -1;
    for (int i = 0; i < a->epochs; i++) {
        if (a->epoch[i].round < 0) continue;
        for (int k = 0; k < b->epochs; k++) {
            if (b->epoch[k].round != a->epoch[i].round) continue;
            assert_int_equal(a->epoch[i].position + b->epoch[k].position, 1);
            assert_int_equal(a->epoch[i].warmup, b->epoch[k].warmup);
            compared++;
        }
        assert_int_equal(a->epoch[i].round, last + 1);
        last = a->epoch[i].round;
        if (last % 2) assert_int_equal(a->epoch[i].position + a->epoch[i - 1].position, 1);
    }
    assert_true(compared >= 4);
    close_group(&g, &block);
}

static void order_depends_on_seed_and_block_only(void **state)
{
    Group g;
    BlockRecord block[3];
    (void)state;
    open_group(&g, "right", "twice");
    measure_group(&g, 0, &block[0]);
    measure_group(&g, 0, &block[1]);
    measure_group(&g, 1, &block[2]);
    int differs = 0;
    for (int i = 0, seen = 0; seen < 16 && i < block[0].run[0].epochs; i++) {
        const Epoch *x = &block[0].run[0].epoch[i];
        if (x->round < 0) continue;
        seen++;
        for (int b = 1; b < 3; b++)
            for (int k = 0; k < block[b].run[0].epochs; k++) {
                const Epoch *y = &block[b].run[0].epoch[k];
                if (y->round != x->round) continue;
                if (b == 1) assert_int_equal(x->position, y->position);
                else differs += x->position != y->position;
            }
    }
    assert_true(differs > 0);
    block_free(&block[1]);
    block_free(&block[2]);
    close_group(&g, &block[0]);
}

/* Two arms of one method, two blocks: the reference is computed once for each of the input sets. */
static void references_are_shared(void **state)
{
    Group g;
    BlockRecord block;
    char path[64];
    struct stat info;
    (void)state;
    toy_mark_file(path, sizeof path, getpid());
    const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(fd >= 0);
    open_group(&g, "right", "twice");
    measure_group(&g, 0, &block);
    block_free(&block);
    measure_group(&g, 1, &block);
    assert_ok(&block.run[1]);
    assert_true(metric(&block.run[0], "time", "input_sets") == 3);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_size, 3);
    close(fd);
    unlink(path);
    close_group(&g, &block);
}

static void phases_become_laps(void **state)
{
    Group g;
    BlockRecord block;
    (void)state;
    open_group(&g, "phases", NULL);
    measure_group(&g, 0, &block);
    assert_ok(&block.run[0]);
    assert_true(metric(&block.run[0], "time", "lap.load_ns") > 0);
    assert_true(metric(&block.run[0], "time", "lap.compute_ns") > 0);
    /* In whole cache lines. */
    assert_true(metric(&block.run[0], "memory", "workspace_used_bytes") == 4032);
    close_group(&g, &block);
}

/* Calls move the state on, so the checked output comes from one timed call from the state as
 * filled. */
static void states_are_put_back(void **state)
{
    Group g;
    BlockRecord block;
    (void)state;
    open_group(&g, "right", NULL);
    g.arm[0] = toy_point("state", 1000, STEP);
    measure_group(&g, 0, &block);
    assert_ok(&block.run[0]);
    assert_true(metric(&block.run[0], "memory", "state_bytes") == 4000);
    int single = 0;
    for (int i = 0; i < block.run[0].epochs; i++)
        single += block.run[0].epoch[i].calls == 1 && block.run[0].epoch[i].round == -1;
    assert_true(single >= 3);
    close_group(&g, &block);
}

static void cold_epochs_hold_one_call(void **state)
{
    Group g;
    BlockRecord block;
    (void)state;
    open_group(&g, "right", NULL);
    g.plan.cold = 1;
    measure_group(&g, 0, &block);
    assert_ok(&block.run[0]);
    assert_true(metric(&block.run[0], "time", "cold") == 1);
    for (int i = 0; i < block.run[0].epochs; i++)
        if (!block.run[0].epoch[i].warmup) assert_int_equal(block.run[0].epoch[i].calls, 1);
    close_group(&g, &block);
}

static void exact_instruments_speak_once(void **state)
{
    Group g;
    BlockRecord block;
    (void)state;
    open_group(&g, "right", NULL);
    g.plan.instrument[1] = "count";
    g.plan.instrument[2] = NULL;
    measure_group(&g, 0, &block);
    assert_false(measure_is_exact(g.m));
    assert_true(metric(&block.run[0], "count", "nominal_flops") == 2000);
    assert_non_null(strstr(block.run[0].note, "no counting build"));
    block_free(&block);
    measure_group(&g, 1, &block);
    assert_true(isnan(metric(&block.run[0], "count", "nominal_flops")));
    close_group(&g, &block);
    open_group(&g, "right", NULL);
    g.plan.instrument[0] = "count";
    g.plan.instrument[1] = NULL;
    measure_group(&g, 0, &block);
    assert_true(measure_is_exact(g.m));
    assert_int_equal(block.run[0].outcome, OUTCOME_OK);
    close_group(&g, &block);
}

/* ---- what breaks --------------------------------------------------------------------- */

static void wrong_is_not_timed(void **s)
{
    (void)s;
    assert_breaks("wrong", OUTCOME_WRONG, "y is off by");
}
static void cheating_is_found(void **s)
{
    (void)s;
    assert_breaks("cheat", OUTCOME_WRONG, "y is off by");
}
static void flaky_is_found(void **s)
{
    (void)s;
    assert_breaks("flaky", OUTCOME_NONDETERMINISTIC, "equal inputs");
}
static void guards_are_looked_at(void **s)
{
    (void)s;
    assert_breaks("outside", OUTCOME_WRONG, "outside of tensor y");
}
static void crash_keeps_stderr(void **s)
{
    (void)s;
    assert_breaks("crash", OUTCOME_CRASHED, "about to crash");
}
static void crash_names_the_signal(void **s)
{
    (void)s;
    assert_breaks("crash", OUTCOME_CRASHED, "signal 6");
}
static void leaving_is_a_crash(void **s)
{
    (void)s;
    assert_breaks("leave", OUTCOME_CRASHED, "exit code 3 while making its first call");
}
static void garbage_is_noticed(void **s)
{
    (void)s;
    assert_breaks("garbage", OUTCOME_CRASHED, "damaged");
}
static void refusal_has_its_reason(void **s)
{
    (void)s;
    assert_breaks("refuses", OUTCOME_UNSUPPORTED, "not on a Sunday");
}

static void memory_is_limited(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip();    /* its shadow memory has no place under such a limit */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    skip();
#endif
#endif
    static const char *const variant[] = { "huge", "greedy" };
    for (int i = 0; i < 2; i++) {
        Group g;
        BlockRecord block;
        open_group(&g, "right", variant[i]);
        g.plan.limit_memory_bytes = 256 << 20;
        measure_group(&g, 0, &block);
        assert_ok(&block.run[0]);
        assert_string_equal(outcome_name(block.run[1].outcome), "out-of-memory");
        assert_true(*block.run[1].reason);
        close_group(&g, &block);
    }
}

static void hanging_is_a_timeout_and_not_tried_twice(void **state)
{
    Group g;
    BlockRecord block;
    (void)state;
    open_group(&g, "hang", "right");
    g.plan.limit_wall_ns = (int64_t)3 * 1000000000;
    for (int i = 0; i < 2; i++) {
        measure_group(&g, i, &block);
        assert_string_equal(outcome_name(block.run[0].outcome), "timeout");
        assert_non_null(strstr(block.run[0].reason, "more than 3 s while making its first call"));
        assert_ok(&block.run[1]);
        if (i == 0) block_free(&block);
    }
    close_group(&g, &block);
}

static void faster_than_physics_is_impossible(void **state)
{
    Group g;
    BlockRecord block;
    (void)state;
    open_group(&g, "right", "right");
    g.arm[1].problem.value[TOY_MFLOPS] = 100000;    /* 100 GFLOP in a microsecond */
    measure_group(&g, 0, &block);
    assert_ok(&block.run[0]);
    assert_string_equal(outcome_name(block.run[1].outcome), "impossible");
    close_group(&g, &block);
}

static void too_many_threads_are_unsupported(void **state)
{
    Group g;
    BlockRecord block;
    (void)state;
    open_group(&g, "right", "right");
    g.arm[1].threads = THREADS_MAX;
    measure_group(&g, 0, &block);
    assert_ok(&block.run[0]);
    assert_string_equal(outcome_name(block.run[1].outcome), "unsupported");
    assert_non_null(strstr(block.run[1].reason, "cores"));
    close_group(&g, &block);
}

static void plans_are_checked(void **state)
{
    Group g;
    Err err;
    (void)state;
    open_group(&g, "right", NULL);
    g.plan.instrument[1] = "tmie";
    assert_int_equal(measure_open(&g.m, &g.plan, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "there is no instrument 'tmie'; there are: accuracy"));
    g.plan.arms = 0;
    assert_int_equal(measure_open(&g.m, &g.plan, &err), BAD_INPUT);
}

static void an_interrupt_leaves_nothing(void **state)
{
    Group g;
    BlockRecord block;
    Err err;
    (void)state;
    open_group(&g, "right", NULL);
    assert_int_equal(measure_open(&g.m, &g.plan, &err), OK);
    interrupted = 1;
    assert_int_not_equal(measure_block(g.m, 0, &block, &err), OK);
    interrupted = 0;
    assert_int_equal(block.runs, 0);
    assert_null(block.run);
    measure_close(g.m);
}

/* ---- nothing is left behind ---------------------------------------------------------- */

static void wait_ms(int ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static int children_of(long pid)
{
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", pid, pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    const size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    return atoi(text);
}

/* A worker that hangs is gone as soon as its parent is killed. */
static void workers_die_with_their_parent(void **state)
{
    (void)state;
    const pid_t parent = fork();
    if (parent == 0) {
        Group g;
        BlockRecord block;
        open_group(&g, "hang", NULL);
        measure_group(&g, 0, &block);
        _exit(0);
    }
    int worker = 0;
    for (int i = 0; i < 500 && !worker; i++) {
        wait_ms(10);
        worker = children_of(parent);
    }
    if (!worker) {                 /* this kernel does not list children */
        kill(parent, SIGKILL);
        waitpid(parent, NULL, 0);
        skip();
    }
    wait_ms(50);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    for (int i = 0; i < 500 && !kill(worker, 0); i++) wait_ms(10);
    assert_int_equal(kill(worker, 0), -1);
}

int main(int argc, char **argv)
{
    int code;
    if (toy_main(argc, argv, &code)) return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_holds_epochs_and_metrics),
        cmocka_unit_test(rounds_are_latin_squares),
        cmocka_unit_test(order_depends_on_seed_and_block_only),
        cmocka_unit_test(references_are_shared),
        cmocka_unit_test(phases_become_laps),
        cmocka_unit_test(states_are_put_back),
        cmocka_unit_test(cold_epochs_hold_one_call),
        cmocka_unit_test(exact_instruments_speak_once),
        cmocka_unit_test(wrong_is_not_timed),
        cmocka_unit_test(cheating_is_found),
        cmocka_unit_test(flaky_is_found),
        cmocka_unit_test(guards_are_looked_at),
        cmocka_unit_test(crash_keeps_stderr),
        cmocka_unit_test(crash_names_the_signal),
        cmocka_unit_test(leaving_is_a_crash),
        cmocka_unit_test(garbage_is_noticed),
        cmocka_unit_test(refusal_has_its_reason),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(hanging_is_a_timeout_and_not_tried_twice),
        cmocka_unit_test(faster_than_physics_is_impossible),
        cmocka_unit_test(too_many_threads_are_unsupported),
        cmocka_unit_test(plans_are_checked),
        cmocka_unit_test(an_interrupt_leaves_nothing),
        cmocka_unit_test(workers_die_with_their_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
