/* SPDX-License-Identifier: Apache-2.0 */
/* From a bundle's bytes to rows that can be trusted to be those that were packed: the archive, the
 * hashes, the tables, the ids. bundle_again.c goes on from there. */
#include "bundle_work.h"
#include "db_identity.h"
#include "db_internal.h"
#include "db_other.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- findings ---------------------------------------------------------------------------- */

int found(Work *w, CheckKind kind, const char *what, const char *format, ...)
{
    va_list arguments;
    require(w->out->checks < CHECKS_MAX);
    Check *c = &w->out->check[w->out->checks++];
    *c = (Check){ .kind = kind, .what = what };
    va_start(arguments, format);
    vsnprintf(c->text, sizeof c->text, format, arguments);
    va_end(arguments);
    w->out->differ += kind == CHECK_DIFFERS;
    return kind == CHECK_AGREES;
}

Status trouble_is_found(Work *w, const char *what, Status status, const Err *why, Err *err)
{
    if (status == NO_MEMORY) return fail(err, NO_MEMORY, "%s", why->text);
    const char *in_memory = strstr(why->text, "?vfs=memdb: ");
    if (status && in_memory)
        found(w, CHECK_DIFFERS, what, "rows.db: %.380s", in_memory + strlen("?vfs=memdb: "));
    else if (status)
        found(w, CHECK_DIFFERS, what, "%.390s", why->text);
    return OK;
}

/* ---- the archive ------------------------------------------------------------------------- */

const TarMember *member_named(const Work *w, const char *name)
{
    for (int i = 0; i < w->members; i++)
        if (!strcmp(bundle_file(&w->member[i]), name)) return &w->member[i];
    return NULL;
}

static int is_expected(const char *file)
{
    static const char *const names[] = { "README",       "manifest.json", "paper.yaml",
                                         "claims.yaml",  "published.csv", "verdicts.json",
                                         "rows.db",      "SHA256SUMS" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(file, names[i])) return 1;
    return !strncmp(file, "specs/", 6);
}

/* All members lie in one folder, attest-PAPER, each once. */
static int check_names(Work *w)
{
    const char *first = w->member[0].name, *slash = strchr(first, '/');
    const size_t folder = slash ? (size_t)(slash - first) + 1 : 0;
    if (w->members == 0 || folder < 9 || strncmp(first, "attest-", 7) ||
        folder - 8 >= sizeof w->out->paper)
        return found(w, CHECK_DIFFERS, "archive", "it is no bundle of attest's");
    memcpy(w->out->paper, first + 7, folder - 8);
    for (int i = 0; i < w->members; i++) {
        const char *name = w->member[i].name;
        if (strncmp(name, first, folder) || !is_expected(name + folder) ||
            member_named(w, name + folder) != &w->member[i])
            return found(w, CHECK_DIFFERS, "archive", "%.99s has no place in it", name);
    }
    static const char *const needed[] = { "README", "manifest.json", "paper.yaml", "claims.yaml",
                                          "verdicts.json", "rows.db", "SHA256SUMS" };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!member_named(w, needed[i]))
            return found(w, CHECK_DIFFERS, "archive", "%s is missing", needed[i]);
    return 1;
}

int is_text(const TarMember *m, const BundleText *text)
{
    return m->size == text->size && !memcmp(m->data, text->text, m->size);
}

/* Which of the lines is wrong says which file was changed. */
static void tell_wrong_sums(Work *w, const BundleText *right)
{
    const TarMember *sums = member_named(w, "SHA256SUMS");
    int told = 0;
    for (const char *line = right->text; *line; line = strchr(line, '\n') + 1) {
        const size_t length = strcspn(line, "\n") + 1;
        size_t at = 0;
        while (at + length <= sums->size && memcmp((const char *)sums->data + at, line, length))
            at++;
        if (at + length > sums->size && told++ < 4)
            found(w, CHECK_DIFFERS, "hashes", "%.*s is not the file that was hashed",
                  (int)(length - SHA256_TEXT - 2), line + SHA256_TEXT + 1);
    }
    if (!told) found(w, CHECK_DIFFERS, "hashes", "SHA256SUMS lists something else");
}

static Status check_sums(Work *w, Err *err)
{
    BundleText right;
    const Status status = bundle_sums(w->member, w->members, &right, err);
    if (status) return status;
    if (is_text(member_named(w, "SHA256SUMS"), &right))
        found(w, CHECK_AGREES, "hashes", "SHA-256 of %d files", w->members - 1);
    else
        tell_wrong_sums(w, &right);
    free(right.text);
    return OK;
}

/* ---- rows -------------------------------------------------------------------------------- */

/* Claims may read whatever has a name in it: so there is nothing but what attest makes. */
static Status check_schema(Db *fresh, Err *err)
{
#define COLUMNS_OF(schema) \
    "SELECT m.name, c.* FROM " schema ".sqlite_schema m, " \
    "pragma_table_xinfo(m.name, '" schema "') c " \
    "WHERE m.type = 'table' AND m.rootpage > 0"
    static const char *const queries[] = {
        "SELECT name FROM (SELECT name, type, tbl_name FROM theirs.sqlite_schema EXCEPT "
        "SELECT name, type, tbl_name FROM main.sqlite_schema)",
        COLUMNS_OF("theirs") " EXCEPT " COLUMNS_OF("main"),
        COLUMNS_OF("main") " EXCEPT " COLUMNS_OF("theirs"),
    };
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        char name[64] = "";
        Query *q = query_open(fresh, queries[i], NO_VALUES);
        if (query_row(q)) snprintf(name, sizeof name, "%.60s", column_text(q, 0));
        query_close(q);
        if (*name) return fail(err, BAD_INPUT, "rows.db: %s is not as attest makes it", name);
    }
    return db_check(fresh, err);
}

static Status check_tables(Work *w, Err *err)
{
    Db *fresh = NULL;
    Status status = db_open_memory(&fresh, NULL, 0, err);
    if (!status) status = db_attach(fresh, db_path(w->db), err);
    if (!status) status = check_schema(fresh, err);
    db_close(fresh);
    return status;
}

static Status open_rows(Work *w, Err *err)
{
    const TarMember *rows = member_named(w, "rows.db");
    Err why;
    Status status = db_open_memory(&w->db, rows->data, rows->size, &why);
    if (!status) status = check_tables(w, &why);
    if (!status) return OK;
    db_close(w->db);
    w->db = NULL;
    return trouble_is_found(w, "rows", status, &why, err);
}

static Status check_rows(Work *w, Err *err)
{
    Identities ids;
    Err why;
    const int64_t loose =
        db_integer(w->db, "SELECT count(*) FROM pragma_foreign_key_check", NO_VALUES, 0);
    const Status status = db_identities(w->db, "main", &ids, &why);
    if (status) return trouble_is_found(w, "rows", status, &why, err);
    if (loose)
        found(w, CHECK_DIFFERS, "rows", "%lld rows refer to rows that are not there",
              (long long)loose);
    else if (ids.wrong)
        found(w, CHECK_DIFFERS, "rows", "%lld ids are not those of their rows; the first is "
              "%016llx of table %s", (long long)ids.wrong, (unsigned long long)ids.id, ids.table);
    else
        found(w, CHECK_AGREES, "rows", "%lld ids are the hashes of their rows",
              (long long)ids.rows);
    return OK;
}

/* ---- all of it --------------------------------------------------------------------------- */

static Status check_content(Work *w, Err *err)
{
    Status status = open_rows(w, err);
    if (status || !w->db) return status;
    status = check_rows(w, err);
    return status ? status : check_again(w, err);
}

Status bundle_verify(Verification *out, const void *data, size_t size, Err *err)
{
    Err why;
    *out = (Verification){ .paper = "" };
    Work *w = calloc(1, sizeof *w);
    if (!w) return fail(err, NO_MEMORY, "no memory to verify a bundle");
    w->out = out;
    Status status = tar_read(data, size, w->member, BUNDLE_FILES_MAX, &w->members, &why);
    if (status) {
        status = trouble_is_found(w, "archive", status, &why, err);
    } else if (check_names(w)) {
        status = check_sums(w, err);
        if (!status) status = check_content(w, err);
    }
    if (w->judged) judgements_free(&w->judgements);
    if (w->paper.folder) paper_close(&w->paper);
    db_close(w->db);
    free(w);
    return status;
}
