/* SPDX-License-Identifier: Apache-2.0 */
/* Ceilings: that the loops do the work they are paid for, that the best reading is kept, and what a
 * list of ceilings says about a point. No reading is compared with an expected speed. */
#include "measure_toy.h"

#include "../../kernels/core/ceiling.h"
#include "../../kernels/core/parallel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* 2 cores, 32 KiB and 1 MiB each, 16 MiB for both; whatever the machine has. */
static const Topology made_up = { .cores = 2, .cache_bytes = { 0, 32 << 10, 1 << 20, 16 << 20 },
                                  .cache_cores = { 0, 1, 1, 2 } };

static int use_made_up(void **state) { (void)state; topology_set(&made_up); return 0; }

static void levels_hold_what_they_hold(void **state)
{
    (void)state;
    assert_int_equal(level_capacity(LEVEL_L1, 1), 32 << 10);
    assert_int_equal(level_capacity(LEVEL_L2, 2), 2 << 20);
    assert_int_equal(level_capacity(LEVEL_L3, 2), 16 << 20);
    assert_int_equal(level_of(1, 1), LEVEL_L1);
    assert_int_equal(level_of((32 << 10) + 1, 1), LEVEL_L2);
    assert_int_equal(level_of((32 << 10) + 1, 2), LEVEL_L1);
    assert_int_equal(level_of(2 << 20, 1), LEVEL_L3);
    assert_int_equal(level_of((16 << 20) + 1, 2), LEVEL_DRAM);
    const Topology no_l3 = { .cores = 1,
                             .cache_bytes = { 0, 32 << 10, 1 << 20, 0 },
                             .cache_cores = { 0, 1, 1, 0 } };
    topology_set(&no_l3);
    assert_int_equal(level_capacity(LEVEL_L3, 1), 0);
    assert_int_equal(level_of(2 << 20, 1), LEVEL_DRAM);
}

static Ceiling reading(CeilingKind kind, Level level, int threads, double value)
{
    return (Ceiling){ .kind = kind,
                      .isa = ISA_PORTABLE,
                      .level = level,
                      .threads = threads,
                      .value = value,
                      .readings = 1 };
}

static void keep(CeilingList *list, CeilingKind kind, Level level, int threads, double value)
{
    const Ceiling c = reading(kind, level, threads, value);
    ceiling_keep(list, &c);
}

static void the_best_reading_stays(void **state)
{
    (void)state;
    CeilingList list = { .count = 0 };
    keep(&list, CEILING_READ, LEVEL_L2, 1, 50e9);
    keep(&list, CEILING_READ, LEVEL_L2, 1, 80e9);
    keep(&list, CEILING_READ, LEVEL_L2, 1, 60e9);
    keep(&list, CEILING_READ, LEVEL_L2, 2, 10e9);
    assert_int_equal(list.count, 2);
    const Ceiling *c = ceiling_find(&list, CEILING_READ, ISA_AVX2, LEVEL_L2, 1);
    assert_non_null(c);                 /* bandwidth is found whatever the ISA */
    assert_true(c->value == 80e9 && c->readings == 3);
    assert_null(ceiling_find(&list, CEILING_READ, ISA_AVX2, LEVEL_L3, 1));
    keep(&list, CEILING_FMA, LEVEL_NONE, 1, 100e9);
    assert_null(ceiling_find(&list, CEILING_FMA, ISA_AVX2, LEVEL_NONE, 1));
    assert_non_null(ceiling_find(&list, CEILING_FMA, ISA_PORTABLE, LEVEL_NONE, 1));
}

/* The toy moves 8 N bytes and does 2 N FLOPs and what its parameter claims. */
static void limits_are_the_larger_of_two_times(void **state)
{
    (void)state;
    CeilingList list = { .count = 0 };
    keep(&list, CEILING_FMA, LEVEL_NONE, 1, 10e9);
    keep(&list, CEILING_READ, LEVEL_L2, 1, 40e9);
    Point point = toy_point("right", 10000, FWD);
    Limit limit = ceiling_limit(&list, &point, 0);
    assert_true(limit.level == LEVEL_L2);
    assert_float_equal(limit.memory_ns, 80000 / 40.0, 1e-9);
    assert_float_equal(limit.compute_ns, 20000 / 10.0, 1e-9);
    point.problem.value[TOY_MFLOPS] = 1;
    limit = ceiling_limit(&list, &point, 0);
    assert_float_equal(limit.limit_ns, 1020000 / 10.0, 1e-9);
    assert_string_equal(limit.name, "fma");
    point = toy_point("right", 100000, FWD);        /* L2 still, 8 N = 800 kB */
    point.problem.value[TOY_MFLOPS] = 0;
    list.count = 1;                                  /* bandwidth not known */
    assert_true(ceiling_limit(&list, &point, 0).memory_ns == 0);
}

/* 80,000 bytes: 32 KiB of them may lie in L1, the rest in L2. */
static void the_floor_takes_the_fastest_level_for_each_byte(void **state)
{
    (void)state;
    CeilingList list = { .count = 0 };
    keep(&list, CEILING_READ, LEVEL_L1, 1, 100e9);
    keep(&list, CEILING_READ, LEVEL_L2, 1, 50e9);
    const Point point = toy_point("right", 10000, FWD);
    assert_float_equal(ceiling_floor_ns(&list, &point), 32768 / 100.0 + (80000 - 32768) / 50.0,
                       1e-9);
    keep(&list, CEILING_FMA, LEVEL_NONE, 1, 1e9);
    assert_float_equal(ceiling_floor_ns(&list, &point), 20000, 1e-9);
    keep(&list, CEILING_DOT, LEVEL_NONE, 1, 4e9);    /* the machine's best peak counts */
    assert_float_equal(ceiling_floor_ns(&list, &point), 5000, 1e-9);
}

/* ---- the loops ----------------------------------------------------------------------- */

static void loops_do_their_work(void **state)
{
    (void)state;
    enum { FLOATS = 1024 };
    float *x = NULL, sink = NAN;
    assert_int_equal(posix_memalign((void **)&x, 64, 3 * FLOATS * sizeof *x), 0);
    for (Isa isa = ISA_PORTABLE; isa < ISA_COUNT; isa++) {
        const CeilingLoops *loops = isa_runs_here(isa) ? ceiling_loops(isa) : NULL;
        if (!loops) continue;
        assert_int_equal(loops->isa, isa);
        const int64_t one = loops->fma(1, &sink), many = loops->fma(1000, &sink);
        assert_true(one > 0 && one % (2 * loops->lanes) == 0);
        assert_int_equal(many, 1000 * one);
        assert_true(isfinite(sink));
        if (loops->dot) assert_int_equal(loops->dot(1000, &sink) % (4 * loops->lanes), 0);
        for (int i = 0; i < 3 * FLOATS; i++) x[i] = (float)i;
        loops->triad(x, x + FLOATS, x + 2 * FLOATS, FLOATS * sizeof *x, 2);
        for (int i = 0; i < FLOATS; i++)
            assert_true(x[i] == (float)(FLOATS + i) + 3 * (float)(2 * FLOATS + i));
        loops->read(x, 3 * FLOATS * sizeof *x, 2, &sink);
    }
    free(x);
}

static void bursts_are_kept_or_refused_with_a_reason(void **state)
{
    (void)state;
    Device *device;
    Err err = { "" };
    CeilingProbe probe;
    CeilingList list = { .count = 0 };
    assert_int_equal(backend_cpu.open(&device, &err), OK);
    probe_open(&probe, device, NULL);
    assert_int_equal(probe_burst(&probe, CEILING_FMA, ISA_PORTABLE, LEVEL_NONE, 1000, &list, &err),
                     OK);
    assert_int_equal(probe_burst(&probe, CEILING_READ, ISA_PORTABLE, LEVEL_L1, 1000, &list, &err),
                     OK);
    assert_int_equal(probe_burst(&probe, CEILING_TRIAD, ISA_PORTABLE, LEVEL_L2, 1000, &list, &err),
                     OK);
    assert_int_equal(list.count, 3);
    for (int i = 0; i < list.count; i++)
        assert_true(list.item[i].value > 0 && list.item[i].threads == 1);
    assert_int_equal(probe_burst(&probe, CEILING_DOT, ISA_PORTABLE, LEVEL_NONE, 1000, &list, &err),
                     UNSUPPORTED);
    assert_non_null(strstr(err.text, "no bf16 dot product"));
    assert_int_equal(probe_burst(&probe, CEILING_FMA, ISA_CUDA, LEVEL_NONE, 1000, &list, &err),
                     UNSUPPORTED);
    probe_close(&probe);
    backend_cpu.close(device);
}

/* With two threads twice the work is done, and the caller may run where it could before. */
static void the_table_is_whole_and_unpins_its_caller(void **state)
{
    (void)state;
    CeilingList list = { .count = 0 };
    Err err = { "" };
    const Affinity before = affinity_now();
    int cpu[2] = { 0, 0 };
    const int threads = machine_cpus(cpu, 2);
    if (ceilings_measure(&list, cpu, threads, 1, &err)) fail_msg("%s", err.text);
    const Affinity after = affinity_now();
    assert_memory_equal(before.bits, after.bits, sizeof before.bits);
    for (int n = 1; n <= threads; n++)
        for (Level level = LEVEL_L1; level < LEVEL_END; level++)
            for (CeilingKind kind = CEILING_READ; kind <= CEILING_TRIAD; kind++)
                assert_non_null(ceiling_find(&list, kind, ISA_END, level, n));
    assert_non_null(ceiling_find(&list, CEILING_FMA, ISA_PORTABLE, LEVEL_NONE, threads));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(levels_hold_what_they_hold, use_made_up),
        cmocka_unit_test_setup(the_best_reading_stays, use_made_up),
        cmocka_unit_test_setup(limits_are_the_larger_of_two_times, use_made_up),
        cmocka_unit_test_setup(the_floor_takes_the_fastest_level_for_each_byte, use_made_up),
        cmocka_unit_test_setup(loops_do_their_work, use_made_up),
        cmocka_unit_test_setup(bursts_are_kept_or_refused_with_a_reason, use_made_up),
        cmocka_unit_test_setup(the_table_is_whole_and_unpins_its_caller, use_made_up),
    };
    (void)toy_parse;
    (void)toy_main;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
