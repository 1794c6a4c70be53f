/* SPDX-License-Identifier: Apache-2.0 */
/* Trouble, transactions and statements. */
#include "db_sqlite.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* ---- trouble -------------------------------------------------------------------------- */

void trouble(Db *db, Status status, const char *what)
{
    if (db->status) return;
    db->status = fail(&db->err, status, "%s: %s", db->path, what);
}

/* What SQLite says of all of them is "disk I/O error". */
static void io_trouble(Db *db, int rc)
{
    switch (rc) {
    case SQLITE_IOERR_NOMEM:
        trouble(db, NO_MEMORY, "no memory for the database");
        break;
    case SQLITE_IOERR_LOCK: case SQLITE_IOERR_RDLOCK: case SQLITE_IOERR_UNLOCK:
    case SQLITE_IOERR_CHECKRESERVEDLOCK: case SQLITE_IOERR_SHMLOCK:
        trouble(db, IO_FAILED, "its file system has no locks; with --db it can be on a local disk");
        break;
    case SQLITE_IOERR_WRITE: case SQLITE_IOERR_TRUNCATE: case SQLITE_IOERR_FSYNC:
        trouble(db, IO_FAILED, "it cannot be written: a broken disk, or a limit on the size of "
                               "files (`ulimit -f`, a quota); earlier rows are kept");
        break;
    default:
        trouble(db, IO_FAILED, sqlite3_errmsg(db->sqlite));
    }
}

void sqlite_trouble(Db *db, int rc)
{
    const char *what = sqlite3_errmsg(db->sqlite);
    switch (rc & 0xff) {
    case SQLITE_NOMEM:     trouble(db, NO_MEMORY, "no memory for a statement"); break;
    case SQLITE_BUSY:
        trouble(db, IO_FAILED, "another program has been writing for a minute; try again later, or "
                               "with --db on a local disk if its file system has no locks");
        break;
    case SQLITE_FULL:
        trouble(db, IO_FAILED, "the disk is full; nothing of the last step was kept");
        break;
    case SQLITE_INTERRUPT: trouble(db, IO_FAILED, "interrupted"); break;
    case SQLITE_NOTADB:    trouble(db, BAD_INPUT, "not an SQLite database"); break;
    case SQLITE_CORRUPT:
        trouble(db, IO_FAILED, "the file is damaged; `sqlite3 FILE .recover` may save its rows");
        break;
    case SQLITE_AUTH: trouble(db, BAD_INPUT, "only reading is allowed here: one SELECT"); break;
    case SQLITE_READONLY:
        trouble(db, IO_FAILED, "the file cannot be written; --db or $ATTEST_DB names another");
        break;
    case SQLITE_CANTOPEN:  trouble(db, IO_FAILED, "cannot be opened"); break;
    case SQLITE_IOERR:     io_trouble(db, rc); break;
    default:               trouble(db, BAD_INPUT, what); break;
    }
}

int db_failed(const Db *db) { return db->status != OK; }

void db_fail(Db *db, Status status, const Err *err)
{
    require(status != OK);
    if (db->status) return;
    db->status = status;
    db->err = *err;
}

Status db_check(Db *db, Err *err)
{
    require(!db->in_transaction);
    const Status status = db->status;
    if (status && err) *err = db->err;
    db->status = OK;
    return status;
}

void db_script(Db *db, const char *sql)
{
    if (db->status) return;
    db->trusted++;
    const int rc = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
    db->trusted--;
    if (rc != SQLITE_OK) sqlite_trouble(db, rc);
}

void db_script_of(Db *db, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (sql) db_script(db, sql);
    else trouble(db, NO_MEMORY, "no memory for a statement");
    sqlite3_free(sql);
}

/* ---- transactions --------------------------------------------------------------------- */

void db_begin(Db *db)
{
    require(!db->in_transaction);
    db->in_transaction = 1;
    db_script(db, db->mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN");
}

/* A failed statement may already have ended the transaction. */
void db_rollback(Db *db)
{
    require(db->in_transaction);
    db->in_transaction = 0;
    db->trusted++;
    for (int i = 0; i < QUERIES; i++)
        if (db->query[i].open) sqlite3_reset(db->query[i].statement);
    if (!sqlite3_get_autocommit(db->sqlite)) sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    db->trusted--;
    db->status = OK;
}

Status db_commit(Db *db, Err *err)
{
    require(db->in_transaction);
    db_script(db, "COMMIT");
    if (!db->status) { db->in_transaction = 0; return OK; }
    const Status status = db->status;
    if (err) *err = db->err;
    db_rollback(db);
    return status;
}

/* ---- values --------------------------------------------------------------------------- */

Value val_integer(int64_t value) { return (Value){ .type = VALUE_INTEGER, .integer = value }; }

Value val_real(double value)
{
    return isnan(value) ? val_null() : (Value){ .type = VALUE_REAL, .real = value };
}

Value val_text(const char *value)
{
    if (!value) return val_null();
    return (Value){ .type = VALUE_TEXT, .data = value, .integer = (int64_t)strlen(value) };
}

Value val_blob(const void *value, size_t size)
{
    return (Value){ .type = VALUE_BLOB, .data = value, .integer = (int64_t)size };
}

Value val_null(void) { return (Value){ .type = VALUE_NULL }; }

/* ---- statements ----------------------------------------------------------------------- */

static Query *idle_query(Db *db, const char *sql)
{
    Query *oldest = NULL;
    for (int i = 0; i < QUERIES; i++) {
        Query *q = &db->query[i];
        if (q->open) continue;
        if (q->statement && !strcmp(sqlite3_sql(q->statement), sql)) return q;
        if (!oldest || !q->statement || (oldest->statement && q->used < oldest->used)) oldest = q;
    }
    require(oldest != NULL);
    sqlite3_finalize(oldest->statement);
    oldest->statement = NULL;
    return oldest;
}

/* "SELECT 1; DROP ..." would silently do half of what was asked. */
static int only_blanks(const char *tail) { return tail[strspn(tail, " \t\r\n;")] == 0; }

static Query *prepared(Db *db, const char *sql)
{
    Query *q = idle_query(db, sql);
    if (q->statement) return q;
    const char *tail = "";
    const int rc =
        sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &q->statement, &tail);
    if (rc != SQLITE_OK) sqlite_trouble(db, rc);
    else if (!q->statement) trouble(db, BAD_INPUT, "the statement is empty");
    else if (!only_blanks(tail)) trouble(db, BAD_INPUT, "one statement at a time");
    return q;
}

static int bind(sqlite3_stmt *statement, int at, const Value *v)
{
    switch (v->type) {
    case VALUE_INTEGER: return sqlite3_bind_int64(statement, at, v->integer);
    case VALUE_REAL:    return sqlite3_bind_double(statement, at, v->real);
    case VALUE_TEXT:
        return sqlite3_bind_text64(statement, at, v->data, (sqlite3_uint64)v->integer,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case VALUE_BLOB:
        return sqlite3_bind_blob64(statement, at, v->data, (sqlite3_uint64)v->integer,
                                   SQLITE_STATIC);
    case VALUE_NULL:    break;
    }
    return sqlite3_bind_null(statement, at);
}

Query *query_open(Db *db, const char *sql, int values, const Value *value)
{
    db->broken = (Query){ .db = db };
    Query *q = db->status ? &db->broken : prepared(db, sql);
    if (db->status) return &db->broken;
    q->db = db;
    q->open = 1;
    q->used = ++db->opened;
    require(values <= sqlite3_bind_parameter_count(q->statement));
    for (int i = 0; i < values; i++) {
        const int rc = bind(q->statement, i + 1, &value[i]);
        if (rc != SQLITE_OK) sqlite_trouble(db, rc);
    }
    return q;
}

void query_close(Query *q)
{
    if (!q->statement) return;
    sqlite3_reset(q->statement);       /* tells again what query_row has told */
    sqlite3_clear_bindings(q->statement);
    q->open = 0;
}

int query_row(Query *q)
{
    if (q->db->status || !q->statement) return 0;
    require(q->open);
    const int rc = sqlite3_step(q->statement);
    if (rc == SQLITE_ROW) return 1;
    if (rc != SQLITE_DONE) sqlite_trouble(q->db, rc);
    return 0;
}

void db_write(Db *db, const char *sql, int values, const Value *value)
{
    Query *q = query_open(db, sql, values, value);
    while (query_row(q)) { }
    query_close(q);
}

int64_t db_integer(Db *db, const char *sql, int values, const Value *value, int64_t fallback)
{
    Query *q = query_open(db, sql, values, value);
    const int64_t integer = query_row(q) ? column_integer(q, 0) : fallback;
    query_close(q);
    return integer;
}

/* ---- columns -------------------------------------------------------------------------- */

int query_columns(const Query *q) { return q->statement ? sqlite3_column_count(q->statement) : 0; }

const char *query_name(const Query *q, int column)
{
    const char *name = sqlite3_column_name(q->statement, column);
    return name ? name : "";           /* NULL: no memory for it */
}

ValueType column_type(const Query *q, int column)
{
    switch (sqlite3_column_type(q->statement, column)) {
    case SQLITE_INTEGER: return VALUE_INTEGER;
    case SQLITE_FLOAT:   return VALUE_REAL;
    case SQLITE_TEXT:    return VALUE_TEXT;
    case SQLITE_BLOB:    return VALUE_BLOB;
    default:             return VALUE_NULL;
    }
}

int64_t column_integer(const Query *q, int column)
{
    return sqlite3_column_int64(q->statement, column);
}

double column_real(const Query *q, int column)
{
    return column_type(q, column) == VALUE_NULL ? NAN : sqlite3_column_double(q->statement, column);
}

const char *column_text(const Query *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q->statement, column);
    return text ? text : "";
}

const void *column_blob(const Query *q, int column, size_t *size)
{
    const void *data = sqlite3_column_blob(q->statement, column);
    *size = (size_t)sqlite3_column_bytes(q->statement, column);
    return data;
}

/* The type is asked first: asking for a value may convert it. */
static void hash_column(const Query *q, int column, Sha256 *h)
{
    double real;
    int64_t bits;
    switch (column_type(q, column)) {
    case VALUE_NULL:    identity_text(h, NULL); break;
    case VALUE_INTEGER: identity_integer(h, column_integer(q, column)); break;
    case VALUE_REAL:
        real = column_real(q, column);
        memcpy(&bits, &real, sizeof bits);
        identity_text(h, "real");
        identity_integer(h, bits);
        break;
    case VALUE_TEXT: case VALUE_BLOB: identity_text(h, column_text(q, column)); break;
    }
}

void query_hash_row(const Query *q, Sha256 *h)
{
    for (int i = 0; i < query_columns(q); i++) hash_column(q, i, h);
}
