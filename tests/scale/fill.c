/* SPDX-License-Identifier: Apache-2.0 */
/* Fills a database with measurements that nobody made, by the same calls that store real ones:
 *
 *   fill DATABASE POINTS
 *
 * stores the experiments of papers/flashattention as planned, on two machines at several revisions,
 * then comparisons of made-up methods, and copies of these (copy.sql) until there are POINTS
 * points; at last (in a file that is large enough already: only) a few more comparisons are stored
 * and timed, so that the rate told is that of a large file. Times follow from the cost of a point
 * and vary by block and by round; everything is a function of counters alone, so the same call
 * gives the same measurements. */
#include "../../harness/db_internal.h"
#include "../../harness/file.h"
#include "../../harness/plan.h"

#include "made_up.h"

#include <stdlib.h>
#include <time.h>

enum {
    MACHINES = 2, REVISIONS = 4,
    BLOCKS_ENOUGH = 6,          /* for an interval by order statistics */
    SESSION_BLOCKS = 250,       /* of made-up methods */
    COMPARISONS_MAX = 5000,     /* that are stored; more are copies */
    LAST_COMPARISONS = 500,
    AGAIN = 50                  /* one comparison in so many is measured as if it mattered */
};

typedef struct {
    Db       *db;
    BlockContext context;
    When      now;
    int       sessions;
    int64_t   comparisons;      /* of made-up methods, so far */
    double    store_s, derive_s;    /* processor time of db_store_block() and of db_refresh() */
} Filler;

static _Noreturn void give_up(const Err *err)
{
    fprintf(stderr, "fill: %s\n", err->text);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- storing ----------------------------------------------------------------------------- */

static void store(Filler *f, const Point *arm, int arms, int number, int fails)
{
    static Made made;
    Err err;
    for (int i = 0; i < arms; i++) {
        make_run(&f->now, f->context.instruments, &arm[i], &made, i);
        if (fails && i == 0) let_fail(&made.run[i]);
        f->now.samples += made.run[i].epochs;
    }
    const BlockRecord block = { .seed = (uint64_t)f->now.blocks, .block = number, .run = made.run,
                                .runs = arms, .duration_ms = 200,
                                .started_at_ms = 1700000000000 + 1000 * f->now.blocks };
    const double start_s = now_s();
    if (db_store_block(f->db, &f->context, arm, arms, &block, &err)) give_up(&err);
    f->store_s += now_s() - start_s;
    f->now.blocks++;
}

/* Blocks are stored as measured by the code of this program; those of an earlier revision get code
 * of that revision's own before anything is derived from them. */
static void refresh(Filler *f)
{
    Err err;
    const double start_s = now_s();
    const int age = REVISIONS - 1 - f->now.revision;
    if (age) {
        db_begin(f->db);
        db_write(f->db,
                 "INSERT OR IGNORE INTO code SELECT id - ?1, symbol, sha256 || '-' || ?1 FROM code "
                 "WHERE id IN (SELECT r.code FROM stale CROSS JOIN run r USING (block))",
                 VALUES(val_integer(age)));
        db_write(f->db, "UPDATE run SET code = code - ? WHERE block IN (SELECT block FROM stale)",
                 VALUES(val_integer(age)));
        if (db_commit(f->db, &err)) give_up(&err);
    }
    if (db_refresh(f->db, &err)) give_up(&err);
    f->derive_s += now_s() - start_s;
}

/* A session of one machine at one revision. */
static void start_session(Filler *f, int machine, int revision, const char *command)
{
    static const char *const cpus[MACHINES] = { "Made-Up 9000", "Made-Up 7000" },
                      *const aliases[MACHINES] = { "made-up-9000", "made-up-7000" };
    Facts identity = { .count = 1 }, state = { .count = 1 };
    char commit[48];
    Err err;
    identity.fact[0].name = "cpu.model";
    snprintf(identity.fact[0].value, sizeof identity.fact[0].value, "%s", cpus[machine]);
    state.fact[0].name = "load";
    snprintf(state.fact[0].value, sizeof state.fact[0].value, "%.2f", 0.01 * (f->sessions % 40));
    if (db_session(f->db, &identity, aliases[machine], &state, command, &f->context.from, &err))
        give_up(&err);
    f->now.machine = machine;
    f->now.revision = revision;
    f->sessions++;
    f->context.from.build = revision + 1;
    snprintf(commit, sizeof commit, "%08x%032d", 0xa77e5700u + (unsigned)revision, 0);
    db_write(f->db, "INSERT OR IGNORE INTO build (id, revision, dirty, compiler, flags) "
             "VALUES (?, ?, 0, 'none', '')", VALUES(val_integer(revision + 1), val_text(commit)));
    if (db_check(f->db, &err)) give_up(&err);
}

/* ---- the experiments of the paper -------------------------------------------------------- */

static void store_group(Filler *f, const Group *group)
{
    char list[INSTRUMENTS_TEXT];
    Point arm[ARMS_MAX];
    const Provenance from = f->context.from;
    const int64_t spec = f->context.spec;
    const int arms = plan_points(group, arm);
    f->context = plan_context(group, list);
    f->context.from = from;
    f->context.spec = spec;
    for (int b = 0; b < (group->part->exact ? 1 : BLOCKS_ENOUGH); b++) store(f, arm, arms, b, 0);
}

static void store_spec(Filler *f, const Spec *spec)
{
    Err err;
    Plan plan;
    if (plan_open(&plan, spec, 1, NULL, &err)) give_up(&err);
    if (db_spec(f->db, spec->name, spec->title, spec->paper, spec->text, &f->context.spec, &err))
        give_up(&err);
    for (int i = 0; i < plan.groups; i++) store_group(f, &plan.group[i]);
    plan_close(&plan);
    refresh(f);
}

static void store_paper(Filler *f, const char *folder)
{
    char **path;
    int paths;
    Err err;
    if (spec_paths(&folder, 1, &path, &paths, &err)) give_up(&err);
    for (int r = 0; r < REVISIONS; r++)
        for (int m = 0; m < MACHINES; m++) {
            start_session(f, m, r, "run flashattention");
            for (int i = 0; i < paths; i++) {
                Complaints complaints = { 0 };
                Spec spec;
                if (spec_open(&spec, path[i], "quick", &complaints, &err)) give_up(&err);
                store_spec(f, &spec);
                spec_close(&spec);
                complaints_free(&complaints);
            }
        }
    spec_paths_free(path, paths);
    f->context = (BlockContext){ .from = f->context.from };
}

/* ---- the others -------------------------------------------------------------------------- */

/* Comparison number n: two variants of a method at one shape. Lengths change fastest, so that every
 * pair of variants has a curve. */
static void make_arms(int64_t n, Point arm[2])
{
    const int64_t lengths = 40;
    const int t = (int)(n % lengths), rest = (int)(n / lengths);
    const int m = rest % METHODS, pair = rest / METHODS % 2, pass = rest / METHODS / 2 % 2,
              dtype = rest / METHODS / 4 % 2, shape = rest / METHODS / 8;
    for (int i = 0; i < 2; i++) {
        Problem *p = &arm[i].problem;
        arm[i] = (Point){ .variant = &made_up_variant[m][2 * pair + i], .threads = 1 };
        problem_default(p, &made_up[m]);
        p->dtype = dtype ? BF16 : F32;
        p->pass = pass ? BWD : FWD;
        p->value[1] = 1 + shape % 16;
        p->value[2] = 64 * (t + 1);
        p->value[3] = 32 << shape / 16 % 3;
        p->value[4] = shape / 48 % 2;
        p->value[5] = shape / 96;
    }
}

static void store_comparison(Filler *f, int64_t n)
{
    Point arm[2];
    make_arms(n, arm);
    const int blocks = n % AGAIN == 0 ? BLOCKS_ENOUGH : 1;
    for (int b = 0; b < blocks; b++) store(f, arm, 2, b, n % 1000 == 999);
}

/* Sessions of so many comparisons; the first few of each are stored twice: at the revision before,
 * with other code, and at the last. */
static void store_others(Filler *f, int64_t comparisons)
{
    const int64_t end = f->comparisons + comparisons;
    while (f->comparisons < end) {
        const int64_t first = f->comparisons;
        const int machine = (int)(first / SESSION_BLOCKS % MACHINES);
        for (int revision = REVISIONS - 2; revision < REVISIONS; revision++) {
            const int64_t last = first + (revision < REVISIONS - 1 ? 20 : SESSION_BLOCKS);
            start_session(f, machine, revision, "run others");
            f->context.instruments = "accuracy,memory,time";
            f->context.epsilon = 0.02;
            for (int64_t n = first; n < last && n < end; n++) store_comparison(f, n);
            refresh(f);
        }
        f->comparisons = first + SESSION_BLOCKS < end ? first + SESSION_BLOCKS : end;
    }
}

/* A file that is thrown away needs no journal; copies of rows that point somewhere do so, too. */
static void copy_others(Filler *f, int64_t copies)
{
    Err err;
    size_t size;
    char *sql = file_read("tests/scale/copy.sql", &size);
    if (!sql) {
        fail(&err, IO_FAILED, "tests/scale/copy.sql cannot be read: start from the repository");
        give_up(&err);
    }
    db_script(f->db, "PRAGMA foreign_keys = OFF; PRAGMA journal_mode = DELETE;"
                     "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                     "PRAGMA cache_size = -500000; CREATE TEMP TABLE copy (n INTEGER)");
    db_write(f->db, "INSERT INTO copy WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 "
             "FROM c WHERE n < ?1) SELECT n FROM c", VALUES(val_integer(copies)));
    db_script(f->db, "BEGIN");
    db_script(f->db, sql);
    db_script(f->db, "COMMIT");
    free(sql);
    if (db_check(f->db, &err)) give_up(&err);
}

static int64_t count_points(Filler *f)
{
    return db_integer(f->db, "SELECT count(*) FROM point", NO_VALUES, 0);
}

/* Opened anew, so that nothing is in memory that a program would not find there. */
static void open_file(Filler *f, const char *path)
{
    Err err;
    db_close(f->db);
    if (db_open(&f->db, path, DB_WRITE, &err)) give_up(&err);
}

static void make_file(Filler *f, int64_t points)
{
    store_paper(f, "flashattention");
    const int64_t wanted = (points - count_points(f) + 1) / 2;
    const int64_t stored = points < 20 * COMPARISONS_MAX ? points / 20 + 1 : COMPARISONS_MAX;
    store_others(f, stored);
    if (wanted > stored) copy_others(f, (wanted - 1) / stored);
}

static void time_storing(Filler *f)
{
    f->now.samples = 0;
    f->comparisons = count_points(f) / 2;    /* more than were stored */
    f->store_s = f->derive_s = 0;
    store_others(f, LAST_COMPARISONS);
    printf("points %lld\nsamples %lld\nstore_s %.3f\nderive_s %.3f\n",
           (long long)count_points(f), (long long)f->now.samples, f->store_s, f->derive_s);
}

int main(int argc, char **argv)
{
    Filler f = { 0 };
    const int64_t points = argc == 3 ? atoll(argv[2]) : 0;
    if (points <= 0) {
        fputs("usage: fill DATABASE POINTS\n", stderr);
        return 2;
    }
    make_methods();
    make_noise();
    open_file(&f, argv[1]);
    if (count_points(&f) < points) make_file(&f, points);
    open_file(&f, argv[1]);
    time_storing(&f);
    db_close(f.db);
    return 0;
}
