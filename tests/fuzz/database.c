/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody else's database. Two ways to spoil a good one: '@' and then records of four bytes of
 * place, one of length and as many of contents, which overwrite the file; or SQL that changes its
 * tables, views and rows as only its owner may. Then it is opened for reading and for writing, and
 * asked what attest asks. */
#include "../../harness/compare.h"
#include "../../harness/deadline.h"
#include "../../harness/file.h"
#include "../../harness/judge.h"
#include "../../harness/query_presets.h"
#include "fuzz.h"

#include <strings.h>

static char *database;
static size_t database_size;

static void overwrite(const uint8_t *data, size_t size)
{
    char *copy = malloc(database_size);
    require(copy);
    memcpy(copy, database, database_size);
    while (size > 5) {
        const size_t at = (data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16) % database_size;
        size_t length = data[4] < size - 5 ? data[4] : size - 5;
        if (length > database_size - at) length = database_size - at;
        memcpy(copy + at, data + 5, length);
        data += 5 + length;
        size -= 5 + length;
    }
    fuzz_file("spoilt.db", copy, database_size);
    free(copy);
}

/* A statement that makes another file is its owner's crime, not ours. */
static int stays_here(const char *statement)
{
    for (const char *at = statement; *at; at++)
        if (!strncasecmp(at, "attach", 6) || !strncasecmp(at, "vacuum", 6)) return 0;
    return 1;
}

/* One statement a line, whatever becomes of the others; but a name may hold anything. */
static void alter(const char *path, char *sql)
{
    Db *db = NULL;
    Err err;
    require(db_open(&db, path, DB_WRITE, &err) == OK);
    db_script(db, "PRAGMA foreign_keys = OFF; PRAGMA journal_mode = DELETE");
    db_stop_when(db, deadline_open(100));
    for (char *line = strtok(sql, "\n"); line; line = strtok(NULL, "\n")) {
        if (stays_here(line) || !strncmp(line, "CREATE VIEW ", 12)) db_script(db, line);
        db_check(db, &err);
    }
    deadline_close();
    db_close(db);
}

static void keep_difference(void *self, const char *what, const char *a, const char *b)
{
    *(size_t *)self += strlen(what) + strlen(a) + strlen(b);
}

static void compare(Db *db)
{
    Side a, b;
    Comparisons both;
    Err err;
    size_t length = 0;
    if (side_find(db, "last", &a, &err) || side_find(db, "here", &b, &err)) return;
    if (!compare_sides(db, &a, &b, 0.02, &both, &err)) compare_free(&both);
    compare_facts(db, &a, &b, keep_difference, &length, &err);
}

static void ask(Db *db)
{
    char alias[80];
    int64_t machine = 0;
    Err err;
    Sha256 hash;
    for (int i = 0; i < preset_count; i++) {
        Query *q = query_open(db, presets[i].sql, NO_VALUES);
        sha256_open(&hash);
        while (query_row(q)) query_hash_row(q, &hash);
        query_close(q);
        db_check(db, &err);
    }
    compare(db);
    if (!judge_machine(db, NULL, &machine, alias, sizeof alias, &err) && machine)
        db_only_machine(db, machine, &err);
}

static void use(const char *path, DbMode mode)
{
    Db *db = NULL;
    Err err = { "" };
    if (db_open(&db, path, mode, &err)) { require(err.text[0]); return; }
    db_stop_when(db, deadline_open(200));
    ask(db);
    deadline_close();
    db_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[512];
    if (!database) {
        database = file_read(fuzz_database("attest.db"), &database_size);
        require(database);
    }
    const int binary = size && *data == '@';
    if (binary) overwrite(data + 1, size - 1);
    else fuzz_file("spoilt.db", database, database_size);
    snprintf(path, sizeof path, "%s/spoilt.db", fuzz_folder());
    if (!binary) {
        char *sql = fuzz_text(data, size);
        alter(path, sql);
        free(sql);
    }
    use(path, DB_READ);
    use(path, DB_WRITE);
    fuzz_file("spoilt.db-journal", "", 0);
    fuzz_file("spoilt.db-wal", "", 0);
    return 0;
}
