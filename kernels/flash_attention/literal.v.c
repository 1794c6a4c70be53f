/* SPDX-License-Identifier: Apache-2.0 */
/* FlashAttention in the loop order of its first paper (arXiv 2205.14135, algorithms 1, 2
 * and 4): keys outside and queries inside, forward too, so that O and its statistics live
 * in slow memory, are read and written again for every block of keys, and O is normalised
 * each time:
 *
 *   for a block of keys j, for a tile of queries i:
 *     S = Q_i K_j', mt = rowmax S, Pt = exp(S - mt), lt = rowsum Pt
 *     m' = max(m, mt), l' = e^(m-m') l + e^(mt-m') lt
 *     O_i = (l e^(m-m') O_i + e^(mt-m') Pt V_j) / l',   m = m', l = l'
 *
 * Products, exponential, mask and default tile sizes are those of online, so the two
 * differ in the order alone. Backward, algorithm 4 has the order that online kept; what
 * is left of it is that dO . O is computed again in every tile (and that its P comes from
 * m and l, for which the saved L = m + ln l stands here). A head is not split further:
 * the paper's parallelism is over heads. */
#include "flash_attention.h"
#include "../core/attention_backward.h"
#include "../core/attention_forward.h"

typedef struct { int64_t bq, bk; } Plan;      /* bk: whole panels */

typedef struct {                              /* what one worker holds */
    float *kt, *v;                            /* one block, packed */
    float *s, *o;                             /* [bq][bk] S, then Pt; [bq][D] Pt V_j */
    float *mt, *lt;                           /* [bq] */
    float *m, *l;                             /* [T] of a whole head */
} Scratch;

typedef struct {
    AttentionForward x;
    Plan             plan;
    Scratch          scratch[THREADS_MAX];
} Forward;

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

static int64_t least(int64_t x, int64_t y) { return x < y ? x : y; }

/* `rows` queries from i0 against up to n keys from j0: those behind what the last row sees
 * are left out, as in online. */
static TileSight place_tile(AttentionTile *t, int64_t rows, int64_t n)
{
    t->rows = rows;
    t->keys = least(n, attention_keys(t->at, t->b, t->i0 + rows - 1).end - t->j0);
    return t->keys > 0 ? tile_sight(t) : TILE_HIDDEN;
}

/* ---- forward ----------------------------------------------------------------------------- */

static Plan forward_plan(const AttentionForward *x)
{
    const Attention *a = &x->at;
    const int64_t bq = x->block_q ? x->block_q : FORWARD_BQ;
    const int64_t bk = x->block_k ? x->block_k : FORWARD_BK;
    return (Plan){ least(bq, a->T), gemm_columns(least(bk, a->Tk)) };
}

/* Takes one worker's memory (ws), or only says how large it is (ws NULL). */
static size_t forward_take(Forward *f, int worker, Workspace *ws)
{
    const int64_t D = f->x.at.D, T = f->x.at.T, bq = f->plan.bq, bk = f->plan.bk;
    Scratch *w = &f->scratch[worker];
    const struct { float **at; int64_t count; } need[] = {
        { &w->kt, D * bk }, { &w->v, bk * gemm_columns(D) }, { &w->s, bq * bk }, { &w->o, bq * D },
        { &w->mt, bq }, { &w->lt, bq }, { &w->m, T }, { &w->l, T },
    };
    size_t total = 0;
    for (size_t i = 0; i < sizeof need / sizeof *need; i++) {
        const size_t bytes = (size_t)need[i].count * sizeof(float);
        total += workspace_round(bytes);
        if (ws) *need[i].at = workspace_take(ws, bytes);
    }
    return total;
}

/* Row r of the tile: S becomes Pt = 2^(c S - c mt); mt and lt. */
TEMPLATE void weigh(const Forward *f, const AttentionTile *at, const Scratch *w, int64_t r,
                    int dropout)
{
    const Attention *a = &f->x.at;
    const int64_t n = gemm_columns(at->keys);
    const float c = (float)(a->scale * 1.4426950408889634), mt = w->mt[r];
    SoftmaxDropout z = { .key = at->j0, .threshold = dropout_threshold(a->dropout_percent) };
    float l[VL] = { 0 };
    if (dropout) z.row = dropout_row(a->seed, at->b * a->H + at->h, at->i0 + r);
    softmax_weigh(w->s + r * f->plan.bk, NULL, n, c, mt > -INFINITY ? c * mt : 0, l, 0,
                  dropout ? &z : NULL);
    w->lt[r] = v_sum(v_load(l));
}

/* Row r of the tile: the block's share joins O, which is normalised before and after. */
static void join(const Forward *f, const AttentionTile *at, const Scratch *w, int64_t r)
{
    const int64_t row = at->i0 + r, D = f->x.at.D;
    const float c = (float)f->x.at.scale, mt = w->mt[r], lt = w->lt[r], m = w->m[row];
    const float kept = (float)dropout_scale(f->x.at.dropout_percent);
    const float top = m > mt ? m : mt;
    if (top == -INFINITY) return;
    const float old = w->l[row] * expf((m - top) * c), new = expf((mt - top) * c);
    const float sum = old + new * lt;
    const vf keep = v_set1(old / sum), add = v_set1(kept * new / sum);
    const float *part = w->o + r * D;
    float *o = (float *)f->x.o + ((at->b * f->x.at.H + at->h) * f->x.at.T + row) * D;
    for (int64_t d = 0; d < D; d += VL) {
        const int n = D - d < VL ? (int)(D - d) : VL;
        const vf before = v_mul(v_load_n(o + d, n), keep);
        v_store_n(o + d, v_fma(v_load_n(part + d, n), add, before), n);
    }
    w->m[row] = top;
    w->l[row] = sum;
}

static void forward_one(const Forward *f, const AttentionTile *at, const Scratch *w,
                        TileSight sight)
{
    const Attention *a = &f->x.at;
    const int64_t D = a->D, bk = f->plan.bk, n = gemm_columns(at->keys);
    const KeyRange block = { at->j0, at->j0 + at->keys };
    const float *q = (const float *)f->x.q + ((at->b * a->H + at->h) * a->T + at->i0) * D;
    gemm(at->rows, at->keys, D, q, D, w->kt, D * GEMM_NR, w->s, bk, 0);
    for (int64_t r = 0; r < at->rows; r++) {
        const KeyRange see = key_range_within(attention_keys(a, at->b, at->i0 + r), block);
        if (sight == TILE_MIXED || at->keys % GEMM_NR) softmax_hide(w->s + r * bk, at->j0, n, see);
        w->mt[r] = softmax_top(w->s + r * bk, n);
        if (a->dropout_percent) weigh(f, at, w, r, 1);
        else weigh(f, at, w, r, 0);
    }
    gemm(at->rows, D, at->keys, w->s, bk, w->v, bk * GEMM_NR, w->o, D, 0);
    for (int64_t r = 0; r < at->rows; r++) join(f, at, w, r);
}

static void forward_head(void *arg, int64_t head, int worker)
{
    Forward *f = arg;
    const Attention *a = &f->x.at;
    const int64_t D = a->D, b = head / a->H, h = head % a->H, live = attention_query_len(a, b);
    const int64_t keys = (b * a->Hkv + attention_key_head(a, h)) * a->Tk;
    const Scratch *w = &f->scratch[worker];
    float *lse = f->x.lse + head * a->T;
    AttentionTile t = { .at = a, .b = b, .h = h };
    memset((float *)f->x.o + head * a->T * D, 0, (size_t)(a->T * D) * sizeof(float));
    for (int64_t i = 0; i < a->T; i++) { w->m[i] = -INFINITY; w->l[i] = 0; }
    for (t.j0 = 0; t.j0 < a->Tk; t.j0 += f->plan.bk) {
        const int64_t at = (keys + t.j0) * D, n = least(a->Tk - t.j0, f->plan.bk);
        gemm_pack_t(D, n, (const float *)f->x.k + at, D, w->kt, D * GEMM_NR);
        gemm_pack(n, D, (const float *)f->x.v + at, D, w->v, f->plan.bk * GEMM_NR);
        for (t.i0 = 0; t.i0 < live; t.i0 += f->plan.bq) {
            const TileSight sight = place_tile(&t, least(live - t.i0, f->plan.bq), n);
            if (sight != TILE_HIDDEN) forward_one(f, &t, w, sight);
        }
    }
    for (int64_t i = 0; i < a->T; i++)
        lse[i] = w->l[i] > 0 ? w->m[i] * (float)a->scale + logf(w->l[i]) : -INFINITY;
}

/* ---- backward: algorithm 4 over the engine of online --------------------------------------- */

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

/* L log2 e and dO . O of the tile's rows, again for each block of keys. */
static void tile_statistics(const AttentionBackward *x, const BackwardTile *t, int64_t row)
{
    const int64_t D = x->at.D;
    for (int64_t r = 0; r < t->tile.rows; r++) {
        const float *o = (const float *)x->o + (row + r) * D;
        const float *grad_o = (const float *)x->grad_o + (row + r) * D;
        vf sum = v_zero();
        for (int64_t d = 0; d < D; d += VL) {
            const int n = D - d < VL ? (int)(D - d) : VL;
            sum = v_fma(v_load_n(o + d, n), v_load_n(grad_o + d, n), sum);
        }
        t->w->delta[r] = v_sum(sum);
        t->w->lse2[r] = x->lse[row + r] * 1.44269504f;
    }
}

static void backward_queries(const BackwardJob *job, BackwardTile *t)
{
    const AttentionBackward *x = job->x;
    const int64_t live = attention_query_len(&x->at, t->tile.b), D = x->at.D;
    for (t->tile.i0 = 0; t->tile.i0 < live; t->tile.i0 += job->plan.bq) {
        const int64_t row = t->head * x->at.T + t->tile.i0, left = live - t->tile.i0;
        t->tile.rows = left < job->plan.bq ? left : job->plan.bq;
        const TileSight sight = tile_sight(&t->tile);
        if (sight == TILE_HIDDEN) continue;
        tile_statistics(x, t, row);
        t->lse2 = t->w->lse2;
        t->delta = t->w->delta;
        t->q = (const float *)x->q + row * D;
        t->grad_o = (const float *)x->grad_o + row * D;
        t->sum_q = (float *)x->grad_q + row * D;
        backward_tile_(t, sight);
    }
}

static void backward_key_head(void *arg, int64_t key_head, int worker)
{
    const BackwardJob *job = arg;
    const AttentionBackward *x = job->x;
    const Attention *a = &x->at;
    const BackwardScratch *w = &job->scratch[worker];
    const int64_t b = key_head / a->Hkv, group = job->plan.group, D = a->D;
    const int64_t h0 = key_head % a->Hkv * group, first = (b * a->H + h0) * a->T * D;
    BackwardTile t = { .x = x, .plan = &job->plan, .w = w };
    t.tile = (AttentionTile){ .at = a, .b = b };
    memset((float *)x->grad_q + first, 0, (size_t)(group * a->T * D) * sizeof(float));
    for (t.tile.j0 = 0; t.tile.j0 < a->Tk; t.tile.j0 += job->plan.bk) {
        const int64_t left = a->Tk - t.tile.j0, at = (key_head * a->Tk + t.tile.j0) * D;
        t.tile.keys = left < job->plan.bk ? left : job->plan.bk;
        backward_pack_keys_(job, w, key_head, t.tile.j0, t.tile.keys);
        memset(w->dk, 0, (size_t)(t.tile.keys * D) * sizeof *w->dk);
        memset(w->dv, 0, (size_t)(t.tile.keys * D) * sizeof *w->dv);
        for (int64_t g = 0; g < group; g++) {
            t.tile.h = h0 + g;
            t.head = b * a->H + t.tile.h;
            backward_queries(job, &t);
        }
        backward_store_((float *)x->grad_k + at, w->dk, t.tile.keys * D, (float)a->scale, F32);
        backward_store_((float *)x->grad_v + at, w->dv, t.tile.keys * D, 1, F32);
    }
    backward_store_((float *)x->grad_q + first, (float *)x->grad_q + first, group * a->T * D,
                    (float)a->scale, F32);
}

/* ---- the variant ---------------------------------------------------------------------------- */

static size_t workspace(const Problem *p, int threads)
{
    if (p->pass == BWD) {
        const AttentionBackward x = backward_of(p, NULL);
        const BackwardPlan plan = backward_plan_(&x, 1);
        BackwardScratch unused;
        return (size_t)threads * backward_scratch_(&x, &plan, NULL, &unused);
    }
    Forward f = { .x = forward_of(p, NULL) };
    f.plan = forward_plan(&f.x);
    return (size_t)threads * forward_take(&f, 0, NULL);
}

static Status run(const Problem *p, const Args *args, Ctx *ctx)
{
    if (p->pass == BWD) {
        const AttentionBackward x = backward_of(p, args);
        BackwardScratch scratch[THREADS_MAX];
        BackwardJob job = { .x = &x, .plan = backward_plan_(&x, 1), .scratch = scratch };
        for (int i = 0; i < ctx->threads; i++)
            backward_scratch_(&x, &job.plan, ctx->ws, &scratch[i]);
        parallel_for(ctx->team, x.at.B * x.at.Hkv, backward_key_head, &job);
        return OK;
    }
    Forward f = { .x = forward_of(p, args) };
    f.plan = forward_plan(&f.x);
    for (int i = 0; i < ctx->threads; i++) forward_take(&f, i, ctx->ws);
    parallel_for(ctx->team, f.x.at.B * f.x.at.H, forward_head, &f);
    return OK;
}

/* ---- what it does, without doing it --------------------------------------------------------- */

enum {
    TILE_Q, TILE_K, TILE_V, TILE_O, TILE_SUMS, TILE_LSE, TILE_KT, TILE_VP, TILE_S, TILE_PART,
    TILE_DO, TILE_DQ, TILE_DK, TILE_DV, TILE_DP, TILE_PACKED_Q
};

typedef struct { TileSink *sink; int64_t D, bq, bk; } Touch;

/* `rows` rows of `width` floats from row `first` on. */
static void touch(const Touch *t, int tensor, int64_t first, int64_t rows, int64_t width,
                  int writes)
{
    t->sink->touch(t->sink, tensor, first * width * 4, rows * width * 4, writes);
}

static void touch_forward_tile(const Touch *t, int64_t i, int64_t rows, int64_t keys)
{
    touch(t, TILE_Q, i, rows, t->D, 0);
    touch(t, TILE_KT, 0, keys, t->D, 0);
    touch(t, TILE_S, 0, rows, keys, 1);
    touch(t, TILE_S, 0, rows, keys, 0);
    touch(t, TILE_VP, 0, keys, t->D, 0);
    touch(t, TILE_PART, 0, rows, t->D, 1);
    touch(t, TILE_O, i, rows, t->D, 0);
    touch(t, TILE_O, i, rows, t->D, 1);
    touch(t, TILE_SUMS, i, rows, 2, 0);
    touch(t, TILE_SUMS, i, rows, 2, 1);
}

static void touch_backward_tile(const Touch *t, int64_t i, int64_t rows, int64_t keys)
{
    touch(t, TILE_O, i, rows, t->D, 0);
    touch(t, TILE_DO, i, rows, t->D, 0);
    touch(t, TILE_LSE, i, rows, 1, 0);
    touch(t, TILE_Q, i, rows, t->D, 0);
    touch(t, TILE_PACKED_Q, 0, 2 * rows, t->D, 1);
    touch(t, TILE_KT, 0, 2 * keys, t->D, 0);
    touch(t, TILE_S, 0, rows, keys, 1);
    touch(t, TILE_DP, 0, rows, keys, 1);
    touch(t, TILE_PACKED_Q, 0, 2 * rows, t->D, 0);
    touch(t, TILE_PART, 0, 2 * keys, t->D, 1);
    touch(t, TILE_VP, 0, keys, t->D, 0);
    touch(t, TILE_DQ, i, rows, t->D, 0);
    touch(t, TILE_DQ, i, rows, t->D, 1);
}

static void touch_forward(const Touch *t, AttentionTile *at)
{
    const Attention *a = at->at;
    touch(t, TILE_O, 0, a->T, a->D, 1);
    touch(t, TILE_SUMS, 0, a->T, 2, 1);
    for (at->j0 = 0; at->j0 < a->Tk; at->j0 += t->bk) {
        const int64_t n = least(a->Tk - at->j0, t->bk);
        touch(t, TILE_K, at->j0, n, a->D, 0);
        touch(t, TILE_V, at->j0, n, a->D, 0);
        touch(t, TILE_KT, 0, n, a->D, 1);
        touch(t, TILE_VP, 0, n, a->D, 1);
        for (at->i0 = 0; at->i0 < a->T; at->i0 += t->bq)
            if (place_tile(at, least(a->T - at->i0, t->bq), n) != TILE_HIDDEN)
                touch_forward_tile(t, at->i0, at->rows, at->keys);
    }
    touch(t, TILE_LSE, 0, a->T, 1, 1);
}

static void touch_backward(const Touch *t, AttentionTile *at)
{
    const Attention *a = at->at;
    touch(t, TILE_DQ, 0, a->T, a->D, 1);
    for (at->j0 = 0; at->j0 < a->Tk; at->j0 += t->bk) {
        at->keys = least(a->Tk - at->j0, t->bk);
        touch(t, TILE_K, at->j0, at->keys, a->D, 0);
        touch(t, TILE_V, at->j0, at->keys, a->D, 0);
        touch(t, TILE_KT, 0, 2 * at->keys, a->D, 1);
        touch(t, TILE_VP, 0, at->keys, a->D, 1);
        touch(t, TILE_PART, 0, 2 * at->keys, a->D, 1);
        for (at->i0 = 0; at->i0 < a->T; at->i0 += t->bq) {
            at->rows = least(a->T - at->i0, t->bq);
            if (tile_sight(at) != TILE_HIDDEN) touch_backward_tile(t, at->i0, at->rows, at->keys);
        }
        touch(t, TILE_DK, at->j0, at->keys, a->D, 1);
        touch(t, TILE_DV, at->j0, at->keys, a->D, 1);
    }
    touch(t, TILE_DQ, 0, a->T, a->D, 1);
}

/* One head. */
static void tiles(const Problem *p, TileSink *sink)
{
    const Attention a = attention_of(p, NULL);
    AttentionTile at = { .at = &a };
    if (p->pass == BWD) {
        const AttentionBackward x = backward_of(p, NULL);
        const BackwardPlan plan = backward_plan_(&x, 1);
        touch_backward(&(Touch){ sink, a.D, plan.bq, plan.bk }, &at);
    } else {
        const AttentionForward x = forward_of(p, NULL);
        const Plan plan = forward_plan(&x);
        touch_forward(&(Touch){ sink, a.D, plan.bq, plan.bk }, &at);
    }
}

static int64_t forward_flops(const Plan *plan, AttentionTile *at)
{
    const Attention *a = at->at;
    int64_t flops = 0;
    for (at->j0 = 0; at->j0 < a->Tk; at->j0 += plan->bk)
        for (at->i0 = 0; at->i0 < a->T; at->i0 += plan->bq) {
            const int64_t n = least(a->Tk - at->j0, plan->bk);
            if (place_tile(at, least(a->T - at->i0, plan->bq), n) == TILE_HIDDEN) continue;
            flops += gemm_flops(at->rows, at->keys, a->D) + gemm_flops(at->rows, a->D, at->keys);
        }
    return flops;
}

/* Products. Lengths of padded problems are data: no formula. */
static void count(const Problem *p, Counts *counted)
{
    const Attention a = attention_of(p, NULL);
    const AttentionForward fwd = forward_of(p, NULL);
    const AttentionBackward bwd = backward_of(p, NULL);
    const Plan plan = forward_plan(&fwd);
    if (p->value[AT_KEY_PADDING] || p->value[AT_QUERY_PADDING]) return;
    if (p->pass == BWD) attention_backward_counts(&bwd, counted);
    else counted->matmul_flops += a.B * a.H * forward_flops(&plan, &(AttentionTile){ .at = &a });
}

VARIANT = {
    VARIANT_ID, .passes = FWD | BWD, .dtypes = 1u << F32,
    .run = run, .workspace = workspace, .counts = count, .tiles = tiles,
    .note = "FlashAttention-1's order: keys outside, O read, normalised and written each time",
};
