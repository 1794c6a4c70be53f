/* SPDX-License-Identifier: Apache-2.0 */
/* Specs into compare groups: one group for each combination of threads, dtype, pass, ISA and row of
 * every axis, with the spec's arms in their order. */
#include "plan.h"

#include "machine.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS_MAX = 20000 };

/* ---- this machine --------------------------------------------------------------------- */

static int count_cores(void)
{
    int cpu[THREADS_MAX];
    const int n = machine_cpus(cpu, THREADS_MAX);
    return n > 0 ? n : 1;
}

/* ---- the hardware axes -------------------------------------------------------------------------
 */

static int is_built(const SpecArm *arm, Isa isa)
{
    return variant_find(arm->method->name, arm->variant, isa) != NULL;
}

/* The ISAs that a part is measured with; ISA_END: the best. `all` are those that an arm is built
 * for. */
static int isas_of(const Part *part, Isa *out)
{
    int n = 0;
    if (part->isa_choice == ISA_CHOICE_BEST) out[n++] = ISA_END;
    if (part->isa_choice == ISA_CHOICE_LIST)
        for (; n < part->isas; n++) out[n] = part->isa[n];
    for (Isa isa = ISA_PORTABLE; part->isa_choice == ISA_CHOICE_ALL && isa < ISA_COUNT; isa++) {
        int built = 0;
        for (int i = 0; i < part->arms; i++) built = built || is_built(&part->arm[i], isa);
        if (built && isa_runs_here(isa)) out[n++] = isa;
    }
    return n;
}

/* An arm's own ISA stands. One that is not built for the ISA of the sweep is measured with its
 * best: it is a scalar variant, or a library that chooses by itself. NULL: this program lacks it.
 */
static const Variant *variant_of(const SpecArm *arm, Isa isa)
{
    if (arm->isa != ISA_END) return variant_find(arm->method->name, arm->variant, arm->isa);
    const Variant *v = variant_find(arm->method->name, arm->variant, isa);
    return v ? v : variant_find(arm->method->name, arm->variant, ISA_END);
}

static int threads_of(const Part *part, int cores, int *out)
{
    int n = 0;
    for (int i = 0; i < part->thread_counts; i++) {
        const int threads = part->threads[i] ? part->threads[i] : cores;
        int twice = 0;
        for (int k = 0; k < n; k++) twice |= out[k] == threads;
        if (!twice) out[n++] = threads;
    }
    return n;
}

/* ---- groups --------------------------------------------------------------------------- */

static int same_point(const Point *a, const Point *b)
{
    char x[POINT_TEXT_MAX], y[POINT_TEXT_MAX];
    point_print(a, x, sizeof x);
    point_print(b, y, sizeof y);
    return !strcmp(x, y);
}

static int matches(const Group *g, const char *only)
{
    char text[POINT_TEXT_MAX];
    for (int i = 0; i < g->arms && only; i++) {
        point_print(&g->arm[i].point, text, sizeof text);
        if (!fnmatch(only, text, 0)) return 1;
    }
    return only == NULL;
}

/* Two specs, or two parts, may ask for the same comparison with the same instruments. */
static int is_planned(const Plan *plan, const Group *g)
{
    char mine[INSTRUMENTS_TEXT], theirs[INSTRUMENTS_TEXT];
    for (int i = 0; i < plan->groups; i++) {
        const Group *other = &plan->group[i];
        if (other->comparison != g->comparison) continue;
        plan_context(g, mine);
        plan_context(other, theirs);
        if (!strcmp(mine, theirs) && g->part->blocks_most <= other->part->blocks_most) return 1;
    }
    return 0;
}

static Status add_group(Plan *plan, const Group *g, Err *err)
{
    if (plan->groups == GROUPS_MAX)
        return fail(err, BAD_INPUT, "%s: more than %d comparisons; a sweep is too large",
                    g->spec->path, GROUPS_MAX);
    if (plan->groups == plan->room) {
        const int room = 2 * plan->room + 64;
        Group *more = realloc(plan->group, (size_t)room * sizeof *more);
        if (!more) return fail(err, NO_MEMORY, "no memory for a plan of %d comparisons", room);
        plan->group = more;
        plan->room = room;
    }
    plan->group[plan->groups++] = *g;
    return OK;
}

typedef struct {
    Plan       *plan;
    const Spec *spec;
    const Part *part;
    const char *only;
    int         threads;
    Dtype       dtype;
    Pass        pass;
    Isa         isa;
} Place;

/* Arms that give the same point (another arm's parameters made them equal) are one. */
static void fill_arms(const Place *at, const int *row, Group *g)
{
    Err ignored;
    for (int i = 0; i < at->part->arms; i++) {
        const SpecArm *arm = &at->part->arm[i];
        PlannedArm *new = &g->arm[g->arms];
        int twice = 0;
        *new = (PlannedArm){ .point = { .threads = at->threads,
                                        .variant = variant_of(arm, at->isa) } };
        if (!new->point.variant) { at->plan->left_out++; continue; }
        if (spec_problem(at->part, arm, row, at->dtype, at->pass, &new->point.problem, &ignored))
            continue;
        for (int k = 0; k < g->arms; k++) twice |= same_point(&g->arm[k].point, &new->point);
        if (twice) continue;
        plan_judge_arm(at->plan, at->spec, new);
        g->arms++;
    }
}

static Status add_combination(const Place *at, const int *row, Err *err)
{
    Point point[ARMS_MAX];
    Group g = { .spec = at->spec, .part = at->part };
    g.arm = calloc((size_t)at->part->arms, sizeof *g.arm);
    if (!g.arm) return fail(err, NO_MEMORY, "no memory for a plan");
    fill_arms(at, row, &g);
    Status status = OK;
    if (g.arms > 0) g.comparison = db_comparison_id(point, plan_points(&g, point));
    const int wanted = g.arms > 0 && matches(&g, at->only) && !is_planned(at->plan, &g);
    g.block_s = plan_guess_block(&g);
    if (wanted) status = add_group(at->plan, &g, err);
    if (!wanted || status) free(g.arm);
    return status;
}

static Status add_rows(const Place *at, Err *err)
{
    int row[AXES_MAX] = { 0 };
    Status status;
    do status = add_combination(at, row, err);
    while (!status && spec_next(at->part, row));
    return status;
}

static Status add_part(Place at, Err *err)
{
    int threads[THREAD_COUNTS_MAX];
    Isa isa[ISA_END];
    const int teams = threads_of(at.part, at.plan->cores, threads), isas = isas_of(at.part, isa);
    Status status = OK;
    for (int t = 0; t < teams; t++)
        for (int d = 0; d < at.part->dtypes; d++)
            for (int p = 0; p < at.part->passes; p++)
                for (int i = 0; i < isas && !status; i++) {
                    at.threads = threads[t];
                    at.dtype = at.part->dtype[d];
                    at.pass = at.part->pass[p];
                    at.isa = isa[i];
                    status = add_rows(&at, err);
                }
    return status;
}

Status plan_open(Plan *plan, const Spec *spec, int specs, const char *only, Err *err)
{
    Status status = OK;
    *plan = (Plan){ .cores = count_cores(), .memory_bytes = machine_memory_available() };
    for (int s = 0; s < specs; s++)
        for (int i = 0; i < spec[s].parts && !status; i++)
            status = add_part(
                (Place){ .plan = plan, .spec = &spec[s], .part = &spec[s].part[i], .only = only },
                err);
    if (status) plan_close(plan);
    return status;
}

void plan_close(Plan *plan)
{
    for (int i = 0; i < plan->groups; i++) free(plan->group[i].arm);
    free(plan->group);
    *plan = (Plan){ 0 };
}

/* ---- against the database ------------------------------------------------------------- */

int plan_points(const Group *group, Point *point)
{
    for (int i = 0; i < group->arms; i++) point[i] = group->arm[i].point;
    return group->arms;
}

BlockContext plan_context(const Group *group, char *text)
{
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; group->part->instrument[i]; i++)
        used += (size_t)snprintf(text + used, INSTRUMENTS_TEXT - used, "%s%s", i ? "," : "",
                                 group->part->instrument[i]);
    require(used < INSTRUMENTS_TEXT);
    return (BlockContext){ .instruments = text, .epsilon = group->spec->epsilon,
                           .wall_limit_ms = group->spec->limit_wall_ns / 1000000,
                           .memory_limit_bytes = group->spec->limit_memory_bytes };
}

Status plan_look_up(Plan *plan, Db *db, int64_t machine, Err *err)
{
    char text[INSTRUMENTS_TEXT];
    Point point[ARMS_MAX];
    Status status = OK;
    for (int i = 0; i < plan->groups && !status; i++) {
        Group *g = &plan->group[i];
        BlockContext context = plan_context(g, text);
        context.from.machine = machine;
        plan_points(g, point);
        status = db_known(db, &context, 0, point, g->arms, &g->known, err);
        if (g->known.seconds > 0) g->block_s = g->known.seconds;
    }
    return status;
}

int group_is_open(const Group *group)
{
    for (int i = 0; i < group->arms; i++)
        if (group->arm[i].refused == OUTCOME_OK && !group->known.failed[i]) return 1;
    return 0;
}

int group_wants(const Group *group, int target)
{
    return group_is_open(group) && group->known.blocks < target;
}

int group_is_undecided(const Group *group)
{
    return group->known.timed_pairs > group->known.decided_pairs;
}

int group_refuses(const Group *group)
{
    for (int i = 0; i < group->arms; i++)
        if (group->arm[i].refused != OUTCOME_OK && !group->known.failed[i]) return 1;
    return 0;
}
