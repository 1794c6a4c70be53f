/* SPDX-License-Identifier: Apache-2.0 */
/* attest agree: are the verdicts of several reruns the same? */
#include "agree.h"
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double GOAL = 0.99;
enum { COLUMNS = 3, CELL = 176, PAPERS_MAX = 64 };

/* ---- for programs -------------------------------------------------------------------- */

static void json_claim(Json *j, const Agreed *c, int databases)
{
    json_object(j, NULL);
    json_text(j, "paper", c->paper);
    json_text(j, "id", c->id);
    json_bool(j, "tried", c->tried);
    json_bool(j, "timed", c->timed);
    json_text(j, "usual", verdict_name(c->usual));
    json_number(j, "share", (double)c->count[c->usual] / databases);
    json_bool(j, "flipped", c->flipped);
    json_array(j, "verdicts");
    for (int d = 0; d < databases; d++) json_text(j, NULL, verdict_name(c->verdict[d]));
    json_close(j);
    json_close(j);
}

static void json_share(Json *j, const char *key, const Interval *share)
{
    json_object(j, key);
    json_number(j, "share", share->value);
    json_number(j, "low", share->kind ? share->low : NAN);
    json_number(j, "high", share->kind ? share->high : NAN);
    json_integer(j, "verdicts", share->n);
    json_close(j);
}

static void write_json(const Call *call, const Agreement *a)
{
    Json j;
    json_open(&j, call->out);
    json_object(&j, NULL);
    json_array(&j, "databases");
    for (int d = 0; d < a->databases; d++) json_text(&j, NULL, call->argv[d]);
    json_close(&j);
    json_share(&j, "agree", &a->share);
    json_share(&j, "agree_timed", &a->timed_share);
    json_integer(&j, "tried", a->tried);
    json_integer(&j, "differing", a->differing);
    json_integer(&j, "flips", a->flips);
    json_integer(&j, "dissent", a->dissent);
    json_integer(&j, "inconclusive", a->inconclusive);
    json_array(&j, "claims");
    for (int i = 0; i < a->claims; i++) json_claim(&j, &a->claim[i], a->databases);
    json_close(&j);
    json_close(&j);
}

/* ---- for people ---------------------------------------------------------------------- */

typedef struct { char cell[COLUMNS][CELL]; } Line;

static void fill_line(const Agreed *c, int databases, Line *line)
{
    snprintf(line->cell[0], CELL, "%s/%s", c->paper, c->id);
    snprintf(line->cell[1], CELL, "%.0f %%", 100.0 * c->count[c->usual] / databases);
    char *text = line->cell[2];
    *text = 0;
    for (Verdict v = REPRODUCED; v < VERDICTS; v++)
        if (c->count[v])
            snprintf(text + strlen(text), CELL - strlen(text), "%s%d %s", *text ? ", " : "",
                     c->count[v], verdict_name(v));
    if (c->flipped) snprintf(text + strlen(text), CELL - strlen(text), " (flipped)");
}

/* Claims whose verdicts differ; with `all`, every one that was tried. */
static Status print_claims(FILE *out, const Agreement *a, int all, Err *err)
{
    static const char *const heading[COLUMNS] = { "claim", "agree", "verdicts" };
    Line *line = malloc(((size_t)a->claims + 1) * sizeof *line);
    const char **cell = malloc(((size_t)a->claims + 1) * COLUMNS * sizeof *cell);
    Status status = OK;
    int rows = 0;
    if (line && cell) {
        memcpy(cell, heading, sizeof heading);
        for (int i = 0; i < a->claims; i++) {
            const Agreed *c = &a->claim[i];
            if (!c->tried || (!all && c->count[c->usual] == a->databases)) continue;
            fill_line(c, a->databases, &line[rows++]);
            for (int k = 0; k < COLUMNS; k++) cell[rows * COLUMNS + k] = line[rows - 1].cell[k];
        }
        if (rows) table_print(out, "table", COLUMNS, rows + 1, cell);
    } else status = fail(err, NO_MEMORY, "no memory to print %d claims", a->claims);
    free(line);
    free(cell);
    return status;
}

static void print_share(FILE *out, const char *what, const Interval *share)
{
    if (share->kind)
        fprintf(out, "%.1f %% of %d verdicts%s agree [%.1f, %.1f]; the goal is %.0f %%\n",
                100 * share->value, share->n, what, 100 * share->low, 100 * share->high,
                100 * GOAL);
}

static void print_total(FILE *out, const Agreement *a)
{
    if (!a->tried) {
        fprintf(out, "no claim could be decided by these databases\n");
        return;
    }
    print_share(out, "", &a->share);
    print_share(out, " about times", &a->timed_share);
    fprintf(out, "%d claims in %d databases: %d differ, %d with two different answers", a->tried,
            a->databases, a->differing, a->flips);
    if (a->dissent)
        fprintf(out, "; of the %d verdicts that do not agree %d say inconclusive", a->dissent,
                a->inconclusive);
    fputc('\n', out);
}

/* ---- the command --------------------------------------------------------------------- */

static int run(const Call *call)
{
    Err err;
    Agreement a;
    const char *name[PAPERS_MAX];
    char *paper[PAPERS_MAX];
    const int papers = call_options(call, "paper", name, PAPERS_MAX);
    Status status = papers <= PAPERS_MAX
        ? OK : fail(&err, BAD_INPUT, "%d times --paper: %d are enough", papers, PAPERS_MAX);
    for (int i = 0; i < papers && !status; i++) paper[i] = (char *)name[i];
    if (!status) status = agree_count(&a, paper, papers, call->argv, call->argc, &err);
    if (status) return call_failed(call, status, &err);
    if (call->json) write_json(call, &a);
    else status = print_claims(call->out, &a, call_option(call, "all") != NULL, &err);
    if (!status && !call->json) print_total(call->out, &a);
    const int agree = a.tried && a.share.value >= GOAL && a.flips == 0;
    agree_free(&a);
    if (status) return call_failed(call, status, &err);
    return call_option(call, "strict") && !agree ? EXIT_INCONCLUSIVE : EXIT_DONE;
}

static const Option options[] = {
    { "paper", 'p', "PAPER", "only this paper's claims; may be given several times", NULL },
    { "all", 'a', NULL, "show claims that agree, too", NULL },
    { "strict", 0, NULL, "exit with 3 if less than 99 % agree or a claim has two answers", NULL },
    { 0 }
};

extern const Command command_agree;
const Command command_agree = {
    .name = "agree",
    .arguments = "DB DB...",
    .summary = "are the verdicts of several reruns the same?",
    .details =
        "Each DB holds one rerun of the same experiments, as `make reruns-PAPER` makes them. All "
        "claims are judged on each (and the verdicts stored there), and the share of verdicts "
        "that are their claim's commonest is printed with a 95 % interval, below the claims that "
        "differ.\n"
        "Claims that cannot be decided by measuring don't count. A rerun that differs should say "
        "inconclusive; a claim with two different answers, say reproduced and partly, is a flip.",
    .option = options,
    .least = 2,
    .most = -1,
    .run = run,
};
