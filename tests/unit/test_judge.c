/* SPDX-License-Identifier: Apache-2.0 */
/* The judge: bands, evidence from rows, confirmation by both halves, and claims that no row
 * decides. A paper of our own, in a folder of our own, is judged on blocks that we made. */
#include "../../harness/db_half.h"
#include "../../harness/told.h"
#include "../../harness/verdicts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 8, BLOCKS = 60 };

/* ---- bands ---------------------------------------------------------------------------------- */

static Expect band(ExpectKind kind, double low, double high)
{
    return (Expect){ .kind = kind, .low = low, .high = high, .asked_low = low, .asked_high = high };
}

static const Expect none = { .kind = EXPECT_NONE, .low = -INFINITY, .high = INFINITY };

static void bands_without_direction(void **state)
{
    (void)state;
    const Expect two = band(EXPECT_AT_LEAST, 2, INFINITY);
    assert_int_equal(judge_interval(&two, &none, 2, 3),
                     REPRODUCED); /* the edge belongs to the band */
    assert_int_equal(judge_interval(&two, &none, 1.9, 3), INCONCLUSIVE);
    assert_int_equal(judge_interval(&two, &none, 1, 1.9), CONTRADICTED);
    const Expect between = band(EXPECT_BETWEEN, 1, 2);
    assert_int_equal(judge_interval(&between, &none, 1.2, 1.8), REPRODUCED);
    assert_int_equal(judge_interval(&between, &none, 0.5, 2.5), INCONCLUSIVE);
    assert_int_equal(judge_interval(&between, &none, 2.1, 2.5), CONTRADICTED);
    assert_int_equal(judge_interval(&between, &none, 0.1, 0.5), CONTRADICTED);
}

static void bands_with_direction(void **state)
{
    (void)state;
    const Expect three = band(EXPECT_AT_LEAST, 3, INFINITY),
                 one = band(EXPECT_AT_LEAST, 1, INFINITY);
    assert_int_equal(judge_interval(&three, &one, 3.1, 3.4), REPRODUCED);
    assert_int_equal(judge_interval(&three, &one, 1.5, 2.9), PARTLY);
    assert_int_equal(judge_interval(&three, &one, 2.5, 3.2),
                     INCONCLUSIVE); /* reproduced or partly: not known */
    assert_int_equal(judge_interval(&three, &one, 0.9, 1.1),
                     INCONCLUSIVE); /* partly or contradicted */
    assert_int_equal(judge_interval(&three, &one, 0.5, 0.9), CONTRADICTED);
    assert_int_equal(judge_interval(&three, &one, 0.5, 4), INCONCLUSIVE);
}

/* However the interval lies, widening it never makes a verdict more certain. */
static void wider_is_never_surer(void **state)
{
    (void)state;
    const Expect expect = band(EXPECT_BETWEEN, 2, 3),
                 direction = band(EXPECT_AT_LEAST, 1, INFINITY);
    for (double low = 0; low <= 4; low += 0.125)
        for (double high = low; high <= 4; high += 0.125) {
            const Verdict verdict = judge_interval(&expect, &direction, low, high);
            const Verdict wider = judge_interval(&expect, &direction, low - 0.125, high + 0.125);
            assert_true(wider == verdict || wider == INCONCLUSIVE);
        }
}

/* ---- a paper and its blocks ----------------------------------------------------------------- */

static char folder[64], before[1024];
static Point arm[2];

static const char claims[] =
    "- {id: C-1, where: here, says: faster, kind: time, protocol: blocks, experiment: demo/pair, "
    "baseline: attention/unfused,\n"
    "   evidence: \"SELECT ratio AS value, low, high FROM v_speedup WHERE method = 'attention' AND "
    "variant = 'blas' AND b_variant = 'unfused'\",\n"
    "   paper: {value: 2, unit: x, setting: there}, expect: {at_least: 1.5}, direction: {at_least: "
    "1}}\n"
    "- {id: C-2, where: here, says: exact, kind: count, experiment: demo/pair, expect: {equals: "
    "4096, tolerance: 1%},\n"
    "   evidence: \"SELECT max(tensor_bytes) AS value FROM v_memory WHERE method = 'attention'\"}\n"
    "- {id: C-3, where: here, says: not here, kind: time, not_testable: \"no such machine\"}\n"
    "- {id: C-4, where: here, says: too vague, kind: time, under_specified: \"no shape is "
    "given\"}\n"
    "- {id: C-5, where: here, says: later, kind: count, experiment: demo/none, expect: {at_least: "
    "1},\n"
    "   evidence: \"SELECT count(*) AS value FROM v_time WHERE method = 'mamba' HAVING count(*) > "
    "0\"}\n"
    "- {id: C-6, where: Table 1, says: by its own table, kind: time, expect: {at_least: 2},\n"
    "   evidence: \"SELECT y AS value, y - 0.05 AS low, y + 0.05 AS high FROM v_paper WHERE "
    "table_name = 't1'\"}\n"
    "- {id: C-7, where: here, says: broken, kind: count, experiment: demo/pair, expect: {at_least: "
    "1}, evidence: \"SELECT nonsense\"}\n"
    "- {id: C-8, where: here, says: sly, kind: count, experiment: demo/pair, expect: {at_least: "
    "1}, evidence: \"DELETE FROM run\"}\n"
    "- {id: C-9, where: here, says: nothing asks, kind: count, expect: {at_least: 1}}\n";

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static int fresh(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/attest-judge-XXXXXX");
    if (!getcwd(before, sizeof before) || !mkdtemp(folder) || chdir(folder) ||
        mkdir("papers", 0777) || mkdir("papers/demo", 0777))
        return 1;
    put("papers/demo/paper.yaml", "id: demo\ntitle: \"A demonstration\"\nseries: [{paper: Theirs, "
                                  "ours: attention/blas}]\n");
    put("papers/demo/claims.yaml", claims);
    put("papers/demo/published.csv", "table,pass,series,x,y,unit,setting\nt1,fwd,Theirs,1,1.2,ms,"
                                     "A100\nt2,fwd,Theirs,1,,ms,A100\n");
    return 0;
}

static int cleaned(void **state)
{
    (void)state;
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir(before) || system(command);
}

static void fine(Status status, const Err *err)
{
    if (status)
        fail_msg("%s", err->text);
}

static BlockContext start(Db *db)
{
    BlockContext context = { .instruments = "memory,time", .epsilon = 0.02 };
    Facts identity = { .count = 0 }, state = { .count = 0 };
    Err err;
    machine_identity(&identity);
    fine(db_session(db, &identity, "here", &state, "run demo", &context.from, &err), &err);
    fine(db_spec(db, "demo/pair", "a pair", "demo", "experiment: demo/pair\n", &context.spec, &err),
         &err);
    fine(point_parse(&arm[0], "attention/blas:B=1,H=1,T=64,D=16:f32:fwd", &err), &err);
    fine(point_parse(&arm[1], "attention/unfused:B=1,H=1,T=64,D=16:f32:fwd", &err), &err);
    return context;
}

/* One block in which arm 1 takes `ratio` times as long as arm 0. */
static void store(Db *db, const BlockContext *context, int number, double ratio)
{
    Epoch epoch[2][ROUNDS];
    Metric metric[2];
    RunRecord run[2];
    Err err;
    memset(run, 0, sizeof run);
    for (int k = 0; k < 2; k++) {
        metric[k] = (Metric){ "memory", "tensor_bytes", "B", 4096 };
        run[k] = (RunRecord){
            .point = arm[k], .epoch = epoch[k], .epochs = ROUNDS, .metric = &metric[k], .metrics = 1
        };
        for (int i = 0; i < ROUNDS; i++) {
            const int64_t ns = (int64_t)((10000 + 17 * number + i % 3) * (k ? ratio : 1));
            epoch[k][i] = (Epoch){ .wall_ns = ns,
                                   .cpu_ns = ns,
                                   .switches = 0,
                                   .calls = 1,
                                   .round = i,
                                   .position = (k + i) % 2 };
        }
    }
    const BlockRecord block = { .seed = (uint64_t)number + 1,
                                .block = number,
                                .run = run,
                                .runs = 2,
                                .started_at_ms = 1700000000000 + 60000 * number,
                                .duration_ms = 9 };
    fine(db_store_block(db, context, arm, 2, &block, &err), &err);
}

/* `late` of the BLOCKS blocks, the last ones, have another ratio. */
static void measure(double ratio, int late, double later_ratio)
{
    Db *db;
    Err err;
    fine(db_open(&db, "a.db", DB_WRITE, &err), &err);
    const BlockContext context = start(db);
    for (int i = 0; i < BLOCKS; i++)
        store(db, &context, i, i < BLOCKS - late ? ratio : later_ratio);
    fine(db_refresh(db, &err), &err);
    db_close(db);
}

static Judgements judged(Paper *paper)
{
    Judgements judgements;
    Err err;
    fine(paper_open(paper, "demo", &err), &err);
    fine(verdicts_give(&judgements, paper, "a.db", NULL, &err), &err);
    return judgements;
}

static void done(Paper *paper, Judgements *judgements)
{
    judgements_free(judgements);
    paper_close(paper);
}

/* ---- verdicts from rows --------------------------------------------------------------------- */

static void times_are_confirmed(void **state)
{
    (void)state;
    Paper paper;
    measure(2, 0, 0);
    Judgements j = judged(&paper);
    assert_int_equal(j.item[0].verdict, REPRODUCED);
    assert_true(fabs(j.item[0].value - 2) < 0.01 && j.item[0].low <= j.item[0].value &&
                j.item[0].value <= j.item[0].high);
    assert_int_equal(j.item[0].points, 2);
    assert_non_null(strstr(j.item[0].reason, "confirmed by both halves"));
    assert_non_null(strstr(j.item[0].reason, "against attention/unfused"));
    assert_non_null(strstr(j.item[0].reason, "60 processes a point"));
    assert_int_equal(strlen(j.item[0].rows_hash), 64);
    done(&paper, &j);
}

/* 16 late blocks leave the interval of all 60 at 2, but are the majority of the later 30. */
static void a_late_change_is_seen(void **state)
{
    (void)state;
    Paper paper;
    measure(2, 16, 1.2);
    Judgements j = judged(&paper);
    assert_true(j.item[0].low > 1.5);
    assert_int_equal(j.item[0].verdict, INCONCLUSIVE);
    assert_non_null(strstr(j.item[0].reason, "not confirmed"));
    assert_non_null(strstr(j.item[0].reason, "later half"));
    done(&paper, &j);
}

static void weaker_and_wrong(void **state)
{
    (void)state;
    Paper paper;
    measure(1.2, 0, 0);
    Judgements j = judged(&paper);
    assert_int_equal(j.item[0].verdict, PARTLY);
    done(&paper, &j);
    unlink("a.db");
    measure(0.8, 0, 0);
    j = judged(&paper);
    assert_int_equal(j.item[0].verdict, CONTRADICTED);
    done(&paper, &j);
}

static void what_no_row_decides(void **state)
{
    (void)state;
    Paper paper;
    measure(2, 0, 0);
    Judgements j = judged(&paper);
    assert_int_equal(j.count, 9);
    assert_int_equal(j.item[1].verdict, REPRODUCED);
    assert_true(j.item[1].low == 4096 &&
                j.item[1].high == 4096); /* exact: the value is its interval */
    assert_int_equal(j.item[2].verdict, NOT_TESTABLE);
    assert_string_equal(j.item[2].reason, "no such machine");
    assert_int_equal(j.item[3].verdict, UNDER_SPECIFIED);
    assert_int_equal(j.item[4].verdict, NOT_YET_MEASURED);
    assert_non_null(strstr(j.item[4].reason, "attest run experiments/demo/none.yaml"));
    assert_int_equal(j.item[5].verdict, CONTRADICTED);
    assert_non_null(strstr(j.item[5].reason, "by the paper's own numbers"));
    assert_int_equal(j.item[8].verdict, NOT_YET_MEASURED);
    done(&paper, &j);
}

/* A wrong query is told and stops nothing; one that would write is refused. */
static void queries_that_cannot_run(void **state)
{
    (void)state;
    Paper paper;
    measure(2, 0, 0);
    Judgements j = judged(&paper);
    assert_int_equal(j.broken, 2);
    assert_true(j.item[6].broken && strstr(j.item[6].reason, "nonsense"));
    assert_true(j.item[7].broken && strstr(j.item[7].reason, "only reading"));
    assert_int_equal(j.item[0].verdict, REPRODUCED);
    done(&paper, &j);
}

/* Verdicts are kept, and kept once: the same rows judged again change nothing. */
static void verdicts_are_stored_once(void **state)
{
    (void)state;
    Paper paper;
    Db *db;
    Err err;
    measure(2, 0, 0);
    Judgements j = judged(&paper);
    char hash[65];
    strcpy(hash, j.item[0].rows_hash);
    done(&paper, &j);
    j = judged(&paper);
    assert_string_equal(hash, j.item[0].rows_hash);
    done(&paper, &j);
    fine(db_open(&db, "a.db", DB_READ, &err), &err);
    assert_int_equal(
        db_integer(db, "SELECT count(*) FROM v_claim WHERE paper = 'demo'", NO_VALUES, -1), 9);
    assert_int_equal(db_integer(db, "SELECT count(*) FROM v_verdict", NO_VALUES, -1), 9);
    assert_int_equal(
        db_integer(db, "SELECT count(*) FROM v_claim WHERE verdict = 'reproduced'", NO_VALUES, -1),
        2);
    assert_int_equal(db_integer(db, "SELECT count(*) FROM v_paper WHERE y IS NULL", NO_VALUES, -1),
                     1);
    db_close(db);
}

/* A few blocks more, and the hash of the rows is another. */
static void more_rows_another_hash(void **state)
{
    (void)state;
    Paper paper;
    Db *db;
    Err err;
    char hash[65];
    measure(2, 0, 0);
    Judgements j = judged(&paper);
    strcpy(hash, j.item[0].rows_hash);
    done(&paper, &j);
    fine(db_open(&db, "a.db", DB_WRITE, &err), &err);
    const BlockContext context = start(db);
    store(db, &context, BLOCKS, 2);
    fine(db_refresh(db, &err), &err);
    db_close(db);
    j = judged(&paper);
    assert_string_not_equal(hash, j.item[0].rows_hash);
    done(&paper, &j);
}

static void one_block_confirms_nothing(void **state)
{
    (void)state;
    Paper paper;
    Db *db;
    Err err;
    fine(db_open(&db, "a.db", DB_WRITE, &err), &err);
    const BlockContext context = start(db);
    store(db, &context, 0, 2);
    fine(db_refresh(db, &err), &err);
    db_close(db);
    Judgements j = judged(&paper);
    assert_int_equal(j.item[0].verdict, INCONCLUSIVE);
    done(&paper, &j);
}

/* Both halves together are all blocks, and no block is in both. */
static void halves_share_nothing(void **state)
{
    (void)state;
    Db *db;
    Err err;
    int64_t machine = 0, blocks[2], first[2];
    char alias[80];
    measure(2, 0, 0);
    for (int which = 0; which < 2; which++) {
        fine(db_open(&db, "a.db", DB_READ, &err), &err);
        fine(judge_machine(db, NULL, &machine, alias, sizeof alias, &err), &err);
        fine(db_only_half(db, machine, which == 0, &err), &err);
        blocks[which] =
            db_integer(db, "SELECT count(DISTINCT block_id) FROM v_block", NO_VALUES, -1);
        first[which] = db_integer(db, "SELECT min(block) FROM v_speedup_block", NO_VALUES, -1);
        assert_int_equal(
            db_integer(db, "SELECT count(*) FROM v_speedup WHERE low = ratio AND high = ratio",
                       NO_VALUES, -1),
            2);
        db_close(db);
    }
    assert_int_equal(blocks[0], BLOCKS / 2);
    assert_int_equal(blocks[1], BLOCKS / 2);
    assert_int_equal(first[0], 1);
    assert_int_equal(first[1], BLOCKS / 2 + 1);
    assert_string_equal(alias, "here");
}

static void nothing_measured_is_no_error(void **state)
{
    (void)state;
    Paper paper;
    Judgements j = judged(&paper);
    assert_int_equal(j.item[0].verdict, NOT_YET_MEASURED);
    assert_int_equal(j.item[2].verdict, NOT_TESTABLE);
    assert_int_equal(j.item[5].verdict, CONTRADICTED);   /* decided by the paper itself */
    assert_true(j.machine == 0 && isnan(j.item[0].value));
    done(&paper, &j);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh, cleaned)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bands_without_direction), cmocka_unit_test(bands_with_direction),
        cmocka_unit_test(wider_is_never_surer),    WITH_FOLDER(times_are_confirmed),
        WITH_FOLDER(a_late_change_is_seen),        WITH_FOLDER(weaker_and_wrong),
        WITH_FOLDER(what_no_row_decides),          WITH_FOLDER(queries_that_cannot_run),
        WITH_FOLDER(verdicts_are_stored_once),     WITH_FOLDER(more_rows_another_hash),
        WITH_FOLDER(one_block_confirms_nothing),   WITH_FOLDER(halves_share_nothing),
        WITH_FOLDER(nothing_measured_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
