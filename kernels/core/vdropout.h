/* SPDX-License-Identifier: Apache-2.0 */
/* dropout.h over vectors: the same bits, VL columns at a time. */
#ifndef VDROPOUT_H
#define VDROPOUT_H

#include "dropout.h"
#include "simd.h"

/* dropout_bits() of columns column .. column + VL - 1. */
static inline vi v_dropout_bits(DropoutRow r, int64_t column)
{
    const vi at = vi_add(vi_set1((int32_t)column), vi_iota());
    vi x = vi_add(vi_mul(at, vi_set1((int32_t)0x9E3779B9u)), vi_set1((int32_t)r.add));
    x = vi_mul(vi_xor(x, vi_shr(x, 16)), vi_set1((int32_t)0x85EBCA6Bu));
    x = vi_xor(x, vi_set1((int32_t)r.mix));
    x = vi_mul(vi_xor(x, vi_shr(x, 13)), vi_set1((int32_t)0xC2B2AE35u));
    return vi_xor(x, vi_shr(x, 16));
}

/* Z of these columns: 0 or `scale`. threshold is dropout_threshold()'s. */
static inline vf v_dropout(DropoutRow r, int64_t column, uint32_t threshold, float scale)
{
    const vi sign = vi_set1(INT32_MIN);              /* compares unsigned numbers as signed ones */
    const vi bits = vi_xor(v_dropout_bits(r, column), sign);
    const vm drop = vi_lt(bits, vi_xor(vi_set1((int32_t)threshold), sign));
    return v_select(drop, v_zero(), v_set1(scale));
}

#endif
