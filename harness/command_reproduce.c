/* SPDX-License-Identifier: Apache-2.0 */
/* attest reproduce: a paper from the first block to the report. */
#include "cli.h"
#include "home.h"
#include "run.h"
#include "telling.h"
#include "units.h"
#include "verdicts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const Option options[] = {
    { "profile", 'p', "PROFILE", "how much of the sweeps (default: quick)", "smoke|quick|paper" },
    { "budget", 'b', "TIME", "measure no longer than this, as 10m", NULL },
    { "into", 'o', "DIR", "the folder that gets figures/ and report/ (default: results)", NULL },
    { "fresh", 0, NULL, "measure again what is known already", NULL },
    { 0 }
};

/* The paper's experiments that are written: a planned one has no file yet. */
static int experiments_of(const Paper *paper, const char **name, int most)
{
    const Node *list = node_get(tree_root(paper->record), "experiments");
    int count = 0;
    for (int i = 0; list && list->kind == NODE_LIST && i < list->count && count < most; i++) {
        char below[300], path[HOME_PATH];
        struct stat found;
        snprintf(below, sizeof below, "experiments/%.200s.yaml", list->item[i]->text);
        home_path(path, below);
        if (stat(path, &found) == 0)
            name[count++] = list->item[i]->text;
    }
    return count;
}

static int measure(const Call *call, const Paper *paper, int64_t budget_ns)
{
    enum { MOST = 64 };
    const char *name[MOST], *profile = call_option(call, "profile");
    const RunRequest request = { .experiment = name,
                                 .experiments = experiments_of(paper, name, MOST),
                                 .profile = profile ? profile : "quick",
                                 .budget_ns = budget_ns,
                                 .fresh = call_option(call, "fresh") != NULL };
    if (request.experiments == 0) {
        call_remark(call, "%s has no experiments yet; its claims are judged on what is stored",
                    paper->id);
        return EXIT_DONE;
    }
    /* stdout is for the verdicts. */
    Call aside = *call;
    aside.json = 0;
    aside.out = stderr;
    return run_experiments(&aside, &request);
}

/* Verdicts on stdout, and where the rest lies. */
static void print_telling(const Call *call, const Telling *t)
{
    if (call->json) {
        Json json;
        json_open(&json, call->out);
        json_array(&json, NULL);
        verdicts_json(&json, &t->paper, &t->judgements);
        json_close(&json);
        return;
    }
    verdicts_print(call->out, &t->paper, &t->judgements);
    fprintf(call->out, "report:  %s\n         %s\n", t->html, t->markdown);
    if (t->figures.count)
        fprintf(call->out, "figures: %s (%d)\n", t->figures.folder, t->figures.count);
}

static Status tell(const Call *call, Err *err)
{
    Telling t;
    const char *into = call_option(call, "into");
    const TellingOf of = { .db_path = call->db_path, .into = into ? into : "results" };
    const Status status = telling_open(&t, call->argv[0], &of, err);
    if (status)
        return status;
    print_telling(call, &t);
    telling_close(&t);
    return OK;
}

static int run(const Call *call)
{
    Err err;
    Paper paper;
    int64_t budget_ns = 0;
    const char *budget = call_option(call, "budget");
    Status status = budget ? duration_parse(budget, &budget_ns, &err) : OK;
    if (!status)
        status = paper_open(&paper, call->argv[0], &err);
    if (status)
        return call_failed(call, status, &err);
    const int code = measure(call, &paper, budget_ns);
    paper_close(&paper);
    if (code == EXIT_USAGE || code == EXIT_INTERRUPTED)
        return code;
    status = tell(call, &err);
    return status ? call_failed(call, status, &err) : code;
}

const Command command_reproduce = {
    .name = "reproduce",
    .arguments = "PAPER",
    .summary = "measure, judge, draw and report a paper",
    .details =
        "Runs the paper's experiments (measuring only what the database lacks), judges its "
        "claims, draws its figures and writes its report. Ends with the verdict of every "
        "claim on stdout and the paths of report and figures. A later call goes on where this "
        "one ended.\n"
        "The exit code is 1 if a point was wrong, crashed or impossibly fast, whatever the "
        "verdicts.",
    .option = options,
    .least = 1,
    .most = 1,
    .run = run,
};
