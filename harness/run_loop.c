/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of measuring. Blocks of a group are taken in two visits with all other groups between,
 * so that they do not share their minute; a third visit goes to groups that are still undecided.
 * Every block is stored before the next one starts. */
#include "run.h"

#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    const Call       *call;
    const RunRequest *request;
    Plan       *plan;
    Db         *db;
    const char *command;
    Provenance  from;          /* session 0: none yet */
    int64_t     machine;
    const Spec *stored_spec;   /* whose id is spec */
    int64_t     spec;
    Progress   *progress;
    double      done_s, started_s, deadline_s;
    RunSummary  summary;
} Loop;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000;
}

static int is_over(const Loop *l, double next_s)
{
    return interrupted || (l->deadline_s > 0 && now_s() + next_s > l->deadline_s);
}

/* ---- provenance: written when there is something to say about it ---------------------- */

static Status start_session(Loop *l, Err *err)
{
    Facts identity, state;
    char alias[64];
    if (l->from.session) return OK;
    machine_identity(&identity);
    machine_state(&state);
    machine_alias(alias, sizeof alias);
    return db_session(l->db, &identity, alias, &state, l->command, &l->from, err);
}

static Status context_of(Loop *l, const Group *g, char *text, BlockContext *out, Err *err)
{
    Status status = start_session(l, err);
    if (!status && l->stored_spec != g->spec) {
        status = db_spec(l->db, g->spec->name, g->spec->title, g->spec->paper, g->spec->text,
                         &l->spec, err);
        l->stored_spec = g->spec;
    }
    *out = plan_context(g, text);
    out->from = l->from;
    out->spec = l->spec;
    return status;
}

/* ---- storing -------------------------------------------------------------------------- */

static int is_bad(Outcome outcome)
{
    return outcome == OUTCOME_WRONG || outcome == OUTCOME_CRASHED ||
           outcome == OUTCOME_NONDETERMINISTIC || outcome == OUTCOME_IMPOSSIBLE;
}

static Status store(Loop *l, Group *g, const BlockRecord *block, Err *err)
{
    char text[INSTRUMENTS_TEXT];
    Point point[ARMS_MAX];
    BlockContext context;
    Status status = context_of(l, g, text, &context, err);
    plan_points(g, point);
    if (!status) status = db_store_block(l->db, &context, point, g->arms, block, err);
    if (status) return status;
    l->summary.blocks++;
    l->summary.runs += block->runs;
    for (int i = 0; i < block->runs; i++) l->summary.bad += is_bad(block->run[i].outcome);
    return OK;
}

/* What could not even be tried is a row as well, once. */
static Status store_refusals(Loop *l, Group *g, Err *err)
{
    RunRecord run[ARMS_MAX];
    BlockRecord block = { .block = g->known.blocks, .started_at_ms = wall_ms(), .run = run };
    for (int i = 0; i < g->arms; i++) {
        const PlannedArm *arm = &g->arm[i];
        if (arm->refused == OUTCOME_OK || g->known.failed[i]) continue;
        RunRecord *r = &run[block.runs++];
        *r = (RunRecord){ .point = arm->point, .outcome = arm->refused };
        snprintf(r->reason, sizeof r->reason, "%s", arm->why);
        g->known.failed[i] = 1;
    }
    return block.runs ? store(l, g, &block, err) : OK;
}

/* The worker could not be had at all: each arm has a row that says so. */
static Status store_trouble(Loop *l, Group *g, const MeasurePlan *plan, int number, const Err *why,
                            Err *err)
{
    RunRecord run[ARMS_MAX];
    BlockRecord block = {
        .seed = plan->seed, .block = number, .started_at_ms = wall_ms(), .run = run
    };
    for (int i = 0; i < plan->arms; i++) {
        RunRecord *r = &run[block.runs++];
        *r = (RunRecord){ .point = plan->arm[i], .outcome = OUTCOME_CRASHED };
        snprintf(r->reason, sizeof r->reason, "%.255s", why->text);
    }
    return store(l, g, &block, err);
}

/* ---- one group ------------------------------------------------------------------------ */

/* Blocks of one seed can share a Measure, and with it inputs and references. */
static MeasurePlan measure_plan(const Group *g, int block, Point *point)
{
    MeasurePlan plan = { .arm = point, .seed = g->spec->seed[block % g->spec->seeds],
                         .budget_ns = g->part->budget_ns, .limit_wall_ns = g->spec->limit_wall_ns,
                         .limit_memory_bytes = g->spec->limit_memory_bytes, .cold = g->part->cold };
    for (int i = 0; i < g->arms; i++)
        if (g->arm[i].refused == OUTCOME_OK && !g->known.failed[i])
            point[plan.arms++] = g->arm[i].point;
    for (int i = 0; g->part->instrument[i]; i++) plan.instrument[i] = g->part->instrument[i];
    memcpy(plan.fast_memory, g->part->fast_memory, sizeof plan.fast_memory);
    return plan;
}

static Status known_again(Loop *l, Group *g, Err *err)
{
    char text[INSTRUMENTS_TEXT];
    Point point[ARMS_MAX];
    BlockContext context = plan_context(g, text);
    Known known;
    context.from.machine = l->machine;
    plan_points(g, point);
    const int64_t session = l->request->fresh ? l->from.session : 0; /* older ones do not count */
    Status status = db_refresh(l->db, err);
    if (!status) status = db_known(l->db, &context, session, point, g->arms, &known, err);
    if (!status) g->known = known;
    return status;
}

static void show(Loop *l, const Group *g, int target)
{
    char text[POINT_TEXT_MAX], detail[POINT_TEXT_MAX + 64];
    point_print(&g->arm[0].point, text, sizeof text);
    snprintf(detail, sizeof detail, "block %d/%d of %s%s", g->known.blocks + 1, target, text,
             g->arms > 1 ? " ..." : "");
    progress_at(l->progress, l->done_s, detail);
}

static int has_failed(const BlockRecord *block)
{
    for (int i = 0; i < block->runs; i++)
        if (block->run[i].outcome != OUTCOME_OK) return 1;
    return 0;
}

/* One block, stored. Sets *leave where the next one must be thought over first: an arm has failed,
 * or no worker could be had. */
static Status measure_one(Loop *l, Group *g, Measure *m, const MeasurePlan *plan, int *leave,
                          Err *err)
{
    BlockRecord block;
    Err why = { "" };
    const double start_s = now_s();
    Status status = measure_block(m, g->known.blocks, &block, &why);
    if (status && interrupted) { *leave = 1; return OK; }
    if (status) {
        *leave = 1;
        status = store_trouble(l, g, plan, g->known.blocks, &why, err);
    } else {
        *leave = has_failed(&block);
        status = store(l, g, &block, err);
        block_free(&block);
    }
    g->known.blocks++;
    g->block_s = now_s() - start_s;
    l->done_s += g->block_s;
    return status;
}

/* Blocks up to `target` while they have the same seed, and so can share inputs and references. */
static Status measure_some(Loop *l, Group *g, int target, Err *err)
{
    Point point[ARMS_MAX];
    Measure *m = NULL;
    Err why = { "" };
    int leave = 0;
    const MeasurePlan plan = measure_plan(g, g->known.blocks, point);
    Status status = measure_open(&m, &plan, &why);
    if (status) return store_trouble(l, g, &plan, g->known.blocks, &why, err);
    do {
        show(l, g, target);
        status = measure_one(l, g, m, &plan, &leave, err);
    } while (!status && !leave && g->known.blocks < target && g->spec->seeds == 1 &&
             !is_over(l, g->block_s));
    if (!status && l->from.session)
        status = db_ceilings(l->db, l->from.session, measure_ceilings(m), err);
    measure_close(m);
    return status;
}

/* Arms that fail for good drop out on the way. What fails now and then (an impossible time) may be
 * tried twice as often as there are blocks to get, and no more. */
static Status visit(Loop *l, Group *g, int target, Err *err)
{
    Status status = OK;
    if (group_refuses(g)) status = store_refusals(l, g, err);
    for (int tries = 0;
         tries < 2 * target && !status && group_wants(g, target) && !is_over(l, g->block_s);
         tries++) {
        status = measure_some(l, g, target, err);
        if (!status) status = known_again(l, g, err);
    }
    return status;
}

/* ---- all groups ----------------------------------------------------------------------- */

static int first_half(const Group *g) { return (g->part->blocks_least + 1) / 2; }

/* The next number of blocks at which the data may be looked at. */
static int next_look(const Group *g)
{
    for (int n = g->known.blocks + 1; n < g->part->blocks_most; n++)
        if (stats_look_level(n, false, 0.05) < 1) return n;
    return g->part->blocks_most;
}

static double rest_s(const Plan *plan)
{
    double seconds = 0;
    for (int i = 0; i < plan->groups; i++) {
        const Group *g = &plan->group[i];
        if (group_wants(g, g->part->blocks_least))
            seconds += g->block_s * (g->part->blocks_least - g->known.blocks);
    }
    return seconds;
}

static Status visit_all(Loop *l, int half, Err *err)
{
    Status status = OK;
    for (int i = 0; i < l->plan->groups && !status && !interrupted; i++) {
        Group *g = &l->plan->group[i];
        status = visit(l, g, half ? first_half(g) : g->part->blocks_least, err);
    }
    return status;
}

/* Breadth first, so that a budget is spent where decisions are still open. */
static Status visit_undecided(Loop *l, Err *err)
{
    Status status = OK;
    int again = 1;
    while (again && !status && !interrupted) {
        again = 0;
        for (int i = 0; i < l->plan->groups && !status; i++) {
            Group *g = &l->plan->group[i];
            if (!group_is_undecided(g) || g->known.blocks < g->part->blocks_least) continue;
            if (!group_wants(g, g->part->blocks_most) || is_over(l, g->block_s)) continue;
            again = 1;
            status = visit(l, g, next_look(g), err);
        }
    }
    return status;
}

static int is_unfinished(const Plan *plan)
{
    for (int i = 0; i < plan->groups; i++)
        if (group_wants(&plan->group[i], plan->group[i].part->blocks_least)) return 1;
    return 0;
}

Status run_plan(const Call *call, const RunRequest *request, Plan *plan, Db *db,
                const char *command, RunSummary *out, Err *err)
{
    Facts identity;
    machine_identity(&identity);
    Loop l = { .call = call, .request = request, .plan = plan, .db = db, .command = command,
               .machine = db_machine_id(&identity), .started_s = now_s() };
    if (request->budget_ns) l.deadline_s = l.started_s + (double)request->budget_ns / 1e9;
    double total_s = rest_s(plan);
    if (request->budget_ns && (double)request->budget_ns / 1e9 < total_s)
        total_s = (double)request->budget_ns / 1e9;
    l.progress = progress_open(call, "measuring", total_s);
    Status status = visit_all(&l, 1, err);
    if (!status) status = visit_all(&l, 0, err);
    if (!status) status = visit_undecided(&l, err);
    progress_close(l.progress);
    l.summary.out_of_budget = request->budget_ns && is_unfinished(plan);
    l.summary.seconds = now_s() - l.started_s;
    *out = l.summary;
    return status;
}
