/* SPDX-License-Identifier: Apache-2.0 */
/* Traffic between a fast memory of M bytes and a slow one, for one head, from the variant's own
 * tile schedule: exact, the same on every machine, and what the papers' theorems speak about.
 * Beside it, where valgrind is installed and the problem is small, the misses of the real program
 * in a simulated last-level cache (cachegrind.c). */
#include "../bench.h"
#include "../cachegrind.h"
#include "../lru.h"

#include <stdio.h>

/* Lines of a cache, unless that would be too many touches: then coarser ones, up to
 * what a schedule of whole tile rows hardly notices. */
static const int64_t LINE_BYTES = 64, LINE_BYTES_MAX = 512;
static const double TOUCHES_MAX = 1e8;        /* of all fast memories together; about 10 ns each */

typedef struct {
    TileSink sink;             /* first: the schedule sees only this */
    int64_t  bytes;            /* touched in all */
    Lru     *lru[FAST_MEMORIES_MAX];
    int      count;
} Model;

static void measure_bytes(TileSink *sink, int tensor, int64_t offset_bytes, int64_t bytes,
                          int writes)
{
    (void)tensor, (void)offset_bytes, (void)writes;
    ((Model *)sink)->bytes += bytes;
}

static void touch_all(TileSink *sink, int tensor, int64_t offset_bytes, int64_t bytes, int writes)
{
    Model *m = (Model *)sink;
    for (int i = 0; i < m->count; i++) lru_touch(m->lru[i], tensor, offset_bytes, bytes, writes);
}

static int64_t choose_line(const Problem *p, const Variant *v, int memories)
{
    Model m = { .sink = { .touch = measure_bytes } };
    v->tiles(p, &m.sink);
    int64_t line_bytes = LINE_BYTES;
    while (line_bytes < LINE_BYTES_MAX &&
           (double)m.bytes / (double)line_bytes * memories > TOUCHES_MAX)
        line_bytes *= 2;
    return line_bytes;
}

static Status open_model(Model *m, const int64_t *fast_memory, int64_t line_bytes, Err *err)
{
    Status status = OK;
    *m = (Model){ .sink = { .touch = touch_all } };
    for (int i = 0; i < FAST_MEMORIES_MAX && fast_memory[i] && !status; i++) {
        status = lru_open(&m->lru[i], fast_memory[i], line_bytes, err);
        m->count += !status;
    }
    return status;
}

static void metric_at(Arm *arm, const char *name, int64_t fast_bytes, int64_t value)
{
    char text[40];
    snprintf(text, sizeof text, "%s@%lld", name, (long long)fast_bytes);
    bench_metric(arm, "cache", text, "B", (double)value);
}

static Status report(Arm *arm, const Model *m, const int64_t *fast_memory, Err *err)
{
    for (int i = 0; i < m->count; i++) {
        LruTraffic traffic;
        const Status status = lru_finish(m->lru[i], &traffic, err);
        if (status) return status;
        metric_at(arm, "read_bytes", fast_memory[i], traffic.read_bytes);
        metric_at(arm, "written_bytes", fast_memory[i], traffic.written_bytes);
        metric_at(arm, "total_bytes", fast_memory[i], traffic.read_bytes + traffic.written_bytes);
    }
    return OK;
}

static void model_arm(const Bench *b, Arm *arm)
{
    const Problem *p = &arm->point.problem;
    const Variant *v = arm->point.variant;
    const int64_t *fast_memory = b->task->fast_memory;
    Model m;
    Err err;
    int memories = 0;
    while (memories < FAST_MEMORIES_MAX && fast_memory[memories]) memories++;
    if (!v->tiles) {
        bench_missing(arm, "traffic: %s/%s states no tile schedule", v->method, v->name);
        return;
    }
    shared_blame(b->shared, arm->index, "modelling its memory traffic");
    const int64_t line_bytes = choose_line(p, v, memories);
    Status status = open_model(&m, fast_memory, line_bytes, &err);
    if (!status) {
        v->tiles(p, &m.sink);
        status = report(arm, &m, fast_memory, &err);
    }
    if (status) bench_missing(arm, "traffic: %.120s", err.text);
    else bench_metric(arm, "cache", "line_bytes", "B", (double)line_bytes);
    for (int i = 0; i < m.count; i++) lru_close(m.lru[i]);
}

static Status measure(Bench *b, Err *err)
{
    (void)err;
    for (int i = 0; i < b->arms; i++) {
        if (!arm_lives(&b->arm[i])) continue;
        model_arm(b, &b->arm[i]);
        cachegrind_measure(b, &b->arm[i]);
    }
    return OK;
}

extern const Instrument instrument_cache;
const Instrument instrument_cache = {
    .name = "cache",
    .stage = STAGE_COUNT,
    .exact = 1,
    .measure = measure,
    .summary = "traffic between a fast memory of M bytes and a slow one, from the variant's tile "
               "schedule, one head",
    .yields = "read_bytes@M, written_bytes@M, total_bytes@M for each M; line_bytes (granularity of "
              "the model); simulated_refs, simulated_bytes@M (misses of the real program under "
              "cachegrind, all heads)",
};
