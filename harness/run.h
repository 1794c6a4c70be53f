/* SPDX-License-Identifier: Apache-2.0 */
/* Measures what specs ask for and the database lacks: plan, workers, store, block by block. */
#ifndef RUN_H
#define RUN_H

#include "cli.h"
#include "plan.h"

typedef struct {
    const char *const *experiment;     /* names or paths; see spec_paths */
    int         experiments;
    const char *profile;               /* "smoke", "quick", "paper" */
    const char *only;                  /* a glob over points' texts; NULL: all */
    int64_t     budget_ns;             /* 0: none */
    int dry_run, fresh; /* only say what would be done; measure again what is known */
} RunRequest;

/* Says everything to the user, and returns an exit code: done, wrong (a point was wrong, crashed,
 * was not deterministic or impossibly fast), usage (complaints about a spec; then nothing is run
 * and nothing is written), or interrupted. */
int run_experiments(const Call *call, const RunRequest *request);

/* ---- run_loop.c: the loop itself ------------------------------------------------------ */

typedef struct {
    int    blocks, runs;               /* stored now */
    int bad; /* runs that were wrong, crashed, nondeterministic or impossible */
    int    out_of_budget;              /* 1: groups were left for another time */
    double seconds;
} RunSummary;

/* All groups of a plan into the database; OK also where points failed. `interrupted` (cli.h) ends
 * it after the block under way. */
Status run_plan(const Call *call, const RunRequest *request, Plan *plan, Db *db,
                const char *command, RunSummary *out, Err *err);

/* ---- run_report.c: what is said ------------------------------------------------------- */

/* Points, blocks, time and memory to come; what cannot be measured here, and why. */
void run_print_plan(const Call *call, const Plan *plan);
void run_print_summary(const Call *call, const Plan *plan, const RunSummary *summary);

#endif
