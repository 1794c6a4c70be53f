/* SPDX-License-Identifier: Apache-2.0 */
/* What `attest query` is given: SQL that may read, but not write, nor take more than its limits. */
#include "../../harness/deadline.h"
#include "../../harness/file.h"
#include "fuzz.h"

static char *database;
static size_t database_size;

static void ask(const char *path, const char *sql)
{
    Db *db = NULL;
    Err err = { "" };
    Sha256 hash;
    require(db_open(&db, path, DB_READ, &err) == OK);
    db_stop_when(db, deadline_open(50));
    Query *q = query_open(db, sql, NO_VALUES);
    sha256_open(&hash);
    for (int rows = 0; rows < 1000 && query_row(q); rows++) query_hash_row(q, &hash);
    query_close(q);
    if (db_check(db, &err)) require(err.text[0]);
    deadline_close();
    db_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[512];
    size_t after_size = 0;
    if (!database) {
        strcpy(path, fuzz_database("attest.db"));
        database = file_read(path, &database_size);
        require(database);
    }
    char *sql = fuzz_text(data, size);
    const int entries = fuzz_entries(fuzz_folder());
    ask(path, sql);
    char *after = file_read(path, &after_size);
    require(fuzz_entries(fuzz_folder()) == entries);
    require(after && after_size == database_size && !memcmp(after, database, after_size));
    free(after);
    free(sql);
    return 0;
}
