/* SPDX-License-Identifier: Apache-2.0 */
/* Why a point has the number that it has, and whether it would be measured again: every block that
 * it was in, whether the block is part of what is shown, and whether it saves the next `attest run`
 * on this machine a measurement, by the rules of db_known(). */
#ifndef WHY_H
#define WHY_H

#include "db.h"

/* Blocks of one session and comparison about which the same is to be said. */
typedef struct {
    int64_t session, comparison;
    char    started_at[24], machine[64], experiment[96], revision[24], instruments[160];
    char    outcome[24];
    int     blocks, arms;      /* arms: points that were measured in turns with it, itself too */
    int     shown;             /* part of v_time, v_metric, ... */
    int     reused;
    char    why[320];          /* why they are, or are not, reused */
} WhyRow;

typedef struct {
    char    text[POINT_TEXT_MAX];      /* the point, in full */
    WhyRow *row;
    int     rows;
    int     blocks, reused;    /* of all rows */
} Why;

/* `word`: a point as on every command line. BAD_INPUT: it is none, and no point of the database is
 * called so. No rows: it was never measured. */
Status why_open(Why *out, Db *db, const char *word, Err *err);
void   why_close(Why *why);

#endif
