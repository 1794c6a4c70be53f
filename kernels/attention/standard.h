/* SPDX-License-Identifier: Apache-2.0 */
/* Standard attention as frameworks run it without a fused kernel: every operation goes
 * over the scores of all heads before the next one starts, and the scores live in memory
 * in the problem's own dtype. Products are OpenBLAS's; for bf16, of which OpenBLAS has
 * none here, a tile is widened before a product and rounded behind it. */
#ifndef STANDARD_H
#define STANDARD_H

#include "attention.h"
#include "../core/blas.h"
#include "../core/parallel.h"
#include "../core/vdropout.h"
#include "../core/vmath.h"

enum { KEYS = 512 };             /* a task of the products over keys (dK, dV) */

/* Queries a task: enough for BLAS to pack its operands once for many rows; few where the
 * widened tile has to stay in cache. */
static inline int64_t task_rows(Dtype dtype) { return dtype == BF16 ? 64 : 512; }

static inline int64_t ceil_div(int64_t n, int64_t size) { return (n + size - 1) / size; }

typedef struct {
    Attention    a;
    Dtype        dtype;          /* of the matrices of scores */
    Ctx         *ctx;
    const float *q, *k, *v, *grad_o;         /* widened copies where the problem is bf16 */
    float       *o, *lse, *grad_q, *grad_k, *grad_v;
    float       *scratch;        /* bf16: a widened tile for each worker */
    int64_t      scratch_floats;
} Job;

typedef struct {                 /* one row of scores */
    int64_t  flat;               /* (b H + h) T + i */
    KeyRange see;
    DropoutRow dropout;
} RowAt;

typedef void RowOp(const Job *, const RowAt *, const float *in, const float *other, float *out);

typedef struct {                 /* one operation over all heads */
    const Job   *job;
    const void  *in, *other;     /* matrices read, [B H][T][Tk] in the job's dtype */
    void        *out;            /* matrix written */
    const float *left, *right;   /* [B,H,T,D] or [B,Hkv,Tk,D] */
    float       *result;         /* likewise */
    float        alpha;
    RowOp       *row;
} Phase;

/* ---- tiles of a matrix --------------------------------------------------------------------- */

static inline int64_t element(const Job *j, int64_t head, int64_t row, int64_t key)
{
    return (head * j->a.T + row) * j->a.Tk + key;
}

static inline void widen(float *to, const uint16_t *from, int64_t n)
{
    int64_t i = 0;
    for (; i + VL <= n; i += VL) v_store(to + i, v_load_bf16(from + i));
    if (i < n) v_store_n(to + i, v_load_bf16_n(from + i, (int)(n - i)), (int)(n - i));
}

static inline void narrow(uint16_t *to, const float *from, int64_t n)
{
    int64_t i = 0;
    for (; i + VL <= n; i += VL) v_store_bf16(to + i, v_load(from + i));
    if (i < n) v_store_bf16_n(to + i, v_load_n(from + i, (int)(n - i)), (int)(n - i));
}

static inline float *scratch_of(const Job *j, int worker)
{
    return j->scratch + worker * j->scratch_floats;
}

/* Row `flat` of a matrix, to read; scratch holds it where it has to be widened. */
static inline const float *row_in(const Job *j, const void *matrix, int64_t flat, float *scratch)
{
    const int64_t at = flat * j->a.Tk;
    if (!matrix) return NULL;
    if (j->dtype != BF16) return (const float *)matrix + at;
    widen(scratch, (const uint16_t *)matrix + at, j->a.Tk);
    return scratch;
}

/* rows x keys of one head from (row, key) on, as an operand. */
static inline BlasMatrix tile_in(const Job *j, const void *matrix, int64_t at, int64_t rows,
                                 int64_t keys, float *scratch)
{
    if (j->dtype != BF16) return (BlasMatrix){ (const float *)matrix + at, j->a.Tk, 0 };
    for (int64_t i = 0; i < rows; i++)
        widen(scratch + i * keys, (const uint16_t *)matrix + at + i * j->a.Tk, keys);
    return (BlasMatrix){ scratch, keys, 0 };
}

/* ---- phases: bodies for parallel_for ------------------------------------------------------- */

typedef struct { int64_t head, b, kv, row, rows; } Part;   /* kv: b Hkv + the head's key head */

static inline Part part_of(const Job *j, int64_t index)
{
    const Attention *a = &j->a;
    const int64_t size = task_rows(j->dtype), parts = ceil_div(a->T, size);
    const int64_t head = index / parts, row = index % parts * size;
    const int64_t kv = head / a->H * a->Hkv + attention_key_head(a, head % a->H);
    return (Part){ head, head / a->H, kv, row, a->T - row < size ? a->T - row : size };
}

/* out = alpha left right', over the keys that are no padding: S = scale Q K', dP = dO V'. */
static inline void outer_body(void *arg, int64_t index, int worker)
{
    const Phase *p = arg;
    const Job *j = p->job;
    const Part t = part_of(j, index);
    const int64_t D = j->a.D, Tk = j->a.Tk, len = attention_key_len(&j->a, t.b);
    const int64_t at = element(j, t.head, t.row, 0);
    const BlasMatrix left = { p->left + (t.head * j->a.T + t.row) * D, D, 0 };
    const BlasMatrix right = { p->right + t.kv * Tk * D, D, 1 };
    if (j->dtype != BF16) {
        blas_product(t.rows, len, D, p->alpha, left, right, 0, (float *)p->out + at, Tk);
        return;
    }
    float *tile = scratch_of(j, worker);
    blas_product(t.rows, len, D, p->alpha, left, right, 0, tile, len);
    for (int64_t i = 0; i < t.rows; i++)
        narrow((uint16_t *)p->out + at + i * Tk, tile + i * len, len);
}

/* result = alpha in right: O = P V, dQ = scale dS K. */
static inline void apply_body(void *arg, int64_t index, int worker)
{
    const Phase *p = arg;
    const Job *j = p->job;
    const Part t = part_of(j, index);
    const int64_t D = j->a.D, len = attention_key_len(&j->a, t.b);
    const BlasMatrix left = tile_in(j, p->in, element(j, t.head, t.row, 0), t.rows, len,
                                    scratch_of(j, worker));
    const BlasMatrix right = { p->right + t.kv * j->a.Tk * D, D, 0 };
    blas_product(t.rows, D, len, p->alpha, left, right, 0,
                 p->result + (t.head * j->a.T + t.row) * D, D);
}

/* result = alpha in' right, summed over the heads of a group: dV = P' dO, dK = scale dS' Q. */
static inline void gather_body(void *arg, int64_t index, int worker)
{
    const Phase *p = arg;
    const Job *j = p->job;
    const Attention *a = &j->a;
    const int64_t parts = ceil_div(a->Tk, KEYS), kv = index / parts, key = index % parts * KEYS;
    const int64_t keys = a->Tk - key < KEYS ? a->Tk - key : KEYS, group = a->H / a->Hkv;
    const int64_t left = attention_key_len(a, kv / a->Hkv) - key;
    const int64_t live = left < 0 ? 0 : left < keys ? left : keys, size = task_rows(j->dtype);
    float *to = p->result + (kv * a->Tk + key) * a->D;
    for (int64_t i = 0; i < keys * a->D; i++) to[i] = 0;
    for (int64_t head = kv * group; head < (kv + 1) * group; head++)
        for (int64_t row = 0; row < a->T; row += size) {
            const int64_t rows = a->T - row < size ? a->T - row : size;
            BlasMatrix in = tile_in(j, p->in, element(j, head, row, key), rows, live,
                                    scratch_of(j, worker));
            in.transposed = 1;
            const BlasMatrix right = { p->right + (head * a->T + row) * a->D, a->D, 0 };
            blas_product(live, a->D, rows, p->alpha, in, right, 1, to, a->D);
        }
}

static inline void rows_body(void *arg, int64_t index, int worker)
{
    const Phase *p = arg;
    const Job *j = p->job;
    const Part t = part_of(j, index);
    float *scratch = scratch_of(j, worker);
    for (int64_t i = t.row; i < t.row + t.rows; i++) {
        const RowAt at = {
            .flat = t.head * j->a.T + i, .see = attention_keys(&j->a, t.b, i),
            .dropout = dropout_row(j->a.seed, t.head, i),
        };
        const float *in = row_in(j, p->in, at.flat, scratch);
        const float *other = row_in(j, p->other, at.flat, scratch + j->a.Tk);
        float *out = j->dtype == BF16 ? scratch : (float *)p->out + at.flat * j->a.Tk;
        p->row(j, &at, in, other, out);
        if (j->dtype == BF16) narrow((uint16_t *)p->out + at.flat * j->a.Tk, out, j->a.Tk);
    }
}

static inline void phase(Phase p, Body *body, int64_t tasks, const char *name)
{
    parallel_for(p.job->ctx->team, tasks, body, &p);
    ctx_lap(p.job->ctx, name);
}

static inline int64_t row_tasks(const Job *j)
{
    return j->a.B * j->a.H * ceil_div(j->a.T, task_rows(j->dtype));
}

static inline void outer(const Job *j, const float *left, const float *right, double alpha,
                         void *out, const char *name)
{
    phase((Phase){ .job = j, .left = left, .right = right, .alpha = (float)alpha, .out = out },
          outer_body, row_tasks(j), name);
}

static inline void apply(const Job *j, const void *in, const float *right, double alpha,
                         float *result, const char *name)
{
    phase((Phase){ .job = j, .in = in, .right = right, .alpha = (float)alpha, .result = result },
          apply_body, row_tasks(j), name);
}

static inline void gather(const Job *j, const void *in, const float *right, double alpha,
                          float *result, const char *name)
{
    phase((Phase){ .job = j, .in = in, .right = right, .alpha = (float)alpha, .result = result },
          gather_body, j->a.B * j->a.Hkv * ceil_div(j->a.Tk, KEYS), name);
}

static inline void each_row(const Job *j, RowOp *row, const void *in, const void *other,
                            void *out, const char *name)
{
    phase((Phase){ .job = j, .in = in, .other = other, .out = out, .row = row }, rows_body,
          row_tasks(j), name);
}

/* ---- operations on one row ----------------------------------------------------------------- */

static inline void zero(float *x, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) x[i] = 0;
}

static inline int lanes(int64_t left) { return left < VL ? (int)left : VL; }

static inline float row_top(const float *x, int64_t n)
{
    vf top[4];
    int64_t i = 0;
    UNROLL for (int u = 0; u < 4; u++) top[u] = v_set1(-INFINITY);
    for (; i + 4 * VL <= n; i += 4 * VL)
        UNROLL for (int u = 0; u < 4; u++) top[u] = v_max(v_load(x + i + u * VL), top[u]);
    for (; i < n; i += VL) {
        const vf rest = v_load_n(x + i, lanes(n - i));
        top[0] = v_max(v_select(vm_first(lanes(n - i)), rest, v_set1(-INFINITY)), top[0]);
    }
    return v_top(v_max(v_max(top[0], top[1]), v_max(top[2], top[3])));
}

/* out = exp(x - shift), shift finite; returns the sum. */
static inline float row_exp(float *out, const float *x, int64_t n, float shift)
{
    const vf log2_e = v_set1(1.44269504f);
    vf sum = v_zero();
    for (int64_t i = 0; i < n; i += VL) {
        const int live = lanes(n - i);
        const vf s = v_load_n(x + i, live);
        const vf e = v_exp2_down(v_mul(v_sub(s, v_set1(shift)), log2_e), 5);
        v_store_n(out + i, e, live);
        sum = v_add(sum, v_select(vm_first(live), e, v_zero()));
    }
    return v_sum(sum);
}

static inline void row_scale(float *x, int64_t n, float factor)
{
    for (int64_t i = 0; i < n; i += VL) {
        const int live = lanes(n - i);
        v_store_n(x + i, v_mul(v_load_n(x + i, live), v_set1(factor)), live);
    }
}

/* out = softmax of x[0..n); returns ln sum exp. */
static inline float row_softmax(float *out, const float *x, int64_t n)
{
    const float top = n ? row_top(x, n) : -INFINITY;
    if (top == -INFINITY) { zero(out, 0, n); return top; }
    const float sum = row_exp(out, x, n, top);
    row_scale(out, n, 1 / sum);
    return top + logf(sum);
}

/* A row of S to one of P: the mask is where the row begins and ends. */
static inline void softmax_op(const Job *j, const RowAt *at, const float *in, const float *other,
                              float *out)
{
    const int64_t first = at->see.first, end = at->see.end;
    (void)other;
    zero(out, 0, first);
    j->lse[at->flat] = row_softmax(out + first, in + first, end - first);
    zero(out, end, j->a.Tk);
}

/* A row of P Z from one of P, or the other way for gradients. */
static inline void dropout_op(const Job *j, const RowAt *at, const float *in, const float *other,
                              float *out)
{
    const uint32_t threshold = dropout_threshold(j->a.dropout_percent);
    const float scale = (float)dropout_scale(j->a.dropout_percent);
    (void)other;
    for (int64_t i = 0; i < j->a.Tk; i += VL) {
        const int live = lanes(j->a.Tk - i);
        const vf z = v_dropout(at->dropout, i, threshold, scale);
        v_store_n(out + i, v_mul(v_load_n(in + i, live), z), live);
    }
}

/* A row of P again from one of S and lse. */
static inline void probability_op(const Job *j, const RowAt *at, const float *in,
                                  const float *other, float *out)
{
    const int64_t first = at->see.first, end = at->see.end;
    (void)other;
    zero(out, 0, first);
    if (end > first) row_exp(out + first, in + first, end - first, j->lse[at->flat]);
    zero(out, end, j->a.Tk);
}

/* Through the softmax: dS = P (dP - sum P dP); in: dP, with dropout done; other: P. */
static inline void softmax_grad_op(const Job *j, const RowAt *at, const float *in,
                                   const float *other, float *out)
{
    const int64_t first = at->see.first, end = at->see.end;
    vf sum = v_zero();
    for (int64_t i = first; i < end; i += VL) {
        const int live = lanes(end - i);
        sum = v_fma(v_load_n(in + i, live), v_load_n(other + i, live), sum);
    }
    const vf dot = v_set1(v_sum(sum));
    zero(out, 0, first);
    for (int64_t i = first; i < end; i += VL) {
        const int live = lanes(end - i);
        const vf centred = v_sub(v_load_n(in + i, live), dot);
        v_store_n(out + i, v_mul(v_load_n(other + i, live), centred), live);
    }
    zero(out, end, j->a.Tk);
}

/* ---- tensors in and out, memory ------------------------------------------------------------ */

enum { CHUNK = 1 << 15 };        /* elements of one conversion task */

typedef struct { float *wide; uint16_t *half; int64_t count; int widens; } Conversion;

static inline void convert_body(void *arg, int64_t index, int worker)
{
    const Conversion *c = arg;
    const int64_t at = index * CHUNK, n = c->count - at < CHUNK ? c->count - at : CHUNK;
    (void)worker;
    if (c->widens) widen(c->wide + at, c->half + at, n);
    else narrow(c->half + at, c->wide + at, n);
}

static inline void convert(Ctx *ctx, float *wide, const Tensor *t, int widens)
{
    Conversion c = { wide, t->data, tensor_count(t), widens };
    if (t->dtype == BF16) parallel_for(ctx->team, ceil_div(c.count, CHUNK), convert_body, &c);
}

/* A tensor's numbers as float: its own, or room for them. */
static inline float *wide_of(Ctx *ctx, const Tensor *t)
{
    if (t->dtype != BF16) return t->data;
    return workspace_take(ctx->ws, (size_t)tensor_count(t) * sizeof(float));
}

static inline const float *input(Ctx *ctx, const Tensor *t)
{
    float *wide = wide_of(ctx, t);
    convert(ctx, wide, t, 1);
    return wide;
}

static inline size_t matrix_bytes(const Problem *p)
{
    const int64_t *v = p->value;
    return (size_t)(v[AT_B] * v[AT_H] * v[AT_T] * v[AT_TK]) * dtype_bytes(p->dtype);
}

static inline void *take_matrix(const Problem *p, Ctx *ctx)
{
    return workspace_take(ctx->ws, matrix_bytes(p));
}

/* A tile for a product, or two rows for an operation. */
static inline int64_t scratch_floats(const Problem *p)
{
    const int64_t Tk = p->value[AT_TK], wide = Tk > KEYS ? Tk : KEYS;
    return p->dtype == BF16 ? task_rows(BF16) * wide : 0;
}

static inline Job open_job(const Problem *p, const Args *args, Ctx *ctx)
{
    const Tensor *x = args->x;
    Job j = { .a = attention_of(p, args), .dtype = p->dtype, .ctx = ctx, .lse = x[AT_LSE].data };
    j.q = input(ctx, &x[AT_Q]);
    j.k = input(ctx, &x[AT_K]);
    j.v = input(ctx, &x[AT_V]);
    j.scratch_floats = scratch_floats(p);
    j.scratch = workspace_take(ctx->ws, (size_t)(j.scratch_floats * ctx->threads) * sizeof(float));
    blas_threads(1);
    return j;
}

/* What this header takes, with `matrices` of scores. */
static inline size_t standard_bytes(const Problem *p, int threads, int matrices)
{
    const int64_t *v = p->value;
    const int64_t width = v[AT_B] * v[AT_D] * (int64_t)sizeof(float);
    const size_t q = workspace_round((size_t)(width * v[AT_H] * v[AT_T]));
    const size_t k = workspace_round((size_t)(width * v[AT_HKV] * v[AT_TK]));
    const size_t wide = p->dtype != BF16 ? 0 : p->pass == FWD ? 2 * q + 2 * k : 3 * q + 4 * k;
    const size_t scratch = (size_t)(scratch_floats(p) * threads) * sizeof(float);
    return wide + workspace_round(scratch) + (size_t)matrices * workspace_round(matrix_bytes(p));
}

/* ---- the backward pass --------------------------------------------------------------------- */

/* P of the forward pass, or computed again. */
static inline const void *standard_p(const Job *j, const Problem *p, const Args *args)
{
    if (p->value[KEEP_P]) return args->x[P].data;
    void *s = take_matrix(p, j->ctx);
    outer(j, j->q, j->k, j->a.scale, s, "matmul_qk");
    each_row(j, probability_op, s, NULL, s, "softmax");
    return s;
}

static inline int standard_bwd_matrices(const Problem *p) { return p->value[KEEP_P] ? 1 : 2; }

/* Algorithm 3 of the FlashAttention paper; one matrix beside P serves P Z, dP and dS in turn. */
static inline void standard_backward(Job *j, const Problem *p, const Args *args)
{
    const Tensor *dx = args->dx;
    j->grad_o = input(j->ctx, &dx[AT_O]);
    j->grad_q = wide_of(j->ctx, &dx[AT_Q]);
    j->grad_k = wide_of(j->ctx, &dx[AT_K]);
    j->grad_v = wide_of(j->ctx, &dx[AT_V]);
    void *w = take_matrix(p, j->ctx);
    const void *prob = standard_p(j, p, args);
    const int drops = j->a.dropout_percent > 0;
    if (drops) each_row(j, dropout_op, prob, NULL, w, "dropout");
    gather(j, drops ? w : prob, j->grad_o, 1, j->grad_v, "matmul_dv");
    outer(j, j->grad_o, j->v, 1, w, "matmul_dp");
    if (drops) each_row(j, dropout_op, w, NULL, w, "dropout_grad");
    each_row(j, softmax_grad_op, w, prob, w, "softmax_grad");
    apply(j, w, j->k, j->a.scale, j->grad_q, "matmul_dq");
    gather(j, w, j->q, j->a.scale, j->grad_k, "matmul_dk");
    convert(j->ctx, j->grad_q, &dx[AT_Q], 0);
    convert(j->ctx, j->grad_k, &dx[AT_K], 0);
    convert(j->ctx, j->grad_v, &dx[AT_V], 0);
}

/* ---- what it does, without doing it ---------------------------------------------------- */

/* Products of the whole matrices: nothing is skipped, whatever the mask hides. Without
 * padding, whose lengths are data. */
static inline void standard_counts(const Problem *p, int64_t fwd_exps, Counts *counted)
{
    const int64_t *v = p->value, heads = v[AT_B] * v[AT_H];
    const Attention a = attention_of(p, NULL);
    const int64_t products = p->pass == FWD ? 2 : v[KEEP_P] ? 4 : 5;
    if (v[AT_KEY_PADDING] || v[AT_QUERY_PADDING]) return;
    counted->matmul_flops += products * heads * 2 * a.T * a.Tk * a.D;
    for (int64_t i = 0; i < a.T && (p->pass == FWD || !v[KEEP_P]); i++) {
        const KeyRange see = attention_keys(&a, 0, i);
        const int64_t seen = ceil_div(see.end - see.first, VL) * VL;
        counted->exps += heads * (p->pass == FWD && fwd_exps && seen ? fwd_exps : seen);
    }
}

enum {
    TILE_Q, TILE_K, TILE_V, TILE_O, TILE_LSE, TILE_P, TILE_W, TILE_DO, TILE_DQ, TILE_DK, TILE_DV
};

typedef struct { const Problem *p; TileSink *sink; int64_t T, Tk, D, item; } Touch;

static inline Touch touch_of(const Problem *p, TileSink *sink)
{
    const int64_t *v = p->value;
    return (Touch){ p, sink, v[AT_T], v[AT_TK], v[AT_D], (int64_t)dtype_bytes(p->dtype) };
}

/* `rows` rows of `width` elements from row `first` on. */
static inline void touch(const Touch *t, int tensor, int64_t first, int64_t rows, int64_t width,
                         int writes)
{
    const int64_t row_bytes = width * t->item;
    t->sink->touch(t->sink, tensor, first * row_bytes, rows * row_bytes, writes);
}

/* out = left right': rows of `left` against all of `right`. */
static inline void touch_outer(const Touch *t, int left, int right, int out)
{
    const int64_t size = task_rows(t->p->dtype);
    for (int64_t i = 0; i < t->T; i += size) {
        const int64_t rows = t->T - i < size ? t->T - i : size;
        touch(t, left, i, rows, t->D, 0);
        touch(t, right, 0, t->Tk, t->D, 0);
        touch(t, out, i, rows, t->Tk, 1);
    }
}

static inline void touch_apply(const Touch *t, int in, int right, int result)
{
    const int64_t size = task_rows(t->p->dtype);
    for (int64_t i = 0; i < t->T; i += size) {
        const int64_t rows = t->T - i < size ? t->T - i : size;
        touch(t, in, i, rows, t->Tk, 0);
        touch(t, right, 0, t->Tk, t->D, 0);
        touch(t, result, i, rows, t->D, 1);
    }
}

static inline void touch_gather(const Touch *t, int in, int right, int result)
{
    for (int64_t j = 0; j < t->Tk; j += KEYS) {
        const int64_t keys = t->Tk - j < KEYS ? t->Tk - j : KEYS;
        for (int64_t i = 0; i < t->T; i++) {
            t->sink->touch(t->sink, in, (i * t->Tk + j) * t->item, keys * t->item, 0);
            touch(t, right, i, 1, t->D, 0);
        }
        touch(t, result, j, keys, t->D, 1);
    }
}

/* An operation on each row; `other` is a second matrix read, or `in` again. */
static inline void touch_rows(const Touch *t, int in, int other, int out)
{
    for (int64_t i = 0; i < t->T; i++) {
        touch(t, in, i, 1, t->Tk, 0);
        if (other != in) touch(t, other, i, 1, t->Tk, 0);
        touch(t, out, i, 1, t->Tk, 1);
    }
}

static inline void standard_touch_backward(const Touch *t)
{
    const int drops = t->p->value[AT_DROPOUT] > 0;
    if (!t->p->value[KEEP_P]) {
        touch_outer(t, TILE_Q, TILE_K, TILE_P);
        touch_rows(t, TILE_P, TILE_P, TILE_P);
    }
    if (drops) touch_rows(t, TILE_P, TILE_P, TILE_W);
    touch_gather(t, drops ? TILE_W : TILE_P, TILE_DO, TILE_DV);
    touch_outer(t, TILE_DO, TILE_V, TILE_W);
    if (drops) touch_rows(t, TILE_W, TILE_W, TILE_W);
    touch_rows(t, TILE_W, TILE_P, TILE_W);
    touch_apply(t, TILE_W, TILE_K, TILE_DQ);
    touch_gather(t, TILE_W, TILE_Q, TILE_DK);
}

#endif
