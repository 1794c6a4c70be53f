/* SPDX-License-Identifier: Apache-2.0 */
/* The online softmax, row by row, between the two products of attention: scores s become
 * weights in place while their maximum m (kept times log2 e) and sum l go on from block to
 * block (Milakov, Gimelshein, arXiv 1805.02867; equations in attention_forward.h).
 *
 * Rows of scores are whole panels of GEMM_NR columns; hidden ones are -inf. l is kept by
 * lane and added up only at the end. */
#ifndef ATTENTION_SOFTMAX_H
#define ATTENTION_SOFTMAX_H

#include "gemm.h"
#include "softmax_attention.h"
#include "vdropout.h"
#include "vmath.h"

/* The part of `see` inside `keys`; an empty one lies inside, too. */
static inline KeyRange key_range_within(KeyRange see, KeyRange keys)
{
    see.first = see.first < keys.first ? keys.first : see.first > keys.end ? keys.end : see.first;
    see.end = see.end < see.first ? see.first : see.end > keys.end ? keys.end : see.end;
    return see;
}

/* Hides the scores of a row outside keys see.first..see.end-1: column 0 is `key`, there
 * are n. */
static inline void softmax_hide(float *s, int64_t key, int64_t n, KeyRange see)
{
    const int64_t first = see.first - key, end = see.end - key;
    for (int64_t j = 0; j < n; j += VL) {
        if (j >= first && j + VL <= end) {
            j += (end - j) / VL * VL - VL;          /* on to the vector where the range ends */
            continue;
        }
        const vm before = vm_first(first - j < VL ? (int)(first - j) : VL);
        const vm seen = vm_and(vm_first(end - j < VL ? (int)(end - j) : VL), vm_not(before));
        v_store(s + j, v_select(seen, v_load(s + j), v_set1(-INFINITY)));
    }
}

/* The largest of n scores. */
static inline float softmax_top(const float *s, int64_t n)
{
    vf top[GEMM_NV];
    UNROLL for (int v = 0; v < GEMM_NV; v++)
        top[v] = v_load(s + v * VL);
    for (int64_t j = GEMM_NR; j < n; j += GEMM_NR)
        UNROLL for (int v = 0; v < GEMM_NV; v++)
            top[v] = v_max(v_load(s + j + v * VL), top[v]);
    return v_top(v_max(top[0], top[1]));
}

enum { SOFTMAX_LANES = (GEMM_MR + VL - 1) / VL * VL };

/* m' and a of up to GEMM_MR rows, from the maxima of their new scores. top becomes what is
 * to be subtracted from the scores: m', or 0 for a row that has seen no key yet. Such a row
 * has o = 0 and l = 0, so that a is 1. */
static inline void softmax_rise(float *m, int rows, float c, float top[SOFTMAX_LANES],
                                float a[SOFTMAX_LANES])
{
    for (int i = 0; i < rows; i += VL) {
        const int lanes = rows - i < VL ? rows - i : VL;
        const vf before = v_load_n(m + i, lanes);
        const vf after = v_max(v_mul(v_load(top + i), v_set1(c)), before);
        const vf none = v_set1(-INFINITY), safe = v_select(v_eq(after, none), v_zero(), after);
        const vf fade = v_exp2_down(v_sub(before, safe), 5);
        v_store_n(m + i, after, lanes);
        v_store(top + i, safe);
        v_store(a + i, v_select(v_eq(before, none), v_set1(1), fade));
    }
}

static inline void softmax_scale(float *x, int64_t n, float a)
{
    for (int64_t i = 0; i < n; i += VL)
        v_store(x + i, v_mul(v_load(x + i), v_set1(a)));
}

typedef struct {
    DropoutRow row;
    int64_t    key;                /* of column 0 */
    uint32_t   threshold;
} SoftmaxDropout;

/* Weights 2^(c s - m) from n scores; adds them up in l. pairs: as bf16, to p instead of s.
 * z: NULL without dropout, which l does not see. */
TEMPLATE void softmax_weigh(float *s, uint16_t *p, int64_t n, float c, float m, float *l,
                            int pairs, const SoftmaxDropout *z)
{
    const vf top = v_set1(m), scale = v_set1(c);
    vf sum[GEMM_NV] = { v_load(l), v_zero() };
    for (int64_t j = 0; j < n; j += GEMM_NR) {
        vf w[GEMM_NV];
        UNROLL for (int v = 0; v < GEMM_NV; v++) {
            const vf x = v_load(s + j + v * VL);
            w[v] = v_exp2_down(v_fms(x, scale, top), pairs ? 3 : 5);
            sum[v] = v_add(sum[v], w[v]);
            if (z) w[v] = v_mul(w[v], v_dropout(z->row, z->key + j + v * VL, z->threshold, 1));
            if (!pairs) v_store(s + j + v * VL, w[v]);
        }
#ifdef SIMD_BF16_DOT
        if (pairs) vi_store((int32_t *)(void *)(p + j), vi_pack_bf16(w[0], w[1]));
#endif
    }
    (void)p;
    v_store(l, v_add(sum[0], sum[1]));
}

#endif
