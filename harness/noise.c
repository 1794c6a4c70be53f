/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "noise.h"

#include "epoch.h"
#include "machine.h"

#include "../kernels/core/ceiling.h"
#include "../kernels/core/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_PER_BLOCK = 8, STREAM_BYTES = 128 << 20, PIECE_BYTES = 2 << 20 };
static const double EPOCH_NS = 100e3;

const char *noise_kernel_name(NoiseKernel kernel)
{
    static const char *const name[NOISE_KERNELS] = { "compute", "memory" };
    require(kernel < NOISE_KERNELS);
    return name[kernel];
}

typedef struct {
    const CeilingLoops *loops;
    NoiseKernel kernel;
    char       *memory;
    size_t      cursor;
    int64_t     repeats;       /* rounds of arithmetic an epoch */
    Device     *device;
    Team       *team;
    EpochClock  clock;
    double     *d;             /* ln(tB / tA) by rounds */
    int        *start;
    int         rounds, room;
    int         flagged, known;
} Trial;

/* Both arms are this function. */
static void work(Trial *t)
{
    float sink;
    if (t->kernel == NOISE_COMPUTE) {
        (void)t->loops->fma(t->repeats, &sink);
        return;
    }
    if (t->cursor + PIECE_BYTES > STREAM_BYTES) t->cursor = 0;
    t->loops->read(t->memory + t->cursor, PIECE_BYTES, 1, &sink);
    t->cursor += PIECE_BYTES;
}

static Epoch epoch_of(Trial *t)
{
    Epoch e = { .calls = 1 };
    const EpochMark mark = epoch_start(&t->clock, t->team);
    work(t);
    epoch_end(&t->clock, t->team, &mark, &e);
    return e;
}

static Status run_round(Trial *t, const int *order, Err *err)
{
    double time_ns[2];
    for (int place = 0; place < 2; place++) {
        const Epoch e = epoch_of(t);
        time_ns[order[place]] = (double)e.cpu_ns;
        if (e.delay_ns < 0 && e.switches < 0) continue;
        t->known++;
        t->flagged += stats_flagged(e.delay_ns, e.switches);
    }
    return stats_log_ratios(&time_ns[0], &time_ns[1], 1, &t->d[t->rounds++], err);
}

static int grow(Trial *t)
{
    if (t->rounds + 2 <= t->room) return 1;
    const int room = t->room ? 2 * t->room : 4096;
    double *d = realloc(t->d, (size_t)room * sizeof *d);
    if (d) t->d = d;
    t->room = d ? room : t->room;
    return d != NULL;
}

static int64_t now_ns(const Trial *t) { return backend_cpu.now_ns(t->device); }

static void calibrate(Trial *t)
{
    t->repeats = 2000;
    for (int again = 0; again < 5; again++) {
        const int64_t start_ns = now_ns(t);
        work(t);
        const double elapsed_ns = (double)(now_ns(t) - start_ns);
        if (elapsed_ns < EPOCH_NS)
            t->repeats = (int64_t)((double)t->repeats * fmin(50, EPOCH_NS / elapsed_ns));
    }
}

static Status measure(Trial *t, int64_t budget_ns, Err *err)
{
    Status status = OK;
    const int64_t end_ns = now_ns(t) + budget_ns;
    const int least = STATS_BLOCKS_MIN * ROUNDS_PER_BLOCK;   /* also where time is short */
    calibrate(t);
    for (uint64_t square = 0; !status && (now_ns(t) < end_ns || t->rounds < least); square++) {
        int order[4];
        if (!grow(t)) return fail(err, NO_MEMORY, "no memory for %d rounds", t->room);
        stats_order(1, square, 2, order);
        status = run_round(t, order, err);
        if (!status) status = run_round(t, order + 2, err);
    }
    return status;
}

static Status certify(Trial *t, NoiseReport *out, Err *err)
{
    const int blocks = t->rounds / ROUNDS_PER_BLOCK;
    t->start = calloc((size_t)blocks + 1, sizeof *t->start);
    if (!t->start) return fail(err, NO_MEMORY, "no memory for %d blocks", blocks);
    for (int i = 0; i <= blocks; i++) t->start[i] = i * ROUNDS_PER_BLOCK;
    const Nested d = { t->d, t->start, blocks };
    out->rounds = t->rounds;
    out->flagged_share = t->known ? (double)t->flagged / t->known : NAN;
    return stats_certificate(&d, STATS_BLOCKS_MIN, &out->certificate, err);
}

static Status run_kernel(Trial *t, NoiseKernel kernel, int64_t budget_ns, NoiseReport *out,
                         Err *err)
{
    t->kernel = kernel;
    t->rounds = t->flagged = t->known = 0;
    Status status = measure(t, budget_ns, err);
    if (!status) status = certify(t, out, err);
    free(t->start);
    t->start = NULL;
    return status;
}

static Isa widest_isa(void)
{
    Isa widest = ISA_PORTABLE;
    for (Isa isa = ISA_PORTABLE; isa < ISA_COUNT; isa++)
        if (isa_runs_here(isa) && ceiling_loops(isa)) widest = isa;
    return widest;
}

Status noise_certify(int cpu, int64_t budget_ns, NoiseReport out[NOISE_KERNELS], Err *err)
{
    Trial t = { .loops = ceiling_loops(widest_isa()) };
    const Affinity before = affinity_now();    /* a team pins its caller */
    Status status = backend_cpu.open(&t.device, err);
    if (!status) status = team_open(&t.team, 1, &cpu, err);
    if (status) goto done;
    t.memory = backend_cpu.take(t.device, STREAM_BYTES);
    if (!t.memory) { status = fail(err, NO_MEMORY, "no memory to stream from"); goto done; }
    memset(t.memory, 1, STREAM_BYTES);
    epoch_clock_open(&t.clock, t.device);
    for (NoiseKernel kernel = 0; kernel < NOISE_KERNELS && !status; kernel++)
        status = run_kernel(&t, kernel, budget_ns / NOISE_KERNELS, &out[kernel], err);
    epoch_clock_close(&t.clock);
done:
    if (t.memory) backend_cpu.give(t.device, t.memory, STREAM_BYTES);
    team_close(t.team);
    affinity_set(&before);
    if (t.device) backend_cpu.close(t.device);
    free(t.d);
    return status;
}

int noise_entry(const NoiseReport *r, int i, const char **name, const char **unit, double *value)
{
    const Certificate *c = &r->certificate;
    const struct { const char *name, *unit; double value; } entry[] = {
        { "trials", "trials", c->false_alarms.n },
        { "rounds", "rounds", r->rounds },
        { "false_alarm_share", "", c->false_alarms.value },
        { "false_alarm_low", "", c->false_alarms.low },
        { "false_alarm_high", "", c->false_alarms.high },
        { "width_rel", "", c->width_rel },
        { "off_p50_rel", "", c->off_p50_rel },
        { "off_p95_rel", "", c->off_p95_rel },
        { "flagged_share", "", r->flagged_share },
    };
    if (i < 0 || (size_t)i >= sizeof entry / sizeof *entry) return 0;
    *name = entry[i].name;
    *unit = entry[i].unit;
    *value = entry[i].value;
    return 1;
}
