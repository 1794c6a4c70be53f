/* SPDX-License-Identifier: Apache-2.0 */
/* Work, counted: the variant's own code, built for ISA "count", runs the same problem and adds up
 * every operation. Beside it stand the variant's formula for the same numbers and the method's
 * nominal cost. What counting decides needs no statistics. */
#include "../bench.h"

#include <stddef.h>
#include <stdio.h>

/* The counting build does some 20 GFLOP/s; half a second is what a point may cost. */
static const double AFFORDABLE_FLOPS = 1e10;

typedef struct { const char *name, *unit; size_t offset; } Field;
static const Field fields[] = {
    { "matmul_flops", "FLOP", offsetof(Counts, matmul_flops) },
    { "other_flops", "FLOP", offsetof(Counts, other_flops) },
    { "exps", "exps", offsetof(Counts, exps) },
    { "loaded_bytes", "B", offsetof(Counts, loaded_bytes) },
    { "stored_bytes", "B", offsetof(Counts, stored_bytes) },
};
enum { FIELDS = sizeof fields / sizeof *fields };

static int64_t field_of(const Counts *c, int i)
{
    return *(const int64_t *)((const char *)c + fields[i].offset);
}

static void report(Arm *arm, const char *prefix, const Counts *c)
{
    for (int i = 0; i < FIELDS; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s%s", prefix, fields[i].name);
        bench_metric(arm, "count", name, fields[i].unit, (double)field_of(c, i));
    }
}

static void report_nominal(Arm *arm)
{
    const Cost cost = arm->point.problem.method->cost(&arm->point.problem);
    bench_metric(arm, "count", "nominal_flops", "FLOP", cost.flops);
    bench_metric(arm, "count", "nominal_exps", "exps", cost.exps);
    bench_metric(arm, "count", "nominal_bytes", "B", cost.bytes);
    bench_metric(arm, "count", "nominal_state_bytes", "B", cost.state_bytes);
}

static const Variant *counting_build(Arm *arm)
{
    const Variant *v = arm->point.variant, *c = variant_find(v->method, v->name, ISA_COUNT);
    const Problem *p = &arm->point.problem;
    const double flops = p->method->cost(p).flops;
    if (!c)
        bench_missing(arm, "counts: %s/%s has no counting build", v->method, v->name);
    else if (!(c->passes & p->pass) || !(c->dtypes & 1u << p->dtype) ||
             (c->refuses && c->refuses(p, 1)))
        bench_missing(arm, "counts: the counting build does not run this problem");
    else if (flops > AFFORDABLE_FLOPS)
        bench_missing(
            arm,
            "counts: %.2g FLOP are too many to count one by one (limit %.2g); the formula is "
            "checked at smaller sizes",
            flops, AFFORDABLE_FLOPS);
    else
        return c;
    return NULL;
}

/* Runs on the arm's own first input set, when everything else has been done with it. */
static int count(Bench *b, Arm *arm, const Variant *c, Counts *out)
{
    Bound *bound = &arm->set[0];
    const size_t need = c->workspace ? workspace_round(c->workspace(&bound->problem, 1)) : 0;
    Workspace ws = { .base = need ? backend_cpu.take(b->device, need) : NULL, .size = need };
    if (need && !ws.base) {
        bench_missing(arm, "counts: no memory for a workspace of %zu bytes", need);
        return 0;
    }
    Ctx ctx = { .ws = &ws, .threads = 1 };
    arm_restore(arm, 0);
    shared_blame(b->shared, arm->index, "counting its operations");
    counts = (Counts){ 0 };
    const Status status = c->run(&bound->problem, &bound->args, &ctx);
    *out = counts;
    if (need) backend_cpu.give(b->device, ws.base, need);
    if (status) bench_missing(arm, "counts: the counting build failed");
    return !status;
}

/* Of the numbers that the formula states (not 0), all must be what was counted. */
static int equal(const Counts *formula, const Counts *counted)
{
    for (int i = 0; i < FIELDS; i++)
        if (field_of(formula, i) && field_of(formula, i) != field_of(counted, i)) return 0;
    return 1;
}

static void measure_arm(Bench *b, Arm *arm)
{
    const Problem *p = &arm->point.problem;
    Counts formula = { 0 }, counted;
    report_nominal(arm);
    if (arm->point.variant->counts) {
        arm->point.variant->counts(p, &formula);
        report(arm, "formula.", &formula);
    }
    const Variant *c = counting_build(arm);
    if (!c || !arm_prepare(b, arm, 1) || !count(b, arm, c, &counted)) return;
    report(arm, "", &counted);
    if (!c->counts) return;
    formula = (Counts){ 0 };
    c->counts(&arm->set[0].problem, &formula);
    bench_metric(arm, "count", "formula_equal", "", equal(&formula, &counted));
}

static Status measure(Bench *b, Err *err)
{
    (void)err;
    for (int i = 0; i < b->arms; i++)
        if (arm_lives(&b->arm[i])) measure_arm(b, &b->arm[i]);
    return OK;
}

extern const Instrument instrument_count;
const Instrument instrument_count = {
    .name = "count",
    .stage = STAGE_COUNT,
    .exact = 1,
    .measure = measure,
    .summary = "operations executed, counted one by one, beside the variant's formula and the "
               "nominal cost",
    .yields = "matmul_flops, other_flops, exps, loaded_bytes, stored_bytes (counted); the same as "
              "formula.NAME; formula_equal; nominal_flops, nominal_exps, nominal_bytes, "
              "nominal_state_bytes (the method's convention)",
};
