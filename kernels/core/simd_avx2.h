/* SPDX-License-Identifier: Apache-2.0 */
/* simd.h for AVX2 with FMA (x86-64-v3). */
#include <immintrin.h>

enum { VL = 8 };
typedef __m256  vf;
typedef __m256i vi;
typedef __m256i vm;                                   /* all bits set where true */
typedef uint32_t vu __attribute__((vector_size(32)));    /* for shifts by a variable count */

static inline vi vi_iota(void) { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
static inline vi vi_set1(int32_t x) { return _mm256_set1_epi32(x); }
static inline vm vm_first(int n) { return _mm256_cmpgt_epi32(vi_set1(n), vi_iota()); }

static inline vf v_set1(float x) { return _mm256_set1_ps(x); }
static inline vi v_bits(vf x) { return _mm256_castps_si256(x); }
static inline vf v_from_bits(vi i) { return _mm256_castsi256_ps(i); }

static inline vf   v_load(const float *p)           { return _mm256_loadu_ps(p); }
static inline void v_store(float *p, vf v)          { _mm256_storeu_ps(p, v); }
static inline vf   v_load_n(const float *p, int n)  { return _mm256_maskload_ps(p, vm_first(n)); }
static inline void v_store_n(float *p, vf v, int n) { _mm256_maskstore_ps(p, vm_first(n), v); }
static inline vi   vi_load(const int32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}
static inline void vi_store(int32_t *p, vi v)       { _mm256_storeu_si256((__m256i *)p, v); }

static inline vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf v_fma(vf a, vf b, vf c)  { return _mm256_fmadd_ps(a, b, c); }
static inline vf v_fms(vf a, vf b, vf c)  { return _mm256_fmsub_ps(a, b, c); }
static inline vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
static inline vf v_mac(vf a, vf b, vf c)  { return _mm256_fmadd_ps(a, b, c); }
static inline vf v_neg(vf x) { return _mm256_xor_ps(x, _mm256_set1_ps(-0.0f)); }
static inline vf v_abs(vf x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
static inline vf v_sqrt(vf x) { return _mm256_sqrt_ps(x); }
static inline vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }

static inline vm v_lt(vf a, vf b)   { return v_bits(_mm256_cmp_ps(a, b, _CMP_LT_OQ)); }
static inline vm v_le(vf a, vf b)   { return v_bits(_mm256_cmp_ps(a, b, _CMP_LE_OQ)); }
static inline vm v_eq(vf a, vf b)   { return v_bits(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)); }
static inline vm vi_lt(vi a, vi b)  { return _mm256_cmpgt_epi32(b, a); }
static inline vm vi_eq(vi a, vi b)  { return _mm256_cmpeq_epi32(a, b); }
static inline vm vm_and(vm a, vm b) { return _mm256_and_si256(a, b); }
static inline vm vm_or(vm a, vm b)  { return _mm256_or_si256(a, b); }
static inline vm vm_not(vm a)       { return _mm256_xor_si256(a, vi_set1(-1)); }
static inline unsigned vm_bits(vm m) { return (unsigned)_mm256_movemask_ps(v_from_bits(m)); }
static inline vf v_select(vm m, vf a, vf b)  { return _mm256_blendv_ps(b, a, v_from_bits(m)); }
static inline vi vi_select(vm m, vi a, vi b) { return _mm256_blendv_epi8(b, a, m); }

static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm256_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_or(vi a, vi b)  { return _mm256_or_si256(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
static inline vi vi_shl(vi a, int n) { return (vi)((vu)a << n); }
static inline vi vi_shr(vi a, int n) { return (vi)((vu)a >> n); }

static inline vf v_round(vf x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vi v_to_int(vf x) { return _mm256_cvtps_epi32(x); }
static inline vf v_from_int(vi i) { return _mm256_cvtepi32_ps(i); }

/* Two factors, because 2^n alone leaves the range of exponents before x 2^n does. */
static inline vf v_scale2(vf x, vf n)
{
    const vi i = v_to_int(n), half = _mm256_srai_epi32(i, 1), bias = vi_set1(127);
    const vf a = v_from_bits(vi_shl(vi_add(half, bias), 23));
    const vf b = v_from_bits(vi_shl(vi_add(vi_sub(i, half), bias), 23));
    return v_mul(v_mul(x, a), b);
}
static inline vf v_scale2_down(vf x, vf n)
{
    const vf gone = _mm256_cmp_ps(n, v_set1(-125.0f), _CMP_LT_OQ);
    const vi scaled = vi_add(v_bits(x), vi_shl(v_to_int(n), 23));
    return _mm256_andnot_ps(gone, v_from_bits(scaled));
}

static inline float v_sum(vf v)
{
    __m128 a = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
}
static inline float v_top(vf v)
{
    __m128 a = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    a = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)));
}

static inline vf v_widen_(__m128i half)
{
    return v_from_bits(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}
static inline vf v_load_bf16(const uint16_t *p)
{
    return v_widen_(_mm_loadu_si128((const __m128i *)p));
}
static inline vf v_load_bf16_n(const uint16_t *p, int n)
{
    __m128i half = _mm_setzero_si128();
    memcpy(&half, p, 2 * (size_t)n);
    return v_widen_(half);
}
static inline __m128i v_narrow_(vf v)
{
    const vi x = v_bits(v);
    const vi odd = vi_and(vi_shr(x, 16), vi_set1(1));
    const vi rounded = vi_shr(vi_add(x, vi_add(odd, vi_set1(0x7fff))), 16);
    const vi quiet = vi_or(vi_shr(x, 16), vi_set1(0x40));
    const vi bits = vi_select(v_eq(v, v), rounded, quiet);
    return _mm_packus_epi32(_mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1));
}
static inline void v_store_bf16(uint16_t *p, vf v) { _mm_storeu_si128((__m128i *)p, v_narrow_(v)); }
static inline void v_store_bf16_n(uint16_t *p, vf v, int n)
{
    const __m128i half = v_narrow_(v);
    memcpy(p, &half, 2 * (size_t)n);
}

/* Pairs of rows, then of pairs, inside each 128-bit lane; then the lanes. */
static inline void v_transpose(vf r[VL])
{
    vf t[VL];
    UNROLL for (int i = 0; i < VL; i += 4) {
        const vf a = _mm256_unpacklo_ps(r[i], r[i + 1]);
        const vf b = _mm256_unpackhi_ps(r[i], r[i + 1]);
        const vf c = _mm256_unpacklo_ps(r[i + 2], r[i + 3]);
        const vf d = _mm256_unpackhi_ps(r[i + 2], r[i + 3]);
        t[i]     = _mm256_shuffle_ps(a, c, 0x44);
        t[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
        t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
        t[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        r[i]     = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
    }
}
static inline void v_prefetch(const void *p) { _mm_prefetch((const char *)p, _MM_HINT_T0); }
