/* SPDX-License-Identifier: Apache-2.0 */
/* The database: what goes in comes out, statistics agree with stats.h, nothing is half-written,
 * two writers take turns, old files are brought up to date, and reading cannot write. */
#include "../../harness/db_internal.h"
#include "../../harness/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 12, WARMUP = 4 };

static char folder[64], path[96];

static Db *opened(DbMode mode)
{
    Db *db;
    Err err = { "" };
    if (db_open(&db, path, mode, &err)) fail_msg("%s", err.text);
    return db;
}

static void fine(Status status, const Err *err)
{
    if (status) fail_msg("%s", err->text);
}

static int fresh(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/attest-test-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/deep/er/test.db", folder);
    return 0;
}

static int cleaned(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", folder, folder);
    return system(command) != 0;
}

/* ---- a made-up measurement ------------------------------------------------------------------ */

static Point arm[2];
static BlockContext context = { .instruments = "accuracy,time", .epsilon = 0.02 };

static void make_arms(void)
{
    Err err;
    fine(point_parse(&arm[0], "attention/blas:B=1,H=1,T=64,D=16,causal=0:f32:fwd", &err), &err);
    fine(point_parse(&arm[1], "attention/unfused:B=1,H=1,T=64,D=16,causal=0:f32:fwd", &err), &err);
}

static void add_fact(Facts *f, const char *name, const char *value, const char *reason)
{
    Fact *new = &f->fact[f->count++];
    new->name = name;
    strcpy(new->value, value);
    strcpy(new->reason, reason);
}

static void start_session(Db *db, const char *cpu)
{
    Facts identity = { .count = 0 }, facts = { .count = 0 };
    Err err;
    make_arms();
    add_fact(&identity, "cpu.name", cpu, "");
    add_fact(&identity, "cores", "2", "");
    add_fact(&facts, "load", "0.50", "");
    add_fact(&facts, "perf_event", "", "this kernel has none");
    fine(db_session(db, &identity, "laptop", &facts, "run test.yaml", &context.from, &err), &err);
}

/* Arm 1 takes `ratio` times as long as arm 0; times vary from block to block and round to round. */
static double call_ns(int which, int block, int round, double ratio)
{
    const double base = 1000 + 13 * block + (round * 7 % 5);
    return which ? base * ratio : base;
}

typedef struct {
    BlockRecord record;
    RunRecord   run[2];
    Epoch       epoch[2][WARMUP + ROUNDS];
    Metric      metric[2][5];
} Block;

static void make_block(Block *b, int number, double ratio)
{
    memset(b, 0, sizeof *b);
    b->record = (BlockRecord){ .seed = 0xfedcba9876543210u, .block = number, .run = b->run, .runs = 2,
                               .started_at_ms = 1700000000000 + 1000 * number, .duration_ms = 250 };
    for (int k = 0; k < 2; k++) {
        b->run[k] = (RunRecord){ .point = arm[k], .epoch = b->epoch[k], .epochs = WARMUP + ROUNDS,
                                 .metric = b->metric[k], .metrics = 5 };
        b->metric[k][0] = (Metric){ "accuracy", "error_rel", "", 1e-7 * (number + 1) };
        b->metric[k][1] = (Metric){ "memory", "tensor_bytes", "B", 4096 };
        b->metric[k][2] = (Metric){ "cache", "total_bytes@32768", "B", 1e6 + k };
        b->metric[k][3] = (Metric){ "time", "lap.matmul_ns", "ns", 500 + number };
        b->metric[k][4] = (Metric){ "time", "limit_memory_ns", "ns", 400 };
        for (int i = 0; i < WARMUP + ROUNDS; i++) {
            const double ns = i < WARMUP ? 9999 : call_ns(k, number, i - WARMUP, ratio);
            b->epoch[k][i] = (Epoch){ .wall_ns = (int64_t)(20 * ns), .cpu_ns = (int64_t)(10 * ns + .5),
                                      .delay_ns = i % 3 ? 0 : 50, .switches = 0, .calls = 10,
                                      .round = i, .position = (k + i) % 2, .warmup = i < WARMUP };
        }
    }
}

static void store(Db *db, int number, double ratio)
{
    Block b;
    Err err;
    make_block(&b, number, ratio);
    fine(db_store_block(db, &context, arm, 2, &b.record, &err), &err);
}

static void refresh(Db *db)
{
    Err err;
    fine(db_refresh(db, &err), &err);
}

static double number(Db *db, const char *sql)
{
    Err err;
    Query *q = query_open(db, sql, NO_VALUES);
    const double value = query_row(q) ? column_real(q, 0) : NAN;
    query_close(q);
    fine(db_check(db, &err), &err);
    return value;
}

static const char *text(Db *db, const char *sql)
{
    static char copy[512];
    Err err;
    Query *q = query_open(db, sql, NO_VALUES);
    snprintf(copy, sizeof copy, "%s", query_row(q) && column_text(q, 0) ? column_text(q, 0) : "(none)");
    query_close(q);
    fine(db_check(db, &err), &err);
    return copy;
}

/* A hash of everything in a table, whatever the order of its rows. */
static void digest(Db *db, const char *table, char out[SHA256_TEXT])
{
    char sql[128];
    uint8_t raw[SHA256_BYTES];
    Sha256 h;
    snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1, 2", table);
    Query *q = query_open(db, sql, NO_VALUES);
    sha256_open(&h);
    while (query_row(q)) query_hash_row(q, &h);
    query_close(q);
    sha256_close(&h, raw);
    sha256_text(raw, out);
}

/* ---- samples ------------------------------------------------------------------------------------ */

static void samples_survive_packing(void **state)
{
    (void)state;
    Epoch in[2], *out;
    memset(in, 0, sizeof in);                    /* the gap between members as well */
    in[0].wall_ns = INT64_MAX, in[0].cpu_ns = INT64_MIN, in[0].delay_ns = -1, in[0].switches = -1;
    in[0].calls = 1, in[0].round = 2, in[0].position = 3, in[0].warmup = 1;
    in[1].wall_ns = 1, in[1].cpu_ns = 2, in[1].delay_ns = 3, in[1].switches = 4, in[1].calls = 5;
    size_t size;
    int count;
    Err err;
    uint8_t *data = sample_pack(in, 2, &size);
    assert_int_equal(size, 12 + 2 * 44);
    assert_memory_equal(data, "ATS1\2\0\0\0", 8);
    assert_memory_equal(data + 52, "\1\0\0\0\0\0\0\0", 8);
    fine(sample_unpack(data, size, &out, &count, &err), &err);
    assert_int_equal(count, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(out[i].wall_ns == in[i].wall_ns && out[i].cpu_ns == in[i].cpu_ns);
        assert_true(out[i].delay_ns == in[i].delay_ns && out[i].switches == in[i].switches);
        assert_true(out[i].calls == in[i].calls && out[i].round == in[i].round);
        assert_true(out[i].position == in[i].position && out[i].warmup == in[i].warmup);
    }
    free(out);
    for (size_t i = 0; i < size; i++) {          /* any flipped bit, any length, is noticed */
        data[i] ^= 0x10;
        assert_int_equal(sample_unpack(data, size, &out, &count, &err), BAD_INPUT);
        data[i] ^= 0x10;
        assert_int_equal(sample_unpack(data, i, &out, &count, &err), BAD_INPUT);
    }
    free(data);
    data = sample_pack(NULL, 0, &size);
    fine(sample_unpack(data, size, &out, &count, &err), &err);
    assert_int_equal(count, 0);
    free(out);
    free(data);
}

/* ---- what goes in comes out --------------------------------------------------------------------- */

static void a_block_comes_back(void **state)
{
    (void)state;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    for (int i = 0; i < 6; i++) store(db, i, 1.5);
    refresh(db);
    assert_true(number(db, "SELECT count(*) FROM run") == 12);
    assert_true(number(db, "SELECT count(*) FROM v_outcome WHERE outcome = 'ok'") == 12);
    assert_string_equal(text(db, "SELECT seed FROM v_outcome"), "fedcba9876543210");
    assert_string_equal(text(db, "SELECT p->>'T' FROM v_time"), "64");
    assert_string_equal(text(db, "SELECT p->>'dropout_percent' FROM v_time"), "0");
    assert_true(number(db, "SELECT count(*) FROM param WHERE name = 'T' AND value = 64") == 2);
    assert_string_equal(text(db, "SELECT facts->>'$.\"cpu.name\"' FROM v_machine"), "cpu 1");
    assert_string_equal(text(db, "SELECT facts->>'perf_event' FROM v_session"),
                        "unavailable: this kernel has none");
    assert_true(number(db, "SELECT error_rel FROM v_accuracy WHERE variant = 'blas'") == 6e-7);
    assert_true(number(db, "SELECT slow_bytes FROM v_cache WHERE fast_bytes = 32768 AND "
                           "variant = 'unfused'") == 1000001);
    assert_true(number(db, "SELECT count(*) FROM v_metric WHERE instrument = 'memory' AND low = high") == 2);
    assert_true(number(db, "SELECT max(block) FROM v_block") == 6);
    assert_true(number(db, "SELECT time_ns FROM v_lap WHERE phase = 'matmul'") == 502.5);
    assert_true(number(db, "SELECT high_ns FROM v_lap WHERE phase = 'matmul'") == 505);
    assert_string_equal(text(db, "SELECT limit_name FROM v_time"), "memory");
    assert_true(number(db, "SELECT fraction_of_limit * median_ns FROM v_time") == 400);
    db_close(db);
}

/* The stored estimate is the one that stats.h gives for the same samples, to the last bit. */
static void estimates_are_those_of_stats(void **state)
{
    (void)state;
    double time[6 * ROUNDS], d[6 * ROUNDS];
    int start[7];
    Interval cost;
    Comparison ratio;
    Err err;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    for (int i = 0; i < 6; i++) store(db, i, 1.5);
    refresh(db);
    for (int i = 0, n = 0; i <= 6; i++) {
        start[i] = n;
        for (int r = 0; i < 6 && r < ROUNDS; r++, n++) {
            time[n] = floor(10 * call_ns(0, i, r, 1.5) + .5) / 10;
            d[n] = stats_log(floor(10 * call_ns(1, i, r, 1.5) + .5) / 10) - stats_log(time[n]);
        }
    }
    fine(stats_cost(&(Nested){ time, start, 6 }, 0.5, 0.95, &cost, &err), &err);
    assert_true(number(db, "SELECT median_ns FROM v_time WHERE variant = 'blas'") == cost.value);
    assert_true(number(db, "SELECT low_ns FROM v_time WHERE variant = 'blas'") == cost.low);
    assert_true(number(db, "SELECT high_ns FROM v_time WHERE variant = 'blas'") == cost.high);
    assert_true(number(db, "SELECT epochs FROM v_time WHERE variant = 'blas'") == 6 * ROUNDS);
    assert_string_equal(text(db, "SELECT interval || clock FROM v_time"), "ordercpu");
    fine(stats_compare(&(Nested){ d, start, 6 }, stats_look_level(6, false, 0.05), 0.02, &ratio, &err), &err);
    assert_true(fabs(number(db, "SELECT ratio FROM v_speedup WHERE variant = 'blas'")
                     / ratio.ratio.value - 1) < 1e-15);
    assert_string_equal(text(db, "SELECT verdict FROM v_speedup WHERE variant = 'blas'"), "faster");
    assert_string_equal(text(db, "SELECT verdict FROM v_speedup WHERE b_variant = 'blas'"), "slower");
    assert_true(number(db, "SELECT a.ratio * b.ratio FROM v_speedup a JOIN v_speedup b "
                           "ON a.a = b.b AND a.b = b.a") - 1 < 1e-15);
    db_close(db);
}

static void derived_rows_are_the_same_again(void **state)
{
    (void)state;
    static const char *const derived[] = { "timing", "pair_time", "estimate", "summary", "ratio" };
    char before[5][SHA256_TEXT], after[SHA256_TEXT];
    Err err;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    for (int i = 0; i < 9; i++) {
        store(db, i, 1.01);
        if (i % 2) refresh(db);              /* now and then, or in one go: the same rows */
    }
    refresh(db);
    for (int i = 0; i < 5; i++) digest(db, derived[i], before[i]);
    db_begin(db);
    for (int i = 5; i-- > 0;) {
        char sql[64];
        snprintf(sql, sizeof sql, "DELETE FROM %s", derived[i]);
        db_write(db, sql, NO_VALUES);
    }
    db_write(db, "INSERT INTO stale SELECT id FROM block", NO_VALUES);
    fine(db_commit(db, &err), &err);
    refresh(db);
    for (int i = 0; i < 5; i++) {
        digest(db, derived[i], after);
        assert_string_equal(before[i], after);
    }
    assert_true(number(db, "SELECT count(*) FROM stale") == 0);
    db_close(db);
}

static void few_blocks(void **state)
{
    (void)state;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    store(db, 0, 1.5);
    refresh(db);
    assert_string_equal(text(db, "SELECT interval FROM v_time"), "one-block");
    assert_string_equal(text(db, "SELECT verdict FROM v_speedup"), "inconclusive");
    store(db, 1, 1.5);
    refresh(db);
    assert_string_equal(text(db, "SELECT interval FROM v_time"), "bootstrap");
    assert_true(number(db, "SELECT blocks FROM v_time") == 2);
    db_close(db);
}

static void storing_twice_changes_nothing(void **state)
{
    (void)state;
    static const char *const raw[] = { "block", "run", "sample", "metric", "point", "comparison", "arm" };
    char before[7][SHA256_TEXT], after[SHA256_TEXT];
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    store(db, 0, 1.5);
    for (int i = 0; i < 7; i++) digest(db, raw[i], before[i]);
    store(db, 0, 1.5);
    for (int i = 0; i < 7; i++) {
        digest(db, raw[i], after);
        assert_string_equal(before[i], after);
    }
    db_close(db);
}

/* ---- failure is data ------------------------------------------------------------------------------ */

static void failures_are_rows(void **state)
{
    (void)state;
    Block b;
    Known known;
    Err err;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    context.wall_limit_ms = 1000;
    make_block(&b, 0, 1);
    b.run[1].outcome = OUTCOME_TIMEOUT;
    strcpy(b.run[1].reason, "took more than 1 s");
    b.run[1].epochs = b.run[1].metrics = 0;
    fine(db_store_block(db, &context, arm, 2, &b.record, &err), &err);
    refresh(db);
    assert_string_equal(text(db, "SELECT reason FROM v_point WHERE outcome = 'timeout'"), "took more than 1 s");
    assert_true(number(db, "SELECT failures FROM v_point WHERE variant = 'unfused'") == 1);
    assert_true(number(db, "SELECT count(*) FROM v_time") == 1);
    assert_true(number(db, "SELECT count(*) FROM v_speedup") == 0);
    fine(db_known(db, &context, 0, arm, 2, &known, &err), &err);
    assert_int_equal(known.failed[1], 1);
    assert_int_equal(known.failed[0], 0);
    assert_int_equal(known.blocks, 1);
    context.wall_limit_ms = 2000;                 /* with more time it is worth another try */
    fine(db_known(db, &context, 0, arm, 2, &known, &err), &err);
    assert_int_equal(known.failed[1], 0);
    assert_int_equal(known.blocks, 0);
    context.wall_limit_ms = 0;
    db_close(db);
}

static void what_is_known_already(void **state)
{
    (void)state;
    Known known;
    Err err;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    fine(db_known(db, &context, 0, arm, 2, &known, &err), &err);
    assert_int_equal(known.blocks, 0);
    for (int i = 0; i < 6; i++) store(db, i, 1.5);
    refresh(db);
    fine(db_known(db, &context, 0, arm, 2, &known, &err), &err);
    assert_int_equal(known.blocks, 6);
    assert_int_equal(known.timed_pairs, 1);
    assert_int_equal(known.decided_pairs, 1);
    assert_true(known.seconds == 0.25);
    BlockContext other = context;
    other.instruments = "time";                   /* less than was measured */
    fine(db_known(db, &other, 0, arm, 2, &known, &err), &err);
    assert_int_equal(known.blocks, 6);
    other.instruments = "accuracy,count,time";    /* more */
    fine(db_known(db, &other, 0, arm, 2, &known, &err), &err);
    assert_int_equal(known.blocks, 0);
    fine(db_known(db, &context, 0, arm, 1, &known, &err), &err);      /* another comparison */
    assert_int_equal(known.blocks, 0);
    fine(db_known(db, &context, context.from.session, arm, 2, &known, &err), &err);
    assert_int_equal(known.blocks, 6);
    fine(db_known(db, &context, 1, arm, 2, &known, &err), &err);    /* no such session */
    assert_int_equal(known.blocks, 0);
    start_session(db, "cpu 2");                   /* another machine */
    fine(db_known(db, &context, 0, arm, 2, &known, &err), &err);
    assert_int_equal(known.blocks, 0);
    db_close(db);
}

/* Other object code: another estimate, and the old one steps back. */
static void other_code_is_not_averaged_in(void **state)
{
    (void)state;
    Err err;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    for (int i = 0; i < 6; i++) store(db, i, 1.5);
    refresh(db);
    db_begin(db);                                 /* as if those had been measured by an older build */
    db_write(db, "INSERT INTO code (id, symbol, sha256) VALUES (1, 'older', 'x')", NO_VALUES);
    db_write(db, "UPDATE run SET code = 1 WHERE position = 1", NO_VALUES);
    db_write(db, "DELETE FROM summary", NO_VALUES);
    db_write(db, "DELETE FROM estimate", NO_VALUES);
    db_write(db, "DELETE FROM ratio", NO_VALUES);
    db_write(db, "INSERT INTO stale SELECT id FROM block", NO_VALUES);
    fine(db_commit(db, &err), &err);
    refresh(db);
    assert_true(number(db, "SELECT count(*) FROM v_speedup") == 2);
    for (int i = 6; i < 9; i++) store(db, i, 3);
    refresh(db);
    assert_true(number(db, "SELECT count(*) FROM v_time_all") == 3);
    assert_true(number(db, "SELECT count(*) FROM v_time") == 2);
    assert_true(number(db, "SELECT blocks FROM v_time WHERE variant = 'unfused'") == 3);
    assert_true(number(db, "SELECT blocks FROM v_time WHERE variant = 'blas'") == 9);
    assert_true(number(db, "SELECT count(*) FROM v_speedup_all") == 4);
    assert_true(number(db, "SELECT round(ratio, 3) FROM v_speedup WHERE variant = 'blas'") == 3);
    assert_true(number(db, "SELECT count(*) FROM v_speedup_block") == 6);
    db_close(db);
}

static void one_machine_at_a_time(void **state)
{
    (void)state;
    Err err;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    store(db, 0, 1.5);
    const int64_t first = context.from.machine;
    start_session(db, "cpu 2");
    store(db, 0, 2.5);
    refresh(db);
    assert_true(first != context.from.machine);
    assert_true(number(db, "SELECT count(*) FROM v_time") == 4);
    db_close(db);
    db = opened(DB_READ);
    fine(db_only_machine(db, first, &err), &err);
    assert_true(number(db, "SELECT count(*) FROM v_time") == 2);
    assert_true(number(db, "SELECT count(*) FROM v_outcome") == 2);
    assert_true(number(db, "SELECT round(ratio, 2) FROM v_speedup WHERE variant = 'blas'") == 1.5);
    db_close(db);
}

/* ---- nothing is half-written ------------------------------------------------------------------------- */

static void a_failed_transaction_leaves_nothing(void **state)
{
    (void)state;
    Err err = { "" };
    Db *db = opened(DB_WRITE);
    db_begin(db);
    db_write(db, "INSERT INTO machine (id, alias) VALUES (1, 'a')", NO_VALUES);
    db_write(db, "INSERT INTO session (id, machine, started_at_ms, command) VALUES (1, 2, 3, '')", NO_VALUES);
    db_write(db, "INSERT INTO machine (id, alias) VALUES (2, 'b')", NO_VALUES);
    assert_int_equal(db_commit(db, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "FOREIGN KEY"));
    assert_non_null(strstr(err.text, path));
    assert_true(number(db, "SELECT count(*) FROM machine") == 0);
    db_begin(db);
    db_write(db, "INSERT INTO machine (id, alias) VALUES (1, 'a')", NO_VALUES);
    db_fail(db, NO_MEMORY, &(Err){ "for a reason of the caller's" });
    assert_int_equal(db_commit(db, &err), NO_MEMORY);
    assert_string_equal(err.text, "for a reason of the caller's");
    assert_true(number(db, "SELECT count(*) FROM machine") == 0);
    db_begin(db);
    db_write(db, "INSERT INTO machine (id, alias) VALUES (1, 'a')", NO_VALUES);
    db_rollback(db);
    assert_true(number(db, "SELECT count(*) FROM machine") == 0);
    db_close(db);
}

/* A child is killed while it stores blocks as fast as it can; every block is there wholly or not. */
static void killed_at_any_moment(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        const pid_t child = fork();
        if (child == 0) {
            Db *db;
            if (db_open(&db, path, DB_WRITE, NULL)) _exit(1);
            start_session(db, "cpu 1");
            for (int number_of = 0;; number_of++) {
                store(db, number_of, 1.5);
                if (number_of % 3 == 2) refresh(db);
            }
        }
        assert_true(child > 0);
        nanosleep(&(struct timespec){ .tv_nsec = 15000000 + 7000000 * i }, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    Db *db = opened(DB_WRITE);
    assert_true(number(db, "SELECT count(*) FROM block") > 0);
    assert_true(number(db, "SELECT count(*) FROM block WHERE 2 <> "
                           "(SELECT count(*) FROM run WHERE block = block.id)") == 0);
    assert_true(number(db, "SELECT count(*) FROM run WHERE id NOT IN (SELECT run FROM sample)") == 0);
    assert_true(number(db, "SELECT count(*) FROM run WHERE 5 <> "
                           "(SELECT count(*) FROM metric WHERE run = run.id)") == 0);
    assert_true(number(db, "SELECT count(*) FROM stale") == 0);     /* opening derived the rest */
    assert_true(number(db, "SELECT sum(runs) FROM estimate") == number(db, "SELECT count(*) FROM run"));
    assert_string_equal(text(db, "PRAGMA integrity_check"), "ok");
    db_close(db);
}

/* Four processes make the same file at the same time and fill it. */
static void several_writers(void **state)
{
    (void)state;
    enum { WRITERS = 4, BLOCKS = 15 };
    for (int w = 0; w < WRITERS; w++) {
        if (fork() > 0) continue;
        Db *db;
        if (db_open(&db, path, DB_WRITE, NULL)) _exit(1);
        start_session(db, "cpu 1");
        Err err;
        for (int i = 0; i < BLOCKS; i++) {
            Block b;
            make_block(&b, i, 1.5);
            if (db_store_block(db, &context, arm, 2, &b.record, &err)) _exit(2);
            if (i % 4 == 3 && db_refresh(db, &err)) _exit(3);
        }
        db_close(db);
        _exit(0);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    Db *db = opened(DB_WRITE);
    assert_true(number(db, "SELECT count(*) FROM run") == 2 * WRITERS * BLOCKS);
    assert_true(number(db, "SELECT sum(runs) FROM estimate") == 2 * WRITERS * BLOCKS);
    assert_true(number(db, "SELECT count(*) FROM session") == WRITERS);
    db_close(db);
}

/* ---- reading cannot write -------------------------------------------------------------------------------- */

static void reading_cannot_write(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "DELETE FROM run", "INSERT INTO machine VALUES (1, 'x')", "UPDATE machine SET alias = 'x'",
        "DROP VIEW v_time", "UPDATE sqlite_master SET sql = 0", "CREATE TABLE t (x)", "CREATE TEMP TABLE t (x)", "ATTACH '/tmp/other.db' AS o",
        "VACUUM INTO '/tmp/other.db'", "VACUUM", "PRAGMA user_version = 7", "PRAGMA journal_mode = DELETE",
        "PRAGMA query_only = 0", "BEGIN", "REINDEX", "ANALYZE", "SELECT load_extension('x')",
        "SELECT 1; DELETE FROM run", "",
    };
    Err err;
    char before[SHA256_TEXT], after[SHA256_TEXT];
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    store(db, 0, 1.5);
    digest(db, "run", before);
    db_close(db);
    db = opened(DB_READ);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        db_write(db, refused[i], NO_VALUES);
        if (!db_check(db, &err)) fail_msg("was allowed: %s", refused[i]);
    }
    assert_true(number(db, "SELECT count(*) FROM run") == 2);
    assert_true(number(db, "SELECT count(*) FROM pragma_table_info('v_time')") > 20);
    digest(db, "run", after);
    assert_string_equal(before, after);
    db_close(db);
}

static void files_that_are_not_ours(void **state)
{
    (void)state;
    Db *db = opened(DB_WRITE);
    Err err;
    db_script(db, "PRAGMA user_version = 999");
    db_close(db);
    assert_int_equal(db_open(&db, path, DB_WRITE, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "version 999"));
    assert_null(db);
    assert_int_equal(db_open(&db, path, DB_READ, &err), BAD_INPUT);
    snprintf(path, sizeof path, "%s/missing.db", folder);
    assert_int_equal(db_open(&db, path, DB_READ, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "attest run"));
    snprintf(path, sizeof path, "%s/text.db", folder);
    FILE *file = fopen(path, "w");
    fprintf(file, "%2000s", "this is no database");
    fclose(file);
    assert_int_equal(db_open(&db, path, DB_WRITE, &err), BAD_INPUT);
    assert_int_equal(db_open(&db, path, DB_READ, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "not an SQLite database"));
    snprintf(path, sizeof path, "%s/other.db", folder);
    char command[256];
    snprintf(command, sizeof command, "sqlite3 %s 'CREATE TABLE run (x)'", path);
    if (system(command) == 0) {
        assert_int_equal(db_open(&db, path, DB_WRITE, &err), BAD_INPUT);
        assert_non_null(strstr(err.text, "not a database of attest's"));
    }
}

/* ---- versions ------------------------------------------------------------------------------------------------ */

static void views_of_another_build_are_replaced(void **state)
{
    (void)state;
    Err err;
    Db *db = opened(DB_WRITE);
    db_script(db, "DROP VIEW v_time; DROP VIEW v_block; CREATE VIEW v_time AS SELECT 1 AS old;"
                  "CREATE VIEW v_gone AS SELECT 2; CREATE VIEW mine AS SELECT 3;"
                  "UPDATE meta SET value = 'another' WHERE key = 'views'");
    fine(db_check(db, &err), &err);
    db_close(db);
    db = opened(DB_READ);
    assert_true(number(db, "SELECT count(*) FROM pragma_table_info('v_time')") > 20);
    assert_true(number(db, "SELECT count(*) FROM sqlite_schema WHERE name IN ('v_gone', 'mine')") == 1);
    assert_true(number(db, "SELECT * FROM mine") == 3);
    db_close(db);
}

static void migrations_run_in_order_or_not_at_all(void **state)
{
    (void)state;
    Err err;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    store(db, 0, 1.5);
    refresh(db);
    const Migration steps[] = {
        { SCHEMA_VERSION, "CREATE TABLE never (x)" },        /* the file has this version already */
        { SCHEMA_VERSION + 1, "ALTER TABLE machine ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'" },
        { SCHEMA_VERSION + 2, "UPDATE machine SET colour = 'blue'" },
        { 0 },
    };
    fine(schema_migrate(db, steps, &err), &err);
    assert_true(number(db, "PRAGMA user_version") == SCHEMA_VERSION + 2);
    assert_string_equal(text(db, "SELECT colour FROM machine"), "blue");
    assert_true(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'never'") == 0);
    const Migration wrong[] = {
        { SCHEMA_VERSION + 3, "UPDATE machine SET colour = 'red'" },
        { SCHEMA_VERSION + 4, "UPDATE no_such_table SET x = 1" },
        { 0 },
    };
    assert_int_equal(schema_migrate(db, wrong, &err), BAD_INPUT);
    assert_true(number(db, "PRAGMA user_version") == SCHEMA_VERSION + 2);
    assert_string_equal(text(db, "SELECT colour FROM machine"), "blue");
    const Migration orphans[] = { { SCHEMA_VERSION + 3, "DELETE FROM block" }, { 0 } };
    assert_int_equal(schema_migrate(db, orphans, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "break references"));
    assert_true(number(db, "SELECT count(*) FROM block") == 1);
    assert_true(number(db, "PRAGMA foreign_keys") == 1);
    db_close(db);
}

/* ---- folders that cannot be written ------------------------------------------------------------------------------ */

/* Nothing is read-only to root, who therefore asks as nobody. */
static void a_file_in_a_read_only_folder(void **state)
{
    (void)state;
    enum { NOBODY = 65534 };
    const int root = geteuid() == 0;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    store(db, 0, 1.5);
    refresh(db);
    db_close(db);
    char *slash = strrchr(path, '/');
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    *slash = 0;
    assert_int_equal(chmod(path, 0555), 0);
    *slash = '/';
    if (root) assert_int_equal(seteuid(NOBODY), 0);
    db = opened(DB_READ);
    assert_true(number(db, "SELECT count(*) FROM v_time") == 2);
    db_close(db);
    if (root) assert_int_equal(seteuid(0), 0);
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, fresh, cleaned)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_survive_packing),
        EACH(a_block_comes_back), EACH(estimates_are_those_of_stats), EACH(derived_rows_are_the_same_again),
        EACH(few_blocks), EACH(storing_twice_changes_nothing), EACH(failures_are_rows),
        EACH(what_is_known_already), EACH(other_code_is_not_averaged_in), EACH(one_machine_at_a_time),
        EACH(a_failed_transaction_leaves_nothing), EACH(killed_at_any_moment), EACH(several_writers),
        EACH(reading_cannot_write), EACH(files_that_are_not_ours), EACH(views_of_another_build_are_replaced),
        EACH(migrations_run_in_order_or_not_at_all), EACH(a_file_in_a_read_only_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
