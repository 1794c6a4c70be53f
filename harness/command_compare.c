/* SPDX-License-Identifier: Apache-2.0 */
/* attest compare: two sessions, revisions or machines. */
#include "cli.h"
#include "compare.h"
#include "units.h"

#include "../kernels/core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 6, CELL = 64 };

static void print_fact(void *self, const char *what, const char *a, const char *b)
{
    char line[240];
    snprintf(line, sizeof line, "  %-24.80s %.60s  ->  %.60s", what, a, b);
    fprintf(self, "%s\n", text_clean(line));
}

static void json_fact(void *self, const char *what, const char *a, const char *b)
{
    Json *json = self;
    json_object(json, NULL);
    json_text(json, "what", what);
    json_text(json, "a", a);
    json_text(json, "b", b);
    json_close(json);
}

static void print_json(Json *json, const Comparisons *c)
{
    json_array(json, "points");
    for (int i = 0; i < c->count; i++) {
        const Compared *x = &c->item[i];
        const int open = x->time.ratio.kind == INTERVAL_NONE;
        json_object(json, NULL);
        json_text(json, "point", x->point);
        json_number(json, "a_ns", x->a_ns);
        json_number(json, "b_ns", x->b_ns);
        json_integer(json, "a_blocks", x->a_blocks);
        json_integer(json, "b_blocks", x->b_blocks);
        json_number(json, "ratio", x->time.ratio.value);
        json_number(json, "low", open ? NAN : x->time.ratio.low);
        json_number(json, "high", open ? NAN : x->time.ratio.high);
        json_number(json, "p", x->time.p);
        json_number(json, "p_holm", x->p_holm);
        json_bool(json, "same_code", x->same_code);
        json_text(json, "verdict", stats_decision_name(x->decision));
        json_close(json);
    }
    json_close(json);
    json_integer(json, "a_only", c->a_only);
    json_integer(json, "b_only", c->b_only);
    json_number(json, "noise_rel", c->noise_rel);
}

typedef struct { char cell[COLUMNS - 1][CELL]; } Line;

static void fill_line(const Compared *x, Line *line)
{
    duration_print(line->cell[0], x->a_ns);
    duration_print(line->cell[1], x->b_ns);
    if (x->time.ratio.kind == INTERVAL_NONE)
        snprintf(line->cell[2], CELL, "%.3f [too few blocks]", x->time.ratio.value);
    else
        snprintf(line->cell[2], CELL, "%.3f [%.3f, %.3f]", x->time.ratio.value, x->time.ratio.low,
                 x->time.ratio.high);
    snprintf(line->cell[3], CELL, "%s", x->same_code ? "same" : "changed");
    snprintf(line->cell[4], CELL, "%s", stats_decision_name(x->decision));
}

static Status print_points(FILE *out, const Comparisons *c, Err *err)
{
    static const char *const heading[COLUMNS] = { "point",          "before", "after",
                                                  "before / after", "code",   "after is" };
    Line *line = malloc((size_t)(c->count ? c->count : 1) * sizeof *line);
    const char **cell = malloc((size_t)(c->count + 1) * COLUMNS * sizeof *cell);
    Status status = OK;
    if (line && cell) {
        memcpy(cell, heading, sizeof heading);
        for (int i = 0; i < c->count; i++) {
            fill_line(&c->item[i], &line[i]);
            cell[(i + 1) * COLUMNS] = c->item[i].point;
            for (int k = 1; k < COLUMNS; k++) cell[(i + 1) * COLUMNS + k] = line[i].cell[k - 1];
        }
        table_print(out, "table", COLUMNS, c->count + 1, cell);
    } else status = fail(err, NO_MEMORY, "no memory to print %d points", c->count);
    free(line);
    free(cell);
    return status;
}

static void print_caution(FILE *out, const Comparisons *c)
{
    if (c->a_only || c->b_only)
        fprintf(out, "\nmeasured on one side only: %d before, %d after\n", c->a_only, c->b_only);
    if (!isnan(c->noise_rel))
        fprintf(
            out,
            "\npoints whose code is the same differ by up to %.1f %%: so much is not the code\n",
            100 * c->noise_rel);
    fputs("\nThe two sides were not measured in turns, so a drift of the machine looks like a "
          "change; verdicts are\n"
          "Holm-corrected over all points. `attest bench A --against B` decides between two "
          "points.\n",
          out);
}

static Status tell(const Call *call, Db *db, const Side *a, const Side *b, const Comparisons *c,
                   Err *err)
{
    Json json;
    Status status;
    if (!call->json) {
        fprintf(call->out, "before: %s\nafter:  %s\n\nwhat differs:\n", a->name, b->name);
        status = compare_facts(db, a, b, print_fact, call->out, err);
        fputc('\n', call->out);
        if (!status) status = print_points(call->out, c, err);
        if (!status) print_caution(call->out, c);
        return status;
    }
    json_open(&json, call->out);
    json_object(&json, NULL);
    json_text(&json, "a", a->name);
    json_text(&json, "b", b->name);
    json_array(&json, "differs");
    status = compare_facts(db, a, b, json_fact, &json, err);
    json_close(&json);
    print_json(&json, c);
    json_close(&json);
    fputc('\n', call->out);
    return status;
}

static int run(const Call *call)
{
    Err err;
    Db *db = NULL;
    Side a, b;
    Comparisons c = { 0 };
    Status status = db_open(&db, call->db_path, DB_READ, &err);
    if (!status) status = side_find(db, call->argv[0], &a, &err);
    if (!status) status = side_find(db, call->argv[1], &b, &err);
    if (!status) status = compare_sides(db, &a, &b, 0.02, &c, &err);
    if (!status) status = tell(call, db, &a, &b, &c, &err);
    compare_free(&c);
    db_close(db);
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

static const Option options[] = { { 0 } };

extern const Command command_compare;
const Command command_compare = {
    .name = "compare",
    .arguments = "BEFORE AFTER",
    .summary = "two sessions, revisions or machines",
    .details = "Each side is a machine's alias, the start of a session's or a revision's id, or "
               "one of the words "
               "'previous' and 'last' for sessions. Prints what differs between the two (machine, "
               "compiler, flags, "
               "governor, load, ...), and for each point that both have timed the ratio of its "
               "times with an interval.",
    .option = options,
    .least = 2,
    .most = 2,
    .run = run,
};
