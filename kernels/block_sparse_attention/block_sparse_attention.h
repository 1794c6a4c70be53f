/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and parameters of this folder, behind those of softmax_attention.h. */
#ifndef BLOCK_SPARSE_ATTENTION_H
#define BLOCK_SPARSE_ATTENTION_H

#include "../core/softmax_attention.h"

enum { BR = AT_PARAMS, BC, BM, HM, PATTERN, SHARE };
enum { BLOCKMASK = AT_PORTS };

enum { PATTERN_RANDOM, PATTERN_LOCAL_GLOBAL, PATTERN_BUTTERFLY };

/* The problem as the float64 functions and the kernels want it: the last query is aligned
 * with the last key, padding or not, and self-attention pads queries like keys. */
static inline Attention block_sparse_of(const Problem *p, const Args *args)
{
    Attention a = attention_of(p, args);
    a.align_whole = 1;
    if (a.T == a.Tk && !a.query_len) a.query_len = a.key_len;
    return a;
}

#endif
