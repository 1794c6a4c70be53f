/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that are in no registry, and measurements that nobody made: what every instrument would
 * have said of a point, by its cost and a table of noise. */
#ifndef MADE_UP_H
#define MADE_UP_H

#include "../../harness/record.h"

#include "../../kernels/core/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { METHODS = 20, EPOCHS = 32, WARMUP = 4, METRICS_MAX = 40 };

typedef struct {
    int     machine, revision;
    int64_t blocks, samples;    /* made so far */
} When;

/* ---- made-up methods --------------------------------------------------------------------- */

static const Param params[] = {
    { .name = "B", .fallback = 1, .low = 1, .high = 4096, .shown = 1 },
    { .name = "H", .fallback = 8, .low = 1, .high = 4096, .shown = 1 },
    { .name = "T", .fallback = 1024, .low = 1, .high = 1 << 20, .shown = 1 },
    { .name = "D", .fallback = 64, .low = 1, .high = 1024, .shown = 1 },
    { .name = "causal", .low = 0, .high = 1 },
    { .name = "chunk", .low = 0, .high = 1024 },
    { 0 }
};

static Cost cost_of(const Problem *p)
{
    const double rows = (double)(p->value[0] * p->value[1] * p->value[2]), D = (double)p->value[3];
    const double passes = p->pass == BWD ? 2.5 : 1;
    return (Cost){ .flops = 4 * passes * rows * D * D, .bytes = 16 * passes * rows * D,
                   .exps = rows, .state_bytes = 4 * D * D };
}

static char    method_names[METHODS][24];
static Method  made_up[METHODS];
static Variant made_up_variant[METHODS][4];

static void make_methods(void)
{
    static const char *const names[4] = { "plain", "tiled", "chunked", "fused" };
    for (int m = 0; m < METHODS; m++) {
        snprintf(method_names[m], sizeof method_names[m], "made_up_%02d", m);
        made_up[m] = (Method){ .name = method_names[m], .usual = names[0], .param = params,
                               .cost = cost_of };
        for (int v = 0; v < 4; v++)
            made_up_variant[m][v] = (Variant){ .method = method_names[m], .name = names[v],
                                               .isa = ISA_PORTABLE };
    }
}

/* ---- made-up measurements ---------------------------------------------------------------- */

typedef struct {
    RunRecord run[ARMS_MAX];
    Epoch     epoch[ARMS_MAX][EPOCHS];
    Metric    metric[ARMS_MAX][METRICS_MAX];
} Made;

enum { NOISES = 4096 };
static double noise[NOISES];    /* standard normal, made once: that takes longer than storing */

static void make_noise(void)
{
    for (int i = 0; i < NOISES; i++) noise[i] = random_normal(1, 2, (uint64_t)i);
}

static uint64_t hash_text(const char *text)
{
    uint64_t h = 14695981039346656037u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

/* What a call takes in this block: a speed that is the variant's and the machine's own, which
 * drifts from block to block. */
static double block_ns(const When *now, const Point *p, double flops)
{
    const uint64_t who = hash_text(p->variant ? p->variant->name : "reference");
    const double speed = (4 + (double)(who % 13)) * (now->machine ? 1.7 : 1) * p->threads;
    const double drift = 0.01 * noise[(who + (uint64_t)now->blocks) % NOISES];
    return (500 + flops / speed) * (1 + drift) * (1 - 0.04 * now->revision);
}

static void add_metric(RunRecord *r, const char *instrument, const char *name, const char *unit,
                       double value)
{
    require(r->metrics < METRICS_MAX);
    Metric *m = &r->metric[r->metrics++];
    memset(m, 0, sizeof *m);
    snprintf(m->instrument, sizeof m->instrument, "%s", instrument);
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->unit, sizeof m->unit, "%s", unit);
    m->value = value;
}

static void add_time(const When *now, RunRecord *r, const Cost *cost)
{
    const double ns = block_ns(now, &r->point, cost->flops);
    const int calls = ns < 1e6 ? (int)(1e6 / ns) + 1 : 1;
    for (int i = 0; i < EPOCHS; i++) {
        const double jitter = 0.02 * noise[(now->samples + 7 * i) % NOISES];
        const double time_ns = calls * ns * (1 + jitter);
        r->epoch[i] = (Epoch){ .wall_ns = (int64_t)(1.01 * time_ns), .cpu_ns = (int64_t)time_ns,
                               .calls = calls, .round = i, .warmup = i < WARMUP };
    }
    r->epochs = EPOCHS;
    add_metric(r, "time", "limit_compute_ns", "ns", cost->flops / 80);
    add_metric(r, "time", "limit_memory_ns", "ns", cost->bytes / 20);
    add_metric(r, "time", "first_call_ns", "ns", 1.5 * ns);
    add_metric(r, "time", "lap.matmul_ns", "ns", 0.6 * ns);
    add_metric(r, "time", "lap.softmax_ns", "ns", 0.3 * ns);
}

static void add_accuracy(RunRecord *r)
{
    const double error = r->point.problem.dtype == F32 ? 3e-7 : 4e-3;
    add_metric(r, "accuracy", "error_rel", "", error);
    add_metric(r, "accuracy", "tolerance", "", 10 * error);
    add_metric(r, "accuracy", "error_abs", "", 2 * error);
    add_metric(r, "accuracy", "rmse", "", 0.2 * error);
    add_metric(r, "accuracy", "ulp", "ulp", 3);
    add_metric(r, "accuracy", "nan_count", "", 0);
}

static void add_memory(RunRecord *r, const Cost *cost)
{
    add_metric(r, "memory", "tensor_bytes", "B", cost->bytes);
    add_metric(r, "memory", "workspace_used_bytes", "B", cost->exps);
    add_metric(r, "memory", "total_bytes", "B", cost->bytes + cost->exps);
    add_metric(r, "memory", "output_bytes", "B", cost->bytes / 4);
}

static void add_count(RunRecord *r, const Cost *cost)
{
    add_metric(r, "count", "matmul_flops", "FLOP", cost->flops);
    add_metric(r, "count", "other_flops", "FLOP", 0.1 * cost->flops);
    add_metric(r, "count", "exps", "exps", cost->exps);
    add_metric(r, "count", "formula.matmul_flops", "FLOP", cost->flops);
}

static void add_cache(RunRecord *r, const Cost *cost)
{
    static const double sizes[] = { 102400, 393216, 1048576 };
    char name[40];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "total_bytes@%.0f", sizes[i]);
        add_metric(r, "cache", name, "B", cost->bytes + cost->flops / sqrt(sizes[i]));
    }
}

/* What the instruments of `list` would have said of arm `arm`. */
static void make_run(const When *now, const char *list, const Point *point, Made *made, int arm)
{
    const Cost cost = point->problem.method->cost(&point->problem);
    RunRecord *r = &made->run[arm];
    *r = (RunRecord){ .point = *point, .epoch = made->epoch[arm], .metric = made->metric[arm] };
    if (strstr(list, "time")) add_time(now, r, &cost);
    if (strstr(list, "accuracy")) add_accuracy(r);
    if (strstr(list, "memory")) add_memory(r, &cost);
    if (strstr(list, "count")) add_count(r, &cost);
    if (strstr(list, "cache")) add_cache(r, &cost);
}

/* One in a thousand comparisons runs out of memory, as some do. */
static void let_fail(RunRecord *r)
{
    r->outcome = OUTCOME_OUT_OF_MEMORY;
    r->epochs = r->metrics = 0;
    snprintf(r->reason, sizeof r->reason, "needs more than the machine has");
}

#endif
