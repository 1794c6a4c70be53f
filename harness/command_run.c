/* SPDX-License-Identifier: Apache-2.0 */
/* attest run: measures what experiments ask for and the database lacks. */
#include "run.h"
#include "units.h"

static int run(const Call *call)
{
    Err err;
    const char *profile = call_option(call, "profile"), *budget = call_option(call, "budget");
    RunRequest request = {
        .experiment = (const char *const *)call->argv,
        .experiments = call->argc,
        .profile = profile ? profile : "quick",
        .only = call_option(call, "only"),
        .dry_run = call_option(call, "dry-run") != NULL,
        .fresh = call_option(call, "fresh") != NULL,
    };
    const Status status = budget ? duration_parse(budget, &request.budget_ns, &err) : OK;
    return status ? call_failed(call, status, &err) : run_experiments(call, &request);
}

static const Option options[] = {
    { "profile", 'p', "PROFILE", "how much of the sweep (default: quick)", "smoke|quick|paper" },
    { "budget", 'b', "TIME", "stop after this long, as 10m; what is still undecided comes last",
      NULL },
    { "dry-run", 'n', NULL, "only print points, time and memory, and what cannot be done here",
      NULL },
    { "only", 0, "GLOB", "only comparisons with a point that matches, as 'flash*T=4096,*'", NULL },
    { "fresh", 0, NULL, "measure again what is known already", NULL },
    { 0 }
};

extern const Command command_run;
const Command command_run = {
    .name = "run",
    .arguments = "EXPERIMENT...",
    .summary = "measure what experiments ask for",
    .details =
        "EXPERIMENT is a file, a name below experiments/ (flashattention/runtime), or a folder "
        "there "
        "for all of its experiments. Every complaint about them is printed in one go, and then "
        "nothing is run.\n"
        "What the database holds already, measured on this machine by this object code, is not "
        "measured again; what was cut off goes on where it ended. A point that fails is a row with "
        "its reason, and the rest goes on.",
    .option = options,
    .least = 1,
    .most = -1,
    .run = run,
};
