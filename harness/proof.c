/* SPDX-License-Identifier: Apache-2.0 */
/* Is the output right? Whole float64 references where they are cheap, seeded rows where they are
 * not. What was once computed or compared for a group is kept in its memory file, under a name that
 * holds everything it depends on: an output is known by its checksum, so that later blocks only
 * compare checksums. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* So many budgets a whole reference may cost where there are no rows to fall back on. */
static const double PATIENCE = 30;
/* Rows take this much of the budget's time: the reference is plain code at about 1 GFLOP/s. */
static const double NS_PER_FLOP = 1;
enum { ROWS_FIRST = 2, ROWS_MAX = 32 };

static double budget_flops(const Bench *b) { return b->task->reference_flops / SETS_MAX; }

static int has_rows(const Problem *p)
{
    return p->method->reference_row && p->method->sample[p->pass];
}

static int is_whole(const Bench *b, const Problem *p)
{
    return !has_rows(p) || bound_reference_flops(p) <= budget_flops(b);
}

int proof_sets(const Bench *b, const Point *point)
{
    const Problem *p = &point->problem;
    return !has_rows(p) && bound_reference_flops(p) > budget_flops(b) * PATIENCE ? 1 : SETS_MAX;
}

/* ---- tensors in the memory file ------------------------------------------------------ */

/* What an item holds: x of the ports that are no pure inputs, dx of those that the pass writes. */
static int is_kept(const Problem *p, int port, int gradient)
{
    const Role role = p->method->port[port].role;
    return gradient ? p->pass == BWD && bound_writes(p, port) : role != PORT_IN;
}

/* Shapes of all tensors of an item and their places; with `memory`, their data as well. */
static size_t lay_out(const Problem *p, Bound *view, char *memory)
{
    size_t used = 0;
    *view = (Bound){ .problem = *p };
    for (int i = 0; p->method->port[i].name; i++) {
        Tensor shape = { 0 };
        if (!port_shape(p, i, &shape)) continue;
        for (int gradient = 0; gradient < 2; gradient++) {
            if (!is_kept(p, i, gradient)) continue;
            Tensor *t = gradient ? &view->dx[i] : &view->x[i];
            *t = shape;
            t->data = memory ? memory + used : NULL;
            used += workspace_round(tensor_bytes(&shape));
        }
    }
    return used;
}

static void view_args(Bound *view)
{
    view->args = (Args){ view->x, view->problem.pass == BWD ? view->dx : NULL };
}

static void copy_tensors(const Bound *to, const Bound *from)
{
    for (int i = 0; to->problem.method->port[i].name; i++) {
        if (to->x[i].data) memcpy(to->x[i].data, from->x[i].data, tensor_bytes(&to->x[i]));
        if (to->dx[i].data) memcpy(to->dx[i].data, from->dx[i].data, tensor_bytes(&to->dx[i]));
    }
}

void proof_name(char *out, const char *what, const Problem *p)
{
    char text[POINT_TEXT_MAX];
    problem_print(p, text, sizeof text);
    snprintf(out, PROOF_NAME_MAX, "%s %016llx %s", what, (unsigned long long)p->seed, text);
}

/* ---- the float64 reference ----------------------------------------------------------- */

/* Exact throughout: what is stored is evidence, and the rounding of what the forward pass hands to
 * the backward one is part of what a dtype costs. Where the file is full, the reference just
 * computed is kept by this process alone. */
static int compute_reference(Bench *b, const Problem *p, const char *name, Bound *own, Bound *view,
                             Err *err)
{
    if (bound_open(own, p, F64, p->pass == BWD, b->device, err)) return 0;
    bound_fill(own);
    reference_run(&own->problem, &own->args, F64);
    Problem wide = *p;
    wide.dtype = F64;
    const size_t bytes = lay_out(&wide, view, NULL);
    char *memory = shared_reserve(b->shared, bytes);
    if (!memory) { *view = *own; return 1; }
    lay_out(&wide, view, memory);
    copy_tensors(view, own);
    bound_close(own);
    shared_publish(b->shared, name, memory, bytes);
    return 1;
}

/* The reference's outputs. *own, if it comes back open, is the caller's to close. */
static int find_reference(Bench *b, Arm *arm, const Problem *p, Bound *own, Bound *view)
{
    char name[PROOF_NAME_MAX];
    size_t bytes;
    Err err;
    Problem wide = *p;
    wide.dtype = F64;
    *own = (Bound){ 0 };
    proof_name(name, "reference", p);
    char *memory = (char *)shared_find(b->shared, name, &bytes);
    if (!memory) {
        shared_blame(b->shared, arm->index, "computing the float64 reference");
        if (!compute_reference(b, p, name, own, view, &err))
            return bench_arm_ends(arm, OUTCOME_OUT_OF_MEMORY, "float64 reference: %.200s",
                                  err.text);
        if (own->memory) { view_args(view); return 1; }
        memory = (char *)shared_find(b->shared, name, &bytes);
        if (!memory)
            return bench_arm_ends(arm, OUTCOME_OUT_OF_MEMORY,
                                  "the float64 reference cannot be kept");
    }
    require(lay_out(&wide, view, memory) == bytes);
    view_args(view);
    return 1;
}

/* ---- the forward pass that a backward pass needs ------------------------------------- */

static const Variant *forward_variant(const Arm *arm)
{
    const Variant *v = arm->point.variant;
    if (v->passes & FWD) return v;
    return variant_find(v->method, arm->point.problem.method->usual, ISA_END);
}

/* Runs the forward pass in the problem's own dtype and takes its outputs. */
static int run_forward(Bench *b, Arm *arm, const Problem *p, Bound *forward)
{
    const Variant *v = forward_variant(arm);
    Err err;
    Problem fwd = *p;
    fwd.pass = FWD;
    if (!v || !(v->passes & FWD) || !(v->dtypes & 1u << p->dtype))
        return bench_arm_ends(arm, OUTCOME_UNSUPPORTED,
                              "no forward pass to take outputs from, and the reference's "
                              "is too dear at this size");
    if (bound_open(forward, &fwd, p->dtype, 0, b->device, &err))
        return bench_arm_ends(arm, OUTCOME_OUT_OF_MEMORY, "%.200s", err.text);
    bound_fill(forward);
    const size_t need = v->workspace ? workspace_round(v->workspace(&fwd, arm->point.threads)) : 0;
    Workspace ws = { .base = need ? backend_cpu.take(b->device, need) : NULL, .size = need };
    if (need && !ws.base)
        return bench_arm_ends(arm, OUTCOME_OUT_OF_MEMORY, "no memory for the forward pass");
    Ctx ctx = arm->ctx;
    ctx.ws = &ws;
    const Status status = v->run(&forward->problem, &forward->args, &ctx);
    if (need) backend_cpu.give(b->device, ws.base, need);
    if (status) return arm_failed(arm, status);
    /* These numbers become inputs: a few rows must be right as well. */
    Difference d;
    if (has_rows(&fwd) && !bound_compare_rows(forward, ROWS_FIRST, p->seed, &d, &err) &&
        !(d.error_rel <= bound_tolerance(&fwd, v)))
        return bench_arm_ends(arm, OUTCOME_WRONG,
                              "its forward pass: %s is off by %.3g of the largest value",
                              d.worst_tensor, d.error_rel);
    return 1;
}

static void take_outputs(Bound *to, const Bound *from)
{
    for (int i = 0; to->problem.method->port[i].name; i++)
        if (to->problem.method->port[i].role == PORT_OUT && to->x[i].data && from->x[i].data)
            memcpy(to->x[i].data, from->x[i].data, tensor_bytes(&to->x[i]));
}

int proof_forward(Bench *b, Arm *arm, int set)
{
    Bound *bound = &arm->set[set], view, own = { 0 };
    const Problem *p = &bound->problem;
    if (is_whole(b, p)) {
        if (!find_reference(b, arm, p, &own, &view)) return 0;
        bound_forward(bound, &view);
        bound_close(&own);
        return 1;
    }
    shared_blame(b->shared, arm->index, "running the forward pass");
    const int done = run_forward(b, arm, p, &own);
    if (done) take_outputs(bound, &own);
    bound_close(&own);
    return done;
}

/* ---- comparing ----------------------------------------------------------------------- */

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void add_worse(Difference *sum, const Difference *d)
{
    const int64_t compared = sum->compared + d->compared, nans = sum->nan_count + d->nan_count;
    const double ulp = fmax(sum->ulp, d->ulp);
    if (!*sum->worst_tensor || d->error_rel > sum->error_rel) *sum = *d;
    sum->compared = compared;
    sum->nan_count = nans;
    sum->ulp = ulp;
}

/* Rows speak of one tensor only. But every output was poisoned with NaN, so none may be left. */
static int64_t count_nans(const Bound *b)
{
    int64_t nans = 0;
    for (int i = 0; b->problem.method->port[i].name; i++) {
        const Tensor *t = bound_written(b, i);
        if (!t || t->dtype == I32) continue;
        const int64_t n = tensor_count(t);
        for (int64_t k = 0; k < n; k++) nans += isnan(tensor_get(t, k)) != 0;
    }
    return nans;
}

/* Two rows say how long a row takes; then as many as the budget holds. */
static int compare_rows(Bench *b, Arm *arm, int set, Difference *d)
{
    const Bound *bound = &arm->set[set];
    const uint64_t seed = bound->problem.seed;
    Difference more;
    Err err;
    const double start_ns = now_ns();
    if (bound_compare_rows(bound, ROWS_FIRST, seed, d, &err))
        return bench_arm_ends(arm, OUTCOME_OUT_OF_MEMORY, "%.200s", err.text);
    const double row_ns = fmax(1, (now_ns() - start_ns) / ROWS_FIRST);
    const int rows = (int)fmin(ROWS_MAX, budget_flops(b) * NS_PER_FLOP / row_ns);
    if (rows > ROWS_FIRST && !bound_compare_rows(bound, rows, seed + 1, &more, &err))
        add_worse(d, &more);
    d->nan_count = count_nans(bound);
    if (d->nan_count) d->error_rel = INFINITY;
    return 1;
}

static int compare(Bench *b, Arm *arm, int set, Difference *d)
{
    Bound view, own;
    const Problem *p = &arm->set[set].problem;
    if (!is_whole(b, p)) {
        shared_blame(b->shared, arm->index, "comparing its output");
        return compare_rows(b, arm, set, d);
    }
    if (!find_reference(b, arm, p, &own, &view)) return 0;
    shared_blame(b->shared, arm->index, "comparing its output");
    *d = bound_compare(&arm->set[set], &view);
    bound_close(&own);
    return 1;
}

static void keep(Bench *b, const char *name, const Difference *d)
{
    Difference *memory = shared_reserve(b->shared, sizeof *memory);
    if (!memory) return;
    *memory = *d;
    shared_publish(b->shared, name, memory, sizeof *memory);
}

int proof_check(Bench *b, Arm *arm, int set, uint64_t checksum)
{
    char name[PROOF_NAME_MAX];
    size_t bytes;
    Difference d;
    snprintf(name, sizeof name, "proof %d %016llx %s", set, (unsigned long long)checksum,
             b->task->arm[arm->index]);
    const Difference *known = shared_find(b->shared, name, &bytes);
    if (known) d = *known;
    else if (!compare(b, arm, set, &d)) return 0;
    else keep(b, name, &d);
    add_worse(&arm->worst, &d);
    arm->whole = is_whole(b, &arm->set[set].problem);
    arm->checksum[set] = checksum;
    const double allowed = bound_tolerance(&arm->set[set].problem, arm->point.variant);
    if (d.error_rel <= allowed) {
        arm->proven |= 1 << set;
        return 1;
    }
    return bench_arm_ends(arm, OUTCOME_WRONG,
                          "%s is off by %.3g of the largest value, %.3g is allowed; NaN: %lld",
                          d.worst_tensor, d.error_rel, allowed, (long long)d.nan_count);
}
