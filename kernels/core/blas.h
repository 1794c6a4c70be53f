/* SPDX-License-Identifier: Apache-2.0 */
/* OpenBLAS as the baselines use it: one row-major single-precision product. The only
 * door to cblas.h, so that threads and counting are decided in one place. */
#ifndef BLAS_H
#define BLAS_H

#include <stdint.h>

typedef struct {
    const float *data;
    int64_t      stride;         /* elements between rows in memory */
    int          transposed;     /* the matrix meant is the transpose of the one in memory */
} BlasMatrix;

/* OpenBLAS's own threads from here on. 1 where parallel_for calls blas_product from its
 * bodies. Outside of parallel regions only: the setting belongs to the process. */
void blas_threads(int threads);

/* C[m][n] = alpha A[m][k] B[k][n] + beta C, rows of C `stride` elements apart. beta = 0
 * does not read C; k = 0 gives beta C. Adds 2 m n k to this thread's counts and each
 * operand once to its bytes: what happens inside is the library's own affair. */
void blas_product(int64_t m, int64_t n, int64_t k, float alpha, BlasMatrix a, BlasMatrix b,
                  float beta, float *c, int64_t stride);

#endif
