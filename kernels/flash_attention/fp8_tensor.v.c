/* SPDX-License-Identifier: Apache-2.0 */
/* FP8 with one scale a tensor: the baseline of FlashAttention-3's accuracy table. */
#include "fp8.h"

static Status run(const Problem *p, const Args *args, Ctx *ctx)
{
    return fp8_forward(p, args, ctx, (Fp8){ .by_block = 0, .incoherent = 0 });
}

static const char *refuses(const Problem *p, int threads)
{
    (void)threads;
    return fp8_refuses(p);
}

VARIANT = {
    VARIANT_ID, .passes = FWD, .dtypes = 1u << F32,
    .run = run, .workspace = fp8_workspace, .refuses = refuses,
    .tolerance = { .f32_fwd = 0.5 },
    .note = "accuracy experiment: Q, K, V, P in e4m3, one scale for each tensor",
};
