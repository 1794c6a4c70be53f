/* SPDX-License-Identifier: Apache-2.0 */
#include "why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of the query below. */
enum {
    COL_BLOCK, COL_SESSION, COL_COMPARISON, COL_STARTED, COL_MACHINE, COL_ALIAS, COL_MERGED,
    COL_REVISION, COL_DIRTY, COL_EXPERIMENT, COL_INSTRUMENTS, COL_POSITION, COL_OUTCOME,
    COL_REASON, COL_SYMBOL, COL_SHA256, COL_SHOWN, COL_ARMS
};

static const char blocks_of_point[] =
    "SELECT b.id, s.id, b.comparison, datetime(s.started_at_ms / 1000, 'unixepoch'), m.id, "
    "m.alias, f.value, u.revision, u.dirty, coalesce(x.name, s.command), b.instruments, "
    "r.position, r.outcome, r.reason, c.symbol, c.sha256, coalesce(e.newest, 0), k.arms "
    "FROM point p JOIN run r ON r.point = p.id JOIN block b ON b.id = r.block "
    "JOIN session s ON s.id = b.session JOIN machine m ON m.id = s.machine "
    "JOIN build u ON u.id = b.build JOIN code c ON c.id = r.code "
    "JOIN comparison k ON k.id = b.comparison LEFT JOIN spec x ON x.id = b.spec "
    "LEFT JOIN estimate e ON e.machine = m.id AND e.point = p.id AND e.code = r.code "
    "LEFT JOIN session_fact f ON f.session = s.id AND f.name = 'merged.from' "
    "WHERE p.text = ? ORDER BY s.started_at_ms, s.id, b.comparison, b.started_at_ms, b.id";

/* ---- why ---------------------------------------------------------------------------------- */

/* Another arm of the block whose code is not this program's; 1 where there is one. */
static int partner_has_changed(Db *db, int64_t block, int64_t position, WhyRow *row)
{
    int changed = 0;
    Query *q = query_open(db, "SELECT c.symbol, c.sha256 FROM run r JOIN code c ON c.id = r.code "
                              "WHERE r.block = ? AND r.position <> ? ORDER BY r.position",
                          VALUES(val_integer(block), val_integer(position)));
    while (!changed && query_row(q)) {
        changed = db_code_here(column_text(q, 0), column_text(q, 1)) != 1;
        if (changed)
            snprintf(row->why, sizeof row->why,
                     "the code of %.80s, which was measured in turns with it, has changed since",
                     column_text(q, 0));
    }
    query_close(q);
    return changed;
}

/* How db_known() takes an end that was not well. */
static void explain_failure(const char *outcome, const char *reason, WhyRow *row)
{
    const int limited = !strcmp(outcome, "timeout") || !strcmp(outcome, "out-of-memory") ||
                        !strcmp(outcome, "skipped");
    row->reused = strcmp(outcome, "impossible") != 0;
    snprintf(row->why, sizeof row->why, "%.200s%s%s", reason, *reason ? "; " : "",
             !row->reused ? "the clock's fault, so it is tried again"
             : limited    ? "it is tried again only with higher limits"
                          : "trying again would only show the same");
}

static void explain(Db *db, const Query *q, int64_t here, WhyRow *row)
{
    const char *symbol = column_text(q, COL_SYMBOL);
    const int code = db_code_here(symbol, column_text(q, COL_SHA256));
    if (column_type(q, COL_MERGED) != VALUE_NULL)
        snprintf(row->why, sizeof row->why,
                 "it came from %.100s: foreign rows are not measurements of this machine",
                 column_text(q, COL_MERGED));
    else if (column_integer(q, COL_MACHINE) != here)
        snprintf(row->why, sizeof row->why, "it was measured on another machine");
    else if (code != 1)
        snprintf(row->why, sizeof row->why,
                 code ? "this program has no %.80s" : "the code of %.80s has changed since",
                 symbol);
    else if (strcmp(row->outcome, "ok"))
        explain_failure(row->outcome, column_text(q, COL_REASON), row);
    else if (!partner_has_changed(db, column_integer(q, COL_BLOCK), column_integer(q, COL_POSITION),
                                  row)) {
        row->reused = 1;
        snprintf(row->why, sizeof row->why, "same machine, same code");
    }
}

/* ---- rows --------------------------------------------------------------------------------- */

static WhyRow read_row(Db *db, const Query *q, int64_t here)
{
    WhyRow row = { .session = column_integer(q, COL_SESSION),
                   .comparison = column_integer(q, COL_COMPARISON),
                   .shown = (int)column_integer(q, COL_SHOWN), .blocks = 1,
                   .arms = (int)column_integer(q, COL_ARMS) };
    snprintf(row.started_at, sizeof row.started_at, "%.16s", column_text(q, COL_STARTED));
    snprintf(row.machine, sizeof row.machine, "%.60s", column_text(q, COL_ALIAS));
    snprintf(row.experiment, sizeof row.experiment, "%.90s", column_text(q, COL_EXPERIMENT));
    snprintf(row.revision, sizeof row.revision, "%.12s%s", column_text(q, COL_REVISION),
             column_integer(q, COL_DIRTY) ? "+" : "");
    snprintf(row.instruments, sizeof row.instruments, "%.150s", column_text(q, COL_INSTRUMENTS));
    snprintf(row.outcome, sizeof row.outcome, "%.20s", column_text(q, COL_OUTCOME));
    explain(db, q, here, &row);
    return row;
}

static int says_the_same(const WhyRow *a, const WhyRow *b)
{
    return a->session == b->session && a->comparison == b->comparison && a->shown == b->shown &&
           a->reused == b->reused && !strcmp(a->why, b->why) && !strcmp(a->outcome, b->outcome) &&
           !strcmp(a->instruments, b->instruments) && !strcmp(a->experiment, b->experiment);
}

static Status add_row(Why *why, const WhyRow *row, Err *err)
{
    why->blocks++;
    why->reused += row->reused;
    if (why->rows && says_the_same(&why->row[why->rows - 1], row)) {
        why->row[why->rows - 1].blocks++;
        return OK;
    }
    if (why->rows % 32 == 0) {
        WhyRow *more = realloc(why->row, ((size_t)why->rows + 32) * sizeof *more);
        if (!more) return fail(err, NO_MEMORY, "no memory for %d rows", why->rows + 32);
        why->row = more;
    }
    why->row[why->rows++] = *row;
    return OK;
}

/* A variant that this program does not have can still be asked about by its stored name. */
static Status name_point(Why *out, Db *db, const char *word, Err *err)
{
    Point point;
    const Status status = point_parse(&point, word, err);
    if (!status) {
        point_print(&point, out->text, sizeof out->text);
        return OK;
    }
    if (!db_integer(db, "SELECT 1 FROM point WHERE text = ?", VALUES(val_text(word)), 0))
        return status;
    snprintf(out->text, sizeof out->text, "%s", word);
    return OK;
}

Status why_open(Why *out, Db *db, const char *word, Err *err)
{
    Facts identity;
    *out = (Why){ .row = NULL };
    Status status = name_point(out, db, word, err);
    if (status) return status;
    machine_identity(&identity);
    const int64_t here = db_machine_id(&identity);
    Query *q = query_open(db, blocks_of_point, VALUES(val_text(out->text)));
    while (!status && query_row(q)) {
        const WhyRow row = read_row(db, q, here);
        status = add_row(out, &row, err);
    }
    query_close(q);
    const Status trouble = db_check(db, status ? NULL : err);
    if (!status) status = trouble;
    if (status) why_close(out);
    return status;
}

void why_close(Why *why)
{
    free(why->row);
    *why = (Why){ .row = NULL };
}
