/* SPDX-License-Identifier: Apache-2.0 */
/* VL dot products end as VL vectors of partial sums; this adds up the lanes of all of
 * them at once. It is a transpose that adds on the way: 2 VL - 2 shuffles instead of
 * the VL log2 VL of v_transpose. */
#ifndef VSUMS_H
#define VSUMS_H

#include "simd.h"

#if defined(__AVX512F__) && !defined(ISA_IS_PORTABLE) && !defined(ISA_IS_COUNT)

/* Lanes of the result: v_sum(r[0]), ..., v_sum(r[VL - 1]). Changes r. */
static inline vf v_sums(vf r[VL])
{
    UNROLL for (int i = 0; i < VL; i += 2)           /* a, b: a0+a2 b0+b2 a1+a3 b1+b3, ... */
        r[i] = v_add(_mm512_unpacklo_ps(r[i], r[i + 1]), _mm512_unpackhi_ps(r[i], r[i + 1]));
    UNROLL for (int i = 0; i < VL; i += 4) {         /* four sums in each 128 bits */
        const __m512d a = _mm512_castps_pd(r[i]), b = _mm512_castps_pd(r[i + 2]);
        r[i] = v_add(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)),
                     _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
    }
    UNROLL for (int i = 0; i < VL; i += 8)
        r[i] = v_add(_mm512_shuffle_f32x4(r[i], r[i + 4], 0x44),
                     _mm512_shuffle_f32x4(r[i], r[i + 4], 0xee));
    return v_add(_mm512_shuffle_f32x4(r[0], r[8], 0x88), _mm512_shuffle_f32x4(r[0], r[8], 0xdd));
}

#elif defined(__AVX2__) && defined(__FMA__) && !defined(ISA_IS_PORTABLE) && !defined(ISA_IS_COUNT)

static inline vf v_sums(vf r[VL])
{
    UNROLL for (int i = 0; i < VL; i += 2) r[i] = _mm256_hadd_ps(r[i], r[i + 1]);
    UNROLL for (int i = 0; i < VL; i += 4) r[i] = _mm256_hadd_ps(r[i], r[i + 2]);
    return v_add(_mm256_permute2f128_ps(r[0], r[4], 0x20),
                 _mm256_permute2f128_ps(r[0], r[4], 0x31));
}

#else

static inline vf v_sums(vf r[VL])
{
    v_transpose(r);
    UNROLL for (int i = 1; i < VL; i++) r[0] = v_add(r[0], r[i]);
    return r[0];
}

#endif

#endif
