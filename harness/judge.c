/* SPDX-License-Identifier: Apache-2.0 */
/* One claim at a time: its query is run on all blocks, and for a claim about times on both
 * halves. */
#include "judge.h"
#include "db_half.h"
#include "deadline.h"
#include "judge_runs.h"

#include "../kernels/core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *verdict_name(Verdict verdict)
{
    static const char *const names[VERDICTS] = { "reproduced",      "partly",
                                                 "contradicted",    "inconclusive",
                                                 "under-specified", "not-testable",
                                                 "not-yet-measured" };
    require(verdict >= 0 && verdict < VERDICTS);
    return names[verdict];
}

/* ---- bands ---------------------------------------------------------------------------------- */

static int inside(const Expect *e, double low, double high)
{
    return low >= e->low && high <= e->high;
}

static int outside(const Expect *e, double low, double high)
{
    return high < e->low || low > e->high;
}

Verdict judge_interval(const Expect *expect, const Expect *direction, double low, double high)
{
    require(expect->kind != EXPECT_NONE && low <= high);
    const int weaker = direction->kind != EXPECT_NONE;
    if (inside(expect, low, high))
        return REPRODUCED;
    if (weaker && inside(direction, low, high) && outside(expect, low, high))
        return PARTLY;
    if (outside(expect, low, high) && (!weaker || outside(direction, low, high)))
        return CONTRADICTED;
    return INCONCLUSIVE;
}

/* ---- asking --------------------------------------------------------------------------------- */

typedef struct {
    const Paper *paper;
    const char  *path;
    int64_t      machine;
    Db          *db;         /* all blocks */
    Db          *half[2];    /* opened when first asked for */
    TriedRuns    tried;
} Court;

typedef struct { int rows; double value, low, high; } Answer;

static void add_reason(Judgement *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_reason(Judgement *j, const char *format, ...)
{
    const size_t used = strlen(j->reason);
    va_list arguments;
    if (used)
        snprintf(j->reason + used, sizeof j->reason - used, "; ");
    va_start(arguments, format);
    vsnprintf(j->reason + strlen(j->reason), sizeof j->reason - strlen(j->reason), format,
              arguments);
    va_end(arguments);
}

static int column_of(const Query *q, const char *name)
{
    for (int i = 0; i < query_columns(q); i++)
        if (strcmp(query_name(q, i), name) == 0)
            return i;
    return -1;
}

static double number_at(const Query *q, int column)
{
    return column < 0 || column_type(q, column) == VALUE_NULL ? NAN : column_real(q, column);
}

/* A row whose value is NULL says as little as no row. Every row goes into the hash. */
static Status ask(Db *db, const char *sql, Answer *answer, Sha256 *hash, Err *err)
{
    *answer = (Answer){ 0, NAN, NAN, NAN };
    db_stop_when(db, deadline_open(JUDGE_SECONDS * 1000));
    Query *q = query_open(db, sql, NO_VALUES);
    while (query_row(q)) {
        if (hash)
            query_hash_row(q, hash);
        if (answer->rows == 0)
            *answer =
                (Answer){ 0, number_at(q, column_of(q, "value")), number_at(q, column_of(q, "low")),
                          number_at(q, column_of(q, "high")) };
        answer->rows++;
    }
    query_close(q);
    const Status status = db_check(db, err);
    const int late = deadline_close();
    db_stop_when(db, NULL);
    if (status && late)
        return fail(err, BAD_INPUT, "it did not end within %d s", JUDGE_SECONDS);
    return status;
}

static Status court_half(Court *court, int which, Db **db, Err *err)
{
    if (!court->half[which]) {
        Status status = db_open(&court->half[which], court->path, DB_READ, err);
        if (!status)
            status = db_only_half(court->half[which], court->machine, which == 0, err);
        if (status)
            return status;
    }
    *db = court->half[which];
    return OK;
}

/* ---- the points behind a claim -------------------------------------------------------------- */

/* The query names it as a text of its own: 'flash_attention'. */
static int names(const char *sql, const char *what)
{
    char quoted[120];
    snprintf(quoted, sizeof quoted, "'%.100s'", what);
    return strstr(sql, quoted) != NULL;
}

static int add_point(Judgement *j, const char *point)
{
    if (j->points && strcmp(j->point[j->points - 1], point) == 0)
        return 1;
    if (j->points % 64 == 0) {
        char **more = realloc(j->point, (size_t)(j->points + 64) * sizeof *more);
        if (!more)
            return 0;
        j->point = more;
    }
    return (j->point[j->points++] = strdup(point)) != NULL;
}

/* 1 if the query names one of the words (ends with NULL), but not this one. */
static int means_another(const char *sql, const char *const *words, const char *what)
{
    for (; *words; words++)
        if (names(sql, *words))
            return !names(sql, what);
    return 0;
}

static int is_behind(const char *sql, const TriedRun *run)
{
    static const char *const passes[] = { "fwd", "bwd", "step", NULL };
    static const char *const dtypes[] = { "f32", "bf16", "f64", NULL };
    return names(sql, run->method)
        && (!strstr(sql, "variant") || names(sql, run->variant))
        && !means_another(sql, passes, run->pass)
        && !means_another(sql, dtypes, run->dtype);
}

/* Those of the claim's experiment whose method, variant, pass and dtype the query names, with every
 * run. What the query does not name at all, it does not restrict. */
static Status find_points(Court *court, Judgement *j, Sha256 *hash, Err *err)
{
    const Tried *tried;
    int failed_runs = 0;
    const Status status = tried_runs(&court->tried, court->db, j->claim->experiment, &tried, err);
    for (int i = 0; !status && i < tried->runs; i++) {
        const TriedRun *run = &tried->run[i];
        if (!is_behind(j->claim->evidence, run))
            continue;
        const int before = j->points;
        if (!add_point(j, run->point))
            return fail(err, NO_MEMORY, "no memory for a claim's points");
        if (j->points > before)
            failed_runs = 0;
        if (run->failed && failed_runs++ == 0)
            j->failed++;
        tried_hash(run, hash);
    }
    return status;
}

/* ---- verdicts ------------------------------------------------------------------------------- */

static int about_times(const Claim *claim)
{
    return strcmp(claim->kind, "time") == 0 && *claim->experiment;
}

static void say_what_is_missing(Judgement *j)
{
    const Claim *claim = j->claim;
    j->verdict = NOT_YET_MEASURED;
    if (!*claim->evidence)
        add_reason(j, "no query decides it yet");
    else if (!*claim->experiment)
        add_reason(j, "the published values that decide it are not in the database");
    else if (j->failed && j->failed == j->points)
        add_reason(j, "none of its %d points ran", j->points);
    else
        add_reason(j, "no row: `attest run experiments/%s.yaml` measures it", claim->experiment);
}

/* What else a verdict about times must say: against what, how many processes, how fine. */
static Status describe_timing(Court *court, Judgement *j, Err *err)
{
    int64_t least = 0, most = 0;
    for (int i = 0; i < j->points; i++) {
        const int64_t blocks = db_integer(court->db, "SELECT blocks FROM v_time WHERE point = ?",
                                          VALUES(val_text(j->point[i])), 0);
        if (blocks && (!least || blocks < least))
            least = blocks;
        most = blocks > most ? blocks : most;
    }
    if (*j->claim->baseline)
        add_reason(j, "against %s", j->claim->baseline);
    if (most)
        add_reason(j, least == most ? "%lld processes a point" : "%lld to %lld processes a point",
                   (long long)least, (long long)most);
    const double change = 100 * ((j->high - j->low) / 2 / fabs(j->value) + 0.02);
    if (isfinite(change))
        add_reason(j, "could have shown a change of %.*f %%", change < 9.95, change);
    return db_check(court->db, err);
}

static const char *half_name(int which)
{
    return which == 0 ? "earlier" : "later";
}

/* Both halves must lie where the whole lies. */
static Status confirm(Court *court, Judgement *j, Err *err)
{
    double value[2];
    for (int which = 0; which < 2; which++) {
        Db *db = NULL;
        Answer answer;
        Status status = court_half(court, which, &db, err);
        if (!status)
            status = ask(db, j->claim->evidence, &answer, NULL, err);
        if (status)
            return status;
        value[which] = answer.value;
        if (!isfinite(answer.value)) {
            j->verdict = INCONCLUSIVE;
            add_reason(j, "not confirmed: the %s half of the processes alone gives no value",
                       half_name(which));
            return OK;
        }
    }
    for (int which = 0; which < 2; which++) {
        const Verdict half =
            judge_interval(&j->claim->expect, &j->claim->direction, value[which], value[which]);
        if (half != j->verdict) {
            add_reason(
                j, "not confirmed: all processes say %s, but the %s half alone gives %.3g (%s)",
                verdict_name(j->verdict), half_name(which), value[which], verdict_name(half));
            j->verdict = INCONCLUSIVE;
            return OK;
        }
    }
    add_reason(j, "confirmed by both halves of the processes (%.3g and %.3g)", value[0], value[1]);
    return OK;
}

/* A count is exact, so its one number is its interval; a time without interval decides nothing. */
static int complete_interval(Judgement *j)
{
    if (isnan(j->low) && isnan(j->high) && !about_times(j->claim))
        j->low = j->high = j->value;
    return !isnan(j->low) && !isnan(j->high) && j->low <= j->high;
}

static Status decide(Court *court, Judgement *j, Err *err)
{
    if (!complete_interval(j)) {
        j->verdict = INCONCLUSIVE;
        add_reason(j, "no interval yet: too few processes");
        return OK;
    }
    j->verdict = judge_interval(&j->claim->expect, &j->claim->direction, j->low, j->high);
    if (j->verdict == INCONCLUSIVE)
        add_reason(j, "the interval crosses the edge of the band");
    if (!*j->claim->experiment)
        add_reason(j, "by the paper's own numbers");
    if (j->failed)
        add_reason(j, "%d of its %d points did not run", j->failed, j->points);
    else if (j->points)
        add_reason(j, "from %d point%s", j->points, j->points == 1 ? "" : "s");
    if (!about_times(j->claim))
        return OK;
    const Status status = describe_timing(court, j, err);
    return status || j->verdict == INCONCLUSIVE ? status : confirm(court, j, err);
}

static Status judge_rows(Court *court, Judgement *j, Err *err)
{
    Sha256 hash;
    uint8_t digest[SHA256_BYTES];
    Answer answer;
    Err why = { "" };
    sha256_open(&hash);
    sha256_add(&hash, j->claim->evidence, strlen(j->claim->evidence));
    const Status asked = ask(court->db, j->claim->evidence, &answer, &hash, &why);
    if (asked == BAD_INPUT) {
        j->verdict = NOT_YET_MEASURED;
        j->broken = 1;
        add_reason(j, "its query cannot be run: %.400s", why.text);
        return OK;
    }
    if (asked)
        return fail(err, asked, "%s", why.text);
    Status status = *j->claim->experiment ? find_points(court, j, &hash, err) : OK;
    sha256_close(&hash, digest);
    sha256_text(digest, j->rows_hash);
    if (status)
        return status;
    if (answer.rows == 0 || isnan(answer.value)) {
        say_what_is_missing(j);
        return OK;
    }
    j->value = answer.value;
    j->low = answer.low;
    j->high = answer.high;
    return decide(court, j, err);
}

static Status judge_claim(Court *court, const Claim *claim, Judgement *j, Err *err)
{
    *j = (Judgement){ .claim = claim, .value = NAN, .low = NAN, .high = NAN };
    expect_print(&claim->expect, j->expected, sizeof j->expected);
    if (*claim->not_testable || *claim->under_specified) {
        j->verdict = *claim->not_testable ? NOT_TESTABLE : UNDER_SPECIFIED;
        add_reason(j, "%s%s", claim->not_testable, claim->under_specified);
        return OK;
    }
    if (!*claim->evidence) {
        say_what_is_missing(j);
        return OK;
    }
    return judge_rows(court, j, err);
}

Status judge_paper(Judgements *out, const Paper *paper, const char *db_path, int64_t machine,
                   Err *err)
{
    Court court = { .paper = paper, .path = db_path, .machine = machine };
    *out = (Judgements){ .machine = machine,
                         .item = calloc((size_t)paper->claims + 1, sizeof *out->item) };
    if (!out->item)
        return fail(err, NO_MEMORY, "no memory for %d verdicts", paper->claims);
    Status status = db_open(&court.db, db_path, DB_READ, err);
    if (!status && machine)
        status = db_only_machine(court.db, machine, err);
    for (int i = 0; !status && i < paper->claims; i++) {
        status = judge_claim(&court, &paper->claim[i], &out->item[i], err);
        out->count = i + 1;
        out->broken += out->item[i].broken;
    }
    db_close(court.db);
    db_close(court.half[0]);
    db_close(court.half[1]);
    tried_close(&court.tried);
    if (status)
        judgements_free(out);
    return status;
}

void judgements_free(Judgements *judgements)
{
    for (int i = 0; i < judgements->count; i++) {
        for (int k = 0; k < judgements->item[i].points; k++)
            free(judgements->item[i].point[k]);
        free(judgements->item[i].point);
    }
    free(judgements->item);
    *judgements = (Judgements){ 0 };
}

/* ---- whose rows ----------------------------------------------------------------------------- */

Status judge_machine(Db *db, const char *alias, int64_t *machine, char *name, size_t size, Err *err)
{
    Facts identity;
    machine_identity(&identity);
    *machine = 0;
    *name = '\0';
    Query *q = query_open(db,
                          "SELECT m.id, m.alias, max(s.started_at_ms) AS last FROM machine m "
                          "LEFT JOIN session s ON s.machine = m.id "
                          "AND EXISTS (SELECT 1 FROM block WHERE session = s.id) "
                          "WHERE ?1 IS NULL OR m.alias = ?1 GROUP BY m.id "
                          "ORDER BY last IS NULL, m.id = ?2 DESC, last DESC LIMIT 1",
                          VALUES(val_text(alias), val_integer(db_machine_id(&identity))));
    if (query_row(q)) {
        *machine = column_integer(q, 0);
        snprintf(name, size, "%s", column_text(q, 1));
        text_clean(name);
    }
    query_close(q);
    const Status status = db_check(db, err);
    if (!status && alias && !*machine)
        return fail(err, BAD_INPUT, "no machine \"%s\" in %s: `attest list machines` names them",
                    alias, db_path(db));
    return status;
}
