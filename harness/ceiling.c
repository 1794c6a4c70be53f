/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of ceilings, cache levels, and what they say about a point. */
#include "ceiling.h"

#include "machine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *level_name(Level level)
{
    static const char *const name[LEVEL_END] = { "", "L1", "L2", "L3", "DRAM" };
    require(level < LEVEL_END);
    return name[level];
}

const char *ceiling_kind_name(CeilingKind kind)
{
    static const char *const name[CEILING_KINDS] = { "fma", "dot", "read", "triad" };
    require(kind < CEILING_KINDS);
    return name[kind];
}

static int is_arithmetic(CeilingKind kind) { return kind == CEILING_FMA || kind == CEILING_DOT; }

const char *ceiling_kind_unit(CeilingKind kind) { return is_arithmetic(kind) ? "FLOP/s" : "B/s"; }

/* ---- levels -------------------------------------------------------------------------- */

int64_t level_capacity(Level level, int threads)
{
    require(level > LEVEL_NONE && level < LEVEL_END && threads >= 1);
    if (level == LEVEL_DRAM) return INT64_MAX;
    const Topology *t = topology();
    if (!t->cache_bytes[level]) return 0;
    const int sharing = t->cache_cores[level] > 0 ? t->cache_cores[level] : 1;
    return t->cache_bytes[level] * ((threads + sharing - 1) / sharing);
}

Level level_of(int64_t bytes, int threads)
{
    for (Level level = LEVEL_L1; level < LEVEL_DRAM; level++)
        if (bytes <= level_capacity(level, threads)) return level;
    return LEVEL_DRAM;
}

/* ---- lists --------------------------------------------------------------------------- */

static int same_ceiling(const Ceiling *a, const Ceiling *b)
{
    return a->kind == b->kind && a->isa == b->isa && a->level == b->level &&
           a->threads == b->threads;
}

void ceiling_keep(CeilingList *list, const Ceiling *reading)
{
    for (int i = 0; i < list->count; i++) {
        Ceiling *old = &list->item[i];
        if (!same_ceiling(old, reading)) continue;
        old->readings += reading->readings;
        old->value = fmax(old->value, reading->value);
        return;
    }
    require(list->count < CEILING_MAX);
    list->item[list->count++] = *reading;
}

/* Bandwidths are looked up whatever the ISA: only the widest one's are measured. */
const Ceiling *ceiling_find(const CeilingList *list, CeilingKind kind, Isa isa, Level level,
                            int threads)
{
    for (int i = 0; i < list->count; i++) {
        const Ceiling *c = &list->item[i];
        if (c->kind == kind && c->level == level && c->threads == threads &&
            (!is_arithmetic(kind) || c->isa == isa)) return c;
    }
    return NULL;
}

/* ---- what a point could do at best --------------------------------------------------- */

static Isa widest_isa(void)
{
    Isa widest = ISA_PORTABLE;
    for (Isa isa = ISA_PORTABLE; isa < ISA_COUNT; isa++)
        if (isa_runs_here(isa)) widest = isa;
    return widest;
}

Isa ceiling_isa(const Point *point, int uses_blas)
{
    const Isa own = point->variant ? point->variant->isa : ISA_PORTABLE;
    return uses_blas || own >= ISA_COUNT ? widest_isa() : own;
}

CeilingKind ceiling_kind(Isa isa, Dtype dtype)
{
    return isa == ISA_AVX512BF16 && dtype == BF16 ? CEILING_DOT : CEILING_FMA;
}

static double value_of(const Ceiling *c) { return c ? c->value : 0; }

/* Time for `amount` at `rate` a second; 0 where the rate is not known. */
static double least_ns(double amount, double rate) { return rate > 0 ? amount / rate * 1e9 : 0; }

Limit ceiling_limit(const CeilingList *list, const Point *point, int uses_blas)
{
    const Cost cost = point->problem.method->cost(&point->problem);
    const Isa isa = ceiling_isa(point, uses_blas);
    const CeilingKind kind = ceiling_kind(isa, uses_blas ? F32 : point->problem.dtype);
    const Level level = level_of((int64_t)cost.bytes, point->threads);
    Limit limit = { .level = level };
    limit.compute_ns = least_ns(
        cost.flops, value_of(ceiling_find(list, kind, isa, LEVEL_NONE, point->threads)));
    limit.memory_ns = least_ns(
        cost.bytes, value_of(ceiling_find(list, CEILING_READ, isa, level, point->threads)));
    limit.limit_ns = fmax(limit.compute_ns, limit.memory_ns);
    snprintf(limit.name, sizeof limit.name, "%s",
             limit.memory_ns > limit.compute_ns ? level_name(level) : ceiling_kind_name(kind));
    return limit;
}

/* FLOPs that the variant surely executes: a convention may count products that it saves. */
static double executed_flops(const Point *point)
{
    const Problem *p = &point->problem;
    Counts formula = { 0 };
    if (point->variant && point->variant->counts) {
        point->variant->counts(p, &formula);
        return fmin((double)formula.matmul_flops, p->method->cost(p).flops);
    }
    return p->pass == BWD ? 0 : p->method->cost(p).flops;
}

double ceiling_floor_ns(const CeilingList *list, const Point *point)
{
    double peak = 0, memory_ns = 0, left = point->problem.method->cost(&point->problem).bytes;
    for (int i = 0; i < list->count; i++)
        if (is_arithmetic(list->item[i].kind) && list->item[i].threads == point->threads)
            peak = fmax(peak, list->item[i].value);
    int64_t below = 0;
    for (Level level = LEVEL_L1; level < LEVEL_END && left > 0; level++) {
        const int64_t capacity = level_capacity(level, point->threads);
        const double rate = value_of(
            ceiling_find(list, CEILING_READ, ISA_END, level, point->threads));
        if (capacity <= below) continue;
        const double here = fmin(left, (double)(capacity - below));
        memory_ns += least_ns(here, rate);
        left -= here;
        below = capacity;
    }
    return fmax(least_ns(executed_flops(point), peak), memory_ns);
}
