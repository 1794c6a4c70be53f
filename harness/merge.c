/* SPDX-License-Identifier: Apache-2.0 */
/* Statements are made from the tables' own columns, so that a new column needs no line here. */
#include "merge.h"
#include "db_identity.h"
#include "db_internal.h"

#include <stdio.h>
#include <string.h>

/* Raw tables, each before those that it refers to, so that what belongs to a row is taken while it
 * is still known that the row is missing here. References are checked when all is done. */
typedef struct {
    const char *name;
    const char *wanted;        /* which rows x of theirs to take */
    const char *owner;         /* whose they are: a column, and the table of its name; or NULL */
} RawTable;

#define OF_MACHINES "(SELECT machine FROM theirs.session WHERE id IN temp.wanted_session)"
#define OF_RUNS     "(SELECT id FROM theirs.run WHERE block IN temp.wanted_block)"
static const RawTable tables[] = {
    { "metric", "x.run IN " OF_RUNS, "run" },
    { "quantity", "1", NULL },
    { "sample", "x.run IN " OF_RUNS, "run" },
    { "run", "x.block IN temp.wanted_block", "block" },
    { "block", "x.id IN temp.wanted_block", NULL },
    { "arm", "x.comparison IN temp.wanted_comparison", "comparison" },
    { "comparison", "x.id IN temp.wanted_comparison", NULL },
    { "point", "x.id IN temp.wanted_point", NULL },
    { "spec", "x.id IN (SELECT spec FROM theirs.block WHERE id IN temp.wanted_block)", NULL },
    { "code", "x.id IN (SELECT code FROM theirs.run WHERE block IN temp.wanted_block)", NULL },
    { "build", "x.id IN (SELECT build FROM theirs.block WHERE id IN temp.wanted_block)", NULL },
    { "noise", "x.session IN temp.wanted_session", NULL },
    { "ceiling", "x.session IN temp.wanted_session", NULL },
    { "session_fact", "x.session IN temp.wanted_session AND x.name <> 'merged.from'", "session" },
    { "session", "x.id IN temp.wanted_session", NULL },
    { "machine_fact", "x.machine IN " OF_MACHINES, "machine" },
    { "machine", "x.id IN " OF_MACHINES, NULL },
};
enum { TABLES = sizeof tables / sizeof *tables, LIST = 512, SQL = 4096 };

/* ---- columns -------------------------------------------------------------------------- */

/* The columns of a table for which `which` holds, each as `format` writes it ($: its name). */
typedef struct { const char *which, *format, *between; } Columns;

static void columns(Db *db, const char *table, Columns c, char out[LIST])
{
    char sql[LIST];
    snprintf(sql, sizeof sql,
             "SELECT group_concat(replace(?2, '$', name), ?3) FROM pragma_table_info(?1, 'main') "
             "WHERE %s", c.which);
    Query *q = query_open(db, sql,
                          VALUES(val_text(table), val_text(c.format), val_text(c.between)));
    out[0] = 0;
    if (query_row(q)) snprintf(out, LIST, "%s", column_text(q, 0));
    query_close(q);
}

/* Views and virtual tables of these names would be somebody's trap, not a file of ours. */
static Status check_tables(Db *db, const char *path, Err *err)
{
    for (int i = 0; i < TABLES; i++) {
        const int64_t good = db_integer(db,
            "SELECT 1 FROM theirs.sqlite_schema WHERE name = ?1 AND type = 'table' "
            "AND rootpage > 0 AND NOT EXISTS (SELECT name, type FROM pragma_table_info(?1, 'main') "
            "EXCEPT SELECT name, type FROM pragma_table_info(?1, 'theirs'))",
            VALUES(val_text(tables[i].name)), 0);
        if (!good && !db_failed(db))
            return fail(err, BAD_INPUT, "%s: its table %s is not as attest makes it", path,
                        tables[i].name);
    }
    return db_check(db, err);
}

/* An id that is not its row's own would let a changed row pass for another one. */
static Status check_identities(Db *db, const char *path, Err *err)
{
    Identities ids;
    const Status status = db_identities(db, "theirs", &ids, err);
    if (status || !ids.wrong) return status;
    return fail(err, BAD_INPUT,
                "%s: %lld rows were changed after they were written (the first: %016llx of table "
                "%s); nothing was merged",
                path, (long long)ids.wrong, (unsigned long long)ids.id, ids.table);
}

/* ---- copying -------------------------------------------------------------------------- */

static void copy_table(Db *db, const RawTable *t)
{
    char list[LIST], missing[128] = "1", sql[SQL];
    columns(db, t->name, (Columns){ "1", "\"$\"", ", " }, list);
    if (t->owner)
        snprintf(missing, sizeof missing, "x.%s NOT IN (SELECT id FROM main.%s)", t->owner,
                 t->owner);
    const int is_ceiling = !strcmp(t->name, "ceiling");
    snprintf(sql, sizeof sql,
             "INSERT INTO main.%s (%s) SELECT %s FROM theirs.%s x WHERE %s AND %s "
             "ON CONFLICT DO %s",
             t->name, list, list, t->name, t->wanted, missing,
             is_ceiling ? "UPDATE SET value = excluded.value WHERE excluded.value > value"
                        : "NOTHING");
    db_write(db, sql, NO_VALUES);
}

void merge_copy(Db *db)
{
    db_script(db,
        "PRAGMA defer_foreign_keys = ON;"
        "CREATE TEMP TABLE wanted_comparison (id INTEGER PRIMARY KEY);"
        "INSERT INTO temp.wanted_comparison SELECT DISTINCT comparison FROM theirs.block "
        "    WHERE id IN temp.wanted_block;"
        "CREATE TEMP TABLE wanted_point (id INTEGER PRIMARY KEY);"
        "INSERT INTO temp.wanted_point "
        "    SELECT point FROM theirs.arm WHERE comparison IN temp.wanted_comparison "
        "    UNION SELECT point FROM theirs.run WHERE block IN temp.wanted_block");
    for (int i = 0; i < TABLES; i++) copy_table(db, &tables[i]);
    db_script(db, "INSERT OR IGNORE INTO main.stale (block) SELECT id FROM temp.wanted_block;"
                  "DROP TABLE temp.wanted_comparison; DROP TABLE temp.wanted_point");
}

/* ---- conflicts ------------------------------------------------------------------------ */

/* All but what people choose, and today's view of a point's cost. */
static const char says[] = "name NOT IN ('alias', 'flops', 'bytes', 'exps', 'state_bytes')";
static const char shown[] =
    "iif(typeof(x.\"$\") = 'integer', printf('%016x', x.\"$\"), x.\"$\")";

static void find_conflict(Db *db, const RawTable *t, Merged *out)
{
    char key[LIST], same[LIST], theirs[LIST], ours[LIST], known[128] = "1", sql[SQL];
    if (!strcmp(t->name, "ceiling")) return;
    if (t->owner)
        snprintf(known, sizeof known, "x.%s IN (SELECT id FROM main.%s)", t->owner, t->owner);
    columns(db, t->name, (Columns){ "pk > 0", shown, " || ' ' || " }, key);
    columns(db, t->name, (Columns){ "pk > 0", "y.\"$\" = x.\"$\"", " AND " }, same);
    columns(db, t->name, (Columns){ says, "x.\"$\"", ", " }, theirs);
    columns(db, t->name, (Columns){ says, "y.\"$\"", ", " }, ours);
    snprintf(sql, sizeof sql,
             "SELECT count(*), min(%s) FROM theirs.%s x %s JOIN main.%s y ON %s "
             "WHERE %s AND (%s) IS NOT (%s)%s",
             key, t->name, t->owner ? "LEFT" : "", t->name, same, known, theirs, ours,
             strcmp(t->name, "session_fact") ? "" : " AND x.name <> 'merged.from'");
    Query *q = query_open(db, sql, NO_VALUES);
    if (query_row(q) && column_integer(q, 0)) {
        require(out->conflicts < MERGE_CONFLICTS_MAX);
        Conflict *c = &out->conflict[out->conflicts++];
        *c = (Conflict){ .table = t->name, .rows = column_integer(q, 0) };
        snprintf(c->example, sizeof c->example, "%.63s", column_text(q, 1));
    }
    query_close(q);
}

/* ---- names of machines ---------------------------------------------------------------- */

static const char *wanted_name(const MergeRequest *request, const char *alias)
{
    for (int i = 0; i < request->renames; i++)
        if (!strcmp(request->rename[i].from, alias)) return request->rename[i].to;
    return NULL;
}

static int is_taken(Db *db, const char *alias, int64_t machine)
{
    return db_integer(db, "SELECT 1 FROM main.machine WHERE alias = ? AND id <> ?",
                      VALUES(val_text(alias), val_integer(machine)), 0) != 0;
}

/* Two machines of one name could not be told apart in any table: the newcomer gets a number. */
static void free_name(Db *db, const char *alias, int64_t machine, char *out, size_t size)
{
    snprintf(out, size, "%.60s", alias);
    for (int n = 2; is_taken(db, out, machine); n++) snprintf(out, size, "%.60s-%d", alias, n);
}

static Status name_machine(Db *db, const Query *q, const MergeRequest *request, Merged *out,
                           Err *err)
{
    char name[96];
    const int64_t id = column_integer(q, 0);
    const char *alias = column_text(q, 1), *wish = wanted_name(request, alias);
    const int is_new = (int)column_integer(q, 3);
    if (wish && is_taken(db, wish, id))
        return fail(err, BAD_INPUT, "another machine is called '%s' already", wish);
    out->machines += is_new;
    if (wish) snprintf(name, sizeof name, "%.90s", wish);
    else if (is_new) free_name(db, alias, id, name, sizeof name);
    if ((!wish && !is_new) || !strcmp(name, column_text(q, 2))) return OK;
    db_write(db, "UPDATE main.machine SET alias = ? WHERE id = ?",
             VALUES(val_text(name), val_integer(id)));
    if (out->renames == MERGE_NAMES_MAX) return OK;
    snprintf(out->renamed[out->renames].alias, sizeof out->renamed->alias, "%.63s", alias);
    strcpy(out->renamed[out->renames++].name, name);
    return OK;
}

static Status name_machines(Db *db, const MergeRequest *request, Merged *out, Err *err)
{
    Status status = OK;
    for (int i = 0; i < request->renames && !status; i++)
        if (!db_integer(db, "SELECT 1 FROM theirs.machine WHERE alias = ?",
                        VALUES(val_text(request->rename[i].from)), 0) && !db_failed(db))
            status = fail(err, BAD_INPUT, "no machine is called '%s' there",
                          request->rename[i].from);
    Query *q = query_open(db, "SELECT x.id, x.alias, y.alias, x.id IN temp.new_machine "
                              "FROM theirs.machine x JOIN main.machine y ON y.id = x.id "
                              "ORDER BY x.alias, x.id",
                          NO_VALUES);
    while (!status && query_row(q)) status = name_machine(db, q, request, out, err);
    query_close(q);
    return status;
}

/* ---- one file ------------------------------------------------------------------------- */

static void want_all_that_is_new(Db *db)
{
    db_script(db,
        "CREATE TEMP TABLE wanted_session (id INTEGER PRIMARY KEY);"
        "INSERT INTO temp.wanted_session SELECT id FROM theirs.session;"
        "CREATE TEMP TABLE wanted_block (id INTEGER PRIMARY KEY);"
        "INSERT INTO temp.wanted_block SELECT id FROM theirs.block "
        "    WHERE id NOT IN (SELECT id FROM main.block);"
        "CREATE TEMP TABLE new_session (id INTEGER PRIMARY KEY);"
        "INSERT INTO temp.new_session SELECT id FROM theirs.session "
        "    WHERE id NOT IN (SELECT id FROM main.session);"
        "CREATE TEMP TABLE new_machine (id INTEGER PRIMARY KEY);"
        "INSERT INTO temp.new_machine SELECT id FROM theirs.machine "
        "    WHERE id NOT IN (SELECT id FROM main.machine)");
}

/* What was foreign there stays so; what was measured there is foreign here, unless it is ours. */
static void mark_foreign(Db *db, const char *name, int own)
{
    Facts identity;
    const char *slash = strrchr(name, '/');
    machine_identity(&identity);
    db_write(db,
        "INSERT INTO main.session_fact (session, name, value) "
        "SELECT s.id, 'merged.from', coalesce(f.value, ?1) FROM theirs.session s "
        "LEFT JOIN theirs.session_fact f ON f.session = s.id AND f.name = 'merged.from' "
        "WHERE s.id IN temp.new_session AND NOT (?2 AND s.machine = ?3 AND f.value IS NULL)",
        VALUES(val_text(slash ? slash + 1 : name), val_integer(own),
               val_integer(db_machine_id(&identity))));
}

static void count_new(Db *db, Merged *out)
{
    out->sessions = db_integer(db, "SELECT count(*) FROM temp.new_session", NO_VALUES, 0);
    out->blocks = db_integer(db, "SELECT count(*) FROM temp.wanted_block", NO_VALUES, 0);
    out->runs = db_integer(db, "SELECT count(*) FROM theirs.run WHERE block IN temp.wanted_block",
                           NO_VALUES, 0);
    out->foreign = db_integer(db,
        "SELECT count(*) FROM main.session_fact WHERE session IN temp.new_session "
        "AND name = 'merged.from'", NO_VALUES, 0);
}

static Status merge_attached(Db *db, const char *path, const MergeRequest *request, Merged *out,
                             Err *err)
{
    db_begin(db);
    want_all_that_is_new(db);
    for (int i = 0; i < TABLES; i++) find_conflict(db, &tables[i], out);
    merge_copy(db);
    const Status status = name_machines(db, request, out, err);
    if (status) { db_rollback(db); return status; }
    mark_foreign(db, request->name ? request->name : path, request->own);
    count_new(db, out);
    db_script(db, "DROP TABLE temp.wanted_session; DROP TABLE temp.wanted_block;"
                  "DROP TABLE temp.new_session; DROP TABLE temp.new_machine");
    if (!request->dry_run || db_failed(db)) return db_commit(db, err);
    db_rollback(db);
    return OK;
}

Status merge_file(Db *db, const char *path, const MergeRequest *request, Merged *out, Err *err)
{
    *out = (Merged){ 0 };
    Status status = db_attach(db, path, err);
    if (status) return status;
    status = check_tables(db, path, err);
    if (!status) status = check_identities(db, path, err);
    if (!status) status = merge_attached(db, path, request, out, err);
    db_detach(db);
    const Status detached = db_check(db, status ? NULL : err);
    if (!status) status = detached;
    return status || request->dry_run ? status : db_refresh(db, err);
}
