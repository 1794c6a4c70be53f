/* SPDX-License-Identifier: Apache-2.0 */
/* A compare group as it stands inside a worker: memory, threads and one context per arm. What the
 * instruments work on.
 *
 *   bench.c     arms, their memory and their endings
 *   proof.c     float64 references and the comparison of outputs with them */
#ifndef BENCH_H
#define BENCH_H

#include "bind.h"
#include "instrument.h"
#include "worker.h"

#include "../kernels/core/parallel.h"

enum { SETS_MAX = 3, METRICS_MAX = 96 };

typedef struct {
    int        index;          /* in the task */
    Point      point;
    Outcome    outcome;        /* anything but OK: the arm has ended and is left alone */
    Ending     ending;
    int        sets;           /* of inputs that are open, filled and ready to be called on */
    Bound      set[SETS_MAX];
    void      *state[SETS_MAX];/* what the PORT_STATE tensors held; NULL: there are none, or calls
                                * leave them as they were */
    size_t     workspace_bytes;
    Workspace  ws;
    Ctx        ctx;
    int        called;         /* it has run at least once */
    int        has_laps;       /* it names phases of its calls */
    double     first_call_ns;
    double     library_flops;  /* done by BLAS in one call, which picks its instructions itself */
    Difference worst;          /* of all outputs compared so far, in all sets */
    int        whole;          /* 1: whole tensors were compared; 0: seeded rows */
    int        proven;         /* bit s: the output of set s was compared and is right */
    uint64_t   checksum[SETS_MAX];   /* of the output that was compared */
    Metric     metric[METRICS_MAX];
    int        metrics;
} Arm;

struct Bench {
    Shared     *shared;
    const Task *task;
    int         result_fd;
    Device     *device;
    Team       *team[THREADS_MAX + 1];   /* by thread count; NULL where no arm has it */
    int         sets;          /* input sets that every arm can be checked on: 1..SETS_MAX */
    CeilingList ceilings;
    Arm        *arm;
    int         arms;
};

/* Makes the arms of the task and says of each whether it can run here at all. */
Status bench_open(Bench *b, Shared *shared, int result_fd, Err *err);
/* How each arm ended; the last thing to send. */
void   bench_send_endings(Bench *b);
void   bench_close(Bench *b);

/* The arm has ended; it is not run, timed or checked any more. Returns 0. */
int    bench_arm_ends(Arm *arm, Outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int    arm_lives(const Arm *arm);
void   bench_metric(Arm *arm, const char *instrument, const char *name, const char *unit,
                    double value);
/* Why a metric that was asked for is absent: a clause, joined to those before. */
void   bench_missing(Arm *arm, const char *format, ...) __attribute__((format(printf, 2, 3)));
void   bench_send_metrics(Bench *b, Arm *arm);
void   bench_send_epochs(Bench *b, const Arm *arm, const Epoch *epoch, int count);

/* Opens input sets up to `sets`, with workspace; for set 0 also makes the first call and compares
 * its output with the reference. 0: the arm has ended. */
int    arm_prepare(Bench *b, Arm *arm, int sets);
/* One call on a set. Returns what the variant returned. */
Status arm_call(Arm *arm, int set);
/* Puts the states back as they were filled, if calls change them. */
void   arm_restore(Arm *arm, int set);
/* The variant did not return OK. Returns 0. */
int    arm_failed(Arm *arm, Status status);

/* ---- proof.c ------------------------------------------------------------------------- */

/* The name of something that depends on a problem and its seed, in the memory file. */
enum { PROOF_NAME_MAX = POINT_TEXT_MAX + 64 };
void   proof_name(char *out, const char *what, const Problem *p);
/* How many input sets can be checked: 1 where whole references are too dear and rows are not to
 * be had. */
int    proof_sets(const Bench *b, const Point *point);
/* For BWD: gives a filled set the outputs of the forward pass. 0: the arm has ended. */
int    proof_forward(Bench *b, Arm *arm, int set);
/* Compares the set's present output with float64, or finds that it is, bit for bit, one that was
 * already compared. 0: it is wrong, and the arm has ended. */
int    proof_check(Bench *b, Arm *arm, int set, uint64_t checksum);

#endif
