/* SPDX-License-Identifier: Apache-2.0 */
/* The mask on the engines of flash_attention/online. The forward pass goes through runs of
 * kept blocks and computes nothing else. The backward pass skips a tile whose blocks are all
 * 0; its tiles lie inside blocks wherever these are large enough for a product; smaller
 * blocks share a tile, which is then computed as soon as one is kept, and masked. */
#include "block_sparse_attention.h"
#include "../core/attention_backward.h"
#include "../core/attention_forward_schedule.h"
#include "../core/problem.h"

#include <stdlib.h>

/* Rows of a tile for blocks of `block` rows: at least `least` where blocks are smaller, at
 * most `most` where they are larger. */
static int64_t fit(int64_t block, int64_t least, int64_t most)
{
    if (block < least) return (least + block - 1) / block * block;
    const int64_t parts = (block + most - 1) / most;
    return (block + parts - 1) / parts;
}

enum {
    ROWS_LEAST = 16, ROWS_MOST = 128, KEYS_LEAST = GEMM_NR, KEYS_MOST = 128
};

static AttentionBlocks blocks_of(const Problem *p, const void *mask)
{
    const int64_t *v = p->value, rows = (v[AT_T] + v[BR] - 1) / v[BR];
    AttentionBlocks k = { .mask = mask, .Br = v[BR], .Bc = v[BC] };
    k.columns = (v[AT_TK] + v[BC] - 1) / v[BC];
    k.head_stride = v[HM] > 1 ? rows * k.columns : 0;
    k.batch_stride = v[BM] > 1 ? v[HM] * rows * k.columns : 0;
    return k;
}

static AttentionForward forward_of(const Problem *p, const Args *args, const AttentionBlocks *mask)
{
    AttentionForward x = {
        .at = attention_of(p, NULL), .blocks = mask, .dtype = p->dtype,
    };
    if (!args) return x;
    x.at = block_sparse_of(p, args);
    x.q = args->x[AT_Q].data;
    x.k = args->x[AT_K].data;
    x.v = args->x[AT_V].data;
    x.o = args->x[AT_O].data;
    x.lse = args->x[AT_LSE].data;
    return x;
}

static AttentionBackward backward_of(const Problem *p, const Args *args,
                                     const AttentionBlocks *mask)
{
    AttentionBackward x = {
        .at = attention_of(p, NULL), .blocks = mask, .dtype = p->dtype,
        .block_q = fit(p->value[BR], ROWS_LEAST, ROWS_MOST),
        .block_k = fit(p->value[BC], KEYS_LEAST, KEYS_MOST),
    };
    if (!args) return x;
    x.at = block_sparse_of(p, args);
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

/* Tiles lie inside the mask's rows, so its shape counts here, before there is a mask. */
static size_t workspace(const Problem *p, int threads)
{
    const AttentionBlocks shape = blocks_of(p, NULL);
    if (p->pass == BWD) {
        const AttentionBackward x = backward_of(p, NULL, &shape);
        return attention_backward_workspace(&x, threads);
    }
    const AttentionForward x = forward_of(p, NULL, &shape);
    return attention_forward_workspace(&x, threads);
}

static Status run(const Problem *p, const Args *args, Ctx *ctx)
{
    const AttentionBlocks mask = blocks_of(p, args->x[BLOCKMASK].data);
    if (p->pass == BWD) {
        const AttentionBackward x = backward_of(p, args, &mask);
        attention_backward(&x, ctx);
    } else {
        const AttentionForward x = forward_of(p, args, &mask);
        attention_forward(&x, ctx);
    }
    return OK;
}

/* ---- what it does, without doing it ------------------------------------------------------ */

/* The mask as the method fills it in; free() it. */
static void *filled_mask(const Problem *p)
{
    Tensor x[PORT_MAX] = { { .data = NULL } };
    require(port_shape(p, BLOCKMASK, &x[BLOCKMASK]));
    x[BLOCKMASK].data = malloc(tensor_bytes(&x[BLOCKMASK]));
    require(x[BLOCKMASK].data);
    p->method->fill(p, &(Args){ .x = x });
    return x[BLOCKMASK].data;
}

/* Lengths of padded problems are data: no formula. */
static void count(const Problem *p, Counts *counted)
{
    if (p->value[AT_KEY_PADDING] || p->value[AT_QUERY_PADDING]) return;
    void *filled = filled_mask(p);
    const AttentionBlocks mask = blocks_of(p, filled);
    const AttentionForward fwd = forward_of(p, NULL, &mask);
    const AttentionBackward bwd = backward_of(p, NULL, &mask);
    if (p->pass == BWD) attention_backward_counts(&bwd, counted);
    else attention_forward_counts(&fwd, counted);
    free(filled);
}

static void tiles(const Problem *p, TileSink *sink)
{
    void *filled = filled_mask(p);
    const AttentionBlocks mask = blocks_of(p, filled);
    const AttentionForward fwd = forward_of(p, NULL, &mask);
    const AttentionBackward bwd = backward_of(p, NULL, &mask);
    if (p->pass == BWD) attention_backward_touch(&bwd, sink);
    else attention_forward_touch(&fwd, sink);
    free(filled);
}

VARIANT = {
    VARIANT_ID, .passes = FWD | BWD, .dtypes = 1u << F32 | 1u << BF16,
    .run = run, .workspace = workspace, .counts = count, .tiles = tiles,
    .note = "tiles of FlashAttention-2's order, skipped where the mask has no block in them",
};
