/* SPDX-License-Identifier: Apache-2.0 */
/* Every function of core/simd.h against one line of scalar C, by lane, on numbers that
 * include zeros, infinities, NaN and subnormals. Built once per ISA. */
#include "../../kernels/core/simd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const float sample[] = {
    0.0f, -0.0f, 1.0f, -1.5f, 2.5f, 3.5f, -2.5f, 1e-3f, -7e5f, 0.49999997f, 1e30f, -1e-30f,
    INFINITY, -INFINITY, NAN, 0x1p-149f, 8388607.5f, -4194303.5f, 16777216.0f, 123.456f, -0.1f,
};
enum { SAMPLES = sizeof sample / sizeof *sample };

static int same(float a, float b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

/* Lane i of the k-th vector of samples; `turn` makes second and third operands differ. */
static float pick(int k, int i, int turn)
{
    return sample[(k * 5 + i * (1 + turn) + turn) % SAMPLES];
}

static vf picked(int k, int turn)
{
    float x[VL];
    for (int i = 0; i < VL; i++)
        x[i] = pick(k, i, turn);
    return v_load(x);
}

#define EACH_LANE(vector, scalar)                                      \
    for (int k = 0; k < SAMPLES; k++) {                                \
        const vf A = picked(k, 0), B = picked(k, 1), C = picked(k, 2); \
        float y[VL];                                                   \
        v_store(y, (vector));                                          \
        for (int i = 0; i < VL; i++) {                                 \
            const float a = pick(k, i, 0), b = pick(k, i, 1), c = pick(k, i, 2); \
            assert_true(same(y[i], (scalar)));                         \
            (void)a; (void)b; (void)c;                                 \
        }                                                              \
        (void)A; (void)B; (void)C;                                     \
    }

static void arithmetic(void **state)
{
    (void)state;
    EACH_LANE(v_add(A, B), a + b)
    EACH_LANE(v_sub(A, B), a - b)
    EACH_LANE(v_mul(A, B), a * b)
    EACH_LANE(v_div(A, B), a / b)
    EACH_LANE(v_neg(A), -a)
    EACH_LANE(v_abs(A), fabsf(a))
    EACH_LANE(v_sqrt(v_abs(A)), sqrtf(fabsf(a)))
    EACH_LANE(v_max(A, B), a > b ? a : b)
    EACH_LANE(v_min(A, B), a < b ? a : b)
    EACH_LANE(v_round(A), rintf(a))
    EACH_LANE(v_set1(2.5f), 2.5f)
    EACH_LANE(v_zero(), 0.0f)
}

/* Fused or not, on small integers both are exact. */
static void multiply_add(void **state)
{
    (void)state;
    for (int a = -3; a < 4; a++)
        for (int b = -3; b < 4; b++) {
            const vf A = v_set1((float)a), B = v_set1((float)b), C = v_set1(5);
            float y[VL];
            v_store(y, v_fma(A, B, C));
            assert_true(y[0] == (float)(a * b + 5) && y[VL - 1] == y[0]);
            v_store(y, v_mac(A, B, C));
            assert_true(y[0] == (float)(a * b + 5) && y[VL - 1] == y[0]);
            v_store(y, v_fms(A, B, C));
            assert_true(y[0] == (float)(a * b - 5) && y[VL - 1] == y[0]);
            v_store(y, v_fnma(A, B, C));
            assert_true(y[0] == (float)(5 - a * b) && y[VL - 1] == y[0]);
        }
}

static void compare_and_select(void **state)
{
    (void)state;
    EACH_LANE(v_select(v_lt(A, B), A, C), a < b ? a : c)
    EACH_LANE(v_select(v_le(A, B), A, C), a <= b ? a : c)
    EACH_LANE(v_select(v_eq(A, B), A, C), a == b ? a : c)
    EACH_LANE(v_select(vm_not(v_eq(A, A)), B, C), a != a ? b : c)
    EACH_LANE(v_select(vm_and(v_lt(A, B), v_lt(B, C)), A, C), a < b && b < c ? a : c)
    EACH_LANE(v_select(vm_or(v_lt(A, B), v_lt(B, C)), A, C), a < b || b < c ? a : c)
    for (int n = -1; n <= VL + 1; n++) {
        const int lanes = n < 0 ? 0 : n > VL ? VL : n;
        assert_true(vm_bits(vm_first(n)) == (1u << lanes) - 1);
    }
}

static void scaling(void **state)
{
    (void)state;
    for (int n = -250; n <= 250; n++) {
        float y[VL];
        v_store(y, v_scale2(v_set1(1.25f), v_set1((float)n)));
        assert_true(y[0] == ldexpf(1.25f, n) && y[VL - 1] == y[0]);
        v_store(y, v_scale2_down(v_set1(1.25f), v_set1((float)n)));
        if (n >= -125 && n <= 127)
            assert_true(y[0] == ldexpf(1.25f, n));
        else if (n < -125)
            assert_true(y[0] >= 0 && y[0] <= ldexpf(1.25f, n));
    }
    float y[VL];
    v_store(y, v_scale2_down(v_set1(NAN), v_set1(-INFINITY)));
    assert_true(y[0] == 0);
    v_store(y, v_scale2_down(v_set1(NAN), v_set1(NAN)));
    assert_true(isnan(y[0]));
}

static void across_lanes(void **state)
{
    float x[VL];
    int seen = 0;
    (void)state;
    for (int i = 0; i < VL; i++)
        x[i] = (float)(i * 7 % VL - 3);      /* a permutation */
    for (int i = 0; i < VL; i++)
        seen += (int)x[i];
    assert_true(v_sum(v_load(x)) == (float)seen);
    assert_true(v_top(v_load(x)) == (float)(VL - 4));
}

static void tails_touch_nothing_else(void **state)
{
    (void)state;
    for (int n = 0; n <= VL; n++) {
        float *from = malloc(4 * (size_t)n + 4), to[VL + 1], y[VL];   /* ASan guards the end */
        for (int i = 0; i < n; i++)
            from[i] = (float)(i + 1);
        for (int i = 0; i <= VL; i++)
            to[i] = -1;
        const vf v = v_load_n(from, n);
        v_store(y, v);
        for (int i = 0; i < VL; i++)
            assert_true(y[i] == (i < n ? (float)(i + 1) : 0));
        v_store_n(to, v_set1(9), n);
        for (int i = 0; i <= VL; i++)
            assert_true(to[i] == (i < n ? 9 : -1));
        free(from);
    }
}

static void integers(void **state)
{
    int32_t a[VL], b[VL], y[VL];
    (void)state;
    for (int i = 0; i < VL; i++) {
        a[i] = (int32_t)(2654435761u * (uint32_t)(i + 1));
        b[i] = (int32_t)(0x9e3779b9u * (uint32_t)(i * i + 7));
    }
    const vi A = vi_load(a), B = vi_load(b);
#define EACH_INT(vector, scalar)                                    \
    vi_store(y, (vector));                                          \
    for (int i = 0; i < VL; i++) {                                  \
        const uint32_t p = (uint32_t)a[i], q = (uint32_t)b[i];      \
        assert_true((uint32_t)y[i] == (uint32_t)(scalar));          \
        (void)p; (void)q;                                           \
    }
    EACH_INT(vi_add(A, B), p + q)
    EACH_INT(vi_sub(A, B), p - q)
    EACH_INT(vi_mul(A, B), p * q)
    EACH_INT(vi_and(A, B), p & q)
    EACH_INT(vi_or(A, B), p | q)
    EACH_INT(vi_xor(A, B), p ^ q)
    EACH_INT(vi_shl(A, 5), p << 5)
    EACH_INT(vi_shr(A, 5), p >> 5)
    EACH_INT(vi_iota(), i)
    EACH_INT(vi_set1(-7), -7)
    EACH_INT(vi_select(vi_lt(A, B), A, B), a[i] < b[i] ? p : q)
    EACH_INT(vi_select(vi_eq(A, B), A, vi_set1(0)), p == q ? p : 0)
    EACH_INT(v_to_int(v_from_int(vi_shr(A, 9))), p >> 9)
    EACH_INT(v_to_int(v_set1(2.5f)), 2)
    EACH_INT(v_to_int(v_set1(-3.5f)), -4)
    EACH_INT(v_bits(v_from_bits(A)), p)
}

static uint16_t narrow(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    if (x != x)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void bfloat16(void **state)
{
    (void)state;
    for (uint32_t high = 0; high < 0x10000; high++)
        for (uint32_t low = 0; low < 0x10000; low += 0x3fff) {   /* 0, just below, above a tie */
            const uint32_t bits = high << 16 | (low == 0xfffc ? 0x8000 : low);
            uint16_t y[VL], part[VL + 1];
            float x;
            memcpy(&x, &bits, 4);
            v_store_bf16(y, v_set1(x));
            if (fabsf(x) < 0x1p-126f)
                assert_true(y[0] == narrow(x) || (y[0] & 0x7fff) == 0);
            else
                assert_true(y[0] == narrow(x));
            for (int i = 0; i <= VL; i++)
                part[i] = 0x1234;
            v_store_bf16_n(part, v_set1(x), VL - 1);
            assert_true(part[VL - 2] == y[VL - 2] && part[VL - 1] == 0x1234);
        }
    for (int n = 0; n <= VL; n++) {
        uint16_t *from = malloc(2 * (size_t)n + 2);
        float y[VL];
        for (int i = 0; i < n; i++)
            from[i] = narrow((float)(i + 1));
        v_store(y, v_load_bf16_n(from, n));
        for (int i = 0; i < VL; i++)
            assert_true(y[i] == (i < n ? (float)(i + 1) : 0));
        if (n == VL) {
            v_store(y, v_load_bf16(from));
            assert_true(y[0] == 1 && y[VL - 1] == VL);
        }
        free(from);
    }
}

static void transpose(void **state)
{
    vf r[VL];
    float y[VL];
    (void)state;
    for (int i = 0; i < VL; i++) {
        for (int j = 0; j < VL; j++)
            y[j] = (float)(i * VL + j);
        r[i] = v_load(y);
    }
    v_transpose(r);
    for (int i = 0; i < VL; i++) {
        v_store(y, r[i]);
        for (int j = 0; j < VL; j++)
            assert_true(y[j] == (float)(j * VL + i));
    }
    v_prefetch(NULL);
}

#ifdef SIMD_BF16_DOT
static void bf16_dot(void **state)
{
    float lo[VL], hi[VL], y[VL];
    uint16_t packed[2 * VL];
    (void)state;
    for (int i = 0; i < VL; i++) {
        lo[i] = (float)(i + 1);
        hi[i] = (float)(-2 * i);
    }
    const vi pairs = vi_pack_bf16(v_load(lo), v_load(hi));
    memcpy(packed, &pairs, sizeof packed);
    for (int i = 0; i < VL; i++)
        assert_true(packed[i] == narrow(lo[i]) && packed[VL + i] == narrow(hi[i]));
    v_store(y, v_dot2(v_set1(3), pairs, pairs));
    for (int i = 0; i < VL; i++) {
        const float *of = i < VL / 2 ? lo : hi;
        const float p = of[i * 2 % VL], q = of[i * 2 % VL + 1];
        assert_true(y[i] == 3 + p * p + q * q);
    }
}
#endif

#ifdef ISA_IS_COUNT
static void operations_are_counted(void **state)
{
    const Counts before = counts;
    float y[VL] = { 0 };
    (void)state;
    v_store(y, v_fma(v_load(y), v_set1(1), v_mac(v_set1(1), v_set1(2), v_set1(3))));
    v_store_n(y, v_add(v_load_n(y, 3), v_set1(1)), 1);
    assert_int_equal(counts.matmul_flops - before.matmul_flops, 2 * VL);
    assert_int_equal(counts.other_flops - before.other_flops, 3 * VL);
    assert_int_equal(counts.loaded_bytes - before.loaded_bytes, 4 * VL + 12);
    assert_int_equal(counts.stored_bytes - before.stored_bytes, 4 * VL + 4);
    assert_int_equal(counts.exps - before.exps, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(multiply_add),
        cmocka_unit_test(compare_and_select),
        cmocka_unit_test(scaling),
        cmocka_unit_test(across_lanes),
        cmocka_unit_test(tails_touch_nothing_else),
        cmocka_unit_test(integers),
        cmocka_unit_test(bfloat16),
        cmocka_unit_test(transpose),
#ifdef SIMD_BF16_DOT
        cmocka_unit_test(bf16_dot),
#endif
#ifdef ISA_IS_COUNT
        cmocka_unit_test(operations_are_counted),
#endif
    };
    return cmocka_run_group_tests_name("simd", tests, NULL, NULL);
}
