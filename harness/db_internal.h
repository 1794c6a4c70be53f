/* SPDX-License-Identifier: Apache-2.0 */
/* What the db_*.c files tell each other. */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include "db.h"

struct sqlite3;

/* Several statements without results; trouble is remembered. */
void db_script(Db *db, const char *sql);
/* As sqlite3_mprintf writes it: %w is a name for between double quotes, whatever is in it. */
void db_script_of(Db *db, const char *format, ...);
int  db_failed(const Db *db);

/* ---- db_schema.c ---------------------------------------------------------------------- */

typedef struct { int version; const char *sql; } Migration;   /* from version - 1 to version */

enum {
    SCHEMA_VERSION = 2,
    SCHEMA_APPLICATION = 0x41545354          /* "ATST", as file(1) may show it */
};

typedef enum {
    SCHEMA_RIGHT,
    SCHEMA_EMPTY,              /* a new file */
    SCHEMA_OLD,                /* tables of an earlier version */
    SCHEMA_UNFINISHED,         /* other views, or estimates that lag behind */
    SCHEMA_NEWER,
    SCHEMA_FOREIGN             /* not a file of attest's */
} SchemaState;

SchemaState schema_state(Db *db);
/* Makes or migrates the tables and replaces the views. In one transaction each. */
Status schema_bring_up(Db *db, Err *err);
/* Derived rows are then left as they are, whoever derived them, from whatever: opening would derive
 * again what lags behind. */
void schema_keep_derived(Db *db);
/* The steps of `list` (ends with version 0) above the file's version, in one transaction. */
Status schema_migrate(Db *db, const Migration *list, Err *err);

/* ---- merge.c -------------------------------------------------------------------------- */

/* SQL: did this session come from another file? */
#define IS_FOREIGN(session) \
    "EXISTS (SELECT 1 FROM session_fact WHERE session = " session " AND name = 'merged.from')"

/* ---- sql_functions.c ------------------------------------------------------------------ */

/* Returns SQLite's result code. */
int sql_functions_register(struct sqlite3 *sqlite);

#endif
