/* SPDX-License-Identifier: Apache-2.0 */
/* simd.h for AArch64 NEON. */
#include <arm_neon.h>

enum { VL = 4 };
typedef float32x4_t vf;
typedef int32x4_t   vi;
typedef uint32x4_t  vm;                               /* all bits set where true */

static inline vi vi_iota(void) { static const int32_t i[4] = { 0, 1, 2, 3 }; return vld1q_s32(i); }
static inline vi vi_set1(int32_t x) { return vdupq_n_s32(x); }
static inline vm vm_first(int n) { return vcgtq_s32(vi_set1(n), vi_iota()); }

static inline vf v_set1(float x) { return vdupq_n_f32(x); }
static inline vi v_bits(vf x) { return vreinterpretq_s32_f32(x); }
static inline vf v_from_bits(vi i) { return vreinterpretq_f32_s32(i); }

static inline vf   v_load(const float *p)     { return vld1q_f32(p); }
static inline void v_store(float *p, vf v)    { vst1q_f32(p, v); }
static inline vi   vi_load(const int32_t *p)  { return vld1q_s32(p); }
static inline void vi_store(int32_t *p, vi v) { vst1q_s32(p, v); }
static inline vf   v_load_n(const float *p, int n)
{
    float t[4] = { 0 };
    memcpy(t, p, 4 * (size_t)n);
    return vld1q_f32(t);
}
static inline void v_store_n(float *p, vf v, int n)
{
    float t[4];
    vst1q_f32(t, v);
    memcpy(p, t, 4 * (size_t)n);
}

static inline vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf v_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf v_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf v_fma(vf a, vf b, vf c)  { return vfmaq_f32(c, a, b); }
static inline vf v_fms(vf a, vf b, vf c)  { return vfmaq_f32(vnegq_f32(c), a, b); }
static inline vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
static inline vf v_mac(vf a, vf b, vf c)  { return vfmaq_f32(c, a, b); }
static inline vf v_neg(vf x) { return vnegq_f32(x); }
static inline vf v_abs(vf x) { return vabsq_f32(x); }
static inline vf v_sqrt(vf x) { return vsqrtq_f32(x); }

static inline vm v_lt(vf a, vf b)   { return vcltq_f32(a, b); }
static inline vm v_le(vf a, vf b)   { return vcleq_f32(a, b); }
static inline vm v_eq(vf a, vf b)   { return vceqq_f32(a, b); }
static inline vm vi_lt(vi a, vi b)  { return vcltq_s32(a, b); }
static inline vm vi_eq(vi a, vi b)  { return vceqq_s32(a, b); }
static inline vm vm_and(vm a, vm b) { return vandq_u32(a, b); }
static inline vm vm_or(vm a, vm b)  { return vorrq_u32(a, b); }
static inline vm vm_not(vm a)       { return vmvnq_u32(a); }
static inline unsigned vm_bits(vm m)
{
    static const uint32_t weight[4] = { 1, 2, 4, 8 };
    return vaddvq_u32(vandq_u32(m, vld1q_u32(weight)));
}
static inline vf v_select(vm m, vf a, vf b)  { return vbslq_f32(m, a, b); }
static inline vi vi_select(vm m, vi a, vi b) { return vbslq_s32(m, a, b); }
/* Not vmaxq: that one returns NaN if either operand is. */
static inline vf v_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline vf v_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }

static inline vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
static inline vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
static inline vi vi_mul(vi a, vi b) { return vmulq_s32(a, b); }
static inline vi vi_and(vi a, vi b) { return vandq_s32(a, b); }
static inline vi vi_or(vi a, vi b)  { return vorrq_s32(a, b); }
static inline vi vi_xor(vi a, vi b) { return veorq_s32(a, b); }
static inline vi vi_shl(vi a, int n) { return vshlq_s32(a, vi_set1(n)); }
static inline vi vi_shr(vi a, int n)
{
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), vi_set1(-n)));
}

static inline vf v_round(vf x) { return vrndnq_f32(x); }
static inline vi v_to_int(vf x) { return vcvtnq_s32_f32(x); }
static inline vf v_from_int(vi i) { return vcvtq_f32_s32(i); }

/* Two factors, because 2^n alone leaves the range of exponents before x 2^n does. */
static inline vf v_scale2(vf x, vf n)
{
    const vi i = v_to_int(n), half = vshrq_n_s32(i, 1), bias = vi_set1(127);
    const vf a = v_from_bits(vi_shl(vi_add(half, bias), 23));
    const vf b = v_from_bits(vi_shl(vi_add(vi_sub(i, half), bias), 23));
    return v_mul(v_mul(x, a), b);
}
static inline vf v_scale2_down(vf x, vf n)
{
    const vm gone = vcltq_f32(n, v_set1(-125.0f));
    const vi scaled = vi_add(v_bits(x), vi_shl(v_to_int(n), 23));
    return v_from_bits(vbicq_s32(scaled, vreinterpretq_s32_u32(gone)));
}
static inline float v_sum(vf v) { return vaddvq_f32(v); }
static inline float v_top(vf v) { return vmaxvq_f32(v); }

static inline vf v_load_bf16(const uint16_t *p)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}
static inline vf v_load_bf16_n(const uint16_t *p, int n)
{
    uint16_t t[4] = { 0 };
    memcpy(t, p, 2 * (size_t)n);
    return v_load_bf16(t);
}
static inline void v_store_bf16(uint16_t *p, vf v)
{
    const uint32x4_t x = vreinterpretq_u32_f32(v);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(x, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(x, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    const uint32x4_t quiet = vorrq_u32(x, vdupq_n_u32(0x400000));
    vst1_u16(p, vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet), 16));
}
static inline void v_store_bf16_n(uint16_t *p, vf v, int n)
{
    uint16_t t[4];
    v_store_bf16(t, v);
    memcpy(p, t, 2 * (size_t)n);
}

static inline void v_transpose(vf r[VL])
{
    const float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]);
    r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
    r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
    r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
    r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}
static inline void v_prefetch(const void *p) { __builtin_prefetch(p); }
