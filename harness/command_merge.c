/* SPDX-License-Identifier: Apache-2.0 */
/* attest merge: the rows of other files beside our own. */
#include "bundle.h"
#include "cli.h"
#include "merge.h"

#include <string.h>

enum { RENAMES_MAX = 16 };

static const Option options[] = {
    { "alias", 'a', "THERE=HERE", "call their machine THERE by the name HERE; may be repeated",
      NULL },
    { "own", 0, NULL, "the files were measured on this very machine: their rows count as its own",
      NULL },
    { "dry-run", 'n', NULL, "only say what would come", NULL },
    { 0 }
};

/* Cuts THERE=HERE into two; the text of the command line stays as it is. */
static Status read_renames(const Call *call, char text[RENAMES_MAX][160], Rename *out, int *count,
                           Err *err)
{
    const char *given[RENAMES_MAX];
    *count = call_options(call, "alias", given, RENAMES_MAX);
    if (*count > RENAMES_MAX)
        return fail(err, BAD_INPUT, "more than %d times --alias", RENAMES_MAX);
    for (int i = 0; i < *count; i++) {
        snprintf(text[i], sizeof text[i], "%s", given[i]);
        char *equals = strchr(text[i], '=');
        if (!equals || equals == text[i] || !equals[1] || strlen(given[i]) >= 128)
            return fail(err, BAD_INPUT, "--alias is THERE=HERE, as amd-epyc-2c=lab-2, not '%.80s'",
                        given[i]);
        *equals = 0;
        out[i] = (Rename){ text[i], equals + 1 };
    }
    return OK;
}

static void print_merged(const Call *call, const char *path, const Merged *m)
{
    FILE *out = call->out;
    fprintf(out, "%s: %lld blocks, %lld runs, %lld sessions, %lld machines are new here", path,
            (long long)m->blocks, (long long)m->runs, (long long)m->sessions,
            (long long)m->machines);
    if (m->foreign) fprintf(out, "; foreign sessions: %lld", (long long)m->foreign);
    if (call_option(call, "dry-run")) fputs("; nothing was written", out);
    fputc('\n', out);
    for (int i = 0; i < m->renames; i++)
        fprintf(out, "  machine %s is called %s here\n", m->renamed[i].alias, m->renamed[i].name);
    for (int i = 0; i < m->conflicts; i++)
        fprintf(out, "  conflict: %lld of the rows in table %s are not as ours (%s is the first); "
                     "ours were kept\n",
                (long long)m->conflict[i].rows, m->conflict[i].table, m->conflict[i].example);
}

static void json_merged(Json *json, const char *path, const Merged *m)
{
    json_object(json, NULL);
    json_text(json, "file", path);
    json_integer(json, "machines", m->machines);
    json_integer(json, "sessions", m->sessions);
    json_integer(json, "blocks", m->blocks);
    json_integer(json, "runs", m->runs);
    json_integer(json, "foreign_sessions", m->foreign);
    json_array(json, "aliases");
    for (int i = 0; i < m->renames; i++) {
        json_object(json, NULL);
        json_text(json, "there", m->renamed[i].alias);
        json_text(json, "here", m->renamed[i].name);
        json_close(json);
    }
    json_close(json);
    json_array(json, "conflicts");
    for (int i = 0; i < m->conflicts; i++) {
        json_object(json, NULL);
        json_text(json, "table", m->conflict[i].table);
        json_integer(json, "rows", m->conflict[i].rows);
        json_text(json, "example", m->conflict[i].example);
        json_close(json);
    }
    json_close(json);
    json_close(json);
}

/* A bundle's rows are a database, too. */
static Status merge_one(Db *db, const char *path, const MergeRequest *request, Merged *out,
                        Err *err)
{
    Db *rows = NULL;
    MergeRequest named = *request;
    if (!bundle_is(path)) return merge_file(db, path, request, out, err);
    named.name = path;
    Status status = bundle_open_rows(&rows, path, err);
    if (!status) status = merge_file(db, db_path(rows), &named, out, err);
    db_close(rows);
    return status;
}

static Status merge_all(const Call *call, Db *db, const MergeRequest *request, int *conflicts,
                        Err *err)
{
    Merged merged;
    Json json;
    Status status = OK;
    if (call->json) {
        json_open(&json, call->out);
        json_array(&json, NULL);
    }
    for (int i = 0; i < call->argc && !status; i++) {
        status = merge_one(db, call->argv[i], request, &merged, err);
        if (status) break;
        *conflicts += merged.conflicts;
        if (call->json) json_merged(&json, call->argv[i], &merged);
        else print_merged(call, call->argv[i], &merged);
    }
    if (call->json) json_close(&json);
    return status;
}

static int run(const Call *call)
{
    Err err;
    Db *db = NULL;
    char text[RENAMES_MAX][160];
    Rename rename[RENAMES_MAX];
    MergeRequest request = { .own = call_option(call, "own") != NULL, .rename = rename,
                             .dry_run = call_option(call, "dry-run") != NULL };
    int conflicts = 0;
    Status status = read_renames(call, text, rename, &request.renames, &err);
    if (!status) status = db_open(&db, call->db_path, DB_WRITE, &err);
    if (!status) {
        db_stop_when(db, &interrupted);
        status = merge_all(call, db, &request, &conflicts, &err);
    }
    db_close(db);
    if (status) return call_failed(call, status, &err);
    return conflicts ? EXIT_WRONG : EXIT_DONE;
}

extern const Command command_merge;
const Command command_merge = {
    .name = "merge",
    .arguments = "DB...",
    .summary = "add the rows of other databases or bundles",
    .details =
        "What other files (databases, or what `attest bundle` wrote) have and this one lacks: "
        "sessions, blocks, raw samples. Doing it twice "
        "changes nothing. Each file is added wholly or, if it is cut off, not at all; it is only "
        "read. An older file is brought up to date in a copy, one of a newer attest is refused.\n"
        "Rows that come so are marked (the fact merged.from of their session) and are never taken "
        "for measurements of this machine, unless --own says that they are. Machines of one name "
        "get a number behind it, or the name that --alias gives.\n"
        "Where a row is there already but says something else, ours is kept and the conflict is "
        "told; the exit code is then 1. Verdicts do not come along: `attest claims --machine` "
        "gives them again.",
    .option = options,
    .least = 1,
    .most = -1,
    .run = run,
};
