/* SPDX-License-Identifier: Apache-2.0 */
/* Which version of the tables a file has, and how it gets to ours. Tables change by numbered
 * steps, which are kept for ever; views are code, and are simply replaced. */
#include "db_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char schema_sql[], views_sql[];   /* embedded by the build */
extern const char migration_2_scale_sql[];

static const Migration migrations[] = { { 2, migration_2_scale_sql }, { 0 } };

/* Raise when derived rows of equal samples become others: a file's are then derived again. */
static const char DERIVATION[] = "2";

static int64_t pragma(Db *db, const char *sql) { return db_integer(db, sql, NO_VALUES, 0); }

static void views_hash(char out[SHA256_TEXT])
{
    uint8_t digest[SHA256_BYTES];
    Sha256 h;
    sha256_open(&h);
    sha256_add(&h, views_sql, strlen(views_sql));
    sha256_close(&h, digest);
    sha256_text(digest, out);
}

static int meta_is(Db *db, const char *key, const char *value)
{
    return (int)db_integer(db, "SELECT 1 FROM meta WHERE key = ? AND value = ?",
                           VALUES(val_text(key), val_text(value)), 0);
}

static void set_meta(Db *db, const char *key, const char *value)
{
    db_write(db, "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
             VALUES(val_text(key), val_text(value)));
}

/* By the note of which they are, and word for word: others may be anything. */
static int views_are_ours(Db *db)
{
    char hash[SHA256_TEXT];
    views_hash(hash);
    return meta_is(db, "views", hash) &&
           !db_integer(db,
                       "SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND name GLOB 'v_*' "
                       "AND NOT instr(?, sql)",
                       VALUES(val_text(views_sql)), 1);
}

/* A view that passes for one of our tables may give any rows, without end. */
static int has_false_tables(Db *db)
{
    return db_integer(db,
                      "SELECT count(*) FROM sqlite_schema WHERE rootpage = 0 "
                      "AND instr(?, 'CREATE TABLE ' || name || ' (')",
                      VALUES(val_text(schema_sql)), 1) != 0;
}

static int is_derived_our_way(Db *db) { return meta_is(db, "derivation", DERIVATION); }

SchemaState schema_state(Db *db)
{
    const int64_t version = pragma(db, "PRAGMA user_version");
    const int64_t tables = pragma(db, "SELECT count(*) FROM sqlite_schema");
    if (version == 0 && tables == 0) return SCHEMA_EMPTY;
    if (pragma(db, "PRAGMA application_id") != SCHEMA_APPLICATION) return SCHEMA_FOREIGN;
    if (has_false_tables(db)) return SCHEMA_FOREIGN;
    if (version > SCHEMA_VERSION) return SCHEMA_NEWER;
    if (version < SCHEMA_VERSION) return SCHEMA_OLD;
    if (!views_are_ours(db) || !is_derived_our_way(db) ||
        pragma(db, "SELECT EXISTS (SELECT 1 FROM stale)"))
        return SCHEMA_UNFINISHED;
    return SCHEMA_RIGHT;
}

/* Only views named v_*: what a user made is left alone. */
static void replace_views(Db *db)
{
    char hash[SHA256_TEXT];
    for (;;) {
        Query *q = query_open(
            db, "SELECT name FROM sqlite_schema WHERE type = 'view' AND name GLOB 'v_*' LIMIT 1",
            NO_VALUES);
        char *name = query_row(q) ? strdup(column_text(q, 0)) : NULL;
        query_close(q);
        if (!name) break;
        db_script_of(db, "DROP VIEW \"%w\"", name);
        free(name);
    }
    db_script(db, views_sql);
    views_hash(hash);
    set_meta(db, "views", hash);
}

/* Every block is due again. */
static void renew_derived(Db *db)
{
    db_write(db, "INSERT OR IGNORE INTO stale (block) SELECT id FROM block", NO_VALUES);
    set_meta(db, "derivation", DERIVATION);
}

void schema_keep_derived(Db *db)
{
    db_write(db, "DELETE FROM stale", NO_VALUES);
    set_meta(db, "derivation", DERIVATION);
}

/* Under the lock: another program may have made the tables meanwhile. */
static Status make_tables(Db *db, Err *err)
{
    char stamp[96];
    db_begin(db);
    if (schema_state(db) == SCHEMA_EMPTY) {
        snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                 SCHEMA_APPLICATION, SCHEMA_VERSION);
        db_script(db, schema_sql);
        db_script(db, stamp);
        replace_views(db);
        renew_derived(db);
    }
    return db_commit(db, err);
}

/* What is code is as this program has it: the views, and how rows are derived. */
static Status refresh_code(Db *db, Err *err)
{
    const int views = views_are_ours(db), derived = is_derived_our_way(db);
    const Status status = db_check(db, err);
    if (status || (views && derived)) return status;
    db_begin(db);
    if (!views) replace_views(db);
    if (!derived) renew_derived(db);
    return db_commit(db, err);
}

/* Rows that point nowhere would mean that a migration lost some. */
static void check_references(Db *db)
{
    Query *q = query_open(db, "SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1", NO_VALUES);
    if (query_row(q)) {
        Err err;
        fail(&err, BAD_INPUT,
             "%s: migrating would break references of table %s; nothing was changed", db_path(db),
             column_text(q, 0));
        db_fail(db, BAD_INPUT, &err);
    }
    query_close(q);
}

Status schema_migrate(Db *db, const Migration *list, Err *err)
{
    char stamp[64];
    Status status;
    db_script(db, "PRAGMA foreign_keys = OFF");
    if ((status = db_check(db, err))) return status;
    db_begin(db);
    for (const Migration *m = list; m->version; m++) {
        if (pragma(db, "PRAGMA user_version") >= m->version) continue;
        db_script(db, m->sql);
        snprintf(stamp, sizeof stamp, "PRAGMA user_version = %d", m->version);
        db_script(db, stamp);
    }
    check_references(db);
    status = db_commit(db, err);
    db_script(db, "PRAGMA foreign_keys = ON");
    const Status on = db_check(db, status ? NULL : err);
    return status ? status : on;
}

Status schema_bring_up(Db *db, Err *err)
{
    const SchemaState state = schema_state(db);
    const long long version = pragma(db, "PRAGMA user_version");
    Status status = db_check(db, err);
    if (status) return status;
    switch (state) {
    case SCHEMA_FOREIGN:
        return fail(err, BAD_INPUT, "%s is not a database of attest's; name another with --db",
                    db_path(db));
    case SCHEMA_NEWER:
        return fail(err, BAD_INPUT,
                    "%s has tables of version %lld, this attest knows up to %d: use the newer one",
                    db_path(db), version, SCHEMA_VERSION);
    case SCHEMA_EMPTY:      status = make_tables(db, err); break;
    case SCHEMA_OLD:        status = schema_migrate(db, migrations, err); break;
    case SCHEMA_RIGHT: case SCHEMA_UNFINISHED: break;
    }
    return status ? status : refresh_code(db, err);
}
