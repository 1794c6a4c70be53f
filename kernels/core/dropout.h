/* SPDX-License-Identifier: Apache-2.0 */
/* Which scores dropout keeps: a pure function of (seed, head, row, column), so the
 * forward and the backward pass, every tiling, every ISA and the float64 reference
 * draw the same mask without storing it.
 *
 * Each row of scores gets 64 bits from the counter-based generator; each column then
 * costs one integer hash of 32 bits, which a vector unit does in 8 operations. The
 * hash is the finaliser of MurmurHash3 (A. Appleby, public domain) with the row's
 * second word mixed in half way, so that two rows share a mask only if 64 bits agree. */
#ifndef DROPOUT_H
#define DROPOUT_H

#include "random.h"

#include <stdint.h>

enum { DROPOUT_STREAM = 0x64726f70 };   /* "drop": no tensor is filled from this stream */

typedef struct { uint32_t add, mix; } DropoutRow;

/* head: b H + h; row: the query's position in it. */
static inline DropoutRow dropout_row(uint64_t seed, int64_t head, int64_t row)
{
    const uint64_t bits = random_u64(seed, DROPOUT_STREAM, (uint64_t)head << 32 | (uint64_t)row);
    return (DropoutRow){ (uint32_t)bits, (uint32_t)(bits >> 32) };
}

static inline uint32_t dropout_bits(DropoutRow r, uint32_t column)
{
    uint32_t x = column * 0x9E3779B9u + r.add;
    x = (x ^ x >> 16) * 0x85EBCA6Bu ^ r.mix;
    x = (x ^ x >> 13) * 0xC2B2AE35u;
    return x ^ x >> 16;
}

/* A score is kept if dropout_bits() >= this; percent in 0..99. */
static inline uint32_t dropout_threshold(int64_t percent)
{
    return (uint32_t)(((uint64_t)percent << 32) / 100);
}

/* What kept weights are multiplied by, so that the expected output stays. */
static inline double dropout_scale(int64_t percent) { return 100.0 / (double)(100 - percent); }

#endif
