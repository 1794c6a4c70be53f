/* SPDX-License-Identifier: Apache-2.0 */
/* Figures from rows: an entry of a spec becomes a query, its rows become a figure, and what is
 * wrong in an entry or a query is told. */
#include "../../harness/db.h"
#include "../../harness/figure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int fresh(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/attest-figure-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int cleaned(void **state)
{
    (void)state;
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0;
}

static void fine(Status status, const Err *err)
{
    if (status)
        fail_msg("%s", err->text);
}

/* Two lengths measured, the third timed out. */
static Db *measured(void)
{
    static const char *const points[] = { "attention/blas:B=1,H=1,T=64,D=16:f32:fwd",
                                          "attention/blas:B=1,H=1,T=128,D=16:f32:fwd",
                                          "attention/blas:B=1,H=1,T=256,D=16:f32:fwd" };
    char path[128];
    Db *db;
    Err err = { "" };
    BlockContext context = { .instruments = "time", .epsilon = 0.02 };
    Facts identity = { .count = 0 }, state = { .count = 0 };
    machine_identity(&identity);
    snprintf(path, sizeof path, "%s/a.db", folder);
    fine(db_open(&db, path, DB_WRITE, &err), &err);
    fine(db_session(db, &identity, "here", &state, "run", &context.from, &err), &err);
    fine(db_spec(db, "demo/it's", "t", "demo", "x\n", &context.spec, &err), &err);
    for (int i = 0; i < 3 * 7; i++) {
        Epoch epoch[8];
        RunRecord run = { .epoch = epoch, .epochs = i % 3 == 2 ? 0 : 8 };
        fine(point_parse(&run.point, points[i % 3], &err), &err);
        if (i % 3 == 2) {
            run.outcome = OUTCOME_TIMEOUT;
            strcpy(run.reason, "60 s");
            run.epoch = NULL;
        }
        for (int k = 0; k < 8; k++) {
            const int64_t ns = 1000000 * (1 + i % 3) + 100 * i + k;
            epoch[k] = (Epoch){ .wall_ns = ns, .cpu_ns = ns, .calls = 1, .round = k };
        }
        const BlockRecord block = {
            .seed = 1, .block = i, .run = &run, .runs = 1, .started_at_ms = 1700000000000 + i
        };
        const Point arm = run.point;
        fine(db_store_block(db, &context, &arm, 1, &block, &err), &err);
    }
    fine(db_refresh(db, &err), &err);
    return db;
}

static Tree *parsed(const char *yaml)
{
    Tree *tree;
    Err err = { "" };
    fine(tree_parse_yaml(&tree, "f.yaml", yaml, strlen(yaml), &err), &err);
    return tree;
}

static void a_figure_from_rows(void **state)
{
    (void)state;
    Db *db = measured();
    Tree *tree = parsed("{name: t, kind: line, x: T, y: time, series: [method], facet: [D, pass], "
                        "log: xy, where: \"dtype = 'f32'\"}");
    Complaints complaints = { 0 };
    Figure f;
    Err err = { "" };
    char hash[65];
    figure_check(tree, tree_root(tree), &complaints);
    assert_int_equal(complaints.count, 0);
    fine(figure_open(&f, tree_root(tree), "demo/it's", NULL, db, &err), &err);
    assert_int_equal(f.rows, 3);
    assert_string_equal(f.row[0].facet, "D=16, fwd");
    assert_string_equal(f.row[0].series, "attention/blas");
    assert_true(f.row[0].x == 64 && fabs(f.row[0].y - 1) < 0.01 && f.row[0].low <= f.row[0].y &&
                f.row[0].y <= f.row[0].high);
    assert_true(f.row[2].x == 256 && isnan(f.row[2].y));
    assert_string_equal(f.row[2].outcome, "timeout");
    strcpy(hash, f.rows_hash);
    figure_close(&f);
    fine(figure_open(&f, tree_root(tree), "demo/it's", NULL, db, &err), &err);
    assert_string_equal(f.rows_hash, hash);
    figure_close(&f);
    fine(figure_open(&f, tree_root(tree), "demo/other", NULL, db, &err), &err);
    assert_int_equal(f.rows, 0);
    figure_close(&f);
    tree_close(tree);
    db_close(db);
}

/* Whatever an entry asks for becomes SQL that runs. */
static void every_quantity_has_a_query(void **state)
{
    (void)state;
    static const char *const quantities[] = { "time",    "gflops",    "limit", "speedup",
                                              "memory",  "workspace", "error", "rmse",
                                              "traffic", "work",      "lap" };
    Db *db = measured();
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
        char yaml[300];
        Figure f;
        Err err = { "" };
        snprintf(yaml, sizeof yaml,
                 "{name: a, x: T, y: %s, series: [method, D, threads], facet: [dtype, pass]}",
                 quantities[i]);
        Tree *tree = parsed(yaml);
        fine(figure_open(&f, tree_root(tree), "demo/it's", NULL, db, &err), &err);
        assert_true(*f.y_label && f.scale > 0);
        figure_close(&f);
        tree_close(tree);
    }
    db_close(db);
}

static void wrong_entries(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "{kind: line, x: T, y: time}", "needs name" },
        { "{name: a, x: T}", "needs x and y" },
        { "{name: a, x: T, y: tiem}", "y is one of" },
        { "{name: a, x: \"T); DROP\", y: time}", "a parameter's or a column's name" },
        { "{name: \"../a\", x: T, y: time}", "name should stand" },
        { "{name: a, x: T, y: time, kind: pie}", "kind is one of" },
        { "{name: a, x: T, y: time, serie: [D]}", "series" },
        { "just text", "a figure is a map" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Tree *tree = parsed(cases[i][0]);
        Complaints complaints = { 0 };
        figure_check(tree, tree_root(tree), &complaints);
        if (!complaints.count || !strstr(complaints.text, cases[i][1]))
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i][0],
                     complaints.count ? complaints.text : "", cases[i][1]);
        complaints_free(&complaints);
        tree_close(tree);
    }
}

/* A query that would write, or that is none, is told with the figure's name. */
static void wrong_queries(void **state)
{
    (void)state;
    char path[128];
    Err err = { "" };
    Figure f;
    db_close(measured());
    Db *db;
    snprintf(path, sizeof path, "%s/a.db", folder);
    fine(db_open(&db, path, DB_READ, &err), &err);
    Tree *tree = parsed("{name: sly, query: \"DELETE FROM run\"}");
    assert_int_equal(figure_open(&f, tree_root(tree), "demo/pair", NULL, db, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "figure sly of demo/pair"));
    tree_close(tree);
    db_close(db);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh, cleaned)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_entries),
        WITH_FOLDER(a_figure_from_rows),
        WITH_FOLDER(every_quantity_has_a_query),
        WITH_FOLDER(wrong_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
