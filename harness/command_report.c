/* SPDX-License-Identifier: Apache-2.0 */
/* attest report: verdicts, figures and the report of a paper, from stored rows only. */
#include "cli.h"
#include "telling.h"

static const Option options[] = {
    { "into", 'o', "DIR", "the folder that gets figures/ and report/ (default: results)", NULL },
    { "machine", 'm', "ALIAS", "tell of this machine's rows, not the present one's", NULL },
    { 0 }
};

static Status one_paper(const Call *call, const char *id, Err *err)
{
    Telling t;
    const char *into = call_option(call, "into");
    const TellingOf of = { .db_path = call->db_path, .machine = call_option(call, "machine"),
                           .into = into ? into : "results" };
    const Status status = telling_open(&t, id, &of, err);
    if (status)
        return status;
    fprintf(call->out, "%s\n%s\n", t.markdown, t.html);
    telling_close(&t);
    return OK;
}

static int run(const Call *call)
{
    Err err;
    char **ids = NULL;
    int count = 0;
    Status status = OK;
    if (call->argc) {
        status = one_paper(call, call->argv[0], &err);
    } else {
        status = papers_list(&ids, &count, &err);
        for (int i = 0; i < count && !status && !call_stopped(call); i++)
            status = one_paper(call, ids[i], &err);
        papers_free(ids, count);
    }
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

const Command command_report = {
    .name = "report",
    .arguments = "[PAPER]",
    .summary = "write the report of a paper from the stored rows",
    .details =
        "Judges the paper's claims (or those of all papers), draws its figures and writes "
        "DIR/report/PAPER.md and PAPER.html: what the paper claims and what we found, figures "
        "with their rows as tables, how and on what it was measured, every claim with its "
        "query and the commands that repeat its rows, errata, and the notes in English and "
        "Chinese.\n"
        "The page loads nothing. Prints the paths of both files.",
    .option = options,
    .least = 0, .most = 1,
    .run = run,
};
