/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax attention in float64 as it is defined: one row of scores at a time, every
 * score computed from q and k again each time it is needed, so that nothing is
 * stored and each function reads like its formula. */
#include "softmax_attention.h"
#include "dropout.h"
#include "random.h"

#include <math.h>
#include <string.h>

/* ---- the problem --------------------------------------------------------------------------- */

Attention attention_of(const Problem *p, const Args *args)
{
    const int64_t *v = p->value;
    return (Attention){
        .B = v[AT_B], .H = v[AT_H], .Hkv = v[AT_HKV], .T = v[AT_T], .Tk = v[AT_TK], .D = v[AT_D],
        .left = v[AT_LEFT], .right = v[AT_CAUSAL] ? 0 : v[AT_RIGHT],
        .key_len = args ? args->x[AT_KEY_LEN].data : NULL,
        .query_len = args ? args->x[AT_QUERY_LEN].data : NULL,
        .dropout_percent = v[AT_DROPOUT], .seed = p->seed, .scale = 1 / sqrt((double)v[AT_D]),
    };
}

/* Each size may be sane and their product beyond 64 bits, or beyond anybody's patience: keys are
 * counted row by row. */
const char *attention_refuses(const Problem *p)
{
    const int64_t *v = p->value;
    const double rows = (double)v[AT_B] * (double)v[AT_T];
    if (v[AT_H] % v[AT_HKV]) return "H has to be a multiple of Hkv";
    if (rows > 0x1p28) return "B T is more than 2^28";
    if (rows * (double)v[AT_H] * (double)v[AT_TK] > 0x1p50) return "B H T Tk is more than 2^50";
    return NULL;
}

enum { LENGTH_STREAM = 0x6c656e };   /* "len" */
enum { SHORT_MAX = 20 };             /* the padding of the paper's benchmark, its appendix E.6 */

int32_t attention_length(const Problem *p, int which, int64_t padding, int64_t b, int64_t full)
{
    if (padding == PADDING_NONE) return (int32_t)full;
    const uint64_t stream = LENGTH_STREAM + ((uint64_t)which << 32), index = (uint64_t)b;
    if (padding == PADDING_SHORT) {
        const int64_t most = full < SHORT_MAX ? full : SHORT_MAX;
        return (int32_t)(full - random_below(p->seed, stream, index, most + 1));
    }
    switch (b % 4) {                 /* awkward on purpose: any, none, one, all */
    case 1: return 0;
    case 2: return full > 0;
    case 3: return (int32_t)full;
    default: return (int32_t)random_below(p->seed, stream, index, full + 1);
    }
}

static void fill_lengths(const Problem *p, Tensor *t, int port, int padding, int64_t full)
{
    if (!t->data) return;
    for (int64_t b = 0; b < t->dim[0]; b++)
        tensor_set(t, b, attention_length(p, port, p->value[padding], b, full));
}

void attention_fill(const Problem *p, const Args *args)
{
    fill_lengths(p, &args->x[AT_KEY_LEN], AT_KEY_LEN, AT_KEY_PADDING, p->value[AT_TK]);
    fill_lengths(p, &args->x[AT_QUERY_LEN], AT_QUERY_LEN, AT_QUERY_PADDING, p->value[AT_T]);
}

Attention attention_entry(const Problem *p, int64_t b, int32_t len[2])
{
    Attention a = attention_of(p, NULL);
    len[0] = attention_length(p, AT_KEY_LEN, p->value[AT_KEY_PADDING], b, a.Tk);
    len[1] = attention_length(p, AT_QUERY_LEN, p->value[AT_QUERY_PADDING], b, a.T);
    a.B = 1;
    a.key_len = &len[0];
    a.query_len = &len[1];
    return a;
}

/* ---- cost ---------------------------------------------------------------------------------- */

double attention_pairs(const Attention *a, int64_t b)
{
    double pairs = 0;
    for (int64_t i = 0; i < a->T; i++) {
        const KeyRange see = attention_keys(a, b, i);
        pairs += (double)(see.end - see.first);
    }
    return pairs;
}

double attention_pairs_of(const Problem *p)
{
    double pairs = 0;
    for (int64_t b = 0; b < p->value[AT_B]; b++) {
        int32_t len[2];
        const Attention a = attention_entry(p, b, len);
        pairs += attention_pairs(&a, 0);
    }
    return pairs;
}

Cost attention_cost(const Problem *p, double pairs)
{
    const int64_t *v = p->value;
    const double H = (double)v[AT_H], D = (double)v[AT_D], rows = (double)(v[AT_B] * v[AT_T]) * H;
    const double queries = rows * D, keys = (double)(v[AT_B] * v[AT_HKV] * v[AT_TK]) * D;
    const double item = (double)dtype_bytes(p->dtype), lse = rows * (p->dtype == F64 ? 8 : 4);
    const int bwd = p->pass == BWD;
    return (Cost){
        .flops = (bwd ? 10 : 4) * D * pairs * H,
        .exps = pairs * H,
        /* fwd: q, k, v, o; bwd: q, o, do, dq and k, v, dk, dv */
        .bytes = (bwd ? 4 : 2) * (queries + keys) * item + lse,
    };
}

/* ---- float64 ------------------------------------------------------------------------------- */

typedef struct { int64_t b, h, i, at, keys; } Row;   /* at: flat row of q; keys: of key 0 */

static Row row_of(const Attention *a, int64_t flat)
{
    const int64_t head = flat / a->T, b = head / a->H, h = head % a->H;
    return (Row){ b, h, flat % a->T, flat, (b * a->Hkv + attention_key_head(a, h)) * a->Tk };
}

static int sees(const Attention *a, const Row *r, int64_t key)
{
    return !a->hides || !a->hides(a->self, r->b, r->h, r->i, key);
}

/* Z of one weight. */
static double kept(const Attention *a, const Row *r, int64_t key)
{
    if (!a->dropout_percent) return 1;
    const DropoutRow row = dropout_row(a->seed, r->b * a->H + r->h, r->i);
    const int keep = dropout_bits(row, (uint32_t)key) >= dropout_threshold(a->dropout_percent);
    return keep ? dropout_scale(a->dropout_percent) : 0;
}

static double dot(const double *x, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

static void add(double *to, double factor, const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] += factor * x[i];
}

static void forward_row(const Attention *a, const AttentionData *x, const Row *r)
{
    const int64_t D = a->D;
    const double *q = x->q + r->at * D, *k = x->k + r->keys * D, *v = x->v + r->keys * D;
    double *o = x->o + r->at * D, *p = x->p ? x->p + r->at * a->Tk : NULL;
    const KeyRange see = attention_keys(a, r->b, r->i);
    double top = -INFINITY, sum = 0;
    for (int64_t t = see.first; t < see.end; t++)
        if (sees(a, r, t)) top = fmax(top, a->scale * dot(q, k + t * D, D));
    memset(o, 0, (size_t)D * sizeof *o);
    if (p) memset(p, 0, (size_t)a->Tk * sizeof *p);
    for (int64_t t = see.first; t < see.end; t++) {
        if (!sees(a, r, t)) continue;
        const double weight = exp(a->scale * dot(q, k + t * D, D) - top);
        if (p) p[t] = weight;
        sum += weight;
        add(o, weight * kept(a, r, t), v + t * D, D);
    }
    for (int64_t d = 0; d < D && sum > 0; d++) o[d] /= sum;
    for (int64_t t = see.first; p && t < see.end && sum > 0; t++) p[t] /= sum;
    x->lse[r->at] = sum > 0 ? top + log(sum) : -INFINITY;
}

void softmax_attention_forward(const Attention *a, const AttentionData *x)
{
    for (int64_t flat = 0; flat < a->B * a->H * a->T; flat++) {
        const Row r = row_of(a, flat);
        forward_row(a, x, &r);
    }
}

/* P of one visible key: as kept, or from its score again. */
static double weight_of(const Attention *a, const AttentionData *x, const Row *r, int64_t key)
{
    if (x->p) return x->p[r->at * a->Tk + key];
    const double *q = x->q + r->at * a->D, *k = x->k + (r->keys + key) * a->D;
    return exp(a->scale * dot(q, k, a->D) - x->lse[r->at]);
}

/* dP = (do . v) Z */
static double weight_grad(const Attention *a, const AttentionData *x, const Row *r, int64_t key)
{
    const double *grad_o = x->grad_o + r->at * a->D, *v = x->v + (r->keys + key) * a->D;
    return kept(a, r, key) * dot(grad_o, v, a->D);
}

/* sum P dP, which is do . o (under dropout too, since o contains Z). */
static double delta_of(const Attention *a, const AttentionData *x, const Row *r)
{
    const KeyRange see = attention_keys(a, r->b, r->i);
    double sum = 0;
    if (x->o) return dot(x->grad_o + r->at * a->D, x->o + r->at * a->D, a->D);
    for (int64_t t = see.first; t < see.end; t++)
        if (sees(a, r, t)) sum += weight_of(a, x, r, t) * weight_grad(a, x, r, t);
    return sum;
}

/* dV += P o Z do, dS = P (dP - delta), dQ = scale dS K, dK = scale dS' Q. */
static void backward_row(const Attention *a, const AttentionData *x, const Row *r)
{
    const int64_t D = a->D;
    const double *q = x->q + r->at * D, *grad_o = x->grad_o + r->at * D;
    const double delta = delta_of(a, x, r);
    const KeyRange see = attention_keys(a, r->b, r->i);
    for (int64_t t = see.first; t < see.end; t++) {
        if (!sees(a, r, t)) continue;
        const int64_t at = (r->keys + t) * D;
        const double p = weight_of(a, x, r, t), ds = p * (weight_grad(a, x, r, t) - delta);
        add(x->grad_v + at, p * kept(a, r, t), grad_o, D);
        add(x->grad_q + r->at * D, a->scale * ds, x->k + at, D);
        add(x->grad_k + at, a->scale * ds, q, D);
    }
}

void softmax_attention_backward(const Attention *a, const AttentionData *x)
{
    const int64_t rows = a->B * a->H * a->T;
    const size_t keys = (size_t)(a->B * a->Hkv * a->Tk * a->D) * sizeof(double);
    memset(x->grad_q, 0, (size_t)(rows * a->D) * sizeof(double));
    memset(x->grad_k, 0, keys);
    memset(x->grad_v, 0, keys);
    for (int64_t flat = 0; flat < rows; flat++) {
        const Row r = row_of(a, flat);
        backward_row(a, x, &r);
    }
}

void softmax_attention_reference(const Attention *a, const Problem *p, const Args *args)
{
    const Tensor *x = args->x, *dx = args->dx;
    AttentionData data = {
        .q = x[AT_Q].data, .k = x[AT_K].data, .v = x[AT_V].data,
        .o = x[AT_O].data, .lse = x[AT_LSE].data,
    };
    if (p->pass == FWD) { softmax_attention_forward(a, &data); return; }
    data.grad_o = dx[AT_O].data;
    data.grad_q = dx[AT_Q].data;
    data.grad_k = dx[AT_K].data;
    data.grad_v = dx[AT_V].data;
    softmax_attention_backward(a, &data);
}

/* ---- single rows from any dtype ------------------------------------------------------------ */

typedef struct {                 /* one query against one key at a time, widened */
    Row    r;
    double q[ATTENTION_D_MAX], grad_o[ATTENTION_D_MAX], k[ATTENTION_D_MAX], v[ATTENTION_D_MAX];
} Wide;

static void widen(double *to, const Tensor *t, int64_t row, int64_t D)
{
    for (int64_t d = 0; d < D; d++) to[d] = tensor_get(t, row * D + d);
}

/* A key or a value of the row's head. */
static void widen_key(double *to, const Attention *a, const Row *r, const Tensor *old,
                      const Tensor *fresh, int64_t key)
{
    if (!fresh || key < a->key_len[r->b]) { widen(to, old, r->keys + key, a->D); return; }
    widen(to, fresh, r->keys / a->Tk * a->appended + key - a->key_len[r->b], a->D);
}

static double next_score(const Attention *a, const AttentionTensors *x, Wide *w, int64_t key)
{
    widen_key(w->k, a, &w->r, x->k, x->k_new, key);
    return a->scale * dot(w->q, w->k, a->D);
}

/* dP of the key: Z (do . v). */
static double next_grad(const Attention *a, const AttentionTensors *x, Wide *w, int64_t key)
{
    widen_key(w->v, a, &w->r, x->v, x->v_new, key);
    return kept(a, &w->r, key) * dot(w->grad_o, w->v, a->D);
}

/* In one pass: the sum so far is rescaled whenever the maximum grows. */
static double row_lse(const Attention *a, const AttentionTensors *x, Wide *w, KeyRange see)
{
    double top = -INFINITY, sum = 0;
    for (int64_t t = see.first; t < see.end; t++) {
        if (!sees(a, &w->r, t)) continue;
        const double score = next_score(a, x, w, t), more = fmax(top, score);
        sum = (sum > 0 ? sum * exp(top - more) : 0) + exp(score - more);
        top = more;
    }
    return top + log(sum);
}

static void open_row(const Attention *a, const AttentionTensors *x, int64_t row, Wide *w)
{
    require(a->D <= ATTENTION_D_MAX);
    w->r = row_of(a, row);
    widen(w->q, x->q, row, a->D);
}

void softmax_attention_row(const Attention *a, const AttentionTensors *x, int64_t row, double *out)
{
    Wide w;
    open_row(a, x, row, &w);
    const KeyRange see = attention_keys(a, w.r.b, w.r.i);
    const double lse = row_lse(a, x, &w, see);
    memset(out, 0, (size_t)a->D * sizeof *out);
    for (int64_t t = see.first; t < see.end; t++) {
        if (!sees(a, &w.r, t)) continue;
        const double p = exp(next_score(a, x, &w, t) - lse);
        widen_key(w.v, a, &w.r, x->v, x->v_new, t);
        add(out, p * kept(a, &w.r, t), w.v, a->D);
    }
}

void softmax_attention_row_dq(const Attention *a, const AttentionTensors *x, int64_t row,
                              double *out)
{
    Wide w;
    open_row(a, x, row, &w);
    widen(w.grad_o, x->grad_o, row, a->D);
    const KeyRange see = attention_keys(a, w.r.b, w.r.i);
    const double lse = row_lse(a, x, &w, see);
    double delta = 0;
    for (int64_t t = see.first; t < see.end; t++)
        if (sees(a, &w.r, t))
            delta += exp(next_score(a, x, &w, t) - lse) * next_grad(a, x, &w, t);
    memset(out, 0, (size_t)a->D * sizeof *out);
    for (int64_t t = see.first; t < see.end; t++) {
        if (!sees(a, &w.r, t)) continue;
        const double p = exp(next_score(a, x, &w, t) - lse);
        add(out, a->scale * p * (next_grad(a, x, &w, t) - delta), w.k, a->D);
    }
}

void softmax_attention_sample(const Attention *a, const Problem *p, const Args *args, int64_t row,
                              double *out)
{
    AttentionTensors x = { .q = &args->x[AT_Q], .k = &args->x[AT_K], .v = &args->x[AT_V] };
    if (p->pass == FWD) { softmax_attention_row(a, &x, row, out); return; }
    x.grad_o = &args->dx[AT_O];
    softmax_attention_row_dq(a, &x, row, out);
}
