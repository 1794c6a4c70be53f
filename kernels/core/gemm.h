/* SPDX-License-Identifier: Apache-2.0 */
/* Small matrix products C = A B and C += A B on one core, for tiles that stay in cache.
 *
 * B is packed once and used many times: panels of GEMM_NR columns, each panel k rows of
 * GEMM_NR contiguous floats, the last panel padded with zeros on the right. So a range
 * of rows of B is a range inside each panel, and a range of panels is a range of
 * columns: causal and windowed kernels cut at no cost. A is read where it lies, as it is
 * (row-major, m x k) or as its transpose (k x m, "_t"): each element is broadcast, so
 * packing it would buy nothing. C is row-major.
 *
 * m, n, k are arbitrary (with k = 0, C = A B clears C); nothing outside A[m][k], the
 * panels of B and C[m][n] is touched. Strides count elements.
 *
 * The register tile is GEMM_MR x GEMM_NR: as many accumulators as the ISA's registers
 * hold beside one row of B and a broadcast of A. Each step of k does MR NV multiply-adds
 * on NV + MR loads, so that the multiply-add units are the limit as long as B comes from
 * L1 or L2 (the method: Van Zee, van de Geijn, "BLIS", ACM TOMS 41(3), 2015).
 *
 * bfloat16 operands: gemm_bf16.h where the CPU multiplies them, gemm_pack_widen here
 * where it does not. */
#ifndef GEMM_H
#define GEMM_H

#include "simd.h"

#if defined(__AVX512F__) || defined(__ARM_NEON)       /* 32 vector registers */
enum { GEMM_MR = 12, GEMM_NV = 2, GEMM_LAST = 2 };
#else                                                 /* 16 */
enum { GEMM_MR = 6, GEMM_NV = 2, GEMM_LAST = 1 };
#endif
enum { GEMM_NR = GEMM_NV * VL, GEMM_TAIL = 4 };       /* GEMM_TAIL: rows of the second tile */

/* n rounded up to whole panels. */
static inline int64_t gemm_columns(int64_t n) { return (n + GEMM_NR - 1) / GEMM_NR * GEMM_NR; }

/* ---- packing B ------------------------------------------------------------------
 *
 * `panel` is the distance between panels of the result, at least k GEMM_NR: the whole
 * takes gemm_columns(n) / GEMM_NR of them. */

TEMPLATE vf gemm_load_(const void *base, int64_t at, int64_t left, int bf16)
{
    const int lanes = left < VL ? (int)left : VL;
    if (lanes <= 0)
        return v_zero();
    if (bf16)
        return v_load_bf16_n((const uint16_t *)base + at, lanes);
    return v_load_n((const float *)base + at, lanes);
}

TEMPLATE void gemm_pack_(int64_t k, int64_t n, const void *b, int64_t ldb, float *to, int64_t panel,
                         int bf16)
{
    for (int64_t s = 0; s < k; s++)
        for (int64_t j = 0; j < gemm_columns(n); j += VL)
            v_store(to + j / GEMM_NR * panel + s * GEMM_NR + j % GEMM_NR,
                    gemm_load_(b, s * ldb + j, n - j, bf16));
}

/* VL columns at a time: transposed, they are pieces of VL rows of bt. */
TEMPLATE void gemm_pack_t_(int64_t k, int64_t n, const void *bt, int64_t ldb, float *to,
                           int64_t panel, int bf16)
{
    for (int64_t j = 0; j < gemm_columns(n); j += VL) {
        float *column = to + j / GEMM_NR * panel + j % GEMM_NR;
        for (int64_t s = 0; s < k; s += VL) {
            vf block[VL];
            for (int r = 0; r < VL; r++)
                block[r] = gemm_load_(bt, (j + r) * ldb + s, j + r < n ? k - s : 0, bf16);
            v_transpose(block);
            for (int r = 0; r < VL && s + r < k; r++)
                v_store(column + (s + r) * GEMM_NR, block[r]);
        }
    }
}

/* B[k][n], row-major. */
static inline void gemm_pack(int64_t k, int64_t n, const float *b, int64_t ldb, float *to,
                             int64_t panel)
{
    gemm_pack_(k, n, b, ldb, to, panel, 0);
}

/* B given as its transpose bt[n][k], row-major: the keys of Q K'. */
static inline void gemm_pack_t(int64_t k, int64_t n, const float *bt, int64_t ldb, float *to,
                               int64_t panel)
{
    gemm_pack_t_(k, n, bt, ldb, to, panel, 0);
}

/* Both from bfloat16. */
static inline void gemm_pack_widen(int64_t k, int64_t n, const uint16_t *b, int64_t ldb, float *to,
                                   int64_t panel)
{
    gemm_pack_(k, n, b, ldb, to, panel, 1);
}
static inline void gemm_pack_widen_t(int64_t k, int64_t n, const uint16_t *bt, int64_t ldb,
                                     float *to, int64_t panel)
{
    gemm_pack_t_(k, n, bt, ldb, to, panel, 1);
}

/* ---- the register tile --------------------------------------------------------------
 *
 * rows and nv are constants wherever these are called; element (i, s) of A is at
 * a[i a_row + s a_step].
 *
 * Two details are worth 5 % each. Rows of A are addressed from one pointer for three of
 * them (p, p + a_row, p + 2 a_row are addressing modes); the empty asm keeps the compiler
 * from replacing the pointers by twelve offsets, which it would have to spill. And where
 * the tile is full, the last GEMM_LAST steps go row by row, each row being stored as soon
 * as it is done: two dozen stores in one burst hold up the next tile's multiply-adds. */

#define GEMM_GROUP 3
#define GEMM_GROUPS(rows) (((rows) + GEMM_GROUP - 1) / GEMM_GROUP)

TEMPLATE void gemm_clear_(int rows, int nv, vf sum[GEMM_MR][GEMM_NV])
{
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < nv; v++)
            sum[i][v] = v_zero();
}

/* C += comes last: begun with C, the sums of a long product in many pieces would be one
 * chain of roundings; so each piece is a chain of its own, which on 1024 keys is 3 times
 * as exact. */
TEMPLATE void gemm_store_(float *c, vf sum, int add)
{
    v_store(c, add ? v_add(v_load(c), sum) : sum);
}

/* C[rows][n] = sum, or += with add; n <= nv VL. */
TEMPLATE void gemm_put_(int rows, int nv, vf sum[GEMM_MR][GEMM_NV], float *c, int64_t ldc, int n,
                        int add)
{
    const int left = n - (nv - 1) * VL;
    UNROLL for (int i = 0; i < rows; i++) {
        float *last = c + i * ldc + (nv - 1) * VL;
        UNROLL for (int v = 0; v < nv - 1; v++)
            gemm_store_(c + i * ldc + v * VL, sum[i][v], add);
        if (add)
            sum[i][nv - 1] = v_add(v_load_n(last, left), sum[i][nv - 1]);
        v_store_n(last, sum[i][nv - 1], left);
    }
}

/* The last GEMM_LAST steps of a full tile, and its stores. */
TEMPLATE void gemm_last_(vf sum[GEMM_MR][GEMM_NV], const float *const *group, int64_t a_row,
                         int64_t a_step, const float *b, float *c, int64_t ldc, int add)
{
    vf row[GEMM_LAST][GEMM_NV];
    UNROLL for (int s = 0; s < GEMM_LAST; s++)
        UNROLL for (int v = 0; v < GEMM_NV; v++)
            row[s][v] = v_load(b + s * GEMM_NR + v * VL);
    UNROLL for (int i = 0; i < GEMM_MR; i++) {
        UNROLL for (int s = 0; s < GEMM_LAST; s++) {
            const vf x = v_load1(group[i / GEMM_GROUP] + i % GEMM_GROUP * a_row + s * a_step);
            UNROLL for (int v = 0; v < GEMM_NV; v++)
                sum[i][v] = v_mac(x, row[s][v], sum[i][v]);
        }
        UNROLL for (int v = 0; v < GEMM_NV; v++)
            gemm_store_(c + i * ldc + v * VL, sum[i][v], add);
    }
}

TEMPLATE void gemm_tile_(int rows, int nv, int64_t k, const float *a, int64_t a_row, int64_t a_step,
                         const float *b, float *c, int64_t ldc, int n, int add)
{
    const int full = rows == GEMM_MR && n == GEMM_NR && k >= GEMM_LAST;
    const float *group[GEMM_GROUPS(GEMM_MR)];
    vf sum[GEMM_MR][GEMM_NV];
    gemm_clear_(rows, nv, sum);
    UNROLL for (int g = 0; g < GEMM_GROUPS(rows); g++) {
        group[g] = a + g * GEMM_GROUP * a_row;
        __asm__("" : "+r"(group[g]));
    }
    for (int64_t s = full ? GEMM_LAST : 0; s < k; s++, b += GEMM_NR) {
        vf row[GEMM_NV];
        UNROLL for (int v = 0; v < nv; v++)
            row[v] = v_load(b + v * VL);
        UNROLL for (int i = 0; i < rows; i++) {
            const vf x = v_load1(group[i / GEMM_GROUP] + i % GEMM_GROUP * a_row);
            UNROLL for (int v = 0; v < nv; v++)
                sum[i][v] = v_mac(x, row[v], sum[i][v]);
        }
        UNROLL for (int g = 0; g < GEMM_GROUPS(rows); g++)
            group[g] += a_step;
    }
    if (!full)
        gemm_put_(rows, nv, sum, c, ldc, n, add);
    else if (add)
        gemm_last_(sum, group, a_row, a_step, b, c, ldc, 1);
    else
        gemm_last_(sum, group, a_row, a_step, b, c, ldc, 0);
}

/* All rows of one panel: whole tiles, then of GEMM_TAIL rows, then single rows. */
TEMPLATE void gemm_panel_(int nv, int64_t m, int64_t k, const float *a, int64_t a_row,
                          int64_t a_step, const float *b, float *c, int64_t ldc, int n, int add)
{
    int64_t i = 0;
    for (; i + GEMM_MR <= m; i += GEMM_MR)
        gemm_tile_(GEMM_MR, nv, k, a + i * a_row, a_row, a_step, b, c + i * ldc, ldc, n, add);
    for (; i + GEMM_TAIL <= m; i += GEMM_TAIL)
        gemm_tile_(GEMM_TAIL, nv, k, a + i * a_row, a_row, a_step, b, c + i * ldc, ldc, n, add);
    for (; i < m; i++)
        gemm_tile_(1, nv, k, a + i * a_row, a_row, a_step, b, c + i * ldc, ldc, n, add);
}

/* A sum of k terms in float32 errs with the length of its chain of roundings: longer ones
 * are cut. It costs nothing, as a panel of GEMM_CHAIN rows also stays in L1. */
enum { GEMM_CHAIN = 256 };

TEMPLATE void gemm_chains_(int nv, int64_t m, int64_t k, const float *a, int64_t a_row,
                           int64_t a_step, const float *b, float *c, int64_t ldc, int n, int add)
{
    int64_t left = k;
    for (; left > GEMM_CHAIN; left -= GEMM_CHAIN, add = 1) {
        gemm_panel_(nv, m, GEMM_CHAIN, a, a_row, a_step, b, c, ldc, n, add);
        a += GEMM_CHAIN * a_step;
        b += GEMM_CHAIN * GEMM_NR;
    }
    gemm_panel_(nv, m, left, a, a_row, a_step, b, c, ldc, n, add);
}

TEMPLATE void gemm_panels_(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row,
                           int64_t a_step, const float *b, int64_t panel, float *c, int64_t ldc,
                           int add)
{
    for (; n > VL; n -= GEMM_NR, b += panel, c += GEMM_NR)
        gemm_chains_(GEMM_NV, m, k, a, a_row, a_step, b, c, ldc,
                     n < GEMM_NR ? (int)n : GEMM_NR, add);
    if (n > 0)
        gemm_chains_(1, m, k, a, a_row, a_step, b, c, ldc, (int)n, add);
}

/* The multiply-adds that a product executes, as FLOPs: columns are padded to whole vectors. */
static inline int64_t gemm_flops(int64_t m, int64_t n, int64_t k)
{
    const int64_t rest = n % GEMM_NR, columns = n - rest + (rest > VL ? GEMM_NR : rest ? VL : 0);
    return 2 * m * columns * k;
}

/* ---- products ---------------------------------------------------------------------- */

/* C[m][n] = A[m][k] B[k][n], or += with add. */
static inline void gemm(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                        const float *b, int64_t panel, float *c, int64_t ldc, int add)
{
    gemm_panels_(m, n, k, a, lda, 1, b, panel, c, ldc, add);
}

/* The same with A given as its transpose at[k][m]. */
static inline void gemm_t(int64_t m, int64_t n, int64_t k, const float *at, int64_t lda,
                          const float *b, int64_t panel, float *c, int64_t ldc, int add)
{
    gemm_panels_(m, n, k, at, 1, lda, b, panel, c, ldc, add);
}

#endif
