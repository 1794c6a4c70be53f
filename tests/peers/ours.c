/* SPDX-License-Identifier: Apache-2.0 */
/* attest's own side of a comparison with other programs: one process that stays, so that its bursts
 * can be interleaved with those of another process. It binds, fills and checks a point just as
 * `attest bench` does, and answers the requests of tests/peers/server.py:
 *
 *   open POINT   ->  ok ERROR CALL_NS POINT   or   no REASON
 *   burst CALLS  ->  ns NS NS ...
 *   close        ->  ok
 *
 * Usage: ours CPU,CPU,...   (thread i of a team is pinned to the i-th) */
#include "harness/bind.h"
#include "kernels/core/parallel.h"
#include "kernels/core/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CPUS_MAX = 256, REQUEST_MAX = POINT_TEXT_MAX + 16, CALLS_MAX = 1 << 16 };
enum { FIRST_CALLS = 3, CHECKED_ROWS = 64 };
/* Whole references up to here, seeded rows beyond: the reference does about 1 GFLOP/s. */
static const double WHOLE_FLOPS = 3e8;

typedef struct {
    Device   *device;
    int       cpu[CPUS_MAX], cpus;
    int       is_open;
    Point     point;
    Bound     bound;
    Team     *team;
    Workspace ws;
    Ctx       ctx;
    int64_t   time_ns[CALLS_MAX];
} Ours;

/* ---- calls ---------------------------------------------------------------------------------- */

static Status call(Ours *o)
{
    workspace_reset(&o->ws);
    return o->point.variant->run(&o->bound.problem, &o->bound.args, &o->ctx);
}

static Status timed(Ours *o, int calls)
{
    Status status = OK;
    int64_t before_ns = backend_cpu.now_ns(o->device);
    for (int i = 0; i < calls && !status; i++) {
        status = call(o);
        const int64_t after_ns = backend_cpu.now_ns(o->device);
        o->time_ns[i] = after_ns - before_ns;
        before_ns = after_ns;
    }
    return status;
}

/* ---- is it right? --------------------------------------------------------------------------- */

static Status compare_whole(const Ours *o, Difference *d, Err *err)
{
    const Problem *p = &o->bound.problem;
    Bound reference = { 0 };
    const Status status = bound_open(&reference, p, F64, p->pass == BWD, o->device, err);
    if (status) return status;
    bound_fill(&reference);
    reference_run(&reference.problem, &reference.args, F64);
    *d = bound_compare(&o->bound, &reference);
    bound_close(&reference);
    return OK;
}

static Status check(const Ours *o, double *error_rel, Err *err)
{
    const Problem *p = &o->bound.problem;
    const int rows = p->method->reference_row && p->method->sample[p->pass] &&
                     bound_reference_flops(p) > WHOLE_FLOPS;
    Difference d;
    const Status status = rows ? bound_compare_rows(&o->bound, CHECKED_ROWS, p->seed, &d, err)
                               : compare_whole(o, &d, err);
    if (status) return status;
    const double allowed = bound_tolerance(p, o->point.variant);
    *error_rel = d.error_rel;
    if (d.error_rel <= allowed) return OK;
    return fail(err, UNSUPPORTED, "wrong: %s is off by %.3g of the largest value, %.3g is allowed",
                d.worst_tensor, d.error_rel, allowed);
}

/* ---- opening -------------------------------------------------------------------------------- */

static Status refuse(const Ours *o, Err *err)
{
    const Point *p = &o->point;
    const Variant *v = p->variant;
    const char *why;
    if (!v) return fail(err, UNSUPPORTED, "the reference is not measured");
    if (!(v->passes & p->problem.pass) || !(v->dtypes & 1u << p->problem.dtype))
        return fail(err, UNSUPPORTED, "%s/%s@%s has no %s in %s", v->method, v->name,
                    isa_name(v->isa),
                    pass_name(p->problem.pass), dtype_name(p->problem.dtype));
    if (p->threads > o->cpus)
        return fail(err, UNSUPPORTED, "%d threads on %d cores", p->threads, o->cpus);
    if (v->refuses && (why = v->refuses(&p->problem, p->threads)))
        return fail(err, UNSUPPORTED, "%s", why);
    return OK;
}

static Status take_workspace(Ours *o, const Problem *p, Err *err)
{
    const Variant *v = o->point.variant;
    const size_t size = v->workspace ? workspace_round(v->workspace(p, o->point.threads)) : 0;
    o->ws = (Workspace){ .base = size ? backend_cpu.take(o->device, size) : NULL, .size = size };
    return size && !o->ws.base ? fail(err, NO_MEMORY, "no memory for the workspace") : OK;
}

static void give_workspace(Ours *o)
{
    if (o->ws.base) backend_cpu.give(o->device, o->ws.base, o->ws.size);
    o->ws = (Workspace){ 0 };
}

/* A backward pass gets the outputs of the same variant's forward pass. */
static Status give_forward(Ours *o, Err *err)
{
    const Bound backward = o->bound;
    Problem forward = backward.problem;
    forward.pass = FWD;
    if (!(o->point.variant->passes & FWD)) return fail(err, UNSUPPORTED, "it has no forward pass");
    Status status = bound_open(&o->bound, &forward, forward.dtype, 0, o->device, err);
    if (status) { o->bound = backward; return status; }
    bound_fill(&o->bound);
    status = take_workspace(o, &forward, err);
    if (!status && (status = call(o))) fail(err, status, "its forward pass failed");
    for (int i = 0; !status && forward.method->port[i].name; i++)
        if (forward.method->port[i].role == PORT_OUT && backward.x[i].data)
            memcpy(backward.x[i].data, o->bound.x[i].data, tensor_bytes(&backward.x[i]));
    give_workspace(o);
    bound_close(&o->bound);
    o->bound = backward;
    return status;
}

static void close_point(Ours *o)
{
    if (!o->is_open) return;
    give_workspace(o);
    bound_close(&o->bound);
    team_close(o->team);
    o->team = NULL;
    o->is_open = 0;
}

static Status open_point(Ours *o, const char *text, double *error_rel, int64_t *call_ns, Err *err)
{
    close_point(o);
    Status status = point_parse(&o->point, text, err);
    if (!status) status = problem_valid(&o->point.problem, err);
    if (!status) status = refuse(o, err);
    const Problem *asked = &o->point.problem;
    if (!status) status = bound_open(&o->bound, asked, asked->dtype, 0, o->device, err);
    if (status) return status;
    o->is_open = 1;
    bound_fill(&o->bound);
    status = team_open(&o->team, o->point.threads, o->cpu, err);
    o->ctx = (Ctx){ .ws = &o->ws, .team = o->team, .threads = o->point.threads };
    if (!status && o->point.problem.pass == BWD) status = give_forward(o, err);
    if (!status) status = take_workspace(o, &o->bound.problem, err);
    if (!status && (status = timed(o, FIRST_CALLS))) fail(err, status, "its first calls failed");
    if (!status) status = check(o, error_rel, err);
    for (int i = 0; i < FIRST_CALLS; i++)
        if (!i || o->time_ns[i] < *call_ns) *call_ns = o->time_ns[i];
    if (status) close_point(o);
    return status;
}

/* ---- requests ------------------------------------------------------------------------------- */

static void answer_open(Ours *o, const char *text)
{
    double error_rel = 0;
    int64_t call_ns = 0;
    char canonical[POINT_TEXT_MAX];
    Err err = { "" };
    if (open_point(o, text, &error_rel, &call_ns, &err)) { printf("no %s\n", err.text); return; }
    point_print(&o->point, canonical, sizeof canonical);
    printf("ok %.3g %lld %s\n", error_rel, (long long)call_ns, canonical);
}

/* One untimed call first, where a call is short enough for cold caches to matter. */
static void answer_burst(Ours *o, int calls)
{
    if (!o->is_open || calls < 1 || calls > CALLS_MAX) { printf("no such burst\n"); return; }
    Status status = calls > 1 ? call(o) : OK;
    if (!status) status = timed(o, calls);
    if (status) { printf("no call failed\n"); return; }
    printf("ns");
    for (int i = 0; i < calls; i++) printf(" %lld", (long long)o->time_ns[i]);
    printf("\n");
}

static int read_cpus(Ours *o, const char *text)
{
    for (char *end; *text && o->cpus < CPUS_MAX; text = end + (*end == ',')) {
        o->cpu[o->cpus++] = (int)strtol(text, &end, 10);
        if (end == text) return 0;
    }
    return o->cpus > 0;
}

int main(int argc, char **argv)
{
    static Ours o;
    char line[REQUEST_MAX];
    Err err = { "" };
    if (argc != 2 || !read_cpus(&o, argv[1])) {
        fprintf(stderr, "usage: ours CPU,CPU,...\n");
        return 2;
    }
    if (backend_cpu.open(&o.device, &err)) { fprintf(stderr, "ours: %s\n", err.text); return 1; }
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "open ", 5)) answer_open(&o, line + 5);
        else if (!strncmp(line, "burst ", 6)) answer_burst(&o, atoi(line + 6));
        else { close_point(&o); printf("ok\n"); }
        fflush(stdout);
    }
    close_point(&o);
    backend_cpu.close(o.device);
    return 0;
}
