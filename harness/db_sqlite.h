/* SPDX-License-Identifier: Apache-2.0 */
/* The handle as the files that talk to SQLite see it. */
#ifndef DB_SQLITE_H
#define DB_SQLITE_H

#include "db_internal.h"

#include <sqlite3.h>

enum { QUERIES = 64, BUSY_MS = 60000, PATH_MAX_BYTES = 4096 };
/* What statements of others may take: SQLite's memory of this process, a value, and a pattern. */
enum { HEAP_MAX = 1 << 30, VALUE_MAX = 64 << 20, PATTERN_MAX = 1000 };

struct Query {
    Db           *db;
    sqlite3_stmt *statement;   /* kept when idle, for the next call with the same text */
    int           open;
    uint64_t      used;        /* when it was opened last */
};

struct Db {
    sqlite3 *sqlite;
    char     path[PATH_MAX_BYTES];
    char     notice[512];
    DbMode   mode;
    Status   status;           /* the first trouble, OK if there is none */
    Err      err;
    int      immutable;        /* opened as a file that nobody can write */
    int      in_transaction;
    int      trusted;          /* above 0: our own statements, which the guard lets pass */
    uint64_t opened;           /* queries so far */
    const volatile int *stop;
    Query    query[QUERIES], broken;
};

/* ---- db_open.c -------------------------------------------------------------------------- */

/* Databases that live in this process have paths that start so (db_other.c). */
#define MEMORY_PATH "file:/attest-in-memory-"

void connect_to(Db *db, int flags, const char *name);
void connect_read_only(Db *db);
void disconnect(Db *db);

/* ---- db.c --------------------------------------------------------------------------------- */

/* Remembers what SQLite's result code and message say. */
void sqlite_trouble(Db *db, int rc);
/* Remembers trouble; the sentence gets the file's path in front. */
void trouble(Db *db, Status status, const char *what);

#endif
