/* SPDX-License-Identifier: Apache-2.0 */
/* gemm.h for bfloat16 operands and float32 sums, where the CPU multiplies pairs
 * (SIMD_BF16_DOT; otherwise this header is empty): the same tile and the same panels,
 * with a pair of steps of k in each 32-bit lane. It differs in two points:
 *
 *   B   a panel is (k + 1) / 2 rows of GEMM_NR pairs; `panel` counts pairs. An odd k is
 *       padded with zeros, so a range of rows of B must begin at an even one.
 *   A   row-major, its pairs are where they should be. Its transpose must be paired
 *       first (gemm_bf16_pair).
 *
 * Products are exact, sums are rounded to float32 after each pair; subnormals count as 0. */
#ifndef GEMM_BF16_H
#define GEMM_BF16_H

#include "gemm.h"

#ifdef SIMD_BF16_DOT

/* ---- packing ------------------------------------------------------------------------- */

/* Rows s and s + 1 of b[k][n], interleaved, from column j on: `lanes` pairs. */
static inline vi gemm_bf16_pair_(int64_t k, const uint16_t *b, int64_t ldb, int64_t s, int64_t j,
                                 int lanes)
{
    const vf even = v_load_bf16_n(b + s * ldb + j, lanes);
    const vf odd = s + 1 < k ? v_load_bf16_n(b + (s + 1) * ldb + j, lanes) : v_zero();
    return vi_or(vi_shr(v_bits(even), 16), v_bits(odd));
}

/* Packs B[k][n], row-major. */
static inline void gemm_bf16_pack(int64_t k, int64_t n, const uint16_t *b, int64_t ldb, int32_t *to,
                                  int64_t panel)
{
    for (int64_t j = 0; j < gemm_columns(n); j += VL) {
        int32_t *column = to + j / GEMM_NR * panel + j % GEMM_NR;
        const int lanes = n - j < 0 ? 0 : n - j < VL ? (int)(n - j) : VL;
        for (int64_t s = 0; s < k; s += 2, column += GEMM_NR)
            vi_store(column, lanes ? gemm_bf16_pair_(k, b, ldb, s, j, lanes) : vi_set1(0));
    }
}

/* VL words of 2 bf16 from a row, of which `left` bf16 exist. */
static inline vf gemm_bf16_words_(const uint16_t *p, int64_t left)
{
    uint16_t word[2 * VL] = { 0 };
    if (left < 2 * VL) {
        memcpy(word, p, left > 0 ? 2 * (size_t)left : 0);
        p = word;
    }
    return v_from_bits(vi_load((const int32_t *)(const void *)p));
}

/* Packs B given as its transpose bt[n][k]: words are transposed, pairs stay pairs. */
static inline void gemm_bf16_pack_t(int64_t k, int64_t n, const uint16_t *bt, int64_t ldb,
                                    int32_t *to, int64_t panel)
{
    for (int64_t j = 0; j < gemm_columns(n); j += VL) {
        int32_t *column = to + j / GEMM_NR * panel + j % GEMM_NR;
        for (int64_t s = 0; s < k; s += 2 * VL) {
            vf block[VL];
            for (int r = 0; r < VL; r++)
                block[r] = j + r < n ? gemm_bf16_words_(bt + (j + r) * ldb + s, k - s) : v_zero();
            v_transpose(block);
            for (int r = 0; r < VL && s + 2 * r < k; r++)
                vi_store(column + (s / 2 + r) * GEMM_NR, v_bits(block[r]));
        }
    }
}

/* Pairs at[k][m] for gemm_bf16_t: to[(k + 1) / 2][ldt], ldt >= m. */
static inline void gemm_bf16_pair(int64_t k, int64_t m, const uint16_t *at, int64_t lda,
                                  int32_t *to, int64_t ldt)
{
    for (int64_t s = 0; s < k; s += 2, to += ldt)
        for (int64_t i = 0; i < m; i += VL) {
            const int lanes = m - i < VL ? (int)(m - i) : VL;
            const vf pairs = v_from_bits(gemm_bf16_pair_(k, at, lda, s, i, lanes));
            v_store_n((float *)(void *)(to + i), pairs, lanes);
        }
}

/* ---- the register tile -------------------------------------------------------------------
 *
 * As in gemm.h, with pairs for floats: the pair (i, s) of A is at a + i a_row + s a_step,
 * in bf16s. */

TEMPLATE vi gemm_bf16_load1_(const uint16_t *p)
{
    int32_t pair;
    memcpy(&pair, p, 4);
    return vi_set1(pair);
}

TEMPLATE void gemm_bf16_last_(vf sum[GEMM_MR][GEMM_NV], const uint16_t *const *group, int64_t a_row,
                              int64_t a_step, const int32_t *b, float *c, int64_t ldc,
                              int add)
{
    vi row[GEMM_LAST][GEMM_NV];
    UNROLL for (int s = 0; s < GEMM_LAST; s++)
        UNROLL for (int v = 0; v < GEMM_NV; v++)
            row[s][v] = vi_load(b + s * GEMM_NR + v * VL);
    UNROLL for (int i = 0; i < GEMM_MR; i++) {
        const uint16_t *from = group[i / GEMM_GROUP] + i % GEMM_GROUP * a_row;
        UNROLL for (int s = 0; s < GEMM_LAST; s++) {
            const vi x = gemm_bf16_load1_(from + s * a_step);
            UNROLL for (int v = 0; v < GEMM_NV; v++)
                sum[i][v] = v_dot2(sum[i][v], x, row[s][v]);
        }
        UNROLL for (int v = 0; v < GEMM_NV; v++)
            gemm_store_(c + i * ldc + v * VL, sum[i][v], add);
    }
}

/* An odd k has half a pair more, of which B has the other half as 0. */
TEMPLATE void gemm_bf16_half_(int rows, int nv, vf sum[GEMM_MR][GEMM_NV],
                              const uint16_t *const *group, int64_t a_row, const int32_t *b)
{
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < nv; v++) {
            const vi x = vi_set1(group[i / GEMM_GROUP][i % GEMM_GROUP * a_row]);
            sum[i][v] = v_dot2(sum[i][v], x, vi_load(b + v * VL));
        }
}

TEMPLATE void gemm_bf16_tile_(int rows, int nv, int64_t k, const uint16_t *a, int64_t a_row,
                              int64_t a_step, const int32_t *b, float *c, int64_t ldc, int n,
                              int add)
{
    const int64_t pairs = k / 2;
    const int full = rows == GEMM_MR && n == GEMM_NR && pairs >= GEMM_LAST && k % 2 == 0;
    const uint16_t *group[GEMM_GROUPS(GEMM_MR)];
    vf sum[GEMM_MR][GEMM_NV];
    gemm_clear_(rows, nv, sum);
    UNROLL for (int g = 0; g < GEMM_GROUPS(rows); g++) {
        group[g] = a + g * GEMM_GROUP * a_row;
        __asm__("" : "+r"(group[g]));
    }
    for (int64_t s = full ? GEMM_LAST : 0; s < pairs; s++, b += GEMM_NR) {
        vi row[GEMM_NV];
        UNROLL for (int v = 0; v < nv; v++)
            row[v] = vi_load(b + v * VL);
        UNROLL for (int i = 0; i < rows; i++) {
            const vi x = gemm_bf16_load1_(group[i / GEMM_GROUP] + i % GEMM_GROUP * a_row);
            UNROLL for (int v = 0; v < nv; v++)
                sum[i][v] = v_dot2(sum[i][v], x, row[v]);
        }
        UNROLL for (int g = 0; g < GEMM_GROUPS(rows); g++)
            group[g] += a_step;
    }
    if (k % 2)
        gemm_bf16_half_(rows, nv, sum, group, a_row, b);
    if (!full)
        gemm_put_(rows, nv, sum, c, ldc, n, add);
    else if (add)
        gemm_bf16_last_(sum, group, a_row, a_step, b, c, ldc, 1);
    else
        gemm_bf16_last_(sum, group, a_row, a_step, b, c, ldc, 0);
}

TEMPLATE void gemm_bf16_panel_(int nv, int64_t m, int64_t k, const uint16_t *a, int64_t a_row,
                               int64_t a_step, const int32_t *b, float *c, int64_t ldc, int n,
                               int add)
{
    int64_t i = 0;
    for (; i + GEMM_MR <= m; i += GEMM_MR)
        gemm_bf16_tile_(GEMM_MR, nv, k, a + i * a_row, a_row, a_step, b, c + i * ldc, ldc, n, add);
    for (; i + GEMM_TAIL <= m; i += GEMM_TAIL)
        gemm_bf16_tile_(GEMM_TAIL, nv, k, a + i * a_row, a_row, a_step, b, c + i * ldc, ldc, n,
                        add);
    for (; i < m; i++)
        gemm_bf16_tile_(1, nv, k, a + i * a_row, a_row, a_step, b, c + i * ldc, ldc, n, add);
}

TEMPLATE void gemm_bf16_panels_(int64_t m, int64_t n, int64_t k, const uint16_t *a, int64_t a_row,
                                int64_t a_step, const int32_t *b, int64_t panel, float *c,
                                int64_t ldc, int add)
{
    for (; n > VL; n -= GEMM_NR, b += panel, c += GEMM_NR)
        gemm_bf16_panel_(GEMM_NV, m, k, a, a_row, a_step, b, c, ldc,
                         n < GEMM_NR ? (int)n : GEMM_NR, add);
    if (n > 0)
        gemm_bf16_panel_(1, m, k, a, a_row, a_step, b, c, ldc, (int)n, add);
}

/* ---- products ------------------------------------------------------------------------------ */

/* C[m][n] = A[m][k] B[k][n], or += with add. */
static inline void gemm_bf16(int64_t m, int64_t n, int64_t k, const uint16_t *a, int64_t lda,
                             const int32_t *b, int64_t panel, float *c, int64_t ldc, int add)
{
    gemm_bf16_panels_(m, n, k, a, lda, 2, b, panel, c, ldc, add);
}

/* The same with A given as its paired transpose at[(k + 1) / 2][m], rows `lda` pairs apart. */
static inline void gemm_bf16_t(int64_t m, int64_t n, int64_t k, const int32_t *at, int64_t lda,
                               const int32_t *b, int64_t panel, float *c, int64_t ldc, int add)
{
    gemm_bf16_panels_(m, n, k + k % 2, (const uint16_t *)(const void *)at, 2, 2 * lda, b, panel, c,
                      ldc, add);
}

#endif
#endif
