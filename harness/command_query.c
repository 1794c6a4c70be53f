/* SPDX-License-Identifier: Apache-2.0 */
/* attest query: one SELECT over the database, or a preset. CSV and JSON are written row by row, so
 * that a million rows need no memory; tables for people are laid out as a whole. */
#include "cli.h"
#include "db.h"
#include "deadline.h"
#include "query_presets.h"

#include "../kernels/core/problem.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64, TABLE_BYTES_MAX = 256 << 20 };   /* of a table for people */
enum { SECONDS_USUAL = 60, SECONDS_MAX = 24 * 3600 };     /* of an answer */

/* ---- row by row ----------------------------------------------------------------------- */

static void print_csv(FILE *out, Query *q)
{
    const int columns = query_columns(q), clean = terminal_width(out) > 0;
    for (int i = 0; i < columns; i++) {
        if (i) fputc(',', out);
        csv_print(out, query_name(q, i), clean);
    }
    fputs(columns ? "\n" : "", out);
    while (query_row(q)) {
        for (int i = 0; i < columns; i++) {
            if (i) fputc(',', out);
            csv_print(out, column_text(q, i), clean);
        }
        fputc('\n', out);
    }
}

static void print_json_cell(Json *json, const Query *q, int column)
{
    const char *name = query_name(q, column);
    switch (column_type(q, column)) {
    case VALUE_NULL:    json_text(json, name, NULL); break;
    case VALUE_INTEGER: json_integer(json, name, column_integer(q, column)); break;
    case VALUE_REAL:    json_number(json, name, column_real(q, column)); break;
    case VALUE_TEXT: case VALUE_BLOB: json_text(json, name, column_text(q, column)); break;
    }
}

static void print_json(FILE *out, Query *q)
{
    Json json;
    json_open(&json, out);
    json_array(&json, NULL);
    while (query_row(q)) {
        json_object(&json, NULL);
        for (int i = 0; i < query_columns(q); i++) print_json_cell(&json, q, i);
        json_close(&json);
    }
    json_close(&json);
    fputc('\n', out);
}

/* ---- as a whole ----------------------------------------------------------------------- */

typedef struct {
    char **cell;
    int    count, room;
    size_t bytes;
} Cells;

static Status too_many(Err *err)
{
    return fail(err, NO_MEMORY, "too many rows for a table; --format csv prints them as they come");
}

static Status add_cell(Cells *c, const char *text, Err *err)
{
    const size_t bytes = strlen(text) + 1;
    c->bytes += bytes + sizeof *c->cell;
    if (c->bytes > TABLE_BYTES_MAX) return too_many(err);
    if (c->count == c->room) {
        const int room = 2 * c->room + 256;
        char **more = realloc(c->cell, (size_t)room * sizeof *more);
        if (!more) return too_many(err);
        c->cell = more;
        c->room = room;
    }
    char *copy = malloc(bytes);
    if (!copy) return too_many(err);
    c->cell[c->count++] = memcpy(copy, text, bytes);
    return OK;
}

/* Six digits are enough to read; CSV and JSON have them all. */
static const char *readable(const Query *q, int column, char *room, size_t size)
{
    if (column_type(q, column) != VALUE_REAL) return column_text(q, column);
    snprintf(room, size, "%.6g", column_real(q, column));
    return room;
}

static Status print_laid_out(FILE *out, const char *format, Query *q, Err *err)
{
    Cells cells = { 0 };
    Status status = OK;
    char room[40];
    const int columns = query_columns(q);
    if (columns > COLUMNS_MAX)
        return fail(err, BAD_INPUT, "more than %d columns make no table; use --format csv",
                    COLUMNS_MAX);
    for (int i = 0; i < columns && !status; i++) status = add_cell(&cells, query_name(q, i), err);
    while (!status && query_row(q))
        for (int i = 0; i < columns && !status; i++)
            status = add_cell(&cells, readable(q, i, room, sizeof room), err);
    if (!status && columns)
        table_print(out, format, columns, cells.count / columns, (const char *const *)cells.cell);
    for (int i = 0; i < cells.count; i++) free(cells.cell[i]);
    free(cells.cell);
    return status;
}

/* ---- the command --------------------------------------------------------------------------------
 */

static int list_presets(const Call *call)
{
    const char *cell[2 * 33] = { "preset", "answers" };
    require(preset_count <= 32);
    for (int i = 0; i < preset_count; i++) {
        cell[2 * i + 2] = presets[i].name;
        cell[2 * i + 3] = presets[i].help;
    }
    table_print(call->out, call->json ? "json" : "table", 2, preset_count + 1, cell);
    return EXIT_DONE;
}

static Status choose_sql(const Call *call, const char **sql, Err *err)
{
    const char *known[32], *name = call_option(call, "preset");
    const Preset *preset = name ? preset_find(name) : NULL;
    for (int i = 0; i < preset_count; i++) known[i] = presets[i].name;
    if (name && call->argc) return fail(err, BAD_INPUT, "either SQL or --preset, not both");
    if (name && !preset) {
        const char *near = did_you_mean(name, known, preset_count);
        return fail(err, BAD_INPUT,
                    "there is no preset '%s'; %s%s%s", name, near ? "did you mean '" : "",
                    near ? near : "`attest query --list` shows them", near ? "'?" : "");
    }
    *sql = preset ? preset->sql : call->argv[0];
    return OK;
}

static Status answer(const Call *call, Db *db, const char *sql, Err *err)
{
    const char *chosen = call_option(call, "format");
    const char *format = call->json ? "json" : chosen ? chosen : "table";
    Status status = OK;
    Query *q = query_open(db, sql, NO_VALUES);
    if (!db_check(db, err)) {
        if (!strcmp(format, "csv")) print_csv(call->out, q);
        else if (!strcmp(format, "json")) print_json(call->out, q);
        else status = print_laid_out(call->out, format, q, err);
    } else return BAD_INPUT;
    query_close(q);
    const Status trouble = db_check(db, err);
    return status ? status : trouble;
}

static Status answer_in_time(const Call *call, Db *db, const char *sql, int seconds, Err *err)
{
    db_stop_when(db, deadline_open(1000 * seconds));
    const Status status = answer(call, db, sql, err);
    const int late = deadline_close();
    if (!status || !late) return status;
    return fail(err, BAD_INPUT, "it did not end within %d s; --seconds N gives it longer", seconds);
}

static int run(const Call *call)
{
    Err err;
    Db *db = NULL;
    const char *sql = "";
    if (call_option(call, "list") || (call->argc == 0 && !call_option(call, "preset")))
        return list_presets(call);
    long long seconds = SECONDS_USUAL;
    Status status = choose_sql(call, &sql, &err);
    if (!status)
        status = call_integer(call, "seconds", SECONDS_USUAL, 1, SECONDS_MAX, &seconds, &err);
    if (!status && call_option(call, "print")) {
        fprintf(call->out, "%s\n", sql);
        return EXIT_DONE;
    }
    if (!status) status = db_open(&db, call->db_path, DB_READ, &err);
    if (!status) {
        if (db_notice(db)) call_remark(call, "%s", db_notice(db));
        status = answer_in_time(call, db, sql, (int)seconds, &err);
    }
    db_close(db);
    if (interrupted) return EXIT_INTERRUPTED;
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

static const Option options[] = {
    { "preset", 'p', "PRESET", "a question that is asked often", NULL },
    { "format", 'f', "FORMAT", "how to print the answer (default: table)",
      "table|csv|json|markdown" },
    { "seconds", 's', "N", "give up after so many seconds of computing (default: 60)", NULL },
    { "list", 'l', NULL, "the presets", NULL },
    { "print", 0, NULL, "print the preset's SQL instead of running it", NULL },
    { 0 }
};

extern const Command command_query;
const Command command_query = {
    .name = "query",
    .arguments = "[SQL]",
    .summary = "ask the database",
    .details = "One SELECT over the views that results/README.md describes (v_time, v_speedup, "
               "v_accuracy, "
               "v_memory, v_count, v_claim, ...), with slope(), crossover() and other functions "
               "for evidence. "
               "Nothing can be changed: the file is opened for reading, and other statements are "
               "refused. Ctrl-C ends it, and so does the time given; a value has at most 64 MiB, "
               "and SQLite 1 GiB of memory.\n"
               "Tables show six digits; CSV and JSON all of them.",
    .option = options,
    .least = 0,
    .most = 1,
    .run = run,
};
