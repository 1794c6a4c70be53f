/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline of the paper's Figure 1: product, mask, softmax, dropout, product, each a
 * pass of its own from one matrix of scores to another, as a framework runs it without a
 * compiler that fuses. Each pass ends with ctx_lap, so that their times can be told apart. */
#include "standard.h"

/* Hidden scores become -inf. */
static void mask_op(const Job *j, const RowAt *at, const float *in, const float *other, float *out)
{
    const int64_t first = at->see.first, end = at->see.end;
    (void)other;
    for (int64_t i = 0; i < j->a.Tk; i++) out[i] = i >= first && i < end ? in[i] : -INFINITY;
}

/* Over the whole row: hidden scores get the weight exp(-inf). */
static void whole_softmax_op(const Job *j, const RowAt *at, const float *in, const float *other,
                             float *out)
{
    (void)other;
    j->lse[at->flat] = row_softmax(out, in, j->a.Tk);
}

static int masks(const Problem *p)
{
    const int64_t *v = p->value;
    return v[AT_CAUSAL] || v[AT_LEFT] >= 0 || v[AT_RIGHT] >= 0 || v[AT_KEY_PADDING] ||
           v[AT_QUERY_PADDING];
}

static void forward(Job *j, const Problem *p, const Args *args)
{
    void *from = take_matrix(p, j->ctx), *to = take_matrix(p, j->ctx);
    void *prob = p->value[KEEP_P] ? args->x[P].data : NULL;
    j->o = wide_of(j->ctx, &args->x[AT_O]);
    outer(j, j->q, j->k, j->a.scale, from, "matmul_qk");
    if (masks(p)) {
        each_row(j, mask_op, from, NULL, to, "mask");
        void *swap = from; from = to; to = swap;
    }
    if (!prob) prob = to;
    each_row(j, whole_softmax_op, from, NULL, prob, "softmax");
    if (j->a.dropout_percent) {
        each_row(j, dropout_op, prob, NULL, from, "dropout");
        prob = from;
    }
    apply(j, prob, j->v, 1, j->o, "matmul_pv");
    convert(j->ctx, j->o, &args->x[AT_O], 0);
}

static size_t workspace(const Problem *p, int threads)
{
    return standard_bytes(p, threads, p->pass == FWD ? 2 : standard_bwd_matrices(p));
}

static Status run(const Problem *p, const Args *args, Ctx *ctx)
{
    Job j = open_job(p, args, ctx);
    if (p->pass == FWD) forward(&j, p, args);
    else standard_backward(&j, p, args);
    return OK;
}

static void count(const Problem *p, Counts *counted)
{
    standard_counts(p, ceil_div(p->value[AT_TK], VL) * VL, counted);
}

enum { TILE_FROM = TILE_DV + 1, TILE_TO };

static void tiles(const Problem *p, TileSink *sink)
{
    const Touch t = touch_of(p, sink);
    int from = TILE_FROM, prob = TILE_TO;
    if (p->pass == BWD) { standard_touch_backward(&t); return; }
    touch_outer(&t, TILE_Q, TILE_K, from);
    if (masks(p)) {
        touch_rows(&t, TILE_FROM, TILE_FROM, TILE_TO);
        from = TILE_TO;
        prob = TILE_FROM;
    }
    if (p->value[KEEP_P]) prob = TILE_P;
    touch_rows(&t, from, from, prob);
    if (p->value[AT_DROPOUT]) {
        touch_rows(&t, prob, prob, from);
        prob = from;
    }
    touch_apply(&t, prob, TILE_V, TILE_O);
}

VARIANT = {
    VARIANT_ID, .passes = FWD | BWD, .dtypes = 1u << F32 | 1u << BF16,
    .run = run, .workspace = workspace, .counts = count, .tiles = tiles,
    .note = "mask, softmax and dropout as passes of their own from matrix to matrix, timed apart",
};
