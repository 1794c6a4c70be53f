/* SPDX-License-Identifier: Apache-2.0 */
/* Standard softmax attention: the baseline of every comparison. Its variants hold the
 * scores of all heads in memory, as frameworks do without a fused kernel. */
#include "attention.h"
#include "../core/softmax_attention_laws.h"

static const Param params[] = {
    ATTENTION_PARAMS,
    [KEEP_P] = { .name = "keep_p", .high = 1,
                 .help = "1: fwd stores P for bwd, as frameworks do; 0: bwd computes it again" },
    { 0 },
};

static const Port ports[] = {
    ATTENTION_PORTS(FWD | BWD),
    [P] = { .name = "p", .shape = "B H T Tk", .role = PORT_OUT, .passes = FWD | BWD,
            .when = "keep_p", .no_grad = 1, .help = "softmax of the scores, before dropout" },
    { 0 },
};

/* Backward in the manner of Algorithm 3 of the FlashAttention paper: from P or lse, without o. */
static void reference(const Problem *p, const Args *args)
{
    const Attention a = attention_of(p, args);
    const Tensor *x = args->x, *dx = args->dx;
    AttentionData data = {
        .q = x[AT_Q].data, .k = x[AT_K].data, .v = x[AT_V].data,
        .o = x[AT_O].data, .lse = x[AT_LSE].data, .p = x[P].data,
    };
    if (p->pass == FWD) { softmax_attention_forward(&a, &data); return; }
    data.o = NULL;
    data.grad_o = dx[AT_O].data;
    data.grad_q = dx[AT_Q].data;
    data.grad_k = dx[AT_K].data;
    data.grad_v = dx[AT_V].data;
    softmax_attention_backward(&a, &data);
}

static void reference_row(const Problem *p, const Args *args, int64_t row, double *out)
{
    const Attention a = attention_of(p, args);
    softmax_attention_sample(&a, p, args, row, out);
}

static Cost cost(const Problem *p)
{
    const int64_t *v = p->value;
    Cost c = attention_cost(p, attention_pairs_of(p));
    if (v[KEEP_P])
        c.bytes += (double)(v[AT_B] * v[AT_H] * v[AT_T] * v[AT_TK]) * (double)dtype_bytes(p->dtype);
    return c;
}

static const Golden golden[] = { { "softmax_attention", FWD | BWD }, { 0 } };

static const Law laws[] = { ATTENTION_LAW_PERMUTATION, ATTENTION_LAWS, { 0 } };

static const char *const cases[] = {
    "attention",
    "attention:T=1,D=1",
    "attention:T=37,D=20,causal=1",
    "attention:T=5,D=512,causal=1",
    "attention:T=63,Tk=37,D=33,causal=1",              /* the first rows see nothing */
    "attention:T=37,Tk=100,D=65,causal=1",
    "attention:H=6,Hkv=2,T=63,D=8,causal=1",
    "attention:H=4,Hkv=1,T=33,D=96",
    "attention:T=129,D=127,window_left=16,window_right=0",
    "attention:T=70,Tk=90,D=40,window_left=3,window_right=5",
    "attention:B=5,T=37,Tk=61,D=20,key_padding=2",
    "attention:B=5,T=40,D=24,causal=1,key_padding=2,query_padding=2",
    "attention:B=2,T=100,D=64,key_padding=1,dropout_percent=10",
    "attention:T=65,D=64,causal=1,dropout_percent=50",
    "attention:B=2,T=66,D=64,keep_p=1",
    "attention:T=45,D=32,causal=1,dropout_percent=25,keep_p=1",
    NULL,
};

const Method method_attention = {
    .name = "attention", .title = "Standard attention", .paper = "flashattention",
    .summary = "Softmax attention with the scores of all heads in memory.",
    .usual = "blas", .flop_convention = ATTENTION_FLOP_CONVENTION,
    .param = params, .port = ports, .golden = golden, .law = laws, .fill = attention_fill,
    .refuses = attention_refuses, .reference = reference, .reference_row = reference_row,
    .sample = { [FWD] = "o", [BWD] = "dq" }, .cost = cost,
    .tolerance = { .f32_fwd = 1e-5, .f32_bwd = 2e-5, .bf16_fwd = 3e-2, .bf16_bwd = 5e-2 },
    .cases = cases,
};
