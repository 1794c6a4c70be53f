/* SPDX-License-Identifier: Apache-2.0 */
/* Do verdicts come out the same when everything is measured again? Several databases, each a rerun,
 * are judged by the same claims, and each claim's verdicts are counted.
 *
 * Claims that no measurement can decide (not-testable, under-specified, judged by the paper's own
 * numbers) and those that no database has rows for agree without having been tried, so they don't
 * count. Where reruns differ, the harmless way is that some say inconclusive; two different answers
 * are a flip, which should never happen.
 */
#ifndef AGREE_H
#define AGREE_H

#include "stats.h"
#include "verdicts.h"

typedef struct {
    char     paper[64], id[96];
    int      count[VERDICTS];
    Verdict *verdict;          /* by database */
    Verdict  usual;            /* the commonest; of equally common ones the first */
    int      tried;            /* 0: it does not count */
    int      timed;            /* it is about times, which are never twice the same */
    int      flipped;          /* two databases give different answers, neither inconclusive */
} Agreed;

typedef struct {
    Agreed  *claim;
    int      claims, databases;
    Interval share;            /* of all verdicts of tried claims, those that are the usual ones;
                                * kind NONE: nothing was tried */
    Interval timed_share;      /* the same of claims about times alone */
    int      tried, differing, flips;          /* claims */
    int      dissent, inconclusive;            /* verdicts that are not the usual; of these, those
                                                * that say inconclusive */
} Agreement;

/* Judges every claim of the papers on the rows of each database, stores the verdicts there as
 * `attest claims` does, and counts. paper_count 0: all papers. */
Status agree_count(Agreement *out, char *const *paper, int paper_count, char *const *db_path,
                   int databases, Err *err);
void   agree_free(Agreement *agreement);

/* What agree_count() makes of one claim's verdicts, one a database: sets all but the claim's names
 * and `timed`. */
void   agree_claim(Agreed *claim, const Verdict *verdict, int databases);
/* Adds up the claims: sets share and everything below it. */
void   agree_total(Agreement *agreement);

#endif
