/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine can do at most, measured here and now: floating-point peaks by ISA, dtype
 * and thread count, and bandwidths by cache level. A vendor's sheet knows neither the guest nor
 * its neighbours; a sample that beats a ceiling of the same minute was measured wrongly. */
#ifndef CEILING_H
#define CEILING_H

#include "../kernels/core/backend.h"
#include "../kernels/core/problem.h"

typedef enum { LEVEL_NONE, LEVEL_L1, LEVEL_L2, LEVEL_L3, LEVEL_DRAM, LEVEL_END } Level;
const char *level_name(Level level);          /* "", "L1", "L2", "L3", "DRAM" */

typedef enum { CEILING_FMA, CEILING_DOT, CEILING_READ, CEILING_TRIAD, CEILING_KINDS } CeilingKind;
const char *ceiling_kind_name(CeilingKind kind);   /* "fma", "dot", "read", "triad" */
const char *ceiling_kind_unit(CeilingKind kind);   /* "FLOP/s" or "B/s" */

typedef struct {
    CeilingKind kind;
    Isa         isa;           /* whose instructions; of bandwidths: the widest that runs */
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

/* Keeps the better of the two readings. */
void ceiling_keep(CeilingList *list, const Ceiling *reading);
/* NULL: not measured. */
const Ceiling *ceiling_find(const CeilingList *list, CeilingKind kind, Isa isa, Level level,
                            int threads);

/* ---- measuring ----------------------------------------------------------------------- */

/* Memory to read from and a team to read with; the memory is taken when first needed. */
typedef struct {
    Device *device;            /* borrowed */
    Team   *team;              /* borrowed; NULL: one thread */
    char   *memory;
    size_t  memory_bytes;
    char   *stream;            /* borrowed to stream from, larger than the caches; NULL: own */
    size_t  stream_bytes;
    size_t  cursor;            /* where the next burst from DRAM goes on */
} CeilingProbe;

void probe_open(CeilingProbe *probe, Device *device, Team *team);
void probe_close(CeilingProbe *probe);
/* A burst of about burst_ns, kept in the list if it is the best so far. UNSUPPORTED: the ISA is not
 * here, has no such loop, or the machine has no such level. */
Status probe_burst(CeilingProbe *probe, CeilingKind kind, Isa isa, Level level, int64_t burst_ns,
                   CeilingList *list, Err *err);

/* The whole table, for one thread and for as many as `cpu` lists, in about budget_ns. */
Status ceilings_measure(CeilingList *list, const int *cpu, int threads, int64_t budget_ns,
                        Err *err);

/* ---- what a point could do at best --------------------------------------------------- */

/* The ISA whose floating-point peak bounds a point: its own, unless its arithmetic is done by a
 * library that picks its own (uses_blas): then the widest that runs here. */
Isa         ceiling_isa(const Point *point, int uses_blas);
CeilingKind ceiling_kind(Isa isa, Dtype dtype);   /* dot where the ISA multiplies bf16 itself */

typedef struct {
    double compute_ns, memory_ns;      /* the least time of one call; 0: not known */
    double limit_ns;                   /* the larger */
    Level  level;                      /* where the least traffic lives */
    char   name[16];                   /* "fma", "dot", "L2", ..., whichever binds */
} Limit;

/* cost.flops at the ISA's peak and cost.bytes at the read bandwidth of the level that holds
 * them. */
Limit ceiling_limit(const CeilingList *list, const Point *point, int uses_blas);
/* The least time that physics allows, for finding impossible samples: the machine's best peak, and
 * each byte from the fastest level that could have kept it. */
double ceiling_floor_ns(const CeilingList *list, const Point *point);

#endif
