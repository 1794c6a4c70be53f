/* SPDX-License-Identifier: Apache-2.0 */
/* Counter-based random numbers: each value is a pure function of (seed, stream,
 * index), so any part of a tensor can be made on its own, in any order, on any
 * thread, and is the same for every dtype. Philox 4x32-10: Salmon, Moraes, Dror,
 * Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

/* 64 uniform bits. */
uint64_t random_u64(uint64_t seed, uint64_t stream, uint64_t index);
/* Uniform in (0, 1): never exactly 0 or 1. */
double   random_uniform(uint64_t seed, uint64_t stream, uint64_t index);
/* Standard normal (Box-Muller). */
double   random_normal(uint64_t seed, uint64_t stream, uint64_t index);
/* Uniform integer in 0..n-1; n >= 1. */
int64_t  random_below(uint64_t seed, uint64_t stream, uint64_t index, int64_t n);

/* The generator itself, for its known-answer test: four words from a 128-bit
 * counter and a 64-bit key. */
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
