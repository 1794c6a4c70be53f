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

/* Each operation as a function of three operands, by vector and by lane. */
static vf    v_add_(vf a, vf b, vf c) { (void)c; return v_add(a, b); }
static float s_add_(float a, float b, float c) { (void)c; return a + b; }
static vf    v_sub_(vf a, vf b, vf c) { (void)c; return v_sub(a, b); }
static float s_sub_(float a, float b, float c) { (void)c; return a - b; }
static vf    v_mul_(vf a, vf b, vf c) { (void)c; return v_mul(a, b); }
static float s_mul_(float a, float b, float c) { (void)c; return a * b; }
static vf    v_div_(vf a, vf b, vf c) { (void)c; return v_div(a, b); }
static float s_div_(float a, float b, float c) { (void)c; return a / b; }
static vf    v_neg_(vf a, vf b, vf c) { (void)b; (void)c; return v_neg(a); }
static float s_neg_(float a, float b, float c) { (void)b; (void)c; return -a; }
static vf    v_abs_(vf a, vf b, vf c) { (void)b; (void)c; return v_abs(a); }
static float s_abs_(float a, float b, float c) { (void)b; (void)c; return fabsf(a); }
static vf    v_sqrt_(vf a, vf b, vf c) { (void)b; (void)c; return v_sqrt(v_abs(a)); }
static float s_sqrt_(float a, float b, float c) { (void)b; (void)c; return sqrtf(fabsf(a)); }
static vf    v_max_(vf a, vf b, vf c) { (void)c; return v_max(a, b); }
static float s_max_(float a, float b, float c) { (void)c; return a > b ? a : b; }
static vf    v_min_(vf a, vf b, vf c) { (void)c; return v_min(a, b); }
static float s_min_(float a, float b, float c) { (void)c; return a < b ? a : b; }
static vf    v_round_(vf a, vf b, vf c) { (void)b; (void)c; return v_round(a); }
static float s_round_(float a, float b, float c) { (void)b; (void)c; return rintf(a); }
static vf    v_lt_(vf a, vf b, vf c) { return v_select(v_lt(a, b), a, c); }
static float s_lt_(float a, float b, float c) { return a < b ? a : c; }
static vf    v_le_(vf a, vf b, vf c) { return v_select(v_le(a, b), a, c); }
static float s_le_(float a, float b, float c) { return a <= b ? a : c; }
static vf    v_eq_(vf a, vf b, vf c) { return v_select(v_eq(a, b), a, c); }
static float s_eq_(float a, float b, float c) { return a == b ? a : c; }
static vf    v_nan_(vf a, vf b, vf c) { return v_select(vm_not(v_eq(a, a)), b, c); }
static float s_nan_(float a, float b, float c) { return a != a ? b : c; }
static vf    v_both_(vf a, vf b, vf c) { return v_select(vm_and(v_lt(a, b), v_lt(b, c)), a, c); }
static float s_both_(float a, float b, float c) { return a < b && b < c ? a : c; }
static vf    v_either_(vf a, vf b, vf c) { return v_select(vm_or(v_lt(a, b), v_lt(b, c)), a, c); }
static float s_either_(float a, float b, float c) { return a < b || b < c ? a : c; }

static const struct {
    vf    (*vector)(vf a, vf b, vf c);
    float (*scalar)(float a, float b, float c);
} operation[] = {
    { v_add_, s_add_ }, { v_sub_, s_sub_ }, { v_mul_, s_mul_ }, { v_div_, s_div_ },
    { v_neg_, s_neg_ }, { v_abs_, s_abs_ }, { v_sqrt_, s_sqrt_ }, { v_max_, s_max_ },
    { v_min_, s_min_ }, { v_round_, s_round_ }, { v_lt_, s_lt_ }, { v_le_, s_le_ },
    { v_eq_, s_eq_ }, { v_nan_, s_nan_ }, { v_both_, s_both_ }, { v_either_, s_either_ },
};
enum { OPERATIONS = sizeof operation / sizeof *operation };

static void each_lane(int op, int k)
{
    float y[VL];
    v_store(y, operation[op].vector(picked(k, 0), picked(k, 1), picked(k, 2)));
    for (int i = 0; i < VL; i++)
        assert_true(same(y[i], operation[op].scalar(pick(k, i, 0), pick(k, i, 1), pick(k, i, 2))));
}

static void arithmetic(void **state)
{
    (void)state;
    for (int op = 0; op < OPERATIONS; op++)
        for (int k = 0; k < SAMPLES; k++)
            each_lane(op, k);
}

static void constants(void **state)
{
    const float x = 2.5f;
    float y[VL];
    (void)state;
    v_store(y, v_set1(x));
    assert_true(y[0] == x && y[VL - 1] == x);
    v_store(y, v_load1(&x));
    assert_true(y[0] == x && y[VL - 1] == x);
    v_store(y, v_zero());
    assert_true(same(y[0], 0) && same(y[VL - 1], 0));
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

static void first_lanes(void **state)
{
    (void)state;
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

static void expect_int(vi got, const uint32_t want[VL])
{
    int32_t y[VL];
    vi_store(y, got);
    assert_memory_equal(y, want, sizeof y);
}

static void integers(void **state)
{
    enum { ADD, SUB, MUL, AND, OR, XOR, SHL, SHR, IOTA, LESS, EQUAL, EXACT, WAYS };
    uint32_t a[VL], b[VL], want[WAYS][VL];
    (void)state;
    for (int i = 0; i < VL; i++) {
        const uint32_t p = a[i] = 2654435761u * (uint32_t)(i + 1);
        const uint32_t q = b[i] = i == 1 ? a[1] : 0x9e3779b9u * (uint32_t)(i * i + 7);
        const uint32_t by_way[WAYS] = {
            [ADD] = p + q, [SUB] = p - q, [MUL] = p * q, [AND] = p & q, [OR] = p | q,
            [XOR] = p ^ q, [SHL] = p << 5, [SHR] = p >> 5, [IOTA] = (uint32_t)i,
            [LESS] = (int32_t)p < (int32_t)q ? p : q, [EQUAL] = p == q ? p : 0, [EXACT] = p >> 9,
        };
        for (int way = 0; way < WAYS; way++)
            want[way][i] = by_way[way];
    }
    const vi A = vi_load((const int32_t *)a), B = vi_load((const int32_t *)b);
    expect_int(vi_add(A, B), want[ADD]);
    expect_int(vi_sub(A, B), want[SUB]);
    expect_int(vi_mul(A, B), want[MUL]);
    expect_int(vi_and(A, B), want[AND]);
    expect_int(vi_or(A, B), want[OR]);
    expect_int(vi_xor(A, B), want[XOR]);
    expect_int(vi_shl(A, 5), want[SHL]);
    expect_int(vi_shr(A, 5), want[SHR]);
    expect_int(vi_iota(), want[IOTA]);
    expect_int(vi_select(vi_lt(A, B), A, B), want[LESS]);
    expect_int(vi_select(vi_eq(A, B), A, vi_set1(0)), want[EQUAL]);
    expect_int(v_to_int(v_from_int(vi_shr(A, 9))), want[EXACT]);
    expect_int(v_bits(v_from_bits(A)), a);
    assert_int_equal(vm_bits(vi_eq(v_to_int(v_set1(2.5f)), vi_set1(2))), (1u << VL) - 1);
    assert_int_equal(vm_bits(vi_eq(v_to_int(v_set1(-3.5f)), vi_set1(-4))), (1u << VL) - 1);
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
        cmocka_unit_test(constants),
        cmocka_unit_test(multiply_add),
        cmocka_unit_test(first_lanes),
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
