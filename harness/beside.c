/* SPDX-License-Identifier: Apache-2.0 */
#include "beside.h"

#include <string.h>

static void want(Beside *s, CeilingKind kind, Isa isa, Level level, int threads)
{
    for (int i = 0; i < s->count; i++)
        if (s->wanted[i].kind == kind && s->wanted[i].isa == isa && s->wanted[i].level == level &&
            s->wanted[i].threads == threads) return;
    if (s->count == BESIDE_MAX) return;
    s->wanted[s->count].kind = kind;
    s->wanted[s->count].isa = isa;
    s->wanted[s->count].level = level;
    s->wanted[s->count++].threads = threads;
}

static void want_for(Beside *s, const Arm *arm)
{
    const Problem *p = &arm->point.problem;
    const int threads = arm->point.threads;
    const Isa own = ceiling_isa(&arm->point, arm->library_flops > 0),
              widest = ceiling_isa(&arm->point, 1);
    want(s, ceiling_kind(own, p->dtype), own, LEVEL_NONE, threads);
    want(s, ceiling_kind(widest, p->dtype), widest, LEVEL_NONE, threads);
    want(s, CEILING_FMA, widest, LEVEL_NONE, threads);
    const Level home = level_of((int64_t)p->method->cost(p).bytes, threads);
    for (Level level = LEVEL_L1; level <= home; level++)
        if (level_capacity(level, threads)) want(s, CEILING_READ, widest, level, threads);
    /* Its own inputs are larger than the caches: no need to take more memory to stream from. */
    CeilingProbe *probe = &s->probe[threads];
    if (home == LEVEL_DRAM && arm->set[0].memory_bytes > probe->stream_bytes) {
        probe->stream = arm->set[0].memory;
        probe->stream_bytes = arm->set[0].memory_bytes;
    }
}

void beside_open(Beside *s, Bench *bench)
{
    memset(s, 0, sizeof *s);
    s->bench = bench;
    for (int n = 0; n <= THREADS_MAX; n++) probe_open(&s->probe[n], bench->device, bench->team[n]);
    for (int i = 0; i < bench->arms; i++)
        if (arm_lives(&bench->arm[i])) want_for(s, &bench->arm[i]);
}

void beside_close(Beside *s)
{
    for (int n = 0; n <= THREADS_MAX; n++) probe_close(&s->probe[n]);
}

Status beside_sweep(Beside *s, int64_t burst_ns, Err *err)
{
    for (int i = 0; i < s->count; i++) {
        const Status status = probe_burst(&s->probe[s->wanted[i].threads], s->wanted[i].kind,
                                          s->wanted[i].isa, s->wanted[i].level, burst_ns,
                                          &s->bench->ceilings, err);
        if (status && status != UNSUPPORTED) return status;
    }
    return OK;
}
