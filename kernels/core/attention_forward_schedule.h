/* SPDX-License-Identifier: Apache-2.0 */
/* What attention_forward.h does, without doing it: how many products and exponentials, and
 * which memory each tile touches. Both walk the same tiles as the work itself. */
#ifndef ATTENTION_FORWARD_SCHEDULE_H
#define ATTENTION_FORWARD_SCHEDULE_H

#include "attention_forward.h"

/* All tiles of one head: `tile` before and `visit` within each. */
static inline void forward_walk_(const AttentionForward *x, int64_t b, int64_t h,
                                 void (*tile)(const ForwardTile *),
                                 void (*visit)(const ForwardTile *, int64_t, int64_t, KeyRange,
                                               KeyRange), void *self)
{
    const ForwardPlan plan = forward_plan_(x, 1);
    for (int64_t i = plan.bands * plan.tiles - 1; i >= 0; i--) {
        ForwardTile t = forward_place_(x, &plan, b, h, i);
        t.visit = visit;
        t.self = self;
        tile(&t);
        if (t.rows) forward_keys_(&t);
    }
}

/* Logarithms of l. */
static inline void forward_count_tile_(const ForwardTile *t)
{
    ((Counts *)t->self)->exps += forward_up_(t->rows, VL);
}

static inline void forward_count_(const ForwardTile *t, int64_t r, int64_t rows, KeyRange keys,
                                  KeyRange block)
{
    Counts *counted = t->self;
    const int64_t panels = gemm_columns(keys.end) - keys.first / GEMM_NR * GEMM_NR;
    const KeyRange values = forward_values_(t->plan, keys);
    (void)r, (void)block;
    counted->matmul_flops += gemm_flops(rows, panels, t->x->at.D) +
                             gemm_flops(rows, t->plan->Dv, values.end - values.first);
    counted->exps += rows * panels;
    for (int64_t i = 0; i < rows; i += GEMM_MR)            /* a of each row */
        counted->exps += forward_up_(forward_min_(rows - i, GEMM_MR), VL);
}

/* Products and exponentials. The rest depends on the numbers: on how often m grows. */
static inline void attention_forward_counts(const AttentionForward *x, Counts *counted)
{
    for (int64_t head = 0; head < x->at.B * x->at.H; head++)
        forward_walk_(x, head / x->at.H, head % x->at.H, forward_count_tile_, forward_count_,
                      counted);
}

enum {
    FORWARD_Q, FORWARD_K, FORWARD_V, FORWARD_O, FORWARD_LSE, FORWARD_PACKED_K, FORWARD_PACKED_V,
    FORWARD_QUERIES, FORWARD_S, FORWARD_P, FORWARD_SUMS
};

static inline void forward_touch_(const ForwardTile *t, int tensor, int64_t first, int64_t count,
                                  int64_t item, int writes)
{
    TileSink *sink = t->self;
    sink->touch(sink, tensor, first * item, count * item, writes);
}

/* The tile's own o, m and l are cleared before and read after the visits; the next tile's
 * clearing stands for that reading. */
static inline void forward_touch_tile_(const ForwardTile *t)
{
    const int64_t D = t->x->at.D, item = (int64_t)dtype_bytes(t->x->dtype);
    if (forward_widens_(t->x, t->plan)) {
        forward_touch_(t, FORWARD_Q, t->i0 * D, t->rows * D, item, 0);
        forward_touch_(t, FORWARD_QUERIES, 0, t->rows * D, 4, 1);
    }
    forward_touch_(t, FORWARD_SUMS, 0, t->rows * (t->plan->Dv + VL + 1), 4, 1);
    forward_touch_(t, FORWARD_O, t->i0 * D, (t->rows + t->padding) * D, item, 1);
    forward_touch_(t, FORWARD_LSE, t->i0, t->rows + t->padding, 4, 1);
}

static inline void forward_touch_keys_(const ForwardTile *t, int64_t r, int64_t rows, KeyRange keys,
                                       KeyRange block)
{
    const int64_t D = t->x->at.D, packed = t->plan->pairs ? 2 : 4;
    const int64_t from = keys.first / GEMM_NR * GEMM_NR, to = gemm_columns(keys.end);
    const int widens = forward_widens_(t->x, t->plan);
    const int queries = widens ? FORWARD_QUERIES : FORWARD_Q;
    const int64_t row = widens ? r : t->i0 + r, sums = t->plan->Dv + VL + 1;
    (void)block;
    forward_touch_(t, queries, row * D, rows * D, packed, 0);
    forward_touch_(t, FORWARD_PACKED_K, from * D, (to - from) * D, packed, 0);
    forward_touch_(t, FORWARD_S, 0, rows * (to - from), 4, 1);
    forward_touch_(t, t->plan->pairs ? FORWARD_P : FORWARD_S, 0, rows * (to - from), packed, 1);
    forward_touch_(t, FORWARD_PACKED_V, keys.first * D, (keys.end - keys.first) * D, packed, 0);
    forward_touch_(t, FORWARD_SUMS, r * sums, rows * sums, 4, 1);
}

/* One head's memory traffic, tile by tile, packed copies and scores included. */
static inline void attention_forward_touch(const AttentionForward *x, TileSink *sink)
{
    const int64_t keys = x->at.Tk * x->at.D, item = (int64_t)dtype_bytes(x->dtype);
    const int64_t packed = forward_plan_(x, 1).pairs ? 2 : 4;
    const ForwardTile head = { .x = x, .self = sink };
    forward_touch_(&head, FORWARD_K, 0, keys, item, 0);
    forward_touch_(&head, FORWARD_PACKED_K, 0, keys, packed, 1);
    forward_touch_(&head, FORWARD_V, 0, keys, item, 0);
    forward_touch_(&head, FORWARD_PACKED_V, 0, keys, packed, 1);
    forward_walk_(x, 0, 0, forward_touch_tile_, forward_touch_keys_, sink);
}

#endif
