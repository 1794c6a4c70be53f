/* SPDX-License-Identifier: Apache-2.0 */
/* What a run will do, before it does anything: the compare groups of all specs, what of them cannot
 * be measured here and why, what is known already, and about how long and how much memory the rest
 * takes.
 *
 *   plan.c         specs into groups
 *   plan_cost.c    what an arm needs, and what it cannot have here */
#ifndef PLAN_H
#define PLAN_H

#include "db.h"
#include "spec.h"

typedef struct {
    Point   point;
    Outcome refused;                   /* OUTCOME_OK: it can be measured */
    char    why[160];
    double  memory_bytes;              /* of one set of its tensors and its workspace */
    double  call_s;                    /* a guess, for sums and bars only */
} PlannedArm;

typedef struct {
    const Spec *spec;                  /* borrowed */
    const Part *part;
    PlannedArm *arm;
    int         arms;
    int64_t     comparison;            /* its id in the database */
    Known       known;                 /* zero without a database */
    double      block_s;               /* what a block takes: as known, or a guess */
} Group;

typedef struct {
    Group *group;
    int    groups, room;
    int    cores;                      /* that may be used */
    int64_t memory_bytes;              /* that is free; 0: not known */
    int left_out; /* arms that this program was not built for (other processors' ISAs) */
} Plan;

/* Groups of every spec; `only` keeps those with an arm whose text matches the glob (NULL: all). */
Status plan_open(Plan *plan, const Spec *spec, int specs, const char *only, Err *err);
void   plan_close(Plan *plan);

/* What the database holds of each group, for the machine in `context`; an arm that failed for good
 * is not measured again. */
Status plan_look_up(Plan *plan, Db *db, int64_t machine, Err *err);
/* The context of a group's blocks but for its provenance. text: INSTRUMENTS_TEXT bytes for the
 * list. */
enum { INSTRUMENTS_TEXT = 160 };
BlockContext plan_context(const Group *group, char *text);
/* The group's points, for db_*. */
int    plan_points(const Group *group, Point *point);

/* Is there an arm that can and should be measured? */
int    group_is_open(const Group *group);
/* Does it need more blocks than it has, up to `target`? */
int    group_wants(const Group *group, int target);
/* Is a pair of its arms still without a verdict? */
int    group_is_undecided(const Group *group);
/* Is there a refusal that the database does not hold yet? */
int    group_refuses(const Group *group);

/* ---- plan_cost.c ---------------------------------------------------------------------- */

/* Fills refused, why, memory_bytes and call_s. */
void   plan_judge_arm(const Plan *plan, const Spec *spec, PlannedArm *arm);
double plan_guess_block(const Group *group);

#endif
