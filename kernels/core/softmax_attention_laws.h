/* SPDX-License-Identifier: Apache-2.0 */
/* Algebraic laws of softmax attention, for the descriptors that share its ports
 * (softmax_attention.h). Each returns the largest difference between two outputs
 * that have to agree, relative to the largest output. */
#ifndef SOFTMAX_ATTENTION_LAWS_H
#define SOFTMAX_ATTENTION_LAWS_H

#include "softmax_attention.h"

typedef void LawRun(void *self, const Args *);

double attention_law_permutation(const Problem *, Args *a, Args *b, LawRun *run, void *self);
double attention_law_shift(const Problem *, Args *a, Args *b, LawRun *run, void *self);
double attention_law_linear(const Problem *, Args *a, Args *b, LawRun *run, void *self);
double attention_law_future(const Problem *, Args *a, Args *b, LawRun *run, void *self);
double attention_law_groups(const Problem *, Args *a, Args *b, LawRun *run, void *self);

#define ATTENTION_LAW_PERMUTATION \
    { .name = "permutation", .says = "permuting the keys with their values changes nothing", \
      .pass = FWD, .violation = attention_law_permutation }

#define ATTENTION_LAWS \
    { .name = "shift", .says = "adding one vector to every key changes nothing", \
      .pass = FWD, .violation = attention_law_shift }, \
    { .name = "linear", .says = "the output is linear in the values", \
      .pass = FWD, .violation = attention_law_linear }, \
    { .name = "future", .says = "keys behind a causal query change nothing", \
      .pass = FWD, .needs = "causal=1", .violation = attention_law_future }, \
    { .name = "groups", .says = "grouped heads are repeated key heads", \
      .pass = FWD, .needs = "H=6,Hkv=2", .violation = attention_law_groups }

/* max |x - y| / max |x| over `count` elements from `first` on. */
double law_difference(const Tensor *x, const Tensor *y, int64_t first, int64_t count);

/* The larger of two differences; NaN is the largest. */
double law_worse(double x, double y);

#endif
