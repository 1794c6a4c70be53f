/* SPDX-License-Identifier: Apache-2.0 */
/* Ceilings measured beside a timing: in the same process, on the same cores, in the same seconds.
 * A neighbour that halves our bandwidth halves the ceiling as well, so a share of the limit keeps
 * its meaning. */
#ifndef BESIDE_H
#define BESIDE_H

#include "bench.h"

enum { BESIDE_MAX = 64 };

typedef struct {
    Bench *bench;
    struct { CeilingKind kind; Isa isa; Level level; int threads; } wanted[BESIDE_MAX];
    int    count;
    CeilingProbe probe[THREADS_MAX + 1];      /* by thread count */
} Beside;

/* What the living arms need: their own arithmetic peak, the machine's best one, and the bandwidth
 * of every level down to where their least traffic lives. */
void   beside_open(Beside *beside, Bench *bench);
void   beside_close(Beside *beside);
/* One burst of each, kept in bench->ceilings if better than before. */
Status beside_sweep(Beside *beside, int64_t burst_ns, Err *err);

#endif
