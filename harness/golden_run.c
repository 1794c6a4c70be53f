/* SPDX-License-Identifier: Apache-2.0 */
/* A golden file against the float64 reference, and against one variant.
 *
 * The reference has to agree in float64, from exact forward outputs where it is a backward pass. A
 * variant gets the file's inputs rounded to its dtype: in f32 they are exact, and its results are
 * held against the file; in bf16 they may not be, and its results are held against the reference's
 * on the rounded inputs, of which the outputs of the forward pass are some. */
#include "check.h"
#include "golden.h"

#include "../kernels/core/problem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const CheckItem *item;
    CheckResult     *out;
    SafeFile         file;
    Bound            ours;       /* float64: the reference on the inputs as the item sees them */
    int              compared;   /* tensors */
} GoldenRun;

/* ---- how far is right ---------------------------------------------------------------------- */

/* The rules of the files' own README: twice (gradients: three times) the error of the source's
 * code in float32, plus 1e-6; where an RMS ratio was measured instead, ten times that, at least
 * 1e-5 (1e-4). */
static double f32_tolerance(const SafeFile *file, const char *name, int is_gradient)
{
    const double error = golden_number(file, "float32_reference_err", name, -1);
    const double rms = golden_number(file, "fp32_rms_ratio_measured", name, -1);
    if (error >= 0) return (is_gradient ? 3 : 2) * error + 1e-6;
    if (rms >= 0) return fmax(10 * rms, is_gradient ? 1e-4 : 1e-5);
    return is_gradient ? 1e-4 : 2e-5;
}

/* Sources that transform to frequencies and back are less exact themselves. */
static double f64_tolerance(const SafeFile *file)
{
    const char *source = safe_metadata(file, "source");
    return source && strstr(source, "fft") ? 1e-9 : 1e-10;
}

static double tolerance_of(const GoldenRun *g, const char *name, int is_gradient)
{
    const CheckItem *item = g->item;
    if (!item->variant) return f64_tolerance(&g->file);
    /* A variant with a tolerance of its own rounds more than float32 does, on purpose. */
    const Tolerance *own = &item->variant->tolerance;
    const int plain = !(own->f32_fwd > 0 || own->f32_bwd > 0);
    if (plain && item->problem.dtype == F32) return f32_tolerance(&g->file, name, is_gradient);
    return bound_tolerance(&item->problem, item->variant);
}

/* ---- comparing --------------------------------------------------------------------------- */

/* What is exactly 0 or infinite in a golden file is so in exact arithmetic. */
static int misses_exact(const Tensor *got, const Tensor *want)
{
    for (int64_t i = 0, n = tensor_count(want); i < n; i++) {
        const double w = tensor_get(want, i);
        if ((w == 0 || isinf(w)) && tensor_get(got, i) != w) return 1;
    }
    return 0;
}

static void keep_worst(GoldenRun *g, const Difference *d, double tolerance)
{
    CheckResult *out = g->out;
    g->compared++;
    if (*out->worst_tensor && d->error_rel / tolerance <= out->error_rel / out->tolerance) return;
    out->error_rel = d->error_rel;
    out->tolerance = tolerance;
    snprintf(out->worst_tensor, sizeof out->worst_tensor, "%s", d->worst_tensor);
}

static void compare_pair(GoldenRun *g, const char *name, int is_gradient, const Tensor *got,
                         const Tensor *want)
{
    /* Cancels in exact arithmetic; the number is the size of what cancels. */
    const double cancels = golden_number(&g->file, "analytically_zero", name, 0);
    const int is_reference = !g->item->variant;
    Difference d = { 0 };
    difference_add(&d, name, got, want,
                   (Yardstick){ .unit = g->item->problem.dtype, .strict = !is_gradient });
    if (cancels > 0) d.error_rel /= cancels;
    else if (is_reference && misses_exact(got, want)) d.error_rel = INFINITY;
    keep_worst(g, &d, tolerance_of(g, name, is_gradient));
}

/* Against the file's values. */
static int compare_with_file(GoldenRun *g, const SafeTensor *from, int is_gradient,
                             const Tensor *got)
{
    Err err;
    Tensor want = *got;
    want.dtype = got->dtype == I32 ? I32 : F64;
    want.data = malloc(tensor_bytes(&want));
    if (!want.data)
        return check_says(g->out, OUTCOME_OUT_OF_MEMORY, "no memory for %s", from->name);
    const Status status = golden_load(&g->file, from, &want, &err);
    if (!status) compare_pair(g, from->name, is_gradient, got, &want);
    free(want.data);
    return status ? check_says(g->out, OUTCOME_WRONG, "%s", err.text) : 1;
}

static void judge(GoldenRun *g)
{
    CheckResult *out = g->out;
    if (!g->compared)
        check_says(out, OUTCOME_UNSUPPORTED, "the file has no result of this pass");
    else if (!(out->error_rel <= out->tolerance))
        check_says(out, OUTCOME_WRONG, "%s is not the golden one", out->worst_tensor);
}

/* ---- the reference ------------------------------------------------------------------------ */

static int has_gradients(const SafeFile *file, const Problem *p)
{
    for (int i = 0; p->method->port[i].name; i++)
        if (p->method->port[i].role != PORT_OUT && golden_tensor(file, &p->method->port[i], 1))
            return p->pass != FWD;
    return 0;
}

/* To what a dtype can hold; the reference goes on in float64. */
static void round_inputs(Bound *b, Dtype dtype)
{
    for (int i = 0; b->problem.method->port[i].name; i++) {
        const Port *port = &b->problem.method->port[i];
        Tensor *t = port->role == PORT_OUT ? &b->dx[i] : &b->x[i];
        if (t->data) port_round(port, t, dtype);
    }
}

static int run_reference(GoldenRun *g, CheckRoom *room)
{
    const Problem *p = &g->item->problem;
    Err err;
    if (bound_open(&g->ours, p, F64, has_gradients(&g->file, p), check_device(room), &err))
        return check_says(g->out, OUTCOME_OUT_OF_MEMORY, "%s", err.text);
    bound_fill(&g->ours);
    if (golden_inputs(&g->file, &g->ours, &err))
        return check_says(g->out, OUTCOME_WRONG, "%s", err.text);
    round_inputs(&g->ours, p->dtype);
    reference_run(&g->ours.problem, &g->ours.args, p->dtype);
    return 1;
}

static void judge_reference(GoldenRun *g)
{
    const Port *port = g->item->problem.method->port;
    for (int i = 0; port[i].name; i++) {
        const SafeTensor *x = golden_tensor(&g->file, &port[i], 0);
        const SafeTensor *dx = golden_tensor(&g->file, &port[i], 1);
        const int is_output = port[i].role == PORT_OUT;
        const int given = is_output && golden_is_upstream(&g->file, &port[i]);
        if (is_output && x && g->ours.x[i].data &&
            !compare_with_file(g, x, 0, &g->ours.x[i])) return;
        if (!given && dx && g->ours.dx[i].data &&
            !compare_with_file(g, dx, 1, &g->ours.dx[i])) return;
    }
    judge(g);
}

/* ---- a variant ---------------------------------------------------------------------------- */

static void copy_inputs(Bound *b, const Bound *from)
{
    for (int i = 0; b->problem.method->port[i].name; i++) {
        const int is_output = b->problem.method->port[i].role == PORT_OUT;
        if (!is_output && b->x[i].data) tensor_convert(&b->x[i], &from->x[i]);
        if (is_output && b->dx[i].data) tensor_convert(&b->dx[i], &from->dx[i]);
    }
}

static void judge_variant(GoldenRun *g, const Bound *b)
{
    const Problem *p = &g->item->problem;
    const int is_gradient = p->pass == BWD;
    for (int i = 0; p->method->port[i].name; i++) {
        const Port *port = &p->method->port[i];
        const Tensor *got = bound_written(b, i);
        const SafeTensor *from = golden_tensor(&g->file, port, is_gradient);
        if (!got || (is_gradient && !from)) continue;
        const int by_file = from && p->dtype == F32 && port->role != PORT_STATE;
        if (by_file && !compare_with_file(g, from, is_gradient, got)) return;
        if (!by_file)
            compare_pair(g, bound_written_name(p, i), is_gradient, got,
                         (is_gradient ? g->ours.dx : g->ours.x) + i);
    }
    judge(g);
}

static void check_variant(GoldenRun *g, CheckRoom *room)
{
    const CheckItem *item = g->item;
    const Problem *p = &item->problem;
    const char *why = item->variant->refuses ? item->variant->refuses(p, 1) : NULL;
    if (why) { check_says(g->out, OUTCOME_UNSUPPORTED, "%s", why); return; }
    Trial t;
    if (trial_open(&t, room, item->variant, p, g->out)) {
        bound_fill(&t.bound);
        copy_inputs(&t.bound, &g->ours);
        if (p->pass == BWD) bound_forward(&t.bound, &g->ours);
        if (trial_ready(&t) && trial_run(&t, 1)) judge_variant(g, &t.bound);
    }
    trial_close(&t);
}

void check_golden(CheckRoom *room, const CheckItem *item, CheckResult *out)
{
    Err err;
    GoldenRun g = { .item = item, .out = out };
    if (item->why) { check_says(out, item->outcome, "%s", item->why); return; }
    if (safe_open(&g.file, item->file, &err)) {
        check_says(out, OUTCOME_WRONG, "%s", err.text);
        return;
    }
    if (run_reference(&g, room)) {
        if (item->variant) check_variant(&g, room);
        else judge_reference(&g);
    }
    bound_close(&g.ours);
    safe_close(&g.file);
}
