/* SPDX-License-Identifier: Apache-2.0 */
/* The raw rows of another file beside our own. Ids are hashes of what rows are, so the same row has
 * the same id in both, and merging is adding what is not there: doing it twice changes nothing.
 *
 * What comes along: machines, sessions with their facts, ceilings and noise, builds, specs, points,
 * blocks with everything below them. Estimates and ratios are derived again from all rows. Verdicts
 * stay behind: they can be given again (`attest claims --machine`), and would otherwise hide ours.
 *
 * Foreign rows. A session that came by merging has the fact `merged.from`. Its blocks are never
 * taken for measurements of this machine, not even if its facts are the same: a twin in a data
 * centre is another machine. Whoever has two files of one machine says so (`own`).
 *
 * Conflicts. A row of theirs that has the id of one of ours but says something else, or belongs to
 * a block or a session of ours that hasn't got it: one of the files was changed after it was
 * written, and nothing in them tells which. Both cannot be kept under one id, and a file from
 * elsewhere must not replace our own evidence; so ours stays as it is, theirs is left out, and the
 * conflict is told. Other rows are merged. A ceiling is no conflict, for better readings replace
 * worse ones.
 *
 * An older file is migrated in a copy, one of a newer attest is refused. All of a file is merged in
 * one transaction: after a kill it is there wholly or not at all. */
#ifndef MERGE_H
#define MERGE_H

#include "db_other.h"

enum { MERGE_CONFLICTS_MAX = 20, MERGE_NAMES_MAX = 16 };

typedef struct { const char *from, *to; } Rename;   /* a machine's alias: theirs, in ours */

typedef struct {
    const char *name;          /* for `merged.from`; NULL: the last part of the path */
    int own;                   /* theirs was measured here: its rows count as ours */
    int dry_run;               /* only say what would come */
    const Rename *rename;
    int renames;
} MergeRequest;

typedef struct {
    const char *table;
    int64_t     rows;
    char        example[64];   /* the key of one of them */
} Conflict;

typedef struct {
    int64_t  machines, sessions, blocks, runs;      /* new here */
    int64_t  foreign;                               /* sessions of those that are marked so */
    Conflict conflict[MERGE_CONFLICTS_MAX];
    int      conflicts;
    struct { char alias[64], name[96]; } renamed[MERGE_NAMES_MAX];  /* there; what it is here */
    int      renames;
} Merged;

/* BAD_INPUT: no file of attest's, or rows whose ids are not their own; then nothing was merged. */
Status merge_file(Db *db, const char *path, const MergeRequest *request, Merged *out, Err *err);

/* ---- for bundles ------------------------------------------------------------------------ */

/* Copies the blocks in temp.wanted_block (id) and the sessions in temp.wanted_session (id), both of
 * `theirs`, with all that they refer to; inside a transaction. */
void merge_copy(Db *db);

#endif
