/* SPDX-License-Identifier: Apache-2.0 */
/* The parent's side of measuring: one worker per block, started again without an arm that broke it,
 * until every arm has an outcome. */
#define _GNU_SOURCE
#include "measure.h"

#include "cli.h"
#include "instrument.h"
#include "lock.h"
#include "worker.h"

#include "../kernels/core/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct Measure {
    MeasurePlan plan;
    Point       arm[ARMS_MAX];
    Shared      shared;
    CeilingList ceilings;
    int         threads;                 /* the most of any arm */
    /* An arm that a worker died of is not tried again: it would only take as long again. */
    Outcome     broken[ARMS_MAX];        /* OUTCOME_OK: not broken */
    char        broken_reason[ARMS_MAX][256];
    BlockRecord *record;                 /* of the block under way */
    Err         trouble;                 /* of receiving: no memory */
    Status      status;
};

static const int64_t MS = 1000000;

/* ---- the plan ------------------------------------------------------------------------ */

static void fill_defaults(MeasurePlan *p)
{
    if (!p->budget_ns) p->budget_ns = 100 * MS;
    if (!p->limit_wall_ns) p->limit_wall_ns = 60000 * MS;
    if (!(p->reference_flops > 0)) p->reference_flops = 1.5e7;
    if (p->fast_memory[0]) return;
    /* What the claims speak of, the same everywhere; and this machine's own first two levels. */
    const int64_t usual[] = { 32 << 10, 100 << 10, 384 << 10, 1 << 20, topology()->cache_bytes[1],
                              topology()->cache_bytes[2] };
    int n = 0;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        int known = usual[i] == 0;
        for (int k = 0; k < n; k++) known |= p->fast_memory[k] == usual[i];
        if (!known) p->fast_memory[n++] = usual[i];
    }
}

static Status check_plan(const MeasurePlan *p, Err *err)
{
    if (p->arms < 1 || p->arms > ARMS_MAX)
        return fail(err, BAD_INPUT, "%d points cannot be compared at once: 1 to %d can", p->arms,
                    ARMS_MAX);
    if (!p->instrument[0]) return fail(err, BAD_INPUT, "no instrument was asked for");
    for (int i = 0; i < INSTRUMENTS_MAX && p->instrument[i]; i++) {
        if (instrument_find(p->instrument[i])) continue;
        char names[128] = "";
        for (int k = 0; instruments[k]; k++) {
            const size_t used = strlen(names);
            snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                     instruments[k]->name);
        }
        return fail(err, BAD_INPUT, "there is no instrument '%s'; there are: %s", p->instrument[i],
                    names);
    }
    return OK;
}

static void fill_task(Measure *m)
{
    const MeasurePlan *p = &m->plan;
    Task *t = &m->shared.head->task;
    t->arms = p->arms;
    for (int i = 0; i < p->arms; i++) point_print(&m->arm[i], t->arm[i], sizeof t->arm[i]);
    for (int i = 0; i < INSTRUMENTS_MAX && p->instrument[i]; i++)
        snprintf(t->instrument[t->instruments++], sizeof *t->instrument, "%s", p->instrument[i]);
    t->seed = p->seed;
    t->cold = p->cold;
    t->budget_ns = p->budget_ns;
    t->limit_memory_bytes = p->limit_memory_bytes;
    t->reference_flops = p->reference_flops;
    memcpy(t->fast_memory, p->fast_memory, sizeof t->fast_memory);
    t->topology = *topology();
}

Status measure_open(Measure **out, const MeasurePlan *plan, Err *err)
{
    Status status = check_plan(plan, err);
    if (status) return status;
    Measure *m = calloc(1, sizeof *m);
    if (!m) return fail(err, NO_MEMORY, "no memory to measure with");
    m->plan = *plan;
    fill_defaults(&m->plan);
    for (int i = 0; i < plan->arms; i++) {
        m->arm[i] = plan->arm[i];
        if (m->arm[i].threads > m->threads) m->threads = m->arm[i].threads;
    }
    m->plan.arm = m->arm;
    status = shared_open(&m->shared, err);
    if (status) { free(m); return status; }
    fill_task(m);
    *out = m;
    return OK;
}

void measure_close(Measure *m)
{
    if (!m) return;
    shared_close(&m->shared);
    free(m);
}

const CeilingList *measure_ceilings(const Measure *m) { return &m->ceilings; }

int measure_is_exact(const Measure *m)
{
    for (int i = 0; i < INSTRUMENTS_MAX && m->plan.instrument[i]; i++)
        if (!instrument_find(m->plan.instrument[i])->exact) return 0;
    return 1;
}

/* ---- what comes back ----------------------------------------------------------------- */

/* Appends `bytes` of things to an array of `count` things of `size` bytes. */
static void *appended(Measure *m, void *array, int *count, size_t size, const void *data,
                      size_t bytes)
{
    const size_t more = bytes / size;
    char *longer = realloc(array, ((size_t)*count + more) * size);
    if (!longer) {
        m->status = fail(&m->trouble, NO_MEMORY, "no memory for what a worker measured");
        return array;
    }
    memcpy(longer + (size_t)*count * size, data, more * size);
    *count += (int)more;
    return longer;
}

static void receive_ending(RunRecord *run, const Ending *ending)
{
    if ((unsigned)ending->outcome >= OUTCOME_END) return;
    run->outcome = ending->outcome;
    snprintf(run->reason, sizeof run->reason, "%.*s", (int)sizeof run->reason - 1, ending->reason);
    snprintf(run->note, sizeof run->note, "%.*s", (int)sizeof run->note - 1, ending->note);
}

static void receive(void *self, FrameKind kind, int arm, const void *data, size_t bytes)
{
    Measure *m = self;
    if (kind == FRAME_CEILING) {
        Ceiling reading;
        for (size_t at = 0; at + sizeof reading <= bytes; at += sizeof reading) {
            memcpy(&reading, (const char *)data + at, sizeof reading);
            ceiling_keep(&m->ceilings, &reading);
        }
    }
    if (arm < 0 || arm >= m->record->runs || m->broken[arm] != OUTCOME_OK) return;
    RunRecord *run = &m->record->run[arm];
    Ending ending;
    if (kind == FRAME_EPOCHS)
        run->epoch = appended(m, run->epoch, &run->epochs, sizeof(Epoch), data, bytes);
    if (kind == FRAME_METRIC)
        run->metric = appended(m, run->metric, &run->metrics, sizeof(Metric), data, bytes);
    if (kind == FRAME_OUTCOME && bytes == sizeof ending) {
        memcpy(&ending, data, sizeof ending);
        receive_ending(run, &ending);
    }
}

/* What an attempt left before it broke is dropped: the arms are measured anew without the
 * culprit. */
static void clear(RunRecord *run)
{
    free(run->epoch);
    free(run->metric);
    *run = (RunRecord){ .point = run->point };
}

static void record_broken(const Measure *m, int arm, RunRecord *run)
{
    clear(run);
    run->outcome = m->broken[arm];
    memcpy(run->reason, m->broken_reason[arm], sizeof run->reason);
}

static Outcome outcome_of(WorkerEnd end)
{
    return end == WORKER_TIMEOUT ? OUTCOME_TIMEOUT : end == WORKER_NO_MEMORY ? OUTCOME_OUT_OF_MEMORY
                                                                             : OUTCOME_CRASHED;
}

/* ---- one block ----------------------------------------------------------------------- */

static int arms_left(const Measure *m)
{
    int n = 0;
    for (int i = 0; i < m->plan.arms; i++) n += m->broken[i] == OUTCOME_OK;
    return n;
}

/* One worker over all arms that are not broken, or over arm `only` where that is not EVERY_ARM. */
enum { EVERY_ARM = -1, ENVIRONMENT_STREAM = 0x656e76 };

static Status run_worker(Measure *m, int block, int only, WorkerResult *result, Err *err)
{
    Task *task = &m->shared.head->task;
    for (int i = 0; i < m->plan.arms; i++) {
        task->dead[i] = m->broken[i] != OUTCOME_OK || (only != EVERY_ARM && only != i);
        clear(&m->record->run[i]);
        m->record->run[i].outcome = OUTCOME_CRASHED;   /* until the worker says otherwise */
    }
    const WorkerPlan plan = {
        .shared = &m->shared, .limit_wall_ns = m->plan.limit_wall_ns, .frame = receive, .self = m,
        .seed = random_u64(m->plan.seed, ENVIRONMENT_STREAM, (uint64_t)block),
    };
    const Status status = worker_run(&plan, result, err);
    if (status) return status;
    if (m->status) return fail(err, m->status, "%s", m->trouble.text);
    if (result->end == WORKER_INTERRUPTED) return fail(err, IO_FAILED, "interrupted");
    if (result->end != WORKER_DONE && result->arm < 0)
        return fail(err, IO_FAILED, "a worker failed: %s", result->reason);
    return OK;
}

static void break_arm(Measure *m, const WorkerResult *result)
{
    m->broken[result->arm] = outcome_of(result->end);
    memcpy(m->broken_reason[result->arm], result->reason, sizeof result->reason);
}

/* An arm that spoils memory may bring down another one's call. So after a crash each arm runs
 * alone: whoever breaks a worker of its own is to blame. If nobody does, it was the one that was
 * running. */
static Status find_culprits(Measure *m, int block, const WorkerResult *crash, Err *err)
{
    int found = 0;
    for (int i = 0; i < m->plan.arms; i++) {
        WorkerResult alone;
        if (m->broken[i] != OUTCOME_OK) continue;
        const Status status = run_worker(m, block, i, &alone, err);
        if (status) return status;
        if (alone.end == WORKER_DONE) continue;
        break_arm(m, &alone);
        found = 1;
    }
    if (!found) break_arm(m, crash);
    return OK;
}

/* Sets *again where an arm broke the worker: the others are to be measured anew. */
static Status attempt(Measure *m, int block, int *again, Err *err)
{
    WorkerResult result;
    const Status status = run_worker(m, block, EVERY_ARM, &result, err);
    *again = !status && result.end != WORKER_DONE;
    if (!*again) return status;
    if (result.end == WORKER_CRASHED && arms_left(m) > 1)
        return find_culprits(m, block, &result, err);
    break_arm(m, &result);
    return OK;
}

static int64_t wall_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * (int64_t)1000 + t.tv_nsec / MS;
}

/* Holds its cores until every arm has an outcome. */
static Status run_block(Measure *m, int block, Err *err)
{
    CoreLock lock;
    Task *task = &m->shared.head->task;
    Status status = OK;
    int again = 1;
    task->block = block;
    task->cpus = lock_cores(&lock, m->threads, task->cpu);
    while (!status && again && arms_left(m)) status = attempt(m, block, &again, err);
    unlock_cores(&lock);
    for (int i = 0; i < m->plan.arms; i++)
        if (m->broken[i] != OUTCOME_OK) record_broken(m, i, &m->record->run[i]);
    return status;
}

Status measure_block(Measure *m, int block, BlockRecord *out, Err *err)
{
    *out = (BlockRecord){ .seed = m->plan.seed, .block = block, .started_at_ms = wall_clock_ms(),
                          .run = calloc((size_t)m->plan.arms, sizeof *out->run) };
    if (!out->run) return fail(err, NO_MEMORY, "no memory for a block of %d arms", m->plan.arms);
    out->runs = m->plan.arms;
    for (int i = 0; i < m->plan.arms; i++) out->run[i].point = m->arm[i];
    m->record = out;
    const Status status = run_block(m, block, err);
    m->record = NULL;
    out->duration_ms = wall_clock_ms() - out->started_at_ms;
    if (status) block_free(out);
    return status;
}
