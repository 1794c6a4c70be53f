/* SPDX-License-Identifier: Apache-2.0 */
/* Two sides of the database, each a session, a revision or a machine: what differs between them,
 * and what became of the points that both have measured. */
#ifndef COMPARE_H
#define COMPARE_H

#include "db.h"
#include "unpaired.h"

typedef struct {
    char    name[96];          /* "session 1f3a..., 2024-05-01 10:00:00" */
    int64_t machine, session;  /* one of the three; the others are 0 or "" */
    char    revision[72];
} Side;

/* `word`: a machine's alias, the start of a session's or a revision's id (4 digits or more), "last"
 * or "previous" (session). BAD_INPUT: nothing, or several things, are called so. */
Status side_find(Db *db, const char *word, Side *side, Err *err);

typedef struct {
    char  *point;
    int    a_blocks, b_blocks;
    double a_ns, b_ns;         /* medians over blocks */
    Unpaired time;             /* ratio of time a to time b: above 1, b is faster */
    double p_holm;             /* time.p after Holm's correction over all points */
    int    same_code;          /* its difference is noise, or the machine's */
    Decision decision;         /* what b is, after Holm's correction over all points */
} Compared;

typedef struct {
    Compared *item;
    int       count;
    int       a_only, b_only;  /* points that the other side has not measured */
    double noise_rel; /* 95 % of the points with equal code differ by less; NaN: there are none */
} Comparisons;

Status compare_sides(Db *db, const Side *a, const Side *b, double margin, Comparisons *out,
                     Err *err);
void   compare_free(Comparisons *c);

/* Facts, builds, limits that are not the same on both sides: calls `tell` for each. */
Status compare_facts(Db *db, const Side *a, const Side *b,
                     void (*tell)(void *self, const char *what, const char *a, const char *b),
                     void *self, Err *err);

#endif
