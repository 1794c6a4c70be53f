/* SPDX-License-Identifier: Apache-2.0 */
#include "blas.h"
#include "count.h"
#include "status.h"

#include <cblas.h>
#include <limits.h>

void blas_threads(int threads)
{
    if (openblas_get_num_threads() != threads) openblas_set_num_threads(threads);
}

static enum CBLAS_TRANSPOSE form(BlasMatrix x) { return x.transposed ? CblasTrans : CblasNoTrans; }

static void count(int64_t m, int64_t n, int64_t k, int reads_c)
{
    counts.matmul_flops += 2 * m * n * k;
    counts.loaded_bytes += (int64_t)sizeof(float) * (m * k + k * n + (reads_c ? m * n : 0));
    counts.stored_bytes += (int64_t)sizeof(float) * m * n;
}

void blas_product(int64_t m, int64_t n, int64_t k, float alpha, BlasMatrix a, BlasMatrix b,
                  float beta, float *c, int64_t stride)
{
    require(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX);
    require(a.stride <= INT_MAX && b.stride <= INT_MAX && stride <= INT_MAX);
    if (m == 0 || n == 0) return;
    count(m, n, k, beta != 0);
    cblas_sgemm(CblasRowMajor, form(a), form(b), (int)m, (int)n, (int)k, alpha,
                a.data, (int)a.stride, b.data, (int)b.stride, beta, c, (int)stride);
}
