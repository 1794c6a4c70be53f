/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: the same rows give the same bytes; what was made is verified; every flipped bit is
 * found; what was changed by somebody who hashed it again is found where it contradicts itself; and
 * nothing of a hostile one is run. */
#include "bundle_rows.h"

#include "../../harness/db_sqlite.h"

#include "../../kernels/core/random.h"

#include <unistd.h>

enum { SEED = 20240501 };

static Bundle made(void)
{
    Bundle b;
    Err err;
    fine(bundle_make(&b, "toy", path, NULL, &err), &err);
    return b;
}

static Verification verified(const void *data, size_t size)
{
    Verification v;
    Err err;
    fine(bundle_verify(&v, data, size, &err), &err);
    return v;
}

/* ---- made and verified ------------------------------------------------------------------- */

static void the_same_rows_give_the_same_bytes(void **state)
{
    (void)state;
    Bundle a = made(), b = made();
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_int_equal(a.blocks, 7);
    assert_int_equal(a.claims, 4);
    assert_string_equal(a.machine, "laptop");
    bundle_free(&a);
    bundle_free(&b);
}

static void what_was_made_is_verified(void **state)
{
    (void)state;
    Bundle b = made();
    const Verification v = verified(b.data, b.size);
    for (int i = 0; i < v.checks; i++)
        printf("%s: %s\n", v.check[i].what, v.check[i].text);
    assert_int_equal(v.differ, 0);
    assert_string_equal(v.paper, "toy");
    assert_true(v.checks >= 8);
    bundle_free(&b);
}

/* Verdicts of the bundle are those that the database gives, and none of its rows is another's. */
static void only_what_belongs_to_the_paper(void **state)
{
    (void)state;
    Err err;
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 2");        /* another machine measures more of it */
    for (int i = 0; i < 3; i++) store(db, i, 3);
    refresh(db);
    db_close(db);
    Bundle b;
    fine(bundle_make(&b, "toy", path, NULL, &err), &err);
    assert_int_equal(b.sessions, 1);
    bundle_free(&b);
    assert_int_equal(bundle_make(&b, "nothing", path, NULL, &err), BAD_INPUT);
    assert_int_equal(bundle_make(&b, "toy", path, "nobody", &err), BAD_INPUT);
    assert_int_equal(bundle_make(&b, "toy", "none.db", NULL, &err), BAD_INPUT);
    put("papers/toy/claims.yaml", "- id: x\n");
    assert_int_equal(bundle_make(&b, "toy", path, NULL, &err), BAD_INPUT);
}

/* ---- damage ------------------------------------------------------------------------------ */

/* Every byte is hashed or prescribed. */
static void every_flip_is_found(void **state)
{
    (void)state;
    enum { FLIPS = 200 };
    Bundle b = made();
    for (int i = 0; i < FLIPS; i++) {
        const size_t at = (size_t)random_below(SEED, 0, (uint64_t)i, (int64_t)b.size);
        const int bit = (int)random_below(SEED, 1, (uint64_t)i, 8);
        b.data[at] ^= (char)(1 << bit);
        if (!verified(b.data, b.size).differ) fail_msg("bit %d of byte %zu was not found", bit, at);
        b.data[at] ^= (char)(1 << bit);
    }
    assert_int_equal(verified(b.data, b.size).differ, 0);
    bundle_free(&b);
}

static void every_length_is_found(void **state)
{
    (void)state;
    Bundle b = made();
    for (size_t size = 0; size < b.size; size += size < 1024 ? 64 : 16384)
        assert_true(verified(b.data, size).differ > 0);
    char *longer = calloc(b.size + 512, 1);
    memcpy(longer, b.data, b.size);
    for (size_t more = 1; more <= 512; more += 73)
        assert_true(verified(longer, b.size + more).differ > 0);
    free(longer);
    bundle_free(&b);
}

/* ---- changed, and hashed again ----------------------------------------------------------- */

/* The bundle with one file replaced by a text or by a database, and all hashes right. */
static Bundle repacked(const Bundle *b, const char *file, const void *data, size_t size)
{
    TarMember member[BUNDLE_FILES_MAX];
    BundleText sums;
    Bundle out = { 0 };
    Err err;
    int count;
    fine(tar_read(b->data, b->size, member, BUNDLE_FILES_MAX, &count, &err), &err);
    for (int i = 0; i < count; i++)
        if (!strcmp(bundle_file(&member[i]), file)) member[i].data = data, member[i].size = size;
    fine(bundle_sums(member, count, &sums, &err), &err);
    for (int i = 0; i < count; i++)
        if (!strcmp(bundle_file(&member[i]), "SHA256SUMS"))
            member[i].data = sums.text, member[i].size = sums.size;
    FILE *archive = open_memstream(&out.data, &out.size);
    tar_write(archive, member, count);
    fclose(archive);
    free(sums.text);
    return out;
}

static TarMember file_of(const Bundle *b, const char *file)
{
    TarMember member[BUNDLE_FILES_MAX];
    Err err;
    int count;
    fine(tar_read(b->data, b->size, member, BUNDLE_FILES_MAX, &count, &err), &err);
    for (int i = 0; i < count; i++)
        if (!strcmp(bundle_file(&member[i]), file)) return member[i];
    fail_msg("%s is missing", file);
    return member[0];
}

/* rows.db after a statement that no guard sees. */
static Bundle with_rows(const Bundle *b, const char *sql)
{
    sqlite3 *sqlite;
    sqlite3_int64 size;
    char *message = NULL;
    const TarMember rows = file_of(b, "rows.db");
    unsigned char *copy = sqlite3_malloc64(rows.size);
    memcpy(copy, rows.data, rows.size);
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_deserialize(sqlite, "main", copy, (sqlite3_int64)rows.size,
                                         (sqlite3_int64)rows.size,
                                         SQLITE_DESERIALIZE_FREEONCLOSE |
                                             SQLITE_DESERIALIZE_RESIZEABLE), SQLITE_OK);
    if (sqlite3_exec(sqlite, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s", message);
    unsigned char *image = sqlite3_serialize(sqlite, "main", &size, 0);
    const Bundle out = repacked(b, "rows.db", image, (size_t)size);
    sqlite3_free(image);
    sqlite3_close(sqlite);
    return out;
}

static void differs(const Bundle *b, const char *what, const char *where)
{
    const Verification v = verified(b->data, b->size);
    for (int i = 0; i < v.checks; i++)
        if (v.check[i].kind == CHECK_DIFFERS && !strcmp(v.check[i].what, what)) return;
    fail_msg("%s: that %s differ was not found", where, what);
}

static void changed_rows_contradict_the_rest(void **state)
{
    (void)state;
    static const struct { const char *what, *sql; } changes[] = {
        { "statistics", "UPDATE estimate SET median_ns = median_ns * 0.9" },
        { "statistics", "UPDATE estimate SET low_ns = low_ns + 1e-9 * low_ns" },
        { "statistics", "UPDATE ratio SET ratio = ratio * 1.000000000000001" },
        { "statistics", "DELETE FROM summary WHERE blocks > 0" },
        { "statistics", "UPDATE metric SET value = value / 2" },
        /* What asks to be derived again on opening would hide that it was changed. */
        { "statistics",
          "UPDATE ratio SET high = 2 * high; INSERT INTO stale SELECT id FROM block" },
        { "statistics", "UPDATE ratio SET high = 2 * high; DELETE FROM meta WHERE "
                        "key = 'derivation'" },
        { "statistics", "UPDATE sample SET data = x'41545331'" },
        { "statistics", "DELETE FROM sample WHERE run = (SELECT min(run) FROM sample)" },
        { "rows", "UPDATE block SET seed = 1" },
        { "rows", "UPDATE code SET sha256 = 'another'" },
        { "rows", "UPDATE point SET text = 'attention/blas:T=1:f32:fwd' WHERE variant = 'blas'" },
        { "rows", "PRAGMA foreign_keys = OFF; DELETE FROM session" },
        { "rows", "DROP TABLE metric; CREATE VIEW metric AS SELECT 1 AS run" },
        { "rows", "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM run; END" },
        { "rows", "CREATE TABLE fake (value)" },
        { "rows", "CREATE VIEW fake AS SELECT 1 AS value" },
        { "rows", "ALTER TABLE noise ADD COLUMN more TEXT" },
        { "rows", "DROP TABLE figure" },
        { "rows", "PRAGMA user_version = 999" },
        { "rows", "PRAGMA application_id = 3" },
        { "experiments", "INSERT INTO spec VALUES (1, 'a', 'b', 'toy', 'c')" },
        { "claims", "UPDATE claim SET says = 'more'" },
        { "claims", "UPDATE paper_value SET y = 100" },
        { "verdicts", "UPDATE verdict SET verdict = 'reproduced' WHERE verdict = 'not-testable'" },
        { "verdicts", "UPDATE verdict SET high = high + 1 WHERE high IS NOT NULL" },
        { "verdicts", "UPDATE verdict SET rows_hash = 'another' WHERE rows_hash <> ''" },
        { "verdicts", "DELETE FROM verdict" },
        { "texts", "UPDATE session_fact SET value = '0.01' WHERE name = 'load'" },
        { "texts", "UPDATE meta SET value = 'another' WHERE key = 'bundle.made_by.revision'" },
    };
    Bundle b = made();
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        Bundle changed = with_rows(&b, changes[i].sql);
        differs(&changed, changes[i].what, changes[i].sql);
        bundle_free(&changed);
    }
    bundle_free(&b);
}

static void changed_texts_contradict_the_rows(void **state)
{
    (void)state;
    static const struct { const char *file, *what, *text; } changes[] = {
        { "README", "texts", "trust me\n" },
        { "manifest.json", "texts", "{}\n" },
        { "verdicts.json", "texts", "[]\n" },
        { "paper.yaml", "claims", "id: another\ntitle: x\n" },
        { "claims.yaml", "claims", "- id: memory\n  where: here\n  says: x\n  kind: count\n"
                                   "  not_testable: \"none\"\n" },
        { "claims.yaml", "claims", "[[[[" },
        { "published.csv", "claims", "table,series,x,y,unit,setting\nt1,Theirs,1,99,ms,A100\n" },
        { "rows.db", "rows", "this is no database" },
        { "rows.db", "rows", "" },
    };
    Bundle b = made();
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        Bundle changed =
            repacked(&b, changes[i].file, changes[i].text, strlen(changes[i].text));
        differs(&changed, changes[i].what, changes[i].file);
        bundle_free(&changed);
    }
    bundle_free(&b);
}

/* A claim's query can only read, in the bundle and nowhere else. */
static void nothing_is_run(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "ATTACH 'evil.db' AS e", "VACUUM INTO 'evil.db'", "DELETE FROM run",
        "SELECT load_extension('./evil.so') AS value", "PRAGMA journal_mode = WAL",
        "SELECT 1 AS value; DROP TABLE run",
        "SELECT writefile('evil.db', 'x') AS value",
    };
    Bundle b = made();
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        char text[512];
        snprintf(text, sizeof text, "- id: evil\n  where: x\n  says: x\n  kind: count\n"
                                    "  evidence: \"%s\"\n  expect: {at_least: 1}\n", queries[i]);
        Bundle changed = repacked(&b, "claims.yaml", text, strlen(text));
        assert_true(verified(changed.data, changed.size).differ > 0);
        bundle_free(&changed);
        assert_int_equal(access("evil.db", F_OK), -1);
    }
    bundle_free(&b);
}

/* Views are ours, whatever the bundle has under their names. */
static void its_views_are_not_asked(void **state)
{
    (void)state;
    Bundle b = made();
    Bundle changed = with_rows(&b, "DROP VIEW v_speedup; DROP VIEW v_metric;"
                                   "CREATE VIEW v_speedup AS SELECT 9 AS ratio, 9 AS low, "
                                   "9 AS high, 'blas' AS variant;"
                                   "CREATE VIEW v_metric AS SELECT 1 AS value");
    assert_int_equal(verified(changed.data, changed.size).differ, 0);
    bundle_free(&changed);
    bundle_free(&b);
}

/* A bundle of an attest that derived by other rules says so, beside what differs. */
static void other_rules_are_noted(void **state)
{
    (void)state;
    Bundle b = made();
    Bundle changed =
        with_rows(&b, "UPDATE meta SET value = 'old' WHERE key = 'bundle.derivation'");
    const Verification v = verified(changed.data, changed.size);
    int noted = 0;
    for (int i = 0; i < v.checks; i++)
        noted += v.check[i].kind == CHECK_NOTE && strstr(v.check[i].text, "rules of version old");
    assert_int_equal(noted, 1);
    bundle_free(&changed);
    bundle_free(&b);
}

/* Names are texts, never paths. */
static void names_lead_nowhere(void **state)
{
    (void)state;
    static const char *const names[] = {
        "attest-toy/../../evil", "/evil", "attest-toy/specs/../evil", "README", "attest-/README",
        "attest-toy/rows.db", "attest-other/README", "attest-toy/README/x",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        TarMember member[BUNDLE_FILES_MAX];
        Bundle b = made(), changed = { 0 };
        Err err;
        int count;
        fine(tar_read(b.data, b.size, member, BUNDLE_FILES_MAX, &count, &err), &err);
        strcpy(member[1].name, names[i]);
        FILE *archive = open_memstream(&changed.data, &changed.size);
        tar_write(archive, member, count);
        fclose(archive);
        assert_true(verified(changed.data, changed.size).differ > 0);
        bundle_free(&changed);
        bundle_free(&b);
    }
}

/* Bytes of the database flipped and hashed again: whatever SQLite meets there, verifying ends with
 * a finding, or the change is one that no number depends on. */
static void damaged_databases_end_in_findings(void **state)
{
    (void)state;
    enum { FLIPS = 120 };
    int harmless = 0;
    Bundle b = made();
    const TarMember rows = file_of(&b, "rows.db");
    char *copy = malloc(rows.size);
    for (int i = 0; i < FLIPS; i++) {
        memcpy(copy, rows.data, rows.size);
        const int flips = 1 + i % 5;
        for (int k = 0; k < flips; k++) {
            const uint64_t n = (uint64_t)(8 * i + k);
            copy[random_below(SEED, 2, n, i % 2 ? (int64_t)rows.size : 8192)] ^=
                (char)(1 << random_below(SEED, 3, n, 8));
        }
        Bundle changed = repacked(&b, "rows.db", copy, rows.size);
        harmless += verified(changed.data, changed.size).differ == 0;
        bundle_free(&changed);
    }
    printf("%d of %d damaged and hashed again: nothing that is checked had changed\n", harmless,
           FLIPS);
    assert_true(harmless < FLIPS);
    free(copy);
    bundle_free(&b);
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, fresh_paper, cleaned_paper)
    const struct CMUnitTest tests[] = {
        EACH(the_same_rows_give_the_same_bytes),
        EACH(what_was_made_is_verified),
        EACH(only_what_belongs_to_the_paper),
        EACH(every_flip_is_found),
        EACH(every_length_is_found),
        EACH(changed_rows_contradict_the_rest),
        EACH(changed_texts_contradict_the_rows),
        EACH(nothing_is_run),
        EACH(its_views_are_not_asked),
        EACH(other_rules_are_noted),
        EACH(names_lead_nowhere),
        EACH(damaged_databases_end_in_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
