/* SPDX-License-Identifier: Apache-2.0 */
/* attest figures: draws what the experiments of a paper ask for, from stored rows only. */
#include "cli.h"
#include "figures.h"
#include "judge.h"
#include "told.h"

#include "../kernels/core/problem.h"

#include <fnmatch.h>
#include <string.h>

static const Option options[] = {
    { "into", 'o', "DIR", "the folder that gets figures/PAPER/ (default: results)", NULL },
    { "machine", 'm', "ALIAS", "draw this machine's rows, not those of the one it runs on", NULL },
    { "terminal", 't', NULL, "draw in characters on the terminal, and write no files", NULL },
    { "only", 0, "GLOB", "with --terminal: only figures of such a name, as 'runtime*'", NULL },
    { "check", 0, NULL, "draw nothing; name stale pictures, exit with 1 if there are any", NULL },
    { 0 }
};

static void print_json(Json *json, const Paper *paper, const Figures *figures)
{
    for (int i = 0; i < figures->count; i++) {
        const Figure *f = &figures->item[i];
        char path[700];
        json_object(json, NULL);
        json_text(json, "paper", paper->id);
        json_text(json, "name", f->name);
        json_text(json, "title", f->title);
        json_text(json, "experiment", f->experiment);
        json_integer(json, "rows", f->rows);
        json_text(json, "rows_hash", f->rows_hash);
        snprintf(path, sizeof path, "%.500s/%s.svg", figures->folder, f->name);
        json_text(json, "svg", path);
        json_text(json, "query", f->query);
        json_close(json);
    }
}

static void print_paths(FILE *out, const Figures *figures)
{
    for (int i = 0; i < figures->count; i++)
        fprintf(out, "%s/%s.svg\n", figures->folder, figures->item[i].name);
}

/* Published values must be in the file before figures read them. */
static Status prepare(const Call *call, const Paper *paper, int64_t *machine, Err *err)
{
    Db *db = NULL;
    char alias[80];
    Status status = db_open(&db, call->db_path, DB_WRITE, err);
    if (!status)
        status = told_published(db, paper, err);
    if (!status)
        status = judge_machine(db, call_option(call, "machine"), machine, alias, sizeof alias, err);
    db_close(db);
    return status;
}

static Status draw(const Call *call, Json *json, const Paper *paper, Figures *figures,
                   const char *into, Err *err)
{
    const Status status = figures_draw(figures, paper, call->db_path, into, err);
    if (!status && call->json)
        print_json(json, paper, figures);
    else if (!status)
        print_paths(call->out, figures);
    return status;
}

/* With --terminal. A pipe is taken for a terminal of 100 columns. */
static Status show(const Call *call, const Paper *paper, const Figures *figures, Err *err)
{
    const char *only = call_option(call, "only"), *name[FIGURES_MAX];
    const int width = terminal_width(call->out) ? terminal_width(call->out) : 100;
    int shown = 0;
    for (int i = 0; i < figures->count && !call_stopped(call); i++) {
        const Figure *f = &figures->item[i];
        name[i] = f->name;
        if (only && fnmatch(only, f->name, 0))
            continue;
        fputs(shown++ ? "\n" : "", call->out);
        figure_terminal(call->out, f, width, terminal_utf8());
    }
    if (shown || !only || !figures->count)
        return OK;
    const char *near = did_you_mean(only, name, figures->count);
    return fail(err, BAD_INPUT, "%s has no figure '%s' with rows; did you mean '%s'?", paper->id,
                only, near ? near : name[0]);
}

static Status one_paper(const Call *call, Json *json, const char *id, int *stale, Err *err)
{
    Paper paper;
    Figures figures = { 0 };
    int64_t machine = 0;
    const char *into = call_option(call, "into") ? call_option(call, "into") : "results";
    Status status = paper_open(&paper, id, err);
    if (status)
        return status;
    status = prepare(call, &paper, &machine, err);
    if (!status)
        status = figures_open(&figures, &paper, call->db_path, machine, err);
    if (!status && call_option(call, "check"))
        *stale += figures_stale(&figures, &paper, into, call->out);
    else if (!status && call_option(call, "terminal"))
        status = show(call, &paper, &figures, err);
    else if (!status)
        status = draw(call, json, &paper, &figures, into, err);
    if (!status && figures.empty)
        call_remark(call, "%d figure%s of %s wait%s for rows: `attest reproduce %s` measures them",
                    figures.empty, figures.empty == 1 ? "" : "s", paper.id,
                    figures.empty == 1 ? "s" : "", paper.id);
    figures_close(&figures);
    paper_close(&paper);
    return status;
}

static int run(const Call *call)
{
    Err err;
    Json json;
    char **ids = NULL;
    int count = 0, stale = 0;
    Status status = OK;
    json_open(&json, call->out);
    if (call->json)
        json_array(&json, NULL);
    if (call->argc) {
        status = one_paper(call, &json, call->argv[0], &stale, &err);
    } else {
        status = papers_list(&ids, &count, &err);
        for (int i = 0; i < count && !status && !call_stopped(call); i++)
            status = one_paper(call, &json, ids[i], &stale, &err);
        papers_free(ids, count);
    }
    if (call->json)
        json_close(&json);
    if (status)
        return call_failed(call, status, &err);
    return stale ? EXIT_WRONG : EXIT_DONE;
}

const Command command_figures = {
    .name = "figures",
    .arguments = "[PAPER]",
    .summary = "draw the figures of a paper from the stored rows",
    .details =
        "Draws the `figures:` of the paper's experiments (or of all papers) with gnuplot into "
        "DIR/figures/PAPER/: NAME.gp, which holds its data and draws by itself, NAME.svg for "
        "light and dark pages, and NAME.png.\n"
        "With --terminal they are drawn in characters instead, as wide as the terminal is: a "
        "letter and a colour a series, capitals ours, small letters the paper's, dots in braille "
        "or, without UTF-8, in ASCII.\n"
        "Each carries its query and the SHA-256 of the rows that it was drawn from. Ours with "
        "intervals, published values beside them as printed, failures as crosses at the edge. "
        "Prints the paths; with --json also rows, hashes and queries.",
    .option = options,
    .least = 0,
    .most = 1,
    .run = run,
};
