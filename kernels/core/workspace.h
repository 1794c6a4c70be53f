/* SPDX-License-Identifier: Apache-2.0 */
/* A bump allocator over memory that the harness got before the clock started.
 * Kernels never call malloc: a variant states its need by workspace(), and takes
 * it here, in the same order, on each call of run(). */
#ifndef WORKSPACE_H
#define WORKSPACE_H

#include <stddef.h>

typedef struct {
    char  *base;              /* aligned to WORKSPACE_ALIGN */
    size_t size, used;        /* bytes */
    size_t high_water;        /* the most that was in use at once, bytes */
} Workspace;

enum { WORKSPACE_ALIGN = 64 };   /* a cache line and an AVX-512 vector */

/* Never NULL: running out means that workspace() lied, which is a bug. */
void  *workspace_take(Workspace *ws, size_t bytes);
void   workspace_reset(Workspace *ws);
size_t workspace_round(size_t bytes);

#endif
