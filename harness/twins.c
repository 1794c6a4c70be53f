/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "twins.h"

#include "../kernels/core/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_BYTES = 128 << 20, PIECE_BYTES = 2 << 20, KIB = 1024 };
static const double EPOCH_NS = 100e3;

const char *noise_kernel_name(NoiseKernel kernel)
{
    static const char *const name[NOISE_KERNELS] = { "compute", "memory" };
    require(kernel < NOISE_KERNELS);
    return name[kernel];
}

/* ---- the loop both arms run ---------------------------------------------------------- */

static void work(Twins *t, int64_t amount)
{
    float sink;
    if (t->kernel == NOISE_COMPUTE) {
        (void)t->loops->fma(amount, &sink);
        return;
    }
    if (t->cursor + (size_t)amount > STREAM_BYTES) t->cursor = 0;
    t->loops->read(t->memory + t->cursor, (size_t)amount, 1, &sink);
    t->cursor += (size_t)amount;
}

static int64_t now_ns(const Twins *t) { return backend_cpu.now_ns(t->device); }

static int64_t calibrate(Twins *t)
{
    int64_t repeats = 2000;
    for (int again = 0; again < 5; again++) {
        const int64_t start_ns = now_ns(t);
        work(t, repeats);
        const double elapsed_ns = fmax(1, (double)(now_ns(t) - start_ns));
        if (elapsed_ns < EPOCH_NS)
            repeats = (int64_t)((double)repeats * fmin(50, EPOCH_NS / elapsed_ns));
    }
    return repeats;
}

void twins_kernel(Twins *t, NoiseKernel kernel)
{
    t->kernel = kernel;
    t->flagged = t->known = 0;
    t->work[0] = kernel == NOISE_COMPUTE ? calibrate(t) : PIECE_BYTES;
    t->work[1] = t->work[0];
}

double twins_inject(Twins *t, double share)
{
    require(share >= 0 && share <= 1);
    const int64_t step = t->kernel == NOISE_COMPUTE ? 1 : KIB, base = t->work[0];
    t->work[1] = base + step * llround(share * (double)base / (double)step);
    return (double)(t->work[1] - base) / (double)base;
}

/* ---- rounds -------------------------------------------------------------------------- */

static Epoch epoch_of(Twins *t, int arm)
{
    Epoch e = { .calls = 1 };
    const EpochMark mark = epoch_start(&t->clock, t->team);
    work(t, t->work[arm]);
    epoch_end(&t->clock, t->team, &mark, &e);
    return e;
}

/* Where the CPU clock is too coarse for an epoch, the wall's time of both arms. */
static Status run_round(Twins *t, const int *order, Err *err)
{
    Epoch e[2];
    for (int place = 0; place < 2; place++) {
        Epoch *now = &e[order[place]];
        *now = epoch_of(t, order[place]);
        if (now->delay_ns < 0 && now->switches < 0) continue;
        t->known++;
        t->flagged += stats_flagged(now->delay_ns, now->switches);
    }
    const int wall = e[0].cpu_ns <= 0 || e[1].cpu_ns <= 0;
    const double a_ns = (double)(wall ? e[0].wall_ns : e[0].cpu_ns);
    const double b_ns = (double)(wall ? e[1].wall_ns : e[1].cpu_ns);
    return stats_log_ratios(&a_ns, &b_ns, 1, &t->d[t->rounds++], err);
}

static int grow(Twins *t)
{
    if (t->rounds + 2 <= t->room) return 1;
    const int room = t->room ? 2 * t->room : 4096;
    double *d = realloc(t->d, (size_t)room * sizeof *d);
    if (d) t->d = d;
    t->room = d ? room : t->room;
    return d != NULL;
}

/* The number of rounds has a limit of its own: a clock that stands still must not be waited for. */
Status twins_measure(Twins *t, int64_t budget_ns, int least, Err *err)
{
    Status status = OK;
    const int64_t end_ns = now_ns(t) + budget_ns;
    const double most = least + (double)budget_ns / (EPOCH_NS / 4);
    t->rounds = 0;
    while (!status && t->rounds < most && (now_ns(t) < end_ns || t->rounds < least)) {
        int order[4];
        if (!grow(t)) return fail(err, NO_MEMORY, "no memory for %d rounds", t->room);
        stats_order(1, t->square++, 2, order);
        status = run_round(t, order, err);
        if (!status) status = run_round(t, order + 2, err);
    }
    return status;
}

Status twins_blocks(Twins *t, int blocks, Nested *out, Err *err)
{
    require(blocks >= 1 && t->rounds >= blocks);
    int *start = realloc(t->start, ((size_t)blocks + 1) * sizeof *start);
    if (!start) return fail(err, NO_MEMORY, "no memory for %d blocks", blocks);
    for (int i = 0; i <= blocks; i++) start[i] = i * (t->rounds / blocks);
    t->start = start;
    *out = (Nested){ t->d, start, blocks };
    return OK;
}

double twins_flagged_share(const Twins *t)
{
    return t->known ? (double)t->flagged / t->known : NAN;
}

/* ---- opening ------------------------------------------------------------------------- */

static Isa widest_isa(void)
{
    Isa widest = ISA_PORTABLE;
    for (Isa isa = ISA_PORTABLE; isa < ISA_COUNT; isa++)
        if (isa_runs_here(isa) && ceiling_loops(isa)) widest = isa;
    return widest;
}

Status twins_open(Twins *t, int cpu, Err *err)
{
    *t = (Twins){ .loops = ceiling_loops(widest_isa()), .before = affinity_now() };
    Status status = backend_cpu.open(&t->device, err);
    if (!status) status = team_open(&t->team, 1, &cpu, err);
    if (status) return status;
    t->memory = backend_cpu.take(t->device, STREAM_BYTES);
    if (!t->memory) return fail(err, NO_MEMORY, "no memory to stream from");
    memset(t->memory, 1, STREAM_BYTES);
    epoch_clock_open(&t->clock, t->device);
    return OK;
}

void twins_close(Twins *t)
{
    epoch_clock_close(&t->clock);
    if (t->memory) backend_cpu.give(t->device, t->memory, STREAM_BYTES);
    team_close(t->team);
    affinity_set(&t->before);
    if (t->device) backend_cpu.close(t->device);
    free(t->d);
    free(t->start);
}
