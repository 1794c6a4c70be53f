/* SPDX-License-Identifier: Apache-2.0 */
/* A method for the tests of the harness, small enough to see through:
 *
 *   y[t][d] = x[t][d] w[d] where t < len, else 0;   s[t] = sum_d y[t][d]
 *
 * with gradients dx = (dy + ds) w, dw = sum_t (dy + ds) x. */
#ifndef TOY_ROWS_H
#define TOY_ROWS_H

#include "../../kernels/core/method.h"

#include <math.h>

enum { TOY_T, TOY_D, TOY_PARAMS };
enum { TOY_X, TOY_W, TOY_LEN, TOY_Y, TOY_S, TOY_PORTS };

static const Param toy_params[] = {
    [TOY_T] = { .name = "T", .help = "rows", .fallback = 13, .low = 1, .high = 4096, .shown = 1 },
    [TOY_D] = { .name = "D", .help = "width", .fallback = 7, .low = 1, .high = 4096, .shown = 1 },
    { 0 },
};

static const Port toy_ports[] = {
    [TOY_X] = { .name = "x", .shape = "T D", .passes = FWD | BWD, .help = "rows" },
    [TOY_W] = { .name = "w", .shape = "D", .passes = FWD | BWD, .fill = FILL_UNIFORM,
                .help = "weights" },
    [TOY_LEN] = { .name = "len", .shape = "1", .kind = KIND_INDEX, .fill = FILL_METHOD,
                  .passes = FWD | BWD, .no_grad = 1, .help = "rows that count" },
    [TOY_Y] = { .name = "y", .shape = "T D", .role = PORT_OUT, .passes = FWD | BWD, .help = "" },
    [TOY_S] = { .name = "s", .shape = "T", .role = PORT_OUT, .kind = KIND_WIDE,
                .passes = FWD | BWD, .help = "" },
    { 0 },
};

static void toy_fill(const Problem *p, const Args *args)
{
    tensor_set(&args->x[TOY_LEN], 0, (double)(p->value[TOY_T] - p->value[TOY_T] / 4));
}

static void toy_forward(const Problem *p, const Args *args)
{
    const int64_t T = p->value[TOY_T], D = p->value[TOY_D];
    const double len = tensor_get(&args->x[TOY_LEN], 0);
    for (int64_t t = 0; t < T; t++) {
        double sum = 0;
        for (int64_t d = 0; d < D; d++) {
            const double y = (double)t < len ? tensor_get(&args->x[TOY_X], t * D + d)
                                             * tensor_get(&args->x[TOY_W], d) : 0;
            tensor_set(&args->x[TOY_Y], t * D + d, y);
            sum += y;
        }
        tensor_set(&args->x[TOY_S], t, sum);
    }
}

static void toy_backward(const Problem *p, const Args *args)
{
    const int64_t T = p->value[TOY_T], D = p->value[TOY_D];
    const double len = tensor_get(&args->x[TOY_LEN], 0);
    for (int64_t d = 0; d < D; d++) {
        const double w = tensor_get(&args->x[TOY_W], d);
        double dw = 0;
        for (int64_t t = 0; t < T; t++) {
            const double up = tensor_get(&args->dx[TOY_Y], t * D + d)
                            + tensor_get(&args->dx[TOY_S], t);
            const int is_row = (double)t < len;
            tensor_set(&args->dx[TOY_X], t * D + d, is_row ? up * w : 0);
            dw += is_row ? up * tensor_get(&args->x[TOY_X], t * D + d) : 0;
        }
        tensor_set(&args->dx[TOY_W], d, dw);
    }
}

static void toy_reference(const Problem *p, const Args *args)
{
    if (p->pass == BWD) toy_backward(p, args);
    else toy_forward(p, args);
}

static void toy_row(const Problem *p, const Args *args, int64_t row, double *out)
{
    const int64_t D = p->value[TOY_D];
    const double len = tensor_get(&args->x[TOY_LEN], 0);
    for (int64_t d = 0; d < D; d++)
        out[d] = (double)row < len ? tensor_get(&args->x[TOY_X], row * D + d)
                                   * tensor_get(&args->x[TOY_W], d) : 0;
}

static Cost toy_cost(const Problem *p)
{
    return (Cost){ .flops = 2.0 * (double)(p->value[TOY_T] * p->value[TOY_D]) };
}

/* Twice the input is twice the output. */
static double toy_doubles(const Problem *p, Args *a, Args *b,
                          void (*run)(void *self, const Args *), void *self)
{
    double worst = 0, most = 0;
    (void)p;
    for (int64_t i = 0; i < tensor_count(&b->x[TOY_X]); i++)
        tensor_set(&b->x[TOY_X], i, 2 * tensor_get(&b->x[TOY_X], i));
    run(self, a);
    run(self, b);
    for (int64_t i = 0; i < tensor_count(&a->x[TOY_Y]); i++) {
        const double x = tensor_get(&a->x[TOY_Y], i), y = tensor_get(&b->x[TOY_Y], i);
        worst = fmax(worst, fabs(y - 2 * x));
        most = fmax(most, fabs(y));
    }
    return worst / most;
}

static const Law toy_laws[] = {
    { .name = "doubles", .says = "twice the input is twice the output", .pass = FWD,
      .violation = toy_doubles },
    { 0 },
};

static const Golden toy_golden[] = { { "toy", FWD | BWD }, { 0 } };

static const Method toy = {
    .name = "toy", .title = "Toy", .paper = "none", .summary = "rows times weights",
    .usual = "right", .flop_convention = "2 an element", .param = toy_params, .port = toy_ports,
    .golden = toy_golden, .law = toy_laws, .fill = toy_fill, .reference = toy_reference,
    .reference_row = toy_row, .sample = { [FWD] = "y" }, .cost = toy_cost,
    .tolerance = { .f32_fwd = 1e-6, .f32_bwd = 2e-6, .bf16_fwd = 1e-2, .bf16_bwd = 2e-2 },
};

#endif
