/* SPDX-License-Identifier: Apache-2.0 */
#include "db_other.h"
#include "db_sqlite.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- in memory ------------------------------------------------------------------------ */

/* SQLite's memdb: connections that name the same path see the same database, which lasts as long
 * as one of them is open. */
static void next_path(char *out, size_t size)
{
    static int made;
    snprintf(out, size, MEMORY_PATH "%d?vfs=memdb", ++made);
}

static int copy_pages(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
    if (!copy) return sqlite3_errcode(to);
    sqlite3_backup_step(copy, -1);
    return sqlite3_backup_finish(copy);
}

/* SQLite reads the bytes as it would read a damaged or hostile file: they are data, never code. */
static void load(Db *db, const void *image, size_t size)
{
    sqlite3 *from = NULL;
    unsigned char *copy = sqlite3_malloc64(size ? size : 1);
    int rc = copy ? sqlite3_open(":memory:", &from) : SQLITE_NOMEM;
    if (rc == SQLITE_OK) {
        memcpy(copy, image, size);
        rc = sqlite3_deserialize(from, "main", copy, (sqlite3_int64)size, (sqlite3_int64)size,
                                 SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY);
        copy = NULL;                   /* freed by SQLite, whatever became of it */
    }
    if (rc == SQLITE_OK) rc = copy_pages(db->sqlite, from);
    if (rc != SQLITE_OK) trouble(db, rc == SQLITE_NOMEM ? NO_MEMORY : BAD_INPUT,
                                 "the bytes are those of no database that can be read");
    sqlite3_close(from);
    sqlite3_free(copy);
}

static void load_sound(Db *db, const void *image, size_t size)
{
    connect_to(db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, db->path);
    if (db->status || !image) return;
    load(db, image, size);
    if (schema_state(db) == SCHEMA_EMPTY) trouble(db, BAD_INPUT, "there is nothing in it");
    Query *q = query_open(db, "PRAGMA integrity_check(1)", NO_VALUES);
    if (query_row(q) && strcmp(column_text(q, 0), "ok")) trouble(db, BAD_INPUT, column_text(q, 0));
    query_close(q);
    /* Attest makes none, and they would run while views are replaced. */
    if (db_integer(db, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'trigger')",
                   NO_VALUES, 0))
        trouble(db, BAD_INPUT, "there are triggers in it");
    /* Its views may be anything: they are replaced by our own. */
    db_write(db, "DELETE FROM meta WHERE key = 'views'", NO_VALUES);
    schema_keep_derived(db);
}

Status db_open_memory(Db **out, const void *image, size_t size, Err *err)
{
    Db *loader = calloc(1, sizeof *loader);
    *out = NULL;
    if (!loader) return fail(err, NO_MEMORY, "no memory for the database");
    next_path(loader->path, sizeof loader->path);
    load_sound(loader, image, size);
    Status status = db_check(loader, err);
    if (!status) status = db_open(out, loader->path, DB_WRITE, err);
    db_close(loader);
    return status;
}

Status db_image(Db *db, void **image, size_t *size, Err *err)
{
    sqlite3_int64 bytes = 0;
    unsigned char *data = sqlite3_serialize(db->sqlite, "main", &bytes, 0);
    *image = data ? malloc((size_t)bytes) : NULL;
    if (*image) memcpy(*image, data, (size_t)bytes);
    sqlite3_free(data);
    *size = (size_t)bytes;
    return *image ? OK : fail(err, NO_MEMORY, "no memory for a database's %lld bytes",
                              (long long)bytes);
}

/* ---- attached ------------------------------------------------------------------------- */

/* file:PATH?mode=ro, with what means something in a URI written as %XX. The file system is named,
 * for else it would be that of the main database, which may be memory. */
static int reading_uri(const Db *other, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "file:");
    for (const char *c = other->path; *c && used + 4 < size; c++)
        used += (size_t)snprintf(out + used, size - used,
                                 isalnum((unsigned char)*c) || strchr("/._-", *c) ? "%c" : "%%%02X",
                                 (unsigned char)*c);
    used += (size_t)snprintf(out + used, size - used, "?mode=ro&vfs=%s%s",
                             sqlite3_vfs_find(NULL)->zName,
                             other->immutable ? "&immutable=1" : "");
    return used < size;
}

static int is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* An older file is migrated where nobody sees it. The copy lasts as long as it is attached. */
static Status attach_migrated(Db *db, Db *other, Err *err)
{
    char path[PATH_MAX_BYTES];
    Db *copy = calloc(1, sizeof *copy), *migrated = NULL;
    if (!copy) return fail(err, NO_MEMORY, "no memory for a copy of %s", other->path);
    next_path(path, sizeof path);
    strcpy(copy->path, path);
    load_sound(copy, NULL, 0);
    db_write(other, "VACUUM INTO ?", VALUES(val_text(path)));
    Status status = db_check(other, err);
    if (!status) status = db_open(&migrated, path, DB_WRITE, err);
    if (!status) db_write(db, "ATTACH ? AS theirs", VALUES(val_text(path)));
    db_close(migrated);
    db_close(copy);
    return status;
}

static Status attach(Db *db, Db *other, Err *err)
{
    char uri[3 * PATH_MAX_BYTES];
    connect_read_only(other);
    const SchemaState state = schema_state(other);
    Status status = db_check(other, err);
    if (status) return status;
    if (state == SCHEMA_EMPTY)
        return fail(err, BAD_INPUT, "%s is empty: there is nothing to merge", other->path);
    if (state == SCHEMA_NEWER || state == SCHEMA_FOREIGN) return schema_bring_up(other, err);
    if (state == SCHEMA_OLD) return attach_migrated(db, other, err);
    if (!reading_uri(other, uri, sizeof uri))
        return fail(err, BAD_INPUT, "%.200s...: the path is too long", other->path);
    db_write(db, "ATTACH ? AS theirs",
             VALUES(val_text(strncmp(other->path, MEMORY_PATH, sizeof MEMORY_PATH - 1)
                                 ? uri : other->path)));
    return OK;
}

Status db_attach(Db *db, const char *path, Err *err)
{
    require(!db->in_transaction);
    struct stat found;
    const int in_memory = !strncmp(path, MEMORY_PATH, sizeof MEMORY_PATH - 1);
    if (strlen(path) >= PATH_MAX_BYTES) return fail(err, BAD_INPUT, "the path is too long");
    if (!in_memory && stat(path, &found))
        return fail(err, BAD_INPUT, "%s: %s", path, strerror(errno));
    if (!in_memory && is_same_file(path, db->path))
        return fail(err, BAD_INPUT, "%s is the database itself", path);
    Db *other = calloc(1, sizeof *other);
    if (!other) return fail(err, NO_MEMORY, "no memory for another database");
    strcpy(other->path, path);
    Status status = attach(db, other, err);
    if (!status) status = db_check(db, err);
    db_close(other);
    return status;
}

/* Statements that are kept for the next call would keep it in use. */
void db_detach(Db *db)
{
    for (int i = 0; i < QUERIES; i++) {
        if (db->query[i].open) continue;
        sqlite3_finalize(db->query[i].statement);
        db->query[i] = (Query){ 0 };
    }
    db_script(db, "DETACH theirs");
}
