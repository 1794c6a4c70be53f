/* SPDX-License-Identifier: Apache-2.0 */
/* Several ranks on one problem. Three calls are enough for rings, chains and
 * gradient sums. comm_self is one rank alone; comm_threads makes ranks of
 * threads, so that distributed variants are tested without MPI. */
#ifndef COMM_H
#define COMM_H

#include "status.h"

#include <stddef.h>

typedef struct Comm Comm;

struct Comm {
    int    rank, size;
    /* Sends `bytes` from out to rank `to` and receives as many into in from rank
     * `from`, at the same time; -1 stands for nobody. */
    void (*exchange)(const Comm *, const void *out, int to, void *in, int from, size_t bytes);
    /* In place; the same bits on every rank. */
    void (*sum)(const Comm *, float *values, size_t count);
    void (*barrier)(const Comm *);
    void  *self;
};

extern const Comm comm_self;

/* Runs body(rank's Comm, arg) on `ranks` threads and waits for all of them. */
Status comm_threads(int ranks, void (*body)(const Comm *, void *arg), void *arg, Err *err);

#endif
