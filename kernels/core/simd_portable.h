/* SPDX-License-Identifier: Apache-2.0 */
/* simd.h in GCC vector extensions: SSE2, NEON, RVV, WASM or scalar code, as the
 * target has it. Also the body of ISA "count": the count_ calls are empty elsewhere. */
enum { VL = 4 };
typedef float   vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef vi      vm;                                   /* all bits set where true */
typedef uint32_t vu __attribute__((vector_size(16)));    /* for shifts and sums that wrap */

static inline vf v_set1(float x) { return (vf){ x, x, x, x }; }
static inline vi vi_set1(int32_t x) { return (vi){ x, x, x, x }; }
static inline vi v_bits(vf x) { return (vi)x; }
static inline vf v_from_bits(vi i) { return (vf)i; }

static inline vf v_load(const float *p) { vf v; count_load(16); memcpy(&v, p, 16); return v; }
static inline void v_store(float *p, vf v) { count_store(16); memcpy(p, &v, 16); }
static inline vf v_load_n(const float *p, int n)
{
    vf v = { 0 };
    count_load(4 * n);
    memcpy(&v, p, 4 * (size_t)n);
    return v;
}
static inline void v_store_n(float *p, vf v, int n)
{
    count_store(4 * n);
    memcpy(p, &v, 4 * (size_t)n);
}
static inline vi vi_load(const int32_t *p) { vi v; count_load(16); memcpy(&v, p, 16); return v; }
static inline void vi_store(int32_t *p, vi v) { count_store(16); memcpy(p, &v, 16); }

static inline vf v_add(vf a, vf b) { count_flops(VL); return a + b; }
static inline vf v_sub(vf a, vf b) { count_flops(VL); return a - b; }
static inline vf v_mul(vf a, vf b) { count_flops(VL); return a * b; }
static inline vf v_div(vf a, vf b) { count_flops(VL); return a / b; }
static inline vf v_fma(vf a, vf b, vf c)  { count_flops(2 * VL); return a * b + c; }
static inline vf v_fms(vf a, vf b, vf c)  { count_flops(2 * VL); return a * b - c; }
static inline vf v_fnma(vf a, vf b, vf c) { count_flops(2 * VL); return c - a * b; }
static inline vf v_mac(vf a, vf b, vf c)  { count_matmul(2 * VL); return a * b + c; }
static inline vf v_neg(vf x) { return -x; }
static inline vf v_abs(vf x) { return (vf)((vi)x & 0x7fffffff); }
static inline vf v_sqrt(vf x)
{
    count_flops(VL);
    for (int i = 0; i < VL; i++)
        x[i] = __builtin_sqrtf(x[i]);
    return x;
}

static inline vm v_lt(vf a, vf b)   { return a < b; }
static inline vm v_le(vf a, vf b)   { return a <= b; }
static inline vm v_eq(vf a, vf b)   { return a == b; }
static inline vm vi_lt(vi a, vi b)  { return a < b; }
static inline vm vi_eq(vi a, vi b)  { return a == b; }
static inline vm vm_and(vm a, vm b) { return a & b; }
static inline vm vm_or(vm a, vm b)  { return a | b; }
static inline vm vm_not(vm a)       { return ~a; }
static inline vm vm_first(int n)    { return (vi){ 0, 1, 2, 3 } < vi_set1(n); }
static inline unsigned vm_bits(vm m)
{
    const vi bits = m & (vi){ 1, 2, 4, 8 };
    return (unsigned)(bits[0] | bits[1] | bits[2] | bits[3]);
}
static inline vi vi_select(vm m, vi a, vi b) { return (m & a) | (~m & b); }
static inline vf v_select(vm m, vf a, vf b)  { return (vf)vi_select(m, (vi)a, (vi)b); }
static inline vf v_max(vf a, vf b) { count_flops(VL); return v_select(a > b, a, b); }
static inline vf v_min(vf a, vf b) { count_flops(VL); return v_select(a < b, a, b); }

static inline vi vi_iota(void) { return (vi){ 0, 1, 2, 3 }; }
static inline vi vi_add(vi a, vi b) { return (vi)((vu)a + (vu)b); }
static inline vi vi_sub(vi a, vi b) { return (vi)((vu)a - (vu)b); }
static inline vi vi_mul(vi a, vi b) { return (vi)((vu)a * (vu)b); }
static inline vi vi_and(vi a, vi b) { return a & b; }
static inline vi vi_or(vi a, vi b)  { return a | b; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
static inline vi vi_shl(vi a, int n) { return (vi)((vu)a << n); }
static inline vi vi_shr(vi a, int n) { return (vi)((vu)a >> n); }

/* 2^23 pushes the fraction of |x| out of the significand, rounding it on the way. From
 * 2^23 on (and for inf and NaN) there is no fraction, and x stays. */
static inline vf v_round(vf x)
{
    const vf magic = v_set1(8388608.0f);
    const vf rounded = (v_abs(x) + magic) - magic;
    return v_select(v_abs(x) < magic, (vf)((vi)rounded | ((vi)x & INT32_MIN)), x);
}
static inline vf v_from_int(vi i) { return __builtin_convertvector(i, vf); }
static inline vi v_to_int(vf x) { return __builtin_convertvector(v_round(x), vi); }

/* Two factors, because 2^n alone leaves the range of exponents before x 2^n does. */
static inline vf v_scale2(vf x, vf n)
{
    const vi i = v_to_int(n);
    const vi half = i >> 1;
    return x * (vf)vi_shl(half + 127, 23) * (vf)vi_shl(i - half + 127, 23);
}
static inline vf v_scale2_down(vf x, vf n)
{
    const vm gone = n < v_set1(-125.0f);
    const vi up = (vi)((vu)__builtin_convertvector((vf)(~gone & (vi)n), vi) << 23);
    return (vf)(~gone & (vi)((vu)x + (vu)up));
}

static inline float v_sum(vf v)
{
    count_flops(VL - 1);
    return (v[0] + v[2]) + (v[1] + v[3]);
}
static inline float v_top(vf v)
{
    count_flops(VL - 1);
    const float a = v[0] > v[1] ? v[0] : v[1];
    const float b = v[2] > v[3] ? v[2] : v[3];
    return a > b ? a : b;
}

static inline vf v_load_bf16_n(const uint16_t *p, int n)
{
    vi bits = { 0 };
    count_load(2 * n);
    for (int i = 0; i < n; i++)
        bits[i] = (int32_t)((uint32_t)p[i] << 16);
    return (vf)bits;
}
static inline vf v_load_bf16(const uint16_t *p) { return v_load_bf16_n(p, VL); }
static inline void v_store_bf16_n(uint16_t *p, vf v, int n)
{
    const vu x = (vu)v;
    const vu rounded = (x + 0x7fff + ((x >> 16) & 1)) >> 16;
    const vu quiet = (x >> 16) | 0x40;
    const vu bits = (vu)vi_select(v == v, (vi)rounded, (vi)quiet);
    count_store(2 * n);
    for (int i = 0; i < n; i++)
        p[i] = (uint16_t)bits[i];
}
static inline void v_store_bf16(uint16_t *p, vf v) { v_store_bf16_n(p, v, VL); }

static inline void v_transpose(vf r[VL])
{
    for (int i = 0; i < VL; i++)
        for (int j = 0; j < i; j++) {
            const float t = r[i][j];
            r[i][j] = r[j][i];
            r[j][i] = t;
        }
}
static inline void v_prefetch(const void *p) { __builtin_prefetch(p); }
