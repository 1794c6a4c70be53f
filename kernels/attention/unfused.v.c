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

static int masks(const Attention *a)
{
    return a->left >= 0 || a->right >= 0 || a->key_len || a->query_len;
}

static void forward(Job *j, const Problem *p, const Args *args)
{
    void *from = take_matrix(p, j->ctx), *to = take_matrix(p, j->ctx);
    void *prob = p->value[KEEP_P] ? args->x[P].data : NULL;
    j->o = wide_of(j->ctx, &args->x[AT_O]);
    outer(j, j->q, j->k, j->a.scale, from, "matmul_qk");
    if (masks(&j->a)) {
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

VARIANT = {
    VARIANT_ID, .passes = FWD | BWD, .dtypes = 1u << F32 | 1u << BF16,
    .run = run, .workspace = workspace,
    .note = "mask, softmax and dropout as passes of their own from matrix to matrix, timed apart",
};
