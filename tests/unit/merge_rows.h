/* SPDX-License-Identifier: Apache-2.0 */
/* Two databases, ours and theirs, and what tests ask of them as wholes. */
#ifndef MERGE_ROWS_H
#define MERGE_ROWS_H

#include "db_rows.h"

#include "../../harness/db_sqlite.h"
#include "../../harness/merge.h"

static char ours[96], theirs[96];

static inline int fresh_pair(void **state)
{
    if (fresh(state)) return 1;
    snprintf(ours, sizeof ours, "%s/ours.db", folder);
    snprintf(theirs, sizeof theirs, "%s/theirs.db", folder);
    return 0;
}

static inline Db *open_file(const char *file, DbMode mode)
{
    strcpy(path, file);
    return opened(mode);
}

static inline void fill(const char *file, const char *cpu, int first, int blocks, double ratio)
{
    Db *db = open_file(file, DB_WRITE);
    start_session(db, cpu);
    for (int i = 0; i < blocks; i++) store(db, first + i, ratio);
    refresh(db);
    db_close(db);
}

/* Changes a file past every guard. */
static inline void edit(const char *file, const char *sql)
{
    sqlite3 *sqlite;
    char *message = NULL;
    assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
    if (sqlite3_exec(sqlite, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s", message);
    sqlite3_close(sqlite);
}

static inline double ask(const char *file, const char *sql)
{
    Db *db = open_file(file, DB_WRITE);
    const double value = number(db, sql);
    db_close(db);
    return value;
}

/* A hash of all tables but `meta`. */
static inline void digest_file(const char *file, char out[SHA256_TEXT])
{
    static const char *const names[] = {
        "machine", "machine_fact", "session", "session_fact", "ceiling", "noise", "build", "code",
        "spec", "point", "comparison", "arm", "block", "run", "sample", "quantity",
        "metric", "stale", "timing", "pair_time", "estimate", "summary", "ratio",
    };
    uint8_t raw[SHA256_BYTES];
    Sha256 h;
    Db *db = open_file(file, DB_WRITE);
    sha256_open(&h);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        digest(db, names[i], out);
        sha256_add(&h, out, SHA256_TEXT);
    }
    db_close(db);
    sha256_close(&h, raw);
    sha256_text(raw, out);
}

static inline uint32_t bytes_of(const char *file)
{
    uint8_t part[4096];
    uint32_t crc = 0;
    FILE *in = fopen(file, "rb");
    assert_non_null(in);
    for (size_t got; (got = fread(part, 1, sizeof part, in)) > 0;) crc = crc32_add(crc, part, got);
    fclose(in);
    return crc;
}

#endif
