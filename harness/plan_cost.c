/* SPDX-License-Identifier: Apache-2.0 */
/* What an arm needs, and what it cannot have here. Guesses of time need to be right within a
 * factor of three only: they order a bar, and are replaced by what the first block took. */
#include "plan.h"

#include "bind.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- memory --------------------------------------------------------------------------- */

static double memory_of(const Point *point)
{
    const Problem *p = &point->problem;
    const Variant *v = point->variant;
    double bytes = v->workspace ? (double)v->workspace(p, point->threads) : 0;
    for (int i = 0; p->method->port[i].name; i++) {
        Tensor t = { 0 };
        if (!port_shape(p, i, &t)) continue;
        const int twice = p->pass == BWD && port_has_gradient(&p->method->port[i]);
        bytes += (double)tensor_bytes(&t) * (twice ? 2 : 1);
    }
    return bytes;
}

/* ---- time ----------------------------------------------------------------------------- */

static double guess_call_s(const Point *point)
{
    static const double gflops[ISA_END] = {
        [ISA_PORTABLE] = 3, [ISA_NEON] = 8,        [ISA_AVX2] = 20,
        [ISA_AVX512] = 35,  [ISA_AVX512BF16] = 35, [ISA_CUDA] = 5000,
    };
    const Cost cost = point->problem.method->cost(&point->problem);
    const double rate = gflops[point->variant->isa] * 1e9 * point->threads;
    return fmax(cost.flops / rate, cost.bytes / 5e9) + 1e-6;
}

/* A worker's start, inputs and references; then rounds in which every arm is called at least a few
 * times, however long that takes. */
double plan_guess_block(const Group *group)
{
    const double budget_s = group->part->budget_ns ? (double)group->part->budget_ns / 1e9 : 0.1;
    double slow_s = 0, seconds = 0.05;
    int arms = 0;
    for (int i = 0; i < group->arms; i++) {
        if (group->arm[i].refused != OUTCOME_OK) continue;
        slow_s += group->arm[i].call_s;
        arms++;
    }
    seconds += group->part->exact ? 0.02 * arms : fmax(1.5 * budget_s, 8 * slow_s);
    return arms ? seconds + 0.1 * arms : 0;
}

/* ---- what cannot be done here ------------------------------------------------------------------
 */

static void refuse(PlannedArm *arm, Outcome outcome, const char *why)
{
    if (arm->refused != OUTCOME_OK) return;
    arm->refused = outcome;
    snprintf(arm->why, sizeof arm->why, "%s", why);
}

static void judge_variant(const Plan *plan, PlannedArm *arm)
{
    char why[160];
    const Point *p = &arm->point;
    const Variant *v = p->variant;
    const char *missing = isa_missing(v->isa), *refusal = NULL;
    if (missing) refuse(arm, OUTCOME_UNSUPPORTED, missing);
    if (!(v->passes & p->problem.pass)) {
        snprintf(why, sizeof why, "%s/%s has no %s pass", v->method, v->name,
                 pass_name(p->problem.pass));
        refuse(arm, OUTCOME_UNSUPPORTED, why);
    }
    if (!(v->dtypes & 1u << p->problem.dtype)) {
        snprintf(why, sizeof why, "%s/%s does not take %s", v->method, v->name,
                 dtype_name(p->problem.dtype));
        refuse(arm, OUTCOME_UNSUPPORTED, why);
    }
    if (p->threads > plan->cores) {
        snprintf(why, sizeof why, "%d threads on %d cores", p->threads, plan->cores);
        refuse(arm, OUTCOME_UNSUPPORTED, why);
    }
    if (arm->refused == OUTCOME_OK && v->refuses) refusal = v->refuses(&p->problem, p->threads);
    if (refusal) refuse(arm, OUTCOME_UNSUPPORTED, refusal);
}

static void judge_memory(const Plan *plan, const Spec *spec, PlannedArm *arm)
{
    char why[160], need[UNITS_TEXT], have[UNITS_TEXT];
    const int64_t limit = spec->limit_memory_bytes;
    bytes_print(need, arm->memory_bytes);
    if (limit && arm->memory_bytes > (double)limit) {
        bytes_print(have, (double)limit);
        snprintf(why, sizeof why, "needs at least %s, the spec's limit is %s", need, have);
        refuse(arm, OUTCOME_SKIPPED, why);
    }
    if (plan->memory_bytes && arm->memory_bytes > (double)plan->memory_bytes) {
        bytes_print(have, (double)plan->memory_bytes);
        snprintf(why, sizeof why, "needs at least %s, free are %s", need, have);
        refuse(arm, OUTCOME_OUT_OF_MEMORY, why);
    }
}

void plan_judge_arm(const Plan *plan, const Spec *spec, PlannedArm *arm)
{
    arm->refused = OUTCOME_OK;
    arm->why[0] = 0;
    judge_variant(plan, arm);
    if (arm->refused != OUTCOME_OK) return;
    arm->memory_bytes = memory_of(&arm->point);
    arm->call_s = guess_call_s(&arm->point);
    judge_memory(plan, spec, arm);
}
