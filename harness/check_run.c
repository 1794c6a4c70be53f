/* SPDX-License-Identifier: Apache-2.0 */
/* One variant on one problem. What is asked of a kernel beside the right numbers: it writes all of
 * its outputs and nothing else, does not rely on what its workspace held, allocates nothing, gives
 * the same bits again, and is as right with several threads as with one. */
#include "check.h"
#include "heap.h"

#include "../kernels/core/parallel.h"
#include "../kernels/core/problem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CheckRoom {
    Device *device;
    Team   *team;              /* CHECK_THREADS */
    Bound   reference[2];      /* exact, and from outputs in bf16; memory NULL: none yet */
};

/* Beyond this a seeded sample of rows is compared where it can be: seconds of float64. */
static const double whole_reference_flops = 2e10;
enum { SAMPLE_ROWS = 64, ARENA_GUARD = 256 };

/* ---- the room ----------------------------------------------------------------------------- */

Status check_room_open(CheckRoom **room, Err *err)
{
    CheckRoom *r = calloc(1, sizeof *r);
    if (!r) return fail(err, NO_MEMORY, "no memory");
    Status status = backend_cpu.open(&r->device, err);
    if (!status) status = team_open(&r->team, CHECK_THREADS, NULL, err);
    if (status) { check_room_close(r); return status; }
    *room = r;
    return OK;
}

void check_room_close(CheckRoom *r)
{
    if (!r) return;
    team_close(r->team);
    for (int i = 0; i < 2; i++) bound_close(&r->reference[i]);
    if (r->device) backend_cpu.close(r->device);
    free(r);
}

Device *check_device(CheckRoom *room) { return room->device; }

int check_says(CheckResult *out, Outcome outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->reason, sizeof out->reason, format, arguments);
    va_end(arguments);
    out->outcome = outcome;
    return 0;
}

static int same_problem(const Problem *a, const Problem *b)
{
    return a->method == b->method && a->pass == b->pass && a->seed == b->seed &&
           !memcmp(a->value, b->value, sizeof a->value);
}

/* A backward pass and its reference start from the same outputs of the forward pass. The other
 * passes read inputs only, which are the same in all dtypes. NULL: no memory, said so in out. */
static const Bound *reference_of(CheckRoom *r, const Problem *p, CheckResult *out)
{
    Bound *b = &r->reference[p->pass == BWD && p->dtype == BF16];
    Err err;
    if (b->memory && same_problem(&b->problem, p)) return b;
    bound_close(b);
    if (bound_open(b, p, F64, 0, r->device, &err)) {
        check_says(out, OUTCOME_OUT_OF_MEMORY, "%s", err.text);
        return NULL;
    }
    bound_fill(b);
    reference_run(&b->problem, &b->args, p->dtype);
    return b;
}

/* ---- a trial -------------------------------------------------------------------------------- */

static size_t workspace_bytes(const Trial *t, int threads)
{
    return t->variant->workspace ? t->variant->workspace(&t->bound.problem, threads) : 0;
}

int trial_open(Trial *t, CheckRoom *room, const Variant *v, const Problem *p, CheckResult *out)
{
    Err err;
    *t = (Trial){ .room = room, .variant = v, .out = out };
    if (bound_open(&t->bound, p, p->dtype, 0, room->device, &err))
        return check_says(out, OUTCOME_OUT_OF_MEMORY, "%s", err.text);
    const size_t one = workspace_bytes(t, 1), all = workspace_bytes(t, CHECK_THREADS);
    t->arena_bytes = workspace_round(one > all ? one : all) + 2 * ARENA_GUARD;
    t->arena = backend_cpu.take(room->device, t->arena_bytes);
    if (!t->arena)
        return check_says(out, OUTCOME_OUT_OF_MEMORY, "no memory for %zu bytes of workspace",
                          t->arena_bytes);
    return 1;
}

void trial_close(Trial *t)
{
    if (t->arena) backend_cpu.give(t->room->device, t->arena, t->arena_bytes);
    if (t->before) backend_cpu.give(t->room->device, t->before, t->bound.memory_bytes);
    bound_close(&t->bound);
}

int trial_ready(Trial *t)
{
    t->before = backend_cpu.take(t->room->device, t->bound.memory_bytes);
    if (!t->before) return check_says(t->out, OUTCOME_OUT_OF_MEMORY, "no memory for a copy");
    memcpy(t->before, t->bound.memory, t->bound.memory_bytes);
    return 1;
}

static int arena_guards_hold(const Trial *t, size_t used)
{
    char want[ARENA_GUARD];
    poison(want, sizeof want);
    return !memcmp(t->arena, want, ARENA_GUARD) &&
           !memcmp(t->arena + ARENA_GUARD + used, want, ARENA_GUARD);
}

int trial_call(Trial *t, const Args *args, int threads)
{
    const size_t bytes = workspace_round(workspace_bytes(t, threads));
    require(bytes + 2 * ARENA_GUARD <= t->arena_bytes);
    poison(t->arena, t->arena_bytes);
    if (t->calls++ % 2) memset(t->arena + ARENA_GUARD, 'A', bytes);   /* 12.08 in f32 and bf16 */
    Workspace ws = { .base = t->arena + ARENA_GUARD, .size = bytes };
    Ctx ctx = { .ws = &ws, .team = threads > 1 ? t->room->team : NULL, .threads = threads };
    const int64_t before = heap_calls();
    const Status status = t->variant->run(&t->bound.problem, args, &ctx);
    const int64_t allocated = heap_calls() - before;
    if (status) return check_says(t->out, OUTCOME_WRONG, "the call failed with status %d", status);
    if (allocated)
        return check_says(t->out, OUTCOME_WRONG, "the call allocated memory %lld times",
                          (long long)allocated);
    if (!arena_guards_hold(t, bytes))
        return check_says(t->out, OUTCOME_WRONG, "something was written beyond the workspace");
    return 1;
}

/* The first tensor that the pass must not write and did. */
static const char *changed_input(const Trial *t)
{
    const Bound *b = &t->bound;
    const Port *port = b->problem.method->port;
    for (int i = 0; port[i].name; i++) {
        const Tensor *both[] = { &b->x[i], &b->dx[i] }, *written = bound_written(b, i);
        for (int k = 0; k < 2; k++) {
            if (!both[k]->data || both[k] == written) continue;
            const char *now = both[k]->data, *then = t->before + (now - b->memory);
            if (memcmp(now, then, tensor_bytes(both[k]))) return port[i].name;
        }
    }
    return NULL;
}

int trial_run(Trial *t, int threads)
{
    memcpy(t->bound.memory, t->before, t->bound.memory_bytes);
    if (!trial_call(t, &t->bound.args, threads)) return 0;
    const char *broken = bound_guard_broken(&t->bound), *changed = changed_input(t);
    if (broken)
        return check_says(t->out, OUTCOME_WRONG, "something was written beyond %s", broken);
    if (changed)
        return check_says(t->out, OUTCOME_WRONG, "input %s (or its gradient) was changed", changed);
    return 1;
}

/* ---- a variant ---------------------------------------------------------------------------- */

static int is_right(const Trial *t, const Difference *d, const char *when)
{
    CheckResult *out = t->out;
    out->error_rel = d->error_rel;
    snprintf(out->worst_tensor, sizeof out->worst_tensor, "%s", d->worst_tensor);
    if (d->nan_count)
        return check_says(out, OUTCOME_WRONG, "%lld of %lld results are NaN%s",
                          (long long)d->nan_count, (long long)d->compared, when);
    if (!(d->error_rel <= out->tolerance))
        return check_says(out, OUTCOME_WRONG, "%s is off%s", out->worst_tensor, when);
    return 1;
}

static int compare(const Trial *t, const Bound *reference, const char *when)
{
    Difference d;
    Err err;
    if (reference) d = bound_compare(&t->bound, reference);
    else if (bound_compare_rows(&t->bound, SAMPLE_ROWS, t->bound.problem.seed, &d, &err))
        return check_says(t->out, OUTCOME_SKIPPED, "%s", err.text);
    return is_right(t, &d, when);
}

/* The same bits from the same inputs, whatever the workspace held before. */
static int is_repeatable(Trial *t, uint64_t first)
{
    if (!trial_run(t, 1)) return 0;
    if (bound_checksum(&t->bound) == first) return 1;
    return check_says(t->out, OUTCOME_NONDETERMINISTIC, "a second call gave other bits");
}

/* The method's tolerance is what holds; equal bits are worth a remark where they are missing. */
static int threads_agree(Trial *t, const Bound *reference, uint64_t first)
{
    const Variant *v = t->variant;
    if (v->refuses && v->refuses(&t->bound.problem, CHECK_THREADS)) return 1;
    if (!trial_run(t, CHECK_THREADS)) return 0;
    if (bound_checksum(&t->bound) == first) return 1;
    if (!compare(t, reference, " with several threads")) return 0;
    snprintf(t->out->reason, sizeof t->out->reason, "other bits with %d threads", CHECK_THREADS);
    return 1;
}

static void try_variant(Trial *t, const Bound *reference)
{
    bound_fill(&t->bound);
    if (t->bound.problem.pass == BWD) bound_forward(&t->bound, reference);
    if (!trial_ready(t) || !trial_run(t, 1) || !compare(t, reference, "")) return;
    const uint64_t first = bound_checksum(&t->bound);
    if (is_repeatable(t, first)) threads_agree(t, reference, first);
}

static int too_big(const Problem *p, int by_rows, CheckResult *out)
{
    if (!by_rows || (p->method->sample[p->pass] && p->pass != BWD)) return 0;
    check_says(out, OUTCOME_SKIPPED, "its float64 reference would take %.0f GFLOP",
               bound_reference_flops(p) / 1e9);
    return 1;
}

static void check_variant(CheckRoom *room, const CheckItem *item, CheckResult *out)
{
    const Problem *p = &item->problem;
    const Variant *v = item->variant;
    const char *why = v->refuses ? v->refuses(p, 1) : NULL;
    const int by_rows = bound_reference_flops(p) > whole_reference_flops;
    if (why) { check_says(out, OUTCOME_UNSUPPORTED, "%s", why); return; }
    if (too_big(p, by_rows, out)) return;
    const Bound *reference = by_rows ? NULL : reference_of(room, p, out);
    if (!by_rows && !reference) return;
    Trial t;
    out->tolerance = bound_tolerance(p, v) * (item->slack > 0 ? item->slack : 1);
    if (trial_open(&t, room, v, p, out)) try_variant(&t, reference);
    trial_close(&t);
}

void check_run(CheckRoom *room, const CheckItem *item, CheckResult *out)
{
    *out = (CheckResult){ .outcome = OUTCOME_OK };
    switch (item->kind) {
    case CHECK_VARIANT:  check_variant(room, item, out); return;
    case CHECK_GRADIENT: check_gradient(room, item, out); return;
    case CHECK_LAW:      check_law(room, item, out); return;
    case CHECK_GOLDEN:   check_golden(room, item, out); return;
    }
}
