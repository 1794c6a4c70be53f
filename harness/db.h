/* SPDX-License-Identifier: Apache-2.0 */
/* results/attest.db: what was measured, kept for good. schema.sql says what is kept and why,
 * views.sql what others may read, results/README.md what each column means.
 *
 * Trouble is remembered. The first thing that fails inside a transaction is kept in the handle,
 * everything after it does nothing, and db_commit() then rolls back and tells. So code that
 * writes rows reads like a list of rows, and nothing is ever half-written. A statement outside a
 * transaction is asked about with db_check().
 *
 *   db.c             trouble, transactions, statements      (these three
 *   db_open.c        opening, guarding                       are the only ones
 *   sql_functions.c  slope, crossover, ... in SQL            that know SQLite)
 *   db_schema.c      versions and views of the file
 *   db_store.c       provenance and blocks
 *   db_sample.c      the packed form of raw epochs
 *   db_estimate.c    what is derived from them */
#ifndef DB_H
#define DB_H

#include "hash.h"
#include "machine.h"
#include "measure.h"

typedef struct Db Db;
typedef enum { DB_READ, DB_WRITE } DbMode;

/* DB_WRITE makes the file (and its folder), brings an older one up to date, and derives what a
 * killed program left underived. DB_READ opens for queries only: no statement can change anything.
 * BAD_INPUT: no such file, not ours, or of a newer attest; IO_FAILED: everything else. */
Status db_open(Db **db, const char *path, DbMode mode, Err *err);
void   db_close(Db *db);                       /* NULL is fine */
const char *db_path(const Db *db);
/* What the user should know about how the file was opened; NULL: nothing. */
const char *db_notice(const Db *db);
/* Long statements end with a complaint once *stop is set. */
void   db_stop_when(Db *db, const volatile int *stop);

/* ---- transactions --------------------------------------------------------------------- */

/* They don't nest. A second program that writes at the same time waits for up to a minute. */
void   db_begin(Db *db);
/* Commits; or, if anything since db_begin() failed, rolls back and tells what. */
Status db_commit(Db *db, Err *err);
void   db_rollback(Db *db);
/* The first trouble since it was last asked, outside a transaction. */
Status db_check(Db *db, Err *err);
/* A caller's own trouble, to be told by the next db_commit() or db_check(). */
void   db_fail(Db *db, Status status, const Err *err);

/* ---- statements ----------------------------------------------------------------------- */

typedef enum { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BLOB } ValueType;

typedef struct {
    ValueType   type;
    int64_t     integer;       /* also the size of text and blob */
    double      real;
    const void *data;          /* borrowed until the statement has been run or closed */
} Value;

Value val_integer(int64_t value);
Value val_real(double value);                  /* NaN: NULL */
Value val_text(const char *value);             /* NULL: NULL */
Value val_blob(const void *value, size_t size);
Value val_null(void);

/* For the parameters (?) of a statement, in order: query_open(db, sql, VALUES(val_text(name))). */
#define VALUES(...) \
    (int)(sizeof((Value[]){ __VA_ARGS__ }) / sizeof(Value)), (Value[]) { __VA_ARGS__ }
#define NO_VALUES   0, NULL

/* Runs one statement that gives no rows. */
void db_write(Db *db, const char *sql, int values, const Value *value);
/* The first column of the first row, or the fallback where there is no row. */
int64_t db_integer(Db *db, const char *sql, int values, const Value *value, int64_t fallback);

/* One statement; never NULL, for trouble is kept in the handle. It is parsed once and kept.
 *     Query *q = query_open(db, "SELECT ...", VALUES(...));
 *     while (query_row(q)) ... column_text(q, 0) ...
 *     query_close(q); */
typedef struct Query Query;
Query *query_open(Db *db, const char *sql, int values, const Value *value);
int    query_row(Query *q);                    /* 1: there is a row; 0: the end, or trouble */
void   query_close(Query *q);

int         query_columns(const Query *q);
const char *query_name(const Query *q, int column);
ValueType   column_type(const Query *q, int column);
int64_t     column_integer(const Query *q, int column);
double      column_real(const Query *q, int column);       /* NULL: NaN */
/* Valid until the next row; NULL: "" (column_type tells). Integers and reals as SQLite writes
 * them. */
const char *column_text(const Query *q, int column);
const void *column_blob(const Query *q, int column, size_t *size);
/* Adds all columns of the row under way, with their types: the hash of a figure's or a verdict's
 * rows. Reals by their bits, so equal hashes mean equal evidence. */
void        query_hash_row(const Query *q, Sha256 *h);

/* From here on this connection's views show one machine only. */
Status db_only_machine(Db *db, int64_t machine, Err *err);

/* ---- provenance (db_store.c); each is its own transaction ----------------------------- */

typedef struct {
    int64_t machine, session, build;
} Provenance;

/* The machine by its identity, a new session on it, and this program's build. */
Status db_session(Db *db, const Facts *identity, const char *alias, const Facts *state,
                  const char *command, Provenance *out, Err *err);
/* Better readings of a session replace worse ones. */
Status db_ceilings(Db *db, int64_t session, const CeilingList *list, Err *err);
typedef struct { const char *kernel, *name, *unit; double value; } Noise;
Status db_noise(Db *db, int64_t session, const Noise *noise, int count, Err *err);
Status db_spec(Db *db, const char *name, const char *title, const char *paper, const char *text,
               int64_t *id, Err *err);
int64_t db_machine_id(const Facts *identity);
/* "flash_attention_online_avx2" and the hash of its object code, as one number. */
int64_t db_code_id(const Variant *variant);
/* Stored code against this program's: 1 the same, 0 other code, -1 no such variant here. */
int     db_code_here(const char *symbol, const char *sha256);

/* ---- blocks --------------------------------------------------------------------------- */

typedef struct {
    Provenance  from;
    int64_t     spec;                    /* 0: asked for on the command line */
    const char *instruments;             /* "accuracy,memory,time" */
    double      epsilon;                 /* of verdicts about pairs */
    int64_t     wall_limit_ms, memory_limit_bytes;   /* 0: none */
} BlockContext;

int64_t db_comparison_id(const Point *arm, int arms);
/* Everything that a block of this comparison left behind, in one transaction. Arms that were left
 * out because they had failed before have no run in it. Storing it twice changes nothing. */
Status db_store_block(Db *db, const BlockContext *context, const Point *arm, int arms,
                      const BlockRecord *block, Err *err);
/* Derives estimates and ratios of all blocks that have come since. */
Status db_refresh(Db *db, Err *err);

/* What is known of a comparison on this machine, measured by this program's code; `session` not 0:
 * in that session alone. */
typedef struct {
    int    failed[ARMS_MAX];             /* the arm failed in a way that would only repeat itself */
    int    blocks;                       /* in which all other arms were measured */
    int timed_pairs,
        decided_pairs; /* pairs with a ratio; those whose verdict is not inconclusive */
    double seconds;                      /* that a block took on average; 0: none yet */
} Known;
Status db_known(Db *db, const BlockContext *context, int64_t session, const Point *arm, int arms,
                Known *out, Err *err);

/* ---- raw epochs (db_sample.c) --------------------------------------------------------- */

enum { SAMPLE_EPOCH_BYTES = 44, SAMPLE_FRAME_BYTES = 12 };
/* malloc'ed; NULL: no memory. */
void  *sample_pack(const Epoch *epoch, int count, size_t *size);
/* malloc'ed epochs. BAD_INPUT: damaged. */
Status sample_unpack(const void *data, size_t size, Epoch **epoch, int *count, Err *err);

#endif
