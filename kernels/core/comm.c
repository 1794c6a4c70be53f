/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks within one process: alone, or as threads with one mailbox a pair. */
#include "comm.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void self_exchange(const Comm *c, const void *out, int to, void *in, int from, size_t bytes)
{
    (void)c;
    require((to == 0 || to == -1) && from == to);
    if (to == 0) memmove(in, out, bytes);
}

static void self_sum(const Comm *c, float *values, size_t count)
{
    (void)c, (void)values, (void)count;
}

static void self_barrier(const Comm *c) { (void)c; }

const Comm comm_self = { 0, 1, self_exchange, self_sum, self_barrier, NULL };

/* What the ranks share. A message is lent, not copied twice: the sender posts its
 * address and waits until the receiver has taken it. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    int             ranks, waiting;
    unsigned        round;
    const void    **posted;          /* [from * ranks + to] */
    float         **sums;            /* [rank] */
} Hall;

typedef struct {
    Comm      comm;
    Hall     *hall;
    void    (*body)(const Comm *, void *);
    void     *arg;
    pthread_t thread;
} Rank;

static void threads_barrier(const Comm *c)
{
    Hall *h = ((Rank *)c->self)->hall;
    pthread_mutex_lock(&h->lock);
    unsigned round = h->round;
    if (++h->waiting == h->ranks) {
        h->waiting = 0;
        h->round++;
        pthread_cond_broadcast(&h->changed);
    }
    while (round == h->round) pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

static void threads_exchange(const Comm *c, const void *out, int to, void *in, int from,
                             size_t bytes)
{
    Hall *h = ((Rank *)c->self)->hall;
    require(to < h->ranks && from < h->ranks && (out || to < 0));
    pthread_mutex_lock(&h->lock);
    if (to >= 0) {
        require(h->posted[c->rank * h->ranks + to] == NULL);
        h->posted[c->rank * h->ranks + to] = out;
        pthread_cond_broadcast(&h->changed);
    }
    if (from >= 0) {
        const void **mail = &h->posted[from * h->ranks + c->rank];
        while (!*mail) pthread_cond_wait(&h->changed, &h->lock);
        memcpy(in, *mail, bytes);
        *mail = NULL;
        pthread_cond_broadcast(&h->changed);
    }
    while (to >= 0 && h->posted[c->rank * h->ranks + to]) pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

/* Each rank adds all contributions in rank order, so that all get the same bits. */
static void threads_sum(const Comm *c, float *values, size_t count)
{
    Hall *h = ((Rank *)c->self)->hall;
    h->sums[c->rank] = values;
    threads_barrier(c);
    float chunk[256];
    for (size_t at = 0; at < count; at += 256) {
        size_t n = count - at < 256 ? count - at : 256;
        for (size_t i = 0; i < n; i++) {
            chunk[i] = h->sums[0][at + i];
            for (int r = 1; r < h->ranks; r++) chunk[i] += h->sums[r][at + i];
        }
        threads_barrier(c);
        memcpy(values + at, chunk, n * sizeof *chunk);
        threads_barrier(c);
    }
    threads_barrier(c);
}

static void *rank_main(void *arg)
{
    Rank *r = arg;
    r->body(&r->comm, r->arg);
    return NULL;
}

Status comm_threads(int ranks, void (*body)(const Comm *, void *arg), void *arg, Err *err)
{
    require(ranks >= 1);
    Status status = NO_MEMORY;
    Hall hall = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,
                  .ranks = ranks };
    hall.posted = calloc((size_t)ranks * (size_t)ranks, sizeof *hall.posted);
    hall.sums = calloc((size_t)ranks, sizeof *hall.sums);
    Rank *rank = calloc((size_t)ranks, sizeof *rank);
    if (!hall.posted || !hall.sums || !rank) {
        fail(err, NO_MEMORY, "no memory for %d ranks", ranks);
        goto done;
    }
    for (int i = 0; i < ranks; i++) {
        const Comm comm = { i, ranks, threads_exchange, threads_sum, threads_barrier, &rank[i] };
        rank[i] = (Rank){ comm, &hall, body, arg, 0 };
        /* A rank that cannot start would leave the others waiting for ever. */
        require(i == 0 || !pthread_create(&rank[i].thread, NULL, rank_main, &rank[i]));
    }
    rank_main(&rank[0]);
    for (int i = 1; i < ranks; i++) pthread_join(rank[i].thread, NULL);
    status = OK;
done:
    free(rank);
    free(hall.sums);
    free(hall.posted);
    return status;
}
