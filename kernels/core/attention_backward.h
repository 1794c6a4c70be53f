/* SPDX-License-Identifier: Apache-2.0 */
/* The backward pass of softmax attention by recomputation, in FlashAttention-2's order
 * (Dao, arXiv 2307.08691, algorithm 2): keys outside, queries inside.
 *
 *   S = Q K'          P = 2^(c S - L log2 e), c = scale log2 e         (P: no sum is needed)
 *   dV += (P o Z)' dO
 *   dP = (dO V') o Z  dS = P o (dP - delta),  delta_i = dO_i . O_i
 *   dQ += dS K        dK += dS' Q                                      (times scale at the end)
 *
 * Five products of 2 D a pair; the elementwise part between them is about 10 vector
 * instructions for 16 pairs. A block of keys keeps its dK and dV in cache while the
 * queries stream by; dQ is summed in float32 in memory.
 *
 * An item of work is one key head of one batch entry, with all query heads that share
 * it, so dK and dV need no atomics. Where there are fewer heads than threads, the key
 * blocks of a head are dealt out to several items, each with a dQ of its own; these are
 * added in a fixed order, so equal threads give equal bits.
 *
 * bf16: where the CPU multiplies pairs, P and dS are rounded to bf16 as operands of
 * their products (as on GPUs); elsewhere everything is widened to float32. Sums and
 * dQ, dK, dV are float32 until they are stored. */
#ifndef ATTENTION_BACKWARD_H
#define ATTENTION_BACKWARD_H

#include "attention_tiles.h"
#include "gemm_bf16.h"
#include "method.h"
#include "parallel.h"
#include "vdropout.h"
#include "vmath.h"

typedef struct {
    Attention   at;
    const AttentionBlocks *blocks;         /* NULL: none */
    Dtype       dtype;                     /* F32 or BF16: of all but lse */
    const void *q, *k, *v, *o, *grad_o;
    const float *lse;
    void       *grad_q, *grad_k, *grad_v;  /* written whole */
    int64_t     block_q, block_k;          /* 0: chosen here */
} AttentionBackward;

/* ---- sizes ----------------------------------------------------------------------------------- */

#ifdef SIMD_BF16_DOT
enum { BACKWARD_PAIRS = 1 };
#else
enum { BACKWARD_PAIRS = 0 };
#endif

typedef struct {
    int64_t bq, bk, chunks;                /* chunks: items that share one key head */
    int64_t group;                         /* query heads per key head */
    int     pairs;                         /* bf16 operands, multiplied in pairs */
} BackwardPlan;

/* 96 is a whole number of register tiles both ways on AVX-512; a tile of scores and the
 * operands of its five products then fill about half of a 1 MiB L2. */
static inline BackwardPlan backward_plan_(const AttentionBackward *x, int threads)
{
    const Attention *a = &x->at;
    const int pairs = x->dtype == BF16 && BACKWARD_PAIRS;
    const int64_t heads = a->B * a->Hkv, bk = pairs ? 192 : 96;
    BackwardPlan plan = { .bq = 96, .bk = a->D > 256 ? 48 : bk, .pairs = pairs };
    plan.group = a->H / a->Hkv;
    if (x->block_q) plan.bq = x->block_q;
    if (x->block_k) plan.bk = x->block_k;
    plan.bq = plan.bq < a->T ? plan.bq : a->T;
    plan.bk = plan.bk < a->Tk ? plan.bk : a->Tk;
    plan.chunks = heads % threads == 0 || heads >= 4 * threads ? 1 : threads;
    const int64_t blocks = (a->Tk + plan.bk - 1) / plan.bk;
    if (plan.chunks > blocks) plan.chunks = blocks;
    return plan;
}

/* What one worker holds; carved from the workspace, everything aligned. */
typedef struct {
    float   *s, *dp;                       /* [bq][bkp] scores, then P; dP, then dS */
    float   *dk, *dv;                      /* [bk][D] */
    float   *lse2, *delta;                 /* [group][T] L log2 e and dO . O */
    float   *rows_q, *rows_do;             /* [bq][D], float32 copies of bf16 rows */
    float   *rows_k, *rows_v;              /* [bk][D], likewise */
    float   *kt, *vt, *kb;                 /* packed for S, dP and dQ */
    float   *qb, *dob;                     /* packed for dK and dV */
    uint16_t *ds_rows;                     /* [bq][bkp] dS in bf16, for dQ */
    int32_t *p_pairs, *ds_pairs;           /* [bq/2][bkp] pairs of rows, for dV and dK */
} BackwardScratch;

static inline int64_t backward_width_(const BackwardPlan *plan)
{
    return (plan->bk + GEMM_NR - 1) / GEMM_NR * GEMM_NR;
}

/* Takes the scratch (ws) or only says how large it is (ws NULL). */
static inline size_t backward_scratch_(const AttentionBackward *x, const BackwardPlan *plan,
                                       Workspace *ws, BackwardScratch *out)
{
    const int64_t D = x->at.D, bq = plan->bq, bk = plan->bk, width = backward_width_(plan);
    const int64_t columns = gemm_columns(D), widen = x->dtype == BF16 && !plan->pairs;
    const int64_t item = 4, even_q = bq + bq % 2, even_k = bk + bk % 2;
    const struct { void **at; int64_t bytes; } need[] = {
        { (void **)&out->s, even_q * width * item }, { (void **)&out->dp, even_q * width * item },
        { (void **)&out->dk, bk * D * item },      { (void **)&out->dv, bk * D * item },
        { (void **)&out->lse2, (plan->group * x->at.T + 1) * item },
        { (void **)&out->delta, (plan->group * x->at.T + 1) * item },
        { (void **)&out->rows_q, widen * bq * D * item },
        { (void **)&out->rows_do, widen * bq * D * item },
        { (void **)&out->rows_k, widen * bk * D * item },
        { (void **)&out->rows_v, widen * bk * D * item },
        { (void **)&out->kt, D * width * item },   { (void **)&out->vt, D * width * item },
        { (void **)&out->kb, even_k * columns * item },
        { (void **)&out->qb, even_q * columns * item },
        { (void **)&out->dob, even_q * columns * item },
        { (void **)&out->ds_rows, plan->pairs * even_q * width * 2 },
        { (void **)&out->p_pairs, plan->pairs * even_q / 2 * width * 4 },
        { (void **)&out->ds_pairs, plan->pairs * even_q / 2 * width * 4 },
    };
    size_t total = 0;
    for (size_t i = 0; i < sizeof need / sizeof *need; i++) {
        total += workspace_round((size_t)need[i].bytes);
        if (ws) *need[i].at = workspace_take(ws, (size_t)need[i].bytes);
    }
    return total;
}

/* dQ in float32: [chunks][B H T D], unless it can be summed in grad_q itself. */
static inline size_t backward_sum_bytes_(const AttentionBackward *x, const BackwardPlan *plan)
{
    const size_t q = (size_t)(x->at.B * x->at.H * x->at.T * x->at.D) * sizeof(float);
    return x->dtype == F32 && plan->chunks == 1 ? 0 : (size_t)plan->chunks * q;
}

static inline size_t attention_backward_workspace(const AttentionBackward *x, int threads)
{
    BackwardScratch unused;
    const BackwardPlan plan = backward_plan_(x, threads);
    return (size_t)threads * backward_scratch_(x, &plan, NULL, &unused) +
           workspace_round(backward_sum_bytes_(x, &plan));
}

/* ---- one block of keys against one tile of queries ------------------------------------------- */

typedef struct {
    const AttentionBackward *x;
    const BackwardPlan      *plan;
    const BackwardScratch   *w;
    AttentionTile tile;
    int64_t  head;                         /* b H + h */
    const float *lse2, *delta;             /* of row i0 on */
    const void *q, *grad_o;                /* row i0, in the problem's dtype */
    float   *sum_q;                        /* dQ of row i0 */
} BackwardTile;

typedef struct { vf p, pz, ds; } BackwardLanes;    /* P, P o Z, dS of VL pairs */

/* Columns j..j+VL-1 of row r; `mixed`: some of them may be hidden; z: NULL without dropout. */
TEMPLATE BackwardLanes backward_lanes_(const BackwardTile *t, int64_t r, int64_t j, vf c,
                                       int degree, int mixed, TileRow row,
                                       const DropoutRow *z)
{
    const int64_t width = backward_width_(t->plan);
    const Attention *a = &t->x->at;
    const vf s = v_load(t->w->s + r * width + j);
    vf dp = v_load(t->w->dp + r * width + j);
    vf p = v_exp2_down(v_fms(s, c, v_set1(t->lse2[r])), degree), pz = p;
    if (mixed) {
        const vm seen = tile_seen(&t->tile, row, j);
        p = pz = v_select(seen, p, v_zero());
        dp = v_select(seen, dp, v_zero());
    }
    if (z) {
        const vf keep = v_dropout(*z, t->tile.j0 + j, dropout_threshold(a->dropout_percent),
                                  (float)dropout_scale(a->dropout_percent));
        pz = v_mul(p, keep);
        dp = v_mul(dp, keep);
    }
    return (BackwardLanes){ p, pz, v_mul(p, v_sub(dp, v_set1(t->delta[r]))) };
}

static inline DropoutRow backward_dropout_(const BackwardTile *t, int64_t r)
{
    return dropout_row(t->x->at.seed, t->head, t->tile.i0 + r);
}

/* float32: P o Z and dS over S and dP. */
TEMPLATE void backward_middle_f32_(const BackwardTile *t, int mixed, int dropout)
{
    const int64_t width = backward_width_(t->plan);
    const vf c = v_set1((float)(t->x->at.scale * 1.4426950408889634));
    for (int64_t r = 0; r < t->tile.rows; r++) {
        const TileRow row = mixed ? tile_row(&t->tile, r) : (TileRow){ 0, 0, NULL };
        const DropoutRow z = dropout ? backward_dropout_(t, r) : (DropoutRow){ 0, 0 };
        for (int64_t j = 0; j < t->tile.keys; j += VL) {
            const BackwardLanes l =
                backward_lanes_(t, r, j, c, 5, mixed, row, dropout ? &z : NULL);
            v_store(t->w->s + r * width + j, l.pz);
            v_store(t->w->dp + r * width + j, l.ds);
        }
    }
}

static inline void backward_tile_f32_(const BackwardTile *t, const float *q, const float *grad_o,
                                      TileSight sight)
{
    const BackwardScratch *w = t->w;
    const int64_t D = t->x->at.D, width = backward_width_(t->plan);
    const int64_t m = t->tile.rows, n = t->tile.keys;
    gemm_pack(m, D, q, D, w->qb, m * GEMM_NR);
    gemm_pack(m, D, grad_o, D, w->dob, m * GEMM_NR);
    gemm(m, n, D, q, D, w->kt, D * GEMM_NR, w->s, width, 0);
    gemm(m, n, D, grad_o, D, w->vt, D * GEMM_NR, w->dp, width, 0);
    if (t->x->at.dropout_percent) backward_middle_f32_(t, 1, 1);
    else if (sight == TILE_MIXED || n % VL) backward_middle_f32_(t, 1, 0);
    else backward_middle_f32_(t, 0, 0);
    gemm_t(n, D, m, w->s, width, w->dob, m * GEMM_NR, w->dv, D, 1);
    gemm_t(n, D, m, w->dp, width, w->qb, m * GEMM_NR, w->dk, D, 1);
    gemm(m, D, n, w->dp, width, w->kb, t->plan->bk * GEMM_NR, t->sum_q, D, 1);
}

#ifdef SIMD_BF16_DOT
/* bf16: two rows at a time, because a pair of rows is what dV and dK multiply by. */
TEMPLATE void backward_middle_bf16_(const BackwardTile *t, int mixed, int dropout)
{
    const int64_t width = backward_width_(t->plan);
    const vf c = v_set1((float)(t->x->at.scale * 1.4426950408889634));
    for (int64_t r = 0; r < t->tile.rows; r += 2) {
        const int64_t odd = r + 1;         /* one behind the last row: all of it is hidden */
        const TileRow none = { 0, 0, NULL };
        const TileRow row0 = mixed ? tile_row(&t->tile, r) : none;
        const TileRow row1 = mixed && odd < t->tile.rows ? tile_row(&t->tile, odd) : none;
        const DropoutRow z0 = dropout ? backward_dropout_(t, r) : (DropoutRow){ 0, 0 };
        const DropoutRow z1 = dropout ? backward_dropout_(t, odd) : (DropoutRow){ 0, 0 };
        for (int64_t j = 0; j < t->tile.keys; j += VL) {
            const BackwardLanes low =
                backward_lanes_(t, r, j, c, 3, mixed, row0, dropout ? &z0 : NULL);
            const BackwardLanes high =
                backward_lanes_(t, odd, j, c, 3, mixed, row1, dropout ? &z1 : NULL);
            const vi p = vi_pack_bf16(low.pz, high.pz), ds = vi_pack_bf16(low.ds, high.ds);
            uint16_t *rows = t->w->ds_rows + r * width + j;
            vi_store(t->w->p_pairs + r / 2 * width + j, vi_interleave_bf16(p));
            vi_store(t->w->ds_pairs + r / 2 * width + j, vi_interleave_bf16(ds));
            vi_store_halves_bf16(rows, rows + width, ds);
        }
    }
}

static inline void backward_tile_bf16_(const BackwardTile *t, TileSight sight)
{
    const BackwardScratch *w = t->w;
    const int64_t D = t->x->at.D, width = backward_width_(t->plan);
    const int64_t m = t->tile.rows, n = t->tile.keys;
    const int64_t half_m = (m + 1) / 2, half_d = (D + 1) / 2, half_bk = (t->plan->bk + 1) / 2;
    gemm_bf16_pack(m, D, t->q, D, (int32_t *)w->qb, half_m * GEMM_NR);
    gemm_bf16_pack(m, D, t->grad_o, D, (int32_t *)w->dob, half_m * GEMM_NR);
    gemm_bf16(m, n, D, t->q, D, (int32_t *)w->kt, half_d * GEMM_NR, w->s, width, 0);
    gemm_bf16(m, n, D, t->grad_o, D, (int32_t *)w->vt, half_d * GEMM_NR, w->dp, width, 0);
    if (t->x->at.dropout_percent) backward_middle_bf16_(t, 1, 1);
    else if (sight == TILE_MIXED || n % VL || m % 2) backward_middle_bf16_(t, 1, 0);
    else backward_middle_bf16_(t, 0, 0);
    gemm_bf16_t(n, D, m, w->p_pairs, width, (int32_t *)w->dob, half_m * GEMM_NR, w->dv, D, 1);
    gemm_bf16_t(n, D, m, w->ds_pairs, width, (int32_t *)w->qb, half_m * GEMM_NR, w->dk, D, 1);
    gemm_bf16(m, D, n, w->ds_rows, width, (int32_t *)w->kb, half_bk * GEMM_NR, t->sum_q, D, 1);
}
#endif

/* ---- one item: a key head, or its share of the key blocks ------------------------------------ */

static inline const void *backward_at_(const void *p, int64_t index, Dtype dtype)
{
    return (const char *)p + index * (int64_t)(dtype == BF16 ? 2 : 4);
}

static inline vf backward_load_(const void *p, int64_t i, int n, Dtype dtype)
{
    return dtype == BF16 ? v_load_bf16_n((const uint16_t *)p + i, n)
                         : v_load_n((const float *)p + i, n);
}

/* to[count] = from, widened. */
static inline const float *backward_widen_(float *to, const void *from, int64_t count)
{
    for (int64_t i = 0; i < count; i += VL) {
        const int n = count - i < VL ? (int)(count - i) : VL;
        v_store_n(to + i, v_load_bf16_n((const uint16_t *)from + i, n), n);
    }
    return to;
}

/* to[count] = factor from, in the problem's dtype. */
static inline void backward_store_(void *to, const float *from, int64_t count, float factor,
                                   Dtype dtype)
{
    for (int64_t i = 0; i < count; i += VL) {
        const int n = count - i < VL ? (int)(count - i) : VL;
        const vf x = v_mul(v_load_n(from + i, n), v_set1(factor));
        if (dtype == BF16) v_store_bf16_n((uint16_t *)to + i, x, n);
        else v_store_n((float *)to + i, x, n);
    }
}

/* L log2 e and dO . O of one query head. */
static inline void backward_rows_(const AttentionBackward *x, int64_t head, float *lse2,
                                  float *delta)
{
    const int64_t T = x->at.T, D = x->at.D;
    for (int64_t i = 0; i < T; i++) {
        const int64_t at = (head * T + i) * D;
        vf sum = v_zero();
        for (int64_t d = 0; d < D; d += VL) {
            const int n = D - d < VL ? (int)(D - d) : VL;
            sum = v_fma(backward_load_(x->o, at + d, n, x->dtype),
                        backward_load_(x->grad_o, at + d, n, x->dtype), sum);
        }
        delta[i] = v_sum(sum);
        lse2[i] = x->lse[head * T + i] * 1.44269504f;
    }
}

typedef struct {
    const AttentionBackward *x;
    BackwardPlan     plan;
    BackwardScratch *scratch;              /* [threads] */
    float           *sums;                 /* [chunks][B H T D], or NULL: grad_q itself */
} BackwardJob;

/* Packs keys j0..j0+n-1 of a key head for the three products that they are operands of. */
static inline void backward_pack_keys_(const BackwardJob *job, const BackwardScratch *w,
                                       int64_t key_head, int64_t j0, int64_t n)
{
    const AttentionBackward *x = job->x;
    const int64_t D = x->at.D, at = (key_head * x->at.Tk + j0) * D, bk = job->plan.bk;
    const void *k = backward_at_(x->k, at, x->dtype), *v = backward_at_(x->v, at, x->dtype);
#ifdef SIMD_BF16_DOT
    if (job->plan.pairs) {
        const int64_t half_d = (D + 1) / 2, half_bk = (bk + 1) / 2;
        gemm_bf16_pack_t(D, n, k, D, (int32_t *)w->kt, half_d * GEMM_NR);
        gemm_bf16_pack_t(D, n, v, D, (int32_t *)w->vt, half_d * GEMM_NR);
        gemm_bf16_pack(n, D, k, D, (int32_t *)w->kb, half_bk * GEMM_NR);
        return;
    }
#endif
    if (x->dtype == BF16) {
        k = backward_widen_(w->rows_k, k, n * D);
        v = backward_widen_(w->rows_v, v, n * D);
    }
    gemm_pack_t(D, n, k, D, w->kt, D * GEMM_NR);
    gemm_pack_t(D, n, v, D, w->vt, D * GEMM_NR);
    gemm_pack(n, D, k, D, w->kb, bk * GEMM_NR);
}

static inline void backward_tile_(const BackwardTile *t, TileSight sight)
{
#ifdef SIMD_BF16_DOT
    if (t->plan->pairs) { backward_tile_bf16_(t, sight); return; }
#endif
    const int64_t count = t->tile.rows * t->x->at.D;
    if (t->x->dtype == BF16)
        backward_tile_f32_(t, backward_widen_(t->w->rows_q, t->q, count),
                           backward_widen_(t->w->rows_do, t->grad_o, count), sight);
    else backward_tile_f32_(t, t->q, t->grad_o, sight);
}

/* All queries of query head h against one block of keys. */
static inline void backward_head_(const BackwardJob *job, BackwardTile *t, int64_t h_in_group,
                                  float *sum)
{
    const AttentionBackward *x = job->x;
    const int64_t T = x->at.T, D = x->at.D, live = attention_query_len(&x->at, t->tile.b);
    t->head = t->tile.b * x->at.H + t->tile.h;
    for (int64_t i = 0; i < live; i += job->plan.bq) {
        const int64_t at = (t->head * T + i) * D;
        t->tile.i0 = i;
        t->tile.rows = live - i < job->plan.bq ? live - i : job->plan.bq;
        const TileSight sight = tile_sight(&t->tile);
        if (sight == TILE_HIDDEN) continue;
        t->lse2 = t->w->lse2 + h_in_group * T + i;
        t->delta = t->w->delta + h_in_group * T + i;
        t->q = backward_at_(x->q, at, x->dtype);
        t->grad_o = backward_at_(x->grad_o, at, x->dtype);
        t->sum_q = sum + at;
        backward_tile_(t, sight);
    }
}

static inline void backward_item_(void *arg, int64_t item, int worker)
{
    const BackwardJob *job = arg;
    const AttentionBackward *x = job->x;
    const Attention *a = &x->at;
    const BackwardScratch *w = &job->scratch[worker];
    const int64_t key_head = item / job->plan.chunks, chunk = item % job->plan.chunks;
    const int64_t b = key_head / a->Hkv, h0 = key_head % a->Hkv * job->plan.group, D = a->D;
    float *sum = job->sums ? job->sums + chunk * a->B * a->H * a->T * D : x->grad_q;
    BackwardTile t = { .x = x, .plan = &job->plan, .w = w };
    t.tile = (AttentionTile){ .at = a, .blocks = x->blocks, .b = b };
    const int64_t first = (b * a->H + h0) * a->T;
    memset(sum + first * D, 0, (size_t)(job->plan.group * a->T * D) * sizeof *sum);
    for (int64_t g = 0; g < job->plan.group; g++)
        backward_rows_(x, b * a->H + h0 + g, w->lse2 + g * a->T, w->delta + g * a->T);
    /* bf16 looks at rows in pairs, so also at one behind the last, which is hidden. */
    w->lse2[job->plan.group * a->T] = w->delta[job->plan.group * a->T] = 0;
    for (int64_t j = chunk * job->plan.bk; j < a->Tk; j += job->plan.bk * job->plan.chunks) {
        t.tile.j0 = j;
        t.tile.keys = a->Tk - j < job->plan.bk ? a->Tk - j : job->plan.bk;
        backward_pack_keys_(job, w, key_head, j, t.tile.keys);
        memset(w->dk, 0, (size_t)(t.tile.keys * D) * sizeof *w->dk);
        memset(w->dv, 0, (size_t)(t.tile.keys * D) * sizeof *w->dv);
        for (int64_t g = 0; g < job->plan.group; g++) {
            t.tile.h = h0 + g;
            backward_head_(job, &t, g, sum);
        }
        const int64_t at = (key_head * a->Tk + j) * D;
        void *grad_k = (void *)backward_at_(x->grad_k, at, x->dtype);
        void *grad_v = (void *)backward_at_(x->grad_v, at, x->dtype);
        backward_store_(grad_k, w->dk, t.tile.keys * D, (float)a->scale, x->dtype);
        backward_store_(grad_v, w->dv, t.tile.keys * D, 1, x->dtype);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* dQ of one query head: the chunks' sums in order, times scale. */
static inline void backward_finish_(void *arg, int64_t head, int worker)
{
    const BackwardJob *job = arg;
    const AttentionBackward *x = job->x;
    const int64_t count = x->at.T * x->at.D, all = x->at.B * x->at.H * count, at = head * count;
    float *sum = job->sums ? job->sums + at : (float *)x->grad_q + at;
    (void)worker;
    for (int64_t c = 1; c < job->plan.chunks; c++)
        for (int64_t i = 0; i < count; i += VL) {
            const int n = count - i < VL ? (int)(count - i) : VL;
            v_store_n(sum + i, v_add(v_load_n(sum + i, n), v_load_n(sum + c * all + i, n)), n);
        }
    backward_store_((void *)backward_at_(x->grad_q, at, x->dtype), sum, count, (float)x->at.scale,
                    x->dtype);
}

/* Everything is taken from ctx->ws: attention_backward_workspace() bytes. */
static inline void attention_backward(const AttentionBackward *x, Ctx *ctx)
{
    BackwardScratch scratch[THREADS_MAX];
    BackwardJob job = { .x = x, .plan = backward_plan_(x, ctx->threads), .scratch = scratch };
    for (int i = 0; i < ctx->threads; i++) backward_scratch_(x, &job.plan, ctx->ws, &scratch[i]);
    const size_t bytes = backward_sum_bytes_(x, &job.plan);
    if (bytes) job.sums = workspace_take(ctx->ws, bytes);
    parallel_for(ctx->team, x->at.B * x->at.Hkv * job.plan.chunks, backward_item_, &job);
    parallel_for(ctx->team, x->at.B * x->at.H, backward_finish_, &job);
}

/* ---- what it does, without doing it ---------------------------------------------------------- */

typedef void BackwardVisit(void *self, const BackwardPlan *plan, const AttentionTile *tile);

/* The same walk over the tiles of one head on one thread; `before` is called once for each
 * block of keys, with no rows, and once more, `after`, when it is done. */
static inline void backward_walk_(const AttentionBackward *x, int64_t b, int64_t h,
                                  BackwardVisit *before, BackwardVisit *visit,
                                  BackwardVisit *after, void *self)
{
    const BackwardPlan plan = backward_plan_(x, 1);
    AttentionTile t = { .at = &x->at, .blocks = x->blocks, .b = b, .h = h };
    for (t.j0 = 0; t.j0 < x->at.Tk; t.j0 += plan.bk) {
        t.keys = x->at.Tk - t.j0 < plan.bk ? x->at.Tk - t.j0 : plan.bk;
        before(self, &plan, &t);
        for (t.i0 = 0; t.i0 < x->at.T; t.i0 += plan.bq) {
            t.rows = x->at.T - t.i0 < plan.bq ? x->at.T - t.i0 : plan.bq;
            if (tile_sight(&t) != TILE_HIDDEN) visit(self, &plan, &t);
        }
        after(self, &plan, &t);
    }
}

static inline void backward_no_visit_(void *self, const BackwardPlan *plan, const AttentionTile *t)
{
    (void)self, (void)plan, (void)t;
}

static inline void backward_count_(void *self, const BackwardPlan *plan, const AttentionTile *t)
{
    Counts *counted = self;
    const int64_t m = t->rows, n = t->keys, D = t->at->D;
    (void)plan;
    counted->matmul_flops += 2 * gemm_flops(m, n, D) + 2 * gemm_flops(n, D, m);
    counted->matmul_flops += gemm_flops(m, D, n);
    counted->exps += m * ((n + VL - 1) / VL * VL);
}

/* Without padding. */
static inline void attention_backward_counts(const AttentionBackward *x, Counts *counted)
{
    for (int64_t head = 0; head < x->at.B * x->at.H; head++)
        backward_walk_(x, head / x->at.H, head % x->at.H, backward_no_visit_, backward_count_,
                       backward_no_visit_, counted);
}

enum {
    BACKWARD_Q, BACKWARD_K, BACKWARD_V, BACKWARD_O, BACKWARD_DO, BACKWARD_LSE, BACKWARD_DQ,
    BACKWARD_DK, BACKWARD_DV, BACKWARD_ROWS, BACKWARD_PACKED_K, BACKWARD_PACKED_Q, BACKWARD_S,
    BACKWARD_DP, BACKWARD_SUM_K
};

typedef struct { TileSink *sink; int64_t item, packed; } BackwardTouch;

static inline void backward_touch_(const BackwardTouch *to, int tensor, int64_t first,
                                   int64_t count, int64_t item, int writes)
{
    to->sink->touch(to->sink, tensor, first * item, count * item, writes);
}

static inline void backward_touch_keys_(void *self, const BackwardPlan *plan,
                                        const AttentionTile *t)
{
    const BackwardTouch *to = self;
    const int64_t first = t->j0 * t->at->D, count = t->keys * t->at->D;
    (void)plan;
    backward_touch_(to, BACKWARD_K, first, count, to->item, 0);
    backward_touch_(to, BACKWARD_V, first, count, to->item, 0);
    backward_touch_(to, BACKWARD_PACKED_K, 0, 3 * count, to->packed, 1);
    backward_touch_(to, BACKWARD_SUM_K, 0, 2 * count, 4, 1);
}

static inline void backward_touch_tile_(void *self, const BackwardPlan *plan,
                                        const AttentionTile *t)
{
    const BackwardTouch *to = self;
    const int64_t D = t->at->D, rows = t->rows * D, pairs = t->rows * t->keys;
    (void)plan;
    backward_touch_(to, BACKWARD_Q, t->i0 * D, rows, to->item, 0);
    backward_touch_(to, BACKWARD_DO, t->i0 * D, rows, to->item, 0);
    backward_touch_(to, BACKWARD_PACKED_Q, 0, 2 * rows, to->packed, 1);
    backward_touch_(to, BACKWARD_PACKED_K, 0, 2 * t->keys * D, to->packed, 0);
    backward_touch_(to, BACKWARD_S, 0, pairs, 4, 1);
    backward_touch_(to, BACKWARD_DP, 0, pairs, 4, 1);
    backward_touch_(to, BACKWARD_ROWS, 2 * t->i0, 2 * t->rows, 4, 0);
    backward_touch_(to, BACKWARD_PACKED_Q, 0, 2 * rows, to->packed, 0);
    backward_touch_(to, BACKWARD_SUM_K, 0, 2 * t->keys * D, 4, 1);
    backward_touch_(to, BACKWARD_PACKED_K, 2 * t->keys * D, t->keys * D, to->packed, 0);
    backward_touch_(to, BACKWARD_DQ, t->i0 * D, rows, 4, 1);
}

static inline void backward_touch_sums_(void *self, const BackwardPlan *plan,
                                        const AttentionTile *t)
{
    const BackwardTouch *to = self;
    const int64_t first = t->j0 * t->at->D, count = t->keys * t->at->D;
    (void)plan;
    backward_touch_(to, BACKWARD_SUM_K, 0, 2 * count, 4, 0);
    backward_touch_(to, BACKWARD_DK, first, count, to->item, 1);
    backward_touch_(to, BACKWARD_DV, first, count, to->item, 1);
}

/* One head's memory traffic, tile by tile, packed copies and scores included. */
static inline void attention_backward_touch(const AttentionBackward *x, TileSink *sink)
{
    const int64_t rows = x->at.T * x->at.D, item = (int64_t)dtype_bytes(x->dtype);
    BackwardTouch to = { sink, item, backward_plan_(x, 1).pairs ? 2 : 4 };
    backward_touch_(&to, BACKWARD_O, 0, rows, item, 0);
    backward_touch_(&to, BACKWARD_DO, 0, rows, item, 0);
    backward_touch_(&to, BACKWARD_LSE, 0, x->at.T, 4, 0);
    backward_touch_(&to, BACKWARD_ROWS, 0, 2 * x->at.T, 4, 1);
    backward_touch_(&to, BACKWARD_DQ, 0, rows, 4, 1);
    backward_walk_(x, 0, 0, backward_touch_keys_, backward_touch_tile_, backward_touch_sums_, &to);
    backward_touch_(&to, BACKWARD_DQ, 0, rows, 4, 1);
}

#endif
