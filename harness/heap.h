/* SPDX-License-Identifier: Apache-2.0 */
/* Counts heap allocations: kernels must make none, for then what is said about memory is all
 * there is, and no call waits for the system. */
#ifndef HEAP_H
#define HEAP_H

#include <stdint.h>

/* Calls of malloc and its relatives by this program's own code, from any thread, so far. Those
 * inside libraries (OpenBLAS queues its jobs in malloc's memory) are not ours to forbid.
 * Always 0 in a build where a sanitizer or another C library owns the heap. */
int64_t heap_calls(void);

#endif
