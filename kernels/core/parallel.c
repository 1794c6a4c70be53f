/* SPDX-License-Identifier: Apache-2.0 */
/* A team sleeps on a futex-like condition between calls, after spinning for as
 * long as a wake-up costs: a kernel called in a loop never pays for the sleep. */
#define _GNU_SOURCE
#include "parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { SPINS = 20000 };   /* about 0.1 ms */

typedef struct { Team *team; int index, cpu; pthread_t thread; } Worker;

struct Team {
    int              threads;
    Worker          *worker;          /* [threads]; 0 is the caller */
    pthread_mutex_t  lock;
    pthread_cond_t   work;
    _Atomic unsigned round;           /* counts calls; odd and even alike */
    _Atomic int      busy;            /* helpers still in this round */
    _Atomic int64_t  next;            /* first index that nobody took */
    int64_t          count;
    Body            *body;
    void            *arg;
    int              closing;
    clockid_t       *clock;           /* [threads] */
};

static void pin(pthread_t thread, int cpu)
{
    if (cpu < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    (void)pthread_setaffinity_np(thread, sizeof set, &set);   /* not allowed: run where we may */
}

static void take_work(Team *t, int worker)
{
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed);
        if (i >= t->count) return;
        t->body(t->arg, i, worker);
    }
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
}

/* Waits for a round other than `seen`. */
static unsigned await_round(Team *t, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        unsigned now = atomic_load_explicit(&t->round, memory_order_acquire);
        if (now != seen) return now;
        relax();
    }
    pthread_mutex_lock(&t->lock);
    while (atomic_load(&t->round) == seen) pthread_cond_wait(&t->work, &t->lock);
    pthread_mutex_unlock(&t->lock);
    return atomic_load(&t->round);
}

static void *worker_main(void *arg)
{
    Worker *w = arg;
    Team *t = w->team;
    for (unsigned seen = 0;;) {
        seen = await_round(t, seen);
        if (t->closing) return NULL;
        take_work(t, w->index);
        atomic_fetch_sub_explicit(&t->busy, 1, memory_order_release);
    }
}

static void start_round(Team *t)
{
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add(&t->round, 1);
    pthread_cond_broadcast(&t->work);
    pthread_mutex_unlock(&t->lock);
}

Status team_open(Team **out, int threads, const int *cpu, Err *err)
{
    require(threads >= 1);
    Team *t = calloc(1, sizeof *t);
    Worker *workers = calloc((size_t)threads, sizeof *workers);
    clockid_t *clocks = calloc((size_t)threads, sizeof *clocks);
    if (!t || !workers || !clocks) {
        free(t); free(workers); free(clocks);
        return fail(err, NO_MEMORY, "no memory for a team of %d threads", threads);
    }
    *t = (Team){ .threads = 1, .worker = workers, .clock = clocks,
                 .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };
    workers[0] = (Worker){ t, 0, cpu ? cpu[0] : -1, pthread_self() };
    pin(workers[0].thread, workers[0].cpu);
    clocks[0] = CLOCK_THREAD_CPUTIME_ID;
    for (int i = 1; i < threads; i++) {
        workers[i] = (Worker){ t, i, cpu ? cpu[i] : -1, 0 };
        if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i])) {
            team_close(t);
            return fail(err, NO_MEMORY, "could not start thread %d of %d", i + 1, threads);
        }
        t->threads++;
        pin(workers[i].thread, workers[i].cpu);
        if (pthread_getcpuclockid(workers[i].thread, &clocks[i]))
            clocks[i] = CLOCK_THREAD_CPUTIME_ID;
    }
    *out = t;
    return OK;
}

void team_close(Team *t)
{
    if (!t) return;
    t->closing = 1;
    start_round(t);
    for (int i = 1; i < t->threads; i++) pthread_join(t->worker[i].thread, NULL);
    free(t->worker);
    free(t->clock);
    free(t);
}

int team_threads(const Team *t) { return t ? t->threads : 1; }

int64_t team_cpu_ns(const Team *t)
{
    int64_t total_ns = 0;
    for (int i = 0; i < team_threads(t); i++) {
        struct timespec now;
        if (clock_gettime(t && i ? t->clock[i] : CLOCK_THREAD_CPUTIME_ID, &now)) continue;
        total_ns += now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
    }
    return total_ns;
}

void parallel_for(Team *t, int64_t n, Body *body, void *arg)
{
    if (!t || t->threads == 1 || n <= 1) {
        for (int64_t i = 0; i < n; i++) body(arg, i, 0);
        return;
    }
    t->count = n;
    t->body = body;
    t->arg = arg;
    atomic_store(&t->next, 0);
    atomic_store(&t->busy, t->threads - 1);
    start_round(t);
    take_work(t, 0);
    /* A helper may wait for this very core. */
    for (int i = 0; atomic_load_explicit(&t->busy, memory_order_acquire) > 0; i++)
        if (i < SPINS) relax(); else sched_yield();
}
