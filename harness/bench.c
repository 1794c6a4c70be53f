/* SPDX-License-Identifier: Apache-2.0 */
/* Arms of a compare group: whether they can run here, their memory, their first call. */
#include "bench.h"

#include "../kernels/core/random.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- endings and metrics ------------------------------------------------------------- */

int arm_lives(const Arm *arm) { return arm->outcome == OUTCOME_OK; }

int bench_arm_ends(Arm *arm, Outcome outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(arm->ending.reason, sizeof arm->ending.reason, format, arguments);
    va_end(arguments);
    arm->outcome = arm->ending.outcome = outcome;
    return 0;
}

int arm_failed(Arm *arm, Status status)
{
    static const char *const what[] = { "OK", "bad input", "unsupported", "no memory", "I/O failed",
                                        "device failed" };
    const Outcome outcome = status == UNSUPPORTED ? OUTCOME_UNSUPPORTED
                          : status == NO_MEMORY ? OUTCOME_OUT_OF_MEMORY : OUTCOME_CRASHED;
    return bench_arm_ends(arm, outcome, "the variant returned \"%s\"", what[status]);
}

void bench_metric(Arm *arm, const char *instrument, const char *name, const char *unit,
                  double value)
{
    if (!isfinite(value)) return;
    require(arm->metrics < METRICS_MAX);
    Metric *m = &arm->metric[arm->metrics++];
    *m = (Metric){ .value = value };
    snprintf(m->instrument, sizeof m->instrument, "%s", instrument);
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->unit, sizeof m->unit, "%s", unit);
}

void bench_missing(Arm *arm, const char *format, ...)
{
    char *note = arm->ending.note;
    const size_t size = sizeof arm->ending.note, used = strlen(note);
    const int joined = snprintf(note + used, size - used, "%s", used ? "; " : "");
    if (used + (size_t)joined >= size) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note + used + joined, size - used - (size_t)joined, format, arguments);
    va_end(arguments);
}

void bench_send_metrics(Bench *b, Arm *arm)
{
    if (arm->metrics)
        frame_send(b->result_fd, FRAME_METRIC, arm->index, arm->metric,
                   (size_t)arm->metrics * sizeof *arm->metric);
    arm->metrics = 0;
}

void bench_send_epochs(Bench *b, const Arm *arm, const Epoch *epoch, int count)
{
    if (count)
        frame_send(b->result_fd, FRAME_EPOCHS, arm->index, epoch, (size_t)count * sizeof *epoch);
}

/* ---- can it run at all? -------------------------------------------------------------- */

static int supported(const Bench *b, Arm *arm)
{
    const Point *p = &arm->point;
    const Variant *v = p->variant;
    const char *why;
    Err err;
    if (!v)
        return bench_arm_ends(arm, OUTCOME_UNSUPPORTED, "the float64 reference is what others are "
                              "checked against; it is not measured");
    if ((why = isa_missing(v->isa))) return bench_arm_ends(arm, OUTCOME_UNSUPPORTED, "%s", why);
    if (!(v->passes & p->problem.pass))
        return bench_arm_ends(arm, OUTCOME_UNSUPPORTED, "%s/%s has no %s pass", v->method, v->name,
                              pass_name(p->problem.pass));
    if (!(v->dtypes & 1u << p->problem.dtype))
        return bench_arm_ends(arm, OUTCOME_UNSUPPORTED, "%s/%s has no %s", v->method, v->name,
                              dtype_name(p->problem.dtype));
    if (problem_valid(&p->problem, &err))
        return bench_arm_ends(arm, OUTCOME_UNSUPPORTED, "%.200s", err.text);
    if (p->threads > b->task->cpus)
        return bench_arm_ends(arm, OUTCOME_UNSUPPORTED, "%d threads, but only %d cores may be used",
                              p->threads, b->task->cpus);
    if (v->refuses && (why = v->refuses(&p->problem, p->threads)))
        return bench_arm_ends(arm, OUTCOME_UNSUPPORTED, "%s", why);
    return 1;
}

/* ---- opening ------------------------------------------------------------------------- */

static Status open_team(Bench *b, int threads, Err *err)
{
    if (b->team[threads]) return OK;
    return team_open(&b->team[threads], threads, b->task->cpu, err);
}

static Status open_arm(Bench *b, int index, Err *err)
{
    Arm *arm = &b->arm[index];
    arm->index = index;
    if (b->task->dead[index]) {
        bench_arm_ends(arm, OUTCOME_SKIPPED, "it broke an earlier worker");
        return OK;
    }
    Status status = worker_parse(&arm->point, b->task->arm[index], err);
    if (status || !supported(b, arm)) return status;
    status = open_team(b, arm->point.threads, err);
    arm->ctx = (Ctx){ .ws = &arm->ws,
                      .team = b->team[arm->point.threads],
                      .threads = arm->point.threads };
    const int sets = proof_sets(b, &arm->point);
    if (sets < b->sets) b->sets = sets;
    return status;
}

Status bench_open(Bench *b, Shared *shared, int result_fd, Err *err)
{
    const Task *task = &shared->head->task;
    *b = (Bench){ .shared = shared, .task = task, .result_fd = result_fd, .arms = task->arms,
                  .sets = SETS_MAX };
    b->arm = calloc((size_t)task->arms, sizeof *b->arm);
    if (!b->arm) return fail(err, NO_MEMORY, "no memory for %d arms", task->arms);
    Status status = backend_cpu.open(&b->device, err);
    for (int i = 0; !status && i < task->arms; i++) status = open_arm(b, i, err);
    return status;
}

static void close_arm(Bench *b, Arm *arm)
{
    for (int s = 0; s < arm->sets; s++) {
        bound_close(&arm->set[s]);
        free(arm->state[s]);
    }
    if (arm->ws.base) backend_cpu.give(b->device, arm->ws.base, arm->ws.size);
}

void bench_send_endings(Bench *b)
{
    for (int i = 0; i < b->arms; i++)
        frame_send(b->result_fd, FRAME_OUTCOME, i, &b->arm[i].ending, sizeof b->arm[i].ending);
}

void bench_close(Bench *b)
{
    for (int i = 0; b->arm && i < b->arms; i++) close_arm(b, &b->arm[i]);
    for (int n = 0; n <= THREADS_MAX; n++) team_close(b->team[n]);
    if (b->device) backend_cpu.close(b->device);
    free(b->arm);
}

/* ---- calling ------------------------------------------------------------------------- */

Status arm_call(Arm *arm, int set)
{
    Bound *b = &arm->set[set];
    workspace_reset(&arm->ws);
    return arm->point.variant->run(&b->problem, &b->args, &arm->ctx);
}

static size_t state_bytes(const Bound *b)
{
    size_t bytes = 0;
    for (int i = 0; b->problem.method->port[i].name; i++)
        if (b->problem.method->port[i].role == PORT_STATE && bound_writes(&b->problem, i))
            bytes += tensor_bytes(&b->x[i]);
    return bytes;
}

static void copy_states(Bound *b, char *kept, int back)
{
    for (int i = 0; b->problem.method->port[i].name; i++) {
        if (b->problem.method->port[i].role != PORT_STATE || !bound_writes(&b->problem, i))
            continue;
        const size_t bytes = tensor_bytes(&b->x[i]);
        if (back) memcpy(b->x[i].data, kept, bytes);
        else      memcpy(kept, b->x[i].data, bytes);
        kept += bytes;
    }
}

void arm_restore(Arm *arm, int set)
{
    if (arm->state[set]) copy_states(&arm->set[set], arm->state[set], 1);
}

/* ---- memory -------------------------------------------------------------------------- */

static int take_workspace(Bench *b, Arm *arm)
{
    const Variant *v = arm->point.variant;
    if (arm->workspace_bytes || !v->workspace) return 1;
    arm->workspace_bytes = v->workspace(&arm->point.problem, arm->point.threads);
    if (!arm->workspace_bytes) return 1;
    const size_t size = workspace_round(arm->workspace_bytes);
    arm->ws.base = backend_cpu.take(b->device, size);
    if (!arm->ws.base)
        return bench_arm_ends(arm, OUTCOME_OUT_OF_MEMORY, "no memory for a workspace of %.1f MiB",
                              (double)size / (1 << 20));
    arm->ws.size = size;
    poison(arm->ws.base, size);
    return 1;
}

/* Inputs are the same in all blocks: they depend on the group's seed and the set. */
static uint64_t set_seed(const Bench *b, int set)
{
    enum { SET_STREAM = 0x736574 };    /* "set" */
    return set ? random_u64(b->task->seed, SET_STREAM, (uint64_t)set) : b->task->seed;
}

/* Filling costs some nanoseconds an element, which is much for a kernel that is linear in them. So
 * the whole block of memory, guards and all, is kept for later blocks and for other variants. */
enum { IMAGE_BYTES_MAX = 1 << 28 };

static int fill_set(Bench *b, Arm *arm, int set)
{
    Bound *bound = &arm->set[set];
    char name[PROOF_NAME_MAX];
    proof_name(name, "inputs", &bound->problem);
    if (shared_load(b->shared, name, bound->memory, bound->memory_bytes)) return 1;
    bound_fill(bound);
    if (bound->problem.pass == BWD && !proof_forward(b, arm, set)) return 0;
    char *memory = bound->memory_bytes <= IMAGE_BYTES_MAX
                       ? shared_reserve(b->shared, bound->memory_bytes)
                       : NULL;
    if (!memory) return 1;
    memcpy(memory, bound->memory, bound->memory_bytes);
    shared_publish(b->shared, name, memory, bound->memory_bytes);
    return 1;
}

static int open_set(Bench *b, Arm *arm, int set)
{
    Bound *bound = &arm->set[set];
    Problem p = arm->point.problem;
    p.seed = set_seed(b, set);
    Err err;
    if (bound_open(bound, &p, p.dtype, 0, b->device, &err))
        return bench_arm_ends(arm, OUTCOME_OUT_OF_MEMORY, "%.200s", err.text);
    arm->sets = set + 1;
    if (!fill_set(b, arm, set)) return 0;
    const size_t kept = set && !arm->state[0] ? 0 : state_bytes(bound);   /* known from set 0 */
    if (kept && !(arm->state[set] = malloc(kept)))
        return bench_arm_ends(arm, OUTCOME_OUT_OF_MEMORY, "no memory for a copy of the states");
    if (kept) copy_states(bound, arm->state[set], 0);
    return 1;
}

/* ---- the first call ------------------------------------------------------------------ */

/* A cache that each call writes the same token into needs no restoring. */
static int find_idempotence(Arm *arm, int set)
{
    if (!arm->state[set]) return 1;
    const Status status = arm_call(arm, set);
    if (status) return arm_failed(arm, status);
    if (bound_checksum(&arm->set[set]) == arm->checksum[set]) {
        free(arm->state[set]);
        arm->state[set] = NULL;
    }
    return 1;
}

static int first_call(Bench *b, Arm *arm, int set)
{
    shared_blame(b->shared, arm->index, "making its first call");
    const int64_t blas_before = counts.matmul_flops, start_ns = backend_cpu.now_ns(b->device);
    Laps laps = { .count = 0 };
    arm->ctx.laps = &laps;
    const Status status = arm_call(arm, set);
    arm->ctx.laps = NULL;
    if (status) return arm_failed(arm, status);
    arm->has_laps = laps.count > 0;
    if (!arm->called) arm->first_call_ns = (double)(backend_cpu.now_ns(b->device) - start_ns);
    if (!arm->called && arm->point.variant->isa != ISA_COUNT)
        arm->library_flops = (double)(counts.matmul_flops - blas_before);
    arm->called = 1;
    const char *broken = bound_guard_broken(&arm->set[set]);
    if (broken) return bench_arm_ends(arm, OUTCOME_WRONG, "it wrote outside of tensor %s", broken);
    return proof_check(b, arm, set, bound_checksum(&arm->set[set])) && find_idempotence(arm, set);
}

int arm_prepare(Bench *b, Arm *arm, int sets)
{
    while (arm_lives(arm) && arm->sets < sets) {
        shared_blame(b->shared, arm->index, "preparing its inputs");
        const int set = arm->sets;
        if (!take_workspace(b, arm) || !open_set(b, arm, set)) return 0;
        if (!arm->called && !first_call(b, arm, set)) return 0;
    }
    return arm_lives(arm);
}
