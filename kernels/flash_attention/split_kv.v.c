/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding with the cache split over its length (Flash-Decoding): each task runs online
 * softmax over one split of one key head and leaves a normalised partial output and its
 * lse; a second pass merges them.
 *
 * Decoding is limited by reading the cache once, so everything serves that: all queries
 * of a key head (its group of heads, times T) are handled while a key or value is in
 * registers, rows ahead are prefetched while others are computed with, and nothing but
 * the queries' own state is written. Keys lie row by row, hence a score is a dot product:
 * VL sums of (row, key) pairs are kept at a time and reduced together by one transpose.
 *
 * bf16 rows are read as pairs: the even elements of a pair vector are its words shifted
 * up, the odd ones its words masked. Queries and outputs stay in that order inside. */
#include "flash_attention.h"
#include "../core/parallel.h"
#include "../core/vmath.h"

enum {
    PAIR = 2 * VL,               /* elements that are loaded together */
    BLOCK = 64,                  /* keys between two updates of the maximum */
#if defined(__AVX512F__) || defined(__ARM_NEON)
    SUMS = 16,                   /* vectors of output held in registers */
#else
    SUMS = 8,
#endif
    TASKS_WANTED = 64, SPLIT_MIN = 256       /* where G is 0; the latter in keys */
};

typedef struct {
    Attention a;
    Dtype     dtype;
    int64_t   item;              /* bytes of an element of the cache */
    int64_t   Dp;                /* D rounded up to whole pairs */
    int64_t   rows;              /* queries that share a key head: H/Hkv T */
    int64_t   splits;
    const int32_t *start;        /* [splits + 1], or NULL: every `length` keys */
    int64_t   length;
    const char *q, *k, *v;
    void     *o;
    float    *lse;               /* [B,H,T] */
    float    *o_partial, *lse_partial;       /* [splits,B,H,T,D], [splits,B,H,T] */
    char     *scratch;
    size_t    scratch_bytes;
} Job;

typedef struct {                 /* what one task works in */
    char  *q;                    /* [rows][Dp], float or, where bf16 dot products exist, bf16 */
    float *s;                    /* [rows][BLOCK] scores, then weights */
    float *o;                    /* [rows][Dp] unnormalised */
    float *top, *sum, *keep;     /* [rows]; keep: what the block's new maximum leaves of o */
    char  *k, *v;                /* [BLOCK][Dp] padded copies, if D is not whole pairs */
} Work;

/* ---- pairs ---------------------------------------------------------------------------- */

TEMPLATE void load_pair(int half, const char *p, vf x[2])
{
    if (half) {
        const vi words = vi_load((const int32_t *)(const void *)p);
        x[0] = v_from_bits(vi_shl(words, 16));
        x[1] = v_from_bits(vi_and(words, vi_set1((int32_t)0xffff0000u)));
    } else {
        x[0] = v_load((const float *)(const void *)p);
        x[1] = v_load((const float *)(const void *)p + VL);
    }
}

/* Where element d of a row lies when it is held in pairs of floats. */
static int64_t place(int half, int64_t d)
{
    return half ? d / PAIR * PAIR + d % 2 * VL + d % PAIR / 2 : d;
}

#ifdef SIMD_BF16_DOT
enum { DOT2 = 1 };
#else
enum { DOT2 = 0 };
static inline vf v_dot2(vf c, vi a, vi b) { (void)a, (void)b; return c; }   /* never reached */
#endif

/* ---- scores ------------------------------------------------------------------------------ */

TEMPLATE void score_pair(int half, int rows, int keys, const char *q, int64_t q_stride,
                         const char *const *k, int64_t at, vf sum[VL])
{
    UNROLL for (int j = 0; j < keys; j++) {
        if (half && DOT2) {
            const vi x = vi_load((const int32_t *)(const void *)(k[j] + at));
            UNROLL for (int r = 0; r < rows; r++) {
                const void *query = q + r * q_stride + at;
                sum[r * keys + j] = v_dot2(sum[r * keys + j], vi_load(query), x);
            }
            continue;
        }
        vf x[2];
        load_pair(half, k[j] + at, x);
        UNROLL for (int r = 0; r < rows; r++) {
            const float *query = (const float *)(const void *)(q + r * q_stride)
                               + at / (half ? 2 : (int)sizeof(float));
            sum[r * keys + j] = v_mac(v_load(query), x[0], sum[r * keys + j]);
            sum[r * keys + j] = v_mac(v_load(query + VL), x[1], sum[r * keys + j]);
        }
    }
}

/* s[r][0..keys) of `rows` queries; rows keys = VL. k: the keys' addresses. */
TEMPLATE void score_tile(int half, int rows, const char *q, int64_t q_stride, int64_t row_bytes,
                         const char *const *k, float *s)
{
    const int keys = VL / rows;
    vf sum[VL];
    float all[VL];
    UNROLL for (int i = 0; i < VL; i++) sum[i] = v_zero();
    for (int64_t at = 0; at < row_bytes; at += half ? 2 * PAIR : 4 * PAIR)
        score_pair(half, rows, keys, q, q_stride, k, at, sum);
    v_transpose(sum);
    UNROLL for (int i = 1; i < VL; i++) sum[0] = v_add(sum[0], sum[i]);
    v_store(all, sum[0]);
    for (int r = 0; r < rows; r++)
        memcpy(s + r * BLOCK, all + r * keys, (size_t)keys * sizeof *s);
}

TEMPLATE void score_rows(int half, int rows, const Job *j, const Work *w, int64_t row,
                         const char *k, int64_t stride, int n)
{
    const int keys = VL / rows;
    const int64_t q_stride = j->Dp * (half && DOT2 ? 2 : 4), bytes = j->Dp * (half ? 2 : 4);
    const char *last = k + (n - 1) * stride;
    for (int t = 0; t < n; t += keys, k += keys * stride) {
        const char *key[VL];
        for (int i = 0; i < keys; i++) {
            key[i] = k + i * stride < last ? k + i * stride : last;
            for (int64_t line = 0; line < bytes; line += 64)
                v_prefetch(k + (BLOCK + i) * stride + line);
        }
        score_tile(half, rows, w->q + row * q_stride, q_stride, bytes, key,
                   w->s + row * BLOCK + t);
    }
}

/* ---- weights -------------------------------------------------------------------------------- */

/* Row r of scores to weights under the maximum so far; keys outside lo..hi-1 get 0. */
static void weigh(const Job *j, Work *w, int64_t r, int lo, int hi, int n)
{
    float *s = w->s + r * BLOCK;
    const vf unit = v_set1((float)j->a.scale * 1.44269504f);
    vf top = v_set1(w->top[r]), sum = v_zero();
    for (int i = 0; i < n; i += VL) {
        const vm live = vm_and(vm_first(hi - i), vm_not(vm_first(lo - i)));
        const vf x = v_select(live, v_load(s + i), v_set1(-INFINITY));
        v_store(s + i, x);
        top = v_max(x, top);
    }
    const float before = w->top[r], now = v_top(top);
    w->top[r] = now;
    w->keep[r] = 1;
    if (now == -INFINITY) { memset(s, 0, (size_t)n * sizeof *s); return; }
    for (int i = 0; i < n; i += VL) {
        const vf p = v_exp2_down(v_mul(v_sub(v_load(s + i), v_set1(now)), unit), 5);
        v_store(s + i, p);
        sum = v_add(sum, p);
    }
    w->keep[r] = exp2f((before - now) * ((float)j->a.scale * 1.44269504f));
    w->sum[r] = w->sum[r] * w->keep[r] + v_sum(sum);
}

/* ---- values ----------------------------------------------------------------------------------- */

/* `pairs` pairs of `rows` outputs: o = keep o + sum p v. */
TEMPLATE void value_tile(int half, int rows, int pairs, const Job *j, const Work *w, int64_t row,
                         const char *v, int64_t stride, int n, int64_t first_pair)
{
    float *o = w->o + row * j->Dp + first_pair * PAIR;
    const float *s = w->s + row * BLOCK;
    const int64_t at = first_pair * (half ? 2 * PAIR : 4 * PAIR);
    vf sum[SUMS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < 2 * pairs; i++)
            sum[r * 2 * pairs + i] = v_mul(v_load(o + r * j->Dp + i * VL),
                                           v_set1(w->keep[row + r]));
    for (int t = 0; t < n; t++) {
        const char *value = v + t * stride + at;
        UNROLL for (int i = 0; i < pairs; i++) {
            vf x[2];
            load_pair(half, value + i * (half ? 2 * PAIR : 4 * PAIR), x);
            v_prefetch(value + i * (half ? 2 * PAIR : 4 * PAIR) + BLOCK * stride);
            if (!half) v_prefetch(value + i * 4 * PAIR + 4 * VL + BLOCK * stride);
            UNROLL for (int r = 0; r < rows; r++) {
                const vf p = v_set1(s[r * BLOCK + t]);
                vf *to = sum + r * 2 * pairs + 2 * i;
                to[0] = v_mac(p, x[0], to[0]);
                to[1] = v_mac(p, x[1], to[1]);
            }
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < 2 * pairs; i++)
            v_store(o + r * j->Dp + i * VL, sum[r * 2 * pairs + i]);
}

TEMPLATE void value_rows(int half, int rows, const Job *j, const Work *w, int64_t row,
                         const char *v, int64_t stride, int n)
{
    const int wide = SUMS / (2 * rows) < 4 ? SUMS / (2 * rows) : 4;
    const int64_t pairs = j->Dp / PAIR;
    int64_t i = 0;
    for (; i + wide <= pairs; i += wide)
        value_tile(half, rows, wide, j, w, row, v, stride, n, i);
    for (; i < pairs; i++) value_tile(half, rows, 1, j, w, row, v, stride, n, i);
}

/* ---- one block of keys ---------------------------------------------------------------------------- */

typedef struct { const char *data; int64_t stride; } Block;     /* bytes */

/* The block where it lies, or a copy padded with zeros to whole pairs. */
static Block block_at(const Job *j, const char *cache, char *copy, int64_t slot, int n)
{
    const int64_t row = j->a.D * j->item;
    const char *at = cache + slot * row;
    if (j->Dp == j->a.D) return (Block){ at, row };
    for (int t = 0; t < n; t++)
        memcpy(copy + t * j->Dp * j->item, at + t * row, (size_t)row);
    return (Block){ copy, j->Dp * j->item };
}

TEMPLATE void block_of(int half, const Job *j, Work *w, const KeyRange *see, Block k, Block v,
                       int64_t slot, int n)
{
    int64_t r = 0;
    for (; r + 4 <= j->rows && VL >= 4; r += 4) score_rows(half, 4, j, w, r, k.data, k.stride, n);
    for (; r + 2 <= j->rows; r += 2) score_rows(half, 2, j, w, r, k.data, k.stride, n);
    for (; r < j->rows; r++) score_rows(half, 1, j, w, r, k.data, k.stride, n);
    for (r = 0; r < j->rows; r++) {
        const KeyRange at = see[r % j->a.T];
        const int64_t lo = at.first - slot, hi = at.end - slot;
        weigh(j, w, r, lo < 0 ? 0 : lo > n ? n : (int)lo, hi < 0 ? 0 : hi > n ? n : (int)hi, n);
    }
    for (r = 0; r + 4 <= j->rows; r += 4) value_rows(half, 4, j, w, r, v.data, v.stride, n);
    for (; r + 2 <= j->rows; r += 2) value_rows(half, 2, j, w, r, v.data, v.stride, n);
    for (; r < j->rows; r++) value_rows(half, 1, j, w, r, v.data, v.stride, n);
}

/* ---- one task: one split of one key head ---------------------------------------------------------- */

static void prepare_query(const Job *j, const char *from, char *to)
{
    const int64_t D = j->a.D;
    memset(to, 0, (size_t)j->Dp * (j->dtype == BF16 && DOT2 ? 2 : 4));
    if (j->dtype != BF16 || DOT2) { memcpy(to, from, (size_t)(D * j->item)); return; }
    for (int64_t d = 0; d < D; d++)
        ((float *)(void *)to)[place(1, d)] = bf16_to_float(((const uint16_t *)(const void *)from)[d]);
}

/* What the queries of batch entry b see of slots first..end-1; returns the union. */
static KeyRange look(const Job *j, int64_t b, int64_t first, int64_t end, KeyRange *see)
{
    KeyRange all = { end, first };
    for (int64_t i = 0; i < j->a.T; i++) {
        see[i] = attention_keys(&j->a, b, i);
        if (see[i].first < first) see[i].first = first;
        if (see[i].end > end) see[i].end = end;
        if (see[i].end <= see[i].first) continue;
        if (see[i].first < all.first) all.first = see[i].first;
        if (see[i].end > all.end) all.end = see[i].end;
    }
    return all;
}

static void finish(const Job *j, const Work *w, float *o, float *lse)
{
    for (int64_t r = 0; r < j->rows; r++) {
        const float inverse = w->sum[r] > 0 ? 1 / w->sum[r] : 0;
        lse[r] = w->sum[r] > 0 ? w->top[r] * (float)j->a.scale + logf(w->sum[r]) : -INFINITY;
        for (int64_t d = 0; d < j->a.D; d++)
            o[r * j->a.D + d] = w->o[r * j->Dp + place(j->dtype == BF16, d)] * inverse;
    }
}

/* Pieces of a worker's scratch, each on its own cache line; returns their size. */
static size_t carve(const Job *j, Work *w, KeyRange **see, char *base)
{
    const size_t rows = (size_t)j->rows, width = (size_t)j->Dp, copy = BLOCK * width * (size_t)j->item;
    const size_t size[] = {
        rows * width * 4, rows * BLOCK * 4, rows * width * 4, rows * 4, rows * 4, rows * 4,
        j->Dp == j->a.D ? 0 : copy, j->Dp == j->a.D ? 0 : copy, (size_t)j->a.T * sizeof(KeyRange),
    };
    size_t at[10] = { 0 };
    for (int i = 0; i < 9; i++) at[i + 1] = at[i] + workspace_round(size[i]);
    if (!base) return at[9];
    *w = (Work){
        .q = base + at[0], .s = (float *)(void *)(base + at[1]), .o = (float *)(void *)(base + at[2]),
        .top = (float *)(void *)(base + at[3]), .sum = (float *)(void *)(base + at[4]),
        .keep = (float *)(void *)(base + at[5]), .k = base + at[6], .v = base + at[7],
    };
    *see = (KeyRange *)(void *)(base + at[8]);
    return at[9];
}

static void begin(const Job *j, Work *w, int64_t first_row)
{
    const size_t stride = (size_t)j->Dp * (j->dtype == BF16 && DOT2 ? 2 : 4);
    for (int64_t r = 0; r < j->rows; r++) {
        prepare_query(j, j->q + (first_row + r) * j->a.D * j->item, w->q + (size_t)r * stride);
        w->top[r] = -INFINITY;
        w->sum[r] = 0;
    }
    memset(w->o, 0, (size_t)(j->rows * j->Dp) * sizeof *w->o);
    if (j->Dp == j->a.D) return;
    memset(w->k, 0, (size_t)(BLOCK * j->Dp * j->item));
    memset(w->v, 0, (size_t)(BLOCK * j->Dp * j->item));
}

static void split_body(void *arg, int64_t index, int worker)
{
    const Job *j = arg;
    const int64_t g = index % j->splits, kv = index / j->splits;      /* kv: b Hkv + key head */
    const int64_t b = kv / j->a.Hkv, first_row = kv * j->rows;
    const int64_t from = j->start ? j->start[g] : g * j->length;
    const int64_t to = j->start ? j->start[g + 1] : from + j->length;
    Work w;
    KeyRange *see;
    carve(j, &w, &see, j->scratch + (size_t)worker * j->scratch_bytes);
    begin(j, &w, first_row);
    const KeyRange all = look(j, b, from, to, see);
    for (int64_t slot = all.first; slot < all.end; slot += BLOCK) {
        const int n = all.end - slot < BLOCK ? (int)(all.end - slot) : BLOCK;
        const Block k = block_at(j, j->k, w.k, kv * j->a.Tk + slot, n);
        const Block v = block_at(j, j->v, w.v, kv * j->a.Tk + slot, n);
        if (j->dtype == BF16) block_of(1, j, &w, see, k, v, slot, n);
        else block_of(0, j, &w, see, k, v, slot, n);
    }
    const int64_t flat = g * j->a.B * j->a.H * j->a.T + first_row;
    finish(j, &w, j->o_partial + flat * j->a.D, j->lse_partial + flat);
}

/* ---- merging --------------------------------------------------------------------------------------- */

static void put(const Job *j, int64_t at, vf x, int n)
{
    if (j->dtype == BF16) v_store_bf16_n((uint16_t *)j->o + at, x, n);
    else v_store_n((float *)j->o + at, x, n);
}

/* One query: lse = ln sum exp lse_g, o = sum exp(lse_g - lse) o_g. */
static void merge_body(void *arg, int64_t row, int worker)
{
    const Job *j = arg;
    const int64_t rows = j->a.B * j->a.H * j->a.T, D = j->a.D;
    float top = -INFINITY, sum = 0;
    (void)worker;
    for (int64_t g = 0; g < j->splits; g++) top = fmaxf(top, j->lse_partial[g * rows + row]);
    for (int64_t g = 0; g < j->splits && top > -INFINITY; g++)
        sum += expf(j->lse_partial[g * rows + row] - top);
    j->lse[row] = top > -INFINITY ? top + logf(sum) : -INFINITY;
    for (int64_t d = 0; d < D; d += VL) {
        const int n = D - d < VL ? (int)(D - d) : VL;
        vf o = v_zero();
        for (int64_t g = 0; g < j->splits && top > -INFINITY; g++) {
            const vf weight = v_set1(expf(j->lse_partial[g * rows + row] - j->lse[row]));
            o = v_fma(weight, v_load_n(j->o_partial + (g * rows + row) * D + d, n), o);
        }
        put(j, row * D + d, o, n);
    }
}

/* ---- the variant -------------------------------------------------------------------------------------- */

static void append(const Job *j, const Tensor *fresh, Tensor *cache)
{
    const size_t bytes = (size_t)(j->a.appended * j->a.D * j->item);
    for (int64_t head = 0; j->a.appended && head < j->a.B * j->a.Hkv; head++) {
        const int64_t slot = j->a.key_len[head / j->a.Hkv];
        require(slot >= 0 && slot + j->a.appended <= j->a.Tk);
        memcpy((char *)cache->data + (head * j->a.Tk + slot) * j->a.D * j->item,
               (const char *)fresh->data + (size_t)head * bytes, bytes);
    }
}

/* The sizes alone. Where the caller gives no splits their number follows from the problem
 * and not from the threads, so that these do not change the result. */
static Job job_of(const Problem *p)
{
    Job j = { .a = attention_of(p, NULL), .dtype = p->dtype, .item = (int64_t)dtype_bytes(p->dtype) };
    j.Dp = (j.a.D + PAIR - 1) / PAIR * PAIR;
    j.rows = j.a.H / j.a.Hkv * j.a.T;
    j.splits = p->value[SPLITS];
    if (!j.splits) {
        const int64_t heads = j.a.B * j.a.Hkv, wanted = (TASKS_WANTED + heads - 1) / heads;
        j.length = (j.a.Tk + wanted - 1) / wanted;
        j.length = (j.length < SPLIT_MIN ? SPLIT_MIN : j.length + BLOCK - 1) / BLOCK * BLOCK;
        j.splits = (j.a.Tk + j.length - 1) / j.length;
    }
    j.a.right = 0;
    j.a.dropout_percent = 0;
    j.a.appended = p->value[TNEW];
    j.scratch_bytes = carve(&j, NULL, NULL, NULL);
    return j;
}

static size_t workspace(const Problem *p, int threads)
{
    const Job j = job_of(p);
    const size_t rows = (size_t)(j.splits * j.a.B * j.a.H * j.a.T);
    const size_t partial = workspace_round(rows * (size_t)j.a.D * 4) + workspace_round(rows * 4);
    return (p->value[SPLITS] ? 0 : partial) + (size_t)threads * j.scratch_bytes;
}

static Status run(const Problem *p, const Args *args, Ctx *ctx)
{
    Tensor *x = args->x;
    Job j = job_of(p);
    const size_t rows = (size_t)(j.splits * j.a.B * j.a.H * j.a.T);
    j.a.key_len = x[CACHE_LEN].data;
    j.start = x[SPLIT_START].data;
    j.q = x[AT_Q].data;
    j.k = x[K_CACHE].data;
    j.v = x[V_CACHE].data;
    j.o = x[AT_O].data;
    j.lse = x[AT_LSE].data;
    j.o_partial = x[O_PARTIAL].data ? x[O_PARTIAL].data
                                    : workspace_take(ctx->ws, rows * (size_t)j.a.D * 4);
    j.lse_partial = x[LSE_PARTIAL].data ? x[LSE_PARTIAL].data : workspace_take(ctx->ws, rows * 4);
    j.scratch = workspace_take(ctx->ws, (size_t)ctx->threads * j.scratch_bytes);
    append(&j, &x[K_NEW], &x[K_CACHE]);
    append(&j, &x[V_NEW], &x[V_CACHE]);
    parallel_for(ctx->team, j.a.B * j.a.Hkv * j.splits, split_body, &j);
    parallel_for(ctx->team, j.a.B * j.a.H * j.a.T, merge_body, &j);
    return OK;
}

VARIANT = {
    VARIANT_ID, .passes = STEP, .dtypes = 1u << F32 | 1u << BF16,
    .run = run, .workspace = workspace,
    .note = "decoding: splits of the cache in parallel, a key loaded once for all its queries",
};
