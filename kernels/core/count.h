/* SPDX-License-Identifier: Apache-2.0 */
/* Executed work, counted: the vector header of ISA "count" and the BLAS wrapper
 * add to this thread's counters; no other build touches them. */
#ifndef COUNT_H
#define COUNT_H

#include <stdint.h>

typedef struct {
    int64_t matmul_flops;      /* 2 m n k of every tile product, padding included */
    int64_t other_flops;       /* every other add, multiply, maximum, ... (fma: 2), by lane */
    int64_t exps;              /* exponentials and logarithms, by lane; not their polynomials */
    int64_t loaded_bytes, stored_bytes;
} Counts;

extern _Thread_local Counts counts;

#endif
