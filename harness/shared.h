/* SPDX-License-Identifier: Apache-2.0 */
/* The memory file that the blocks of a compare group share. The parent makes it; each worker
 * inherits it. It holds three things: the task that a worker is given, the note of what the worker
 * is doing right now (so that a crash or a timeout has an author), and named items that are worth
 * computing once: float64 references and comparisons of outputs with them. It has no name in the
 * file system, so nothing is left behind whatever happens. */
#ifndef SHARED_H
#define SHARED_H

#include "machine.h"
#include "measure.h"

typedef struct {
    int      arms;
    char     arm[ARMS_MAX][POINT_TEXT_MAX];
    int      dead[ARMS_MAX];              /* 1: this one broke an earlier worker; leave it alone */
    int      instruments;
    char     instrument[INSTRUMENTS_MAX][16];
    int      block, cold;
    uint64_t seed;
    int64_t  budget_ns, limit_memory_bytes;
    double   reference_flops;
    int64_t  fast_memory[FAST_MEMORIES_MAX];
    int      cpus, cpu[THREADS_MAX];
    Topology topology;
    /* Written by the first worker, so that all blocks time alike: calls an epoch, ns a call. */
    int64_t  calls;
    double   call_ns[ARMS_MAX];
} Task;

typedef struct {
    volatile int     arm;                 /* -1: the group as a whole */
    volatile int64_t since_ns;            /* CLOCK_MONOTONIC */
    char             doing[32];           /* "timing", "comparing", ... */
} Blame;

enum { SHARED_ITEMS_MAX = 1024 };

typedef struct {
    uint64_t magic;
    Task     task;
    Blame    blame;
    int64_t  end_bytes;                   /* of the file so far */
    int      items;
    struct { uint64_t key; int64_t at, bytes; } item[SHARED_ITEMS_MAX];
} SharedHead;

typedef struct { int fd; SharedHead *head; } Shared;

Status shared_open(Shared *s, Err *err);               /* makes an empty one */
Status shared_attach(Shared *s, int fd, Err *err);     /* BAD_INPUT: not one of ours */
void   shared_close(Shared *s);

/* Who is to blame from here on. */
void shared_blame(Shared *s, int arm, const char *doing);

/* An item by name, mapped to read; NULL: there is none. It stays mapped. */
const void *shared_find(const Shared *s, const char *key, size_t *bytes);
/* The same without mapping: reads the whole item into memory of exactly its size; 0: there is
 * none. */
int         shared_load(const Shared *s, const char *key, void *to, size_t bytes);
/* Memory for a new item, to be filled and then published under its name. An item that is not
 * published does not exist. NULL: no room; then work without. */
void       *shared_reserve(Shared *s, size_t bytes);
void        shared_publish(Shared *s, const char *key, void *memory, size_t bytes);

#endif
