/* SPDX-License-Identifier: Apache-2.0 */
/* Merging: adds what is missing and nothing else, twice as well as once; foreign rows are no cache;
 * conflicts leave ours alone; what cannot be merged leaves nothing behind. */
#include "merge_rows.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static Merged merge(MergeRequest request)
{
    Merged merged;
    Err err;
    Db *db = open_file(ours, DB_WRITE);
    fine(merge_file(db, theirs, &request, &merged, &err), &err);
    db_close(db);
    return merged;
}

static void refused(Status why, const char *says)
{
    Merged merged;
    Err err = { "" };
    Db *db = open_file(ours, DB_WRITE);
    assert_int_equal(merge_file(db, theirs, &(MergeRequest){ 0 }, &merged, &err), why);
    if (!strstr(err.text, says)) fail_msg("'%s' does not say '%s'", err.text, says);
    db_begin(db);                      /* it can still be used, and nothing is attached */
    fine(db_commit(db, &err), &err);
    assert_true(number(db, "SELECT count(*) FROM pragma_database_list WHERE name = 'theirs'") == 0);
    db_close(db);
}

/* ---- adding --------------------------------------------------------------------------- */

static void twice_is_once(void **state)
{
    (void)state;
    char once[SHA256_TEXT], twice[SHA256_TEXT];
    fill(ours, "cpu 1", 0, 6, 1.5);
    fill(theirs, "cpu 2", 0, 7, 2.5);
    const uint32_t before = bytes_of(theirs);
    Merged m = merge((MergeRequest){ 0 });
    assert_int_equal(m.blocks, 7);
    assert_int_equal(m.runs, 14);
    assert_int_equal(m.sessions, 1);
    assert_int_equal(m.machines, 1);
    assert_int_equal(m.foreign, 1);
    assert_int_equal(m.conflicts, 0);
    assert_true(ask(ours, "SELECT count(*) FROM v_time") == 4);
    assert_true(ask(ours, "SELECT count(*) FROM sample") == 26);
    assert_true(ask(ours, "SELECT round(ratio, 2) FROM v_speedup WHERE variant = 'blas' "
                          "AND blocks = 7") == 2.5);
    digest_file(ours, once);
    m = merge((MergeRequest){ 0 });
    assert_true(m.blocks == 0 && m.runs == 0 && m.sessions == 0 && m.machines == 0);
    assert_int_equal(m.conflicts, 0);
    digest_file(ours, twice);
    assert_string_equal(once, twice);
    assert_int_equal(before, bytes_of(theirs));
}

/* Blocks in two files, merged, give what the same blocks in one file give. */
static void as_if_measured_in_one_file(void **state)
{
    (void)state;
    char together[SHA256_TEXT], merged[SHA256_TEXT];
    fill(ours, "cpu 1", 0, 9, 1.5);
    digest_file(ours, together);
    char copy[300];
    snprintf(copy, sizeof copy, "cp %s %s", ours, theirs);
    assert_int_equal(system(copy), 0);
    edit(ours, "CREATE TEMP TABLE gone AS SELECT id FROM block WHERE number % 2;"
               "CREATE TEMP TABLE off AS SELECT id FROM run WHERE block IN gone;"
               "DELETE FROM timing WHERE run IN off; DELETE FROM sample WHERE run IN off;"
               "DELETE FROM metric WHERE run IN off; DELETE FROM pair_time WHERE run_a IN off;"
               "DELETE FROM run WHERE id IN off; DELETE FROM block WHERE id IN gone;"
               "INSERT INTO stale SELECT id FROM block");
    assert_true(ask(ours, "SELECT max(blocks) FROM estimate") == 5);
    const Merged m = merge((MergeRequest){ 0 });
    assert_int_equal(m.blocks, 4);
    assert_int_equal(m.conflicts, 0);
    assert_int_equal(m.foreign, 0);    /* a session of ours */
    digest_file(ours, merged);
    assert_string_equal(together, merged);
}

static void a_dry_run_writes_nothing(void **state)
{
    (void)state;
    char before[SHA256_TEXT], after[SHA256_TEXT];
    fill(ours, "cpu 1", 0, 2, 1.5);
    fill(theirs, "cpu 2", 0, 3, 2.5);
    digest_file(ours, before);
    assert_int_equal(merge((MergeRequest){ .dry_run = 1 }).blocks, 3);
    digest_file(ours, after);
    assert_string_equal(before, after);
}

/* ---- foreign rows --------------------------------------------------------------------- */

static int known_blocks(void)
{
    Known known;
    Err err;
    Db *db = open_file(ours, DB_WRITE);
    fine(db_known(db, &context, 0, arm, 2, &known, &err), &err);
    db_close(db);
    return known.blocks;
}

/* The other file is of a machine with the very same facts. */
static void foreign_rows_are_no_cache(void **state)
{
    (void)state;
    fill(theirs, "cpu 1", 0, 4, 1.5);
    fill(ours, "cpu 1", 10, 3, 1.5);
    assert_int_equal(known_blocks(), 3);
    assert_int_equal(merge((MergeRequest){ 0 }).foreign, 1);
    assert_int_equal(known_blocks(), 3);
    assert_true(ask(ours, "SELECT count(*) FROM v_session WHERE "
                          "facts->>'$.\"merged.from\"' = 'theirs.db'") == 1);
    assert_int_equal(merge((MergeRequest){ .own = 1 }).foreign, 0);    /* once foreign, foreign */
    assert_int_equal(known_blocks(), 3);
}

static void own_rows_are(void **state)
{
    (void)state;
    Facts identity, facts = { .count = 0 };
    Err err;
    machine_identity(&identity);
    make_arms();
    Db *db = open_file(theirs, DB_WRITE);
    fine(db_session(db, &identity, "here", &facts, "run", &context.from, &err), &err);
    for (int i = 0; i < 4; i++) store(db, i, 1.5);
    db_close(db);
    assert_int_equal(merge((MergeRequest){ .own = 1 }).foreign, 0);
    assert_int_equal(known_blocks(), 4);
    db = open_file(ours, DB_WRITE);
    start_session(db, "cpu 2");
    db_close(db);
}

static void machines_of_one_name(void **state)
{
    (void)state;
    fill(ours, "cpu 1", 0, 1, 1.5);
    fill(theirs, "cpu 2", 0, 1, 1.5);
    Merged m = merge((MergeRequest){ 0 });
    assert_int_equal(m.renames, 1);
    assert_string_equal(m.renamed[0].alias, "laptop");
    assert_string_equal(m.renamed[0].name, "laptop-2");
    assert_true(ask(ours, "SELECT count(DISTINCT alias) FROM machine") == 2);
    assert_int_equal(merge((MergeRequest){ 0 }).renames, 0);
    const Rename lab = { "laptop", "lab" }, taken = { "laptop", "laptop" }, none = { "pc", "x" };
    assert_int_equal(merge((MergeRequest){ .rename = &lab, .renames = 1 }).renames, 1);
    assert_true(ask(ours, "SELECT count(*) FROM machine WHERE alias = 'lab'") == 1);
    Err err;
    Db *db = open_file(ours, DB_WRITE);
    assert_int_equal(merge_file(db, theirs, &(MergeRequest){ .rename = &taken, .renames = 1 }, &m,
                                &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "is called 'laptop' already"));
    assert_int_equal(merge_file(db, theirs, &(MergeRequest){ .rename = &none, .renames = 1 }, &m,
                                &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "no machine is called 'pc'"));
    db_close(db);
}

/* ---- conflicts ------------------------------------------------------------------------ */

/* A copy of the same rows, then changed in one place; how many conflicts in which table. */
static void conflicts_leave_ours_alone(void **state)
{
    (void)state;
    static const struct { const char *sql, *table; int rows; } changes[] = {
        { "UPDATE sample SET data = x'00' WHERE run = (SELECT min(id) FROM run)", "sample", 1 },
        { "UPDATE metric SET value = value * 2", "metric", 30 },
        { "UPDATE run SET outcome = 'wrong' WHERE position = 1", "run", 3 },
        { "UPDATE block SET epsilon = 0.5", "block", 3 },
        { "UPDATE session_fact SET value = '0.1' WHERE name = 'load'", "session_fact", 1 },
        { "INSERT INTO session_fact VALUES ((SELECT id FROM session), 'more', '1', NULL)",
          "session_fact", 1 },
        { "UPDATE session SET command = 'another'", "session", 1 },
    };
    char before[SHA256_TEXT], after[SHA256_TEXT], copy[300];
    fill(ours, "cpu 1", 0, 3, 1.5);
    digest_file(ours, before);
    snprintf(copy, sizeof copy, "cp %s %s", ours, theirs);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        assert_int_equal(system(copy), 0);
        edit(theirs, changes[i].sql);
        for (int again = 0; again < 2; again++) {
            const Merged m = merge((MergeRequest){ 0 });
            assert_int_equal(m.conflicts, 1);
            assert_string_equal(m.conflict[0].table, changes[i].table);
            assert_int_equal(m.conflict[0].rows, changes[i].rows);
            assert_true(m.conflict[0].example[0]);
            digest_file(ours, after);
            assert_string_equal(before, after);
        }
    }
}

static void better_ceilings_win(void **state)
{
    (void)state;
    char copy[300];
    fill(ours, "cpu 1", 0, 1, 1.5);
    edit(ours, "INSERT INTO ceiling SELECT id, 'read', '', '', 'L1', 1, 5.0, 'B/s' FROM session");
    snprintf(copy, sizeof copy, "cp %s %s", ours, theirs);
    assert_int_equal(system(copy), 0);
    edit(theirs, "UPDATE ceiling SET value = 6");
    assert_int_equal(merge((MergeRequest){ 0 }).conflicts, 0);
    assert_true(ask(ours, "SELECT value FROM ceiling") == 6);
    edit(theirs, "UPDATE ceiling SET value = 4");
    assert_int_equal(merge((MergeRequest){ 0 }).conflicts, 0);
    assert_true(ask(ours, "SELECT value FROM ceiling") == 6);
}

/* ---- what is refused ------------------------------------------------------------------ */

static void edited_rows_are_refused(void **state)
{
    (void)state;
    static const char *const edits[] = {
        "UPDATE point SET text = replace(text, 'T=64', 'T=65')",
        "UPDATE code SET sha256 = 'ab'",
        "UPDATE build SET compiler = 'a better one'",
        "UPDATE block SET started_at_ms = 1",
        "UPDATE block SET seed = seed + 1",
        "UPDATE run SET position = position + 2",
        "UPDATE arm SET point = (SELECT max(point) FROM arm)",
        "UPDATE machine_fact SET value = 'cpu 3' WHERE name = 'cpu.name'",
        "UPDATE quantity SET name = 'more' WHERE at = 32768",
    };
    char before[SHA256_TEXT], after[SHA256_TEXT];
    fill(ours, "cpu 1", 0, 2, 1.5);
    digest_file(ours, before);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        remove(theirs);
        fill(theirs, "cpu 2", 0, 2, 1.5);
        edit(theirs, edits[i]);
        refused(BAD_INPUT, "changed after they were written");
        digest_file(ours, after);
        assert_string_equal(before, after);
    }
}

static void files_that_cannot_be_merged(void **state)
{
    (void)state;
    char before[SHA256_TEXT], after[SHA256_TEXT];
    fill(ours, "cpu 1", 0, 2, 1.5);
    digest_file(ours, before);
    refused(BAD_INPUT, "No such file");
    fill(theirs, "cpu 2", 0, 2, 1.5);
    edit(theirs, "DELETE FROM session; DELETE FROM session_fact");
    refused(BAD_INPUT, "FOREIGN KEY");
    edit(theirs, "DROP TABLE metric;"
                 "CREATE VIEW metric AS SELECT 1 AS run, 2 AS quantity, 3.0 AS value");
    refused(BAD_INPUT, "is not a database of attest's");
    edit(theirs, "DROP VIEW metric; CREATE TABLE metric (run INTEGER, value REAL)");
    refused(BAD_INPUT, "its table metric is not as attest makes it");
    edit(theirs, "PRAGMA user_version = 999");
    refused(BAD_INPUT, "version 999");
    edit(theirs, "PRAGMA application_id = 1; PRAGMA user_version = 1");
    refused(BAD_INPUT, "not a database of attest's");
    digest_file(ours, after);
    assert_string_equal(before, after);
}

/* Any file below ours is old; it is read through a migrated copy and stays what it was. */
static void an_older_file_is_migrated_in_a_copy(void **state)
{
    (void)state;
    fill(ours, "cpu 1", 0, 2, 1.5);
    fill(theirs, "cpu 2", 0, 3, 1.5);
    edit(theirs, "CREATE TABLE param (x); DROP INDEX spec_name; DROP INDEX block_build; "
                 "DROP INDEX pair_time_b; DROP INDEX estimate_former; "
                 "PRAGMA user_version = 1; DROP VIEW v_time");
    const uint32_t before = bytes_of(theirs);
    assert_int_equal(merge((MergeRequest){ 0 }).blocks, 3);
    assert_int_equal(merge((MergeRequest){ 0 }).blocks, 0);
    assert_int_equal(before, bytes_of(theirs));
    assert_true(ask(ours, "SELECT count(*) FROM block") == 5);
}

/* ---- killed --------------------------------------------------------------------------- */

/* Wholly or not at all, whenever the merging program is killed. */
static void killed_at_any_moment(void **state)
{
    (void)state;
    enum { THEIRS = 120 };
    int whole = 0, nothing = 0;
    fill(theirs, "cpu 2", 0, THEIRS, 2.5);
    for (int i = 0; i < 40; i++) {
        const struct timespec pause = { .tv_nsec = 1500000L * i };
        remove(ours);
        fill(ours, "cpu 1", 0, 2, 1.5);
        const pid_t child = fork();
        if (child == 0) {
            merge((MergeRequest){ 0 });
            _exit(0);
        }
        assert_true(child > 0);
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        const double blocks = ask(ours, "SELECT count(*) FROM block");
        assert_true(blocks == 2 || blocks == 2 + THEIRS);
        whole += blocks > 2;
        nothing += blocks == 2;
        assert_true(ask(ours, "SELECT count(*) FROM run") == 2 * blocks);
        assert_true(ask(ours, "SELECT count(*) FROM metric") == 10 * blocks);
        assert_true(ask(ours, "SELECT sum(runs) FROM estimate") == 2 * blocks);
        assert_true(ask(ours, "SELECT count(*) FROM session_fact WHERE name = 'merged.from'") ==
                    (blocks > 2));
    }
    printf("killed 40 times: %d times all of it was there, %d times nothing\n", whole, nothing);
    assert_true(nothing > 0);
    assert_int_equal(merge((MergeRequest){ 0 }).conflicts, 0);
    assert_true(ask(ours, "SELECT count(*) FROM block") == 2 + THEIRS);
}

/* ---- a full disk ------------------------------------------------------------------------ */

/* A limit on the size of files stands for it. */
static void a_full_disk_leaves_what_was_there(void **state)
{
    (void)state;
    fill(theirs, "cpu 2", 0, 120, 2.5);
    fill(ours, "cpu 1", 0, 2, 1.5);
    for (int more = 0; more < 8; more++) {
        const pid_t child = fork();
        if (child == 0) {
            Err err = { "" };
            Merged merged;
            Db *db = open_file(ours, DB_WRITE);
            const struct rlimit limit = { .rlim_cur = 40000u * (unsigned)more,
                                          .rlim_max = RLIM_INFINITY };
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &limit);
            const Status status = merge_file(db, theirs, &(MergeRequest){ 0 }, &merged, &err);
            _exit(status == IO_FAILED && *err.text ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_true(ask(ours, "SELECT count(*) FROM block") == 2);
        assert_true(ask(ours, "SELECT sum(runs) FROM estimate") == 4);
    }
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, fresh_pair, cleaned)
    const struct CMUnitTest tests[] = {
        EACH(twice_is_once),
        EACH(as_if_measured_in_one_file),
        EACH(a_dry_run_writes_nothing),
        EACH(foreign_rows_are_no_cache),
        EACH(own_rows_are),
        EACH(machines_of_one_name),
        EACH(conflicts_leave_ours_alone),
        EACH(better_ceilings_win),
        EACH(edited_rows_are_refused),
        EACH(files_that_cannot_be_merged),
        EACH(an_older_file_is_migrated_in_a_copy),
        EACH(killed_at_any_moment),
        EACH(a_full_disk_leaves_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
