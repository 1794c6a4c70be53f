/* SPDX-License-Identifier: Apache-2.0 */
/* One timed stretch of calls, with what the system did to us meanwhile. */
#ifndef EPOCH_H
#define EPOCH_H

#include "bench.h"

typedef struct {
    Device *device;
    int    *schedstat;         /* open files, one a thread of this process */
    int     threads;
} EpochClock;

/* After all teams were made: the threads of this process are looked up once. */
void epoch_clock_open(EpochClock *clock, Device *device);
void epoch_clock_close(EpochClock *clock);

/* What the clock and the system said before the calls. */
typedef struct { int64_t start_ns, cpu_ns, delay_ns, switches; } EpochMark;
EpochMark epoch_start(const EpochClock *clock, const Team *team);
/* Sets times, delay and switches. */
void      epoch_end(const EpochClock *clock, const Team *team, const EpochMark *mark, Epoch *out);

/* How the arm finds its data: as the call before left the caches (warm), or from memory (cold). */
typedef enum { CACHE_WARM, CACHE_TOUCHED, CACHE_COLD } CacheState;

/* Times `calls` calls on one input set. CACHE_TOUCHED: one call before the clock starts, so that
 * the set's data are where a repeated call would find them. Not OK: what the variant returned. */
Status epoch_take(const EpochClock *clock, Arm *arm, int set, int64_t calls, CacheState cache,
                  Epoch *out);

#endif
