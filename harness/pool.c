/* SPDX-License-Identifier: Apache-2.0 */
/* Children, a list of groups that they take from, and a parent that looks at both. */
#define _DEFAULT_SOURCE        /* MAP_ANONYMOUS */
#include "pool.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Who works counts by its processor time, for the machine may be busy with other things; who sleeps
 * counts by the clock, with more patience. */
enum { LOOK_MS = 2, WORDS_MAX = 400, PATIENCE = 4 };

/* What parent and children share: written by one child (a slot) or once (an item). */
typedef struct {
    _Atomic int     item, end;       /* the item under way; items [item, end) are this slot's */
    _Atomic int64_t started_ms;      /* of the item under way; 0: none */
    _Atomic int64_t worked_ms;       /* processor time of the child before that */
} Slot;

typedef struct {
    const Pool  *pool;
    size_t       shared_bytes;
    _Atomic int *next_group;
    Slot        *slot;               /* [workers] */
    _Atomic int *is_done;            /* [items] */
    char        *result;             /* [items], `stride` bytes apart */
    size_t       stride;
    int         *start;              /* of groups, and behind the last */
    int          groups;
    pid_t       *pid;                /* [workers]; 0: not running */
    FILE       **words;              /* [workers] what a child writes to stderr */
    int          reported, finished;
} Crew;

static int64_t clock_ms(clockid_t clock)
{
    struct timespec t = { 0, 0 };
    clock_gettime(clock, &t);
    return t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000;
}

static char *result_of(const Crew *c, int item)
{
    return c->result + (size_t)item * c->stride;
}

/* ---- a child ---------------------------------------------------------------------------- */

static void work_on(const Crew *c, Slot *slot)
{
    while (slot->item < slot->end) {
        const int item = slot->item;
        slot->worked_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
        slot->started_ms = clock_ms(CLOCK_MONOTONIC);
        memset(result_of(c, item), 0, c->pool->result_bytes);
        c->pool->work(c->pool->self, item, result_of(c, item));
        slot->started_ms = 0;
        atomic_store(&c->is_done[item], 1);
        slot->item = item + 1;
    }
}

static int take_group(const Crew *c, Slot *slot)
{
    const int group = atomic_fetch_add(c->next_group, 1);
    if (group >= c->groups) return 0;
    slot->end = 0;
    slot->item = c->start[group];
    slot->end = c->start[group + 1];
    return 1;
}

static void be_child(const Crew *c, int worker)
{
    static const int fatal[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTERM };
    const struct rlimit no_core = { 0, 0 };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) signal(fatal[i], SIG_DFL);
    signal(SIGINT, SIG_IGN);         /* the parent decides */
    dup2(fileno(c->words[worker]), STDERR_FILENO);
    do work_on(c, &c->slot[worker]); while (take_group(c, &c->slot[worker]));
    _exit(0);
}

/* ---- the parent --------------------------------------------------------------------------- */

static int start_worker(Crew *c, int worker)
{
    const int words = fileno(c->words[worker]);
    fflush(NULL);
    if (ftruncate(words, 0) || lseek(words, 0, SEEK_SET)) return 0;
    const pid_t pid = fork();
    if (pid == 0) be_child(c, worker);
    c->pid[worker] = pid > 0 ? pid : 0;
    return pid > 0;
}

/* The first line that says something. */
static void last_words(const Crew *c, int worker, char *out, size_t size)
{
    char said[WORDS_MAX];
    const ssize_t n = pread(fileno(c->words[worker]), said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = 0;
    const char *line = said + strspn(said, "= \t\n");
    snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
}

static void lose(Crew *c, int worker, Loss loss, int status)
{
    Slot *slot = &c->slot[worker];
    char words[WORDS_MAX];
    last_words(c, worker, words, sizeof words);
    if (!*words && WIFSIGNALED(status))
        snprintf(words, sizeof words, "%s", strsignal(WTERMSIG(status)));
    if (!*words) snprintf(words, sizeof words, "exit code %d", WEXITSTATUS(status));
    memset(result_of(c, slot->item), 0, c->pool->result_bytes);
    c->pool->lost(c->pool->self, slot->item, loss, words, result_of(c, slot->item));
    atomic_store(&c->is_done[slot->item], 1);
    slot->started_ms = 0;
    slot->item = slot->item + 1;
}

/* A child that ended in the middle of an item lost it; the rest of its group goes to the next. One
 * that ends otherwise has found nothing more to do, or will be missed at the end. */
static int reap(Crew *c, int worker, Loss loss, int options)
{
    int status = 0;
    if (waitpid(c->pid[worker], &status, options) <= 0) return 1;
    c->pid[worker] = 0;
    const int was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (loss == LOSS_CRASH && was_killed) loss = LOSS_MEMORY;
    if (!c->slot[worker].started_ms) return 1;
    lose(c, worker, loss, status);
    return start_worker(c, worker);
}

static int is_late(const Crew *c, int worker)
{
    const Slot *slot = &c->slot[worker];
    const int64_t limit_ms = (int64_t)(1000 * c->pool->limit_s), started_ms = slot->started_ms;
    const int64_t since_ms = clock_ms(CLOCK_MONOTONIC) - started_ms;
    clockid_t own;
    if (!started_ms || since_ms <= limit_ms) return 0;
    if (since_ms > PATIENCE * limit_ms) return 1;
    return !clock_getcpuclockid(c->pid[worker], &own) && clock_ms(own) - slot->worked_ms > limit_ms;
}

static int watch(Crew *c, int worker)
{
    if (!c->pid[worker]) return 1;
    if (!is_late(c, worker)) return reap(c, worker, LOSS_CRASH, WNOHANG);
    kill(c->pid[worker], SIGKILL);
    return reap(c, worker, LOSS_TIMEOUT, 0);
}

static void report(Crew *c)
{
    const int items = c->pool->items;
    for (; c->reported < items && atomic_load(&c->is_done[c->reported]); c->reported++)
        c->pool->done(c->pool->self, c->reported, result_of(c, c->reported));
    c->finished = 0;
    for (int i = 0; i < items; i++) c->finished += c->is_done[i];
}

static Status run(Crew *c, Err *err)
{
    const struct timespec pause = { 0, LOOK_MS * 1000000 };
    int alive = 1;
    for (int i = 0; i < c->pool->workers; i++)
        if (!start_worker(c, i)) return fail(err, IO_FAILED, "no child process could be started");
    while (alive) {
        alive = 0;
        for (int i = 0; i < c->pool->workers; i++) {
            if (!watch(c, i)) return fail(err, IO_FAILED, "no child process could be started");
            alive += c->pid[i] > 0;
        }
        report(c);
        if (c->pool->look && c->pool->look(c->pool->self, c->finished)) return OK;
        if (alive) nanosleep(&pause, NULL);
    }
    if (c->reported < c->pool->items)
        return fail(err, IO_FAILED, "a child process ended before its work was done");
    return OK;
}

/* ---- memory --------------------------------------------------------------------------- */

static void find_groups(Crew *c)
{
    const Pool *p = c->pool;
    int before = 0;
    for (int i = 0; i < p->items; i++) {
        const int group = p->group ? p->group(p->self, i) : i;
        if (!i || group != before) c->start[c->groups++] = i;
        before = group;
    }
    c->start[c->groups] = p->items;
}

static Status take_memory(Crew *c, Err *err)
{
    const Pool *p = c->pool;
    const size_t items = (size_t)p->items, workers = (size_t)p->workers;
    const size_t results = items * c->stride, slots = sizeof(Slot) * workers;
    c->shared_bytes = results + slots + sizeof(int) * (items + 1);
    char *shared = mmap(NULL, c->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);
    c->start = calloc(items + 1, sizeof *c->start);
    c->pid = calloc(workers, sizeof *c->pid);
    c->words = calloc(workers, sizeof *c->words);
    c->result = shared == MAP_FAILED ? NULL : shared;
    if (!c->result || !c->start || !c->pid || !c->words)
        return fail(err, NO_MEMORY, "no memory for %d items", p->items);
    c->slot = (Slot *)(shared + results);
    c->next_group = (_Atomic int *)(shared + results + slots);
    c->is_done = c->next_group + 1;
    for (int i = 0; i < p->workers; i++) {
        c->words[i] = tmpfile();
        if (!c->words[i]) return fail(err, IO_FAILED, "no temporary file can be made");
    }
    return OK;
}

static void give_memory(Crew *c)
{
    for (int i = 0; c->words && i < c->pool->workers; i++)
        if (c->words[i]) fclose(c->words[i]);
    if (c->result) munmap(c->result, c->shared_bytes);
    free(c->start);
    free(c->pid);
    free(c->words);
}

static void end_children(Crew *c)
{
    for (int i = 0; c->pid && i < c->pool->workers; i++) {
        if (!c->pid[i]) continue;
        kill(c->pid[i], SIGKILL);
        waitpid(c->pid[i], NULL, 0);
    }
}

Status pool_run(const Pool *pool, Err *err)
{
    require(pool->workers >= 1 && pool->items >= 0);
    if (!pool->items) return OK;
    Crew crew = { .pool = pool, .stride = (pool->result_bytes + 15) / 16 * 16 };
    Status status = take_memory(&crew, err);
    if (status) goto done;
    find_groups(&crew);
    status = run(&crew, err);
done:
    end_children(&crew);
    give_memory(&crew);
    return status;
}
