/* SPDX-License-Identifier: Apache-2.0 */
/* FlashAttention and its relatives: exact softmax attention that never holds the scores
 * in memory. STEP is decoding from a cache of keys and values, cut into G splits whose
 * partial results are merged (Flash-Decoding). */
#include "flash_attention.h"
#include "../core/random.h"
#include "../core/softmax_attention_laws.h"

#include <math.h>
#include <string.h>

static const Param params[] = {
    ATTENTION_PARAMS,
    [BLOCK_Q] = { .name = "block_q", .help = "queries a tile; 0: kernel's choice", .high = 4096 },
    [BLOCK_K] = { .name = "block_k", .help = "keys a tile; 0: kernel's choice", .high = 4096 },
    [TNEW] = { .name = "Tnew", .help = "step: tokens appended to the cache first", .high = 4096 },
    [SPLITS] = { .name = "G", .help = "step: splits of the cache; 0: kernel's choice",
                 .high = 4096 },
    [OUTLIERS] = { .name = "outliers_permille", .high = 1000,
                   .help = "share of q, k, v's elements that get N(0,100) added" },
    { 0 },
};

static const Port ports[] = {
    ATTENTION_PORTS(FWD | BWD | STEP),
    [K_CACHE] = { .name = "k_cache", .shape = "B Hkv Tk D", .role = PORT_STATE, .passes = STEP,
                  .help = "keys; slots from cache_len[b] on are garbage" },
    [V_CACHE] = { .name = "v_cache", .shape = "B Hkv Tk D", .role = PORT_STATE, .passes = STEP,
                  .help = "values" },
    [K_NEW] = { .name = "k_new", .shape = "B Hkv Tnew D", .passes = STEP, .when = "Tnew",
                .help = "keys to write at slots cache_len[b]..., which count too" },
    [V_NEW] = { .name = "v_new", .shape = "B Hkv Tnew D", .passes = STEP, .when = "Tnew",
                .help = "values to write there" },
    [CACHE_LEN] = { .name = "cache_len", .shape = "B", .kind = KIND_INDEX, .fill = FILL_METHOD,
                    .passes = STEP, .no_grad = 1, .help = "slots in use before the call" },
    [SPLIT_START] = { .name = "split_start", .shape = "G+1", .kind = KIND_INDEX,
                      .fill = FILL_METHOD, .passes = STEP, .when = "G", .no_grad = 1,
                      .help = "split g covers slots split_start[g]..split_start[g+1]-1" },
    [O_PARTIAL] = { .name = "o_partial", .shape = "G B H T D", .role = PORT_OUT,
                    .kind = KIND_WIDE, .passes = STEP, .when = "G",
                    .help = "output of each split alone, normalised" },
    [LSE_PARTIAL] = { .name = "lse_partial", .shape = "G B H T", .role = PORT_OUT,
                      .kind = KIND_WIDE, .passes = STEP, .when = "G", .help = "lse of each split" },
    { 0 },
};

static const char *refuses(const Problem *p)
{
    if (p->pass == STEP && p->value[TNEW] > p->value[AT_TK])
        return "Tnew tokens have to fit into Tk slots";
    return attention_refuses(p);
}

/* ---- inputs -------------------------------------------------------------------------------- */

/* N(0,1) gets N(0,100) added with a probability of 1/1000 a permille: the distribution on
 * which FlashAttention-3 measures its FP8 error (arXiv 2407.08608, section 4.3). */
static void add_outliers(const Problem *p, Tensor *t, int port)
{
    const uint64_t stream = (uint64_t)port + 0x6f7574;     /* "out" */
    for (int64_t i = 0; t->data && i < tensor_count(t); i++) {
        if (random_below(p->seed, stream, (uint64_t)i * 2, 1000) >= p->value[OUTLIERS]) continue;
        const double extra = 10 * random_normal(p->seed, stream, (uint64_t)i * 2 + 1);
        const float sum = (float)(tensor_get(t, i) + extra);
        tensor_set(t, i, bf16_to_float(bf16_from_float(sum)));   /* the same in every dtype */
    }
}

static int32_t cache_length(const Problem *p, int64_t b)
{
    const int64_t room = p->value[AT_TK] - p->value[TNEW];
    return attention_length(p, CACHE_LEN, p->value[AT_KEY_PADDING], b, room);
}

static void fill(const Problem *p, const Args *args)
{
    Tensor *x = args->x;
    attention_fill(p, args);
    if (p->value[OUTLIERS])
        for (int port = AT_Q; port <= AT_V; port++) add_outliers(p, &x[port], port);
    if (p->pass != STEP) return;
    for (int64_t b = 0; b < p->value[AT_B]; b++) tensor_set(&x[CACHE_LEN], b, cache_length(p, b));
    for (int64_t g = 0; x[SPLIT_START].data && g <= p->value[SPLITS]; g++)
        tensor_set(&x[SPLIT_START], g, (double)(g * p->value[AT_TK] / p->value[SPLITS]));
}

/* ---- decoding in float64 ------------------------------------------------------------------- */

/* Decoding is always causal, drops nothing, and counts the appended tokens. */
static Attention decoding(const Problem *p, const int32_t *cache_len)
{
    Attention a = attention_of(p, NULL);
    a.key_len = cache_len;
    a.appended = p->value[TNEW];
    a.right = 0;
    a.dropout_percent = 0;
    return a;
}

/* Copies rows between the cache's slots cache_len[b]... and a tensor [B,Hkv,Tnew,D]. */
static void move_new(const Attention *a, double *cache, double *fresh, int to_cache)
{
    for (int64_t head = 0; head < a->B * a->Hkv; head++) {
        const int64_t slot = a->key_len[head / a->Hkv];
        require(slot >= 0 && slot + a->appended <= a->Tk);
        double *in = cache + (head * a->Tk + slot) * a->D, *out = fresh + head * a->appended * a->D;
        const size_t bytes = (size_t)(a->appended * a->D) * sizeof(double);
        if (to_cache) { memcpy(in, out, bytes); continue; }
        memcpy(out, in, bytes);
        memset(in, 0, bytes);        /* what the slots held before had no influence */
    }
}

typedef struct { int64_t first, end; } Slots;

static int outside(const void *self, int64_t b, int64_t h, int64_t row, int64_t key)
{
    const Slots *split = self;
    (void)b, (void)h, (void)row;
    return key < split->first || key >= split->end;
}

static void split_forward(const Attention *whole, const AttentionData *x, const Args *args)
{
    const int64_t rows = whole->B * whole->H * whole->T;
    const int32_t *start = args->x[SPLIT_START].data;
    double *o = args->x[O_PARTIAL].data, *lse = args->x[LSE_PARTIAL].data;
    for (int64_t g = 0; g < args->x[O_PARTIAL].dim[0]; g++) {
        const Slots split = { start[g], start[g + 1] };
        Attention a = *whole;
        AttentionData part = *x;
        a.hides = outside;
        a.self = &split;
        part.o = o + g * rows * a.D;
        part.lse = lse + g * rows;
        softmax_attention_forward(&a, &part);
    }
}

/* Of the merge o = sum_g w_g o_g alone, w_g = exp(lse_g - lse):
 *   do_g = w_g do, dlse_g = w_g do . (o_g - o). */
static void merge_backward(const Attention *a, const Args *args)
{
    const int64_t rows = a->B * a->H * a->T, D = a->D, parts = args->x[O_PARTIAL].dim[0];
    const double *o = args->x[AT_O].data, *lse = args->x[AT_LSE].data;
    const double *grad_o = args->dx[AT_O].data;
    for (int64_t i = 0; i < parts * rows; i++) {
        const int64_t row = i % rows;
        const double *part = (double *)args->x[O_PARTIAL].data + i * D;
        const double part_lse = ((double *)args->x[LSE_PARTIAL].data)[i];
        const double weight = part_lse > -INFINITY ? exp(part_lse - lse[row]) : 0;
        double sum = 0;
        for (int64_t d = 0; d < D; d++) {
            sum += grad_o[row * D + d] * (part[d] - o[row * D + d]);
            tensor_set(&args->dx[O_PARTIAL], i * D + d, weight * grad_o[row * D + d]);
        }
        tensor_set(&args->dx[LSE_PARTIAL], i, weight * sum);
    }
}

static void step_backward(const Attention *a, AttentionData *x, const Args *args)
{
    x->grad_o = args->dx[AT_O].data;
    x->grad_q = args->dx[AT_Q].data;
    x->grad_k = args->dx[K_CACHE].data;
    x->grad_v = args->dx[V_CACHE].data;
    softmax_attention_backward(a, x);
    if (a->appended) {
        move_new(a, x->grad_k, args->dx[K_NEW].data, 0);
        move_new(a, x->grad_v, args->dx[V_NEW].data, 0);
    }
    if (args->dx[O_PARTIAL].data) merge_backward(a, args);
}

static void step_reference(const Problem *p, const Args *args)
{
    const Tensor *x = args->x;
    const Attention a = decoding(p, x[CACHE_LEN].data);
    AttentionData data = {
        .q = x[AT_Q].data, .k = x[K_CACHE].data, .v = x[V_CACHE].data,
        .o = x[AT_O].data, .lse = x[AT_LSE].data,
    };
    if (a.appended) {
        move_new(&a, x[K_CACHE].data, x[K_NEW].data, 1);
        move_new(&a, x[V_CACHE].data, x[V_NEW].data, 1);
    }
    softmax_attention_forward(&a, &data);
    if (x[O_PARTIAL].data) split_forward(&a, &data, args);
    if (args->dx) step_backward(&a, &data, args);
}

static void reference(const Problem *p, const Args *args)
{
    if (p->pass == STEP) { step_reference(p, args); return; }
    const Attention a = attention_of(p, args);
    softmax_attention_reference(&a, p, args);
}

static void reference_row(const Problem *p, const Args *args, int64_t row, double *out)
{
    const Tensor *x = args->x;
    if (p->pass != STEP) {
        const Attention a = attention_of(p, args);
        softmax_attention_sample(&a, p, args, row, out);
        return;
    }
    const Attention a = decoding(p, x[CACHE_LEN].data);
    const AttentionTensors t = {
        .q = &x[AT_Q], .k = &x[K_CACHE], .v = &x[V_CACHE],
        .k_new = a.appended ? &x[K_NEW] : NULL, .v_new = a.appended ? &x[V_NEW] : NULL,
    };
    softmax_attention_row(&a, &t, row, out);
}

/* ---- cost ---------------------------------------------------------------------------------- */

/* Decoding reads each key and value that some query of the call sees once. */
static Cost step_cost(const Problem *p)
{
    const int64_t *v = p->value;
    const double D = (double)v[AT_D], H = (double)v[AT_H], item = (double)dtype_bytes(p->dtype);
    const double head = (double)v[AT_HKV] * D * item;         /* one slot's keys, or values */
    const double rows = (double)(v[AT_B] * v[AT_T]) * H, wide = p->dtype == F64 ? 8 : 4;
    double pairs = 0, slots = 0;
    for (int64_t b = 0; b < v[AT_B]; b++) {
        const int32_t len = cache_length(p, b);
        const Attention a = decoding(p, &len);
        pairs += attention_pairs(&a, 0);
        slots += (double)(attention_keys(&a, 0, a.T - 1).end - attention_keys(&a, 0, 0).first);
    }
    return (Cost){
        .flops = 4 * D * pairs * H,
        .exps = pairs * H,
        /* new tokens are read from one tensor and written to the cache */
        .bytes = 2 * head * (slots + (double)(v[AT_B] * v[TNEW])) + rows * (2 * D * item + wide)
               + (double)v[SPLITS] * rows * (D + 1) * wide,
        .state_bytes = 2 * head * (double)(v[AT_B] * v[AT_TK]),
    };
}

static Cost cost(const Problem *p)
{
    return p->pass == STEP ? step_cost(p) : attention_cost(p, attention_pairs_of(p));
}

/* ---- laws ---------------------------------------------------------------------------------- */

static void randomize(const Problem *p, Tensor *t, uint64_t stream)
{
    for (int64_t i = 0; i < tensor_count(t); i++) {
        const float x = (float)random_normal(p->seed, stream, (uint64_t)i);
        tensor_set(t, i, bf16_to_float(bf16_from_float(x)));
    }
}

enum { LAW_STEPS = 12 };

/* A cache filled token by token from nothing: every step's output is its row of the causal
 * forward over all tokens so far. */
static double steps_are_forward(const Problem *p, Args *a, Args *b, LawRun *run, void *self)
{
    Tensor *x = a->x;
    const int64_t rows = p->value[AT_B] * p->value[AT_H], D = p->value[AT_D];
    double worst = 0;
    for (int t = 0; t < LAW_STEPS && t < p->value[AT_TK]; t++) {
        randomize(p, &x[AT_Q], (uint64_t)(3 * t));
        randomize(p, &x[K_NEW], (uint64_t)(3 * t + 1));
        randomize(p, &x[V_NEW], (uint64_t)(3 * t + 2));
        for (int64_t i = 0; i < p->value[AT_B]; i++) tensor_set(&x[CACHE_LEN], i, t);
        run(self, a);
        const Attention whole = decoding(p, x[CACHE_LEN].data);
        const AttentionTensors in = { .q = &x[AT_Q], .k = &x[K_CACHE], .v = &x[V_CACHE] };
        for (int64_t row = 0; row < rows; row++) {
            double o[ATTENTION_D_MAX];
            softmax_attention_row(&whole, &in, row, o);
            for (int64_t d = 0; d < D; d++) tensor_set(&b->x[AT_O], row * D + d, o[d]);
        }
        worst = law_worse(worst, law_difference(&b->x[AT_O], &x[AT_O], 0, rows * D));
    }
    return worst;
}

/* Equal splits against: nothing, one slot, nothing, all the rest. */
static double splits_are_whole(const Problem *p, Args *a, Args *b, LawRun *run, void *self)
{
    const int32_t start[] = { 0, 0, 1, 1 };
    for (int g = 0; g < 4; g++) tensor_set(&b->x[SPLIT_START], g, start[g]);
    tensor_set(&b->x[SPLIT_START], 4, (double)p->value[AT_TK]);
    run(self, a);
    run(self, b);
    const Tensor *lse = &a->x[AT_LSE];
    return law_worse(law_difference(&a->x[AT_O], &b->x[AT_O], 0, tensor_count(&a->x[AT_O])),
                     law_difference(lse, &b->x[AT_LSE], 0, tensor_count(lse)));
}

static const Law laws[] = {
    ATTENTION_LAW_PERMUTATION,
    ATTENTION_LAWS,
    { .name = "steps", .says = "decoding token by token is the causal forward", .pass = STEP,
      .needs = "T=1,Tk=64,Tnew=1", .violation = steps_are_forward },
    { .name = "splits", .says = "where the cache is split changes nothing", .pass = STEP,
      .needs = "T=2,Tk=61,G=4", .violation = splits_are_whole },
    { 0 },
};

/* ---- descriptor ---------------------------------------------------------------------------- */

static const Golden golden[] = {
    { "softmax_attention", FWD | BWD }, { "decode_split_kv", STEP }, { 0 },
};

/* Tnew and G matter to step alone, block sizes to fwd and bwd. */
static const char *const cases[] = {
    "flash_attention",
    "flash_attention:T=1,D=1",
    "flash_attention:T=1,Tk=129,D=40,G=5,Tnew=1",
    "flash_attention:T=37,D=20,causal=1,Tnew=37",
    "flash_attention:T=5,D=512,causal=1,G=2",
    "flash_attention:T=63,Tk=37,D=33,causal=1",        /* the first rows see nothing */
    "flash_attention:T=37,Tk=100,D=65,causal=1,G=3,Tnew=37",
    "flash_attention:H=6,Hkv=2,T=63,D=8,causal=1,block_q=7,block_k=5",
    "flash_attention:H=4,Hkv=1,T=1,Tk=300,D=96",
    "flash_attention:H=8,Hkv=2,T=1,Tk=1030,D=128,Tnew=1",
    "flash_attention:T=129,D=127,window_left=16,window_right=0",
    "flash_attention:T=70,Tk=90,D=40,window_left=3,window_right=5,G=4,block_q=16,block_k=33",
    "flash_attention:B=5,T=37,Tk=61,D=20,key_padding=2",
    "flash_attention:B=5,T=1,Tk=200,D=64,key_padding=2,Tnew=1,G=7",
    "flash_attention:B=5,T=40,D=24,causal=1,key_padding=2,query_padding=2",
    "flash_attention:B=2,T=100,D=64,key_padding=1,dropout_percent=10",
    "flash_attention:T=65,D=64,causal=1,dropout_percent=50,block_k=64",
    "flash_attention:T=200,D=64,causal=1,block_q=13,block_k=130",
    "flash_attention:H=1,T=600,D=64,outliers_permille=1",
    NULL,
};

const Method method_flash_attention = {
    .name = "flash_attention", .title = "FlashAttention", .paper = "flashattention",
    .summary = "Exact softmax attention in tiles: the scores never exist in memory.",
    .usual = "online", .flop_convention = ATTENTION_FLOP_CONVENTION,
    .param = params, .port = ports, .golden = golden, .law = laws, .fill = fill,
    .refuses = refuses, .reference = reference, .reference_row = reference_row,
    .sample = { [FWD] = "o", [BWD] = "dq", [STEP] = "o" }, .cost = cost,
    .tolerance = { .f32_fwd = 1e-5, .f32_bwd = 2e-5, .bf16_fwd = 1e-2, .bf16_bwd = 2e-2 },
    .cases = cases,
};
