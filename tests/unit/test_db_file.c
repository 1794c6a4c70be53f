/* SPDX-License-Identifier: Apache-2.0 */
/* The file: nothing is half-written, two writers take turns, reading cannot write, other files are
 * refused with a sentence, and old ones are brought up to date. */
#include "db_rows.h"

#include "../../harness/db_sqlite.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- nothing is half-written ---------------------------------------------------------- */

static void a_failed_transaction_leaves_nothing(void **state)
{
    (void)state;
    Err err = { "" };
    Db *db = opened(DB_WRITE);
    db_begin(db);
    db_write(db, "INSERT INTO machine (id, alias) VALUES (1, 'a')", NO_VALUES);
    db_write(db, "INSERT INTO session (id, machine, started_at_ms, command) VALUES (1, 2, 3, '')",
             NO_VALUES);
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

static void store_for_ever(void)
{
    Db *db;
    if (db_open(&db, path, DB_WRITE, NULL)) _exit(1);
    start_session(db, "cpu 1");
    for (int i = 0;; i++) {
        store(db, i, 1.5);
        if (i % 3 == 2) refresh(db);
    }
}

static double count_blocks(void)
{
    Db *db = opened(DB_WRITE);
    const double blocks = number(db, "SELECT count(*) FROM block");
    db_close(db);
    return blocks;
}

/* A child is killed while it stores blocks as fast as it can, a little later each time; every block
 * is there wholly or not. On a slow machine it takes more tries until there are some. */
static void killed_at_any_moment(void **state)
{
    (void)state;
    long pause_ns = 10000000;
    for (int tries = 0; tries < 12 || (tries < 40 && count_blocks() < 20); tries++) {
        const pid_t child = fork();
        if (child == 0) store_for_ever();
        assert_true(child > 0);
        nanosleep(
            &(struct timespec){ .tv_sec = pause_ns / 1000000000, .tv_nsec = pause_ns % 1000000000 },
            NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        pause_ns += pause_ns / 6;
    }
    Db *db = opened(DB_WRITE);
    assert_true(number(db, "SELECT count(*) FROM block") > 0);
    assert_true(number(db, "SELECT count(*) FROM block WHERE 2 <> "
                           "(SELECT count(*) FROM run WHERE block = block.id)") == 0);
    assert_true(number(db, "SELECT count(*) FROM run WHERE id NOT IN (SELECT run FROM sample)") ==
                0);
    assert_true(number(db, "SELECT count(*) FROM run WHERE 5 <> "
                           "(SELECT count(*) FROM metric WHERE run = run.id)") == 0);
    assert_true(number(db, "SELECT count(*) FROM stale") == 0);     /* opening derived the rest */
    assert_true(number(db, "SELECT sum(runs) FROM estimate") ==
                number(db, "SELECT count(*) FROM run"));
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

/* ---- reading cannot write ------------------------------------------------------------- */

static void reading_cannot_write(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "DELETE FROM run",
        "INSERT INTO machine VALUES (1, 'x')",
        "UPDATE machine SET alias = 'x'",
        "DROP VIEW v_time",
        "UPDATE sqlite_master SET sql = 0",
        "CREATE TABLE t (x)",
        "CREATE TEMP TABLE t (x)",
        "ATTACH '/tmp/other.db' AS o",
        "VACUUM INTO '/tmp/other.db'",
        "VACUUM",
        "PRAGMA user_version = 7",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA query_only = 0",
        "BEGIN",
        "REINDEX",
        "ANALYZE",
        "SELECT load_extension('x')",
        "SELECT 1; DELETE FROM run",
        "",
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

/* ---- versions
 * ------------------------------------------------------------------------------------------------
 */

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
    assert_true(number(db, "SELECT count(*) FROM sqlite_schema WHERE name IN ('v_gone', 'mine')") ==
                1);
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
        { SCHEMA_VERSION, "CREATE TABLE never (x)" }, /* the file has this version already */
        { SCHEMA_VERSION + 1,
          "ALTER TABLE machine ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'" },
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

/* tests/databases/version_N.sql holds a file of every version there ever was. */
static int make_stored(int version)
{
    char name[64], *text = NULL, *message = NULL;
    sqlite3 *sqlite;
    snprintf(name, sizeof name, "tests/databases/version_%d.sql", version);
    snprintf(path, sizeof path, "%s/version_%d.db", folder, version);
    FILE *file = fopen(name, "r");
    if (!file) return 0;
    assert_true(getdelim(&text, &(size_t){ 0 }, 0, file) > 0);
    fclose(file);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    if (sqlite3_exec(sqlite, text, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s", message);
    sqlite3_close(sqlite);
    free(text);
    return 1;
}

static void files_of_every_version_are_brought_up_to_date(void **state)
{
    (void)state;
    for (int version = 1; version <= SCHEMA_VERSION; version++) {
        assert_true(make_stored(version));
        Db *db = opened(version % 2 ? DB_READ : DB_WRITE);     /* either way brings it up to date */
        assert_true(number(db, "SELECT count(*) FROM v_time") == 2);
        assert_true(number(db, "SELECT sum(blocks) FROM v_time") == 4);
        assert_true(number(db, "SELECT count(*) FROM v_speedup") == 2);
        assert_true(number(db, "SELECT count(*) FROM v_count WHERE counted > 0") >= 8);
        assert_true(number(db, "SELECT count(*) FROM v_accuracy WHERE error_rel <= tolerance") ==
                    2);
        db_close(db);
        db = opened(DB_WRITE);
        assert_true(number(db, "PRAGMA user_version") == SCHEMA_VERSION);
        assert_string_equal(text(db, "PRAGMA integrity_check"), "ok");
        db_close(db);
    }
    assert_false(make_stored(SCHEMA_VERSION + 1));
}

/* ---- folders that cannot be written --------------------------------------------------- */

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
        EACH(a_failed_transaction_leaves_nothing),
        EACH(killed_at_any_moment),
        EACH(several_writers),
        EACH(reading_cannot_write),
        EACH(files_that_are_not_ours),
        EACH(views_of_another_build_are_replaced),
        EACH(migrations_run_in_order_or_not_at_all),
        EACH(files_of_every_version_are_brought_up_to_date),
        EACH(a_file_in_a_read_only_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
