/* SPDX-License-Identifier: Apache-2.0 */
/* simd.h for AVX-512 (x86-64-v4: F, BW, CD, DQ, VL), with AVX512_BF16 where the
 * build allows it. */
#include <immintrin.h>

enum { VL = 16 };
typedef __m512    vf;
typedef __m512i   vi;
typedef __mmask16 vm;
typedef uint32_t  vu __attribute__((vector_size(64)));   /* for shifts by a variable count */

static inline vm vm_first(int n)
{
    return (vm)(n >= VL ? 0xffffu : n < 1 ? 0u : (1u << n) - 1u);
}
static inline vm v_lanes_(int n) { return (vm)((1u << n) - 1u); }   /* 0 <= n <= VL */

static inline vf v_set1(float x) { return _mm512_set1_ps(x); }
static inline vi vi_set1(int32_t x) { return _mm512_set1_epi32(x); }
static inline vi v_bits(vf x) { return _mm512_castps_si512(x); }
static inline vf v_from_bits(vi i) { return _mm512_castsi512_ps(i); }

static inline vf   v_load(const float *p)           { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, vf v)          { _mm512_storeu_ps(p, v); }
static inline vf   v_load_n(const float *p, int n)
{
    return _mm512_maskz_loadu_ps(v_lanes_(n), p);
}
static inline void v_store_n(float *p, vf v, int n) { _mm512_mask_storeu_ps(p, v_lanes_(n), v); }
static inline vi   vi_load(const int32_t *p)        { return _mm512_loadu_si512(p); }
static inline void vi_store(int32_t *p, vi v)       { _mm512_storeu_si512(p, v); }

static inline vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf v_fma(vf a, vf b, vf c)  { return _mm512_fmadd_ps(a, b, c); }
static inline vf v_fms(vf a, vf b, vf c)  { return _mm512_fmsub_ps(a, b, c); }
static inline vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
static inline vf v_mac(vf a, vf b, vf c)  { return _mm512_fmadd_ps(a, b, c); }
static inline vf v_neg(vf x) { return _mm512_xor_ps(x, _mm512_set1_ps(-0.0f)); }
static inline vf v_abs(vf x) { return _mm512_abs_ps(x); }
static inline vf v_sqrt(vf x) { return _mm512_sqrt_ps(x); }
static inline vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }

static inline vm v_lt(vf a, vf b)   { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm v_le(vf a, vf b)   { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline vm v_eq(vf a, vf b)   { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vm vi_lt(vi a, vi b)  { return _mm512_cmplt_epi32_mask(a, b); }
static inline vm vi_eq(vi a, vi b)  { return _mm512_cmpeq_epi32_mask(a, b); }
static inline vm vm_and(vm a, vm b) { return (vm)(a & b); }
static inline vm vm_or(vm a, vm b)  { return (vm)(a | b); }
static inline vm vm_not(vm a)       { return (vm)~a; }
static inline unsigned vm_bits(vm m) { return m; }
static inline vf v_select(vm m, vf a, vf b)  { return _mm512_mask_blend_ps(m, b, a); }
static inline vi vi_select(vm m, vi a, vi b) { return _mm512_mask_blend_epi32(m, b, a); }

static inline vi vi_iota(void)
{
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_or(vi a, vi b)  { return _mm512_or_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
static inline vi vi_shl(vi a, int n) { return (vi)((vu)a << n); }
static inline vi vi_shr(vi a, int n) { return (vi)((vu)a >> n); }

static inline vf v_round(vf x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vi v_to_int(vf x) { return _mm512_cvtps_epi32(x); }
static inline vf v_from_int(vi i) { return _mm512_cvtepi32_ps(i); }
static inline vf v_scale2(vf x, vf n) { return _mm512_scalef_ps(x, n); }
static inline vf v_scale2_down(vf x, vf n) { return _mm512_scalef_ps(x, n); }
static inline float v_sum(vf v) { return _mm512_reduce_add_ps(v); }
static inline float v_top(vf v) { return _mm512_reduce_max_ps(v); }

static inline vf v_widen_(__m256i half)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}
static inline vf v_load_bf16(const uint16_t *p)
{
    return v_widen_(_mm256_loadu_si256((const __m256i *)p));
}
static inline vf v_load_bf16_n(const uint16_t *p, int n)
{
    return v_widen_(_mm256_maskz_loadu_epi16(v_lanes_(n), p));
}

#ifdef __AVX512BF16__
static inline __m256i v_narrow_(vf v) { return (__m256i)_mm512_cvtneps_pbh(v); }
#else
static inline __m256i v_narrow_(vf v)
{
    const vi x = v_bits(v);
    const vi odd = vi_and(vi_shr(x, 16), vi_set1(1));
    const vi rounded = vi_shr(vi_add(x, vi_add(odd, vi_set1(0x7fff))), 16);
    const vi quiet = vi_or(vi_shr(x, 16), vi_set1(0x40));
    return _mm512_cvtepi32_epi16(vi_select(v_eq(v, v), rounded, quiet));
}
#endif
static inline void v_store_bf16(uint16_t *p, vf v)
{
    _mm256_storeu_si256((__m256i *)p, v_narrow_(v));
}
static inline void v_store_bf16_n(uint16_t *p, vf v, int n)
{
    _mm256_mask_storeu_epi16(p, v_lanes_(n), v_narrow_(v));
}

#ifdef __AVX512BF16__
#define SIMD_BF16_DOT 1
static inline vf v_dot2(vf c, vi a, vi b) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
static inline vi vi_pack_bf16(vf lo, vf hi) { return (vi)_mm512_cvtne2ps_pbh(hi, lo); }
static inline vi vi_interleave_bf16(vi packed)
{
    const vi from = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                     23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(from, packed);
}
static inline void vi_store_halves_bf16(uint16_t *lo, uint16_t *hi, vi packed)
{
    _mm256_storeu_si256((__m256i *)lo, _mm512_castsi512_si256(packed));
    _mm256_storeu_si256((__m256i *)hi, _mm512_extracti64x4_epi64(packed, 1));
}
#endif

/* Pairs of rows, then of pairs, inside each 128-bit lane; then the lanes. */
static inline void v_transpose(vf r[VL])
{
    vf t[VL];
    UNROLL for (int i = 0; i < VL; i += 4) {
        const vf a = _mm512_unpacklo_ps(r[i], r[i + 1]);
        const vf b = _mm512_unpackhi_ps(r[i], r[i + 1]);
        const vf c = _mm512_unpacklo_ps(r[i + 2], r[i + 3]);
        const vf d = _mm512_unpackhi_ps(r[i + 2], r[i + 3]);
        t[i]     = _mm512_shuffle_ps(a, c, 0x44);
        t[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
        t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
        t[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        const vf a = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88);
        const vf b = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88);
        const vf c = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xdd);
        const vf d = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xdd);
        r[i]      = _mm512_shuffle_f32x4(a, b, 0x88);
        r[i + 8]  = _mm512_shuffle_f32x4(a, b, 0xdd);
        r[i + 4]  = _mm512_shuffle_f32x4(c, d, 0x88);
        r[i + 12] = _mm512_shuffle_f32x4(c, d, 0xdd);
    }
}
static inline void v_prefetch(const void *p) { _mm_prefetch((const char *)p, _MM_HINT_T0); }
