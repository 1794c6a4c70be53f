/* SPDX-License-Identifier: Apache-2.0 */
/* Gives a problem its memory: shapes from the ports, contents from the fills, a
 * poisoned guard on both sides of every tensor, outputs that start as NaN. The
 * checker, the clock and `apply` all use this one, so what is checked is what is
 * timed. Inputs depend on (seed, port's name, index) only: not on the dtype, nor on
 * the method, so that the arms of a comparison see the same numbers.
 *
 * All tensors of a problem lie in one block of the host's memory: a device with memory
 * of its own needs one copy of it each way, guards included.
 *
 *   bind.c           memory, guards, contents
 *   bind_compare.c   differences from the reference */
#ifndef BIND_H
#define BIND_H

#include "../kernels/core/backend.h"
#include "../kernels/core/method.h"

typedef struct {
    Problem  problem;          /* its dtype is the one bound, F64 for a reference */
    Tensor   x[PORT_MAX], dx[PORT_MAX];
    Args     args;             /* views of x and dx: a Bound is not to be copied */
    Device  *device;           /* borrowed */
    char    *memory;
    size_t   memory_bytes;
    size_t   tensor_bytes;     /* without guards and rounding */
} Bound;

/* with_gradients: also dx for every port that carries a gradient (always so for BWD).
 * Contents are undefined until bound_fill. NO_MEMORY says how much was asked for. */
Status bound_open(Bound *b, const Problem *p, Dtype dtype, int with_gradients, Device *device,
                  Err *err);
void   bound_close(Bound *b);

/* Inputs, and upstream gradients where there are gradients, from problem.seed; outputs and
 * gradients-to-be poisoned. For BWD the outputs of the forward pass must still be given: by
 * bound_forward, or by reference_run for the float64 reference. */
void   bound_fill(Bound *b);
/* Overwrites everything that the pass writes and does not read with NaN (i32: a wild value). */
void   bound_poison_outputs(Bound *b);
/* For BWD: puts the reference's forward outputs into b, from `reference` (F64, same
 * problem, run), rounded to b's dtype. */
void   bound_forward(Bound *b, const Bound *reference);

/* The float64 reference of p's pass. A backward pass reads outputs of the forward one, which runs
 * first. Say F64 for exact gradients, or to ask how far the whole is from them: evidence about a
 * method in its dtype. Say the dtype in which a kernel is given those outputs to ask whether it did
 * right by them (`attest check`). That matters to bf16, where o's rounding alone can be more than
 * all that the kernel may add, if a gradient cancels. F32 is as F64, and statistics (KIND_WIDE) are
 * exact: their rounding is no more than that of a kernel's own arithmetic, and it would hide which
 * gradients are exactly 0. */
void   reference_run(const Problem *p, const Args *args, Dtype saved);
/* Only the outputs: of the forward pass where p's is BWD. */
void   reference_outputs(const Problem *p, const Args *args);
/* Rounds a port's tensor to what a problem of `dtype` holds there; indices and F64 stay. */
void   port_round(const Port *port, Tensor *t, Dtype dtype);

/* 1 if there is a gradient of such a port where there are gradients. */
int    port_has_gradient(const Port *port);
/* 1 if port i of pass p.pass is written by it: x for FWD and STEP, dx for BWD. */
int    bound_writes(const Problem *p, int port);
/* The tensor that the pass writes for port i, or NULL. */
Tensor *bound_written(const Bound *b, int port);
/* "q", or "dq" for BWD's gradient of it; valid until the next call for that thread. */
const char *bound_written_name(const Problem *p, int port);

/* NULL, or the name of the first tensor whose guard was overwritten. */
const char *bound_guard_broken(const Bound *b);
/* FNV-1a by 64-bit words over everything that the pass wrote. */
uint64_t bound_checksum(const Bound *b);

/* Fills `bytes` (even) with what every float dtype reads as NaN and an index as -2752555. */
void   poison(void *memory, size_t bytes);

typedef struct {
    double error_rel;          /* max|x - ref| / max|ref|; INFINITY for NaN, misplaced infinities */
    double error_abs, rmse;    /* of the worst tensor */
    double ulp;                /* largest distance in units of the last place of b's dtype, of
                                * entries above 1e-3 max|ref| */
    int64_t nan_count;
    char    worst_tensor[32];  /* "o", "dq", ... */
    int64_t compared;          /* elements */
} Difference;

typedef struct {
    Dtype  unit;               /* of ulp */
    int    strict;             /* a row (last dimension) that is 0 throughout in the reference must
                                * be exactly so, as for a query that sees no key */
    double largest;            /* max|ref| of all tensors of this comparison; 0: not known */
} Yardstick;

/* Two tensors of one shape; `want` is F64 or I32. Infinities must be the same ones, indices equal.
 * A tensor of which float64 leaves rounding noise at most (the gradient of a query that sees one
 * key) is measured by `largest` instead of by itself. Adds to *d if the pair is worse. */
void   difference_add(Difference *d, const char *name, const Tensor *got, const Tensor *want,
                      Yardstick how);
/* Compares everything that the pass writes; strict for FWD and STEP. */
Difference bound_compare(const Bound *b, const Bound *reference);
/* The same for `rows` seeded rows of the method's sample port, by reference_row: one from each of
 * as many equal stretches. UNSUPPORTED where the method has none for this pass. */
Status bound_compare_rows(const Bound *b, int rows, uint64_t seed, Difference *out, Err *err);
/* The largest error_rel that is right, by dtype and pass; v may be NULL (the method's). */
double bound_tolerance(const Problem *p, const Variant *v);

/* FLOPs that a whole float64 reference would cost, to decide between the two. */
double bound_reference_flops(const Problem *p);

#endif
