/* SPDX-License-Identifier: Apache-2.0 */
/* What every method built on softmax attention shares: which keys a query sees, the
 * float64 definition with its gradients, single rows of both, the list of parameters
 * and ports, and the cost of a problem.
 *
 *   S = scale Q K', P = softmax of each row of S over the visible keys, O = (P o Z) V
 *
 * with Z in {0, 1/(1-p)} under dropout. Layout: q, o [B,H,T,D]; k, v [B,Hkv,Tk,D];
 * lse [B,H,T] = ln sum exp of the scaled visible scores. Query head h reads key head
 * floor(h Hkv / H). A row that sees no key has o = 0, lse = -inf and no gradient.
 * Dao, Fu, Ermon, Rudra, Re, "FlashAttention", arXiv 2205.14135, appendix B. */
#ifndef SOFTMAX_ATTENTION_H
#define SOFTMAX_ATTENTION_H

#include "method.h"

typedef struct {
    int64_t B, H, Hkv, T, Tk, D;
    int64_t left, right;         /* keys seen before and behind the aligned one; -1: all.
                                  * Causal attention is right = 0. */
    const int32_t *key_len;      /* [B] keys from here on are padding; NULL: Tk */
    const int32_t *query_len;    /* [B] queries from here on are padding; NULL: T */
    int64_t appended;            /* decoding: new keys behind key_len, which count as well */
    int     align_whole;         /* align the ends of whole tensors, not of their unpadded parts */
    int64_t dropout_percent;     /* 0..99 */
    uint64_t seed;               /* of the dropout mask */
    double  scale;               /* 1/sqrt(D) */
    /* A further mask for the float64 functions (kept blocks, kept tokens); NULL: none. */
    int   (*hides)(const void *self, int64_t b, int64_t h, int64_t row, int64_t key);
    const void *self;
} Attention;

/* ---- which keys a query sees --------------------------------------------------------------- */

typedef struct { int64_t first, end; } KeyRange;    /* first <= key < end */

static inline int64_t attention_key_len(const Attention *a, int64_t b)
{
    return a->key_len ? a->key_len[b] + a->appended : a->Tk;
}

static inline int64_t attention_query_len(const Attention *a, int64_t b)
{
    return a->query_len ? a->query_len[b] : a->T;
}

/* Row i is aligned with key i + offset: the last query with the last key. */
static inline int64_t attention_offset(const Attention *a, int64_t b)
{
    if (a->align_whole) return a->Tk - a->T;
    return attention_key_len(a, b) - attention_query_len(a, b);
}

/* Both ends never fall from one unpadded row to the next, so rows i0..i1 together see
 * [first(i0), end(i1)), and every one of them sees [first(i1), end(i0)). */
static inline KeyRange attention_keys(const Attention *a, int64_t b, int64_t row)
{
    const int64_t len = attention_key_len(a, b), at = row + attention_offset(a, b);
    int64_t first = a->left < 0 ? 0 : at - a->left, end = a->right < 0 ? len : at + a->right + 1;
    if (row >= attention_query_len(a, b)) return (KeyRange){ 0, 0 };
    first = first < 0 ? 0 : first > len ? len : first;
    end = end < first ? first : end > len ? len : end;
    return (KeyRange){ first, end };
}

static inline int64_t attention_key_head(const Attention *a, int64_t h)
{
    return h * a->Hkv / a->H;
}

/* ---- the parameters and ports of such a method --------------------------------------------- */

/* A folder's own parameters and ports follow these: enum { BLOCK_Q = AT_PARAMS, ... }. */
enum {
    AT_B, AT_H, AT_HKV, AT_T, AT_TK, AT_D, AT_CAUSAL, AT_LEFT, AT_RIGHT, AT_KEY_PADDING,
    AT_QUERY_PADDING, AT_DROPOUT, AT_PARAMS
};
enum { AT_Q, AT_K, AT_V, AT_KEY_LEN, AT_QUERY_LEN, AT_O, AT_LSE, AT_PORTS };

enum { ATTENTION_D_MAX = 512 };

enum { PADDING_NONE, PADDING_SHORT, PADDING_ANY };   /* values of the two padding parameters */

#define ATTENTION_PARAMS \
    [AT_B] = { .name = "B", .help = "batch", .fallback = 1, .low = 1, .high = 4096, .shown = 1 }, \
    [AT_H] = { .name = "H", .help = "query heads", .fallback = 2, .low = 1, .high = 1024, \
               .golden = "Hq|H", .shown = 1 }, \
    [AT_HKV] = { .name = "Hkv", .help = "key and value heads; divides H", .fallback = 2, .low = 1, \
                 .high = 1024, .same_as = "H" }, \
    [AT_T] = { .name = "T", .help = "queries", .fallback = 128, .low = 1, .high = 1 << 24, \
               .golden = "Tq", .shown = 1 }, \
    [AT_TK] = { .name = "Tk", .help = "keys, or slots of the cache", .fallback = 128, .low = 1, \
                .high = 1 << 24, .same_as = "T", .golden = "Tk|Tmax" }, \
    [AT_D] = { .name = "D", .help = "width of a head", .fallback = 64, .low = 1, \
               .high = ATTENTION_D_MAX, .shown = 1 }, \
    [AT_CAUSAL] = { .name = "causal", .help = "1: hide keys behind the aligned one", .high = 1, \
                    .shown = 1 }, \
    [AT_LEFT] = { .name = "window_left", .help = "keys seen before the aligned one; -1: all", \
                  .fallback = -1, .low = -1, .high = 1 << 24, .golden = "window[0]|window_left" }, \
    [AT_RIGHT] = { .name = "window_right", .help = "keys seen behind the aligned one; -1: all", \
                   .fallback = -1, .low = -1, .high = 1 << 24, .golden = "window[1]" }, \
    [AT_KEY_PADDING] = { .name = "key_padding", .high = PADDING_ANY, \
                         .help = "hide each entry's last keys: 1: 0..20 of them, 2: any number" }, \
    [AT_QUERY_PADDING] = { .name = "query_padding", .high = PADDING_ANY, \
                           .help = "hide each entry's last queries, likewise" }, \
    [AT_DROPOUT] = { .name = "dropout_percent", .help = "share of the weights dropped, in %", \
                     .high = 99 }

/* q, o and lse belong to passes QO; keys, values and lengths to FWD and BWD. */
#define ATTENTION_PORTS(QO) \
    [AT_Q] = { .name = "q", .shape = "B H T D", .passes = QO, .help = "queries" }, \
    [AT_K] = { .name = "k", .shape = "B Hkv Tk D", .passes = FWD | BWD, .help = "keys" }, \
    [AT_V] = { .name = "v", .shape = "B Hkv Tk D", .passes = FWD | BWD, .help = "values" }, \
    [AT_KEY_LEN] = { .name = "key_len", .shape = "B", .kind = KIND_INDEX, .fill = FILL_METHOD, \
                     .passes = FWD | BWD, .when = "key_padding", .no_grad = 1, \
                     .help = "keys that are no padding" }, \
    [AT_QUERY_LEN] = { .name = "query_len", .shape = "B", .kind = KIND_INDEX, .fill = FILL_METHOD, \
                       .passes = FWD | BWD, .when = "query_padding", .no_grad = 1, \
                       .help = "queries that are no padding" }, \
    [AT_O] = { .name = "o", .shape = "B H T D", .role = PORT_OUT, .passes = QO, \
               .help = "output" }, \
    [AT_LSE] = { .name = "lse", .shape = "B H T", .role = PORT_OUT, .kind = KIND_WIDE, \
                 .passes = QO, .no_grad = 1, \
                 .help = "ln of the sum of the exponentials of a row's scores" }

/* The problem as the functions here want it. Lengths are read from args; NULL: no padding. */
Attention attention_of(const Problem *p, const Args *args);

/* Fills key_len and query_len where they are present. */
void    attention_fill(const Problem *p, const Args *args);
/* The b-th length which that writes for `full` keys (or queries): 0..full. `which` tells
 * independent lists of lengths apart. */
int32_t attention_length(const Problem *p, int which, int64_t padding, int64_t b, int64_t full);
/* Batch entry b alone, with the lengths as filled, kept in len: what cost() can know. */
Attention attention_entry(const Problem *p, int64_t b, int32_t len[2]);

/* Why the parameters make no sense together, or NULL. */
const char *attention_refuses(const Problem *p);

/* ---- cost ---------------------------------------------------------------------------------- */

/* Visible (query, key) pairs of one batch entry and head, without `hides`. */
double attention_pairs(const Attention *a, int64_t b);
/* The same for each head of the problem as filled, summed over the batch. */
double attention_pairs_of(const Problem *p);
/* The cost of FWD or BWD when every head has `pairs` visible pairs. */
Cost   attention_cost(const Problem *p, double pairs);
#define ATTENTION_FLOP_CONVENTION \
    "4 D a visible query-key pair and head forward, 10 D backward (five products of 2 D each: " \
    "one recomputes the scores, as in FlashAttention)"

/* ---- float64 ------------------------------------------------------------------------------- */

typedef struct {
    const double *q, *k, *v;
    double *o, *lse;             /* written by forward, read by backward; o NULL: see there */
    double *p;                   /* [B,H,T,Tk] softmax before dropout, likewise; NULL: not kept */
    const double *grad_o;        /* backward only, with the next three, which it writes */
    double *grad_q, *grad_k, *grad_v;
} AttentionData;

void softmax_attention_forward(const Attention *a, const AttentionData *x);
/* With o as FlashAttention does it: delta = do . o (its appendix B.2). Without, as standard
 * attention does: delta = sum P dP. They are equal where o is exact; where it was rounded each is
 * what its kernels compute. */
void softmax_attention_backward(const Attention *a, const AttentionData *x);
/* One pass, FWD or BWD, of a method with the ports above that reads o. */
void softmax_attention_reference(const Attention *a, const Problem *p, const Args *args);

typedef struct {                 /* of any dtype */
    const Tensor *q, *k, *v;
    const Tensor *k_new, *v_new; /* decoding: the keys and values from key_len[b] on; NULL: none */
    const Tensor *grad_o;        /* for dq */
} AttentionTensors;

/* Row `row` = (b H + h) T + i of o and of dq; out: D values. */
void softmax_attention_row(const Attention *a, const AttentionTensors *x, int64_t row, double *out);
void softmax_attention_row_dq(const Attention *a, const AttentionTensors *x, int64_t row,
                              double *out);
/* sample rows of FWD and BWD for a method with the ports above */
void softmax_attention_sample(const Attention *a, const Problem *p, const Args *args, int64_t row,
                              double *out);

#endif
