/* SPDX-License-Identifier: Apache-2.0 */
/* All that a bundle says is computed again from what it was computed from, and compared to the bit:
 * statistics from epochs, verdicts from claims and rows, texts from all of them. */
#include "bundle_work.h"
#include "build_info.h"
#include "db_other.h"
#include "told.h"

#include <stdlib.h>
#include <string.h>

/* ---- statistics -------------------------------------------------------------------------- */

static const char *const derived[] = { "timing", "pair_time", "summary", "estimate", "ratio" };
enum { DERIVED = sizeof derived / sizeof *derived };

static void digest(Db *db, const char *table, char out[SHA256_TEXT])
{
    char sql[96];
    uint8_t raw[SHA256_BYTES];
    Sha256 h;
    snprintf(sql, sizeof sql, "SELECT * FROM main.%s ORDER BY 1, 2", table);
    sha256_open(&h);
    Query *q = query_open(db, sql, NO_VALUES);
    while (query_row(q)) query_hash_row(q, &h);
    query_close(q);
    sha256_close(&h, raw);
    sha256_text(raw, out);
}

static int64_t count(Db *db, const char *format, const char *table)
{
    char sql[160];
    snprintf(sql, sizeof sql, format, table, table);
    return db_integer(db, sql, NO_VALUES, 0);
}

static Status forget_derived(Db *db, Err *err)
{
    char sql[160];
    db_begin(db);
    for (int i = 0; i < DERIVED; i++) {
        snprintf(sql, sizeof sql, "CREATE TEMP TABLE was_%s AS SELECT * FROM main.%s; "
                                  "DELETE FROM main.%s", derived[i], derived[i], derived[i]);
        db_script(db, sql);
    }
    db_script(db, "INSERT OR IGNORE INTO stale SELECT id FROM block");
    return db_commit(db, err);
}

static void compare_derived(Work *w, char before[DERIVED][SHA256_TEXT])
{
    char after[SHA256_TEXT];
    int64_t rows = 0;
    int good = 1;
    for (int i = 0; i < DERIVED; i++) {
        digest(w->db, derived[i], after);
        rows += count(w->db, "SELECT count(*) FROM main.%s", derived[i]);
        if (!strcmp(before[i], after)) continue;
        good = found(w, CHECK_DIFFERS, "statistics",
                     "%lld of the %lld rows in table %s are not what the raw samples give",
                     (long long)count(w->db, "SELECT count(*) FROM (SELECT * FROM temp.was_%s "
                                             "EXCEPT SELECT * FROM main.%s)", derived[i]),
                     (long long)count(w->db, "SELECT count(*) FROM temp.was_%s", derived[i]),
                     derived[i]);
    }
    if (good)
        found(w, CHECK_AGREES, "statistics",
              "%lld derived rows computed again from %lld epochs, bit for bit", (long long)rows,
              (long long)count(w->db, "SELECT sum(epochs) FROM sample", ""));
}

/* Whoever made the bundle may have derived by other rules: then all may differ, and this is why. */
static void note_rules(Work *w)
{
    Query *q = query_open(w->db, "SELECT b.value, d.value FROM meta b JOIN meta d ON "
                                 "d.key = 'derivation' AND d.value <> b.value "
                                 "WHERE b.key = 'bundle.derivation'", NO_VALUES);
    if (query_row(q))
        found(w, CHECK_NOTE, "statistics", "derived by rules of version %.20s, these are %.20s",
              column_text(q, 0), column_text(q, 1));
    query_close(q);
}

static Status check_statistics(Work *w, Err *err)
{
    char before[DERIVED][SHA256_TEXT];
    Err why;
    note_rules(w);
    for (int i = 0; i < DERIVED; i++) digest(w->db, derived[i], before[i]);
    Status status = db_check(w->db, &why);
    if (!status) status = forget_derived(w->db, &why);
    if (!status) status = db_refresh(w->db, &why);
    if (status) return trouble_is_found(w, "statistics", status, &why, err);
    compare_derived(w, before);
    return trouble_is_found(w, "statistics", db_check(w->db, &why), &why, err);
}

/* ---- what was asked ---------------------------------------------------------------------- */

static Status check_specs(Work *w, Err *err)
{
    int rows = 0, wrong = 0, files = 0;
    Err why;
    Query *q =
        query_open(w->db, "SELECT printf('specs/%016x.yaml', id), text FROM spec", NO_VALUES);
    for (; query_row(q); rows++) {
        const TarMember *m = member_named(w, column_text(q, 0));
        const char *text = column_text(q, 1);
        wrong += !m || m->size != strlen(text) || memcmp(m->data, text, m->size) != 0;
    }
    query_close(q);
    const Status status = db_check(w->db, &why);
    if (status) return trouble_is_found(w, "experiments", status, &why, err);
    for (int i = 0; i < w->members; i++)
        files += !strncmp(bundle_file(&w->member[i]), "specs/", 6);
    if (wrong || files != rows)
        found(w, CHECK_DIFFERS, "experiments", "specs/ and rows.db do not say the same");
    else
        found(w, CHECK_AGREES, "experiments", "%d, as in rows.db", rows);
    return OK;
}

/* Claims and published values as their texts give them, in a database of their own. */
static Status read_again(Work *w, Db **again, Err *err)
{
    const TarMember *record = member_named(w, "paper.yaml"), *list = member_named(w, "claims.yaml"),
                    *published = member_named(w, "published.csv");
    Status status =
        paper_parse(&w->paper, w->out->paper, (PaperFile){ record->data, record->size },
                    (PaperFile){ list->data, list->size }, err);
    if (!status) status = db_open_memory(again, NULL, 0, err);
    if (!status && published)
        status = told_published_text(*again, &w->paper, "published.csv", published->data,
                                     published->size, err);
    return status ? status : told_claims(*again, &w->paper, err);
}

static void compare_claims(Work *w, Db *again)
{
    static const char *const tables[] = { "claim", "paper_value" };
    static const char *const files[] = { "claims.yaml", "published.csv" };
    char ours[SHA256_TEXT], theirs[SHA256_TEXT];
    int good = 1;
    for (int i = 0; i < 2; i++) {
        digest(w->db, tables[i], theirs);
        digest(again, tables[i], ours);
        if (strcmp(ours, theirs))
            good = found(w, CHECK_DIFFERS, "claims", "%s and table %s do not say the same",
                         files[i], tables[i]);
    }
    if (good)
        found(w, CHECK_AGREES, "claims", "%d claims and %lld published values, as in their files",
              w->paper.claims, (long long)count(again, "SELECT count(*) FROM %s", tables[1]));
}

static Status check_claims(Work *w, Err *err)
{
    Db *again = NULL;
    Err why;
    Status status = read_again(w, &again, &why);
    if (!status) compare_claims(w, again);
    if (!status) status = db_check(w->db, &why);
    if (!status) status = db_check(again, &why);
    db_close(again);
    return trouble_is_found(w, "claims", status, &why, err);
}

/* ---- verdicts ---------------------------------------------------------------------------- */

static int same_number(const Query *q, int column, double value)
{
    const double stored = column_real(q, column);
    return !memcmp(&stored, &value, sizeof value) || (stored != stored && value != value);
}

static int same_verdict(Db *db, const Judgement *j)
{
    Query *q = query_open(db, "SELECT v.verdict, v.reason, v.expected, v.rows_hash, v.value, "
                              "v.low, v.high, v.points FROM verdict v JOIN claim c ON "
                              "c.id = v.claim WHERE c.current AND c.name = ?",
                          VALUES(val_text(j->claim->id)));
    const int same = query_row(q) && !strcmp(column_text(q, 0), verdict_name(j->verdict)) &&
                     !strcmp(column_text(q, 1), j->reason) &&
                     !strcmp(column_text(q, 2), j->expected) &&
                     !strcmp(column_text(q, 3), j->rows_hash) && same_number(q, 4, j->value) &&
                     same_number(q, 5, j->low) && same_number(q, 6, j->high) &&
                     column_integer(q, 7) == j->points && !query_row(q);
    query_close(q);
    return same;
}

static void compare_verdicts(Work *w)
{
    char other[300] = "";
    int differ = 0;
    for (int i = 0; i < w->judgements.count; i++) {
        const Judgement *j = &w->judgements.item[i];
        if (same_verdict(w->db, j)) continue;
        const size_t used = strlen(other);
        snprintf(other + used, sizeof other - used, "%s%s", used ? ", " : "", j->claim->id);
        differ++;
    }
    const int64_t engine =
        db_integer(w->db, "SELECT max(engine) FROM verdict", NO_VALUES, JUDGE_ENGINE);
    if (engine != JUDGE_ENGINE)
        found(w, CHECK_NOTE, "verdicts", "they were given by rules of version %lld, these are %d",
              (long long)engine, JUDGE_ENGINE);
    if (differ)
        found(w, CHECK_DIFFERS, "verdicts", "%d of %d come out otherwise: %s", differ,
              w->judgements.count, other);
    else
        found(w, CHECK_AGREES, "verdicts", "%d, given again with the same values, intervals and "
              "reasons", w->judgements.count);
}

static Status check_verdicts(Work *w, Err *err)
{
    Err why;
    const int64_t machine =
        db_integer(w->db, "SELECT max(machine) FROM session", NO_VALUES, 0);
    if (!w->paper.folder) return OK;   /* the claims could not be read, which has been said */
    Status status = db_check(w->db, &why);
    if (!status)
        status = judge_paper(&w->judgements, &w->paper, db_path(w->db), machine, &why);
    if (status) return trouble_is_found(w, "verdicts", status, &why, err);
    w->judged = 1;
    compare_verdicts(w);
    return trouble_is_found(w, "verdicts", db_check(w->db, &why), &why, err);
}

/* ---- texts ------------------------------------------------------------------------------- */

/* 1 where the member is what was made now; frees the text. */
static int same_text(const Work *w, const char *name, BundleText *text)
{
    const int same = is_text(member_named(w, name), text);
    free(text->text);
    return same;
}

static Status check_texts(Work *w, Err *err)
{
    BundleText text;
    int good = 1;
    const int64_t format = db_integer(
        w->db, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'bundle.format'", NO_VALUES, 0);
    if (format != BUNDLE_FORMAT) {
        found(w, CHECK_DIFFERS, "texts", "format %lld; this attest knows %d", (long long)format,
              BUNDLE_FORMAT);
        return OK;
    }
    Status status = bundle_readme(w->out->paper, &text, err);
    if (!status && !same_text(w, "README", &text))
        good = found(w, CHECK_DIFFERS, "texts", "README is not as attest writes it");
    if (!status) status = bundle_manifest(w->db, &text, err);
    if (!status && !same_text(w, "manifest.json", &text))
        good = found(w, CHECK_DIFFERS, "texts", "manifest.json does not say what rows.db says");
    if (status || !w->judged) return status;
    status = bundle_verdicts(&w->paper, &w->judgements, &text, err);
    if (!status && !same_text(w, "verdicts.json", &text))
        good = found(w, CHECK_DIFFERS, "texts", "verdicts.json does not say what the verdicts are");
    if (!status && good)
        found(w, CHECK_AGREES, "texts", "README, manifest.json and verdicts.json say the same");
    return status;
}

/* ---- the program ------------------------------------------------------------------------- */

/* What is computed again here does not need the code that was measured; but who wants to measure
 * again should know whether it would be the same. */
static void note_code(Work *w)
{
    char other[240] = "";
    int same = 0, all = 0;
    Query *q = query_open(
        w->db, "SELECT symbol, sha256 FROM code WHERE sha256 <> '' ORDER BY symbol", NO_VALUES);
    for (; query_row(q); all++) {
        const int here = db_code_here(column_text(q, 0), column_text(q, 1));
        const size_t used = strlen(other);
        same += here == 1;
        if (here != 1)
            snprintf(other + used, sizeof other - used, "%s%s%s", used ? ", " : "",
                     column_text(q, 0), here ? " (not here)" : "");
    }
    query_close(q);
    if (same == all)
        found(w, CHECK_NOTE, "code",
              "the object code of all %d measured variants is this program's", all);
    else
        found(w, CHECK_NOTE, "code", "other object code than this program's: %d of %d variants: %s",
              all - same, all, other);
}

static void note_builds(Work *w)
{
    Query *q = query_open(w->db, "SELECT revision, dirty, compiler FROM build LIMIT 4", NO_VALUES);
    while (query_row(q))
        found(w, CHECK_NOTE, "build", "measured by revision %.12s%s, %.120s; this is %.12s%s",
              column_text(q, 0), column_integer(q, 1) ? " with changes" : "", column_text(q, 2),
              build_commit, build_dirty ? " with changes" : "");
    query_close(q);
}

/* ---- all of it --------------------------------------------------------------------------- */

Status check_again(Work *w, Err *err)
{
    Err ignored;
    Status status = check_statistics(w, err);
    if (!status) status = check_specs(w, err);
    if (!status) status = check_claims(w, err);
    if (!status) status = check_verdicts(w, err);
    if (!status) status = check_texts(w, err);
    if (status) return status;
    note_code(w);
    note_builds(w);
    db_check(w->db, &ignored);         /* what cannot be read has been found before */
    return OK;
}
