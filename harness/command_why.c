/* SPDX-License-Identifier: Apache-2.0 */
/* attest why: what was measured of a point, what of it is reused, and why. */
#include "cli.h"
#include "units.h"
#include "why.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 8 };

/* ---- what is shown of it ------------------------------------------------------------------- */

static const char estimates[] =
    "SELECT machine, median_ns, low_ns, high_ns, blocks, newest, code FROM v_time_all "
    "WHERE point = ? ORDER BY machine, newest DESC, measured_at_ms DESC";

static void print_estimates(FILE *out, Db *db, const char *point)
{
    char median[UNITS_TEXT], low[UNITS_TEXT], high[UNITS_TEXT];
    Query *q = query_open(db, estimates, VALUES(val_text(point)));
    while (query_row(q)) {
        duration_print(median, column_real(q, 1));
        fprintf(out, "%s: %s", column_text(q, 0), median);
        if (column_type(q, 2) != VALUE_NULL) {
            duration_print(low, column_real(q, 2));
            duration_print(high, column_real(q, 3));
            fprintf(out, " [%s, %s]", low, high);
        }
        fprintf(out, " from %lld blocks, code %s%s\n", (long long)column_integer(q, 4),
                column_text(q, 6), column_integer(q, 5) ? "" : " (older: not shown)");
    }
    query_close(q);
}

static void json_estimates(Json *json, Db *db, const char *point)
{
    Query *q = query_open(db, estimates, VALUES(val_text(point)));
    json_array(json, "estimates");
    while (query_row(q)) {
        json_object(json, NULL);
        json_text(json, "machine", column_text(q, 0));
        json_number(json, "median_ns", column_real(q, 1));
        json_number(json, "low_ns", column_real(q, 2));
        json_number(json, "high_ns", column_real(q, 3));
        json_integer(json, "blocks", column_integer(q, 4));
        json_bool(json, "shown", (int)column_integer(q, 5));
        json_text(json, "code", column_text(q, 6));
        json_close(json);
    }
    json_close(json);
    query_close(q);
}

/* ---- blocks -------------------------------------------------------------------------------- */

static void fill_line(const WhyRow *r, char blocks[16], const char **cell)
{
    snprintf(blocks, 16, "%d", r->blocks);
    cell[0] = r->started_at;
    cell[1] = r->machine;
    cell[2] = r->experiment;
    cell[3] = blocks;
    cell[4] = r->outcome;
    cell[5] = r->shown ? "yes" : "no";
    cell[6] = r->reused ? "yes" : "no";
    cell[7] = r->why;
}

static Status print_blocks(FILE *out, const Why *w, Err *err)
{
    static const char *const heading[COLUMNS] = { "session", "machine", "measured for", "blocks",
                                                  "outcome", "shown",   "reused",       "because" };
    const char **cell = malloc(((size_t)w->rows + 1) * sizeof heading);
    char (*blocks)[16] = malloc(((size_t)w->rows + 1) * sizeof *blocks);
    Status status = OK;
    if (cell && blocks) {
        memcpy(cell, heading, sizeof heading);
        for (int i = 0; i < w->rows; i++)
            fill_line(&w->row[i], blocks[i], cell + (size_t)(i + 1) * COLUMNS);
        table_print(out, "table", COLUMNS, w->rows + 1, cell);
    } else status = fail(err, NO_MEMORY, "no memory for %d rows", w->rows);
    free(cell);
    free(blocks);
    return status;
}

static Status print_why(FILE *out, Db *db, const Why *w, Err *err)
{
    fprintf(out, "%s\n", w->text);
    if (!w->rows) {
        fputs("was never measured; the next run that asks for it does\n", out);
        return OK;
    }
    print_estimates(out, db, w->text);
    fputc('\n', out);
    const Status status = print_blocks(out, w, err);
    fprintf(out, "\n%d of %d blocks save the next `attest run` here a measurement, where it asks "
                 "for no other\ninstruments; --fresh takes none of them.\n",
            w->reused, w->blocks);
    return status;
}

static void json_why(FILE *out, Db *db, const Why *w)
{
    Json json;
    json_open(&json, out);
    json_object(&json, NULL);
    json_text(&json, "point", w->text);
    json_integer(&json, "blocks", w->blocks);
    json_integer(&json, "reused", w->reused);
    json_estimates(&json, db, w->text);
    json_array(&json, "measured");
    for (int i = 0; i < w->rows; i++) {
        const WhyRow *r = &w->row[i];
        json_object(&json, NULL);
        json_text(&json, "started_at", r->started_at);
        json_text(&json, "machine", r->machine);
        json_text(&json, "for", r->experiment);
        json_text(&json, "revision", r->revision);
        json_text(&json, "instruments", r->instruments);
        json_integer(&json, "blocks", r->blocks);
        json_integer(&json, "arms", r->arms);
        json_text(&json, "outcome", r->outcome);
        json_bool(&json, "shown", r->shown);
        json_bool(&json, "reused", r->reused);
        json_text(&json, "because", r->why);
        json_close(&json);
    }
    json_close(&json);
    json_close(&json);
}

static int run(const Call *call)
{
    Err err;
    Db *db = NULL;
    Why why = { .row = NULL };
    Status status = db_open(&db, call->db_path, DB_READ, &err);
    if (!status) status = why_open(&why, db, call->argv[0], &err);
    if (!status && call->json) json_why(call->out, db, &why);
    else if (!status) status = print_why(call->out, db, &why, &err);
    if (!status) status = db_check(db, &err);
    why_close(&why);
    db_close(db);
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

extern const Command command_why;
const Command command_why = {
    .name = "why",
    .arguments = "POINT",
    .summary = "what was measured of a point, what is reused, and why",
    .details =
        "Every block that the point was in: when, for which experiment, how it ended, whether it "
        "is part of what is shown (newest code of each machine), and whether the next run on this "
        "machine takes it instead of measuring. A block is reused if it was measured on this "
        "machine, by the same object code of every arm, and not merged from elsewhere.",
    .least = 1,
    .most = 1,
    .run = run,
};
