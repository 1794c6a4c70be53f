/* SPDX-License-Identifier: Apache-2.0 */
/* Copies the paper's rows into a database in memory, derives and judges there, and packs it up with
 * the texts that it was judged by. */
#include "bundle.h"
#include "build_info.h"
#include "db_internal.h"
#include "file.h"
#include "home.h"
#include "merge.h"
#include "told.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Paper      paper;
    Db        *db;             /* in memory */
    int64_t    machine;
    Judgements judgements;
    TarMember  member[BUNDLE_FILES_MAX];
    int        members;        /* each owns its data */
} Packing;

/* ---- rows -------------------------------------------------------------------------------- */

/* temp.whose (machine, paper) says which. Sessions that only measured noise certify the machine. */
static const char want_rows[] =
    "CREATE TEMP TABLE asked_point (id INTEGER PRIMARY KEY);"
    "INSERT INTO temp.asked_point SELECT DISTINCT r.point FROM temp.whose w "
    "    JOIN theirs.spec p ON p.paper = w.paper JOIN theirs.block b ON b.spec = p.id "
    "    JOIN theirs.session s ON s.id = b.session AND s.machine = w.machine "
    "    JOIN theirs.run r ON r.block = b.id;"
    "CREATE TEMP TABLE wanted_block (id INTEGER PRIMARY KEY);"
    "INSERT INTO temp.wanted_block SELECT DISTINCT b.id FROM temp.whose w "
    "    JOIN theirs.run r ON r.point IN temp.asked_point JOIN theirs.block b ON b.id = r.block "
    "    JOIN theirs.session s ON s.id = b.session AND s.machine = w.machine;"
    "CREATE TEMP TABLE wanted_session (id INTEGER PRIMARY KEY);"
    "INSERT INTO temp.wanted_session "
    "    SELECT session FROM theirs.block WHERE id IN temp.wanted_block "
    "    UNION SELECT n.session FROM theirs.noise n JOIN theirs.session s ON s.id = n.session "
    "    JOIN temp.whose w ON w.machine = s.machine";

static Status copy_rows(Packing *p, Err *err)
{
    Db *db = p->db;
    db_begin(db);
    db_script(db, "CREATE TEMP TABLE whose (machine INTEGER, paper TEXT)");
    db_write(db, "INSERT INTO temp.whose VALUES (?, ?)",
             VALUES(val_integer(p->machine), val_text(p->paper.id)));
    db_script(db, want_rows);
    merge_copy(db);
    db_script(db, "DROP TABLE temp.whose; DROP TABLE temp.asked_point;"
                  "DROP TABLE temp.wanted_block; DROP TABLE temp.wanted_session");
    return db_commit(db, err);
}

static Status take_rows(Packing *p, const char *db_path, Err *err)
{
    Status status = db_open_memory(&p->db, NULL, 0, err);
    if (!status) status = db_attach(p->db, db_path, err);
    if (status) return status;
    status = copy_rows(p, err);
    db_detach(p->db);
    const Status detached = db_check(p->db, status ? NULL : err);
    if (!status) status = detached;
    if (!status && !db_integer(p->db, "SELECT count(*) FROM block", NO_VALUES, 0))
        return fail(err, BAD_INPUT,
                    "nothing was measured for %s: `attest reproduce %s` does", p->paper.id,
                    p->paper.id);
    return status ? status : db_refresh(p->db, err);
}

/* ---- verdicts ---------------------------------------------------------------------------- */

static void note(Db *db, const char *name, const char *value)
{
    char key[48];
    snprintf(key, sizeof key, "bundle.%s", name);
    db_write(db, "INSERT INTO meta (key, value) VALUES (?, ?)",
             VALUES(val_text(key), val_text(value)));
}

static Status note_origin(Packing *p, Err *err)
{
    char format[16], engine[16];
    snprintf(format, sizeof format, "%d", BUNDLE_FORMAT);
    snprintf(engine, sizeof engine, "%d", JUDGE_ENGINE);
    db_begin(p->db);
    note(p->db, "format", format);
    note(p->db, "paper", p->paper.id);
    note(p->db, "judge", engine);
    note(p->db, "made_by.revision", build_commit);
    note(p->db, "made_by.changed", build_dirty ? "1" : "0");
    note(p->db, "made_by.sources_sha256", build_sources);
    note(p->db, "made_by.compiler", build_compiler);
    db_write(p->db, "INSERT INTO meta (key, value) SELECT 'bundle.derivation', value FROM meta "
                    "WHERE key = 'derivation'", NO_VALUES);
    /* Judged when the last row was measured: a bundle does not depend on the day it is made. */
    db_write(p->db, "UPDATE verdict SET judged_at_ms = (SELECT max(started_at_ms) FROM block)",
             NO_VALUES);
    return db_commit(p->db, err);
}

static Status judge_rows(Packing *p, const TarMember *published, Err *err)
{
    Status status = OK;
    if (published)
        status = told_published_text(p->db, &p->paper, "published.csv", published->data,
                                     published->size, err);
    if (!status) status = told_claims(p->db, &p->paper, err);
    if (!status) status = judge_paper(&p->judgements, &p->paper, db_path(p->db), p->machine, err);
    if (!status) status = told_verdicts(p->db, &p->paper, &p->judgements, err);
    return status ? status : note_origin(p, err);
}

/* ---- files ------------------------------------------------------------------------------- */

/* Takes over data. */
static Status add(Packing *p, const char *name, char *data, size_t size, Err *err)
{
    if (p->members == BUNDLE_FILES_MAX) {
        free(data);
        return fail(err, BAD_INPUT, "more than %d files would be in it", BUNDLE_FILES_MAX);
    }
    TarMember m = { .data = data, .size = size };
    const int length = snprintf(m.name, sizeof m.name, "attest-%s/%s", p->paper.id, name);
    require(length < (int)sizeof m.name);
    p->member[p->members++] = m;
    return OK;
}

static Status add_text(Packing *p, const char *name, Status status, BundleText text, Err *err)
{
    if (!status) return add(p, name, text.text, text.size, err);
    free(text.text);
    return status;
}

/* A file of the paper's folder; *there: 0 where it is absent. */
static Status add_file(Packing *p, const char *name, int *there, Err *err)
{
    char path[HOME_PATH];
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", p->paper.folder, name);
    char *text = file_read(path, &size);
    *there = text != NULL;
    if (text) return add(p, name, text, size, err);
    return errno == ENOENT ? OK : fail(err, IO_FAILED, "%s: %s", path, strerror(errno));
}

static Status add_specs(Packing *p, Err *err)
{
    Status status = OK;
    char name[64];
    Query *q = query_open(
        p->db, "SELECT printf('specs/%016x.yaml', id), text FROM spec ORDER BY id", NO_VALUES);
    while (!status && query_row(q)) {
        snprintf(name, sizeof name, "%s", column_text(q, 0));
        char *text = strdup(column_text(q, 1));
        status = text ? add(p, name, text, strlen(text), err)
                      : fail(err, NO_MEMORY, "no memory for an experiment's text");
    }
    query_close(q);
    return status ? status : db_check(p->db, err);
}

static Status add_rows(Packing *p, Err *err)
{
    void *image = NULL;
    size_t size = 0;
    const Status status = db_image(p->db, &image, &size, err);
    return status ? status : add(p, "rows.db", image, size, err);
}

static Status add_made_texts(Packing *p, Err *err)
{
    BundleText text = { NULL, 0 };
    Status status = bundle_readme(p->paper.id, &text, err);
    status = add_text(p, "README", status, text, err);
    if (status) return status;
    status = bundle_manifest(p->db, &text, err);
    status = add_text(p, "manifest.json", status, text, err);
    if (status) return status;
    status = bundle_verdicts(&p->paper, &p->judgements, &text, err);
    return add_text(p, "verdicts.json", status, text, err);
}

/* The claims that are judged are those of the files that are packed: they are read once. */
static Status read_paper(Packing *p, const TarMember **published, Err *err)
{
    int there;
    Status status = add_file(p, "paper.yaml", &there, err);
    if (!status) status = add_file(p, "claims.yaml", &there, err);
    if (!status) status = add_file(p, "published.csv", &there, err);
    if (status) return status;
    *published = there ? &p->member[p->members - 1] : NULL;
    require(p->members >= 2);
    char id[sizeof p->paper.id];
    strcpy(id, p->paper.id);
    paper_close(&p->paper);
    return paper_parse(&p->paper, id, (PaperFile){ p->member[0].data, p->member[0].size },
                       (PaperFile){ p->member[1].data, p->member[1].size }, err);
}

/* ---- all of it --------------------------------------------------------------------------- */

static Status choose_machine(Packing *p, const char *db_path, const char *alias, Bundle *out,
                             Err *err)
{
    Db *db = NULL;
    Status status = db_open(&db, db_path, DB_READ, err);
    if (!status)
        status = judge_machine(db, alias, &p->machine, out->machine, sizeof out->machine, err);
    db_close(db);
    return status;
}

/* Verdicts that the database holds of this machine, where they are not those of the bundle. */
static Status find_others(const Packing *p, const char *db_path, Bundle *out, Err *err)
{
    Db *db = NULL;
    const Status status = db_open(&db, db_path, DB_READ, err);
    if (status) return status;
    for (int i = 0; i < p->judgements.count; i++) {
        const Judgement *j = &p->judgements.item[i];
        Query *q = query_open(db, "SELECT verdict FROM v_verdict WHERE current AND paper = ? AND "
                                  "id = ? AND machine_id IS ? ORDER BY judged_at_ms DESC LIMIT 1",
                              VALUES(val_text(p->paper.id), val_text(j->claim->id),
                                     val_integer(p->machine)));
        const size_t used = strlen(out->other);
        if (query_row(q) && strcmp(column_text(q, 0), verdict_name(j->verdict)))
            snprintf(out->other + used, sizeof out->other - used, "%s%s", used ? ", " : "",
                     j->claim->id);
        query_close(q);
    }
    const Status checked = db_check(db, err);
    db_close(db);
    return checked;
}

static Status pack(Packing *p, Bundle *out, Err *err)
{
    BundleText sums = { NULL, 0 };
    Status status = add_specs(p, err);
    if (!status) status = add_made_texts(p, err);
    if (!status) status = add_rows(p, err);
    if (status) return status;
    status = bundle_sums(p->member, p->members, &sums, err);
    status = add_text(p, "SHA256SUMS", status, sums, err);
    if (status) return status;
    FILE *file = open_memstream(&out->data, &out->size);
    if (!file) return fail(err, NO_MEMORY, "no memory for the bundle");
    tar_write(file, p->member, p->members);
    if (!file_close(file) || !out->data) return fail(err, NO_MEMORY, "no memory for the bundle");
    out->files = p->members;
    out->claims = p->judgements.count;
    out->blocks = db_integer(p->db, "SELECT count(*) FROM block", NO_VALUES, 0);
    out->runs = db_integer(p->db, "SELECT count(*) FROM run", NO_VALUES, 0);
    out->sessions = db_integer(p->db, "SELECT count(*) FROM session", NO_VALUES, 0);
    return db_check(p->db, err);
}

Status bundle_make(Bundle *out, const char *paper, const char *db_path, const char *machine,
                   Err *err)
{
    const TarMember *published = NULL;
    *out = (Bundle){ 0 };
    Packing *p = calloc(1, sizeof *p);
    if (!p) return fail(err, NO_MEMORY, "no memory for a bundle");
    Status status = paper_open(&p->paper, paper, err);
    if (!status) status = choose_machine(p, db_path, machine, out, err);
    if (!status) status = read_paper(p, &published, err);
    if (!status) status = take_rows(p, db_path, err);
    if (!status) status = judge_rows(p, published, err);
    if (!status) status = find_others(p, db_path, out, err);
    if (!status) status = pack(p, out, err);
    judgements_free(&p->judgements);
    paper_close(&p->paper);
    db_close(p->db);
    for (int i = 0; i < p->members; i++) free((void *)p->member[i].data);
    free(p);
    if (status) bundle_free(out);
    return status;
}

void bundle_free(Bundle *bundle)
{
    free(bundle->data);
    *bundle = (Bundle){ 0 };
}
