/* SPDX-License-Identifier: Apache-2.0 */
/* The two-level memory of the papers' I/O theorems: a fast memory of M bytes in front of a slow one
 * (Hong and Kung, STOC 1981; Dao et al. 2022, section 2.1). A schedule says what it touches in
 * which order; the model keeps whole lines, evicts the one used least recently, loads what is read
 * or written in part, and writes a changed line back when it leaves. A line that is wholly
 * overwritten is not loaded first. LRU is no oracle: an optimal replacement would do at best half
 * the traffic with half the memory (Sleator and Tarjan, CACM 1985). */
#ifndef LRU_H
#define LRU_H

#include "../kernels/core/status.h"

#include <stdint.h>

typedef struct Lru Lru;

typedef struct { int64_t read_bytes, written_bytes; } LruTraffic;

enum { LRU_TENSORS_MAX = 64 };

/* line_bytes: a power of two; capacity of at least one line. */
Status     lru_open(Lru **lru, int64_t capacity_bytes, int64_t line_bytes, Err *err);
void       lru_close(Lru *lru);
/* One contiguous range of a tensor (a number below LRU_TENSORS_MAX). NO_MEMORY is remembered and
 * comes back from lru_finish, so that schedules need not care. */
void       lru_touch(Lru *lru, int tensor, int64_t offset_bytes, int64_t bytes, int writes);
/* Writes everything that was changed back, and says what crossed in all. */
Status     lru_finish(Lru *lru, LruTraffic *out, Err *err);

#endif
