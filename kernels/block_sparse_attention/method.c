/* SPDX-License-Identifier: Apache-2.0 */
/* Block-sparse FlashAttention (the paper's section 3.3 and Algorithm 5): a 0/1 mask over
 * blocks of Br queries and Bc keys; blocks with 0 are never computed. */
#include "block_sparse_attention.h"
#include "../core/random.h"
#include "../core/softmax_attention_laws.h"

static const Param params[] = {
    ATTENTION_PARAMS,
    [BR] = { .name = "Br", .help = "queries a block", .fallback = 64, .low = 1, .high = 1 << 24 },
    [BC] = { .name = "Bc", .help = "keys a block", .fallback = 64, .low = 1, .high = 1 << 24 },
    [BM] = { .name = "Bm", .help = "masks over the batch: 1 or B", .fallback = 1, .low = 1,
             .high = 4096 },
    [HM] = { .name = "Hm", .help = "masks over the heads: 1 or H", .fallback = 1, .low = 1,
             .high = 1024 },
    [PATTERN] = { .name = "pattern", .high = PATTERN_BUTTERFLY,
                  .help = "of our mask: 0 random, 1 local and global, 2 fixed butterfly" },
    [SHARE] = { .name = "share_permille", .fallback = 250, .high = 1000,
                .help = "chance of a block to be kept by pattern 0" },
    { 0 },
};

static const Port ports[] = {
    ATTENTION_PORTS(FWD | BWD),
    [BLOCKMASK] = { .name = "blockmask", .shape = "Bm Hm T/Br Tk/Bc", .kind = KIND_INDEX,
                    .fill = FILL_METHOD, .passes = FWD | BWD, .no_grad = 1,
                    .help = "not 0: the block is kept" },
    { 0 },
};

static int64_t blocks(int64_t n, int64_t size) { return (n + size - 1) / size; }

static const char *refuses(const Problem *p)
{
    const int64_t *v = p->value;
    if (v[BM] != 1 && v[BM] != v[AT_B]) return "Bm has to be 1 or B";
    if (v[HM] != 1 && v[HM] != v[AT_H]) return "Hm has to be 1 or H";
    const double mask = (double)blocks(v[AT_T], v[BR]) * (double)blocks(v[AT_TK], v[BC]);
    if (mask * (double)v[AT_B] * (double)v[HM] > 0x1p26)
        return "the masks of a batch have more than 2^26 blocks";
    return attention_refuses(p);
}

/* ---- masks --------------------------------------------------------------------------------- */

static int power_of_two(int64_t n) { return n > 0 && !(n & (n - 1)); }

/* Block (i, j) of mask m. The fixed patterns are those of square blocks as long as the
 * longer side of ours. "Fixed butterfly": i and j differ in at most one binary digit. */
static int keeps(const Problem *p, int64_t m, int64_t i, int64_t j)
{
    const int64_t *v = p->value, side = v[BR] > v[BC] ? v[BR] : v[BC];
    const int64_t row = i * v[BR] / side, column = j * v[BC] / side;
    if (v[PATTERN] == PATTERN_LOCAL_GLOBAL)
        return row == 0 || column == 0 || (row - column <= 1 && column - row <= 1);
    if (v[PATTERN] == PATTERN_BUTTERFLY) return row == column || power_of_two(row ^ column);
    const int64_t rows = blocks(v[AT_T], v[BR]), columns = blocks(v[AT_TK], v[BC]);
    const uint64_t at = (uint64_t)((m * rows + i) * columns + j);
    return random_below(p->seed, BLOCKMASK + 0x626c6b, at, 1000) < v[SHARE];
}

static void fill(const Problem *p, const Args *args)
{
    Tensor *mask = &args->x[BLOCKMASK];
    const int64_t rows = mask->dim[2], columns = mask->dim[3];
    attention_fill(p, args);
    for (int64_t at = 0; at < tensor_count(mask); at++) {
        const int64_t block = at / columns;
        tensor_set(mask, at, keeps(p, block / rows, block % rows, at % columns));
    }
}

/* ---- float64 ------------------------------------------------------------------------------- */

typedef struct { const Tensor *mask; int64_t Br, Bc; } Blocks;

static int outside(const void *self, int64_t b, int64_t h, int64_t row, int64_t key)
{
    const Blocks *s = self;
    const int64_t *dim = s->mask->dim;               /* Bm Hm rows columns */
    const int64_t m = (dim[0] > 1 ? b : 0) * dim[1] + (dim[1] > 1 ? h : 0);
    const int64_t block = (m * dim[2] + row / s->Br) * dim[3] + key / s->Bc;
    return !((const int32_t *)s->mask->data)[block];
}

static void reference(const Problem *p, const Args *args)
{
    const Blocks mask = { &args->x[BLOCKMASK], p->value[BR], p->value[BC] };
    Attention a = block_sparse_of(p, args);
    a.hides = outside;
    a.self = &mask;
    softmax_attention_reference(&a, p, args);
}

static void reference_row(const Problem *p, const Args *args, int64_t row, double *out)
{
    const Blocks mask = { &args->x[BLOCKMASK], p->value[BR], p->value[BC] };
    Attention a = block_sparse_of(p, args);
    a.hides = outside;
    a.self = &mask;
    softmax_attention_sample(&a, p, args, row, out);
}

/* ---- cost ---------------------------------------------------------------------------------- */

/* Visible pairs in kept block (i, j) of one head. */
static double block_pairs(const Attention *a, const int64_t *v, int64_t i, int64_t j)
{
    double pairs = 0;
    const int64_t end = (i + 1) * v[BR] < a->T ? (i + 1) * v[BR] : a->T;
    for (int64_t row = i * v[BR]; row < end; row++) {
        const KeyRange see = attention_keys(a, 0, row);
        const int64_t from = see.first > j * v[BC] ? see.first : j * v[BC];
        const int64_t to = see.end < (j + 1) * v[BC] ? see.end : (j + 1) * v[BC];
        if (to > from) pairs += (double)(to - from);
    }
    return pairs;
}

static double mask_pairs(const Problem *p, const Attention *a, int64_t m)
{
    const int64_t *v = p->value, rows = blocks(a->T, v[BR]), columns = blocks(a->Tk, v[BC]);
    double pairs = 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            if (keeps(p, m, i, j)) pairs += block_pairs(a, v, i, j);
    return pairs;
}

static Cost cost(const Problem *p)
{
    const int64_t *v = p->value;
    double pairs = 0;
    for (int64_t b = 0; b < v[AT_B]; b++) {
        int32_t len[2];
        Attention a = attention_entry(p, b, len);
        a.align_whole = 1;
        if (a.T == a.Tk && !v[AT_QUERY_PADDING]) a.query_len = a.key_len;
        for (int64_t h = 0; h < v[HM]; h++)
            pairs += mask_pairs(p, &a, (v[BM] > 1 ? b : 0) * v[HM] + h) / (double)v[HM];
    }
    Cost c = attention_cost(p, pairs);
    c.bytes += 4 * (double)(v[BM] * v[HM] * blocks(v[AT_T], v[BR]) * blocks(v[AT_TK], v[BC]));
    return c;
}

/* ---- laws ---------------------------------------------------------------------------------- */

static double ones_are_dense(const Problem *p, Args *a, Args *b, LawRun *run, void *self)
{
    const Attention dense = block_sparse_of(p, a);
    const AttentionTensors in = { .q = &a->x[AT_Q], .k = &a->x[AT_K], .v = &a->x[AT_V] };
    Tensor *mask = &a->x[BLOCKMASK], *o = &b->x[AT_O];
    for (int64_t i = 0; i < tensor_count(mask); i++) tensor_set(mask, i, 1);
    run(self, a);
    for (int64_t row = 0; row < tensor_count(o) / dense.D; row++) {
        double out[ATTENTION_D_MAX];
        softmax_attention_row(&dense, &in, row, out);
        for (int64_t d = 0; d < dense.D; d++) tensor_set(o, row * dense.D + d, out[d]);
    }
    return law_difference(o, &a->x[AT_O], 0, tensor_count(o));
}

static const Law laws[] = {
    ATTENTION_LAWS,
    { .name = "dense", .says = "a mask of ones is dense attention", .pass = FWD,
      .needs = "T=100,Br=16,Bc=48", .violation = ones_are_dense },
    { 0 },
};

/* ---- descriptor ---------------------------------------------------------------------------- */

static const Golden golden[] = { { "block_sparse_attention", FWD | BWD }, { 0 } };

static const char *const cases[] = {
    "block_sparse_attention",
    "block_sparse_attention:T=1,D=1,share_permille=1000",
    "block_sparse_attention:T=37,D=20,Br=7,Bc=5,causal=1,share_permille=400",
    "block_sparse_attention:T=300,D=8,Br=16,Bc=256,share_permille=500",
    "block_sparse_attention:B=2,H=4,Hkv=2,Bm=2,Hm=4,T=63,D=33,Br=8,Bc=32",
    "block_sparse_attention:H=2,Hm=2,T=70,Tk=150,D=65,Br=32,Bc=16,causal=1,share_permille=600",
    "block_sparse_attention:T=150,Tk=70,D=96,Br=64,Bc=64,causal=1,share_permille=700",
    "block_sparse_attention:B=5,T=37,D=64,Br=16,Bc=16,key_padding=2,share_permille=800",
    "block_sparse_attention:B=4,T=37,Tk=61,D=40,Br=16,Bc=8,key_padding=2,causal=1",
    "block_sparse_attention:T=513,D=64,Br=64,Bc=64,pattern=1",
    "block_sparse_attention:T=520,D=64,Br=64,Bc=32,pattern=2,causal=1",
    "block_sparse_attention:T=300,D=64,Br=32,Bc=32,pattern=2,dropout_percent=10",
    "block_sparse_attention:T=129,D=127,share_permille=0",
    "block_sparse_attention:T=100,Tk=4,D=2,Br=71,Bc=11",    /* a tile is higher than without Br */
    "block_sparse_attention:T=150,Tk=53,D=16,Br=113,Bc=57",  /* the last band has fewer tiles */
    NULL,
};

const Method method_block_sparse_attention = {
    .name = "block_sparse_attention", .title = "Block-sparse FlashAttention",
    .paper = "flashattention",
    .summary = "Softmax attention over kept blocks of scores; the others are never computed.",
    .usual = "online", .flop_convention = ATTENTION_FLOP_CONVENTION,
    .param = params, .port = ports, .golden = golden, .law = laws, .fill = fill,
    .refuses = refuses, .reference = reference, .reference_row = reference_row,
    .sample = { [FWD] = "o", [BWD] = "dq" }, .cost = cost,
    .tolerance = { .f32_fwd = 1e-5, .f32_bwd = 2e-5, .bf16_fwd = 1e-2, .bf16_bwd = 2e-2 },
    .cases = cases,
};
