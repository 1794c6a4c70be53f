/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the float64 reference: its gradients against central differences of its
 * own forward pass, and algebraic laws, which hold for every variant too. */
#include "check.h"

#include "../kernels/core/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- gradients ----------------------------------------------------------------------------- */

/* A central difference with step h is off by h^2 of the third derivative and by 1e-16 / h of the
 * loss; one direction through all elements of a tensor sees an error in any of them. */
static const double step = 1e-5, gradient_tolerance = 1e-6, loss_floor = 1e-4;
enum { DIRECTION_STREAM = 0x646972 };   /* "dir" */

typedef struct {
    Bound  b;                  /* float64, gradients computed */
    char  *before;             /* its memory before that: inputs and upstream gradients */
    double magnitude;          /* sum of |upstream * output| at the last loss */
} Slope;

static const double *before_of(const Slope *s, const Tensor *t)
{
    return (const double *)(s->before + ((const char *)t->data - s->b.memory));
}

/* An output's gradient is given, unless the reference wrote it itself (partial results that only
 * the merge reads). */
static int is_upstream(const Slope *s, int port)
{
    const Tensor *dx = &s->b.dx[port];
    if (s->b.problem.method->port[port].role != PORT_OUT || !dx->data) return 0;
    return !memcmp(dx->data, before_of(s, dx), tensor_bytes(dx));
}

static double loss_of(Slope *s)
{
    double loss = 0;
    s->magnitude = 0;
    for (int i = 0; s->b.problem.method->port[i].name; i++) {
        if (!is_upstream(s, i)) continue;
        const double *x = s->b.x[i].data, *dx = s->b.dx[i].data;
        for (int64_t k = 0, n = tensor_count(&s->b.x[i]); k < n; k++) {
            loss += dx[k] * x[k];
            s->magnitude += fabs(dx[k] * x[k]);
        }
    }
    return loss;
}

static double direction(const Slope *s, int port, int64_t index)
{
    const uint64_t stream = DIRECTION_STREAM + (uint64_t)port;
    const uint64_t bits = random_u64(s->b.problem.seed, stream, (uint64_t)index / 64);
    return bits >> (index % 64) & 1 ? 1 : -1;
}

/* The loss with one input moved by h along its direction. */
static double moved_loss(Slope *s, int port, double h)
{
    const Method *m = s->b.problem.method;
    for (int i = 0; m->port[i].name; i++) {
        const Tensor *t = &s->b.x[i];
        if (m->port[i].role == PORT_OUT || !t->data) continue;
        memcpy(t->data, before_of(s, t), tensor_bytes(t));
    }
    double *x = s->b.x[port].data;
    const int64_t n = tensor_count(&s->b.x[port]);
    for (int64_t k = 0; k < n; k++) x[k] += h * direction(s, port, k);
    reference_outputs(&s->b.problem, &s->b.args);
    return loss_of(s);
}

static double slope_error(Slope *s, int port)
{
    const double *dx = s->b.dx[port].data;
    double claimed = 0, squares = 0;
    for (int64_t k = 0, n = tensor_count(&s->b.dx[port]); k < n; k++) {
        claimed += dx[k] * direction(s, port, k);
        squares += dx[k] * dx[k];
    }
    const double up = moved_loss(s, port, step), down = moved_loss(s, port, -step);
    const double scale = fmax(fmax(sqrt(squares), fabs(claimed)), loss_floor * s->magnitude);
    const double off = fabs((up - down) / (2 * step) - claimed);
    return off <= 0 ? 0 : isfinite(off) ? off / scale : INFINITY;
}

static void compare_slopes(Slope *s, CheckResult *out)
{
    const Port *port = s->b.problem.method->port;
    for (int i = 0; port[i].name; i++) {
        if (port[i].role == PORT_OUT || !s->b.dx[i].data) continue;
        const double error = slope_error(s, i);
        if (*out->worst_tensor && error <= out->error_rel) continue;
        out->error_rel = error;
        snprintf(out->worst_tensor, sizeof out->worst_tensor, "d%s", port[i].name);
    }
    if (!(out->error_rel <= out->tolerance))
        check_says(out, OUTCOME_WRONG, "%s is not the slope of the forward pass",
                   out->worst_tensor);
}

void check_gradient(CheckRoom *room, const CheckItem *item, CheckResult *out)
{
    const Problem *p = &item->problem;
    Slope s = { .magnitude = 0 };
    Err err;
    out->tolerance = gradient_tolerance;
    if (bound_open(&s.b, p, F64, 1, check_device(room), &err)) {
        check_says(out, OUTCOME_OUT_OF_MEMORY, "%s", err.text);
        return;
    }
    s.before = malloc(s.b.memory_bytes);
    if (s.before) {
        bound_fill(&s.b);
        memcpy(s.before, s.b.memory, s.b.memory_bytes);
        reference_run(&s.b.problem, &s.b.args, F64);
        compare_slopes(&s, out);
    } else {
        check_says(out, OUTCOME_OUT_OF_MEMORY, "no memory for a copy");
    }
    free(s.before);
    bound_close(&s.b);
}

/* ---- laws ------------------------------------------------------------------------------ */

typedef struct {
    const CheckItem *item;
    Trial            trial;    /* of the variant; its bound is the law's `a` */
    Bound            other;    /* the law's `b` */
    Bound            forward;  /* float64, where a backward pass needs the forward's outputs */
    CheckResult     *out;
} LawCase;

/* The law may have changed the inputs: the outputs that a backward pass reads are theirs. */
static void renew_outputs(LawCase *c, const Args *args)
{
    const Method *m = c->item->problem.method;
    Bound *f = &c->forward;
    for (int i = 0; m->port[i].name; i++)
        if (m->port[i].role != PORT_OUT && f->x[i].data) tensor_convert(&f->x[i], &args->x[i]);
    reference_outputs(&f->problem, &f->args);
    for (int i = 0; m->port[i].name; i++)
        if (m->port[i].role == PORT_OUT && f->x[i].data) tensor_convert(&args->x[i], &f->x[i]);
}

static void run_reference(void *self, const Args *args)
{
    const LawCase *c = self;
    reference_run(&c->item->problem, args, F64);
}

static void run_variant(void *self, const Args *args)
{
    LawCase *c = self;
    if (c->out->outcome != OUTCOME_OK) return;
    if (c->forward.memory) renew_outputs(c, args);
    trial_call(&c->trial, args, 1);
}

/* `a` of a law about the reference is a bound like any other. */
static int open_law(LawCase *c, CheckRoom *room)
{
    const CheckItem *item = c->item;
    const Problem *p = &item->problem;
    Device *device = check_device(room);
    Bound *a = &c->trial.bound;
    Err err;
    Status status = OK;
    if (item->variant) {
        if (!trial_open(&c->trial, room, item->variant, p, c->out)) return 0;
    } else {
        c->trial.room = room;
        status = bound_open(a, p, F64, 0, device, &err);
    }
    if (!status) status = bound_open(&c->other, p, p->dtype, 0, device, &err);
    if (!status && item->variant && p->pass == BWD)
        status = bound_open(&c->forward, p, F64, 0, device, &err);
    if (status) return check_says(c->out, OUTCOME_OUT_OF_MEMORY, "%s", err.text);
    bound_fill(a);
    bound_fill(&c->other);
    return 1;
}

static void try_law(LawCase *c)
{
    const CheckItem *item = c->item;
    CheckResult *out = c->out;
    Args a = c->trial.bound.args, b = c->other.args;
    const double off = item->law->violation(&item->problem, &a, &b,
                                            item->variant ? run_variant : run_reference, c);
    if (out->outcome != OUTCOME_OK) return;
    out->error_rel = isnan(off) ? INFINITY : off;
    if (!(off <= out->tolerance))
        check_says(out, OUTCOME_WRONG, "this must hold: %s", item->law->says);
}

void check_law(CheckRoom *room, const CheckItem *item, CheckResult *out)
{
    const Variant *v = item->variant;
    const char *why = v && v->refuses ? v->refuses(&item->problem, 1) : NULL;
    if (why) { check_says(out, OUTCOME_UNSUPPORTED, "%s", why); return; }
    LawCase c = { .item = item, .out = out };
    out->tolerance = 2 * bound_tolerance(&item->problem, v);   /* two results are compared */
    if (open_law(&c, room)) try_law(&c);
    trial_close(&c.trial);
    bound_close(&c.other);
    bound_close(&c.forward);
}
