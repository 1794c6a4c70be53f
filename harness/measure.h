/* SPDX-License-Identifier: Apache-2.0 */
/* Measures a compare group block by block. The arms of a group are timed in turns inside one worker
 * process per block (worker.h), because the process is the unit whose luck is independent: memory
 * layout, core, neighbours. Instruments (instrument.h) decide what is measured.
 *
 *   Measure *m;  measure_open(&m, &group, &err);
 *   for (int block = 0; ...; block++) { measure_block(m, block, &record, &err); store; block_free }
 *   measure_close(m);
 *
 * What the blocks of a group share lives in a memory file that the workers inherit: inputs,
 * float64 references, and which outputs were already compared with them. All of it depends on the
 * seed only, so it is computed once. */
#ifndef MEASURE_H
#define MEASURE_H

#include "ceiling.h"
#include "record.h"

enum { ARMS_MAX = 16, INSTRUMENTS_MAX = 16, FAST_MEMORIES_MAX = 8 };

typedef struct {
    const Point *arm;                 /* in the order of the compare group; borrowed */
    int          arms;                /* 1..ARMS_MAX */
    const char  *instrument[INSTRUMENTS_MAX];   /* "time", "accuracy", ...; ends with NULL */
    uint64_t     seed;                /* of the inputs, and with the block's number of the orders */
    int64_t      budget_ns;           /* for the timed rounds of one block, all arms together;
                                       * slow arms may take longer: see measure.c. 0: 100 ms */
    int64_t      limit_wall_ns;       /* for each phase of one arm; then it is `timeout`. 0: 60 s */
    int64_t      limit_memory_bytes;  /* of the worker; then `out-of-memory`. 0: no limit */
    double       reference_flops;     /* of float64 that checking one arm may take; where the whole
                                       * costs more, seeded rows are checked. 0: 1.5e7 */
    int          cold;                /* 1: caches are flushed before each epoch (of one call) */
    int64_t      fast_memory[FAST_MEMORIES_MAX];   /* bytes, for instrument `cache`; ends with 0.
                                       * None: 32, 100, 384 KiB, 1 MiB, this machine's
                                       * L1 and L2 */
} MeasurePlan;

typedef struct Measure Measure;

/* BAD_INPUT: unknown instrument, arms out of range. IO_FAILED: no worker can be started here. */
Status measure_open(Measure **m, const MeasurePlan *plan, Err *err);
void   measure_close(Measure *m);

/* One block. Everything that can happen to an arm is an outcome in `out`, with its reason, and OK
 * is returned; the other arms of the group are still measured. Not OK: nothing could be measured at
 * all, or `interrupted` (cli.h) was set; `out` is then empty. block_free(out) either way. */
Status measure_block(Measure *m, int block, BlockRecord *out, Err *err);

/* The best readings so far of the ceilings that this group needs. */
const CeilingList *measure_ceilings(const Measure *m);

/* 1: every instrument of the plan is exact, so further blocks would say the same again. */
int measure_is_exact(const Measure *m);

#endif
