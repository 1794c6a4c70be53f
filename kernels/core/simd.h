/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of VL floats (or 32-bit integers), the widest that this translation unit
 * may use. Kernels are written once over these functions and compiled once per ISA.
 *
 *   vf  VL floats        vi  VL int32_t        vm  VL truth values
 *
 * Rules. Every operation is a function, never an operator, so that ISA "count" can
 * count it (count.h). A kernel that needs to know more than VL asks for the feature
 * (SIMD_BF16_DOT), never for the ISA. Only `static inline` functions live here: an
 * object compiled with -mavx512f must not leave a shared copy of anything.
 *
 *   v_set1(x)  v_zero()                all lanes x; all lanes 0
 *   v_load(p)  v_store(p, v)           VL floats, any alignment
 *   v_load1(p)                         all lanes *p
 *   v_load_n(p, n)  v_store_n(p, v, n) the first n of them, 0 <= n <= VL; lanes from n
 *                                      on load as 0; memory from n on is not touched
 *   v_load_bf16, v_store_bf16, .._n    VL bfloat16 in memory. Stores round to nearest,
 *                                      ties to even; NaN stays NaN; subnormal results
 *                                      may become 0 (the CPU's own conversion does so)
 *   v_add v_sub v_mul v_div v_sqrt v_neg v_abs
 *   v_fma(a, b, c)                     a b + c; one rounding wherever the ISA has FMA
 *   v_fms(a, b, c)  v_fnma(a, b, c)    a b - c;  c - a b
 *   v_mac(a, b, c)                     v_fma as a step of a matrix product: it counts
 *                                      as one, and is otherwise the same
 *   v_max(a, b)  v_min(a, b)           a > b ? a : b;  a < b ? a : b: where either is
 *                                      NaN the result is b
 *   v_round(x)                         to the nearest integer, ties to even
 *   v_scale2(x, n)                     x 2^n for integral n in [-250, 250]: rounds once,
 *                                      to 0 below the subnormals and to inf above
 *   v_scale2_down(x, n)                the same for x in [0.5, 2) and n <= 127, cheaper:
 *                                      n < -125 may give 0; n = -inf gives 0 even for
 *                                      x NaN; n = NaN gives NaN where x is NaN
 *   v_sum(v)  v_top(v)                 sum of the lanes; largest lane
 *
 *   v_lt v_le v_eq                     compare (false on NaN) -> vm;  vi_lt, vi_eq
 *   v_select(m, a, b)  vi_select       m ? a : b by lane
 *   vm_first(n)                        lanes 0..n-1, any n: none below 1, all from VL on
 *   vm_and vm_or vm_not  vm_bits(m)    bit i of the result: lane i
 *
 *   vi_set1 vi_load vi_store vi_iota   vi_iota() = 0, 1, ..., VL-1
 *   vi_add vi_sub vi_mul               modulo 2^32
 *   vi_and vi_or vi_xor vi_shl vi_shr  vi_shr shifts in zeros
 *   v_to_int(x)  v_from_int(i)         to nearest even (|x| < 2^31);  exact up to 2^24
 *   v_bits(x)  v_from_bits(i)          reinterpretation
 *
 *   v_transpose(r)                     the VL x VL block r[VL], in place
 *   v_prefetch(p)                      asks for the cache line at p; any address is fine
 *
 * With SIMD_BF16_DOT (otherwise not declared):
 *   v_dot2(c, a, b)                    c + a.low b.low + a.high b.high, where each int32
 *                                      lane of a, b holds two bf16. Subnormals count as 0
 *   vi_pack_bf16(lo, hi)               lanes 0..VL-1 of lo, then of hi, as 2 VL bf16
 *   vi_interleave_bf16(packed)         of that: lane i holds lo[i] below hi[i]
 *   vi_store_halves_bf16(lo, hi, packed)   its two halves, VL bf16 each */
#ifndef SIMD_H
#define SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Before a loop of constant length (at most 16) over an array of vectors: unrolled, the
 * array lives in registers; not unrolled, in memory. Not under AddressSanitizer, whose
 * checks make clang take minutes over the unrolled code. */
#if defined(__SANITIZE_ADDRESS__)
#define UNROLL
#elif !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 16")
#elif __has_feature(address_sanitizer)
#define UNROLL
#else
#define UNROLL _Pragma("clang loop unroll(full)")
#endif

/* For the few inner functions that are templates: constant arguments select the code. */
#define TEMPLATE static inline __attribute__((always_inline))

#include "simd_count.h"

#if defined(ISA_IS_PORTABLE) || defined(ISA_IS_COUNT)
#include "simd_portable.h"
#elif defined(__AVX512F__)
#include "simd_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "simd_avx2.h"
#elif defined(__ARM_NEON)
#include "simd_neon.h"
#else
#include "simd_portable.h"
#endif

static inline vf v_load1(const float *p) { count_load(4); return v_set1(*p); }
static inline vf v_zero(void) { return v_set1(0.0f); }

#endif
