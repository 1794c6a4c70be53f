/* SPDX-License-Identifier: Apache-2.0 */
/* Two arms that run the same loop, timed in turns as different kernels are. What is found between
 * them is a false alarm; or, where arm B was given more work on purpose, a difference whose truth
 * is known. One process, one core; times are of the thread's CPU, as with every point of one
 * thread. */
#ifndef TWINS_H
#define TWINS_H

#include "epoch.h"
#include "stats.h"

#include "../kernels/core/ceiling.h"

typedef enum { NOISE_COMPUTE, NOISE_MEMORY, NOISE_KERNELS } NoiseKernel;
const char *noise_kernel_name(NoiseKernel kernel);    /* "compute", "memory" */

typedef struct {
    const CeilingLoops *loops;
    NoiseKernel kernel;
    char       *memory;
    size_t      cursor;
    int64_t     work[2];       /* of an epoch, by arm: rounds of arithmetic, or bytes to stream */
    Device     *device;
    Team       *team;
    EpochClock  clock;
    Affinity    before;        /* a team pins its caller */
    double     *d;             /* ln(tB / tA) by rounds */
    int        *start;         /* of the blocks that twins_blocks() made */
    int         rounds, room;
    int         flagged, known;    /* epochs that were disturbed; of which that is known */
    uint64_t    square;            /* of the order: no two are alike */
} Twins;

/* Arithmetic in registers by the widest instruction set, and memory larger than the caches. */
Status twins_open(Twins *t, int cpu, Err *err);
void   twins_close(Twins *t);         /* one that failed to open, too */

/* Which loop both run, and the work that fills an epoch of 100 us with it (for streaming 2 MiB).
 * Takes a few milliseconds. */
void   twins_kernel(Twins *t, NoiseKernel kernel);
/* Arm B does `share` more work than A from now on, in whole rounds of arithmetic or KiB; 0: as
 * much. Returns the share that this makes. */
double twins_inject(Twins *t, double share);

/* Rounds for about budget_ns, at least `least`, in place of those before. Only IO_FAILED and
 * NO_MEMORY. */
Status twins_measure(Twins *t, int64_t budget_ns, int least, Err *err);
/* The rounds in `blocks` equal blocks; a rest is left out. Lives until the next call. */
Status twins_blocks(Twins *t, int blocks, Nested *out, Err *err);
/* Of the epochs since twins_kernel(); NaN: not known. */
double twins_flagged_share(const Twins *t);

#endif
