/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: for writing, with a journal that suits the file system; for reading, guarded. */
#include "db_sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

/* ---- opening -------------------------------------------------------------------------- */

static int describes(const char *pragma)
{
    static const char *const harmless[] = {
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list",
    };
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (!strcmp(pragma, harmless[i])) return 1;
    return 0;
}

/* They load code, or call the address that they are given. */
static int is_dangerous(const char *function)
{
    return !strcmp(function, "load_extension") || !strcmp(function, "fts3_tokenizer");
}

/* Read-only by construction: the file is opened so, and besides nothing but reading is let
 * pass, not even a file on the side (ATTACH, VACUUM INTO). */
static int guard(void *self, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)c, (void)d;
    const Db *db = self;
    if (db->trusted > 0) return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT: case SQLITE_READ: case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION: return b && !is_dangerous(b) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_PRAGMA:   return describes(a) ? SQLITE_OK : SQLITE_DENY;
    /* What SQLite asks when it declares pragma_table_info() and the like; the file itself is
     * open for reading only, and its schema defended. */
    case SQLITE_UPDATE:   return !strcmp(a, "sqlite_master") ? SQLITE_OK : SQLITE_DENY;
    default: return SQLITE_DENY;
    }
}

static int stopped(void *self)
{
    const Db *db = self;
    return db->stop && *db->stop;
}

void db_stop_when(Db *db, const volatile int *stop) { db->stop = stop; }

static Status make_folders(const char *path, Err *err)
{
    char folder[PATH_MAX_BYTES];
    strcpy(folder, path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(folder, 0777) && errno != EEXIST)
            return fail(err, IO_FAILED, "%s: cannot be made: %s", folder, strerror(errno));
        *slash = '/';
    }
    return OK;
}

/* Shared memory between machines does not work, so WAL must not be used there.
 * Magic numbers of statfs(2): NFS, SMB, CIFS, SMB2, 9P, Lustre, GPFS, AFS, Ceph, BeeGFS, FUSE
 * (which may be anything, sshfs included). */
static int on_network(const char *path)
{
    static const unsigned long network[] = {
        0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x0bd00bd0, 0x47504653, 0x5346414f,
        0x00c36400, 0x19830326, 0x65735546,
    };
    char folder[PATH_MAX_BYTES];
    strcpy(folder, path);
    char *slash = strrchr(folder, '/');
    strcpy(slash == folder ? folder + 1 : slash ? slash : folder, slash ? "" : ".");
    struct statfs fs;
    if (statfs(folder, &fs)) return 0;
    for (size_t i = 0; i < sizeof network / sizeof *network; i++)
        if (((unsigned long)fs.f_type & 0xffffffff) == network[i]) return 1;
    return 0;
}

/* Two programs that make the file at the same time: the change of mode does not wait by itself. */
static int use_wal(Db *db)
{
    const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
    int rc = SQLITE_BUSY;
    for (int i = 0; i < BUSY_MS / 20 && (rc & 0xff) == SQLITE_BUSY; i++) {
        rc = sqlite3_exec(db->sqlite, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if ((rc & 0xff) == SQLITE_BUSY) nanosleep(&pause, NULL);
    }
    if (rc != SQLITE_OK) sqlite_trouble(db, rc);
    return rc == SQLITE_OK;
}

static void choose_journal(Db *db)
{
    if (db->status) return;
    if (on_network(db->path)) {
        db_script(db, "PRAGMA journal_mode = DELETE");
        snprintf(db->notice, sizeof db->notice,
                 "%.300s is on a network file system: write from one machine "
                 "at a time, or give each its own file and `attest merge` them",
                 db->path);
        return;
    }
    if (!use_wal(db)) return;
    Query *mode = query_open(db, "PRAGMA journal_mode", NO_VALUES);
    if (query_row(mode) && strcmp(column_text(mode, 0), "wal"))
        snprintf(db->notice, sizeof db->notice,
                 "%.300s: no write-ahead log here, so reading waits for writing", db->path);
    query_close(mode);
}

/* The file may be anybody's: its triggers do not run, and no statement loads code, or takes all
 * memory or an hour for one value. */
static void restrain(sqlite3 *sqlite)
{
    static const struct { int what, on; } switches[] = {
        { SQLITE_DBCONFIG_DEFENSIVE, 1 },
        { SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
        { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
        { SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
    };
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        sqlite3_db_config(sqlite, switches[i].what, switches[i].on, NULL);
    sqlite3_limit(sqlite, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    sqlite3_limit(sqlite, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_MAX);
    sqlite3_hard_heap_limit64(HEAP_MAX);
}

void connect_to(Db *db, int flags, const char *name)
{
    struct stat found;
    if (!stat(db->path, &found) && S_ISDIR(found.st_mode)) {
        trouble(db, BAD_INPUT, "is a folder; a database is a file, as results/attest.db");
        return;
    }
    const int rc = sqlite3_open_v2(name, &db->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (!db->sqlite) { trouble(db, NO_MEMORY, "no memory for the database"); return; }
    if (rc != SQLITE_OK) { sqlite_trouble(db, rc); return; }
    sqlite3_busy_timeout(db->sqlite, BUSY_MS);
    sqlite3_extended_result_codes(db->sqlite, 1);
    sqlite3_progress_handler(db->sqlite, 1000, stopped, db);
    restrain(db->sqlite);
    const int functions = sql_functions_register(db->sqlite);
    if (functions != SQLITE_OK) sqlite_trouble(db, functions);
    /* Sorting fills no disk, and pages of a large file that are needed again are not read again. */
    db_script(db, "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536");
}

void disconnect(Db *db)
{
    for (int i = 0; i < QUERIES; i++) {
        sqlite3_finalize(db->query[i].statement);
        db->query[i] = (Query){ 0 };
    }
    sqlite3_close(db->sqlite);
    db->sqlite = NULL;
}

static int is_in_memory(const Db *db)
{
    return !strncmp(db->path, MEMORY_PATH, sizeof MEMORY_PATH - 1);
}

/* What is attached later is named by a URI, which says that it is only read; the main file is not:
 * its name may hold any character. */
static int uri_flag(const Db *db)
{
    return strncmp(db->path, "file:", 5) || is_in_memory(db) ? SQLITE_OPEN_URI : 0;
}

static Status open_to_write(Db *db, Err *err)
{
    Status status = is_in_memory(db) ? OK : make_folders(db->path, err);
    if (status) return status;
    connect_to(db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | uri_flag(db), db->path);
    db_script(db, "PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL");
    const SchemaState state = schema_state(db);
    if (state != SCHEMA_FOREIGN && state != SCHEMA_NEWER && !is_in_memory(db)) choose_journal(db);
    if ((status = db_check(db, err)) || (status = schema_bring_up(db, err))) return status;
    return db_refresh(db, err);
}

static int has_no_shared_memory(const Db *db)
{
    const int rc = sqlite3_errcode(db->sqlite) & 0xff;
    return db->status && (rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY);
}

/* A file in WAL mode in a folder that cannot be written has no shared memory to be read with; if
 * no log is left beside it, it is whole by itself. Any other trouble is one: a file that somebody
 * writes must never be read as if nobody did. */
void connect_read_only(Db *db)
{
    connect_to(db, SQLITE_OPEN_READONLY | uri_flag(db), db->path);
    db_integer(db, "SELECT count(*) FROM sqlite_schema", NO_VALUES, 0);
    if (!has_no_shared_memory(db) || strpbrk(db->path, "?#%")) return;
    char uri[PATH_MAX_BYTES + 32], log[PATH_MAX_BYTES + 8];
    struct stat st;
    snprintf(log, sizeof log, "%s-wal", db->path);
    if (stat(log, &st) == 0 && st.st_size > 0) return;
    snprintf(uri, sizeof uri, "file:%s?immutable=1", db->path);
    disconnect(db);
    db->status = OK;
    connect_to(db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, uri);
    db->immutable = 1;
}

/* What only needs to be derived again is derived by opening the file for writing once. */
static Status bring_up_for_reading(Db *db, SchemaState state, Err *err)
{
    if (state == SCHEMA_RIGHT) return OK;
    if (state == SCHEMA_OLD || state == SCHEMA_UNFINISHED) {
        Db *writer = NULL;
        Err why;
        const Status status = db_open(&writer, db->path, DB_WRITE, &why);
        db_close(writer);
        if (!status) return OK;
        if (state == SCHEMA_OLD)
            return fail(err, status,
                        "%s was made by an older attest and cannot be brought up to date: %s",
                        db->path, why.text);
        snprintf(db->notice, sizeof db->notice,
                 "estimates lag behind the rows, for the file can only be read");
        return OK;
    }
    if (state == SCHEMA_EMPTY)
        return fail(err, BAD_INPUT, "%s is empty; `attest run` fills it", db->path);
    return schema_bring_up(db, err);   /* which refuses: newer or foreign */
}

static Status open_to_read(Db *db, Err *err)
{
    struct stat st;
    if (!is_in_memory(db) && stat(db->path, &st))
        return fail(err, BAD_INPUT, "%s: %s; `attest run` makes it", db->path, strerror(errno));
    connect_read_only(db);
    const SchemaState state = schema_state(db);
    Status status = db_check(db, err);
    if (!status) status = bring_up_for_reading(db, state, err);
    if (!status) sqlite3_limit(db->sqlite, SQLITE_LIMIT_ATTACHED, 0);   /* VACUUM INTO too */
    if (!status && sqlite3_set_authorizer(db->sqlite, guard, db) != SQLITE_OK)
        status = fail(err, IO_FAILED, "%s: cannot be guarded against writing", db->path);
    return status;
}

Status db_open(Db **out, const char *path, DbMode mode, Err *err)
{
    *out = NULL;
    if (strlen(path) + 16 > PATH_MAX_BYTES || !*path)
        return fail(err, BAD_INPUT, "the database's path is empty or too long");
    Db *db = calloc(1, sizeof *db);
    if (!db) return fail(err, NO_MEMORY, "no memory for the database");
    strcpy(db->path, path);
    db->mode = mode;
    const Status status = mode == DB_WRITE ? open_to_write(db, err) : open_to_read(db, err);
    if (status) { db_close(db); return status; }
    *out = db;
    return OK;
}

void db_close(Db *db)
{
    if (!db) return;
    if (db->in_transaction) db_rollback(db);
    disconnect(db);
    free(db);
}

const char *db_path(const Db *db) { return db->path; }
const char *db_notice(const Db *db) { return db->notice[0] ? db->notice : NULL; }

/* ---- one machine at a time ------------------------------------------------------------ */

/* Temporary views of the same names stand before the file's own. */
static void shadow(Db *db, const char *view, int64_t machine)
{
    db_script_of(db,
                 "DROP VIEW IF EXISTS temp.\"%w\";"
                 "CREATE TEMP VIEW \"%w\" AS SELECT * FROM main.\"%w\" WHERE machine_id = %lld",
                 view, view, view, (long long)machine);
}

Status db_only_machine(Db *db, int64_t machine, Err *err)
{
    enum { MOST = 64 };
    char name[MOST][64];
    int count = 0;
    db->trusted++;
    Query *q =
        query_open(db,
                   "SELECT v.name FROM main.sqlite_schema v, pragma_table_info(v.name, 'main') c "
                   "WHERE v.type = 'view' AND c.name = 'machine_id' AND v.name <> 'v_verdict' "
                   "AND length(v.name) < 60",
                   NO_VALUES);
    while (query_row(q) && count < MOST)
        snprintf(name[count++], sizeof *name, "%.60s", column_text(q, 0));
    query_close(q);
    for (int i = 0; i < count; i++) shadow(db, name[i], machine);
    db->trusted--;
    return db_check(db, err);
}
