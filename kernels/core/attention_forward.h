/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax attention forward in FlashAttention-2's order (Dao, arXiv 2307.08691,
 * algorithm 1): queries outside and in parallel, keys inside. With c = scale log2 e, each
 * row of a tile goes through the blocks of keys that it sees by
 *
 *   s = q K'           m' = max(m, c max s)    a = 2^(m - m')      p = 2^(c s - m')
 *   l = a l + sum p    o = a o + (p o z) V     m = m'
 *
 * and ends with o / l and lse = ln 2 (m + log2 l). o is not normalised before; a = 1 (most
 * of the time, after the first blocks) costs nothing. c is not multiplied into q, where it
 * would round each product of its own.
 *
 * What makes it fast on a CPU:
 *   - K and V are packed once per key head, never per tile of queries, and as panels
 *     (gemm.h), so that any range of keys can be read from them.
 *   - All rows of a tile multiply one panel of K, or V, after the other: the panel stays in
 *     L1, the block of K and V and the tile's scores in L2. Between the two products the
 *     scores pass through L1 once, a few rows at a time.
 *   - Where a mask's edge runs through a block, the tile is taken in groups of GEMM_MR rows,
 *     and each group multiplies only the panels that it sees: nothing else is computed,
 *     and only scores in the panels at the edge are hidden one by one.
 *
 * bf16: where the CPU multiplies pairs, K, V and the weights are bf16 operands (weights
 * rounded to nearest, as on GPUs; 2^x of degree 3 is enough for them), and sums are
 * float32; l adds the weights before they are rounded. Elsewhere everything is widened. */
#ifndef ATTENTION_FORWARD_H
#define ATTENTION_FORWARD_H

#include "attention_softmax.h"
#include "attention_tiles.h"
#include "gemm_bf16.h"
#include "method.h"
#include "parallel.h"

typedef struct {
    Attention    at;
    const AttentionBlocks *blocks;         /* others than the kept ones are skipped; NULL: none */
    Dtype        dtype;                    /* F32 or BF16: of q, k, v and o */
    const void  *q, *k, *v;
    void        *o;
    float       *lse;
    int64_t      block_q, block_k;         /* rows of a tile, keys of a block; 0: chosen here */
} AttentionForward;

/* ---- sizes ------------------------------------------------------------------------------- */

#ifdef SIMD_BF16_DOT
enum { FORWARD_PAIRS = 1 };
#else
enum { FORWARD_PAIRS = 0 };
#endif

/* 96 rows are whole register tiles on every ISA, and use a panel eight times or more. 512
 * keys hide the reading and writing of o, and their scores fill a fifth of a 1 MiB L2. A packed
 * head of more than FORWARD_NEAR bytes comes from far away for each tile: then tiles are
 * higher, although their scores fill most of L2. One of up to FORWARD_OWN bytes stays in L2. */
enum { FORWARD_BQ = 96, FORWARD_BQ_FAR = 384, FORWARD_BK = 512, FORWARD_PACK_KEYS = 512 };
enum { FORWARD_OWN = 1 << 20, FORWARD_NEAR = 4 << 20 };

typedef struct {
    int64_t bq, bk, width;         /* rows a tile, keys a block, columns of its scores */
    int64_t band, bands, tiles;    /* rows under one row of the mask; bands a head; tiles a band */
    int64_t Dv;                    /* D in whole vectors */
    int64_t k_panel, v_panel;      /* 32-bit words of a panel: floats, or pairs */
    int64_t k_words, v_words;      /* words of a packed head */
    int64_t heads;                 /* key heads packed at a time */
    int     own;                   /* each worker does, and packs, whole key heads */
    int     pairs;                 /* bf16 operands, multiplied in pairs */
} ForwardPlan;

static inline int64_t forward_up_(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }
static inline int64_t forward_min_(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t forward_packed_bytes_(const ForwardPlan *plan)
{
    return 4 * (plan->k_words + plan->v_words);
}

/* Tiles of equal height. */
static inline void forward_blocks_(const AttentionForward *x, ForwardPlan *plan)
{
    const Attention *a = &x->at;
    const int64_t most = forward_packed_bytes_(plan) > FORWARD_NEAR ? FORWARD_BQ_FAR : FORWARD_BQ;
    plan->band = x->blocks ? forward_min_(x->blocks->Br, a->T) : a->T;
    plan->bands = (a->T + plan->band - 1) / plan->band;
    const int64_t tiles = (plan->band + most - 1) / most;
    plan->bq = x->block_q ? x->block_q : forward_up_((plan->band + tiles - 1) / tiles, GEMM_MR);
    plan->bq = forward_min_(plan->bq, plan->band);
    plan->tiles = (plan->band + plan->bq - 1) / plan->bq;
    plan->bk = x->block_k ? x->block_k : FORWARD_BK;
    plan->bk = forward_min_(plan->bk, a->Tk);
    plan->width = gemm_columns(plan->bk) + GEMM_NR;    /* a block may begin inside a panel */
}

/* Where small key heads come out even, each worker does its own, packed into its own L2, and
 * nobody waits. Else all work on the tiles of a few heads: as many as stay in L3, but enough
 * that all have work until the end. */
static inline void forward_heads_(const Attention *a, ForwardPlan *plan, int threads)
{
    const int64_t heads = a->B * a->Hkv, bytes = forward_packed_bytes_(plan);
    const int64_t items = plan->bands * plan->tiles * (a->H / a->Hkv);
    const int64_t busy = (16 * threads + items - 1) / items;
    const int64_t near = FORWARD_NEAR / bytes;
    const int even = heads % threads == 0 || heads >= 16 * threads;
    plan->own = threads == 1 || (even && bytes <= FORWARD_OWN);
    plan->heads = plan->own ? threads : forward_min_(busy > near ? busy : near, heads);
}

static inline ForwardPlan forward_plan_(const AttentionForward *x, int threads)
{
    const Attention *a = &x->at;
    ForwardPlan plan = { .pairs = x->dtype == BF16 && FORWARD_PAIRS, .Dv = forward_up_(a->D, VL) };
    const int64_t step = plan.pairs ? 2 : 1, keys = gemm_columns(a->Tk);
    plan.k_panel = (a->D + step - 1) / step * GEMM_NR;
    plan.v_panel = keys / step * GEMM_NR;
    plan.k_words = keys / GEMM_NR * plan.k_panel;
    plan.v_words = gemm_columns(a->D) / GEMM_NR * plan.v_panel;
    forward_blocks_(x, &plan);
    forward_heads_(a, &plan, threads);
    return plan;
}

typedef struct {                   /* what one worker holds */
    float    *q;                   /* [bq][D] q widened; only for bf16 without pairs */
    float    *s;                   /* [bq][width] scores, then weights */
    uint16_t *p;                   /* [bq][width] weights; only for pairs */
    float    *o;                   /* [bq][Dv] output, not yet divided */
    float    *m;                   /* [bq] maximum so far, times log2 e */
    float    *l;                   /* [bq][VL] sum so far, by lane */
} ForwardScratch;

static inline int forward_widens_(const AttentionForward *x, const ForwardPlan *plan)
{
    return x->dtype == BF16 && !plan->pairs;
}

/* Takes the scratch (ws) or only says how large it is (ws NULL). */
static inline size_t forward_scratch_(const AttentionForward *x, const ForwardPlan *plan,
                                      Workspace *ws, ForwardScratch *out)
{
    const struct { void **at; int64_t bytes; } need[] = {
        { (void **)&out->q, forward_widens_(x, plan) ? plan->bq * x->at.D * 4 : 0 },
        { (void **)&out->s, plan->bq * plan->width * 4 },
        { (void **)&out->p, plan->pairs ? plan->bq * plan->width * 2 : 0 },
        { (void **)&out->o, plan->bq * plan->Dv * 4 },
        { (void **)&out->m, plan->bq * 4 },
        { (void **)&out->l, plan->bq * VL * 4 },
    };
    size_t total = 0;
    for (size_t i = 0; i < sizeof need / sizeof *need; i++) {
        total += workspace_round((size_t)need[i].bytes);
        if (ws) *need[i].at = workspace_take(ws, (size_t)need[i].bytes);
    }
    return total;
}

static inline size_t attention_forward_workspace(const AttentionForward *x, int threads)
{
    ForwardScratch unused;
    const ForwardPlan plan = forward_plan_(x, threads);
    return (size_t)threads * forward_scratch_(x, &plan, NULL, &unused) +
           workspace_round((size_t)(plan.heads * (plan.k_words + plan.v_words)) * 4);
}

/* ---- scores to weights ---------------------------------------------------------------------- */

typedef struct ForwardTile ForwardTile;
struct ForwardTile {
    const AttentionForward *x;
    const ForwardPlan      *plan;
    const ForwardScratch   *w;
    int64_t     b, h, i0, rows;    /* the tile: rows i0..i0+rows-1, none of them padding */
    int64_t     padding;           /* rows behind them that are */
    const void *q;                 /* row i0, in bf16 for pairs, else in float32 */
    const void *k, *v;             /* packed */
    /* What is done with rows r..r+rows-1 and the keys of `block` that some of them see:
     * forward_work_, or a count of it. */
    void      (*visit)(const ForwardTile *, int64_t r, int64_t rows, KeyRange keys, KeyRange block);
    void       *self;
};

static inline float forward_c_(const Attention *a)
{
    return (float)(a->scale * 1.4426950408889634);
}

/* Rows r..r+rows-1 of the tile (rows <= GEMM_MR), whose scores begin at s with key `key`. */
TEMPLATE void forward_softmax_(const ForwardTile *t, int64_t r, int rows, float *s, uint16_t *p,
                               int64_t key, int64_t n, int pairs, int dropout)
{
    const Attention *at = &t->x->at;
    const int64_t width = t->plan->width, Dv = t->plan->Dv;
    const float c = forward_c_(at);
    float *o = t->w->o + r * Dv, *l = t->w->l + r * VL;
    float top[SOFTMAX_LANES] = { 0 }, a[SOFTMAX_LANES];
    SoftmaxDropout z = { .key = key, .threshold = dropout_threshold(at->dropout_percent) };
    for (int i = 0; i < rows; i++) top[i] = softmax_top(s + i * width, n);
    softmax_rise(t->w->m + r, rows, c, top, a);
    for (int i = 0; i < rows; i++, s += width, p += width, o += Dv, l += VL) {
        if (a[i] != 1) {
            softmax_scale(o, Dv, a[i]);
            softmax_scale(l, VL, a[i]);
        }
        if (dropout) z.row = dropout_row(at->seed, t->b * at->H + t->h, t->i0 + r + i);
        softmax_weigh(s, p, n, c, top[i], l, pairs, dropout ? &z : NULL);
    }
}

static inline void forward_weights_(const ForwardTile *t, int64_t r, int rows, float *s,
                                    uint16_t *p, int64_t key, int64_t n)
{
    const int dropout = t->x->at.dropout_percent > 0;
    if (t->plan->pairs && dropout) forward_softmax_(t, r, rows, s, p, key, n, FORWARD_PAIRS, 1);
    else if (t->plan->pairs) forward_softmax_(t, r, rows, s, p, key, n, FORWARD_PAIRS, 0);
    else if (dropout) forward_softmax_(t, r, rows, s, p, key, n, 0, 1);
    else forward_softmax_(t, r, rows, s, p, key, n, 0, 0);
}

/* ---- rows of a tile against a block of keys ------------------------------------------------- */

static inline KeyRange forward_sees_(const ForwardTile *t, int64_t r, KeyRange block)
{
    return key_range_within(attention_keys(&t->x->at, t->b, t->i0 + r), block);
}

/* Scores of whole panels of keys, from..to-1. */
static inline void forward_scores_(const ForwardTile *t, int64_t r, int64_t rows, int64_t from,
                                   int64_t to)
{
    const ForwardPlan *plan = t->plan;
    const int64_t D = t->x->at.D, at = from / GEMM_NR * plan->k_panel;
#ifdef SIMD_BF16_DOT
    if (plan->pairs) {
        gemm_bf16(rows, to - from, D, (const uint16_t *)t->q + r * D, D, (const int32_t *)t->k + at,
                  plan->k_panel, t->w->s, plan->width, 0);
        return;
    }
#endif
    gemm(rows, to - from, D, (const float *)t->q + r * D, D, (const float *)t->k + at,
         plan->k_panel, t->w->s, plan->width, 0);
}

/* The keys whose values are multiplied: pairs begin and end at even ones, and what is too
 * much has weight 0. */
static inline KeyRange forward_values_(const ForwardPlan *plan, KeyRange keys)
{
    if (!plan->pairs) return keys;
    return (KeyRange){ keys.first / 2 * 2, forward_up_(keys.end, 2) };
}

/* o += weights times values; column 0 of the weights is key `from`. */
static inline void forward_output_(const ForwardTile *t, int64_t r, int64_t rows, int64_t from,
                                   KeyRange keys)
{
    const ForwardPlan *plan = t->plan;
    const KeyRange at = forward_values_(plan, keys);
    float *o = t->w->o + r * plan->Dv;
#ifdef SIMD_BF16_DOT
    if (plan->pairs) {
        gemm_bf16(rows, plan->Dv, at.end - at.first, t->w->p + at.first - from, plan->width,
                  (const int32_t *)t->v + at.first / 2 * GEMM_NR, plan->v_panel, o, plan->Dv, 1);
        return;
    }
#endif
    gemm(rows, plan->Dv, at.end - at.first, t->w->s + at.first - from, plan->width,
         (const float *)t->v + at.first * GEMM_NR, plan->v_panel, o, plan->Dv, 1);
}

static inline void forward_work_(const ForwardTile *t, int64_t r, int64_t rows, KeyRange keys,
                                 KeyRange block)
{
    const int64_t width = t->plan->width;
    const int64_t from = keys.first / GEMM_NR * GEMM_NR, to = gemm_columns(keys.end);
    const int edge = forward_sees_(t, r + rows - 1, block).first > from ||
                     forward_sees_(t, r, block).end < to;
    forward_scores_(t, r, rows, from, to);
    for (int64_t i = 0; i < rows; i += GEMM_MR) {
        const int some = (int)forward_min_(rows - i, GEMM_MR);
        float *s = t->w->s + i * width;
        for (int u = 0; edge && u < some; u++)
            softmax_hide(s + u * width, from, to - from, forward_sees_(t, r + i + u, block));
        forward_weights_(t, r + i, some, s, t->w->p + i * width, from, to - from);
    }
    forward_output_(t, r, rows, from, keys);
}

/* ---- one tile -------------------------------------------------------------------------------- */

/* Blocks begin at multiples of bk, so that how keys are cut does not depend on the tile. */
static inline void forward_run_(const ForwardTile *t, KeyRange keys)
{
    const int64_t bk = t->plan->bk;
    for (int64_t j = keys.first, next; j < keys.end; j = next) {
        next = (j / bk + 1) * bk;
        const KeyRange block = { j, forward_min_(next, keys.end) };
        const KeyRange top = forward_sees_(t, 0, block), low = forward_sees_(t, t->rows - 1, block);
        const int whole = low.first == block.first && top.end == block.end;
        const int64_t step = whole ? t->rows : GEMM_MR;
        for (int64_t r = 0; r < t->rows; r += step) {
            const int64_t rows = forward_min_(t->rows - r, step);
            const KeyRange seen = { forward_sees_(t, r, block).first,
                                    forward_sees_(t, r + rows - 1, block).end };
            if (seen.first < seen.end) t->visit(t, r, rows, seen, block);
        }
    }
}

/* Runs of kept blocks in the tile's row of the mask. */
static inline void forward_kept_(const ForwardTile *t, KeyRange keys)
{
    const AttentionBlocks *kept = t->x->blocks;
    const int32_t *mask = kept->mask + t->b * kept->batch_stride + t->h * kept->head_stride +
                          t->i0 / kept->Br * kept->columns;
    for (int64_t j = 0; j < kept->columns; j++) {
        const int64_t begin = j;
        while (j < kept->columns && mask[j]) j++;
        const KeyRange run = { begin * kept->Bc, j * kept->Bc };
        if (j > begin) forward_run_(t, key_range_within(run, keys));
    }
}

/* All that the tile sees. */
static inline void forward_keys_(const ForwardTile *t)
{
    const Attention *a = &t->x->at;
    const KeyRange keys = { attention_keys(a, t->b, t->i0).first,
                            attention_keys(a, t->b, t->i0 + t->rows - 1).end };
    if (t->x->blocks && t->x->blocks->mask) forward_kept_(t, keys);
    else forward_run_(t, keys);
}

/* Tile number `tile` of a head. */
static inline ForwardTile forward_place_(const AttentionForward *x, const ForwardPlan *plan,
                                         int64_t b, int64_t h, int64_t tile)
{
    const int64_t band = tile / plan->tiles * plan->band;
    const int64_t band_end = forward_min_(band + plan->band, x->at.T);
    ForwardTile t = { .x = x, .plan = plan, .b = b, .h = h };
    t.i0 = band + tile % plan->tiles * plan->bq;
    int64_t rows = forward_min_(plan->bq, band_end - t.i0);
    rows = rows < 0 ? 0 : rows;            /* the last band may need fewer tiles */
    const int64_t live = attention_query_len(&x->at, b) - t.i0;
    t.rows = forward_min_(rows, live < 0 ? 0 : live);
    t.padding = rows - t.rows;
    return t;
}

/* q of the tile from row `at` on, as the products read it. */
static inline const void *forward_queries_(const ForwardTile *t, int64_t at)
{
    const AttentionForward *x = t->x;
    const int64_t count = t->rows * x->at.D;
    const uint16_t *q = (const uint16_t *)x->q + at * x->at.D;
    if (x->dtype == F32) return (const float *)x->q + at * x->at.D;
    if (t->plan->pairs) return q;
    for (int64_t i = 0; i < count; i += VL) {
        const int n = (int)forward_min_(count - i, VL);
        v_store_n(t->w->q + i, v_load_bf16_n(q + i, n), n);
    }
    return t->w->q;
}

/* Divides by l, and writes o and lse from row `at` on. */
static inline void forward_finish_(const ForwardTile *t, int64_t at)
{
    const AttentionForward *x = t->x;
    const int64_t D = x->at.D;
    const float kept = (float)dropout_scale(x->at.dropout_percent);
    for (int64_t r = 0; r < t->rows; r++) {
        const float l = v_sum(v_load(t->w->l + r * VL));
        const vf by = v_set1(l > 0 ? kept / l : 0);
        t->w->l[r] = l;                    /* its lane belongs to a row that is done */
        for (int64_t d = 0; d < D; d += VL) {
            const int n = (int)forward_min_(D - d, VL);
            const vf o = v_mul(v_load(t->w->o + r * t->plan->Dv + d), by);
            if (x->dtype == BF16) v_store_bf16_n((uint16_t *)x->o + (at + r) * D + d, o, n);
            else v_store_n((float *)x->o + (at + r) * D + d, o, n);
        }
    }
    for (int64_t r = 0; r < t->rows; r += VL) {
        const int n = (int)forward_min_(t->rows - r, VL);
        const vf m = v_load_n(t->w->m + r, n), l = v_load_n(t->w->l + r, n);
        v_store_n(x->lse + at + r, v_fma(m, v_set1(0.693147181f), v_log(l)), n);
    }
}

/* Rows of padding see nothing. */
static inline void forward_padding_(const AttentionForward *x, int64_t at, int64_t count)
{
    const size_t row = (size_t)x->at.D * (x->dtype == BF16 ? 2 : 4);
    if (count) memset((char *)x->o + (size_t)at * row, 0, (size_t)count * row);
    for (int64_t i = 0; i < count; i++) x->lse[at + i] = -INFINITY;
}

/* The products read q row by row, far apart: its lines would come one by one. */
static inline void forward_fetch_(const ForwardTile *t)
{
    const int64_t bytes = t->rows * t->x->at.D * (t->plan->pairs ? 2 : 4);
    for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)t->q + i, 0, 2);
}

static inline void forward_tile_(ForwardTile *t, int64_t at)
{
    t->q = forward_queries_(t, at);
    forward_fetch_(t);
    memset(t->w->o, 0, (size_t)(t->rows * t->plan->Dv) * sizeof(float));
    memset(t->w->l, 0, (size_t)(t->rows * VL) * sizeof(float));
    for (int64_t r = 0; r < t->rows; r++) t->w->m[r] = -INFINITY;
    forward_keys_(t);
    forward_finish_(t, at);
}

/* ---- the whole ----------------------------------------------------------------------------- */

typedef struct {
    const AttentionForward *x;
    ForwardPlan     plan;
    ForwardScratch *scratch;       /* [threads] */
    int32_t        *packed;        /* [heads][k_words + v_words] */
    int64_t         first;         /* b Hkv + kv head of the first that is packed, if shared */
    int64_t         pieces;        /* of FORWARD_PACK_KEYS keys, a head */
    int64_t         tiles;         /* that read a head */
} ForwardJob;

static inline int32_t *forward_packed_(const ForwardJob *job, int64_t slot)
{
    return job->packed + slot * (job->plan.k_words + job->plan.v_words);
}

/* One piece of key head `head`. Keys that are padding are not packed: they are never read. */
static inline void forward_pack_(const ForwardJob *job, int64_t slot, int64_t head, int64_t piece)
{
    const ForwardPlan *plan = &job->plan;
    const AttentionForward *x = job->x;
    const int64_t j = piece * FORWARD_PACK_KEYS, D = x->at.D;
    const int64_t left = attention_key_len(&x->at, head / x->at.Hkv) - j;
    const int64_t n = forward_min_(left, FORWARD_PACK_KEYS), at = (head * x->at.Tk + j) * D;
    int32_t *k = forward_packed_(job, slot) + j / GEMM_NR * plan->k_panel;
    int32_t *v = forward_packed_(job, slot) + plan->k_words;
    const uint16_t *from_k = (const uint16_t *)x->k + at, *from_v = (const uint16_t *)x->v + at;
    if (n <= 0) return;
#ifdef SIMD_BF16_DOT
    if (plan->pairs) {
        gemm_bf16_pack_t(D, n, from_k, D, k, plan->k_panel);
        gemm_bf16_pack(n, D, from_v, D, v + j / 2 * GEMM_NR, plan->v_panel);
        return;
    }
#endif
    float *to_k = (float *)(void *)k, *to_v = (float *)(void *)v + j * GEMM_NR;
    if (x->dtype == BF16) {
        gemm_pack_widen_t(D, n, from_k, D, to_k, plan->k_panel);
        gemm_pack_widen(n, D, from_v, D, to_v, plan->v_panel);
    } else {
        gemm_pack_t(D, n, (const float *)x->k + at, D, to_k, plan->k_panel);
        gemm_pack(n, D, (const float *)x->v + at, D, to_v, plan->v_panel);
    }
}

/* Tile number `tile` of those that read key head `head`. They come with the last rows first:
 * under a causal mask these have most to do, and the small ones at the end keep all workers
 * busy. */
static inline void forward_item_(const ForwardJob *job, int64_t slot, int64_t head, int64_t tile,
                                 int worker)
{
    const ForwardPlan *plan = &job->plan;
    const Attention *a = &job->x->at;
    const int64_t group = a->H / a->Hkv, per_head = plan->bands * plan->tiles;
    const int64_t h = head % a->Hkv * group + tile / per_head;
    ForwardTile t = forward_place_(job->x, plan, head / a->Hkv, h, per_head - 1 - tile % per_head);
    const int64_t at = (t.b * a->H + t.h) * a->T + t.i0;
    t.w = &job->scratch[worker];
    t.k = forward_packed_(job, slot);
    t.v = forward_packed_(job, slot) + plan->k_words;
    t.visit = forward_work_;
    if (t.rows) forward_tile_(&t, at);
    forward_padding_(job->x, at + t.rows, t.padding);
}

static inline void forward_own_head_(void *arg, int64_t head, int worker)
{
    const ForwardJob *job = arg;
    for (int64_t i = 0; i < job->pieces; i++) forward_pack_(job, worker, head, i);
    for (int64_t i = 0; i < job->tiles; i++) forward_item_(job, worker, head, i, worker);
}

static inline void forward_shared_pack_(void *arg, int64_t item, int worker)
{
    const ForwardJob *job = arg;
    const int64_t slot = item / job->pieces;
    (void)worker;
    forward_pack_(job, slot, job->first + slot, item % job->pieces);
}

static inline void forward_shared_item_(void *arg, int64_t item, int worker)
{
    const ForwardJob *job = arg;
    const int64_t slot = item / job->tiles;
    forward_item_(job, slot, job->first + slot, item % job->tiles, worker);
}

/* Everything is taken from ctx->ws: attention_forward_workspace() bytes. */
static inline void attention_forward(const AttentionForward *x, Ctx *ctx)
{
    const Attention *a = &x->at;
    ForwardScratch scratch[THREADS_MAX];
    ForwardJob job = { .x = x, .plan = forward_plan_(x, ctx->threads), .scratch = scratch };
    const ForwardPlan *plan = &job.plan;
    const int64_t heads = a->B * a->Hkv;
    for (int i = 0; i < ctx->threads; i++) forward_scratch_(x, plan, ctx->ws, &scratch[i]);
    const size_t words = (size_t)(plan->heads * (plan->k_words + plan->v_words));
    job.packed = workspace_take(ctx->ws, words * sizeof *job.packed);
    job.pieces = (a->Tk + FORWARD_PACK_KEYS - 1) / FORWARD_PACK_KEYS;
    job.tiles = a->H / a->Hkv * plan->bands * plan->tiles;
    if (plan->own) {
        parallel_for(ctx->team, heads, forward_own_head_, &job);
        return;
    }
    for (; job.first < heads; job.first += plan->heads) {
        const int64_t some = forward_min_(heads - job.first, plan->heads);
        parallel_for(ctx->team, some * job.pieces, forward_shared_pack_, &job);
        parallel_for(ctx->team, some * job.tiles, forward_shared_item_, &job);
    }
}

#endif
