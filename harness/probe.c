/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring ceilings: short bursts, of which the best counts, because every disturbance makes a
 * burst slower and none makes it faster. */
#define _GNU_SOURCE
#include "ceiling.h"
#include "machine.h"

#include "../kernels/core/ceiling.h"
#include "../kernels/core/parallel.h"

#include <string.h>

enum { MIB = 1 << 20, ALIGN = 1024, DRAM_PIECE = 2 * MIB };

typedef struct {
    const CeilingLoops *loops;
    CeilingKind kind;
    char       *memory;
    size_t      part, piece;           /* a thread's part of the memory; what it reads of it */
    int64_t     passes;                /* or rounds of arithmetic */
    _Atomic int64_t work;              /* FLOPs or bytes done, all threads together */
} Burst;

static size_t whole(size_t bytes) { return bytes / ALIGN * ALIGN; }

static int is_arithmetic(CeilingKind kind) { return kind == CEILING_FMA || kind == CEILING_DOT; }

static void move_bytes(Burst *b, int64_t index)
{
    float sink;
    char *at = b->memory + (size_t)index * b->part;
    const size_t third = whole(b->piece / 3);
    if (b->kind == CEILING_READ) {
        b->loops->read(at, b->piece, b->passes, &sink);
        b->work += (int64_t)b->piece * b->passes;
    } else {
        b->loops->triad((float *)at, (float *)(at + third), (float *)(at + 2 * third), third,
                        b->passes);
        b->work += 3 * (int64_t)third * b->passes;
    }
}

static void burst_body(void *arg, int64_t index, int worker)
{
    (void)worker;
    Burst *b = arg;
    float sink;
    if (!is_arithmetic(b->kind)) move_bytes(b, index);
    else b->work += b->kind == CEILING_FMA ? b->loops->fma(b->passes, &sink)
                                           : b->loops->dot(b->passes, &sink);
}

/* Bytes of all threads together that live in a level and in no faster one. */
static size_t working_set(Level level, int threads)
{
    const size_t own = (size_t)level_capacity(level == LEVEL_DRAM ? LEVEL_L3 : level, threads);
    const size_t l2 = (size_t)level_capacity(LEVEL_L2, threads);
    switch (level) {
    case LEVEL_L1:   return own / 4 * 3;
    case LEVEL_L2:   return own / 2;
    case LEVEL_L3:   return 4 * l2 < own / 2 ? 4 * l2 : own / 2;
    case LEVEL_DRAM: return 4 * own > 64 * MIB ? 4 * own : 64 * MIB;
    default:         return 0;
    }
}

static Status need_memory(CeilingProbe *probe, size_t bytes, Err *err)
{
    if (probe->memory_bytes >= bytes) return OK;
    probe_close(probe);
    probe->memory = backend_cpu.take(probe->device, bytes);
    if (!probe->memory)
        return fail(err, NO_MEMORY, "no memory for a bandwidth of %zu MiB", bytes / MIB);
    probe->memory_bytes = bytes;
    memset(probe->memory, 1, bytes);    /* pages must be there before the clock starts */
    return OK;
}

void probe_open(CeilingProbe *probe, Device *device, Team *team)
{
    *probe = (CeilingProbe){ .device = device, .team = team };
}

void probe_close(CeilingProbe *probe)
{
    if (probe->memory) backend_cpu.give(probe->device, probe->memory, probe->memory_bytes);
    probe->memory = NULL;
    probe->memory_bytes = 0;
}

static double run_burst(const CeilingProbe *probe, Burst *burst)
{
    const int threads = team_threads(probe->team);
    burst->work = 0;
    const int64_t start_ns = backend_cpu.now_ns(probe->device);
    parallel_for(probe->team, threads, burst_body, burst);
    return (double)(backend_cpu.now_ns(probe->device) - start_ns);
}

/* Passes are found from one short try, which also brings the data into their level. */
static double timed_burst(const CeilingProbe *probe, Burst *burst, int64_t burst_ns)
{
    const double try_ns = run_burst(probe, burst);
    const double more = (double)burst_ns / (try_ns > 1 ? try_ns : 1);
    if (is_arithmetic(burst->kind) || more > 1)
        burst->passes = (int64_t)((double)burst->passes * (more > 1 ? more : 1)) + 1;
    return run_burst(probe, burst);
}

/* Main memory is read once, piece after piece: a piece comes round when the caches forgot it. In
 * memory of our own the pieces begin behind the set that bursts from L3 read again and again. */
static double streamed_burst(CeilingProbe *probe, Burst *burst, int64_t burst_ns)
{
    const size_t threads = (size_t)team_threads(probe->team);
    const size_t start = probe->stream ? 0 : working_set(LEVEL_L3, (int)threads);
    const size_t end = probe->stream ? probe->stream_bytes : probe->memory_bytes;
    const size_t most = whole((end - start) / threads);
    const size_t wanted = whole((size_t)burst_ns * 16);   /* 16 GB/s a thread: a modest guess */
    burst->part = burst->piece = wanted < DRAM_PIECE ? DRAM_PIECE : wanted > most ? most : wanted;
    if (probe->cursor < start || probe->cursor + threads * burst->piece > end)
        probe->cursor = start;
    burst->memory = (probe->stream ? probe->stream : probe->memory) + probe->cursor;
    probe->cursor += threads * burst->piece;
    return run_burst(probe, burst);
}

Status probe_burst(CeilingProbe *probe, CeilingKind kind, Isa isa, Level level, int64_t burst_ns,
                   CeilingList *list, Err *err)
{
    const int threads = team_threads(probe->team), arithmetic = is_arithmetic(kind);
    const CeilingLoops *loops = isa_runs_here(isa) ? ceiling_loops(isa) : NULL;
    if (!loops) return fail(err, UNSUPPORTED, "no %s loops here", isa_name(isa));
    if (kind == CEILING_DOT && !loops->dot)
        return fail(err, UNSUPPORTED, "%s has no bf16 dot product", isa_name(isa));
    if (kind == CEILING_TRIAD && level == LEVEL_DRAM && probe->stream)
        return fail(err, UNSUPPORTED, "borrowed memory is only read");
    if (!arithmetic && level != LEVEL_DRAM && !level_capacity(level, threads))
        return fail(err, UNSUPPORTED, "this machine has no %s cache", level_name(level));
    Burst burst = { .loops = loops, .kind = kind, .passes = arithmetic ? 2000 : 1 };
    const int streams = !arithmetic && level == LEVEL_DRAM;
    if (!arithmetic && !(streams && probe->stream)) {
        const size_t set = working_set(level, threads);
        const Status status = need_memory(probe, set, err);
        if (status) return status;
        burst.memory = probe->memory;
        burst.part = burst.piece = whole(set / (size_t)threads);
    }
    const double elapsed_ns = streams ? streamed_burst(probe, &burst, burst_ns)
                                      : timed_burst(probe, &burst, burst_ns);
    const Ceiling reading = {
        .kind = kind, .isa = isa, .level = arithmetic ? LEVEL_NONE : level, .threads = threads,
        .dtype = kind == CEILING_FMA ? F32 : kind == CEILING_DOT ? BF16 : DTYPE_END,
        .value = (double)burst.work / elapsed_ns * 1e9, .readings = 1,
    };
    ceiling_keep(list, &reading);
    return OK;
}

/* ---- the whole table ----------------------------------------------------------------- */

enum { TABLE_BURST_NS = 300 * 1000 };

/* One burst of everything that this machine has. */
static Status burst_all(CeilingProbe *probe, CeilingList *list, Err *err)
{
    Isa widest = ISA_PORTABLE;
    Status status = OK;
    for (Isa isa = ISA_PORTABLE; isa < ISA_COUNT; isa++) {
        if (!isa_runs_here(isa)) continue;
        widest = isa;
        status = probe_burst(probe, CEILING_FMA, isa, LEVEL_NONE, TABLE_BURST_NS, list, err);
        if (status) return status;
        status = probe_burst(probe, CEILING_DOT, isa, LEVEL_NONE, TABLE_BURST_NS, list, err);
        if (status && status != UNSUPPORTED) return status;
    }
    for (Level level = LEVEL_L1; level < LEVEL_END; level++)
        for (CeilingKind kind = CEILING_READ; kind <= CEILING_TRIAD; kind++) {
            status = probe_burst(probe, kind, widest, level, TABLE_BURST_NS, list, err);
            if (status && status != UNSUPPORTED) return status;
        }
    return OK;
}

Status ceilings_measure(CeilingList *list, const int *cpu, int threads, int64_t budget_ns, Err *err)
{
    Device *device = NULL;
    Team *team = NULL;
    CeilingProbe probe = { 0 };
    const Affinity before = affinity_now();    /* a team pins its caller */
    Status status = backend_cpu.open(&device, err);
    if (status) goto done;
    if (threads > 1 && (status = team_open(&team, threads, cpu, err))) goto done;
    probe_open(&probe, device, NULL);
    if ((status = need_memory(&probe, working_set(LEVEL_DRAM, threads), err))) goto done;
    const int64_t end_ns = backend_cpu.now_ns(device) + budget_ns;
    do {
        probe.team = NULL;
        if ((status = burst_all(&probe, list, err))) goto done;
        probe.team = team;
        if (team && (status = burst_all(&probe, list, err))) goto done;
    } while (backend_cpu.now_ns(device) < end_ns);
done:
    probe_close(&probe);
    team_close(team);
    affinity_set(&before);
    if (device) backend_cpu.close(device);
    return status;
}
