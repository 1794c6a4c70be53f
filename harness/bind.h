/* SPDX-License-Identifier: Apache-2.0 */
/* Gives a problem its memory: shapes from the ports, contents from the fills, a
 * poisoned guard on both sides of every tensor, outputs that start as NaN. The
 * checker, the clock and `apply` all use this one, so what is checked is what is
 * timed. Inputs depend on (seed, port's name, index) only: not on the dtype, nor on
 * the method, so that the arms of a comparison see the same numbers. */
#ifndef BIND_H
#define BIND_H

#include "../kernels/core/backend.h"
#include "../kernels/core/method.h"

typedef struct {
    Problem  problem;          /* its dtype is the one bound, F64 for a reference */
    Tensor   x[PORT_MAX], dx[PORT_MAX];
    Args     args;             /* views of x and dx */
    Device  *device;           /* borrowed */
    char    *memory;
    size_t   memory_bytes;
    size_t   tensor_bytes;     /* without guards and rounding */
} Bound;

/* with_gradients: also dx for every port that carries a gradient (always so for BWD). */
Status bound_open(Bound *b, const Problem *p, Dtype dtype, int with_gradients, Device *device, Err *err);
void   bound_close(Bound *b);

/* Inputs from problem.seed; outputs and gradients-to-be NaN; for BWD the outputs of the
 * forward pass and their upstream gradients must still be given (bound_forward). */
void   bound_fill(Bound *b);
/* Overwrites everything that the pass writes with NaN (i32: a wild value). */
void   bound_poison_outputs(Bound *b);
/* For BWD: puts the reference's forward outputs into b, from `reference` (F64, same
 * problem), rounded to b's dtype, and fills the upstream gradients. */
void   bound_forward(Bound *b, const Bound *reference);

/* 1 if port i of pass p.pass is written by it: x for FWD and STEP, dx for BWD. */
int    bound_writes(const Problem *p, int port);
/* NULL, or the name of the first tensor whose guard was overwritten. */
const char *bound_guard_broken(const Bound *b);
/* FNV-1a over everything that the pass wrote. */
uint64_t bound_checksum(const Bound *b);

typedef struct {
    double error_rel;          /* max|x - ref| / max|ref|; INFINITY for NaN or a misplaced infinity */
    double error_abs, rmse;    /* of the worst tensor */
    double ulp;                /* largest distance in units of the last place of b's dtype, of entries above 1e-3 max|ref| */
    int64_t nan_count;
    const char *worst_tensor;  /* "o", "dq", ... */
    int64_t compared;          /* elements */
} Difference;

/* Compares everything that the pass writes. Where the reference is exactly 0 or
 * infinite, so must b be (a tensor that is 0 throughout is compared absolutely). */
Difference bound_compare(const Bound *b, const Bound *reference);
/* The same for `rows` seeded rows of the method's sample port, by reference_row. */
Status bound_compare_rows(const Bound *b, int rows, uint64_t seed, Difference *out, Err *err);
/* Fraction of the tolerance that applies: <= 1 is right. */
double bound_tolerance(const Problem *p, const Variant *v);   /* by dtype and pass */

/* Multiply-adds that a whole float64 reference would cost, to decide between the two. */
double bound_reference_flops(const Problem *p);

#endif
