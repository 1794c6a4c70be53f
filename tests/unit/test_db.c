/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: what goes in comes out, derived ones agree with stats.h to the last bit. */
#include "db_rows.h"

/* ---- samples ------------------------------------------------------------------------------------
 */

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

/* ---- what goes in comes out ---------------------------------------------------------------------
 */

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
    assert_string_equal(text(db, "SELECT facts->>'$.\"cpu.name\"' FROM v_machine"), "cpu 1");
    assert_string_equal(text(db, "SELECT facts->>'perf_event' FROM v_session"),
                        "unavailable: this kernel has none");
    assert_true(number(db, "SELECT error_rel FROM v_accuracy WHERE variant = 'blas'") == 6e-7);
    assert_true(number(db, "SELECT slow_bytes FROM v_cache WHERE fast_bytes = 32768 AND "
                           "variant = 'unfused'") == 1000001);
    assert_true(
        number(db, "SELECT count(*) FROM v_metric WHERE instrument = 'memory' AND low = high") ==
        2);
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
    fine(stats_compare(&(Nested){ d, start, 6 }, stats_look_level(6, false, 0.05), 0.02, &ratio,
                       &err),
         &err);
    assert_true(fabs(number(db, "SELECT ratio FROM v_speedup WHERE variant = 'blas'")
                     / ratio.ratio.value - 1) < 1e-15);
    assert_string_equal(text(db, "SELECT verdict FROM v_speedup WHERE variant = 'blas'"), "faster");
    assert_string_equal(text(db, "SELECT verdict FROM v_speedup WHERE b_variant = 'blas'"),
                        "slower");
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
    assert_string_equal(text(db, "SELECT interval FROM v_time"), "range");
    assert_true(number(db, "SELECT blocks FROM v_time") == 2);
    db_close(db);
}

static void storing_twice_changes_nothing(void **state)
{
    (void)state;
    static const char *const raw[] = { "block", "run",        "sample", "metric",
                                       "point", "comparison", "arm" };
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

/* ---- failure is data ------------------------------------------------------------------ */

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
    assert_string_equal(text(db, "SELECT reason FROM v_point WHERE outcome = 'timeout'"),
                        "took more than 1 s");
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
    db_begin(db); /* as if those had been measured by an older build */
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

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, fresh, cleaned)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_survive_packing),
        EACH(a_block_comes_back),
        EACH(estimates_are_those_of_stats),
        EACH(derived_rows_are_the_same_again),
        EACH(few_blocks),
        EACH(storing_twice_changes_nothing),
        EACH(failures_are_rows),
        EACH(what_is_known_already),
        EACH(other_code_is_not_averaged_in),
        EACH(one_machine_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
