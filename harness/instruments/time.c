/* SPDX-License-Identifier: Apache-2.0 */
/* How long a call takes. The arms take turns epoch by epoch, so that whatever disturbs one of them
 * disturbs the others alike; all arms make the same number of calls an epoch; every timed output is
 * one that was, or will be, compared with float64.
 *
 *   first call   untimed by the clock below, its output compared: a wrong arm is never timed
 *   calibration  calls an epoch, by the first block for all
 *   warm-up      until the epochs show no trend, at most a quarter of the budget; kept, flagged
 *   rounds       each arm once, in the order of random Latin squares, the input set changing by
 *                rounds
 *   ceilings     bursts before, between and after
 *   last         the last timed output of every set: right, and the same bits as before */
#include "../beside.h"
#include "../epoch.h"
#include "../stats.h"

#include "../../kernels/core/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double EPOCH_NS = 200e3;        /* between 100 and 500 us */
static const double BURST_NS = 60e3, LONG_BURST_NS = 1e6;
static const double WARMUP_SHARE = 0.25;
static const double MARGIN = 0.05;           /* faster than the ceiling by more is impossible */
static const double STREAM_BYTES_PER_NS = 25;   /* a guess: would cold inputs show? */
static const double TOUCH_SHARE = 0.02;
enum { ORDER_STREAM = 0x6f726472 };            /* "ordr" */
enum {
    ROUNDS_MAX = 64,
    WARMUP_ROUNDS_MAX = 4096,      /* where the clock stands still */
    ROUNDS_LEAST = 4,
    ROUNDS_LEAST_SLOW = 2,
    SWEEP_ROUNDS = 16,
    LAPS_CALLS = 15
};

typedef struct {
    Arm       *arm;
    Epoch     *epoch;
    double    *call_ns;        /* of each epoch, by the clock that counts */
    int        epochs, room;
    CacheState cache;
    int        seen;           /* bit s: set s was timed */
    uint64_t   first_sum[SETS_MAX];   /* of the output of its first epoch */
} Lane;

typedef struct {
    Bench     *bench;
    EpochClock clock;
    Beside     beside;
    Lane       lane[ARMS_MAX];
    int        lanes;
    int64_t    calls;
    double     round_ns;       /* what a round takes, by the calibration */
    int        sets, round;
    int        square, row, squared;   /* which Latin square, its row, its arms */
    int        order[ARMS_MAX * ARMS_MAX];
} Timing;

/* ---- epochs -------------------------------------------------------------------------- */

static int make_room(Lane *lane)
{
    if (lane->epochs < lane->room) return 1;
    const int room = lane->room ? 2 * lane->room : 128;
    Epoch *epoch = realloc(lane->epoch, (size_t)room * sizeof *epoch);
    if (epoch) lane->epoch = epoch;
    double *call_ns = realloc(lane->call_ns, (size_t)room * sizeof *call_ns);
    if (call_ns) lane->call_ns = call_ns;
    if (!epoch || !call_ns)
        return bench_arm_ends(lane->arm, OUTCOME_OUT_OF_MEMORY, "no memory for its epochs");
    lane->room = room;
    return 1;
}

/* Thread-CPU time with one thread: what other programs do to us is not the arm's. With more, wall
 * time: what threads wait for each other is. */
static double epoch_ns(const Lane *lane, const Epoch *e)
{
    return (double)(lane->arm->point.threads == 1 ? e->cpu_ns : e->wall_ns);
}

/* One epoch, kept. NULL: the arm has ended. */
static Epoch *take(Timing *t, Lane *lane, int set, int64_t calls, CacheState cache)
{
    if (!make_room(lane)) return NULL;
    Epoch *e = &lane->epoch[lane->epochs];
    const Status status = epoch_take(&t->clock, lane->arm, set, calls, cache, e);
    if (status) { arm_failed(lane->arm, status); return NULL; }
    lane->call_ns[lane->epochs++] = epoch_ns(lane, e) / (double)e->calls;
    return e;
}

/* ---- calibration --------------------------------------------------------------------- */

/* Time of one call. Readings are kept as warm-up epochs of round -1. */
static double calibrate(Timing *t, Lane *lane)
{
    Arm *arm = lane->arm;
    shared_blame(t->bench->shared, arm->index, "finding how many calls fill an epoch");
    if (arm->first_call_ns > 20 * EPOCH_NS) return arm->first_call_ns;
    Calibration c = stats_calibration(EPOCH_NS, clock_measured().resolution_ns);
    for (double elapsed_ns = 0; !c.done; stats_calibrate(&c, elapsed_ns)) {
        Epoch *e = take(t, lane, 0, c.calls, CACHE_WARM);
        if (!e) return 0;
        e->warmup = 1;
        e->round = -1;
        elapsed_ns = epoch_ns(lane, e);
    }
    return lane->call_ns[lane->epochs - 1];
}

/* All blocks and all arms share the count that the first block found. */
static void find_calls(Timing *t)
{
    Task *task = &t->bench->shared->head->task;
    double call_ns[ARMS_MAX];
    int n = 0;
    for (int i = 0; i < t->lanes; i++) {
        double *known = &task->call_ns[t->lane[i].arm->index];
        if (!(*known > 0)) *known = calibrate(t, &t->lane[i]);
        if (arm_lives(t->lane[i].arm)) call_ns[n++] = fmax(1, *known);
    }
    if (!n) return;
    if (task->calls < 1)
        task->calls = stats_shared_calls(call_ns, n, EPOCH_NS, clock_measured().resolution_ns);
    t->calls = task->cold ? 1 : task->calls;
    t->round_ns = 0;
    for (int i = 0; i < n; i++) t->round_ns += (double)t->calls * call_ns[i];
}

/* Other arms, and other input sets, have had the caches since. Where bringing the inputs back would
 * show in the epoch, one more call does it before the clock starts; where they do not fit in any
 * cache, there is nothing to bring back. */
static CacheState cache_state(const Timing *t, const Lane *lane)
{
    const Task *task = t->bench->task;
    if (task->cold) return CACHE_COLD;
    const Problem *p = &lane->arm->point.problem;
    const double bytes = p->method->cost(p).bytes;
    const double epoch_ns = (double)t->calls * task->call_ns[lane->arm->index];
    if (level_of((int64_t)bytes, lane->arm->point.threads) == LEVEL_DRAM) return CACHE_WARM;
    return bytes / STREAM_BYTES_PER_NS > TOUCH_SHARE * epoch_ns ? CACHE_TOUCHED : CACHE_WARM;
}

/* ---- rounds -------------------------------------------------------------------------- */

static void forget_ended(Timing *t)
{
    int n = 0;
    for (int i = 0; i < t->lanes; i++) {
        if (arm_lives(t->lane[i].arm)) { t->lane[n++] = t->lane[i]; continue; }
        free(t->lane[i].epoch);
        free(t->lane[i].call_ns);
    }
    t->lanes = n;
}

/* The arms' order of the next round. Where an arm has ended, a new square begins. */
static const int *next_row(Timing *t)
{
    if (t->row == t->squared || t->squared != t->lanes) {
        const Task *task = t->bench->task;
        stats_order(random_u64(task->seed, ORDER_STREAM, (uint64_t)task->block),
                    (uint64_t)t->square++, t->lanes, t->order);
        t->squared = t->lanes;
        t->row = 0;
    }
    return t->order + t->lanes * t->row++;
}

/* Every arm once. Where an arm ends, the rest of the round is still measured. */
static void run_round(Timing *t, int warmup)
{
    const int set = t->round % t->sets, *order = next_row(t);
    for (int place = 0; place < t->lanes; place++) {
        Lane *lane = &t->lane[order[place]];
        if (!arm_lives(lane->arm)) continue;
        shared_blame(t->bench->shared, lane->arm->index, "being timed");
        Epoch *e = take(t, lane, set, t->calls, lane->cache);
        if (!e) continue;
        e->warmup = warmup;
        e->round = t->round;
        e->position = place;
        if (lane->seen & 1 << set) continue;
        lane->seen |= 1 << set;
        lane->first_sum[set] = lane->arm->state[set] ? 0 : bound_checksum(&lane->arm->set[set]);
    }
    t->round++;
}

static int all_steady(const Timing *t)
{
    for (int i = 0; i < t->lanes; i++) {
        const Lane *lane = &t->lane[i];
        const int skip = lane->epochs > t->round ? lane->epochs - t->round : 0;   /* calibration */
        if (!stats_warmup(lane->call_ns + skip, lane->epochs - skip, lane->epochs).steady) return 0;
    }
    return 1;
}

static double since_ns(const Timing *t, int64_t start_ns)
{
    return (double)(backend_cpu.now_ns(t->bench->device) - start_ns);
}

/* A round that would not fit in the warm-up's share is no warm-up: the first call was one. */
static void warm_up(Timing *t, int64_t start_ns, double budget_ns)
{
    const double share_ns = WARMUP_SHARE * budget_ns;
    while (t->lanes && t->round < WARMUP_ROUNDS_MAX &&
           since_ns(t, start_ns) + t->round_ns < share_ns) {
        run_round(t, 1);
        forget_ended(t);
        if (t->round % 4 == 0 && t->round >= 32 && all_steady(t)) return;
    }
}

static Status run_rounds(Timing *t, Err *err)
{
    const double budget_ns = (double)t->bench->task->budget_ns;
    Status status = beside_sweep(&t->beside, (int64_t)BURST_NS, err);
    const int64_t start_ns = backend_cpu.now_ns(t->bench->device);
    warm_up(t, start_ns, budget_ns);
    const int least = t->round_ns > budget_ns ? ROUNDS_LEAST_SLOW : ROUNDS_LEAST;
    for (int done = 0; !status && t->lanes && done < ROUNDS_MAX; done++) {
        const int whole_square = done % t->lanes == 0;
        if (done >= least && whole_square && since_ns(t, start_ns) > budget_ns) break;
        run_round(t, 0);
        forget_ended(t);
        if (done % SWEEP_ROUNDS == SWEEP_ROUNDS - 1)
            status = beside_sweep(&t->beside, (int64_t)BURST_NS, err);
    }
    return status ? status : beside_sweep(&t->beside, (int64_t)BURST_NS, err);
}

/* ---- the last output ----------------------------------------------------------------- */

static void check_last(Timing *t, Lane *lane, int set)
{
    Arm *arm = lane->arm;
    if (arm->state[set]) {
        /* Calls have moved the states on: one more timed call starts from the states as they
         * were. */
        Epoch *e = take(t, lane, set, 1, CACHE_WARM);
        if (!e) return;
        e->warmup = 1;
        e->round = -1;
    }
    const char *broken = bound_guard_broken(&arm->set[set]);
    if (broken) {
        bench_arm_ends(arm, OUTCOME_WRONG, "it wrote outside of tensor %s", broken);
        return;
    }
    const uint64_t sum = bound_checksum(&arm->set[set]);
    const int was_proven = arm->proven >> set & 1;
    const uint64_t before = was_proven ? arm->checksum[set] : lane->first_sum[set];
    if ((!was_proven || sum != before) && !proof_check(t->bench, arm, set, sum)) return;
    if (sum != before && (was_proven || before))
        bench_arm_ends(arm, OUTCOME_NONDETERMINISTIC,
                       "equal inputs gave different outputs (checksums %016llx, %016llx)",
                       (unsigned long long)before, (unsigned long long)sum);
}

static void check_outputs(Timing *t)
{
    for (int i = 0; i < t->lanes; i++)
        for (int set = 0; set < t->sets && arm_lives(t->lane[i].arm); set++)
            if (t->lane[i].seen >> set & 1) check_last(t, &t->lane[i], set);
}

/* ---- phases -------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *value, int n)
{
    qsort(value, (size_t)n, sizeof *value, by_size);
    return stats_quantile(value, n, 0.5);
}

/* The clock of ctx_lap. */
static int64_t lap_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

/* Apart from the epochs, because reading the clock inside of a call costs a little. */
static void time_laps(Timing *t, Lane *lane)
{
    Arm *arm = lane->arm;
    double time_ns[LAPS_MAX][LAPS_CALLS];
    Laps laps = { .count = 0 };
    int n = 0;
    shared_blame(t->bench->shared, arm->index, "timing its phases");
    const int64_t start_ns = backend_cpu.now_ns(t->bench->device);
    for (; n < LAPS_CALLS && (n < 3 || since_ns(t, start_ns) < 50 * EPOCH_NS); n++) {
        memset(laps.time_ns, 0, sizeof laps.time_ns);
        arm_restore(arm, 0);
        arm->ctx.laps = &laps;
        laps.last_ns = lap_clock_ns();
        const Status status = arm_call(arm, 0);
        arm->ctx.laps = NULL;
        if (status) { arm_failed(arm, status); return; }
        for (int i = 0; i < laps.count; i++) time_ns[i][n] = (double)laps.time_ns[i];
    }
    for (int i = 0; i < laps.count; i++) {
        char name[40];
        snprintf(name, sizeof name, "lap.%.28s_ns", laps.name[i]);
        bench_metric(arm, "time", name, "ns", median_of(time_ns[i], n));
    }
}

/* ---- what is said about it ----------------------------------------------------------- */

/* Per call, over the epochs behind the warm-up. */
static double median_call_ns(const Lane *lane, double *scratch, double *least_wall_ns)
{
    int n = 0;
    *least_wall_ns = INFINITY;
    for (int i = 0; i < lane->epochs; i++) {
        const Epoch *e = &lane->epoch[i];
        if (e->warmup) continue;
        *least_wall_ns = fmin(*least_wall_ns, (double)e->wall_ns / (double)e->calls);
        scratch[n++] = lane->call_ns[i];
    }
    return n ? median_of(scratch, n) : NAN;
}

static int beats_ceiling(const Timing *t, const Lane *lane, double least_ns)
{
    return least_ns <= 0 ||
           least_ns < (1 - MARGIN) * ceiling_floor_ns(&t->bench->ceilings, &lane->arm->point);
}

/* A ceiling may have been measured while a neighbour was busy: ask again, longer, before
 * judging. */
static Status judge_impossible(Timing *t, Lane *lane, double least_ns, Err *err)
{
    Status status = OK;
    for (int again = 0; again < 4 && !status && beats_ceiling(t, lane, least_ns); again++)
        status = beside_sweep(&t->beside, (int64_t)LONG_BURST_NS, err);
    if (!status && beats_ceiling(t, lane, least_ns))
        bench_arm_ends(lane->arm, OUTCOME_IMPOSSIBLE,
                       "%.0f ns a call, but the ceilings measured beside it allow "
                       "%.0f ns at best",
                       least_ns, ceiling_floor_ns(&t->bench->ceilings, &lane->arm->point));
    return status;
}

static Status report(Timing *t, Lane *lane, Err *err)
{
    Arm *arm = lane->arm;
    double least_ns;
    double *scratch = malloc((size_t)lane->epochs * sizeof *scratch);
    if (!scratch) return fail(err, NO_MEMORY, "no memory for %d epochs", lane->epochs);
    const double median_ns = median_call_ns(lane, scratch, &least_ns);
    free(scratch);
    const Status status = judge_impossible(t, lane, least_ns, err);
    if (status) return status;
    const Limit limit = ceiling_limit(&t->bench->ceilings, &arm->point, arm->library_flops > 0);
    bench_metric(arm, "time", "first_call_ns", "ns", arm->first_call_ns);
    bench_metric(arm, "time", "epoch_calls", "calls", (double)t->calls);
    bench_metric(arm, "time", "input_sets", "sets", t->sets);
    bench_metric(arm, "time", "cold", "", t->bench->task->cold);
    if (limit.compute_ns > 0) bench_metric(arm, "time", "limit_compute_ns", "ns", limit.compute_ns);
    if (limit.memory_ns > 0) bench_metric(arm, "time", "limit_memory_ns", "ns", limit.memory_ns);
    if (limit.limit_ns > 0)
        bench_metric(arm, "time", "fraction_of_limit", "", limit.limit_ns / median_ns);
    if (arm->library_flops > 0)
        bench_metric(arm, "time", "library_flops", "FLOP", arm->library_flops);
    return OK;
}

/* ---- all of it ----------------------------------------------------------------------- */

/* Three sets of inputs, unless they would take most of the memory that there is. */
static int choose_sets(const Timing *t)
{
    const Bench *b = t->bench;
    double bytes = 0, most = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 2;
    for (int i = 0; i < t->lanes; i++) bytes += (double)t->lane[i].arm->set[0].memory_bytes;
    if (b->task->limit_memory_bytes > 0) most = fmin(most, (double)b->task->limit_memory_bytes / 2);
    const double rounds = fmax(ROUNDS_LEAST_SLOW, (double)b->task->budget_ns / t->round_ns);
    const int sets = rounds < SETS_MAX ? (int)rounds : SETS_MAX;
    return bytes * sets > most ? 1 : sets < b->sets ? sets : b->sets;
}

static void open_lanes(Timing *t, Bench *b)
{
    for (int i = 0; i < b->arms; i++) {
        Arm *arm = &b->arm[i];
        if (arm_lives(arm) && arm_prepare(b, arm, 1)) t->lane[t->lanes++] = (Lane){ .arm = arm };
    }
}

static Status measure(Bench *b, Err *err)
{
    Status status = OK;
    Timing *t = calloc(1, sizeof *t);
    if (!t) return fail(err, NO_MEMORY, "no memory to time with");
    t->bench = b;
    open_lanes(t, b);
    epoch_clock_open(&t->clock, b->device);
    beside_open(&t->beside, b);
    find_calls(t);
    forget_ended(t);
    if (!t->lanes) goto done;
    t->sets = choose_sets(t);
    for (int i = 0; i < t->lanes; i++) {
        arm_prepare(b, t->lane[i].arm, t->sets);
        t->lane[i].cache = cache_state(t, &t->lane[i]);
    }
    forget_ended(t);
    if (!t->lanes || (status = run_rounds(t, err))) goto done;
    check_outputs(t);
    for (int i = 0; i < t->lanes && !status; i++) {
        Lane *lane = &t->lane[i];
        if (arm_lives(lane->arm)) status = report(t, lane, err);
        if (arm_lives(lane->arm) && lane->arm->has_laps) time_laps(t, lane);
        /* A wrong arm has no times. */
        if (lane->arm->outcome != OUTCOME_WRONG)
            bench_send_epochs(b, lane->arm, lane->epoch, lane->epochs);
    }
done:
    for (int i = 0; i < t->lanes; i++) {
        free(t->lane[i].epoch);
        free(t->lane[i].call_ns);
    }
    beside_close(&t->beside);
    epoch_clock_close(&t->clock);
    free(t);
    return status;
}

extern const Instrument instrument_time;
const Instrument instrument_time = {
    .name = "time",
    .stage = STAGE_TIME,
    .measure = measure,
    .summary = "raw epochs of wall and thread-CPU time, arms interleaved, in worker processes",
    .yields =
        "epochs; first_call_ns, epoch_calls, input_sets, cold, limit_compute_ns, limit_memory_ns, "
        "fraction_of_limit, library_flops, lap.PHASE_ns",
};
