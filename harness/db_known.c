/* SPDX-License-Identifier: Apache-2.0 */
/* What the database already knows of a comparison, so that nothing is measured twice: rows count
 * only if they were measured here (same machine, not merged from another file: merge.h), by this
 * object code, and hold what is asked for. */
#include "db_internal.h"

#include <stdlib.h>
#include <string.h>

/* Every word of `wanted` (comma between) is a word of `had`. */
static int covers(const char *had, const char *wanted)
{
    while (*wanted) {
        const size_t word = strcspn(wanted, ",");
        const char *at = had;
        while (*at && (strcspn(at, ",") != word || strncmp(at, wanted, word))) {
            at += strcspn(at, ",");
            at += *at == ',';
        }
        if (!*at) return 0;
        wanted += word + (wanted[word] == ',');
    }
    return 1;
}

/* A limit of 0 is none. */
static int at_least(int64_t limit, int64_t other)
{
    return limit == 0 || (other != 0 && limit >= other);
}

typedef struct {
    int64_t code[ARMS_MAX];
    int64_t wall_limit_ms, memory_limit_bytes;   /* of the block under way */
} Expected;

/* Would trying again only show the same? An impossible time is the clock's fault, not the arm's. */
static int is_settled(const char *outcome, const Expected *e, const BlockContext *now)
{
    if (!strcmp(outcome, "ok") || !strcmp(outcome, "impossible")) return 0;
    if (!strcmp(outcome, "timeout")) return at_least(e->wall_limit_ms, now->wall_limit_ms);
    if (!strcmp(outcome, "out-of-memory") || !strcmp(outcome, "skipped"))
        return at_least(e->memory_limit_bytes, now->memory_limit_bytes) &&
               at_least(e->wall_limit_ms, now->wall_limit_ms);
    return 1;
}

/* Reads the runs of one block: which arms are well, which have failed for good. */
static unsigned arms_well(Db *db, int64_t block, const Expected *e, const BlockContext *now,
                          int arms, Known *out)
{
    unsigned well = 0;
    Query *q = query_open(db, "SELECT position, code, outcome FROM run WHERE block = ?",
                          VALUES(val_integer(block)));
    while (query_row(q)) {
        const int64_t i = column_integer(q, 0);
        if (i < 0 || i >= arms || column_integer(q, 1) != e->code[i]) continue;
        if (!strcmp(column_text(q, 2), "ok")) well |= 1u << i;
        else if (is_settled(column_text(q, 2), e, now)) out->failed[i] = 1;
    }
    query_close(q);
    return well;
}

typedef struct { unsigned *well; int count, room; } Blocks;

static void remember(Db *db, Blocks *b, unsigned well)
{
    if (b->count == b->room) {
        const int room = 2 * b->room + 16;
        unsigned *more = realloc(b->well, (size_t)room * sizeof *more);
        if (!more) {
            Err err;
            db_fail(db, fail(&err, NO_MEMORY, "no memory for %d blocks", room), &err);
            return;
        }
        b->well = more;
        b->room = room;
    }
    b->well[b->count++] = well;
}

/* A twin's blocks are part of the same ratio; then it is not ours alone that has decided. */
static void count_pairs(Db *db, const BlockContext *context, int64_t comparison, const Expected *e,
                        Known *out)
{
    Query *q = query_open(
        db,
        "SELECT a.position, b.position, r.code_a, r.code_b, r.verdict, EXISTS (SELECT 1 FROM "
        "block k JOIN session s ON s.id = k.session WHERE k.comparison = ?1 AND s.machine = ?2 AND "
        IS_FOREIGN("s.id") ") FROM arm a JOIN arm b "
        "ON b.comparison = a.comparison JOIN ratio r ON r.point_a = a.point AND r.point_b = "
        "b.point "
        "WHERE a.comparison = ?1 AND r.machine = ?2",
        VALUES(val_integer(comparison), val_integer(context->from.machine)));
    while (query_row(q)) {
        const int64_t a = column_integer(q, 0), b = column_integer(q, 1);
        if (column_integer(q, 2) != e->code[a] || column_integer(q, 3) != e->code[b]) continue;
        out->timed_pairs++;
        out->decided_pairs += strcmp(column_text(q, 4), "inconclusive") && !column_integer(q, 5);
    }
    query_close(q);
}

Status db_known(Db *db, const BlockContext *context, int64_t session, const Point *arm, int arms,
                Known *out, Err *err)
{
    require(arms >= 1 && arms <= ARMS_MAX);
    Blocks blocks = { 0 };
    Expected e = { { 0 }, 0, 0 };
    double seconds = 0;
    unsigned alive = 0;
    const int64_t comparison = db_comparison_id(arm, arms);
    *out = (Known){ { 0 }, 0, 0, 0, 0 };
    for (int i = 0; i < arms; i++) e.code[i] = db_code_id(arm[i].variant);
    Query *q = query_open(
        db,
        "SELECT b.id, b.instruments, b.duration_ms, b.wall_limit_ms, b.memory_limit_bytes FROM "
        "block b "
        "JOIN session s ON s.id = b.session WHERE b.comparison = ?1 AND s.machine = ?2 "
        "AND (?3 = 0 OR b.session = ?3) AND NOT " IS_FOREIGN("b.session")
        " ORDER BY b.started_at_ms",
        VALUES(val_integer(comparison), val_integer(context->from.machine), val_integer(session)));
    while (query_row(q)) {
        if (!covers(column_text(q, 1), context->instruments)) continue;
        e.wall_limit_ms = column_integer(q, 3);
        e.memory_limit_bytes = column_integer(q, 4);
        seconds += (double)column_integer(q, 2) / 1e3;
        remember(db, &blocks, arms_well(db, column_integer(q, 0), &e, context, arms, out));
    }
    query_close(q);
    for (int i = 0; i < arms; i++) alive |= out->failed[i] ? 0 : 1u << i;
    for (int i = 0; i < blocks.count; i++)
        out->blocks += alive && (blocks.well[i] & alive) == alive;
    out->seconds = blocks.count ? seconds / blocks.count : 0;
    count_pairs(db, context, comparison, &e, out);
    free(blocks.well);
    return db_check(db, err);
}
