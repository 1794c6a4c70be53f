/* SPDX-License-Identifier: Apache-2.0 */
/* Many small pieces of work, each of which may crash, hang or eat all memory, at little cost: a few
 * child processes take groups of items from a common list and leave results in shared memory. When
 * one dies, the item it was at is lost, and a new child goes on behind it. */
#ifndef POOL_H
#define POOL_H

#include "../kernels/core/status.h"

#include <stddef.h>

typedef enum {
    LOSS_CRASH,                /* ended by a signal or by itself */
    LOSS_TIMEOUT,              /* ended by us */
    LOSS_MEMORY                /* ended by the system, as far as one can tell for lack of memory */
} Loss;

typedef struct {
    int    items;
    size_t result_bytes;
    int    workers;            /* children at a time, >= 1 */
    double limit_s;            /* for one item: of processor time; four times that by the clock */
    void  *self;
    /* Items for which this is the same as for the one before are done by one child, in order. */
    int  (*group)(void *self, int item);
    /* In a child: leaves its result (zeroed before). */
    void (*work)(void *self, int item, void *result);
    /* In the parent: the result of an item that was lost; `words` is what the child last said. */
    void (*lost)(void *self, int item, Loss loss, const char *words, void *result);
    /* In the parent, once for each item, in order, as soon as all before it are done. */
    void (*done)(void *self, int item, const void *result);
    /* In the parent, now and then: items finished so far; 1: stop. */
    int  (*look)(void *self, int finished);
} Pool;

/* OK also if look() stopped it: the items not done are then not reported. The caller must be
 * single-threaded, for children are forked. */
Status pool_run(const Pool *pool, Err *err);

#endif
