/* SPDX-License-Identifier: Apache-2.0 */
/* attest query: one SELECT over the database, or a preset. CSV and JSON are written row by row, so
 * that a million rows need no memory; tables for people are laid out as a whole. */
#include "cli.h"
#include "db.h"
#include "query_presets.h"

#include "../kernels/core/problem.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };   /* of a table for people */

/* ---- row by row ----------------------------------------------------------------------- */

/* RFC 4180: quotes around what holds a comma, a quote or a line's end. */
static void print_csv_cell(FILE *out, const char *text)
{
    if (!text) return;
    if (!text[strcspn(text, ",\"\r\n")]) { fputs(text, out); return; }
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"') fputc('"', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

static void print_csv(FILE *out, Query *q)
{
    const int columns = query_columns(q);
    for (int i = 0; i < columns; i++) {
        if (i) fputc(',', out);
        print_csv_cell(out, query_name(q, i));
    }
    fputs(columns ? "\n" : "", out);
    while (query_row(q)) {
        for (int i = 0; i < columns; i++) {
            if (i) fputc(',', out);
            print_csv_cell(out, column_text(q, i));
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
} Cells;

static Status add_cell(Cells *c, const char *text, Err *err)
{
    if (c->count == c->room) {
        const int room = 2 * c->room + 256;
        char **more = realloc(c->cell, (size_t)room * sizeof *more);
        if (!more)
            return fail(err, NO_MEMORY, "no memory for so many rows; --format csv needs none");
        c->cell = more;
        c->room = room;
    }
    char *copy = malloc(strlen(text) + 1);
    if (!copy) return fail(err, NO_MEMORY, "no memory for so many rows; --format csv needs none");
    c->cell[c->count++] = strcpy(copy, text);
    return OK;
}

/* Six digits are enough to read; CSV and JSON have them all. */
static const char *readable(const Query *q, int column, char *room, size_t size)
{
    const char *text;
    if (column_type(q, column) == VALUE_REAL) {
        snprintf(room, size, "%.6g", column_real(q, column));
        return room;
    }
    return (text = column_text(q, column)) ? text : "";
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
                    "there is no preset '%s'%s%s%s; `attest query --list` shows them", name,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
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

static int run(const Call *call)
{
    Err err;
    Db *db = NULL;
    const char *sql = "";
    if (call_option(call, "list") || (call->argc == 0 && !call_option(call, "preset")))
        return list_presets(call);
    Status status = choose_sql(call, &sql, &err);
    if (!status && call_option(call, "print")) {
        fprintf(call->out, "%s\n", sql);
        return EXIT_DONE;
    }
    if (!status) status = db_open(&db, call->db_path, DB_READ, &err);
    if (!status) {
        db_stop_when(db, &interrupted);
        if (db_notice(db)) call_remark(call, "%s", db_notice(db));
        status = answer(call, db, sql, &err);
    }
    db_close(db);
    if (interrupted) return EXIT_INTERRUPTED;
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

static const Option options[] = {
    { "preset", 'p', "NAME", "a question that is asked often", NULL },
    { "format", 'f', "FORMAT", "how to print the answer (default: table)",
      "table|csv|json|markdown" },
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
               "refused.\n"
               "Tables show six digits; CSV and JSON all of them.",
    .option = options,
    .least = 0,
    .most = 1,
    .run = run,
};
