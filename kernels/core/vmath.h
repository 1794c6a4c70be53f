/* SPDX-License-Identifier: Apache-2.0 */
/* Elementary functions over simd.h, written once for all ISAs.
 *
 * "ulp" is the spacing of floats at the exact result. The bounds below hold for every
 * ISA (also without FMA) and are checked over the whole float domain, every 1009th bit
 * pattern and all special values, by tests/unit/test_vmath.v.c.
 *
 *   function        domain         error        specials beside NaN -> NaN
 *   v_exp2          all            2.5 ulp      -inf -> 0, from 128 on inf
 *   v_exp2_down     x <= 127       see there    -inf -> 0, below -125 at most 2^-125
 *   v_exp           all            1.5 ulp      -inf -> 0, from 88.7229 on inf
 *   v_log           all            1.5 ulp      0 -> -inf, x < 0 -> NaN, inf -> inf
 *   v_tanh          all            2 ulp        -0 -> -0, +-inf -> +-1
 *   v_sigmoid       all            2.5 ulp      -inf -> 0, inf -> 1
 *   v_softplus      all            2.5 ulp      -inf -> 0, inf -> inf
 *   v_silu          all            3 ulp        -inf -> NaN (as -inf 0), inf -> inf
 *
 * Subnormals: inputs count in full; results are rounded to a subnormal within 1 of its
 * spacing, except by v_exp2_down, v_sigmoid and v_silu, which may give 0 instead.
 *
 * Polynomials: relative minimax fits by Remez exchange. */
#ifndef VMATH_H
#define VMATH_H

#include "simd.h"

#include <math.h>

/* 2^r on [-1/2, 1/2]. Degree 5 is 1 at 0 exactly (9.1e-8); 4 (2.6e-6) and 3 (7.5e-5)
 * are for values that end as bfloat16, whose own rounding is 3.9e-3. */
TEMPLATE vf v_exp2_polynomial(vf r, int degree)
{
    static const float c[3][6] = {
        { 0.999928074f, 0.693260985f, 0.242611122f, 0.0551716691f },
        { 0.999999261f, 0.693121815f, 0.240247448f, 0.0559178603f, 0.00957010201f },
        { 1.0f, 0.693146978f, 0.240222421f, 0.0555073374f, 0.00967151264f, 0.00132647271f },
    };
    vf p = v_set1(c[degree - 3][degree]);
    UNROLL for (int i = degree - 1; i >= 0; i--)
        p = v_fma(p, r, v_set1(c[degree - 3][i]));
    return p;
}

static inline vf v_exp2(vf x)
{
    const int64_t mark = count_mark();
    x = v_min(v_set1(129.0f), v_max(v_set1(-151.0f), x));
    const vf n = v_round(x);
    const vf y = v_scale2(v_exp2_polynomial(v_sub(x, n), 5), n);
    count_exps(mark, VL);
    return y;
}

/* 2^x as softmax needs it: x <= 0, or at most 127. Relative error 2e-7, 2.8e-6, 7.6e-5
 * for degree 5, 4, 3, down to x = -125; below, the result is at most 2^-125. */
TEMPLATE vf v_exp2_down(vf x, int degree)
{
    const int64_t mark = count_mark();
    const vf n = v_round(x);
    const vf y = v_scale2_down(v_exp2_polynomial(v_sub(x, n), degree), n);
    count_exps(mark, VL);
    return y;
}

/* n = round(x / ln 2) and the rest r in two steps (Cody, Waite 1980): the first part of
 * ln 2 has few enough bits that n times it is exact. */
static inline vf v_exp(vf x)
{
    const int64_t mark = count_mark();
    x = v_min(v_set1(89.0f), v_max(v_set1(-104.0f), x));
    const vf n = v_round(v_mul(x, v_set1(1.44269504f)));
    const vf r = v_fnma(n, v_set1(-2.12194440e-4f), v_fnma(n, v_set1(0.693359375f), x));
    vf p = v_set1(0.00138145986f);
    p = v_fma(p, r, v_set1(0.00836871688f));
    p = v_fma(p, r, v_set1(0.041668388f));
    p = v_fma(p, r, v_set1(0.166665206f));
    p = v_fma(p, r, v_set1(0.499999934f));
    p = v_add(v_fma(p, v_mul(r, r), r), v_set1(1.0f));
    const vf y = v_scale2(p, n);
    count_exps(mark, VL);
    return y;
}

/* x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2); log(1 + f) = f - f^2/2 + f^3 q(f). */
static inline vf v_log(vf x)
{
    const int64_t mark = count_mark();
    const vm tiny = v_lt(x, v_set1(0x1p-126f));
    const vi bits = v_bits(v_select(tiny, v_mul(x, v_set1(0x1p23f)), x));
    /* Adding 1 - sqrt(1/2), as bits, carries into the exponent from sqrt(2) on. */
    const vi power = vi_sub(vi_shr(vi_add(bits, vi_set1(0x4afb0d)), 23), vi_set1(127));
    const vf f = v_sub(v_from_bits(vi_sub(bits, vi_shl(power, 23))), v_set1(1.0f));
    const vf e = v_sub(v_from_int(power), v_select(tiny, v_set1(23.0f), v_zero()));
    vf q = v_set1(-0.0763450557f);
    q = v_fma(q, f, v_set1(0.12761592f));
    q = v_fma(q, f, v_set1(-0.131601862f));
    q = v_fma(q, f, v_set1(0.142017563f));
    q = v_fma(q, f, v_set1(-0.166233568f));
    q = v_fma(q, f, v_set1(0.200012269f));
    q = v_fma(q, f, v_set1(-0.25000821f));
    q = v_fma(q, f, v_set1(0.333333317f));
    const vf square = v_mul(f, f);
    vf y = v_fma(e, v_set1(-2.12194440e-4f), v_mul(v_mul(square, f), q));
    y = v_add(v_fma(square, v_set1(-0.5f), y), f);
    y = v_fma(e, v_set1(0.693359375f), y);
    y = v_select(v_lt(x, v_set1(INFINITY)), y, x);
    const vf none = v_select(v_eq(x, v_zero()), v_set1(-INFINITY), v_set1(NAN));
    y = v_select(v_le(x, v_zero()), none, y);
    count_exps(mark, VL);
    return y;
}

/* Of |x|, then the sign: near 0, where 1 - 2/(e^2x + 1) would cancel, x + x^3 q(x^2). */
static inline vf v_tanh(vf x)
{
    const vf size = v_abs(x), u = v_mul(x, x);
    vf q = v_set1(-0.00623884548f);
    q = v_fma(q, u, v_set1(0.0210558048f));
    q = v_fma(q, u, v_set1(-0.0538516496f));
    q = v_fma(q, u, v_set1(0.133326253f));
    q = v_fma(q, u, v_set1(-0.333333208f));
    const vf near = v_fma(v_mul(size, u), q, size);
    const vf e = v_exp(v_add(size, size));
    const vf far = v_sub(v_set1(1.0f), v_div(v_set1(2.0f), v_add(e, v_set1(1.0f))));
    const vi sign = vi_and(v_bits(x), vi_set1(INT32_MIN));
    return v_from_bits(vi_or(v_bits(v_select(v_lt(size, v_set1(0.55f)), near, far)), sign));
}

/* 1 / (1 + e^-x) */
static inline vf v_sigmoid(vf x)
{
    return v_div(v_set1(1.0f), v_add(v_set1(1.0f), v_exp(v_neg(x))));
}

/* x sigmoid(x) */
static inline vf v_silu(vf x)
{
    return v_div(x, v_add(v_set1(1.0f), v_exp(v_neg(x))));
}

/* log(1 + e^x) = max(x, 0) + log(1 + t), t = e^-|x|; what rounding 1 + t lost is given
 * back to first order, so that a small t comes out whole. */
static inline vf v_softplus(vf x)
{
    const vf one = v_set1(1.0f);
    const vf t = v_exp(v_neg(v_abs(x))), u = v_add(one, t);
    const vf lost = v_div(v_sub(t, v_sub(u, one)), u);
    return v_add(v_max(x, v_zero()), v_add(v_log(u), lost));
}

#endif
