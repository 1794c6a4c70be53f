/* SPDX-License-Identifier: Apache-2.0 */
/* The texts in a bundle that are made from its rows. A format has them to the byte: who changes one
 * raises BUNDLE_FORMAT. */
#include "bundle.h"
#include "file.h"
#include "verdicts.h"

#include <stdlib.h>
#include <string.h>

static Status opened(FILE *out, Err *err)
{
    return out ? OK : fail(err, NO_MEMORY, "no memory for a bundle's texts");
}

static Status closed(FILE *out, const BundleText *text, Err *err)
{
    if (file_close(out) && text->text) return OK;
    return fail(err, NO_MEMORY, "no memory for a bundle's texts");
}

/* ---- manifest.json ----------------------------------------------------------------------- */

static void put_cell(Json *json, const Query *q, int column)
{
    const char *name = query_name(q, column);
    const ValueType type = column_type(q, column);
    if (type == VALUE_INTEGER)
        json_integer(json, name, column_integer(q, column));
    else
        json_text(json, name, type == VALUE_NULL ? NULL : column_text(q, column));
}

static void put_rows(Json *json, Db *db, const char *key, const char *sql)
{
    json_array(json, key);
    Query *q = query_open(db, sql, NO_VALUES);
    while (query_row(q)) {
        json_object(json, NULL);
        for (int i = 0; i < query_columns(q); i++) put_cell(json, q, i);
        json_close(json);
    }
    query_close(q);
    json_close(json);
}

static const struct { const char *key, *sql; } parts[] = {
    { "bundle", "SELECT substr(key, 8) AS name, value FROM meta WHERE key GLOB 'bundle.*' "
                "ORDER BY key" },
    { "machines", "SELECT printf('%016x', id) AS id, alias FROM machine ORDER BY machine.id" },
    { "machine_facts", "SELECT name, value FROM machine_fact ORDER BY machine, name" },
    { "sessions", "SELECT printf('%016x', s.id) AS id, datetime(started_at_ms / 1000, 'unixepoch') "
                  "AS started_at, command, (SELECT count(*) FROM block WHERE session = s.id) "
                  "AS blocks FROM session s ORDER BY started_at_ms, s.id" },
    { "environment", "SELECT printf('%016x', session) AS session, name, value, reason "
                     "FROM session_fact ORDER BY session_fact.session, name" },
    { "builds", "SELECT revision, dirty, compiler, flags FROM build ORDER BY id" },
    { "code", "SELECT symbol, sha256 FROM code ORDER BY symbol, sha256" },
    { "specs", "SELECT printf('specs/%016x.yaml', id) AS file, name, title FROM spec "
               "ORDER BY spec.id" },
    { "rows", "SELECT 'block' AS name, count(*) AS rows FROM block "
              "UNION ALL SELECT 'run', count(*) FROM run "
              "UNION ALL SELECT 'sample', count(*) FROM sample "
              "UNION ALL SELECT 'epoch', coalesce(sum(epochs), 0) FROM sample "
              "UNION ALL SELECT 'metric', count(*) FROM metric "
              "UNION ALL SELECT 'estimate', count(*) FROM estimate "
              "UNION ALL SELECT 'ratio', count(*) FROM ratio "
              "UNION ALL SELECT 'verdict', count(*) FROM verdict" },
};

Status bundle_manifest(Db *db, BundleText *out, Err *err)
{
    Json json;
    *out = (BundleText){ NULL, 0 };
    FILE *file = open_memstream(&out->text, &out->size);
    Status status = opened(file, err);
    if (status) return status;
    json_open(&json, file);
    json_object(&json, NULL);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        put_rows(&json, db, parts[i].key, parts[i].sql);
    json_close(&json);
    status = closed(file, out, err);
    return status ? status : db_check(db, err);
}

/* ---- the others -------------------------------------------------------------------------- */

Status bundle_verdicts(const Paper *paper, const Judgements *judgements, BundleText *out, Err *err)
{
    Json json;
    *out = (BundleText){ NULL, 0 };
    FILE *file = open_memstream(&out->text, &out->size);
    const Status status = opened(file, err);
    if (status) return status;
    json_open(&json, file);
    json_array(&json, NULL);
    verdicts_json(&json, paper, judgements);
    json_close(&json);
    return closed(file, out, err);
}

static const char readme[] =
    "What a paper claims, what was measured, and the verdicts: %s\n"
    "\n"
    "attest verify THIS.tar computes all of it again from the raw samples, offline, without\n"
    "unpacking anything, and says what agrees. By hand:\n"
    "\n"
    "    tar xf THIS.tar && cd attest-%s && sha256sum -c SHA256SUMS\n"
    "    sqlite3 rows.db 'SELECT id, verdict, value, low, high FROM v_claim ORDER BY position'\n"
    "\n"
    "manifest.json   machine, environment of each session, builds, sources and object code by\n"
    "                hash\n"
    "paper.yaml      the paper; claims.yaml: its claims, each with the query and the band that\n"
    "                decide it; published.csv: the values that it prints\n"
    "verdicts.json   what the rows say to each claim\n"
    "specs/          the experiments, as they were read\n"
    "rows.db         SQLite. Raw: block, run, sample (the epochs), metric. Derived from them:\n"
    "                timing, pair_time, estimate, summary, ratio. Read it through its views\n"
    "                (v_time, v_speedup, v_accuracy, ...).\n"
    "\n"
    "Each byte of the archive is hashed or prescribed, so damage is found. That is no signature:\n"
    "to know who made it, compare the SHA-256 of the whole file with one that you got from them.\n";

Status bundle_readme(const char *paper, BundleText *out, Err *err)
{
    *out = (BundleText){ NULL, 0 };
    FILE *file = open_memstream(&out->text, &out->size);
    const Status status = opened(file, err);
    if (status) return status;
    fprintf(file, readme, paper, paper);
    return closed(file, out, err);
}

const char *bundle_file(const TarMember *member)
{
    const char *slash = strchr(member->name, '/');
    return slash ? slash + 1 : member->name;
}

Status bundle_sums(const TarMember *member, int count, BundleText *out, Err *err)
{
    uint8_t digest[SHA256_BYTES];
    char hash[SHA256_TEXT];
    *out = (BundleText){ NULL, 0 };
    FILE *file = open_memstream(&out->text, &out->size);
    const Status status = opened(file, err);
    if (status) return status;
    for (int i = 0; i < count; i++) {
        Sha256 h;
        if (!strcmp(bundle_file(&member[i]), "SHA256SUMS")) continue;
        sha256_open(&h);
        sha256_add(&h, member[i].data, member[i].size);
        sha256_close(&h, digest);
        sha256_text(digest, hash);
        fprintf(file, "%s  %s\n", hash, bundle_file(&member[i]));
    }
    return closed(file, out, err);
}
