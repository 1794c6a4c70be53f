/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned threads with one way to use them. The team is made before the clock
 * starts; between calls its threads spin for a moment and then sleep. */
#ifndef PARALLEL_H
#define PARALLEL_H

#include "status.h"

#include <stdint.h>

typedef struct Team Team;

/* `threads` >= 1 counts the caller, who works too. Worker i is pinned to cpu[i]
 * (the caller to cpu[0]); cpu == NULL leaves placement to the system. */
Status team_open(Team **team, int threads, const int *cpu, Err *err);
void   team_close(Team *team);                 /* NULL is fine */
int    team_threads(const Team *team);         /* NULL: 1 */

/* Thread-CPU time of all members since team_open, in ns (the caller's included). */
int64_t team_cpu_ns(const Team *team);

typedef void Body(void *arg, int64_t index, int worker);

/* Calls body(arg, i, worker) once for each i in 0..n-1, in increasing order of
 * start, on whichever worker is free (0..threads-1); returns when all are done.
 * team == NULL runs them here. Bodies must not call parallel_for. */
void parallel_for(Team *team, int64_t n, Body *body, void *arg);

#endif
