/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever fails, and whenever: an attest that ends in a row or in one sentence, earlier rows as
 * they were, no process and no file left behind, and the same command does its work afterwards.
 *
 *   faults ATTEST                        a sample of all faults (ATTEST: with inject.c)
 *   faults ATTEST every                  each of them; long
 *   faults ATTEST COMMAND KIND AT HOW    one again, as a complaint names it */
#define _GNU_SOURCE
#include "inject.h"

#include "../../harness/db_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES = 3, WORDS_MAX = 4000, PATIENCE_S = 60, NAME_MAX_BYTES = 64 };

/* In a folder of its own, where try/ holds a fresh copy of what is measured and may be written. */
typedef struct {
    const char *name, *db, *argv[8];
    int is_measuring;          /* its output holds times; a row with a reason is an ending, too */
} Scenario;

static const Scenario scenarios[] = {
    { "run", "try/ours.db", { "run", "tiny.yaml", "--fresh", "--db", "try/ours.db" }, 1 },
    { "first", "try/new/first.db", { "run", "tiny.yaml", "--db", "try/new/first.db" }, 1 },
    { "claims", "try/ours.db", { "claims", "tiny", "--db", "try/ours.db" }, 0 },
    { "merge", "try/ours.db", { "merge", "try/theirs.db", "--db", "try/ours.db" }, 0 },
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

static const char *const ways[] = { "once", "ever", "once:worker", "ever:worker" };
enum { WAYS = sizeof ways / sizeof *ways };

typedef struct {
    const Scenario *scenario;
    FaultKind       kind;
    const char     *way;
    int             at;
} Fault;

typedef struct { int code, hung; char out[WORDS_MAX], err[WORDS_MAX]; } Ending;

static char attest[4096];
static Told *told;
static int complaints;
static char usual[SCENARIOS][WORDS_MAX];       /* what it prints when nothing fails */

static void give_up(const char *what)
{
    fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void complain(const Fault *f, const char *what, const char *detail)
{
    complaints++;
    printf("%s %s %d %s: %s: %s\n", f->scenario->name, fault_names[f->kind], f->at, f->way, what,
           detail);
}

/* ---- files ---------------------------------------------------------------------------- */

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out)) give_up(path);
}

static void get(const char *path, char *out)
{
    FILE *in = fopen(path, "r");
    if (!in) give_up(path);
    out[fread(out, 1, WORDS_MAX - 1, in)] = 0;
    fclose(in);
}

static void copy(const char *from, const char *to)
{
    char part[1 << 16];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    if (!in || !out) give_up(from);
    for (size_t n; (n = fread(part, 1, sizeof part, in)) > 0;)
        if (fwrite(part, 1, n, out) != n) give_up(to);
    fclose(in);
    if (fclose(out)) give_up(to);
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void remove_tree(const char *path) { (void)nftw(path, drop, 16, FTW_DEPTH | FTW_PHYS); }

static void fresh_try(void)
{
    remove_tree("try");
    if (mkdir("try", 0777) || mkdir("try/tmp", 0777)) give_up("try");
    copy("ours.db", "try/ours.db");
    copy("theirs.db", "try/theirs.db");
}

static const Fault *looking_for;               /* nftw hands nothing on */

static int look_at(const char *path, const struct stat *st, int type, struct FTW *at)
{
    static const char *const known[] = { "ours.db", "theirs.db", "first.db" };
    const char *name = path + at->base;
    (void)st;
    if (type == FTW_D) return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncmp(name, known[i], strlen(known[i]))) return 0;
    complain(looking_for, "a file is left behind", path);
    return 0;
}

static void expect_no_files(const Fault *f)
{
    looking_for = f;
    (void)nftw("try", look_at, 16, FTW_PHYS);
}

/* ---- one call ------------------------------------------------------------------------- */

static void become_attest(const Scenario *s, const char *fault)
{
    const char *argv[10] = { "attest" };
    for (int i = 0; s->argv[i]; i++) argv[i + 1] = s->argv[i];
    const int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0666),
              err = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(out, 1);
    dup2(err, 2);
    setenv("FAULT", fault, 1);
    setenv("FAULT_TOLD", "told", 1);
    setenv("TMPDIR", "try/tmp", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);    /* where there is no memory, it tries for ever */
    setenv("MALLOC_PERTURB_", "165", 1);       /* what is freed or not yet written is no zero */
    execv(attest, (char **)argv);
    _exit(126);
}

/* Waits for it to end; 0: it does not. */
static int ends(pid_t pid)
{
    struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
    if (end.fd < 0) give_up("pidfd_open");
    const int n = poll(&end, 1, PATIENCE_S * 1000);
    close(end.fd);
    return n > 0;
}

static void wait_ms(int ms) { nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL); }

static void call(const Scenario *s, const char *fault, Ending *e)
{
    int status = 0;
    *told = (Told){ 0, 0 };
    const pid_t pid = fork();
    if (pid < 0) give_up("fork");
    if (!pid) become_attest(s, fault);
    e->hung = !ends(pid);
    if (e->hung) kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    e->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    get("out", e->out);
    get("err", e->err);
}

/* Orphans come to us (PR_SET_CHILD_SUBREAPER); a worker dies with its parent, but not at once. */
static void expect_no_processes(const Fault *f)
{
    for (int i = 0; i < 2000; i++) {
        const pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD) return;
        if (pid == 0) wait_ms(1);
    }
    complain(f, "a process is left behind", "");
}

/* ---- what must hold ------------------------------------------------------------------- */

/* One value, as text; "": no such row. */
static void ask(const char *path, const char *sql, char *out, size_t size)
{
    sqlite3 *db;
    sqlite3_stmt *q = NULL;
    *out = 0;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ||
        sqlite3_exec(db, "ATTACH 'ours.db' AS base", NULL, NULL, NULL) ||
        sqlite3_prepare_v2(db, sql, -1, &q, NULL))
        snprintf(out, size, "%s", sqlite3_errmsg(db));
    else if (sqlite3_step(q) == SQLITE_ROW)
        snprintf(out, size, "%s", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    sqlite3_close(db);
}

static void expect_answer(const Fault *f, const char *sql, const char *wanted)
{
    char got[256];
    ask(f->scenario->db, sql, got, sizeof got);
    if (strcmp(got, wanted)) complain(f, sql, got);
}

static void expect_rows(const Fault *f)
{
    static const char *const raw[] = { "machine", "session", "session_fact", "block", "run",
                                       "sample", "metric", "point", "arm", "code", "build" };
    char sql[160];
    if (access(f->scenario->db, F_OK)) return;
    expect_answer(f, "PRAGMA main.integrity_check", "ok");
    if (!strcmp(f->scenario->name, "first")) return;
    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT * FROM base.%s EXCEPT "
                                  "SELECT * FROM main.%s)", raw[i], raw[i]);
        expect_answer(f, sql, "0");
    }
}

static int is_one_sentence(const char *text)
{
    const char *end = strchr(text, '\n');
    return end && end[1] == 0 && end - text > 12 && !strncmp(text, "attest", 6) &&
           !strstr(text, "(null)") && strlen(text) < 700;
}

/* Each good, or with its reason. */
static int has_new_rows(const Fault *f)
{
    char says[64];
    ask(f->scenario->db,
        "SELECT min(outcome = 'ok' OR length(reason) > 10) FROM run "
        "WHERE id NOT IN (SELECT id FROM base.run)", says, sizeof says);
    return !strcmp(says, "1");
}

static void expect_ending(const Fault *f, const Ending *e)
{
    char detail[WORDS_MAX + 32];
    snprintf(detail, sizeof detail, "exit code %d, %s", e->code, e->err);
    if (e->hung) { complain(f, "hangs", ""); return; }
    if (e->code > 3) { complain(f, "crashes", detail); return; }
    const int is_row = f->scenario->is_measuring && e->code < 2 && has_new_rows(f);
    if (e->code && !is_row && !is_one_sentence(e->err)) complain(f, "not one sentence", detail);
    if (e->code) return;
    const int is_done = f->scenario->is_measuring ? is_row
                      : !strcmp(e->out, usual[f->scenario - scenarios]);
    if (!is_done) complain(f, "says that all is well", e->out);
}

/* Nothing that went wrong stands in the way of the next call. */
static void expect_recovery(const Fault *f)
{
    Ending e;
    call(f->scenario, "none:0:once", &e);
    if (e.code) complain(f, "the next call fails", e.err);
}

/* 1: the fault has struck. */
static int try_one(const Fault *f, Ending *e)
{
    char fault[NAME_MAX_BYTES];
    snprintf(fault, sizeof fault, "%s:%d:%s", fault_names[f->kind], f->at, f->way);
    fresh_try();
    call(f->scenario, fault, e);
    const int fired = told->fired;
    expect_no_processes(f);
    expect_ending(f, e);
    expect_no_files(f);
    expect_rows(f);
    if (fired) expect_recovery(f);
    return fired;
}

/* ---- all of them ---------------------------------------------------------------------- */

static int count_calls(Fault f)
{
    Ending e;
    f.at = 0;
    try_one(&f, &e);
    return told->calls;
}

/* Sampled: from the first call to the last, closer at the beginning, where each is another one. */
static int sampled(int sample, int calls)
{
    const double share = (sample + 1.0) / SAMPLES;
    const int at = (int)(share * share * calls);
    return at > sample ? at : sample + 1;
}

static int try_kind(Fault f, int every)
{
    const int calls = count_calls(f), has_none = f.kind == FAULT_LOCK && !strncmp(f.way, "ever", 4);
    int most = every || calls < SAMPLES ? calls : SAMPLES, fired = 0;
    if (has_none && most) most = 1;            /* a file system has locks, or it never had */
    Ending e;
    for (int i = 0; i < most; i++) {
        f.at = most == calls || has_none ? i + 1 : sampled(i, calls);
        fired += try_one(&f, &e);
    }
    return fired;
}

static void try_all(int every)
{
    for (int s = SCENARIOS - 1; s >= 0; s--)   /* the quick ones first */
        for (FaultKind kind = 0; kind < FAULT_KINDS; kind++)
            for (int w = 0; w < WAYS; w++) {
                const Fault f = { &scenarios[s], kind, ways[w], 0 };
                if (!scenarios[s].is_measuring && strstr(ways[w], "worker")) continue;
                const int before = complaints, fired = try_kind(f, every);
                printf("%-7s %-8s %-12s %5d faults, %d complaints\n",
                       scenarios[s].name, fault_names[kind], ways[w], fired, complaints - before);
                fflush(stdout);
            }
}

static void try_named(char **argv)
{
    Fault f = { NULL, 0, argv[3], atoi(argv[2]) };
    for (int s = 0; s < SCENARIOS; s++)
        if (!strcmp(argv[0], scenarios[s].name)) f.scenario = &scenarios[s];
    while (f.kind < FAULT_KINDS && strcmp(argv[1], fault_names[f.kind])) f.kind++;
    if (!f.scenario || f.kind == FAULT_KINDS) exit(2);
    Ending e;
    printf("%s\n", try_one(&f, &e) ? "struck" : "there are not so many calls");
    printf("%s%sexit code %d\n", e.out, e.err, e.code);
}

/* ---- the folder ----------------------------------------------------------------------- */

static void make_rows(const char *spec, const char *path)
{
    char command[5000];
    snprintf(command, sizeof command, "'%s' run --quiet %s --db %s", attest, spec, path);
    if (system(command)) give_up(command);
}

/* No kernel that calls OpenBLAS, which does not give up when there is no memory. */
static void make_folder(void)
{
    static const char spec[] =
        "experiment: test/%s\ntitle: One kernel\ncompare: [flash_attention/online]\n"
        "sweep: {T: [%d]}\nfixed: {B: 1, H: 1, D: 16}\ninstruments: [time, accuracy]\nbudget: 1ms\n"
        "profiles: {quick: {blocks: 1}}\n";
    char text[512];
    snprintf(text, sizeof text, spec, "tiny", 16);
    put("tiny.yaml", text);
    snprintf(text, sizeof text, spec, "other", 32);
    put("other.yaml", text);
    if (mkdir("papers", 0777) || mkdir("papers/tiny", 0777)) give_up("papers");
    put("papers/tiny/paper.yaml", "id: tiny\ntitle: \"Tiny\"\n"
                                  "series: [{paper: Theirs, ours: flash_attention/online}]\n");
    put("papers/tiny/published.csv",
        "table,pass,series,x,y,unit,setting\nt1,fwd,Theirs,1,2,ms,A\n");
    put("papers/tiny/claims.yaml",
        "- {id: T-1, where: here, says: right, kind: quality, experiment: test/tiny,\n"
        "   evidence: \"SELECT max(error_rel) AS value FROM v_accuracy\", expect: {at_most: 1}}\n"
        "- {id: T-2, where: here, says: told, kind: time, expect: {at_least: 2},\n"
        "   evidence: \"SELECT y AS value, y AS low, y AS high FROM v_paper\"}\n");
    make_rows("tiny.yaml", "ours.db");
    make_rows("other.yaml", "theirs.db");
    put("told", "................");
    const int fd = open("told", O_RDWR);
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (told == MAP_FAILED) give_up("told");
    close(fd);
}

static void learn_usual(void)
{
    Ending e;
    for (int s = 0; s < SCENARIOS; s++) {
        fresh_try();
        call(&scenarios[s], "none:0:once", &e);
        if (e.code) { fputs(e.err, stderr); give_up(scenarios[s].name); }
        strcpy(usual[s], e.out);
    }
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/attest-faults-XXXXXX";
    if ((argc != 2 && argc != 3 && argc != 6) || !realpath(argv[1], attest)) {
        fprintf(stderr, "faults ATTEST [every | COMMAND KIND AT HOW]\n");
        return 2;
    }
    if (!mkdtemp(folder) || chdir(folder) || prctl(PR_SET_CHILD_SUBREAPER, 1)) give_up(folder);
    make_folder();
    learn_usual();
    if (argc == 6) try_named(argv + 2);
    else try_all(argc == 3);
    if (chdir("/")) give_up("/");
    remove_tree(folder);
    printf("%d complaints\n", complaints);
    return complaints > 0;
}
