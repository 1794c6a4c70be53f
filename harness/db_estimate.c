/* SPDX-License-Identifier: Apache-2.0 */
/* From stored samples to what the views show: timing and pair_time of each block, then estimate,
 * summary and ratio of all blocks of a point or a pair. Everything here is computed from raw rows
 * alone, so that throwing it away and deriving it again gives the same bits.
 *
 * What is stale is little, and the file may be large: CROSS JOIN makes SQLite begin with the stale
 * blocks, whatever it believes of the tables. */
#include "db_internal.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LEVEL = 0.95;

/* ---- epochs --------------------------------------------------------------------------- */

/* One thread is timed by its own CPU clock, which a busy neighbour does not move; several by the
 * wall, since their sum would hide that they wait for each other. */
typedef enum { TIMER_CPU, TIMER_WALL } Timer;

static const char *timer_name(Timer timer) { return timer == TIMER_CPU ? "cpu" : "wall"; }

static Timer timer_named(const char *name) { return strcmp(name, "cpu") ? TIMER_WALL : TIMER_CPU; }

typedef struct {
    Epoch *epoch;              /* without the warm-up */
    int    count;
} Epochs;

static void keep_trouble(Db *db, Status status, const Err *err)
{
    if (status) db_fail(db, status, err);
}

/* The epochs in a column that count; none where the column is NULL or damaged. */
static Epochs epochs_of(Db *db, const Query *q, int column)
{
    Epochs e = { 0 };
    Err err;
    size_t size;
    const void *data = column_blob(q, column, &size);
    if (!data) return e;
    keep_trouble(db, sample_unpack(data, size, &e.epoch, &e.count, &err), &err);
    int kept = 0;
    for (int i = 0; i < e.count; i++)
        if (!e.epoch[i].warmup && e.epoch[i].calls > 0) e.epoch[kept++] = e.epoch[i];
    e.count = kept;
    return e;
}

static double time_of(const Epoch *e, Timer timer)
{
    return (double)(timer == TIMER_CPU ? e->cpu_ns : e->wall_ns) / e->calls;
}

static Timer timer_of(const Epochs *e, int64_t threads, const char *isa)
{
    if (threads > 1 || !strcmp(isa, "cuda")) return TIMER_WALL;
    for (int i = 0; i < e->count; i++)
        if (e->epoch[i].cpu_ns <= 0) return TIMER_WALL;
    return TIMER_CPU;
}

/* ---- samples of several blocks -------------------------------------------------------- */

typedef struct {
    double *value;
    int    *start;             /* blocks + 1 entries once there is a block */
    int     blocks, count, value_room, start_room;
} Samples;

static void samples_free(Samples *s)
{
    free(s->value);
    free(s->start);
}

static int samples_reserve(Samples *s, int more)
{
    if (s->count + more > s->value_room) {
        const int room = 2 * (s->count + more);
        double *value = realloc(s->value, (size_t)room * sizeof *value);
        if (!value) return 0;
        s->value = value;
        s->value_room = room;
    }
    if (s->blocks + 2 > s->start_room) {
        const int room = 2 * (s->blocks + 8);
        int *start = realloc(s->start, (size_t)room * sizeof *start);
        if (!start) return 0;
        s->start = start;
        s->start_room = room;
    }
    return 1;
}

/* Room for a block of `more` values, which the caller writes; NULL: no memory. */
static double *samples_block(Db *db, Samples *s, int more)
{
    if (!samples_reserve(s, more)) {
        Err err;
        db_fail(db, fail(&err, NO_MEMORY, "no memory for %d samples", s->count + more), &err);
        return NULL;
    }
    double *at = s->value + s->count;
    s->start[s->blocks++] = s->count;
    s->count += more;
    s->start[s->blocks] = s->count;
    return at;
}

static Nested nested(const Samples *s)
{
    return (Nested){ .value = s->value, .start = s->start, .blocks = s->blocks };
}

/* ---- timing: one run ------------------------------------------------------------------ */

static void derive_timing(Db *db, int64_t run, const Epochs *e, Timer timer)
{
    double *time = malloc(2 * (size_t)e->count * sizeof *time);
    bool *flagged = malloc((size_t)e->count * sizeof *flagged);
    int known = 1;
    if (!time || !flagged) {
        Err err;
        db_fail(db, fail(&err, NO_MEMORY, "no memory for %d epochs", e->count), &err);
        goto done;
    }
    for (int i = 0; i < e->count; i++) {
        const Epoch *x = &e->epoch[i];
        time[i] = time_of(x, timer);
        flagged[i] = stats_flagged(x->delay_ns, x->switches);
        known = known && (x->delay_ns >= 0 || x->switches >= 0);
    }
    const BlockSummary s =
        stats_block_summary(time, known ? flagged : NULL, e->count, time + e->count);
    db_write(db,
             "INSERT OR REPLACE INTO timing (run, clock, epochs, min_ns, p25_ns, median_ns, "
             "flagged_share) VALUES (?, ?, ?, ?, ?, ?, ?)",
             VALUES(val_integer(run), val_text(timer_name(timer)), val_integer(e->count),
                    val_real(s.min), val_real(s.p25), val_real(s.median),
                    val_real(s.flagged_share)));
done:
    free(time);
    free(flagged);
}

/* An epoch without duration was timed by a clock that stood still or went back. */
static int is_timed(const Epochs *e)
{
    for (int i = 0; i < e->count; i++)
        if (e->epoch[i].wall_ns <= 0) return 0;
    return e->count > 0;
}

static void derive_timings(Db *db)
{
    Query *q = query_open(
        db,
        "SELECT r.id, p.threads, p.isa, s.data FROM stale t CROSS JOIN run r ON r.block = t.block "
        "JOIN point p ON p.id = r.point JOIN sample s ON s.run = r.id WHERE r.outcome = 'ok'",
        NO_VALUES);
    while (query_row(q)) {
        const Epochs e = epochs_of(db, q, 3);
        const Timer timer = timer_of(&e, column_integer(q, 1), column_text(q, 2));
        if (is_timed(&e)) derive_timing(db, column_integer(q, 0), &e, timer);
        free(e.epoch);
    }
    query_close(q);
}

/* ---- pair_time: two runs of one block ------------------------------------------------- */

/* ln(time b / time a) of every round that both arms have; d has room for a's epochs. */
static int log_ratios(const Epochs *a, const Epochs *b, Timer timer, double *d)
{
    int n = 0;
    for (int i = 0, k = 0; i < a->count; i++) {
        while (k < b->count && b->epoch[k].round < a->epoch[i].round) k++;
        if (k == b->count || b->epoch[k].round != a->epoch[i].round) continue;
        const double ta = time_of(&a->epoch[i], timer), tb = time_of(&b->epoch[k], timer);
        if (ta > 0 && tb > 0) d[n++] = stats_log(tb) - stats_log(ta);
    }
    return n;
}

/* Appends the rounds of a row (data a, data b, clock a, clock b) as one block; their number. */
static int append_pair(Db *db, const Query *q, int column, Samples *s, Timer *timer)
{
    const Epochs a = epochs_of(db, q, column), b = epochs_of(db, q, column + 1);
    const int both = timer_named(column_text(q, column + 2)) == TIMER_CPU &&
                     timer_named(column_text(q, column + 3)) == TIMER_CPU;
    int n = 0;
    *timer = both ? TIMER_CPU : TIMER_WALL;
    double *d = a.count ? malloc((size_t)a.count * sizeof *d) : NULL;
    if (d) n = log_ratios(&a, &b, *timer, d);
    double *to = n ? samples_block(db, s, n) : NULL;
    if (to) memcpy(to, d, (size_t)n * sizeof *d);
    free(d);
    free(a.epoch);
    free(b.epoch);
    return to ? n : 0;
}

static void derive_pair_times(Db *db)
{
    Samples s = { 0 };
    Query *q = query_open(db,
        "SELECT x.id, y.id, sx.data, sy.data, tx.clock, ty.clock FROM stale t "
        "CROSS JOIN run x ON x.block = t.block CROSS JOIN run y ON y.block = t.block "
        "AND x.point < y.point JOIN timing tx ON tx.run = x.id JOIN timing ty ON ty.run = y.id "
        "JOIN sample sx ON sx.run = x.id JOIN sample sy ON sy.run = y.id", NO_VALUES);
    while (query_row(q)) {
        Timer timer;
        s.blocks = s.count = 0;
        const int rounds = append_pair(db, q, 2, &s, &timer);
        if (!rounds) continue;
        stats_sort(s.value, rounds);
        db_write(db, "INSERT OR REPLACE INTO pair_time (run_a, run_b, clock, rounds, ratio) "
                     "VALUES (?, ?, ?, ?, ?)",
                 VALUES(val_integer(column_integer(q, 0)), val_integer(column_integer(q, 1)),
                        val_text(timer_name(timer)), val_integer(rounds),
                        val_real(stats_exp(stats_quantile(s.value, rounds, 0.5)))));
    }
    query_close(q);
    samples_free(&s);
}

/* ---- estimate: all blocks of a point -------------------------------------------------- */

typedef struct { int64_t machine, point, code; } Key;

static int64_t estimate_id(const Key *k)
{
    Sha256 h;
    sha256_open(&h);
    identity_integer(&h, k->machine);
    identity_integer(&h, k->point);
    identity_integer(&h, k->code);
    return identity_close(&h);
}

#define RUNS_OF_A_KEY \
    "FROM run r JOIN block b ON b.id = r.block JOIN session s ON s.id = b.session "
#define IS_THE_KEY \
    "WHERE r.point = ? AND r.code = ? AND s.machine = ? "
#define KEY_VALUES(k) \
    VALUES(val_integer((k)->point), val_integer((k)->code), val_integer((k)->machine))

/* How often it was tried and how the last try ended. */
static void insert_estimate(Db *db, const Key *k)
{
    int64_t runs = 0, failures = 0, measured_at_ms = 0;
    char outcome[24] = "", reason[256] = "";
    Query *q = query_open(db,
                          "SELECT r.outcome, r.reason, b.started_at_ms " RUNS_OF_A_KEY IS_THE_KEY
                          "ORDER BY b.started_at_ms, b.id",
                          KEY_VALUES(k));
    while (query_row(q)) {
        runs++;
        failures += strcmp(column_text(q, 0), "ok") != 0;
        strncpy(outcome, column_text(q, 0), sizeof outcome - 1);
        strncpy(reason, column_text(q, 1), sizeof reason - 1);
        measured_at_ms = column_integer(q, 2);
    }
    query_close(q);
    db_write(db,
             "INSERT OR REPLACE INTO estimate (id, machine, point, code, newest, runs, failures, "
             "outcome, reason, measured_at_ms) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?)",
             VALUES(val_integer(estimate_id(k)), val_integer(k->machine), val_integer(k->point),
                    val_integer(k->code), val_integer(runs), val_integer(failures),
                    val_text(outcome), val_text(reason), val_integer(measured_at_ms)));
    db_write(db, "UPDATE estimate SET error_rel = (SELECT max(m.value) " RUNS_OF_A_KEY
                 "JOIN metric m ON m.run = r.id JOIN quantity q ON q.id = m.quantity " IS_THE_KEY
                 "AND q.instrument = 'accuracy' AND q.name = 'error_rel') WHERE id = ?",
             VALUES(val_integer(k->point), val_integer(k->code), val_integer(k->machine),
                    val_integer(estimate_id(k))));
}

typedef struct {
    Samples time, min, p25;    /* of all epochs; of each block one value, as one block */
    double  flagged, epochs;   /* epochs flagged; NaN: not known */
    Timer   timer;
} Times;

static void add_block(Db *db, Times *t, const Epochs *e, const Query *q)
{
    double *time = samples_block(db, &t->time, e->count);
    if (!time) return;
    for (int i = 0; i < e->count; i++) time[i] = time_of(&e->epoch[i], t->timer);
    t->flagged += column_real(q, 1) * e->count;
    t->epochs += e->count;
    double *scratch = malloc((size_t)e->count * sizeof *scratch);
    if (scratch) {
        const BlockSummary s = stats_block_summary(time, NULL, e->count, scratch);
        double *min = samples_block(db, &t->min, 1), *p25 = samples_block(db, &t->p25, 1);
        if (min) *min = s.min;
        if (p25) *p25 = s.p25;
    }
    free(scratch);
}

static void collect_times(Db *db, const Key *k, Times *t)
{
    t->timer = db_integer(db,
                          "SELECT EXISTS (SELECT 1 " RUNS_OF_A_KEY
                          "JOIN timing t ON t.run = r.id " IS_THE_KEY "AND t.clock = 'wall')",
                          KEY_VALUES(k), 0)
                   ? TIMER_WALL
                   : TIMER_CPU;
    Query *q = query_open(db,
                          "SELECT d.data, t.flagged_share " RUNS_OF_A_KEY
                          "JOIN timing t ON t.run = r.id JOIN sample d ON d.run = r.id " IS_THE_KEY
                          "ORDER BY b.started_at_ms, b.id",
                          KEY_VALUES(k));
    while (query_row(q)) {
        const Epochs e = epochs_of(db, q, 0);
        if (e.count > 0) add_block(db, t, &e, q);
        free(e.epoch);
    }
    query_close(q);
}

static double middle(Samples *s)
{
    stats_sort(s->value, s->count);
    return stats_quantile(s->value, s->count, 0.5);
}

typedef struct { const char *name; double time_ns; } Least;

/* The least time by the ceilings that were measured beside the last run. */
static Least least_time(Db *db, const Key *k)
{
    Least least = { NULL, NAN };
    int64_t run = 0;
    Query *q = query_open(db,
                          "SELECT r.id, q.name, m.value " RUNS_OF_A_KEY
                          "JOIN metric m ON m.run = r.id JOIN quantity q ON q.id = m.quantity "
                          "AND q.instrument = 'time' AND q.name IN ('limit_compute_ns', "
                          "'limit_memory_ns') " IS_THE_KEY
                          "ORDER BY b.started_at_ms DESC, b.id DESC, q.name LIMIT 2",
                          KEY_VALUES(k));
    while (query_row(q)) {
        const int is_compute = !strcmp(column_text(q, 1), "limit_compute_ns");
        const double time_ns = column_real(q, 2);
        if (least.name && column_integer(q, 0) != run) break;
        run = column_integer(q, 0);
        if (!(time_ns <= least.time_ns)) least = (Least){ is_compute ? "fma" : "memory", time_ns };
    }
    query_close(q);
    return least;
}

static void update_estimate(Db *db, const Key *k, Times *t)
{
    Interval cost;
    Err err;
    const Nested samples = nested(&t->time);
    const Status status = stats_cost(&samples, 0.5, LEVEL, &cost, &err);
    if (status) { keep_trouble(db, status, &err); return; }
    const Least least = least_time(db, k);
    const int open = !isfinite(cost.low) || !isfinite(cost.high);
    db_write(db,
             "UPDATE estimate SET clock = ?, blocks = ?, epochs = ?, median_ns = ?, low_ns = ?, "
             "high_ns = ?, level = ?, interval = ?, min_ns = ?, p25_ns = ?, flagged_share = ?, "
             "limit_name = ?, limit_ns = ? WHERE id = ?",
             VALUES(val_text(timer_name(t->timer)), val_integer(t->time.blocks),
                    val_integer(t->time.count), val_real(cost.value),
                    val_real(open ? NAN : cost.low), val_real(open ? NAN : cost.high),
                    val_real(cost.level), val_text(stats_interval_kind_name(cost.kind)),
                    val_real(middle(&t->min)), val_real(middle(&t->p25)),
                    val_real(t->flagged / t->epochs), val_text(least.name), val_real(least.time_ns),
                    val_integer(estimate_id(k))));
}

/* Median, least and largest of every metric, whatever the runs' outcome: the error of a wrong
 * output is worth knowing. */
static void derive_summaries(Db *db, const Key *k)
{
    Samples s = { 0 };
    int64_t quantity = 0;
    int more;
    db_write(db, "DELETE FROM summary WHERE estimate = ?", VALUES(val_integer(estimate_id(k))));
    Query *q = query_open(db,
                          "SELECT m.quantity, m.value " RUNS_OF_A_KEY
                          "JOIN metric m ON m.run = r.id " IS_THE_KEY "ORDER BY m.quantity",
                          KEY_VALUES(k));
    do {
        more = query_row(q);
        if (s.count > 0 && (!more || column_integer(q, 0) != quantity)) {
            const double value = middle(&s);
            db_write(db,
                     "INSERT INTO summary (estimate, quantity, blocks, value, low, high) "
                     "VALUES (?, ?, ?, ?, ?, ?)",
                     VALUES(val_integer(estimate_id(k)), val_integer(quantity),
                            val_integer(s.count), val_real(value), val_real(s.value[0]),
                            val_real(s.value[s.count - 1])));
            s.blocks = s.count = 0;
        }
        double *to = more ? samples_block(db, &s, 1) : NULL;
        if (to) *to = column_real(q, 1);
        if (more) quantity = column_integer(q, 0);
    } while (more);
    query_close(q);
    samples_free(&s);
}

/* Other code of the same point steps back, and with it the ratios that it took part in. */
static void mark_newest(Db *db, const Key *k)
{
    db_write(db,
             "UPDATE estimate SET newest = (id = (SELECT id FROM estimate WHERE machine = ?1 "
             "AND point = ?2 ORDER BY measured_at_ms DESC, id LIMIT 1)) WHERE machine = ?1 AND "
             "point = ?2",
             VALUES(val_integer(k->machine), val_integer(k->point)));
    db_write(
        db,
        "UPDATE ratio SET newest = EXISTS (SELECT 1 FROM estimate a, estimate b "
        "WHERE a.machine = ratio.machine AND a.point = point_a AND a.code = code_a AND a.newest "
        "AND b.machine = ratio.machine AND b.point = point_b AND b.code = code_b AND b.newest) "
        "WHERE +machine = ?1 AND (point_a = ?2 OR point_b = ?2)",   /* by point: +, no index */
        VALUES(val_integer(k->machine), val_integer(k->point)));
}

static void derive_estimate(Db *db, const Key *k)
{
    Times t = { .flagged = 0 };
    insert_estimate(db, k);
    collect_times(db, k, &t);
    if (t.time.blocks > 0 && !db_failed(db)) update_estimate(db, k, &t);
    derive_summaries(db, k);
    mark_newest(db, k);
    samples_free(&t.time);
    samples_free(&t.min);
    samples_free(&t.p25);
}

static void derive_estimates(Db *db)
{
    Query *q = query_open(db,
        "SELECT DISTINCT s.machine, r.point, r.code FROM stale t CROSS JOIN block b "
        "ON b.id = t.block CROSS JOIN session s ON s.id = b.session "
        "CROSS JOIN run r ON r.block = b.id", NO_VALUES);
    while (query_row(q)) {
        const Key k = { column_integer(q, 0), column_integer(q, 1), column_integer(q, 2) };
        derive_estimate(db, &k);
    }
    query_close(q);
}

/* ---- ratio: all blocks of a pair ------------------------------------------------------ */

typedef struct { int64_t machine, point_a, code_a, point_b, code_b; } PairKey;

/* Data are looked at after 6, 9, 14, ... blocks, so each look may err with a part of 5 % only.
 * Between looks the number of blocks was somebody else's choice: then all that is left is spent. */
static double level_after(int blocks)
{
    if (blocks < STATS_BLOCKS_MIN) return LEVEL;
    const double look = stats_look_level(blocks, false, 1 - LEVEL);
    return look < 1 ? look : stats_look_level(blocks, true, 1 - LEVEL);
}

static void store_ratio(Db *db, const PairKey *k, const Samples *s, Timer timer, double epsilon)
{
    Comparison c;
    Err err;
    const Nested d = nested(s);
    const Status status = stats_compare(&d, level_after(s->blocks), epsilon, &c, &err);
    if (status) { keep_trouble(db, status, &err); return; }
    Sha256 h;
    sha256_open(&h);
    const int64_t part[] = { k->machine, k->point_a, k->code_a, k->point_b, k->code_b };
    for (int i = 0; i < 5; i++) identity_integer(&h, part[i]);
    const int open = !isfinite(c.ratio.low) || !isfinite(c.ratio.high);
    db_write(
        db,
        "INSERT OR REPLACE INTO ratio (id, machine, point_a, code_a, point_b, code_b, newest, "
        "clock, "
        "blocks, rounds, ratio, low, high, level, interval, p_value, resolution, epsilon, verdict) "
        "VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        VALUES(val_integer(identity_close(&h)), val_integer(k->machine), val_integer(k->point_a),
               val_integer(k->code_a), val_integer(k->point_b), val_integer(k->code_b),
               val_text(timer_name(timer)), val_integer(c.blocks), val_integer(c.rounds),
               val_real(c.ratio.value), val_real(open ? NAN : c.ratio.low),
               val_real(open ? NAN : c.ratio.high), val_real(c.ratio.level),
               val_text(stats_interval_kind_name(c.ratio.kind)), val_real(c.p),
               val_real(isfinite(c.mde_rel) ? c.mde_rel : NAN), val_real(epsilon),
               val_text(stats_decision_name(c.decision))));
}

/* Blocks timed by another clock than the last one are left out rather than mixed in. */
static void derive_ratio(Db *db, const PairKey *k)
{
    Samples s = { 0 };
    Timer timer = TIMER_CPU;
    double epsilon = 0;
    Query *q = query_open(db,
        "SELECT sx.data, sy.data, tx.clock, ty.clock, b.epsilon FROM run x "
        "JOIN run y ON y.block = x.block AND y.point = ? AND y.code = ? "
        "JOIN block b ON b.id = x.block JOIN session s ON s.id = b.session AND s.machine = ? "
        "JOIN timing tx ON tx.run = x.id JOIN timing ty ON ty.run = y.id "
        "JOIN sample sx ON sx.run = x.id JOIN sample sy ON sy.run = y.id "
        "WHERE x.point = ? AND x.code = ? ORDER BY b.started_at_ms, b.id",
        VALUES(val_integer(k->point_b), val_integer(k->code_b), val_integer(k->machine),
               val_integer(k->point_a), val_integer(k->code_a)));
    while (query_row(q)) {
        Timer now;
        const int blocks = s.blocks, count = s.count;
        const int rounds = append_pair(db, q, 0, &s, &now);
        if (rounds && blocks && now != timer) { s.blocks = blocks; s.count = count; continue; }
        if (rounds) timer = now;
        epsilon = column_real(q, 4);
    }
    query_close(q);
    if (s.blocks > 0 && !db_failed(db)) store_ratio(db, k, &s, timer, epsilon);
    samples_free(&s);
}

static void derive_ratios(Db *db)
{
    Query *q = query_open(db,
        "SELECT DISTINCT s.machine, x.point, x.code, y.point, y.code FROM stale t "
        "CROSS JOIN block b ON b.id = t.block CROSS JOIN session s ON s.id = b.session "
        "CROSS JOIN run x ON x.block = b.id CROSS JOIN run y ON y.block = b.id "
        "AND x.point < y.point "
        "JOIN pair_time p ON p.run_a = x.id AND p.run_b = y.id", NO_VALUES);
    while (query_row(q)) {
        const PairKey k = { column_integer(q, 0), column_integer(q, 1), column_integer(q, 2),
                            column_integer(q, 3), column_integer(q, 4) };
        derive_ratio(db, &k);
    }
    query_close(q);
}

/* ---- all that is due ------------------------------------------------------------------ */

Status db_refresh(Db *db, Err *err)
{
    db_begin(db);
    if (db_integer(db, "SELECT EXISTS (SELECT 1 FROM stale)", NO_VALUES, 0)) {
        derive_timings(db);
        derive_pair_times(db);
        derive_ratios(db);
        derive_estimates(db);
        db_write(db, "DELETE FROM stale", NO_VALUES);
    }
    return db_commit(db, err);
}
