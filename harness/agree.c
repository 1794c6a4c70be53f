/* SPDX-License-Identifier: Apache-2.0 */
#include "agree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- counting ------------------------------------------------------------------------ */

static int is_answer(Verdict v) { return v == REPRODUCED || v == PARTLY || v == CONTRADICTED; }

void agree_claim(Agreed *claim, const Verdict *verdict, int databases)
{
    int answers = 0;
    memset(claim->count, 0, sizeof claim->count);
    for (int i = 0; i < databases; i++) claim->count[verdict[i]]++;
    claim->usual = REPRODUCED;
    for (Verdict v = REPRODUCED; v < VERDICTS; v++) {
        if (claim->count[v] > claim->count[claim->usual]) claim->usual = v;
        answers += is_answer(v) && claim->count[v];
    }
    claim->flipped = answers > 1;
    claim->tried = answers > 0 || claim->count[INCONCLUSIVE] > 0;
}

static Interval share_of(const Agreement *a, int only_timed)
{
    int usual = 0, verdicts = 0;
    for (int i = 0; i < a->claims; i++) {
        const Agreed *c = &a->claim[i];
        if (!c->tried || (only_timed && !c->timed)) continue;
        usual += c->count[c->usual];
        verdicts += a->databases;
    }
    return verdicts ? stats_share(usual, verdicts) : (Interval){ .value = NAN };
}

void agree_total(Agreement *a)
{
    a->tried = a->differing = a->flips = a->dissent = a->inconclusive = 0;
    for (int i = 0; i < a->claims; i++) {
        const Agreed *c = &a->claim[i];
        const int dissent = a->databases - c->count[c->usual];
        if (!c->tried) continue;
        a->tried++;
        a->flips += c->flipped;
        a->differing += dissent > 0;
        a->dissent += dissent;
        a->inconclusive += c->usual == INCONCLUSIVE ? 0 : c->count[INCONCLUSIVE];
    }
    a->share = share_of(a, 0);
    a->timed_share = share_of(a, 1);
}

/* ---- judging ------------------------------------------------------------------------- */

/* The claims of a paper, each with room for a verdict a database; NULL: no memory. */
static Agreed *add_claims(Agreement *out, const Paper *paper)
{
    const int claims = out->claims + paper->claims;
    Agreed *more = realloc(out->claim, (size_t)claims * sizeof *more);
    if (!more) return NULL;
    out->claim = more;
    Agreed *first = more + out->claims;
    for (int i = 0; i < paper->claims; i++) {
        Agreed *c = &more[out->claims++];
        *c = (Agreed){ .verdict = calloc((size_t)out->databases, sizeof *c->verdict) };
        if (!c->verdict) return NULL;
        snprintf(c->paper, sizeof c->paper, "%s", paper->id);
        snprintf(c->id, sizeof c->id, "%s", paper->claim[i].id);
    }
    return first;
}

static Status judge_all(const Paper *paper, Agreed *claim, char *const *db_path, int databases,
                        Err *err)
{
    for (int d = 0; d < databases; d++) {
        Judgements judged;
        const Status status = verdicts_give(&judged, paper, db_path[d], NULL, err);
        if (status) return status;
        for (int i = 0; i < judged.count; i++) claim[i].verdict[d] = judged.item[i].verdict;
        judgements_free(&judged);
    }
    for (int i = 0; i < paper->claims; i++) {
        agree_claim(&claim[i], claim[i].verdict, databases);
        claim[i].tried = claim[i].tried && *paper->claim[i].experiment;
        claim[i].timed = strcmp(paper->claim[i].kind, "time") == 0;
    }
    return OK;
}

static Status one_paper(Agreement *out, const char *id, char *const *db_path, Err *err)
{
    Paper paper;
    Status status = paper_open(&paper, id, err);
    if (status) return status;
    Agreed *claim = paper.claims ? add_claims(out, &paper) : NULL;
    if (claim) status = judge_all(&paper, claim, db_path, out->databases, err);
    else if (paper.claims) status = fail(err, NO_MEMORY, "no memory for the claims of %s", id);
    paper_close(&paper);
    return status;
}

/* A misspelt name must not become an empty database that agrees with nothing. */
static Status check_files(char *const *db_path, int databases, Err *err)
{
    Status status = OK;
    for (int d = 0; d < databases && !status; d++) {
        Db *db = NULL;
        status = db_open(&db, db_path[d], DB_READ, err);
        db_close(db);
    }
    return status;
}

Status agree_count(Agreement *out, char *const *paper, int paper_count, char *const *db_path,
                   int databases, Err *err)
{
    char **ids = NULL;
    int count = 0;
    *out = (Agreement){ .databases = databases };
    Status status = check_files(db_path, databases, err);
    if (!status && !paper_count) status = papers_list(&ids, &count, err);
    char *const *id = paper_count ? paper : ids;
    for (int i = 0; i < (paper_count ? paper_count : count) && !status; i++)
        status = one_paper(out, id[i], db_path, err);
    papers_free(ids, count);
    agree_total(out);
    if (status) agree_free(out);
    return status;
}

void agree_free(Agreement *a)
{
    for (int i = 0; i < a->claims; i++) free(a->claim[i].verdict);
    free(a->claim);
    *a = (Agreement){ 0 };
}
