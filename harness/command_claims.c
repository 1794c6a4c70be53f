/* SPDX-License-Identifier: Apache-2.0 */
/* attest claims: what papers claim, and what the stored rows say to it. */
#include "verdicts.h"

#include <string.h>

static const Option options[] = {
    { "machine", 'm', "ALIAS", "judge this machine's rows, not those of the one it runs on", NULL },
    { "strict", 0, NULL, "exit with 3 if a verdict is inconclusive", NULL },
    { 0 }
};

typedef struct {
    const Call *call;
    Json        json;
    int         inconclusive, broken;
} Work;

static void tell_broken(const Paper *paper, const Judgements *judgements)
{
    for (int i = 0; i < judgements->count; i++)
        if (judgements->item[i].broken)
            fprintf(stderr, "attest claims: %s/claims.yaml:%d: %s: %s\n", paper->folder,
                    judgements->item[i].claim->line, judgements->item[i].claim->id,
                    judgements->item[i].reason);
}

static Status one_paper(Work *work, const char *id, Err *err)
{
    Paper paper;
    Judgements judgements;
    Status status = paper_open(&paper, id, err);
    if (status)
        return status;
    status = verdicts_give(&judgements, &paper, work->call->db_path,
                           call_option(work->call, "machine"), err);
    if (status) {
        paper_close(&paper);
        return status;
    }
    if (work->call->json)
        verdicts_json(&work->json, &paper, &judgements);
    else
        verdicts_print(work->call->out, &paper, &judgements);
    tell_broken(&paper, &judgements);
    work->broken += judgements.broken;
    for (int i = 0; i < judgements.count; i++)
        work->inconclusive += judgements.item[i].verdict == INCONCLUSIVE;
    judgements_free(&judgements);
    paper_close(&paper);
    return OK;
}

static Status all_papers(Work *work, Err *err)
{
    char **ids = NULL;
    int count = 0;
    Status status = papers_list(&ids, &count, err);
    for (int i = 0; i < count && !status && !call_stopped(work->call); i++) {
        if (i && !work->call->json)
            fputs("\n", work->call->out);
        status = one_paper(work, ids[i], err);
    }
    papers_free(ids, count);
    return status;
}

static int run(const Call *call)
{
    Work work = { .call = call };
    Err err;
    if (call->json) {
        json_open(&work.json, call->out);
        json_array(&work.json, NULL);
    }
    const Status status =
        call->argc ? one_paper(&work, call->argv[0], &err) : all_papers(&work, &err);
    if (call->json)
        json_close(&work.json);
    if (status)
        return call_failed(call, status, &err);
    if (work.broken)
        return EXIT_USAGE;
    return work.inconclusive && call_option(call, "strict") ? EXIT_INCONCLUSIVE : EXIT_DONE;
}

const Command command_claims = {
    .name = "claims",
    .arguments = "[PAPER]",
    .summary = "judge what papers claim by the stored rows",
    .details =
        "Every claim of papers/PAPER/claims.yaml (or of all papers) with a verdict: "
        "reproduced, partly, contradicted, inconclusive, under-specified, not-testable or "
        "not-yet-measured.\n"
        "The whole interval is held against the band that the claim gives, never the point "
        "alone, and a verdict about times must hold on both halves of the processes. Nothing "
        "is measured; the verdicts are stored in the database.\n"
        "With --json an array of {paper, id, where, says, kind, verdict, reason, value, low, "
        "high, expected, points}. Verdicts are results, not errors: the exit code is 0 "
        "whatever they say.",
    .option = options,
    .least = 0,
    .most = 1,
    .run = run,
};
