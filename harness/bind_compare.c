/* SPDX-License-Identifier: Apache-2.0 */
/* How far a result is from the reference. */
#include "bind.h"

#include "../kernels/core/problem.h"
#include "../kernels/core/random.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_STREAM = 0x726f77 };   /* "row" */
static const double ulp_floor = 1e-3;   /* of max|ref|: below it an ulp says nothing */
static const double noise_floor = 1e-12; /* of the largest max|ref|: below it a tensor is 0 */

static double largest(const Tensor *t)
{
    double most = 0;
    for (int64_t i = 0, n = tensor_count(t); i < n; i++) {
        const double x = fabs(tensor_get(t, i));
        if (isfinite(x)) most = fmax(most, x);
    }
    return most;
}

/* The distance between neighbours of x in a dtype. */
static double unit_of(double x, Dtype dtype)
{
    int exponent;
    frexp(x, &exponent);
    const int digits = dtype == BF16 ? 8 : dtype == F32 ? FLT_MANT_DIG : DBL_MANT_DIG;
    return ldexp(1, exponent - digits);
}

static double distance(double got, double want)
{
    if (isfinite(got) && isfinite(want)) return fabs(got - want);
    return got == want ? 0 : INFINITY;
}

static int is_zero_row(const Tensor *t, int64_t row, int64_t width)
{
    for (int64_t i = 0; i < width; i++)
        if (tensor_get(t, row * width + i) != 0) return 0;
    return 1;
}

/* Rows that must be exactly 0 and are not. */
static int zero_row_broken(const Tensor *got, const Tensor *want)
{
    const int64_t width = want->rank ? want->dim[want->rank - 1] : 1;
    for (int64_t row = 0, rows = tensor_count(want) / width; row < rows; row++)
        if (is_zero_row(want, row, width) && !is_zero_row(got, row, width)) return 1;
    return 0;
}

static void keep_worst(Difference *d, const char *name, double error_rel, double error_abs,
                       double rmse)
{
    if (*d->worst_tensor && error_rel <= d->error_rel) return;
    d->error_rel = error_rel;
    d->error_abs = error_abs;
    d->rmse = rmse;
    snprintf(d->worst_tensor, sizeof d->worst_tensor, "%s", name);
}

/* By what a tensor's errors are divided. */
static double size_of(const Tensor *want, double largest_of_all)
{
    const double own = largest(want);
    if (own > noise_floor * largest_of_all) return own;
    return largest_of_all > 0 ? largest_of_all : 1;
}

void difference_add(Difference *d, const char *name, const Tensor *got, const Tensor *want,
                    Yardstick how)
{
    const int64_t n = tensor_count(want);
    require(n == tensor_count(got) && (want->dtype == F64 || want->dtype == I32));
    const double size = size_of(want, how.largest);
    double worst = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        const double g = tensor_get(got, i), w = tensor_get(want, i), off = distance(g, w);
        worst = fmax(worst, off);
        squares += off * off;
        d->nan_count += isnan(g);
        if (isfinite(w) && fabs(w) > ulp_floor * size)
            d->ulp = fmax(d->ulp, off / unit_of(w, how.unit));
    }
    double relative = worst / size;
    if (want->dtype == I32 && worst > 0) relative = INFINITY;
    if (how.strict && zero_row_broken(got, want)) relative = INFINITY;
    d->compared += n;
    keep_worst(d, name, relative, worst, sqrt(squares / (double)n));
}

Difference bound_compare(const Bound *b, const Bound *reference)
{
    const Problem *p = &b->problem;
    Difference d = { 0 };
    Yardstick how = { .unit = p->dtype, .strict = p->pass != BWD };
    for (int i = 0; p->method->port[i].name; i++) {
        const Tensor *want = bound_written(reference, i);
        if (want) how.largest = fmax(how.largest, largest(want));
    }
    for (int i = 0; p->method->port[i].name; i++) {
        const Tensor *got = bound_written(b, i), *want = bound_written(reference, i);
        require(!got == !want);
        if (got) difference_add(&d, bound_written_name(p, i), got, want, how);
    }
    return d;
}

/* ---- by rows ---------------------------------------------------------------------------- */

static const Tensor *sampled(const Bound *b)
{
    const Problem *p = &b->problem;
    const char *name = p->method->sample[p->pass];
    if (!name || !p->method->reference_row) return NULL;
    for (int i = 0; p->method->port[i].name; i++)
        if (bound_writes(p, i) && !strcmp(bound_written_name(p, i), name))
            return bound_written(b, i);
    return NULL;
}

/* Row i of got and want: one row of the i-th of as many equal stretches of `all`. */
static void take_row(const Bound *b, const Tensor *all, int64_t i, uint64_t seed, Tensor *got,
                     Tensor *want)
{
    const int64_t width = got->dim[1], count = got->dim[0], total = tensor_count(all) / width;
    const int64_t first = i * total / count, end = (i + 1) * total / count;
    const int64_t row = first + random_below(seed, SAMPLE_STREAM, (uint64_t)i, end - first);
    const size_t bytes = (size_t)width * dtype_bytes(all->dtype);
    memcpy((char *)got->data + (size_t)i * bytes, (char *)all->data + (size_t)row * bytes, bytes);
    b->problem.method->reference_row(&b->problem, &b->args, row, (double *)want->data + i * width);
}

Status bound_compare_rows(const Bound *b, int rows, uint64_t seed, Difference *out, Err *err)
{
    const Problem *p = &b->problem;
    const Tensor *all = sampled(b);
    if (!all)
        return fail(err, UNSUPPORTED, "%s cannot be checked by rows for pass %s", p->method->name,
                    pass_name(p->pass));
    const int64_t width = all->rank ? all->dim[all->rank - 1] : 1;
    const int64_t total = tensor_count(all) / width, count = rows < total ? rows : total;
    Tensor got = { .dtype = all->dtype, .rank = 2, .dim = { count, width } }, want = got;
    want.dtype = F64;
    got.data = malloc(tensor_bytes(&got));
    want.data = malloc(tensor_bytes(&want));
    Status status = NO_MEMORY;
    if (!got.data || !want.data) {
        fail(err, NO_MEMORY, "no memory for %lld rows", (long long)count);
        goto done;
    }
    for (int64_t i = 0; i < count; i++) take_row(b, all, i, seed, &got, &want);
    *out = (Difference){ 0 };
    difference_add(out, p->method->sample[p->pass], &got, &want,
                   (Yardstick){ .unit = p->dtype, .strict = p->pass != BWD });
    status = OK;
done:
    free(got.data);
    free(want.data);
    return status;
}

/* ---- how far is right --------------------------------------------------------------------- */

static int is_set(const Tolerance *t)
{
    return t->f32_fwd > 0 || t->f32_bwd > 0 || t->bf16_fwd > 0 || t->bf16_bwd > 0;
}

double bound_tolerance(const Problem *p, const Variant *v)
{
    const Tolerance *t = v && is_set(&v->tolerance) ? &v->tolerance : &p->method->tolerance;
    switch (p->dtype) {
    case F32:  return p->pass == BWD ? t->f32_bwd : t->f32_fwd;
    case BF16: return p->pass == BWD ? t->bf16_bwd : t->bf16_fwd;
    default:   return 1e-10;   /* float64 against float64 */
    }
}

double bound_reference_flops(const Problem *p)
{
    Problem forward = *p;
    if (p->pass != BWD) return p->method->cost(p).flops;
    forward.pass = FWD;
    return p->method->cost(p).flops + p->method->cost(&forward).flops;
}
