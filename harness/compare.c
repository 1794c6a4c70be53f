/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of two sides, joined by point. They were not measured together, so the statistics are
 * those of unpaired.h, and points whose code is the same on both sides say how far that can be
 * trusted. */
#include "compare.h"

#include "../kernels/core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char compare_facts_sql[];   /* embedded by the build */

/* ---- sides ------------------------------------------------------------------------------------
 */

static int is_hex(const char *word)
{
    const size_t length = strlen(word);
    return length >= 4 && length <= 64 && strspn(word, "0123456789abcdef") == length;
}

static int latest_session(Db *db, int from_end, Side *side)
{
    Query *q = query_open(
        db,
        "SELECT id, printf('session %016x, ', id) || datetime(started_at_ms / 1000.0, 'unixepoch') "
        "FROM session s WHERE EXISTS (SELECT 1 FROM block WHERE session = s.id) "
        "ORDER BY started_at_ms DESC LIMIT 1 OFFSET ?",
        VALUES(val_integer(from_end)));
    const int found = query_row(q);
    if (found) {
        side->session = column_integer(q, 0);
        snprintf(side->name, sizeof side->name, "%s", column_text(q, 1));
    }
    query_close(q);
    return found;
}

/* Everything that the word could mean, as (kind, id, name) rows; two are enough to refuse. */
static const char meanings[] =
    "SELECT 'machine', id, 'machine ' || alias, '' FROM machine WHERE alias = ?1 "
    "UNION ALL SELECT 'session', id, printf('session %016x, ', id) || datetime(started_at_ms / "
    "1000.0, 'unixepoch'), '' "
    "FROM session WHERE ?2 AND printf('%016x', id) GLOB ?1 || '*' "
    "UNION ALL SELECT DISTINCT 'revision', 0, 'revision ' || substr(revision, 1, 12), revision "
    "FROM build "
    "WHERE ?2 AND revision GLOB ?1 || '*' LIMIT 2";

Status side_find(Db *db, const char *word, Side *side, Err *err)
{
    *side = (Side){ .name = "" };
    if (!strcmp(word, "last") || !strcmp(word, "previous")) {
        const int found = latest_session(db, word[0] == 'p', side);
        const Status status = db_check(db, err);
        if (status || found) return status;
        return fail(err, BAD_INPUT, "there is no %s session: %s", word, word[0] == 'p'
                    ? "that takes two calls of `attest run`" : "`attest run` makes them");
    }
    Query *q = query_open(db, meanings, VALUES(val_text(word), val_integer(is_hex(word))));
    int found = 0;
    for (; query_row(q); found++) {
        const char *kind = column_text(q, 0);
        side->machine = strcmp(kind, "machine") ? 0 : column_integer(q, 1);
        side->session = strcmp(kind, "session") ? 0 : column_integer(q, 1);
        snprintf(side->name, sizeof side->name, "%s", column_text(q, 2));
        text_clean(side->name);
        snprintf(side->revision, sizeof side->revision, "%s", column_text(q, 3));
    }
    query_close(q);
    const Status status = db_check(db, err);
    if (status || found == 1) return status;
    return fail(err, BAD_INPUT,
                found
                    ? "'%s' is the start of several sessions or revisions; write more of it"
                    : "nothing is called '%s': a machine, the start of a session or of a revision, "
                      "'last' or 'previous'; attest query \"SELECT session, started_at, command "
                      "FROM v_session\" lists sessions",
                word);
}

/* ---- blocks --------------------------------------------------------------------------- */

typedef struct {
    int64_t point, code;
    char   *text;
    double  median_ns[UNPAIRED_MAX];
    int     blocks;
} Timed;

typedef struct { Timed *item; int count, room; } TimedList;

static Timed *new_cost(Db *db, TimedList *c, const Query *q)
{
    Err err;
    if (c->count == c->room) {
        const int room = 2 * c->room + 32;
        Timed *more = realloc(c->item, (size_t)room * sizeof *more);
        if (!more) {
            db_fail(db, fail(&err, NO_MEMORY, "no memory for %d points", room), &err);
            return NULL;
        }
        c->item = more;
        c->room = room;
    }
    Timed *new = &c->item[c->count];
    *new = (Timed){ .point = column_integer(q, 0), .code = column_integer(q, 1) };
    new->text = malloc(strlen(column_text(q, 2)) + 1);
    if (!new->text) {
        db_fail(db, fail(&err, NO_MEMORY, "no memory for a point"), &err);
        return NULL;
    }
    strcpy(new->text, column_text(q, 2));
    c->count++;
    return new;
}

/* Medians of the side's blocks by point. Where a side has several codes of a point, the last one's.
 * Read from the side's blocks on: a session is little of a large file. */
static void load(Db *db, const Side *side, TimedList *out)
{
    char sql[512];
    const Value whose = side->session   ? val_integer(side->session)
                        : side->machine ? val_integer(side->machine)
                                        : val_text(side->revision);
    snprintf(sql, sizeof sql,
             "SELECT r.point, r.code, p.text, t.median_ns FROM block b "
             "CROSS JOIN run r ON r.block = b.id CROSS JOIN timing t ON t.run = r.id "
             "CROSS JOIN point p ON p.id = r.point "
             "WHERE b.%s ORDER BY r.point, b.started_at_ms, b.id",
             side->session   ? "session = ?"
             : side->machine ? "session IN (SELECT id FROM session WHERE machine = ?)"
                             : "build IN (SELECT id FROM build WHERE revision = ?)");
    Query *q = query_open(db, sql, 1, &whose);
    Timed *now = NULL;
    while (query_row(q)) {
        const int64_t point = column_integer(q, 0), code = column_integer(q, 1);
        if (!now || now->point != point) now = new_cost(db, out, q);
        if (!now) break;
        if (now->code != code) { now->code = code; now->blocks = 0; }
        if (now->blocks < UNPAIRED_MAX) now->median_ns[now->blocks++] = column_real(q, 3);
    }
    query_close(q);
}

static void free_costs(TimedList *c)
{
    for (int i = 0; i < c->count; i++) free(c->item[i].text);
    free(c->item);
}

/* ---- the comparison ------------------------------------------------------------------- */

static double median_of(const Timed *c)
{
    double sorted[UNPAIRED_MAX];
    memcpy(sorted, c->median_ns, (size_t)c->blocks * sizeof *sorted);
    stats_sort(sorted, c->blocks);
    return stats_quantile(sorted, c->blocks, 0.5);
}

static Status compare_point(Timed *a, Timed *b, Compared *out, Err *err)
{
    *out = (Compared){ .point = a->text,
                       .a_blocks = a->blocks,
                       .b_blocks = b->blocks,
                       .a_ns = median_of(a),
                       .b_ns = median_of(b),
                       .same_code = a->code == b->code };
    a->text = NULL;
    const Blocks before = { a->median_ns, a->blocks }, after = { b->median_ns, b->blocks };
    return unpaired_ratio(&after, &before, 0.95, &out->time, err);
}

static Status join(TimedList *a, TimedList *b, Comparisons *out, Err *err)
{
    Status status = OK;
    out->item = malloc((size_t)(a->count ? a->count : 1) * sizeof *out->item);
    if (!out->item) return fail(err, NO_MEMORY, "no memory for %d points", a->count);
    int i = 0, k = 0;
    while (i < a->count && k < b->count && !status) {
        if (a->item[i].point < b->item[k].point) { out->a_only++; i++; }
        else if (a->item[i].point > b->item[k].point) { out->b_only++; k++; }
        else status = compare_point(&a->item[i++], &b->item[k++], &out->item[out->count++], err);
    }
    out->a_only += a->count - i;
    out->b_only += b->count - k;
    return status;
}

/* Equal code on both sides: whatever differs is the days', the machines' or chance's. */
static double noise_of(const Comparisons *c, double *scratch)
{
    int n = 0;
    for (int i = 0; i < c->count; i++)
        if (c->item[i].same_code) scratch[n++] = fabs(stats_log(c->item[i].time.ratio.value));
    if (!n) return NAN;
    stats_sort(scratch, n);
    return stats_exp(stats_quantile(scratch, n, 0.95)) - 1;
}

static Decision decide(const Compared *c, double margin)
{
    const double edge = 1 + margin;
    if (c->time.ratio.kind == INTERVAL_NONE) return DECISION_INCONCLUSIVE;
    if (c->time.ratio.low > edge && c->p_holm <= 0.05) return DECISION_FASTER;
    if (c->time.ratio.high < 1 / edge && c->p_holm <= 0.05) return DECISION_SLOWER;
    return c->time.ratio.low >= 1 / edge && c->time.ratio.high <= edge ? DECISION_SAME
                                                             : DECISION_INCONCLUSIVE;
}

static Status judge(Comparisons *c, double margin, Err *err)
{
    double *p = malloc(2 * (size_t)(c->count ? c->count : 1) * sizeof *p), *adjusted = p + c->count;
    if (!p) return fail(err, NO_MEMORY, "no memory for %d points", c->count);
    c->noise_rel = noise_of(c, p);
    for (int i = 0; i < c->count; i++) p[i] = c->item[i].time.p;
    if (c->count) stats_holm(p, c->count, adjusted);
    for (int i = 0; i < c->count; i++) {
        c->item[i].p_holm = adjusted[i];
        c->item[i].decision = decide(&c->item[i], margin);
    }
    free(p);
    return OK;
}

static int by_point(const void *a, const void *b)
{
    return strcmp(((const Compared *)a)->point, ((const Compared *)b)->point);
}

Status compare_sides(Db *db, const Side *a, const Side *b, double margin, Comparisons *out,
                     Err *err)
{
    TimedList first = { 0 }, second = { 0 };
    *out = (Comparisons){ .noise_rel = NAN };
    load(db, a, &first);
    load(db, b, &second);
    Status status = db_check(db, err);
    if (!status) status = join(&first, &second, out, err);
    if (!status) status = judge(out, margin, err);
    if (!status && out->count) qsort(out->item, (size_t)out->count, sizeof *out->item, by_point);
    free_costs(&first);
    free_costs(&second);
    if (status) compare_free(out);
    return status;
}

void compare_free(Comparisons *c)
{
    for (int i = 0; i < c->count; i++) free(c->item[i].point);
    free(c->item);
    *c = (Comparisons){ .noise_rel = NAN };
}

/* ---- what differs --------------------------------------------------------------------- */


Status compare_facts(Db *db, const Side *a, const Side *b,
                     void (*tell)(void *self, const char *what, const char *a, const char *b),
                     void *self, Err *err)
{
    Query *q =
        query_open(db, compare_facts_sql,
                   VALUES(val_integer(a->machine), val_integer(a->session), val_text(a->revision),
                          val_integer(b->machine), val_integer(b->session), val_text(b->revision)));
    while (query_row(q)) {
        const char *left = column_type(q, 1) == VALUE_NULL ? "(none)" : column_text(q, 1);
        const char *right = column_type(q, 2) == VALUE_NULL ? "(none)" : column_text(q, 2);
        tell(self, column_text(q, 0), left, right);
    }
    query_close(q);
    return db_check(db, err);
}
