/* SPDX-License-Identifier: Apache-2.0 */
#include "judge_runs.h"

#include <stdlib.h>
#include <string.h>

enum { TEXTS = 6 };

/* Columns 0 to 5 of the row in one piece of memory; 0: no memory. */
static int copy_texts(const Query *q, char *to[TEXTS])
{
    size_t size = 0;
    for (int i = 0; i < TEXTS; i++) size += strlen(column_text(q, i)) + 1;
    char *at = malloc(size);
    if (!at) return 0;
    for (int i = 0; i < TEXTS; i++) {
        to[i] = strcpy(at, column_text(q, i));
        at += strlen(at) + 1;
    }
    return 1;
}

static int add_run(Tried *tried, const Query *q)
{
    char *text[TEXTS];
    if (tried->runs == tried->room) {
        const int room = 2 * tried->room + 256;
        TriedRun *more = realloc(tried->run, (size_t)room * sizeof *more);
        if (!more) return 0;
        tried->run = more;
        tried->room = room;
    }
    if (!copy_texts(q, text)) return 0;
    tried->run[tried->runs++] = (TriedRun){
        .point = text[0], .outcome = text[1], .method = text[2], .variant = text[3],
        .pass = text[4], .dtype = text[5], .id = column_integer(q, 6),
        .failed = strcmp(text[1], "ok") != 0
    };
    return 1;
}

static Status read_runs(Tried *tried, Db *db, Err *err)
{
    int complete = 1;
    Query *q = query_open(db,
                          "SELECT point, outcome, method, variant, pass, dtype, run_id "
                          "FROM v_outcome WHERE experiment = ? ORDER BY point, run_id",
                          VALUES(val_text(tried->experiment)));
    while (complete && query_row(q)) complete = add_run(tried, q);
    query_close(q);
    return complete ? db_check(db, err) : fail(err, NO_MEMORY, "no memory for a claim's points");
}

Status tried_runs(TriedRuns *all, Db *db, const char *experiment, const Tried **out, Err *err)
{
    for (int i = 0; i < all->count; i++) {
        *out = &all->of[i];
        if (!strcmp(all->of[i].experiment, experiment)) return OK;
    }
    if (all->count == TRIED_MAX)
        return fail(err, BAD_INPUT, "the claims of a paper rest on more than %d experiments",
                    TRIED_MAX);
    Tried *tried = &all->of[all->count++];
    *tried = (Tried){ .experiment = experiment };
    *out = tried;
    return read_runs(tried, db, err);
}

void tried_close(TriedRuns *all)
{
    for (int i = 0; i < all->count; i++) {
        for (int k = 0; k < all->of[i].runs; k++) free(all->of[i].run[k].point);
        free(all->of[i].run);
    }
    *all = (TriedRuns){ .count = 0 };
}

void tried_hash(const TriedRun *run, Sha256 *hash)
{
    identity_text(hash, run->point);
    identity_text(hash, run->outcome);
    identity_text(hash, run->method);
    identity_text(hash, run->variant);
    identity_integer(hash, run->id);
    identity_integer(hash, run->failed);
    identity_text(hash, run->pass);
    identity_text(hash, run->dtype);
}
