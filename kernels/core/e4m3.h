/* SPDX-License-Identifier: Apache-2.0 */
/* FP8 of the e4m3 kind as float32 values: 1 sign, 4 exponent and 3 mantissa bits, bias 7,
 * no infinities, largest number 448, subnormals down to 2^-9 (Micikevicius et al., "FP8
 * formats for deep learning", arXiv 2209.05433). */
#ifndef E4M3_H
#define E4M3_H

#include "simd.h"

static const float E4M3_MAX = 448;

/* The nearest e4m3 number, ties to even; beyond 448 it saturates; NaN stays NaN. */
static inline vf v_e4m3(vf x)
{
    const vf size = v_abs(x), step = v_set1(0x1.8p14f);      /* its spacing is 2^-9 */
    const vi bits = v_bits(size), odd = vi_and(vi_shr(bits, 20), vi_set1(1));
    const vi carried = vi_add(bits, vi_add(odd, vi_set1(0x7ffff)));
    const vf normal = v_from_bits(vi_and(carried, vi_set1((int32_t)0xfff00000u)));
    const vf tiny = v_sub(v_add(size, step), step);
    const vf near = v_select(v_lt(size, v_set1(0x1p-6f)), tiny, normal);
    const vf held = v_select(v_eq(x, x), v_min(v_set1(E4M3_MAX), near), x);
    const vi sign = vi_and(v_bits(x), vi_set1(INT32_MIN));
    return v_from_bits(vi_or(v_bits(held), sign));
}

#endif
