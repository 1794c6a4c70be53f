/* SPDX-License-Identifier: Apache-2.0 */
/* Every stored statistic follows from the stored samples, bit for bit: computed again here from the
 * bytes of sample.data, read by the layout that results/README.md promises; derived again by the
 * database after all derived rows are gone; and after the raw rows went through text into a new
 * file. */
#include "db_rows.h"

#include "../../kernels/core/random.h"

enum { BLOCKS_MAX = 9 };

/* Times as ragged as real ones; `seed` makes another measurement. */
static void store_noisy(Db *db, int number, uint64_t seed)
{
    Block b;
    Err err;
    make_block(&b, number, 1.03);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < WARMUP + ROUNDS; i++) {
            Epoch *e = &b.epoch[k][i];
            const uint64_t stream = seed + 100 * (uint64_t)number + (uint64_t)k;
            e->cpu_ns = 10000 + 300 * k + random_below(stream, 1, (uint64_t)i, 997);
            e->wall_ns = e->cpu_ns + random_below(stream, 2, (uint64_t)i, 50000);
            e->delay_ns = random_below(stream, 3, (uint64_t)i, 3) ? 0 : 77;
            e->calls = 7;
        }
    fine(db_store_block(db, &context, arm, 2, &b.record, &err), &err);
}

static Db *measured(int blocks)
{
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    for (int i = 0; i < blocks; i++) store_noisy(db, i, 1);
    refresh(db);
    return db;
}

/* ---- by hand -------------------------------------------------------------------------- */

static int64_t little_endian(const uint8_t *at, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes; i-- > 0;) value = value << 8 | at[i];
    return bytes == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

/* CPU time of a call, epochs behind the warm-up only, by the layout of results/README.md. */
static int times_of(const uint8_t *data, double *time_ns)
{
    const int epochs = (int)little_endian(data + 4, 4);
    int n = 0;
    assert_memory_equal(data, "ATS1", 4);
    for (int i = 0; i < epochs; i++) {
        const uint8_t *e = data + 8 + 44 * i;
        const int is_warmup = (int)little_endian(e + 40, 4);
        if (!is_warmup)
            time_ns[n++] = (double)little_endian(e + 8, 8) / (double)little_endian(e + 28, 4);
    }
    return n;
}

typedef struct {
    double time_ns[2][BLOCKS_MAX * ROUNDS], d[BLOCKS_MAX * ROUNDS];
    int    start[BLOCKS_MAX + 1];
} Samples;

/* The blocks of both arms in the order measured; arm 0 is the one with the lower point id. */
static void read_samples(Db *db, int blocks, Samples *out)
{
    Err err;
    for (int k = 0; k < 2; k++) {
        int n = 0;
        Query *q = query_open(db, "SELECT s.data FROM sample s JOIN run r ON r.id = s.run "
                                  "JOIN block b ON b.id = r.block WHERE r.point = (SELECT id FROM "
                                  "point ORDER BY id LIMIT 1 OFFSET ?) ORDER BY b.started_at_ms",
                              VALUES(val_integer(k)));
        for (int b = 0; b < blocks; b++) {
            size_t size;
            assert_true(query_row(q));
            out->start[b] = n;
            n += times_of(column_blob(q, 0, &size), out->time_ns[k] + n);
        }
        out->start[blocks] = n;
        query_close(q);
    }
    fine(db_check(db, &err), &err);
    fine(stats_log_ratios(out->time_ns[0], out->time_ns[1], out->start[blocks], out->d, &err),
         &err);
}

/* Compares the first row of a statement with numbers; NaN means NULL. */
static void row_is(Db *db, const char *sql, int values, const double *wanted)
{
    Err err;
    Query *q = query_open(db, sql, NO_VALUES);
    assert_true(query_row(q));
    for (int i = 0; i < values; i++) {
        const double got = column_real(q, i);
        if (memcmp(&got, &wanted[i], sizeof got) && !(isnan(got) && isnan(wanted[i])))
            fail_msg("column %d of %s is %a, computed from the samples it is %a", i, sql, got,
                     wanted[i]);
    }
    query_close(q);
    fine(db_check(db, &err), &err);
}

#define ROW_IS(db, sql, ...) \
    row_is(db, sql, (int)(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double)), \
           (const double[]){ __VA_ARGS__ })

static double open_end(double x) { return isfinite(x) ? x : NAN; }

static void check_estimates(Db *db, const Samples *s, int blocks)
{
    for (int k = 0; k < 2; k++) {
        double quantile[2][BLOCKS_MAX], scratch[ROUNDS];
        char sql[256];
        Interval cost;
        for (int b = 0; b < blocks; b++) {
            const BlockSummary block =
                stats_block_summary(s->time_ns[k] + s->start[b], NULL, ROUNDS, scratch);
            quantile[0][b] = block.min;
            quantile[1][b] = block.p25;
            snprintf(sql, sizeof sql,
                     "SELECT t.min_ns, t.p25_ns, t.median_ns FROM timing t JOIN run r ON r.id = "
                     "t.run JOIN block b ON b.id = r.block WHERE b.number = %d AND r.point = "
                     "(SELECT id FROM point ORDER BY id LIMIT 1 OFFSET %d)", b, k);
            ROW_IS(db, sql, block.min, block.p25, block.median);
        }
        for (int i = 0; i < 2; i++) stats_sort(quantile[i], blocks);
        const Nested samples = { s->time_ns[k], s->start, blocks };
        assert_int_equal(stats_cost(&samples, 0.5, 0.95, &cost, NULL), OK);
        snprintf(sql, sizeof sql, "SELECT median_ns, low_ns, high_ns, level, min_ns, p25_ns FROM "
                                  "estimate ORDER BY point LIMIT 1 OFFSET %d", k);
        ROW_IS(db, sql, cost.value, cost.low, cost.high, cost.level,
               stats_quantile(quantile[0], blocks, 0.5), stats_quantile(quantile[1], blocks, 0.5));
    }
}

static void check_ratio(Db *db, const Samples *s, int blocks)
{
    Comparison c;
    const double look = stats_look_level(blocks, false, 0.05);
    const double level = blocks < STATS_BLOCKS_MIN ? 0.95
                         : look < 1 ? look : stats_look_level(blocks, true, 0.05);
    assert_int_equal(stats_compare(&(Nested){ s->d, s->start, blocks }, level, 0.02, &c, NULL), OK);
    ROW_IS(db, "SELECT ratio, low, high, level, p_value, resolution FROM ratio", c.ratio.value,
           open_end(c.ratio.low), open_end(c.ratio.high), c.ratio.level, c.p, open_end(c.mde_rel));
    assert_string_equal(text(db, "SELECT verdict FROM ratio"), stats_decision_name(c.decision));
    assert_string_equal(text(db, "SELECT interval FROM ratio"),
                        stats_interval_kind_name(c.ratio.kind));
}

static void check_pairs(Db *db, const Samples *s, int blocks)
{
    for (int b = 0; b < blocks; b++) {
        double d[ROUNDS];
        char sql[200];
        memcpy(d, s->d + s->start[b], sizeof d);
        stats_sort(d, ROUNDS);
        snprintf(sql, sizeof sql, "SELECT p.ratio FROM pair_time p JOIN run r ON r.id = p.run_a "
                                  "JOIN block b ON b.id = r.block WHERE b.number = %d", b);
        ROW_IS(db, sql, stats_exp(stats_quantile(d, ROUNDS, 0.5)));
    }
}

static void stored_statistics_follow_from_the_stored_bytes(void **state)
{
    for (int blocks = 1; blocks <= BLOCKS_MAX; blocks++) {
        Samples s;
        Db *db = measured(blocks);
        read_samples(db, blocks, &s);
        check_estimates(db, &s, blocks);
        check_pairs(db, &s, blocks);
        check_ratio(db, &s, blocks);
        db_close(db);
        assert_int_equal(cleaned(state), 0);
        assert_int_equal(fresh(state), 0);
    }
}

/* ---- by the database ------------------------------------------------------------------- */

static const char *const derived[] = { "timing", "pair_time", "estimate", "summary", "ratio" };
enum { DERIVED = sizeof derived / sizeof *derived };

typedef struct { char digest[DERIVED][SHA256_TEXT]; } Digests;

static Digests digests(Db *db)
{
    Digests all;
    for (int i = 0; i < DERIVED; i++) digest(db, derived[i], all.digest[i]);
    return all;
}

static void same_rows(const Digests *a, const Digests *b)
{
    for (int i = 0; i < DERIVED; i++)
        if (strcmp(a->digest[i], b->digest[i])) fail_msg("%s is not the same again", derived[i]);
}

/* A file whose rows were derived by an older program is derived again when it is opened. */
static void an_older_derivation_is_redone(void **state)
{
    (void)state;
    Err err;
    Db *db = measured(4);
    const Digests before = digests(db);
    db_begin(db);
    db_write(db, "UPDATE ratio SET low = 0.5, interval = 'bootstrap'", NO_VALUES);
    db_write(db, "UPDATE timing SET median_ns = 1", NO_VALUES);
    db_write(db, "UPDATE meta SET value = '1' WHERE key = 'derivation'", NO_VALUES);
    fine(db_commit(db, &err), &err);
    db_close(db);
    db = opened(DB_WRITE);
    const Digests after = digests(db);
    same_rows(&before, &after);
    db_close(db);
}

/* INSERT statements of all rows of a table, as text, into the other file. */
static void copy_as_text(Db *from, Db *to, const char *table)
{
    char columns[1024] = "", sql[1400];
    Query *names = query_open(from, "SELECT group_concat('quote(\"' || name || '\")', ' || '','' "
                                    "|| ') FROM pragma_table_info(?)", VALUES(val_text(table)));
    assert_true(query_row(names));
    snprintf(columns, sizeof columns, "%s", column_text(names, 0));
    query_close(names);
    snprintf(sql, sizeof sql, "SELECT 'INSERT INTO %s VALUES (' || %s || ')' FROM %s", table,
             columns, table);
    Query *q = query_open(from, sql, NO_VALUES);
    while (query_row(q)) db_write(to, column_text(q, 0), NO_VALUES);
    query_close(q);
}

static void samples_travel_as_text(void **state)
{
    (void)state;
    static const char *const raw[] = {
        "machine", "machine_fact", "session", "session_fact", "ceiling", "noise", "build", "code",
        "spec", "point", "comparison", "arm", "block", "run", "sample", "quantity",
        "metric", NULL
    };
    Err err;
    Db *there = measured(7);
    const Digests before = digests(there);
    snprintf(path, sizeof path, "%s/other.db", folder);
    Db *here = opened(DB_WRITE);
    db_begin(here);
    for (int i = 0; raw[i]; i++) copy_as_text(there, here, raw[i]);
    db_write(here, "INSERT INTO stale SELECT id FROM block", NO_VALUES);
    fine(db_commit(here, &err), &err);
    fine(db_check(there, &err), &err);
    refresh(here);
    const Digests after = digests(here);
    same_rows(&before, &after);
    db_close(here);
    db_close(there);
}

/* ---- clocks that lie ------------------------------------------------------------------- */

static void store_with_clock(Db *db, int number, int64_t wall_ns, int64_t cpu_ns)
{
    Block b;
    Err err;
    make_block(&b, number, 1.5);
    b.epoch[0][WARMUP + 3].wall_ns = wall_ns;
    b.epoch[0][WARMUP + 3].cpu_ns = cpu_ns;
    fine(db_store_block(db, &context, arm, 2, &b.record, &err), &err);
}

/* Such blocks are kept, and say nothing about time; all others still do. */
static void clocks_that_stand_still_time_nothing(void **state)
{
    (void)state;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    for (int i = 0; i < 6; i++) store(db, i, 1.5);
    refresh(db);
    const Digests before = digests(db);
    store_with_clock(db, 6, 0, 0);
    store_with_clock(db, 7, -5000, -5000);
    store_with_clock(db, 8, INT64_MIN, INT64_MIN);
    refresh(db);
    assert_true(number(db, "SELECT count(*) FROM run") == 18);
    assert_true(number(db, "SELECT blocks FROM v_time WHERE variant = 'blas'") == 6);
    assert_true(number(db, "SELECT blocks FROM v_speedup") == 6);
    char ratio[SHA256_TEXT];
    digest(db, "ratio", ratio);
    assert_string_equal(ratio, before.digest[DERIVED - 1]);
    /* Where only the CPU clock is too coarse, the wall's time counts. */
    store_with_clock(db, 9, 20000, 0);
    refresh(db);
    assert_string_equal(text(db, "SELECT clock FROM v_time WHERE variant = 'blas'"), "wall");
    assert_true(number(db, "SELECT blocks FROM v_time WHERE variant = 'blas'") == 7);
    db_close(db);
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, fresh, cleaned)
    const struct CMUnitTest tests[] = {
        EACH(stored_statistics_follow_from_the_stored_bytes),
        EACH(an_older_derivation_is_redone),
        EACH(samples_travel_as_text),
        EACH(clocks_that_stand_still_time_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
