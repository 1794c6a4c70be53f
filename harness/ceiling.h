/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine can do at most, measured here and now: floating-point peaks by ISA, dtype
 * and thread count, and bandwidths by cache level. A vendor's sheet knows neither the guest nor
 * its neighbours; a sample that beats a ceiling of the same minute was measured wrongly. */
#ifndef CEILING_H
#define CEILING_H

#include "../kernels/core/backend.h"
#include "../kernels/core/method.h"

typedef enum { LEVEL_NONE, LEVEL_L1, LEVEL_L2, LEVEL_L3, LEVEL_DRAM, LEVEL_END } Level;
const char *level_name(Level level);          /* "", "L1", "L2", "L3", "DRAM" */

typedef enum { CEILING_FMA, CEILING_DOT, CEILING_READ, CEILING_TRIAD, CEILING_KINDS } CeilingKind;
const char *ceiling_kind_name(CeilingKind kind);   /* "fma", "dot", "read", "triad" */
const char *ceiling_kind_unit(CeilingKind kind);   /* "FLOP/s" or "B/s" */

typedef struct {
    CeilingKind kind;
    Isa         isa;           /* whose instructions; of read and triad: the widest that runs here */
    Dtype       dtype;         /* F32 for fma, BF16 for dot; DTYPE_END for read and triad */
    Level       level;         /* LEVEL_NONE for fma and dot */
    int         threads;
    double      value;         /* per second, all threads together; the best of all readings */
    int         readings;
} Ceiling;

enum { CEILING_MAX = 64 };

typedef struct {
    Ceiling item[CEILING_MAX];
    int     count;
} CeilingList;

/* Capacity of a level in bytes for `threads` cores together: L1 and L2 are per core, L3 is shared.
 * LEVEL_DRAM: INT64_MAX. 0: this machine has no such level. */
int64_t level_capacity(Level level, int threads);
/* The first level that holds `bytes` spread over `threads` cores. */
Level   level_of(int64_t bytes, int threads);

/* One reading of about `burst_ns`; better readings replace worse ones in the list. `team` works
 * with all its threads. UNSUPPORTED where the ISA is not here or has no such loop. */
Status ceiling_read(CeilingList *list, CeilingKind kind, Isa isa, Level level, Team *team,
                    int64_t burst_ns, Err *err);
/* Everything for 1 and for `threads` threads, `readings` bursts each (doctor, session start). */
Status ceilings_measure(CeilingList *list, int threads, int readings, Err *err);
/* NULL: not measured. */
const Ceiling *ceiling_find(const CeilingList *list, CeilingKind kind, Isa isa, Level level, int threads);

#endif
