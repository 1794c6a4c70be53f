/* SPDX-License-Identifier: Apache-2.0 */
/* Cores for one block. Two attest programs on one machine would ruin each other's timings, so each
 * core in use is held by a lock file; who finds none free waits. The locks vanish with the process.
 *  */
#ifndef LOCK_H
#define LOCK_H

#include "../kernels/core/method.h"

typedef struct { int fd[THREADS_MAX]; int count; } CoreLock;

/* Finds `threads` cores, the idlest first, writes their numbers to cpu[] and locks them. Returns
 * how many: fewer where the machine has no more. After five minutes of waiting, or where lock files
 * cannot be had, it goes on without. */
int  lock_cores(CoreLock *lock, int threads, int *cpu);
void unlock_cores(CoreLock *lock);

#endif
