/* SPDX-License-Identifier: Apache-2.0 */
/* See ceiling.h. The loops do what a kernel would do if it had nothing else to do: enough
 * independent chains to hide the latency of the arithmetic, enough loads to fill the buses. */
#include "ceiling.h"
#include "simd.h"

/* Latency times throughput: 4-cycle FMAs, at most two a cycle, need 8; vdpbf16ps needs 12 on Zen 4;
 * four a cycle on large Arm cores need 16. Without FMA a step is two instructions long, and all
 * registers but the two constants must be chains. */
#if defined(__ARM_NEON) && !defined(ISA_IS_PORTABLE)
enum { CHAINS = 24 };
#elif defined(__FMA__)
enum { CHAINS = 12 };
#else
enum { CHAINS = 14 };
#endif

static int64_t fma_chains(int64_t rounds, float *sink)
{
    volatile float scale = 0.999f, shift = 1e-3f;    /* volatile: not known when compiling */
    const vf x = v_set1(scale), y = v_set1(shift);
    vf a[CHAINS];
    UNROLL for (int i = 0; i < CHAINS; i++) a[i] = v_set1((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        UNROLL for (int i = 0; i < CHAINS; i++) a[i] = v_fma(a[i], x, y);
    }
    vf sum = v_zero();
    UNROLL for (int i = 0; i < CHAINS; i++) sum = v_add(sum, a[i]);
    *sink = v_sum(sum);
    return rounds * CHAINS * VL * 2;
}

#ifdef SIMD_BF16_DOT
static int64_t dot_chains(int64_t rounds, float *sink)
{
    volatile int32_t left = 0x3f003f00, right = 0x30003000;    /* bf16 pairs 0.5, 4.7e-10 */
    const vi x = vi_set1(left), y = vi_set1(right);
    vf a[CHAINS];
    UNROLL for (int i = 0; i < CHAINS; i++) a[i] = v_set1((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        UNROLL for (int i = 0; i < CHAINS; i++) a[i] = v_dot2(a[i], x, y);
    }
    vf sum = v_zero();
    UNROLL for (int i = 0; i < CHAINS; i++) sum = v_add(sum, a[i]);
    *sink = v_sum(sum);
    return rounds * CHAINS * VL * 4;
}
#endif

enum { ACCUMULATORS = 8, STEP_FLOATS = ACCUMULATORS * VL };

/* The hardware's prefetchers stop at page ends; asking 4 KiB ahead bridges that. It only costs
 * where the data lie in the first levels anyway. */
TEMPLATE vi read_all(const float *p, size_t floats, int64_t passes, int prefetch)
{
    vi a[ACCUMULATORS];
    UNROLL for (int j = 0; j < ACCUMULATORS; j++) a[j] = vi_set1(0);
    for (int64_t pass = 0; pass < passes; pass++) {
        for (size_t i = 0; i < floats; i += STEP_FLOATS) {
            UNROLL for (int j = 0; j < ACCUMULATORS; j++)
                a[j] = vi_or(a[j], vi_load((const int32_t *)(p + i) + j * VL));
            for (size_t line = 0; prefetch && line < STEP_FLOATS; line += 16)
                v_prefetch(p + i + 1024 + line);
        }
        __asm__ volatile("" ::: "memory");    /* each pass reads anew */
    }
    UNROLL for (int j = 1; j < ACCUMULATORS; j++) a[0] = vi_or(a[0], a[j]);
    return a[0];
}

enum { PREFETCH_FROM_BYTES = 1 << 20 };

static void read_bytes(const void *from, size_t bytes, int64_t passes, float *sink)
{
    const size_t floats = bytes / sizeof(float);
    const vi all = bytes > PREFETCH_FROM_BYTES ? read_all(from, floats, passes, 1)
                                               : read_all(from, floats, passes, 0);
    int32_t lanes[VL];
    vi_store(lanes, all);
    *sink = (float)lanes[0];
}

static void triad(float *restrict a, const float *restrict b, const float *restrict c, size_t bytes,
                  int64_t passes)
{
    const vf s = v_set1(3.0f);
    for (int64_t pass = 0; pass < passes; pass++) {
        for (size_t i = 0; i < bytes / sizeof(float); i += 4 * VL) {
            UNROLL for (int j = 0; j < 4 * VL; j += VL)
                v_store(a + i + j, v_fma(s, v_load(c + i + j), v_load(b + i + j)));
        }
        __asm__ volatile("" ::: "memory");
    }
}

#define LOOPS JOIN(core_ceiling_, ISA)
extern const CeilingLoops LOOPS;
const CeilingLoops LOOPS = {
    .isa = JOIN(ISA_ID_, ISA), .lanes = VL, .fma = fma_chains,
#ifdef SIMD_BF16_DOT
    .dot = dot_chains,
#endif
    .read = read_bytes, .triad = triad,
};
