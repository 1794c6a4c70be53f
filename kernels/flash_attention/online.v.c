/* SPDX-License-Identifier: Apache-2.0 */
/* FlashAttention-2's order, the fast one: queries outside forward, keys outside backward,
 * O unnormalised and on chip until a tile of queries is done. The engines are in core,
 * because block-sparse attention runs on them too. */
#include "flash_attention.h"
#include "../core/attention_backward.h"
#include "../core/attention_forward_schedule.h"

static AttentionForward forward_of(const Problem *p, const Args *args)
{
    AttentionForward x = {
        .at = attention_of(p, args), .dtype = p->dtype,
        .block_q = p->value[BLOCK_Q], .block_k = p->value[BLOCK_K],
    };
    if (!args) return x;
    x.q = args->x[AT_Q].data;
    x.k = args->x[AT_K].data;
    x.v = args->x[AT_V].data;
    x.o = args->x[AT_O].data;
    x.lse = args->x[AT_LSE].data;
    return x;
}

static AttentionBackward backward_of(const Problem *p, const Args *args)
{
    AttentionBackward x = {
        .at = attention_of(p, args), .dtype = p->dtype,
        .block_q = p->value[BLOCK_Q], .block_k = p->value[BLOCK_K],
    };
    if (!args) return x;
    x.q = args->x[AT_Q].data;
    x.k = args->x[AT_K].data;
    x.v = args->x[AT_V].data;
    x.o = args->x[AT_O].data;
    x.lse = args->x[AT_LSE].data;
    x.grad_o = args->dx[AT_O].data;
    x.grad_q = args->dx[AT_Q].data;
    x.grad_k = args->dx[AT_K].data;
    x.grad_v = args->dx[AT_V].data;
    return x;
}

static size_t workspace(const Problem *p, int threads)
{
    if (p->pass == BWD) {
        const AttentionBackward x = backward_of(p, NULL);
        return attention_backward_workspace(&x, threads);
    }
    const AttentionForward x = forward_of(p, NULL);
    return attention_forward_workspace(&x, threads);
}

static Status run(const Problem *p, const Args *args, Ctx *ctx)
{
    if (p->pass == BWD) {
        const AttentionBackward x = backward_of(p, args);
        attention_backward(&x, ctx);
    } else {
        const AttentionForward x = forward_of(p, args);
        attention_forward(&x, ctx);
    }
    return OK;
}

/* Lengths of padded problems are data: no formula. */
static void count(const Problem *p, Counts *counted)
{
    if (p->value[AT_KEY_PADDING] || p->value[AT_QUERY_PADDING]) return;
    if (p->pass == BWD) {
        const AttentionBackward x = backward_of(p, NULL);
        attention_backward_counts(&x, counted);
    } else {
        const AttentionForward x = forward_of(p, NULL);
        attention_forward_counts(&x, counted);
    }
}

static void tiles(const Problem *p, TileSink *sink)
{
    if (p->pass == BWD) {
        const AttentionBackward x = backward_of(p, NULL);
        attention_backward_touch(&x, sink);
    } else {
        const AttentionForward x = forward_of(p, NULL);
        attention_forward_touch(&x, sink);
    }
}

VARIANT = {
    VARIANT_ID, .passes = FWD | BWD, .dtypes = 1u << F32 | 1u << BF16,
    .run = run, .workspace = workspace, .counts = count, .tiles = tiles,
    .note = "queries outside, O unnormalised on chip until the end; backward by recomputation",
};
