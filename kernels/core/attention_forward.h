/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax attention forward in FlashAttention-2's order (Dao, arXiv 2307.08691,
 * algorithm 1): queries outside, keys inside, O unnormalised until the end, only
 * L = m + ln l saved.
 *
 *   for a tile of queries, for each tile of keys that it sees:
 *     S = Q K'                      (core/gemm.h; K' and V are packed once a key head)
 *     m' = max(m, rowmax S)         where it rises: O and l times 2^(c m - c m')
 *     P = 2^(c S - c m'), l += rowsum P                         c = scale log2 e
 *     O += (P o Z) V
 *   O / l, L = (c m + log2 l) ln 2
 *
 * Two products of 2 D a pair, about 8 cycles of vector work for 16 pairs between them.
 * Tiles that no row sees are skipped by index; the mask is looked at only in tiles that
 * its edge runs through.
 *
 * An item of work is a tile of queries; items of one key head follow each other, and
 * each worker packs that head once for itself. Workspace: T D for the packed keys and
 * values of one head and thread.
 *
 * bf16: where the CPU multiplies pairs, P is rounded to bf16 as the operand of P V (as on
 * GPUs) and 2^x is of degree 3; elsewhere everything is widened to float32. */
#ifndef ATTENTION_FORWARD_H
#define ATTENTION_FORWARD_H

#include "attention_tiles.h"
#include "gemm_bf16.h"
#include "method.h"
#include "parallel.h"
#include "vdropout.h"
#include "vmath.h"

typedef struct {
    Attention   at;
    const AttentionBlocks *blocks;         /* NULL: none */
    Dtype       dtype;                     /* F32 or BF16: of q, k, v and o */
    const void *q, *k, *v;
    void       *o;
    float      *lse;
    int64_t     block_q, block_k;          /* 0: chosen here */
} AttentionForward;

#ifdef SIMD_BF16_DOT
enum { FORWARD_PAIRS = 1 };
#else
enum { FORWARD_PAIRS = 0 };
#endif
/* 96 rows are whole register tiles on every ISA. Wide tiles spread the read and write of
 * O over more keys; 96 x 256 scores and the operands fill a quarter of a 1 MiB L2. */
enum { FORWARD_BQ = 96, FORWARD_BK = 256 };

typedef struct {
    int64_t bq, bk;                        /* bk: a multiple of GEMM_NR */
    int64_t group, tiles;                  /* query heads a key head; tiles of queries a head */
    int64_t keys;                          /* Tk rounded up to whole panels */
    int     pairs;
} ForwardPlan;

typedef struct {                           /* what one worker holds */
    int64_t  key_head;                     /* whose keys are packed; -1: none yet */
    float   *kt, *v;                       /* packed: [keys/NR][D][NR], [D/NR][keys][NR] */
    float   *s;                            /* [bq][bk] scores, then P */
    float   *o;                            /* [bq][D] unnormalised */
    float   *top, *sum;                    /* [bq] running maximum of S and sum of P */
    float   *rows_q, *rows_k;              /* float32 copies of bf16 rows */
    uint16_t *p;                           /* [bq][bk] P in bf16 */
} ForwardScratch;

static inline ForwardPlan forward_plan_(const AttentionForward *x)
{
    const Attention *a = &x->at;
    const int pairs = x->dtype == BF16 && FORWARD_PAIRS;
    ForwardPlan plan = { .bq = x->block_q ? x->block_q : FORWARD_BQ, .pairs = pairs };
    plan.bk = x->block_k ? x->block_k : FORWARD_BK;
    plan.bq = plan.bq < a->T ? plan.bq : a->T;
    plan.keys = gemm_columns(a->Tk);
    plan.bk = gemm_columns(plan.bk < plan.keys ? plan.bk : plan.keys);
    plan.group = a->H / a->Hkv;
    plan.tiles = (a->T + plan.bq - 1) / plan.bq;
    return plan;
}

/* Takes the scratch (ws) or only says how large it is (ws NULL). */
static inline size_t forward_scratch_(const AttentionForward *x, const ForwardPlan *plan,
                                      Workspace *ws, ForwardScratch *out)
{
    const int64_t D = x->at.D, columns = gemm_columns(D), widen = x->dtype == BF16 && !plan->pairs;
    const struct { void **at; int64_t bytes; } need[] = {
        { (void **)&out->kt, (plan->pairs ? (D + 1) / 2 : D) * plan->keys * 4 },
        { (void **)&out->v, (plan->pairs ? plan->keys / 2 : plan->keys) * columns * 4 },
        { (void **)&out->s, plan->bq * plan->bk * 4 },
        { (void **)&out->o, plan->bq * D * 4 },
        { (void **)&out->top, plan->bq * 4 },
        { (void **)&out->sum, plan->bq * 4 },
        { (void **)&out->rows_q, widen * plan->bq * D * 4 },
        { (void **)&out->rows_k, widen * plan->bk * D * 4 },
        { (void **)&out->p, plan->pairs * plan->bq * plan->bk * 2 },
    };
    size_t total = 0;
    for (size_t i = 0; i < sizeof need / sizeof *need; i++) {
        total += workspace_round((size_t)need[i].bytes);
        if (ws) *need[i].at = workspace_take(ws, (size_t)need[i].bytes);
    }
    out->key_head = -1;
    return total;
}

static inline size_t attention_forward_workspace(const AttentionForward *x, int threads)
{
    ForwardScratch unused;
    const ForwardPlan plan = forward_plan_(x);
    return (size_t)threads * forward_scratch_(x, &plan, NULL, &unused);
}

/* ---- packing --------------------------------------------------------------------------------- */

static inline const void *forward_at_(const void *p, int64_t index, Dtype dtype)
{
    return (const char *)p + index * (int64_t)(dtype == BF16 ? 2 : 4);
}

/* to[count] = from, widened. */
static inline const float *forward_widen_(float *to, const uint16_t *from, int64_t count)
{
    for (int64_t i = 0; i < count; i += VL) {
        const int n = count - i < VL ? (int)(count - i) : VL;
        v_store_n(to + i, v_load_bf16_n(from + i, n), n);
    }
    return to;
}

/* Keys and values of one head, as operands of Q K' and P V. */
static inline void forward_pack_(const AttentionForward *x, const ForwardPlan *plan,
                                 ForwardScratch *w, int64_t key_head)
{
    const int64_t D = x->at.D, Tk = x->at.Tk, at = key_head * Tk * D;
    const void *k = forward_at_(x->k, at, x->dtype), *v = forward_at_(x->v, at, x->dtype);
    w->key_head = key_head;
#ifdef SIMD_BF16_DOT
    if (plan->pairs) {
        gemm_bf16_pack_t(D, Tk, k, D, (int32_t *)w->kt, (D + 1) / 2 * GEMM_NR);
        gemm_bf16_pack(Tk, D, v, D, (int32_t *)w->v, plan->keys / 2 * GEMM_NR);
        return;
    }
#endif
    if (x->dtype == F32) {
        gemm_pack_t(D, Tk, k, D, w->kt, D * GEMM_NR);
        gemm_pack(Tk, D, v, D, w->v, plan->keys * GEMM_NR);
        return;
    }
    for (int64_t j = 0; j < Tk; j += plan->bk) {
        const int64_t n = Tk - j < plan->bk ? Tk - j : plan->bk;
        gemm_pack_t(D, n, forward_widen_(w->rows_k, (const uint16_t *)k + j * D, n * D), D,
                    w->kt + j * D, D * GEMM_NR);
        gemm_pack(n, D, forward_widen_(w->rows_k, (const uint16_t *)v + j * D, n * D), D,
                  w->v + j * GEMM_NR, plan->keys * GEMM_NR);
    }
}

/* ---- one tile of queries against one tile of keys -------------------------------------------- */

typedef struct {
    const AttentionForward *x;
    const ForwardPlan      *plan;
    ForwardScratch         *w;
    AttentionTile           tile;
    const void             *q;             /* row tile.i0, in the problem's dtype */
    int64_t                 head;          /* b H + h */
} ForwardTile;

static inline float forward_c_(const ForwardTile *t)
{
    return (float)(t->x->at.scale * 1.4426950408889634);
}

/* The largest of n scores (n > 0; those behind it in the last vector are -inf). */
static inline float forward_top_(const float *s, int64_t n)
{
    vf a = v_load(s), b = a;
    int64_t j = VL;
    for (; j + VL < n; j += 2 * VL) {
        a = v_max(a, v_load(s + j));
        b = v_max(b, v_load(s + j + VL));
    }
    if (j < n) a = v_max(a, v_load(s + j));
    return v_top(v_max(a, b));
}

/* The row's maximum becomes `top`: what was summed under the old one shrinks. */
static inline void forward_rescale_(const ForwardTile *t, int64_t r, float top)
{
    const int64_t D = t->x->at.D;
    float *o = t->w->o + r * D;
    const vf down = v_exp2_down(v_set1((t->w->top[r] - top) * forward_c_(t)), 5);
    for (int64_t d = 0; d < D; d += VL) {
        const int n = D - d < VL ? (int)(D - d) : VL;
        v_store_n(o + d, v_mul(v_load_n(o + d, n), down), n);
    }
    float factor[VL];
    v_store(factor, down);
    t->w->sum[r] *= factor[0];
    t->w->top[r] = top;
}

/* Row r: P over S, its sum; `n` scores, a multiple of VL. bf16: P goes to w->p. */
TEMPLATE void forward_weigh_(const ForwardTile *t, int64_t r, int64_t n, int pairs, int dropout)
{
    const ForwardPlan *plan = t->plan;
    float *s = t->w->s + r * plan->bk;
    uint16_t *p = t->w->p + r * plan->bk;
    const float c = forward_c_(t), top = t->w->top[r];
    const vf scale = v_set1(c), shift = v_set1(top == -INFINITY ? 0 : top * c);
    const int64_t percent = t->x->at.dropout_percent;
    DropoutRow z = { 0, 0 };
    if (dropout) z = dropout_row(t->x->at.seed, t->head, t->tile.i0 + r);
    vf sum[2] = { v_zero(), v_zero() };
    for (int64_t j = 0; j < n; j += 2 * VL)
        UNROLL for (int u = 0; u < 2; u++) {
            vf e = v_exp2_down(v_fms(v_load(s + j + u * VL), scale, shift), pairs ? 3 : 5);
            sum[u] = v_add(sum[u], e);
            if (dropout)
                e = v_mul(e, v_dropout(z, t->tile.j0 + j + u * VL, dropout_threshold(percent),
                                       (float)dropout_scale(percent)));
            if (pairs) v_store_bf16(p + j + u * VL, e);
            else v_store(s + j + u * VL, e);
        }
    t->w->sum[r] += v_sum(v_add(sum[0], sum[1]));
}

/* Scores that the row does not see, and those behind the tile, become -inf. */
static inline void forward_hide_(const ForwardTile *t, int64_t r, int64_t n)
{
    float *s = t->w->s + r * t->plan->bk;
    const TileRow row = tile_row(&t->tile, r);
    for (int64_t j = 0; j < n; j += VL)
        v_store(s + j, v_select(tile_seen(&t->tile, row, j), v_load(s + j), v_set1(-INFINITY)));
}

TEMPLATE void forward_softmax_(const ForwardTile *t, int mixed, int pairs, int dropout)
{
    const int64_t n = gemm_columns(t->tile.keys);
    for (int64_t r = 0; r < t->tile.rows; r++) {
        if (mixed) forward_hide_(t, r, n);
        const float top = forward_top_(t->w->s + r * t->plan->bk, n);
        if (top > t->w->top[r]) forward_rescale_(t, r, top);
        forward_weigh_(t, r, n, pairs, dropout);
    }
}

static inline void forward_tile_(const ForwardTile *t, TileSight sight)
{
    const ForwardScratch *w = t->w;
    const AttentionTile *at = &t->tile;
    const int64_t D = t->x->at.D, bk = t->plan->bk, keys = t->plan->keys;
    const int64_t m = at->rows, n = at->keys;
    const int mixed = sight == TILE_MIXED || n % GEMM_NR, dropout = t->x->at.dropout_percent > 0;
#ifdef SIMD_BF16_DOT
    if (t->plan->pairs) {
        const int64_t panel = (D + 1) / 2 * GEMM_NR;
        const int32_t *kt = (int32_t *)w->kt + at->j0 / GEMM_NR * panel;
        const int32_t *v = (int32_t *)w->v + at->j0 / 2 * GEMM_NR;
        gemm_bf16(m, n, D, t->q, D, kt, panel, w->s, bk, 0);
        if (dropout) forward_softmax_(t, 1, 1, 1);
        else if (mixed) forward_softmax_(t, 1, 1, 0);
        else forward_softmax_(t, 0, 1, 0);
        gemm_bf16(m, D, n, w->p, bk, v, keys / 2 * GEMM_NR, w->o, D, 1);
        return;
    }
#endif
    gemm(m, n, D, t->q, D, w->kt + at->j0 * D, D * GEMM_NR, w->s, bk, 0);
    if (dropout) forward_softmax_(t, 1, 0, 1);
    else if (mixed) forward_softmax_(t, 1, 0, 0);
    else forward_softmax_(t, 0, 0, 0);
    gemm(m, D, n, w->s, bk, w->v + at->j0 * GEMM_NR, keys * GEMM_NR, w->o, D, 1);
}

/* ---- one tile of queries --------------------------------------------------------------------- */

/* Rows i..i+count-1 of o and lse, from what the scratch holds of them. */
static inline void forward_finish_(const ForwardTile *t, int64_t row, int64_t count)
{
    const AttentionForward *x = t->x;
    const int64_t D = x->at.D;
    for (int64_t r = 0; r < count; r++) {
        const float sum = t->w->sum[r], top = t->w->top[r];
        const vf by = v_set1(sum > 0 ? 1 / sum : 0);
        for (int64_t d = 0; d < D; d += VL) {
            const int n = D - d < VL ? (int)(D - d) : VL;
            const vf o = v_mul(v_load_n(t->w->o + r * D + d, n), by);
            if (x->dtype == BF16) v_store_bf16_n((uint16_t *)x->o + (row + r) * D + d, o, n);
            else v_store_n((float *)x->o + (row + r) * D + d, o, n);
        }
        x->lse[row + r] = sum > 0 ? top * (float)x->at.scale + logf(sum) : -INFINITY;
    }
}

/* All keys that some row of the tile sees, a tile of keys at a time. */
static inline void forward_keys_(ForwardTile *t)
{
    AttentionTile *at = &t->tile;
    const int64_t first = attention_keys(at->at, at->b, at->i0).first / GEMM_NR * GEMM_NR;
    const int64_t end = attention_keys(at->at, at->b, at->i0 + at->rows - 1).end;
    for (at->j0 = first; at->j0 < end; at->j0 += at->keys) {
        at->keys = end - at->j0 < t->plan->bk ? end - at->j0 : t->plan->bk;
        const TileSight sight = tile_sight(at);
        if (sight != TILE_HIDDEN) forward_tile_(t, sight);
    }
}

typedef struct {
    const AttentionForward *x;
    ForwardPlan     plan;
    ForwardScratch *scratch;               /* [threads] */
} ForwardJob;

static inline void forward_item_(void *arg, int64_t item, int worker)
{
    const ForwardJob *job = arg;
    const AttentionForward *x = job->x;
    const Attention *a = &x->at;
    ForwardScratch *w = &job->scratch[worker];
    const int64_t head = item / job->plan.tiles, b = head / a->H, h = head % a->H, D = a->D;
    /* The longest rows of causal attention first, so that no long item is left for the end. */
    const int64_t i = (job->plan.tiles - 1 - item % job->plan.tiles) * job->plan.bq;
    const int64_t rows = a->T - i < job->plan.bq ? a->T - i : job->plan.bq;
    const int64_t live = attention_query_len(a, b) - i, row = head * a->T + i;
    const int64_t key_head = b * a->Hkv + attention_key_head(a, h);
    ForwardTile t = { .x = x, .plan = &job->plan, .w = w, .head = head };
    t.tile = (AttentionTile){ .at = a, .blocks = x->blocks, .b = b, .h = h, .i0 = i };
    t.tile.rows = live < 0 ? 0 : live < rows ? live : rows;
    memset(w->o, 0, (size_t)(rows * D) * sizeof *w->o);
    for (int64_t r = 0; r < rows; r++) { w->top[r] = -INFINITY; w->sum[r] = 0; }
    if (t.tile.rows) {
        if (w->key_head != key_head) forward_pack_(x, &job->plan, w, key_head);
        t.q = forward_at_(x->q, row * D, x->dtype);
        if (x->dtype == BF16 && !job->plan.pairs)
            t.q = forward_widen_(w->rows_q, t.q, t.tile.rows * D);
        forward_keys_(&t);
    }
    forward_finish_(&t, row, rows);
}

/* Everything is taken from ctx->ws: attention_forward_workspace() bytes. */
static inline void attention_forward(const AttentionForward *x, Ctx *ctx)
{
    ForwardScratch scratch[THREADS_MAX];
    ForwardJob job = { .x = x, .plan = forward_plan_(x), .scratch = scratch };
    for (int i = 0; i < ctx->threads; i++) forward_scratch_(x, &job.plan, ctx->ws, &scratch[i]);
    parallel_for(ctx->team, x->at.B * x->at.H * job.plan.tiles, forward_item_, &job);
}

/* ---- what it does, without doing it ---------------------------------------------------------- */

typedef void ForwardVisit(void *self, const ForwardPlan *plan, const AttentionTile *tile);

/* The same walk over the tiles of one head; `before` is called once for each tile of
 * queries, with no keys. */
static inline void forward_walk_(const AttentionForward *x, int64_t b, int64_t h,
                                 ForwardVisit *before, ForwardVisit *visit, void *self)
{
    const ForwardPlan plan = forward_plan_(x);
    for (int64_t i = plan.tiles - 1; i >= 0; i--) {
        AttentionTile t = { .at = &x->at, .blocks = x->blocks, .b = b, .h = h, .i0 = i * plan.bq };
        t.rows = x->at.T - t.i0 < plan.bq ? x->at.T - t.i0 : plan.bq;
        before(self, &plan, &t);
        const int64_t end = attention_keys(&x->at, b, t.i0 + t.rows - 1).end;
        t.j0 = attention_keys(&x->at, b, t.i0).first / GEMM_NR * GEMM_NR;
        for (; t.j0 < end; t.j0 += t.keys) {
            t.keys = end - t.j0 < plan.bk ? end - t.j0 : plan.bk;
            if (tile_sight(&t) != TILE_HIDDEN) visit(self, &plan, &t);
        }
    }
}

static inline void forward_no_visit_(void *self, const ForwardPlan *plan, const AttentionTile *t)
{
    (void)self, (void)plan, (void)t;
}

static inline void forward_count_(void *self, const ForwardPlan *plan, const AttentionTile *t)
{
    Counts *counted = self;
    const int64_t m = t->rows, n = t->keys, D = t->at->D;
    (void)plan;
    counted->matmul_flops += gemm_flops(m, n, D) + gemm_flops(m, D, n);
}

/* Matrix products only: how often a maximum rises depends on the numbers. Without padding. */
static inline void attention_forward_counts(const AttentionForward *x, Counts *counted)
{
    for (int64_t head = 0; head < x->at.B * x->at.H; head++)
        forward_walk_(x, head / x->at.H, head % x->at.H, forward_no_visit_, forward_count_,
                      counted);
}

enum {
    FORWARD_Q, FORWARD_K, FORWARD_V, FORWARD_O, FORWARD_LSE, FORWARD_KT, FORWARD_VP, FORWARD_S,
    FORWARD_SUMS
};

static inline void forward_touch_(TileSink *sink, int tensor, int64_t first, int64_t count,
                                  int64_t item, int writes)
{
    sink->touch(sink, tensor, first * item, count * item, writes);
}

typedef struct { TileSink *sink; int64_t item; } ForwardTouch;

/* A finished tile leaves, and the next one's sums are cleared: one range serves both. */
static inline void forward_touch_rows_(void *self, const ForwardPlan *plan, const AttentionTile *t)
{
    const ForwardTouch *to = self;
    const int64_t D = t->at->D;
    (void)plan;
    forward_touch_(to->sink, FORWARD_SUMS, 0, t->rows * (D + 2), 4, 1);
    forward_touch_(to->sink, FORWARD_O, t->i0 * D, t->rows * D, to->item, 1);
    forward_touch_(to->sink, FORWARD_LSE, t->i0, t->rows, 4, 1);
}

static inline void forward_touch_tile_(void *self, const ForwardPlan *plan, const AttentionTile *t)
{
    const ForwardTouch *to = self;
    const int64_t D = t->at->D;
    forward_touch_(to->sink, FORWARD_Q, t->i0 * D, t->rows * D, to->item, 0);
    forward_touch_(to->sink, FORWARD_KT, t->j0 * D, t->keys * D, plan->pairs ? 2 : 4, 0);
    forward_touch_(to->sink, FORWARD_S, 0, t->rows * t->keys, 4, 1);
    forward_touch_(to->sink, FORWARD_S, 0, t->rows * t->keys, 4, 0);
    forward_touch_(to->sink, FORWARD_VP, t->j0 * D, t->keys * D, plan->pairs ? 2 : 4, 0);
    forward_touch_(to->sink, FORWARD_SUMS, 0, t->rows * (D + 2), 4, 1);
}

/* One head's memory traffic, tile by tile, the packed copies and the scores included. */
static inline void attention_forward_touch(const AttentionForward *x, TileSink *sink)
{
    const int64_t keys = x->at.Tk * x->at.D, item = (int64_t)dtype_bytes(x->dtype);
    const int64_t packed = forward_plan_(x).pairs ? 2 : 4;
    ForwardTouch to = { sink, item };
    forward_touch_(sink, FORWARD_K, 0, keys, item, 0);
    forward_touch_(sink, FORWARD_KT, 0, keys, packed, 1);
    forward_touch_(sink, FORWARD_V, 0, keys, item, 0);
    forward_touch_(sink, FORWARD_VP, 0, keys, packed, 1);
    forward_walk_(x, 0, 0, forward_touch_rows_, forward_touch_tile_, &to);
}

#endif
