/* SPDX-License-Identifier: Apache-2.0 */
/* core/gemm.h and gemm_bf16.h against a triple loop in double: every tail of m, n and
 * k, all layouts, with guards around C and sources that end where their malloc ends (so
 * that AddressSanitizer sees one element too many). Small integers make every product
 * exact, whatever the order of the sums. Built once per ISA. */
#include "../../kernels/core/gemm_bf16.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { GUARD = 3 };

typedef struct {
    int64_t m, n, k, panel;
    float  *a, *at, *b, *bt;       /* A, A', B, B', tightly packed */
    float  *packed;                /* gemm_columns(n) / GEMM_NR panels */
    float  *c;                     /* m rows of n + GUARD */
} Product;

static void *take(int64_t bytes)
{
    void *p = aligned_alloc(64, ((size_t)bytes + 64) / 64 * 64);
    assert_non_null(p);
    return p;
}

static float *transposed(int64_t rows, int64_t columns, const float *x)
{
    float *y = malloc((size_t)(rows * columns) * 4 + 1);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            y[j * rows + i] = x[i * columns + j];
    return y;
}

static float *integers(int64_t count, int step)
{
    float *x = malloc((size_t)count * 4 + 1);
    for (int64_t i = 0; i < count; i++)
        x[i] = (float)((i * step + i / 7) % 9 - 4);
    return x;
}

static Product product_open(int64_t m, int64_t n, int64_t k)
{
    Product p = { .m = m, .n = n, .k = k, .panel = k * GEMM_NR + 2 * VL };
    p.a = integers(m * k, 5);
    p.b = integers(k * n, 7);
    p.at = transposed(m, k, p.a);
    p.bt = transposed(k, n, p.b);
    p.packed = take(gemm_columns(n) / GEMM_NR * p.panel * 4);
    p.c = take(m * (n + GUARD) * 4);
    for (int64_t i = 0; i < m * (n + GUARD); i++)
        p.c[i] = 10;
    return p;
}

static void product_close(Product *p)
{
    free(p->a), free(p->at), free(p->b), free(p->bt), free(p->packed), free(p->c);
}

/* C = start + factor A B inside, 10 in the guards. */
static void product_check(const Product *p, double start, double factor)
{
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n + GUARD; j++) {
            double want = start;
            for (int64_t s = 0; j < p->n && s < p->k; s++)
                want += factor * p->a[i * p->k + s] * p->b[s * p->n + j];
            assert_true(p->c[i * (p->n + GUARD) + j] == (float)(j < p->n ? want : 10));
        }
}

static const int64_t sizes[] = {
    1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 17, 23, 31, 32, 33, 47, 64, 65,
};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void each_size(void (*test)(int64_t m, int64_t n, int64_t k))
{
    for (int i = 0; i < SIZES; i++)
        for (int j = 0; j < SIZES; j++) {
            test(sizes[i], sizes[j], sizes[(i * 3 + j * 5) % SIZES]);
            test(sizes[i], sizes[(i + j) % SIZES], sizes[j]);
        }
}

static void f32_one(int64_t m, int64_t n, int64_t k)
{
    Product p = product_open(m, n, k);
    gemm_pack(k, n, p.b, n, p.packed, p.panel);
    gemm(m, n, k, p.a, k, p.packed, p.panel, p.c, n + GUARD, 0);
    product_check(&p, 0, 1);
    gemm_t(m, n, k, p.at, m, p.packed, p.panel, p.c, n + GUARD, 1);
    product_check(&p, 0, 2);
    memset(p.packed, 0xff, (size_t)(gemm_columns(n) / GEMM_NR * p.panel) * 4);
    gemm_pack_t(k, n, p.bt, k, p.packed, p.panel);
    gemm(m, n, k, p.a, k, p.packed, p.panel, p.c, n + GUARD, 1);
    product_check(&p, 0, 3);
    gemm_t(m, n, k, p.at, m, p.packed, p.panel, p.c, n + GUARD, 0);
    product_check(&p, 0, 1);
    product_close(&p);
}

static void f32_products(void **state)
{
    (void)state;
    each_size(f32_one);
}

static uint16_t *narrowed(int64_t count, const float *x)
{
    uint16_t *y = malloc((size_t)count * 2 + 1);
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, 4);
        y[i] = (uint16_t)(bits >> 16);
    }
    return y;
}

static void widened_one(int64_t m, int64_t n, int64_t k)
{
    Product p = product_open(m, n, k);
    uint16_t *b = narrowed(k * n, p.b), *bt = narrowed(k * n, p.bt);
    gemm_pack_widen(k, n, b, n, p.packed, p.panel);
    gemm(m, n, k, p.a, k, p.packed, p.panel, p.c, n + GUARD, 0);
    product_check(&p, 0, 1);
    gemm_pack_widen_t(k, n, bt, k, p.packed, p.panel);
    gemm(m, n, k, p.a, k, p.packed, p.panel, p.c, n + GUARD, 1);
    product_check(&p, 0, 2);
    free(b), free(bt);
    product_close(&p);
}

static void widened_products(void **state)
{
    (void)state;
    each_size(widened_one);
}

/* With an empty k, C = A B clears and C += A B keeps. */
static void empty_k(void **state)
{
    Product p = product_open(5, 7, 1);
    (void)state;
    p.k = 0;
    gemm(5, 7, 0, p.a, 1, p.packed, p.panel, p.c, 7 + GUARD, 1);
    product_check(&p, 10, 1);
    gemm(5, 7, 0, p.a, 1, p.packed, p.panel, p.c, 7 + GUARD, 0);
    product_check(&p, 0, 1);
    gemm(0, 7, 1, p.a, 1, p.packed, p.panel, p.c, 7, 0);
    gemm(5, 0, 1, p.a, 1, p.packed, p.panel, p.c, 7, 0);
    product_close(&p);
}

#ifdef SIMD_BF16_DOT
static void bf16_one(int64_t m, int64_t n, int64_t k)
{
    Product p = product_open(m, n, k);
    uint16_t *a = narrowed(m * k, p.a), *at = narrowed(m * k, p.at);
    uint16_t *b = narrowed(k * n, p.b), *bt = narrowed(k * n, p.bt);
    int32_t *packed = (int32_t *)(void *)p.packed, *pairs = malloc((size_t)((k + 1) / 2 * m) * 4);
    gemm_bf16_pack(k, n, b, n, packed, p.panel);
    gemm_bf16(m, n, k, a, k, packed, p.panel, p.c, n + GUARD, 0);
    product_check(&p, 0, 1);
    memset(packed, 0xff, (size_t)(gemm_columns(n) / GEMM_NR * p.panel) * 4);
    gemm_bf16_pack_t(k, n, bt, k, packed, p.panel);
    gemm_bf16(m, n, k, a, k, packed, p.panel, p.c, n + GUARD, 1);
    product_check(&p, 0, 2);
    gemm_bf16_pair(k, m, at, m, pairs, m);
    gemm_bf16_t(m, n, k, pairs, m, packed, p.panel, p.c, n + GUARD, 1);
    product_check(&p, 0, 3);
    free(a), free(at), free(b), free(bt), free(pairs);
    product_close(&p);
}

static void bf16_products(void **state)
{
    (void)state;
    each_size(bf16_one);
}
#endif

#ifdef ISA_IS_COUNT
/* Padding of n counts, of m and k there is none. */
static void executed_work_is_counted(void **state)
{
    Product p = product_open(5, VL + 1, 3);
    (void)state;
    gemm_pack(3, VL + 1, p.b, VL + 1, p.packed, p.panel);
    const Counts before = counts;
    gemm(5, VL + 1, 3, p.a, 3, p.packed, p.panel, p.c, VL + 1 + GUARD, 0);
    assert_int_equal(counts.matmul_flops - before.matmul_flops, 2 * 5 * (2 * VL) * 3);
    assert_int_equal(counts.other_flops - before.other_flops, 0);
    assert_int_equal(counts.stored_bytes - before.stored_bytes, 4 * 5 * (VL + 1));
    product_close(&p);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_products),
        cmocka_unit_test(widened_products),
        cmocka_unit_test(empty_k),
#ifdef SIMD_BF16_DOT
        cmocka_unit_test(bf16_products),
#endif
#ifdef ISA_IS_COUNT
        cmocka_unit_test(executed_work_is_counted),
#endif
    };
    return cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
}
