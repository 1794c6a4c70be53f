/* SPDX-License-Identifier: Apache-2.0 */
/* attest bench: one comparison, measured interleaved in worker processes and answered at once. */
#include "cli.h"
#include "machine.h"
#include "tally.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A block of a small point takes this long; the rest of the budget buys more processes, because it
 * is the spread between them that limits what can be told apart. */
static const double BLOCK_NS = 60e6;
static const double ALPHA = 0.05, MARGIN = 0.02;
enum { BLOCKS_LEAST = 2, COLUMNS = 10 };

typedef struct {
    const Call  *call;
    Point        point[ARMS_MAX];
    char         text[ARMS_MAX][POINT_TEXT_MAX];
    MeasurePlan  plan;
    int64_t      budget_ns;
    int          blocks;       /* asked for; 0: until decided or out of budget */
    Tally        tally;
    CeilingList  ceilings;
    ArmTally     arm[ARMS_MAX];
    Comparison   ratio[ARMS_MAX];      /* of arm i to arm 0; blocks 0: none */
} Job;

/* ---- what was asked for -------------------------------------------------------------- */

/* "METHOD/VARIANT" without parameters means those of the first point. */
static Status add_point(Job *job, const char *text, Err *err)
{
    char whole[2 * POINT_TEXT_MAX];
    if (job->plan.arms == ARMS_MAX)
        return fail(err, BAD_INPUT, "at most %d points can be compared at once", ARMS_MAX);
    const char *rest = job->plan.arms ? strchr(job->text[0], ':') : NULL;
    snprintf(whole, sizeof whole, "%s%s", text, rest && !strchr(text, ':') ? rest : "");
    Point *point = &job->point[job->plan.arms];
    const Status status = point_parse(point, whole, err);
    if (status) return status;
    point_print(point, job->text[job->plan.arms], sizeof *job->text);
    job->plan.arms++;
    return OK;
}

static Status read_duration(const Call *call, const char *name, int64_t *out_ns, Err *err)
{
    const char *text = call_option(call, name);
    return text ? duration_parse(text, out_ns, err) : OK;
}

static Status read_job(Job *job, Err *err)
{
    const Call *call = job->call;
    const char *against[ARMS_MAX];
    long long blocks, seed;
    job->budget_ns = 2 * (int64_t)1000000000;
    job->plan = (MeasurePlan){ .arm = job->point, .instrument = { "time", "accuracy", "memory" },
                               .cold = call_option(call, "cold") != NULL };
    Status status = add_point(job, call->argv[0], err);
    const int n = call_options(call, "against", against, ARMS_MAX);
    if (!status && n >= ARMS_MAX)
        return fail(err, BAD_INPUT, "at most %d points can be compared at once", ARMS_MAX);
    for (int i = 0; i < n && !status; i++) status = add_point(job, against[i], err);
    if (!status) status = read_duration(call, "budget", &job->budget_ns, err);
    if (!status) status = read_duration(call, "wall", &job->plan.limit_wall_ns, err);
    if (!status) status = call_integer(call, "blocks", 0, 1, STATS_BLOCKS_MAX, &blocks, err);
    if (!status) status = call_integer(call, "seed", 1, 0, INT64_MAX, &seed, err);
    const char *memory = call_option(call, "memory");
    if (!status && memory) status = bytes_parse(memory, &job->plan.limit_memory_bytes, err);
    if (status) return status;
    job->blocks = (int)blocks;
    job->plan.seed = (uint64_t)seed;
    job->plan.budget_ns = (int64_t)fmin(BLOCK_NS, (double)job->budget_ns / STATS_BLOCKS_MIN);
    return OK;
}

/* ---- measuring ----------------------------------------------------------------------- */

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Compares every arm with the first, at a level that allows for looking several times. */
static Status look(Job *job, int last, Err *err)
{
    const double level = job->blocks ? 1 - ALPHA : stats_look_level(job->tally.blocks, last, ALPHA);
    for (int i = 1; i < job->plan.arms; i++) {
        job->ratio[i].blocks = 0;
        if (level >= 1) continue;
        const Status status = tally_ratio(&job->tally, 0, i, level, MARGIN, &job->ratio[i], err);
        if (status && status != UNSUPPORTED) return status;
        if (status) job->ratio[i].blocks = 0;
    }
    return OK;
}

static int all_decided(const Job *job)
{
    for (int i = 1; i < job->plan.arms; i++)
        if (job->ratio[i].blocks && !job->ratio[i].decision) return 0;
    return 1;
}

/* Nothing was timed at all: more blocks would say the same. */
static int nothing_lives(const Job *job)
{
    const BlockRecord *newest = &job->tally.block[job->tally.blocks - 1];
    for (int i = 0; i < newest->runs; i++)
        if (newest->run[i].outcome == OUTCOME_OK) return 0;
    return 1;
}

static int is_enough(Job *job, double start_ns)
{
    const int n = job->tally.blocks;
    Err err;
    if (nothing_lives(job)) return 1;
    if (job->blocks) return n == job->blocks;
    const double spent_ns = now_ns() - start_ns;
    if (n >= BLOCKS_LEAST && spent_ns * (n + 1) / n > (double)job->budget_ns) return 1;
    if (n < STATS_BLOCKS_MIN || stats_look_level(n, 0, ALPHA) >= 1) return n == STATS_BLOCKS_MAX;
    return !look(job, 0, &err) && all_decided(job);
}

static Status measure(Job *job, Err *err)
{
    Measure *m = NULL;
    Progress *progress = progress_open(job->call, "bench",
                                       job->blocks ? job->blocks : (double)job->budget_ns);
    Status status = measure_open(&m, &job->plan, err);
    const double start_ns = now_ns();
    for (int done = 0; !status && !done;) {
        BlockRecord block;
        char detail[64];
        status = measure_block(m, job->tally.blocks, &block, err);
        if (status || (status = tally_add(&job->tally, &block, err))) break;
        done = is_enough(job, start_ns);
        snprintf(detail, sizeof detail, "block %d", job->tally.blocks);
        progress_at(progress,
                    job->blocks ? job->tally.blocks
                                : fmin(now_ns() - start_ns, (double)job->budget_ns),
                    detail);
    }
    progress_close(progress);
    if (m) job->ceilings = *measure_ceilings(m);
    measure_close(m);
    if (!status) status = look(job, 1, err);
    for (int i = 0; i < job->plan.arms && !status; i++)
        status = tally_arm(&job->tally, i, &job->arm[i], err);
    return status;
}

/* ---- what each row says -------------------------------------------------------------- */

typedef struct {
    double gflops, gbytes_per_s, fraction, error_rel, workspace_bytes;
    Limit limit;
} Derived;

static Derived derive(const Job *job, int i)
{
    const Cost cost = job->point[i].problem.method->cost(&job->point[i].problem);
    const double ns = job->arm[i].median_ns.value;
    const Limit limit = ceiling_limit(&job->ceilings, &job->point[i],
                                      tally_metric(&job->tally, i, "time", "library_flops") > 0);
    return (Derived){
        .gflops = cost.flops / ns,
        .gbytes_per_s = cost.bytes / ns,
        .fraction = limit.limit_ns > 0 ? limit.limit_ns / ns : NAN,
        .limit = limit,
        .error_rel = tally_metric(&job->tally, i, "accuracy", "error_rel"),
        .workspace_bytes = tally_metric(&job->tally, i, "memory", "workspace_bytes"),
    };
}

/* ---- JSON ---------------------------------------------------------------------------- */

static void write_interval(Json *j, const char *key, const Interval *x)
{
    json_array(j, key);
    json_number(j, NULL, x->low);
    json_number(j, NULL, x->high);
    json_close(j);
}

static void write_point(Json *j, const Job *job, int i)
{
    const ArmTally *a = &job->arm[i];
    const Derived d = derive(job, i);
    json_object(j, NULL);
    json_text(j, "point", job->text[i]);
    json_number(j, "median_ns", a->median_ns.value);
    write_interval(j, "ci95_ns", &a->median_ns);
    json_text(j, "interval", stats_interval_kind_name(a->median_ns.kind));
    json_number(j, "min_ns", a->min_ns);
    json_integer(j, "epochs", a->epochs);
    json_integer(j, "processes", a->processes);
    json_number(j, "gflops", d.gflops);
    json_number(j, "gbytes_per_s", d.gbytes_per_s);
    json_number(j, "fraction_of_limit", d.fraction);
    json_text(j, "limit", d.limit.limit_ns > 0 ? d.limit.name : NULL);
    json_number(j, "error_rel", d.error_rel);
    json_number(j, "workspace_bytes", d.workspace_bytes);
    json_text(j, "outcome", outcome_name(a->outcome));
    json_text(j, "reason", *a->reason ? a->reason : NULL);
    json_close(j);
}

static void write_ratio(Json *j, const Job *job, int i)
{
    const Comparison *c = &job->ratio[i];
    json_object(j, NULL);
    json_text(j, "a", job->text[0]);
    json_text(j, "b", job->text[i]);
    json_number(j, "ratio", c->ratio.value);
    write_interval(j, "ci95", &c->ratio);
    json_text(j, "verdict", stats_decision_name(c->decision));
    json_text(j, "reason", c->reason);
    json_number(j, "level", c->d.level);
    json_number(j, "margin", c->margin);
    json_number(j, "detectable", c->mde_rel);
    json_integer(j, "processes", c->blocks);
    json_integer(j, "rounds", c->rounds);
    json_close(j);
}

static void write_facts(Json *j, const Facts *facts)
{
    for (int i = 0; i < facts->count; i++)
        json_text(j, facts->fact[i].name, *facts->fact[i].value ? facts->fact[i].value : NULL);
}

static void write_json(const Job *job)
{
    Json j;
    Facts facts;
    char alias[64];
    double flagged = 0, waited = 0;
    json_open(&j, job->call->out);
    json_object(&j, NULL);
    json_array(&j, "points");
    for (int i = 0; i < job->plan.arms; i++) {
        write_point(&j, job, i);
        flagged = fmax(flagged, job->arm[i].flagged_share);
        waited = fmax(waited, job->arm[i].waited_share);
    }
    json_close(&j);
    json_array(&j, "ratios");
    for (int i = 1; i < job->plan.arms; i++)
        if (job->ratio[i].blocks) write_ratio(&j, job, i);
    json_close(&j);
    machine_alias(alias, sizeof alias);
    machine_identity(&facts);
    json_object(&j, "machine");
    json_text(&j, "alias", alias);
    write_facts(&j, &facts);
    json_close(&j);
    machine_state(&facts);
    json_object(&j, "noise");
    json_number(&j, "flagged_share", flagged);
    json_number(&j, "waited_share", waited);
    write_facts(&j, &facts);
    json_close(&j);
    json_close(&j);
}

/* ---- for people ---------------------------------------------------------------------- */

enum { CELL = 160 };

static void fill_row(const Job *job, int i, char cell[COLUMNS][CELL])
{
    const ArmTally *a = &job->arm[i];
    const Derived d = derive(job, i);
    char low[UNITS_TEXT], high[UNITS_TEXT], value[UNITS_TEXT];
    snprintf(cell[0], CELL, "%.*s", CELL - 1, job->text[i]);
    if (a->outcome != OUTCOME_OK) {
        snprintf(cell[1], CELL, "%s", outcome_name(a->outcome));
        for (int c = 2; c < COLUMNS; c++) snprintf(cell[c], CELL, "-");
        return;
    }
    duration_print(value, a->median_ns.value);
    snprintf(cell[1], CELL, "%s", value);
    duration_print(low, a->median_ns.low);
    duration_print(high, a->median_ns.high);
    snprintf(cell[2], CELL, "%s .. %s", low, high);
    duration_print(value, a->min_ns);
    snprintf(cell[3], CELL, "%s", value);
    snprintf(cell[4], CELL, "%.4g", d.gflops);
    snprintf(cell[5], CELL, "%.3g", d.gbytes_per_s);
    snprintf(cell[6], CELL, isfinite(d.fraction) ? "%.1f %% of %s" : "-", 100 * d.fraction,
             d.limit.name);
    snprintf(cell[7], CELL, "%.2g", d.error_rel);
    bytes_print(value, d.workspace_bytes);
    snprintf(cell[8], CELL, "%s", value);
    snprintf(cell[9], CELL, "%d x %d", a->processes, a->processes ? a->epochs / a->processes : 0);
}

static void print_ratio(const Job *job, int i)
{
    const Comparison *c = &job->ratio[i];
    FILE *out = job->call->out;
    static const char *const colour[] = { "33", "32", "31", "36" };   /* as Decision */
    fprintf(out, "%s%s%s  ", paint(out, colour[c->decision]), stats_decision_name(c->decision),
            paint(out, "0"));
    if (c->d.kind == INTERVAL_NONE)
        fprintf(out, "x %.3f", c->ratio.value);
    else
        fprintf(out, "x %.3f [%.3f, %.3f] at %.1f %%", c->ratio.value, c->ratio.low, c->ratio.high,
                100 * c->d.level);
    fprintf(out, "  against %s\n", job->text[i]);
    if (c->decision == DECISION_INCONCLUSIVE)
        fprintf(out, "    %s; a difference of %.1f %% could be told from %d processes\n", c->reason,
                100 * c->mde_rel, c->blocks);
}

static void write_table(const Job *job)
{
    static const char *const head[COLUMNS] = {
        "point", "median",   "95 % interval", "least",     "GFLOP/s",
        "GB/s",  "of limit", "error",         "workspace", "processes x epochs"
    };
    char row[ARMS_MAX][COLUMNS][CELL];
    const char *cell[(ARMS_MAX + 1) * COLUMNS];
    FILE *out = job->call->out;
    for (int c = 0; c < COLUMNS; c++) cell[c] = head[c];
    for (int i = 0; i < job->plan.arms; i++) {
        fill_row(job, i, row[i]);
        for (int c = 0; c < COLUMNS; c++) cell[(i + 1) * COLUMNS + c] = row[i][c];
    }
    table_print(out, "table", COLUMNS, job->plan.arms + 1, cell);
    if (job->plan.arms > 1 && job->ratio[1].blocks) fprintf(out, "\n%s is\n", job->text[0]);
    for (int i = 1; i < job->plan.arms; i++)
        if (job->ratio[i].blocks) print_ratio(job, i);
    for (int i = 0; i < job->plan.arms; i++)
        if (job->arm[i].outcome != OUTCOME_OK)
            fprintf(out, "%s: %s: %s\n", job->text[i], outcome_name(job->arm[i].outcome),
                    job->arm[i].reason);
    double flagged = 0;
    for (int i = 0; i < job->plan.arms; i++) flagged = fmax(flagged, job->arm[i].flagged_share);
    if (flagged > 0.25)
        call_remark(job->call, "%.0f %% of the epochs waited for a core or were switched out: this "
                    "machine has other work to do", 100 * flagged);
}

/* ---- the command --------------------------------------------------------------------- */

static int run(const Call *call)
{
    Err err;
    Job *job = calloc(1, sizeof *job);
    if (!job) return call_failed(call, fail(&err, NO_MEMORY, "no memory for a comparison"), &err);
    job->call = call;
    Status status = read_job(job, &err);
    tally_open(&job->tally, &job->plan);
    if (!status) status = measure(job, &err);
    int code = status ? call_failed(call, status, &err) : EXIT_DONE;
    if (!status && call->json) write_json(job);
    else if (!status) write_table(job);
    for (int i = 0; i < job->plan.arms && !status; i++)
        if (job->arm[i].outcome != OUTCOME_OK) code = EXIT_WRONG;
    tally_close(&job->tally);
    free(job);
    return code;
}

static const Option options[] = {
    { .name = "against",
      .value = "POINT",
      .help = "compare with this one, interleaved; may be given again. "
              "METHOD/VARIANT alone takes the parameters of the first" },
    { .name = "budget",
      .value = "TIME",
      .help = "stop after about this long, or once decided (2s)" },
    { .name = "blocks", .value = "N", .help = "exactly this many processes, decided or not" },
    { .name = "cold", .help = "flush the caches before each call" },
    { .name = "seed", .value = "N", .help = "of the inputs and of the order (1)" },
    { .name = "wall", .value = "TIME", .help = "kill an arm whose single step takes longer (60s)" },
    { .name = "memory",
      .value = "SIZE",
      .help = "address space of a process beyond the program's own" },
    { 0 }
};

extern const Command command_bench;
const Command command_bench = {
    .name = "bench",
    .arguments = "POINT",
    .least = 1,
    .most = 1,
    .option = options,
    .run = run,
    .summary = "one interleaved comparison, answered at once",
    .details = "Times a point, and any others beside it in random turns, in one worker process "
               "after another, until the answer is clear or the budget is spent. The first output "
               "of every arm is compared with float64 before it is timed, and the last timed one "
               "after. A ratio above 1 means that the first point is faster; it is called faster "
               "or slower only if its whole interval, corrected for looking several times, lies "
               "beyond 2 %. The limit is the larger of the time that the useful FLOPs take at the "
               "measured peak of the instruction set and that the least traffic takes at the "
               "measured bandwidth of the cache level that holds it, both measured in the same "
               "seconds.",
};
