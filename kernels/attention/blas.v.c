/* SPDX-License-Identifier: Apache-2.0 */
/* Algorithm 0 of the FlashAttention paper: S = scale Q K' for all heads, softmax over it
 * in place, O = P V. In place, so that the baseline holds as little memory as its
 * algorithm allows; all heads at a time, because that is what frameworks do. The mask
 * costs nothing: a row's softmax begins and ends where it sees. */
#include "standard.h"

static void forward(Job *j, const Problem *p, const Args *args)
{
    const int keep = p->value[KEEP_P] != 0, drops = j->a.dropout_percent > 0;
    void *s = keep ? args->x[P].data : take_matrix(p, j->ctx);
    void *dropped = keep && drops ? take_matrix(p, j->ctx) : s;
    j->o = wide_of(j->ctx, &args->x[AT_O]);
    outer(j, j->q, j->k, j->a.scale, s, "matmul_qk");
    each_row(j, softmax_op, s, NULL, s, "softmax");
    if (drops) each_row(j, dropout_op, s, NULL, dropped, "dropout");
    apply(j, dropped, j->v, 1, j->o, "matmul_pv");
    convert(j->ctx, j->o, &args->x[AT_O], 0);
}

static size_t workspace(const Problem *p, int threads)
{
    const int forward_takes = p->value[KEEP_P] ? p->value[AT_DROPOUT] > 0 : 1;
    return standard_bytes(p, threads, p->pass == FWD ? forward_takes : standard_bwd_matrices(p));
}

static Status run(const Problem *p, const Args *args, Ctx *ctx)
{
    Job j = open_job(p, args, ctx);
    if (p->pass == FWD) forward(&j, p, args);
    else standard_backward(&j, p, args);
    return OK;
}

static void count(const Problem *p, Counts *counted) { standard_counts(p, 0, counted); }

static void tiles(const Problem *p, TileSink *sink)
{
    const Touch t = touch_of(p, sink);
    const int drops = p->value[AT_DROPOUT] > 0;
    const int dropped = drops && p->value[KEEP_P] ? TILE_W : TILE_P;
    if (p->pass == BWD) { standard_touch_backward(&t); return; }
    touch_outer(&t, TILE_Q, TILE_K, TILE_P);
    touch_rows(&t, TILE_P, TILE_P, TILE_P);
    if (drops) touch_rows(&t, TILE_P, TILE_P, dropped);
    touch_apply(&t, dropped, TILE_V, TILE_O);
}

VARIANT = {
    VARIANT_ID, .passes = FWD | BWD, .dtypes = 1u << F32 | 1u << BF16,
    .run = run, .workspace = workspace, .counts = count, .tiles = tiles,
    .note = "two OpenBLAS products and a softmax in place over the scores of all heads",
};
