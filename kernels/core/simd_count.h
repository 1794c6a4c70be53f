/* SPDX-License-Identifier: Apache-2.0 */
/* What ISA "count" does beside each operation; nothing anywhere else. The hooks are
 * called by simd_portable.h (which ISA "count" is made of), simd.h and vmath.h. */
#ifndef SIMD_COUNT_H
#define SIMD_COUNT_H

#include <stdint.h>

#ifdef ISA_IS_COUNT
#include "count.h"

static inline void count_flops(int n)  { counts.other_flops += n; }
static inline void count_matmul(int n) { counts.matmul_flops += n; }
static inline void count_load(int n)   { counts.loaded_bytes += n; }
static inline void count_store(int n)  { counts.stored_bytes += n; }

/* An elementary function counts as `n` exponentials, whatever its polynomial costs:
 *     const int64_t mark = count_mark();  ...  count_exps(mark, VL); */
static inline int64_t count_mark(void) { return counts.other_flops; }
static inline void    count_exps(int64_t mark, int n)
{
    counts.other_flops = mark;
    counts.exps += n;
}
#else
static inline void    count_flops(int n)              { (void)n; }
static inline void    count_matmul(int n)             { (void)n; }
static inline void    count_load(int n)               { (void)n; }
static inline void    count_store(int n)              { (void)n; }
static inline int64_t count_mark(void)                { return 0; }
static inline void    count_exps(int64_t mark, int n) { (void)mark; (void)n; }
#endif

#endif
