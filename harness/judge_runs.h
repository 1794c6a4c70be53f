/* SPDX-License-Identifier: Apache-2.0 */
/* The runs of an experiment, read once for all the claims that rest on it. */
#ifndef JUDGE_RUNS_H
#define JUDGE_RUNS_H

#include "db.h"

typedef struct {
    char   *point;             /* the one allocation; the other texts lie behind it */
    char   *outcome, *method, *variant, *pass, *dtype;
    int64_t id;
    int     failed;
} TriedRun;

typedef struct {
    const char *experiment;    /* borrowed from the claim that asked first */
    TriedRun   *run;           /* by point, then id */
    int         runs, room;
} Tried;

enum { TRIED_MAX = 64 };       /* experiments of one paper */
typedef struct { Tried of[TRIED_MAX]; int count; } TriedRuns;

/* As this connection's v_outcome shows them; the first call for an experiment reads them. */
Status tried_runs(TriedRuns *all, Db *db, const char *experiment, const Tried **out, Err *err);
void   tried_close(TriedRuns *all);
/* Everything that is known of a run here, for the hash of a verdict's rows. */
void   tried_hash(const TriedRun *run, Sha256 *hash);

#endif
