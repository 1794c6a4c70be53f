/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding with the cache split over its length (Flash-Decoding): each task runs online
 * softmax over one split of one key head and leaves a normalised partial output and its
 * lse; a second pass merges them.
 *
 * Decoding is limited by reading the cache once, and everything serves that. All queries of
 * a key head (its group of heads, times T) are handled while a key or value is near. Keys
 * and values alternate in grains of 2 KB, so that the hardware follows both streams; where
 * several queries make the arithmetic heavy, rows 4 KB ahead are asked for too. Keys lie
 * row by row, hence a score is a dot product: a row of a block's scores is reduced from its
 * vectors of partial sums by additions that transpose (vsums.h).
 *
 * bf16 rows are read as pairs: the even elements of a pair vector are its words shifted up,
 * the odd ones its words masked. Queries and outputs stay in that order inside. Where the
 * ISA has bf16 dot products, scores use them directly, and values too, two keys at a time,
 * with weights rounded to bf16; sums are float32 everywhere. */
#include "flash_attention.h"
#include "../core/parallel.h"
#include "../core/vmath.h"
#include "../core/vsums.h"

enum {
    PAIR = 2 * VL,               /* elements that are loaded together */
    BLOCK = 32,                  /* keys between two updates of the weights */
    ROWS = 4,                    /* queries at a time: a key is loaded once for all of them */
    HELD = 4,                    /* pairs of each of them that registers can hold */
    GRAIN_BYTES = 2048,          /* of keys, then of values, before the other has its turn */
    AHEAD_BYTES = 4096,          /* of a prefetch into L2, where there are several queries */
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
    char  *q;                    /* [rows][Dp] float or, where bf16 dot products exist, bf16 */
    float *part;                 /* [rows][BLOCK][VL] partial sums of the scores */
    char  *weight;               /* [rows] of BLOCK floats, or of BLOCK bf16 and as much unused */
    float *o;                    /* [rows][Dp] unnormalised */
    float *top;                  /* [rows] maximum of the scores that the weights refer to */
    float *sum;                  /* [rows][VL] of the weights */
    char  *k, *v;                /* [BLOCK][Dp] padded copies, if D is not whole pairs */
    KeyRange *see;               /* [T] */
} Work;

typedef struct { const char *data; int64_t stride; } Block;     /* keys or values; bytes */

static int least(int64_t x, int64_t y) { return (int)(x < y ? x : y); }

static const float LOG2_E = 1.44269504f;

/* ---- pairs ----------------------------------------------------------------------------- */

#ifdef SIMD_BF16_DOT
enum { DOT2 = 1 };
#else
enum { DOT2 = 0 };
static inline vf v_dot2(vf c, vi a, vi b) { (void)a, (void)b; return c; }   /* never reached */
#endif

/* Bytes of n elements of the cache. */
TEMPLATE int64_t bytes_of(int half, int64_t n) { return half ? 2 * n : 4 * n; }

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

static void ask_for(const char *row, int64_t bytes)
{
    for (int64_t line = 0; line < bytes; line += 64)
        __builtin_prefetch(row + AHEAD_BYTES + line, 0, 2);
}

/* ---- scores ---------------------------------------------------------------------------- */

/* dot[r] += q_r . k over the pair at byte `at` of a key. */
TEMPLATE void score_pair(int half, int rows, const char *q, int64_t q_stride, const char *k,
                         int64_t at, vf dot[ROWS])
{
    if (half && DOT2) {
        const vi x = vi_load((const int32_t *)(const void *)(k + at));
        UNROLL for (int r = 0; r < rows; r++) {
            const void *query = q + r * q_stride + at;
            dot[r] = v_dot2(dot[r], vi_load(query), x);
        }
        return;
    }
    vf x[2];
    load_pair(half, k + at, x);
    UNROLL for (int r = 0; r < rows; r++) {
        const void *query = q + r * q_stride + (half ? 2 * at : at);
        dot[r] = v_mac(v_load(query), x[0], dot[r]);
        dot[r] = v_mac(v_load((const float *)query + VL), x[1], dot[r]);
    }
}

/* Partial sums of `rows` queries with keys t..t+n-1 of the block, one key after the other. A
 * constant number of pairs (0: any) is unrolled, and with bf16 dot products the queries then
 * stay in registers, where the compiler, fearing for them at each store, would load them again. */
TEMPLATE void score_rows(int half, int rows, int pairs, const Job *j, const Work *w, int64_t row,
                         Block k, int t, int n)
{
    const int64_t q_stride = half && DOT2 ? 2 * j->Dp : 4 * j->Dp;
    const int64_t bytes = bytes_of(half, pairs ? pairs * PAIR : j->Dp);
    const int holds = half && DOT2 && pairs;
    const char *q = w->q + row * q_stride, *key = k.data + t * k.stride;
    float *part = w->part + (row * BLOCK + t) * VL;
    vi held[ROWS][HELD];
    UNROLL for (int r = 0; holds && r < rows; r++)
        UNROLL for (int u = 0; u < pairs; u++)
            held[r][u] = vi_load((const int32_t *)(const void *)q + (r * pairs + u) * VL);
    for (int i = 0; i < n; i++, key += k.stride, part += VL) {
        vf dot[ROWS];
        if (rows > 1 && row == 0) ask_for(key, bytes);
        UNROLL for (int r = 0; r < rows; r++) dot[r] = v_zero();
        UNROLL for (int64_t at = 0; at < bytes && !holds; at += bytes_of(half, PAIR))
            score_pair(half, rows, q, q_stride, key, at, dot);
        UNROLL for (int u = 0; holds && u < pairs; u++) {
            const vi x = vi_load((const int32_t *)(const void *)key + u * VL);
            UNROLL for (int r = 0; r < rows; r++) dot[r] = v_dot2(dot[r], held[r][u], x);
        }
        UNROLL for (int r = 0; r < rows; r++) v_store(part + r * BLOCK * VL, dot[r]);
    }
}

/* ---- weights --------------------------------------------------------------------------- */

/* A larger maximum: what the row has so far shrinks. Rare in a long cache. */
static void raise_top(const Job *j, Work *w, int64_t r, const vf x[BLOCK / VL])
{
    float *o = w->o + r * j->Dp, *sum = w->sum + r * VL;
    vf top = v_set1(w->top[r]);
    for (int i = 0; i < BLOCK / VL; i++) top = v_max(x[i], top);
    const float now = v_top(top), unit = (float)j->a.scale * LOG2_E;
    const vf keep = v_set1(exp2f((w->top[r] - now) * unit));
    w->top[r] = now;
    v_store(sum, v_mul(v_load(sum), keep));
    for (int64_t d = 0; d < j->Dp; d += VL) v_store(o + d, v_mul(v_load(o + d), keep));
}

/* Row r of a block's scores from its partial sums, then its weights. Keys outside
 * lo..hi-1 get 0. */
static void weigh(const Job *j, Work *w, int64_t r, int lo, int hi)
{
    vf x[BLOCK / VL], sum = v_zero();
    vm grows = vm_first(0);
    for (int i = 0; i < BLOCK / VL; i++) {
        vf part[VL];
        UNROLL for (int l = 0; l < VL; l++)
            part[l] = v_load(w->part + (r * BLOCK + i * VL + l) * VL);
        const vm live = vm_and(vm_first(hi - i * VL), vm_not(vm_first(lo - i * VL)));
        x[i] = v_select(live, v_sums(part), v_set1(-INFINITY));
        grows = vm_or(grows, v_lt(v_set1(w->top[r]), x[i]));
    }
    if (vm_bits(grows)) raise_top(j, w, r, x);
    const vf shift = v_set1(w->top[r] == -INFINITY ? 0 : w->top[r]);
    const vf unit = v_set1((float)j->a.scale * LOG2_E);
    void *to = w->weight + r * BLOCK * 4;
    for (int i = 0; i < BLOCK / VL; i++) {
        const vf p = v_exp2_down(v_mul(v_sub(x[i], shift), unit), 5);
        if (j->dtype == BF16 && DOT2) v_store_bf16((uint16_t *)to + i * VL, p);
        else v_store((float *)to + i * VL, p);
        sum = v_add(sum, p);
    }
    v_store(w->sum + r * VL, v_add(v_load(w->sum + r * VL), sum));
}

/* ---- values ---------------------------------------------------------------------------- */

/* sum[r] += p_r v for one key; its weights lie BLOCK apart. */
TEMPLATE void value_key(int half, int rows, int pairs, const float *weight, const char *v,
                        vf sum[SUMS])
{
    vf p[ROWS];
    UNROLL for (int r = 0; r < rows; r++) p[r] = v_set1(weight[r * BLOCK]);
    UNROLL for (int i = 0; i < pairs; i++) {
        vf x[2];
        load_pair(half, v + i * bytes_of(half, PAIR), x);
        UNROLL for (int r = 0; r < rows; r++) {
            vf *to = sum + r * 2 * pairs + 2 * i;
            to[0] = v_mac(p[r], x[0], to[0]);
            to[1] = v_mac(p[r], x[1], to[1]);
        }
    }
}

/* The same for keys v and u at once: a pair of weights times the even elements of both side
 * by side, then times the odd ones. */
TEMPLATE void value_two_keys(int rows, int pairs, const uint16_t *weight, const char *v,
                             const char *u, vf sum[SUMS])
{
    const vi low = vi_set1(0xffff), high = vi_set1((int32_t)0xffff0000u);
    vi p[ROWS];
    UNROLL for (int r = 0; r < rows; r++) {
        int32_t both;
        memcpy(&both, weight + r * 2 * BLOCK, sizeof both);
        p[r] = vi_set1(both);
    }
    UNROLL for (int i = 0; i < pairs; i++) {
        const vi a = vi_load((const int32_t *)(const void *)(v + i * 2 * PAIR));
        const vi b = vi_load((const int32_t *)(const void *)(u + i * 2 * PAIR));
        const vi even = vi_or(vi_and(a, low), vi_shl(b, 16));
        const vi odd = vi_or(vi_shr(a, 16), vi_and(b, high));
        UNROLL for (int r = 0; r < rows; r++) {
            vf *to = sum + r * 2 * pairs + 2 * i;
            to[0] = v_dot2(to[0], p[r], even);
            to[1] = v_dot2(to[1], p[r], odd);
        }
    }
}

typedef struct { const Block v; int t, n, asks; } Values;      /* t..t+n-1 of a block; t even */

/* o += weights times values over `pairs` pairs from `first` on. A weight behind the last key
 * is 0, so an odd last key is paired with itself. */
TEMPLATE void value_tile(int half, int rows, int pairs, const Job *j, const Work *w, int64_t row,
                         const Values *x, int64_t first)
{
    const char *v = x->v.data + x->t * x->v.stride + first * bytes_of(half, PAIR);
    const void *weight = w->weight + row * BLOCK * 4;
    float *o = w->o + row * j->Dp + first * PAIR;
    vf sum[SUMS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < 2 * pairs; i++)
            sum[r * 2 * pairs + i] = v_load(o + r * j->Dp + i * VL);
    for (int t = x->t; t < x->t + x->n; t++, v += x->v.stride) {
        if (x->asks) ask_for(v, bytes_of(half, pairs * PAIR));
        if (!(half && DOT2)) {
            value_key(half, rows, pairs, (const float *)weight + t, v, sum);
        } else if (t % 2 == 0) {
            const char *next = t + 1 < x->t + x->n ? v + x->v.stride : v;
            value_two_keys(rows, pairs, (const uint16_t *)weight + t, v, next, sum);
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int i = 0; i < 2 * pairs; i++)
            v_store(o + r * j->Dp + i * VL, sum[r * 2 * pairs + i]);
}

TEMPLATE void value_rows(int half, int rows, const Job *j, const Work *w, int64_t row, Block v,
                         int t, int n)
{
    const Values x = { v, t, n, rows > 1 && row == 0 };
    const int64_t pairs = j->Dp / PAIR;
    int64_t i = 0;
    for (; i + 4 <= pairs && 8 * rows <= SUMS; i += 4) value_tile(half, rows, 4, j, w, row, &x, i);
    for (; i + 2 <= pairs && 4 * rows <= SUMS; i += 2) value_tile(half, rows, 2, j, w, row, &x, i);
    for (; i < pairs; i++) value_tile(half, rows, 1, j, w, row, &x, i);
}

/* ---- blocks ---------------------------------------------------------------------------- */

/* The block where it lies, or a copy padded with zeros to whole pairs. */
static Block block_at(const Job *j, const char *cache, char *copy, int64_t slot, int n)
{
    const int64_t row = j->a.D * j->item;
    const char *at = cache + slot * row;
    if (j->Dp == j->a.D) return (Block){ at, row };
    for (int t = 0; t < n; t++) memcpy(copy + t * j->Dp * j->item, at + t * row, (size_t)row);
    return (Block){ copy, j->Dp * j->item };
}

TEMPLATE void score_some(int half, int rows, const Job *j, const Work *w, int64_t row, Block k,
                         int t, int n)
{
    const int64_t pairs = j->Dp / PAIR;
    if (pairs == 2) score_rows(half, rows, 2, j, w, row, k, t, n);
    else if (pairs == HELD) score_rows(half, rows, HELD, j, w, row, k, t, n);
    else score_rows(half, rows, 0, j, w, row, k, t, n);
}

TEMPLATE void score_grain(int half, const Job *j, const Work *w, Block k, int t, int n)
{
    int64_t r = 0;
    for (; r + 4 <= j->rows; r += 4) score_some(half, 4, j, w, r, k, t, n);
    for (; r + 2 <= j->rows; r += 2) score_some(half, 2, j, w, r, k, t, n);
    for (; r < j->rows; r++) score_some(half, 1, j, w, r, k, t, n);
}

/* As many queries at a time as leave whole values in registers: one half of all values and
 * then the other would break the stream. But pairs of bf16 values take so long to unpack that
 * it is better to do it once for four queries. */
TEMPLATE void value_grain(int half, const Job *j, const Work *w, Block v, int t, int n)
{
    int64_t r = 0;
    for (; ((half && DOT2) || 8 * j->Dp / PAIR <= SUMS) && r + 4 <= j->rows; r += 4)
        value_rows(half, 4, j, w, r, v, t, n);
    for (; r + 2 <= j->rows; r += 2) value_rows(half, 2, j, w, r, v, t, n);
    for (; r < j->rows; r++) value_rows(half, 1, j, w, r, v, t, n);
}

static void weigh_block(const Job *j, Work *w, int64_t slot, int n)
{
    for (int64_t r = 0; r < j->rows; r++) {
        const KeyRange at = w->see[r % j->a.T];
        const int64_t lo = at.first - slot, hi = at.end - slot;
        weigh(j, w, r, lo < 0 ? 0 : least(lo, n), hi < 0 ? 0 : least(hi, n));
    }
}

/* Scores of one block and values of the one before it, in alternating grains. `head`: flat
 * row of slot 0. */
TEMPLATE void sweep(int half, const Job *j, Work *w, KeyRange all, int64_t head)
{
    const int64_t row = bytes_of(half, j->Dp);
    const int grain = row > GRAIN_BYTES / 2 ? 2 : least(BLOCK, GRAIN_BYTES / row / 2 * 2);
    Block k = { 0 }, v = { 0 };
    for (int64_t slot = all.first, before = 0; slot < all.end || before; slot += BLOCK) {
        const int n = slot < all.end ? least(all.end - slot, BLOCK) : 0;
        if (n) k = block_at(j, j->k, w->k, head + slot, n);
        for (int t = 0; t < BLOCK; t += grain) {
            if (t < n) score_grain(half, j, w, k, t, least(n - t, grain));
            if (t < before) value_grain(half, j, w, v, t, least(before - t, grain));
        }
        before = n;
        if (!n) continue;
        v = block_at(j, j->v, w->v, head + slot, n);
        weigh_block(j, w, slot, n);
    }
}

/* ---- one task: one split of one key head ----------------------------------------------- */

static void prepare_query(const Job *j, const void *from, void *to)
{
    const int64_t D = j->a.D;
    memset(to, 0, (size_t)j->Dp * (j->dtype == BF16 && DOT2 ? 2 : 4));
    if (j->dtype != BF16 || DOT2) { memcpy(to, from, (size_t)(D * j->item)); return; }
    for (int64_t d = 0; d < D; d++)
        ((float *)to)[place(1, d)] = bf16_to_float(((const uint16_t *)from)[d]);
}

static void begin(const Job *j, Work *w, int64_t first_row)
{
    const size_t stride = (size_t)j->Dp * (j->dtype == BF16 && DOT2 ? 2 : 4);
    for (int64_t r = 0; r < j->rows; r++) {
        prepare_query(j, j->q + (first_row + r) * j->a.D * j->item, w->q + (size_t)r * stride);
        w->top[r] = -INFINITY;
        v_store(w->sum + r * VL, v_zero());
    }
    memset(w->o, 0, (size_t)(j->rows * j->Dp) * sizeof *w->o);
    if (j->Dp == j->a.D) return;
    memset(w->k, 0, (size_t)(BLOCK * j->Dp * j->item));
    memset(w->v, 0, (size_t)(BLOCK * j->Dp * j->item));
}

/* What the queries of batch entry b see of slots first..end-1, each (see; may be NULL) and
 * together. */
static KeyRange look(const Job *j, int64_t b, int64_t first, int64_t end, KeyRange *see)
{
    KeyRange all = { end, first };
    for (int64_t i = 0; i < j->a.T; i++) {
        KeyRange keys = attention_keys(&j->a, b, i);
        if (keys.first < first) keys.first = first;
        if (keys.end > end) keys.end = end;
        if (see) see[i] = keys;
        if (keys.end <= keys.first) continue;
        if (keys.first < all.first) all.first = keys.first;
        if (keys.end > all.end) all.end = keys.end;
    }
    return all;
}

static void finish(const Job *j, const Work *w, float *o, float *lse)
{
    for (int64_t r = 0; r < j->rows; r++) {
        const float sum = v_sum(v_load(w->sum + r * VL)), inverse = sum > 0 ? 1 / sum : 0;
        lse[r] = sum > 0 ? w->top[r] * (float)j->a.scale + logf(sum) : -INFINITY;
        for (int64_t d = 0; d < j->a.D; d++)
            o[r * j->a.D + d] = w->o[r * j->Dp + place(j->dtype == BF16, d)] * inverse;
    }
}

enum { PIECES = 9 };
/* Pieces of a worker's scratch, each on cache lines of its own; returns their size. */
static size_t carve(const Job *j, Work *w, char *base)
{
    const size_t rows = (size_t)j->rows, width = (size_t)j->Dp;
    const size_t copy = j->Dp == j->a.D ? 0 : BLOCK * width * (size_t)j->item;
    const size_t size[PIECES] = {
        rows * width * 4, rows * BLOCK * VL * 4, rows * BLOCK * 4, rows * width * 4, rows * 4,
        rows * VL * 4, copy, copy, (size_t)j->a.T * sizeof(KeyRange),
    };
    void *at[PIECES];
    size_t used = 0;
    for (int i = 0; i < PIECES; i++) {
        at[i] = base ? base + used : NULL;
        used += workspace_round(size[i]);
    }
    *w = (Work){ at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], at[8] };
    return used;
}

static void split_body(void *arg, int64_t index, int worker)
{
    const Job *j = arg;
    const int64_t g = index % j->splits, kv = index / j->splits;      /* kv: b Hkv + key head */
    const int64_t from = j->start ? j->start[g] : g * j->length;
    const int64_t to = j->start ? j->start[g + 1] : from + j->length;
    const int64_t first_row = kv * j->rows, flat = g * j->a.B * j->a.H * j->a.T + first_row;
    Work w;
    carve(j, &w, j->scratch + (size_t)worker * j->scratch_bytes);
    begin(j, &w, first_row);
    const KeyRange all = look(j, kv / j->a.Hkv, from, to, w.see);
    if (j->dtype == BF16) sweep(1, j, &w, all, kv * j->a.Tk);
    else sweep(0, j, &w, all, kv * j->a.Tk);
    finish(j, &w, j->o_partial + flat * j->a.D, j->lse_partial + flat);
}

/* ---- merging --------------------------------------------------------------------------- */

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
    const float lse = top > -INFINITY ? top + logf(sum) : top;
    vf o[(ATTENTION_D_MAX + VL - 1) / VL];
    for (int64_t d = 0; d < D; d += VL) o[d / VL] = v_zero();
    for (int64_t g = 0; g < j->splits && top > -INFINITY; g++) {
        const vf weight = v_set1(expf(j->lse_partial[g * rows + row] - lse));
        const float *part = j->o_partial + (g * rows + row) * D;
        for (int64_t d = 0; d < D; d += VL)
            o[d / VL] = v_fma(weight, v_load_n(part + d, least(D - d, VL)), o[d / VL]);
    }
    j->lse[row] = lse;
    for (int64_t d = 0; d < D; d += VL) {
        const int n = least(D - d, VL);
        if (j->dtype == BF16) v_store_bf16_n((uint16_t *)j->o + row * D + d, o[d / VL], n);
        else v_store_n((float *)j->o + row * D + d, o[d / VL], n);
    }
}

/* ---- the variant ----------------------------------------------------------------------- */

static void append(const Job *j, const Tensor *fresh, Tensor *cache)
{
    const int64_t row = j->a.D * j->item, bytes = j->a.appended * row;
    for (int64_t head = 0; bytes && head < j->a.B * j->a.Hkv; head++) {
        const int64_t slot = j->a.key_len[head / j->a.Hkv];
        require(slot >= 0 && slot + j->a.appended <= j->a.Tk);
        memcpy((char *)cache->data + (head * j->a.Tk + slot) * row,
               (const char *)fresh->data + head * bytes, (size_t)bytes);
    }
}

/* The sizes alone. Where the caller gives no splits their number follows from the problem
 * and not from the threads, so that these do not change the result. */
static Job job_of(const Problem *p)
{
    Job j = { .a = attention_of(p, NULL), .dtype = p->dtype };
    Work w;
    j.item = (int64_t)dtype_bytes(p->dtype);
    j.Dp = (j.a.D + PAIR - 1) / PAIR * PAIR;
    j.rows = j.a.H / j.a.Hkv * j.a.T;
    j.splits = p->value[SPLITS];
    if (j.splits) {
        j.length = (j.a.Tk + j.splits - 1) / j.splits;
    } else {
        const int64_t heads = j.a.B * j.a.Hkv, wanted = (TASKS_WANTED + heads - 1) / heads;
        j.length = (j.a.Tk + wanted - 1) / wanted;
        j.length = ((j.length < SPLIT_MIN ? SPLIT_MIN : j.length) + BLOCK - 1) / BLOCK * BLOCK;
        j.splits = (j.a.Tk + j.length - 1) / j.length;
    }
    j.a.right = 0;
    j.a.dropout_percent = 0;
    j.a.appended = p->value[TNEW];
    j.scratch_bytes = carve(&j, &w, NULL);
    return j;
}

/* ---- what it does, without doing it ---------------------------------------------------- */

/* Lengths of padded caches are data, and so are splits that the caller gives: no formula. */
static void count(const Problem *p, Counts *counted)
{
    const Job j = job_of(p);
    const int64_t pair = j.dtype == BF16 && DOT2 ? 2 : 1;      /* keys that values are taken by */
    Counts head = { 0 };
    if (p->value[AT_KEY_PADDING] || p->value[SPLITS]) return;
    for (int64_t g = 0; g < j.splits; g++) {
        const KeyRange all = look(&j, 0, g * j.length, (g + 1) * j.length, NULL);
        for (int64_t slot = all.first; slot < all.end; slot += BLOCK) {
            const int64_t n = least(all.end - slot, BLOCK), values = (n + pair - 1) / pair * pair;
            head.matmul_flops += 2 * j.rows * j.Dp * (n + values);
            head.exps += j.rows * BLOCK;
        }
    }
    counted->matmul_flops += j.a.B * j.a.Hkv * head.matmul_flops;
    counted->exps += j.a.B * j.a.Hkv * head.exps;
}

enum { TILE_Q, TILE_K, TILE_V, TILE_PART, TILE_SUMS, TILE_PARTIAL, TILE_O };

static void touch(TileSink *sink, int tensor, int64_t first, int64_t n, int64_t item, int writes)
{
    sink->touch(sink, tensor, first * item, n * item, writes);
}

/* Of one key head with a full cache: each split's blocks, then the merge. */
static void tiles(const Problem *p, TileSink *sink)
{
    const Job j = job_of(p);
    const int64_t D = j.a.D, own = j.rows * j.Dp, wide = j.rows * (D + 1);
    for (int64_t g = 0; g < j.splits; g++) {
        const KeyRange all = look(&j, 0, g * j.length, (g + 1) * j.length, NULL);
        touch(sink, TILE_Q, 0, j.rows * D, j.item, 0);
        touch(sink, TILE_SUMS, 0, own, 4, 1);
        for (int64_t slot = all.first; slot < all.end; slot += BLOCK) {
            const int64_t n = least(all.end - slot, BLOCK);
            touch(sink, TILE_K, slot * D, n * D, j.item, 0);
            touch(sink, TILE_PART, 0, j.rows * BLOCK * VL, 4, 1);
            touch(sink, TILE_V, slot * D, n * D, j.item, 0);
            touch(sink, TILE_SUMS, 0, own, 4, 1);
        }
        touch(sink, TILE_PARTIAL, g * wide, wide, 4, 1);
    }
    touch(sink, TILE_PARTIAL, 0, j.splits * wide, 4, 0);
    touch(sink, TILE_O, 0, j.rows * D, j.item, 1);
}

static size_t workspace(const Problem *p, int threads)
{
    const Job j = job_of(p);
    const size_t rows = (size_t)(j.splits * j.a.B * j.a.H * j.a.T);
    const size_t partial = workspace_round(rows * (size_t)j.a.D * 4) + workspace_round(rows * 4);
    return (p->value[SPLITS] ? 0 : partial) + (size_t)threads * j.scratch_bytes;
}

/* The port's memory, or room for `floats` numbers where there is no such port. */
static float *port_or_room(const Tensor *t, Ctx *ctx, size_t floats)
{
    return t->data ? t->data : workspace_take(ctx->ws, floats * sizeof(float));
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
    j.o_partial = port_or_room(&x[O_PARTIAL], ctx, rows * (size_t)j.a.D);
    j.lse_partial = port_or_room(&x[LSE_PARTIAL], ctx, rows);
    j.scratch = workspace_take(ctx->ws, (size_t)ctx->threads * j.scratch_bytes);
    append(&j, &x[K_NEW], &x[K_CACHE]);
    append(&j, &x[V_NEW], &x[V_CACHE]);
    parallel_for(ctx->team, j.a.B * j.a.Hkv * j.splits, split_body, &j);
    parallel_for(ctx->team, j.a.B * j.a.H * j.a.T, merge_body, &j);
    return OK;
}

VARIANT = {
    VARIANT_ID, .passes = STEP, .dtypes = 1u << F32 | 1u << BF16,
    .run = run, .workspace = workspace, .counts = count, .tiles = tiles,
    .note = "decoding: splits of the cache in parallel, a key loaded once for all its queries",
};
