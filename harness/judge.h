/* SPDX-License-Identifier: Apache-2.0 */
/* From a claim to a verdict. The claim's query gives (value, low, high); the whole interval is held
 * against the band that was written down before the first result:
 *
 *   inside what is expected                            reproduced
 *   inside the weaker band, wholly outside the other   partly
 *   wholly outside both                                contradicted
 *   anything else                                      inconclusive
 *
 * A verdict about times must come out the same when it is asked of the earlier and of the later
 * half of the processes; if it doesn't, it is inconclusive and says so. A claim that no row here
 * can decide is not-testable, under-specified or not-yet-measured, with the reason. */
#ifndef JUDGE_H
#define JUDGE_H

#include "db.h"
#include "paper.h"

/* Raise when the rules change: stored verdicts of another engine are judged again. */
enum { JUDGE_ENGINE = 1, JUDGE_SECONDS = 10 /* for one query */ };

typedef enum {
    REPRODUCED,
    PARTLY,
    CONTRADICTED,
    INCONCLUSIVE,
    UNDER_SPECIFIED,
    NOT_TESTABLE,
    NOT_YET_MEASURED,
    VERDICTS
} Verdict;

const char *verdict_name(Verdict verdict);   /* "not-yet-measured" */

/* direction: kind EXPECT_NONE where there is no weaker band. low <= high, neither NaN. */
Verdict judge_interval(const Expect *expect, const Expect *direction, double low, double high);

typedef struct {
    const Claim *claim;
    Verdict      verdict;
    char         reason[640];
    char         expected[120];
    double       value, low, high;   /* NaN: none */
    char       **point;              /* the points behind it, sorted, each once */
    int          points, failed;     /* failed: of the points behind it, those that did not run */
    char
        rows_hash[65]; /* of the query, its result and the runs behind it; "" where there is none */
    int          broken;             /* the query itself is wrong: reason says how */
} Judgement;

typedef struct {
    Judgement *item;
    int        count, broken;
    int64_t    machine;              /* 0: nothing was measured yet */
    char       machine_alias[80];
} Judgements;

/* The machine whose rows are judged: by its alias; or NULL: this one if it has rows, else the one
 * measured last; 0 where there is none. BAD_INPUT: no such alias. */
Status judge_machine(Db *db, const char *alias, int64_t *machine, char *name, size_t size,
                     Err *err);

/* Judges every claim of the paper on the rows of one machine. Only opens the file for reading: the
 * published values must be in it (told_published). */
Status judge_paper(Judgements *out, const Paper *paper, const char *db_path, int64_t machine,
                   Err *err);
void   judgements_free(Judgements *judgements);

#endif
