/* SPDX-License-Identifier: Apache-2.0 */
/* FlashAttention-3's FP8 forward pass (arXiv 2407.08608, section 3.3) as an experiment on
 * accuracy: Q, K, V and P are rounded to e4m3, every product is exact and every sum and the
 * softmax are float32, as on the GPU's matrix units. Speed is no aim; the products run on
 * float32 copies of the e4m3 numbers.
 *
 * What the two variants differ in:
 *   scales      one for each of Q, K, V, or one for each block of rows of each head, such
 *               that the largest magnitude becomes 448
 *   incoherent  Q and K are first multiplied by one random orthogonal matrix, random signs
 *               times Hadamard / sqrt(D), which leaves Q K' as it is and spreads outliers
 *
 * P lies in (0, 256], under the running maximum, before it is rounded, in both. */
#ifndef FP8_H
#define FP8_H

#include "flash_attention.h"
#include "../core/e4m3.h"
#include "../core/gemm.h"
#include "../core/parallel.h"
#include "../core/random.h"
#include "../core/vmath.h"

enum { FP8_BLOCK = 128, P_SCALE = 256, SIGN_STREAM = 0x7369676e };   /* "sign" */

typedef struct { int by_block, incoherent; } Fp8;

typedef struct {                 /* a tensor of e4m3 numbers and its scales */
    float  *x;                   /* [heads][rows][D] */
    float  *scale;               /* [heads][blocks]: what a number stands for is scale x */
    int64_t heads, rows, D, block, blocks;
} Scaled;

typedef struct {
    Attention a;
    Fp8       how;
    Scaled    q, k, v;
    float    *o, *lse;
    float    *scratch;           /* for each worker */
    int64_t   scratch_floats;
} Job;

static inline int64_t fp8_block(int64_t given, int64_t rows)
{
    const int64_t block = given ? given : FP8_BLOCK;
    return block < rows ? block : rows;
}

/* ---- scaling and rounding ---------------------------------------------------------------- */

static inline float largest(const float *x, int64_t n)
{
    float most = 0;
    for (int64_t i = 0; i < n; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    return most;
}

static inline void round_all(float *x, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i += VL) {
        const int left = n - i < VL ? (int)(n - i) : VL;
        v_store_n(x + i, v_e4m3(v_div(v_load_n(x + i, left), v_set1(scale))), left);
    }
}

static inline void quantize(const Scaled *t, int by_block)
{
    const float whole = by_block ? 0 : largest(t->x, t->heads * t->rows * t->D);
    for (int64_t i = 0; i < t->heads * t->blocks; i++) {
        const int64_t row = i % t->blocks * t->block;
        const int64_t rows = t->rows - row < t->block ? t->rows - row : t->block;
        float *x = t->x + (i / t->blocks * t->rows + row) * t->D;
        const float most = by_block ? largest(x, rows * t->D) : whole;
        t->scale[i] = most > 0 ? most / E4M3_MAX : 1;
        round_all(x, rows * t->D, t->scale[i]);
    }
}

/* x = x diag(signs) H / sqrt(D), D a power of two. */
static inline void rotate(uint64_t seed, float *x, int64_t rows, int64_t D)
{
    const float unit = 1 / sqrtf((float)D);
    for (int64_t r = 0; r < rows; r++, x += D) {
        for (int64_t d = 0; d < D; d++)
            if (random_u64(seed, SIGN_STREAM, (uint64_t)d) & 1) x[d] = -x[d];
        for (int64_t half = 1; half < D; half *= 2)
            for (int64_t d = 0; d < D; d++) {
                if (d & half) continue;
                const float a = x[d], b = x[d + half];
                x[d] = a + b;
                x[d + half] = a - b;
            }
        for (int64_t d = 0; d < D; d++) x[d] *= unit;
    }
}

/* ---- one tile of queries ------------------------------------------------------------------- */

typedef struct { float *kt, *v, *s, *o, *part, *top, *sum; } Tile;

/* Row r of scores, n of which it may see from lo to hi-1, to e4m3 weights under the running
 * maximum; in units of log2. */
static inline void fp8_weigh(const Tile *t, int64_t r, int64_t D, float *s, int64_t n, int64_t lo,
                             int64_t hi, float unit)
{
    float top = t->top[r], sum = 0;
    for (int64_t j = 0; j < n; j++) {
        s[j] = j >= lo && j < hi ? s[j] * unit : -INFINITY;
        top = s[j] > top ? s[j] : top;
    }
    const float keep = t->top[r] > -INFINITY ? exp2f(t->top[r] - top) : 0;
    for (int64_t d = 0; d < D; d++) t->o[r * D + d] *= keep;
    for (int64_t j = 0; j < n; j += VL) {
        const int left = n - j < VL ? (int)(n - j) : VL;
        const vf x = v_sub(v_load_n(s + j, left), v_set1(top > -INFINITY ? top : 0));
        const vf p = v_mul(v_exp2(x), v_set1(P_SCALE));
        sum += v_sum(v_select(vm_first(left), p, v_zero()));
        v_store_n(s + j, v_e4m3(p), left);
    }
    t->sum[r] = t->sum[r] * keep + sum;
    t->top[r] = top;
}

static inline int64_t clip(int64_t x, int64_t n) { return x < 0 ? 0 : x < n ? x : n; }

/* Queries i..i+rows-1 of a head against keys j..j+n-1. */
static inline void fp8_tile(const Job *job, const Tile *t, int64_t head, int64_t i, int64_t rows,
                            int64_t j, int64_t n)
{
    const Attention *a = &job->a;
    const int64_t D = a->D, b = head / a->H, bk = job->k.block;
    const int64_t kv = b * a->Hkv + attention_key_head(a, head % a->H);
    const float q_scale = job->q.scale[head * job->q.blocks + i / job->q.block];
    const float k_scale = job->k.scale[kv * job->k.blocks + j / bk];
    const float unit = (float)a->scale * 1.44269504f * q_scale * k_scale;
    const float *q = job->q.x + (head * a->T + i) * D;
    gemm_pack_t(D, n, job->k.x + (kv * a->Tk + j) * D, D, t->kt, D * GEMM_NR);
    gemm_pack(n, D, job->v.x + (kv * a->Tk + j) * D, D, t->v, bk * GEMM_NR);
    gemm(rows, n, D, q, D, t->kt, D * GEMM_NR, t->s, bk, 0);
    for (int64_t r = 0; r < rows; r++) {
        const KeyRange see = attention_keys(a, b, i + r);
        fp8_weigh(t, r, D, t->s + r * bk, n, clip(see.first - j, n), clip(see.end - j, n), unit);
    }
    gemm(rows, D, n, t->s, bk, t->v, bk * GEMM_NR, t->part, D, 0);
    const float v_scale = job->v.scale[kv * job->v.blocks + j / bk];
    for (int64_t d = 0; d < rows * D; d++) t->o[d] += v_scale * t->part[d];
}

static inline int64_t fp8_carve(const Job *job, Tile *t, float *base)
{
    const int64_t D = job->a.D, bq = job->q.block, bk = job->k.block;
    const int64_t size[] = {
        D * gemm_columns(bk), bk * gemm_columns(D), bq * bk, bq * D, bq * D, bq, bq,
    };
    float **at[] = { &t->kt, &t->v, &t->s, &t->o, &t->part, &t->top, &t->sum };
    int64_t used = 0;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        *at[i] = base ? base + used : NULL;
        used += (int64_t)(workspace_round((size_t)size[i] * sizeof(float)) / sizeof(float));
    }
    return used;
}

static inline void fp8_body(void *arg, int64_t index, int worker)
{
    const Job *job = arg;
    const Attention *a = &job->a;
    const int64_t D = a->D, head = index / job->q.blocks, i = index % job->q.blocks * job->q.block;
    const int64_t rows = a->T - i < job->q.block ? a->T - i : job->q.block;
    const int64_t end = attention_keys(a, head / a->H, i + rows - 1).end;
    const int64_t live = attention_query_len(a, head / a->H) > i + rows - 1 ? end : a->Tk;
    Tile t;
    fp8_carve(job, &t, job->scratch + worker * job->scratch_floats);
    memset(t.o, 0, (size_t)(rows * D) * sizeof *t.o);
    for (int64_t r = 0; r < rows; r++) { t.top[r] = -INFINITY; t.sum[r] = 0; }
    for (int64_t j = 0; j < live; j += job->k.block)
        fp8_tile(job, &t, head, i, rows, j, a->Tk - j < job->k.block ? a->Tk - j : job->k.block);
    for (int64_t r = 0; r < rows; r++) {
        const float sum = t.sum[r];
        for (int64_t d = 0; d < D; d++)
            job->o[(head * a->T + i + r) * D + d] = sum > 0 ? t.o[r * D + d] / sum : 0;
        job->lse[head * a->T + i + r] =
            sum > 0 ? t.top[r] * 0.693147181f + logf(sum / P_SCALE) : -INFINITY;
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static inline Scaled scaled_of(int64_t heads, int64_t rows, int64_t D, int64_t block)
{
    const Scaled t = { .heads = heads, .rows = rows, .D = D, .block = fp8_block(block, rows) };
    Scaled out = t;
    out.blocks = (rows + t.block - 1) / t.block;
    return out;
}

static inline Job fp8_job(const Problem *p, const Args *args, Fp8 how)
{
    Job job = { .a = attention_of(p, args), .how = how };
    const Attention *a = &job.a;
    Tile unused;
    job.q = scaled_of(a->B * a->H, a->T, a->D, p->value[BLOCK_Q]);
    job.k = scaled_of(a->B * a->Hkv, a->Tk, a->D, p->value[BLOCK_K]);
    job.v = job.k;
    job.scratch_floats = fp8_carve(&job, &unused, NULL);
    return job;
}

static inline size_t scaled_bytes(const Scaled *t)
{
    return workspace_round((size_t)(t->heads * t->rows * t->D) * sizeof(float)) +
           workspace_round((size_t)(t->heads * t->blocks) * sizeof(float));
}

static inline size_t fp8_workspace(const Problem *p, int threads)
{
    const Job job = fp8_job(p, NULL, (Fp8){ 0, 0 });
    const size_t scratch = (size_t)(job.scratch_floats * threads) * sizeof(float);
    return scaled_bytes(&job.q) + scaled_bytes(&job.k) + scaled_bytes(&job.v) +
           workspace_round(scratch);
}

static inline void load_scaled(const Job *job, Scaled *t, const Tensor *from, int rotates,
                               Workspace *ws)
{
    const size_t bytes = (size_t)(t->heads * t->rows * t->D) * sizeof(float);
    t->x = workspace_take(ws, bytes);
    t->scale = workspace_take(ws, (size_t)(t->heads * t->blocks) * sizeof(float));
    memcpy(t->x, from->data, bytes);
    if (rotates) rotate(job->a.seed, t->x, t->heads * t->rows, t->D);
    quantize(t, job->how.by_block);
}

static inline Status fp8_forward(const Problem *p, const Args *args, Ctx *ctx, Fp8 how)
{
    Job job = fp8_job(p, args, how);
    load_scaled(&job, &job.q, &args->x[AT_Q], how.incoherent, ctx->ws);
    load_scaled(&job, &job.k, &args->x[AT_K], how.incoherent, ctx->ws);
    load_scaled(&job, &job.v, &args->x[AT_V], 0, ctx->ws);
    job.scratch = workspace_take(ctx->ws,
                                 (size_t)(job.scratch_floats * ctx->threads) * sizeof(float));
    job.o = args->x[AT_O].data;
    job.lse = args->x[AT_LSE].data;
    parallel_for(ctx->team, job.q.heads * job.q.blocks, fp8_body, &job);
    return OK;
}

/* Reasons that hold for both. */
static inline const char *fp8_refuses(const Problem *p)
{
    return p->value[AT_DROPOUT] ? "dropout is no part of the FP8 experiment" : NULL;
}

#endif
