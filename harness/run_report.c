/* SPDX-License-Identifier: Apache-2.0 */
/* What a run says before and after: the plan as a table of points, the summary as one sentence and
 * the points that went wrong. */
#include "run.h"

#include "units.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 5, STATE_MAX = 200 };

/* ---- the plan ---------------------------------------------------------------------------------
 */

static int blocks_left(const Group *g)
{
    return group_wants(g, g->part->blocks_least) ? g->part->blocks_least - g->known.blocks : 0;
}

static void describe_state(const Group *g, int i, char *out, size_t size)
{
    const int left = blocks_left(g);
    if (g->arm[i].refused != OUTCOME_OK)
        snprintf(out, size, "%s: %s", outcome_name(g->arm[i].refused), g->arm[i].why);
    else if (g->known.failed[i]) snprintf(out, size, "failed before, and would again");
    else if (left == 0)
        snprintf(out, size, "known: %d block%s", g->known.blocks, g->known.blocks == 1 ? "" : "s");
    else if (g->known.blocks)
        snprintf(out, size, "%d of %d blocks to measure", left, g->part->blocks_least);
    else snprintf(out, size, "%d block%s to measure", left, left == 1 ? "" : "s");
}

typedef struct {
    char point[POINT_TEXT_MAX], state[STATE_MAX], time[UNITS_TEXT], memory[UNITS_TEXT];
} Line;

static void fill_line(const Group *g, int i, Line *line)
{
    point_print(&g->arm[i].point, line->point, sizeof line->point);
    describe_state(g, i, line->state, sizeof line->state);
    line->time[0] = line->memory[0] = 0;
    if (i == 0 && blocks_left(g)) duration_print(line->time, 1e9 * g->block_s * blocks_left(g));
    if (g->arm[i].memory_bytes > 0) bytes_print(line->memory, g->arm[i].memory_bytes);
}

static int count_points(const Plan *plan)
{
    int n = 0;
    for (int i = 0; i < plan->groups; i++) n += plan->group[i].arms;
    return n;
}

static void print_table(const Call *call, const Plan *plan, Line *line, const char **cell)
{
    static const char *const heading[COLUMNS] = { "experiment", "point", "state", "time",
                                                  "memory" };
    int n = 0;
    memcpy(cell, heading, sizeof heading);
    for (int i = 0; i < plan->groups; i++)
        for (int k = 0; k < plan->group[i].arms; k++, n++) {
            fill_line(&plan->group[i], k, &line[n]);
            const char *row[COLUMNS] = { k ? "" : plan->group[i].spec->name, line[n].point,
                                         line[n].state, line[n].time, line[n].memory };
            memcpy(cell + (n + 1) * COLUMNS, row, sizeof row);
        }
    table_print(call->out, "table", COLUMNS, n + 1, cell);
}

static void print_json(const Call *call, const Plan *plan)
{
    Json json;
    Line line;
    json_open(&json, call->out);
    json_array(&json, NULL);
    for (int i = 0; i < plan->groups; i++) {
        const Group *g = &plan->group[i];
        json_object(&json, NULL);
        json_text(&json, "experiment", g->spec->name);
        json_integer(&json, "blocks_known", g->known.blocks);
        json_integer(&json, "blocks_to_measure", blocks_left(g));
        json_number(&json, "seconds", g->block_s * blocks_left(g));
        json_array(&json, "points");
        for (int k = 0; k < g->arms; k++) {
            fill_line(g, k, &line);
            json_object(&json, NULL);
            json_text(&json, "point", line.point);
            json_text(&json, "outcome",
                      g->arm[k].refused == OUTCOME_OK ? NULL : outcome_name(g->arm[k].refused));
            json_text(&json, "reason", g->arm[k].why);
            json_number(&json, "memory_bytes", g->arm[k].memory_bytes);
            json_close(&json);
        }
        json_close(&json);
        json_close(&json);
    }
    json_close(&json);
    fputc('\n', call->out);
}

static void print_totals(const Plan *plan)
{
    char time[UNITS_TEXT], memory[UNITS_TEXT];
    double seconds = 0, most_bytes = 0;
    int blocks = 0, refused = 0;
    for (int i = 0; i < plan->groups; i++) {
        const Group *g = &plan->group[i];
        double bytes = 0;
        for (int k = 0; k < g->arms; k++) {
            refused += g->arm[k].refused != OUTCOME_OK;
            bytes += g->arm[k].memory_bytes;
        }
        if (bytes > most_bytes) most_bytes = bytes;
        blocks += blocks_left(g);
        seconds += g->block_s * blocks_left(g);
    }
    duration_print(time, 1e9 * seconds);
    bytes_print(memory, most_bytes);
    fprintf(
        stderr,
        "%d points in %d comparisons; %d blocks to measure, about %s; at most about %s at once\n",
        count_points(plan), plan->groups, blocks, time, memory);
    if (refused)
        fprintf(stderr, "%d points cannot be measured on this machine; the table says why\n",
                refused);
    if (plan->left_out)
        fprintf(stderr, "%d arms are left out: they are built for other processors only\n",
                plan->left_out);
}

void run_print_plan(const Call *call, const Plan *plan)
{
    const int points = count_points(plan);
    Line *line = malloc((size_t)(points ? points : 1) * sizeof *line);
    const char **cell = malloc((size_t)(points + 1) * COLUMNS * sizeof *cell);
    if (call->json) print_json(call, plan);
    else if (line && cell) print_table(call, plan, line, cell);
    else fprintf(stderr, "no memory to print the plan\n");
    free(line);
    free(cell);
    fflush(call->out);
    print_totals(plan);
}

/* ---- the summary ---------------------------------------------------------------------- */

void run_print_summary(const Call *call, const Plan *plan, const RunSummary *s)
{
    char time[UNITS_TEXT];
    int known = 0, undecided = 0;
    for (int i = 0; i < plan->groups; i++) {
        known += blocks_left(&plan->group[i]) == 0;
        undecided += group_is_undecided(&plan->group[i]);
    }
    duration_print(time, 1e9 * s->seconds);
    if (call->json) {
        Json json;
        json_open(&json, call->out);
        json_object(&json, NULL);
        json_integer(&json, "comparisons", plan->groups);
        json_integer(&json, "complete", known);
        json_integer(&json, "undecided", undecided);
        json_integer(&json, "blocks", s->blocks);
        json_integer(&json, "runs", s->runs);
        json_integer(&json, "bad", s->bad);
        json_number(&json, "seconds", s->seconds);
        json_close(&json);
        fputc('\n', call->out);
    }
    if (call->quiet) return;
    fprintf(stderr, "measured %d block%s in %s; %d of %d comparisons are complete", s->blocks,
            s->blocks == 1 ? "" : "s", time, known, plan->groups);
    if (undecided) fprintf(stderr, ", %d of them not yet decided", undecided);
    if (s->bad) fprintf(stderr, "; %d runs went wrong: attest query --preset failures", s->bad);
    fprintf(stderr, "%s\n", s->out_of_budget ? "; the budget is used up, run again to go on" : "");
}
