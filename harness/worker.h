/* SPDX-License-Identifier: Apache-2.0 */
/* One worker process: this program again, told to measure one block. A fresh process means fresh
 * luck in memory layout, and that a crash, an endless loop or an empty memory is one arm's outcome
 * and nobody else's.
 *
 * The worker runs on given cores, in an environment that is the same for every user but for a
 * padding of random length (the stack's place depends on it), and under a watch: if one phase of
 * one arm takes too long, the whole process group is killed. It dies with its parent. Results come
 * through a pipe as frames with a checksum each. */
#ifndef WORKER_H
#define WORKER_H

#include "record.h"
#include "shared.h"

typedef enum {
    FRAME_EPOCHS,              /* Epoch[]; arm */
    FRAME_METRIC,              /* Metric[]; arm */
    FRAME_OUTCOME,             /* Ending; arm */
    FRAME_CEILING,             /* Ceiling[] */
    FRAME_DONE,                /* nothing; the last one */
    FRAME_KINDS
} FrameKind;

typedef struct {
    Outcome outcome;
    char    reason[256], note[256];
} Ending;

/* ---- the parent's side --------------------------------------------------------------- */

typedef struct {
    Shared     *shared;        /* with the task filled in */
    uint64_t    seed;          /* of the padding */
    int64_t     limit_wall_ns; /* of one phase of one arm */
    /* Called for every intact frame. */
    void      (*frame)(void *self, FrameKind kind, int arm, const void *data, size_t bytes);
    void       *self;
} WorkerPlan;

typedef enum {
    WORKER_DONE,
    WORKER_CRASHED,
    WORKER_TIMEOUT,
    WORKER_NO_MEMORY,
    WORKER_INTERRUPTED
} WorkerEnd;

typedef struct {
    WorkerEnd end;
    int       arm;             /* whose doing it was; -1: nobody's in particular */
    char      reason[256];     /* what happened and while doing what, with the end of stderr */
} WorkerResult;

/* IO_FAILED: no process could be started. */
Status worker_run(const WorkerPlan *plan, WorkerResult *out, Err *err);

/* ---- the worker's side --------------------------------------------------------------- */

enum { WORKER_TASK_FD = 3, WORKER_RESULT_FD = 4 };

/* 0: the parent no longer listens. */
int frame_send(int fd, FrameKind kind, int arm, const void *data, size_t bytes);

/* Reads the task, measures, sends; the exit code. What `attest worker` does. */
int worker_serve(void);
/* How the worker finds its points: point_parse, unless a test brings its own methods. */
extern Status (*worker_parse)(Point *point, const char *text, Err *err);

#endif
