/* SPDX-License-Identifier: Apache-2.0 */
/* FP8 as FlashAttention-3 does it: one scale a block of rows, and incoherent processing of
 * queries and keys. */
#include "fp8.h"

static Status run(const Problem *p, const Args *args, Ctx *ctx)
{
    return fp8_forward(p, args, ctx, (Fp8){ .by_block = 1, .incoherent = 1 });
}

static const char *refuses(const Problem *p, int threads)
{
    const int64_t D = p->value[AT_D];
    (void)threads;
    if (D & (D - 1)) return "the Hadamard transform wants a D that is a power of two";
    return fp8_refuses(p);
}

VARIANT = {
    VARIANT_ID, .passes = FWD, .dtypes = 1u << F32,
    .run = run, .workspace = fp8_workspace, .refuses = refuses,
    .tolerance = { .f32_fwd = 0.2 },
    .note = "e4m3 with one scale a block of rows, Q and K rotated by random signs and Hadamard",
};
