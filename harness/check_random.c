/* SPDX-License-Identifier: Apache-2.0 */
/* Problems that nobody thought of. Sizes are drawn evenly in their logarithm, so that 1, 2 and 3
 * are as likely as everything from 30 to 90; options stay at their default half of the time. What
 * the method refuses, and what is too big to be checked in a moment, is drawn again. */
#include "check.h"

#include "../kernels/core/problem.h"
#include "../kernels/core/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TRIES = 400, DRAWS = 2 * PARAM_MAX, SPREAD = 150, TENSOR_BYTES_MAX = 1 << 20 };
static const double flops_max = 3e7;

/* Does a port's shape name this parameter? */
static int is_size(const Method *m, const char *name)
{
    char words[128], *save = NULL;
    for (int i = 0; m->port[i].name; i++) {
        snprintf(words, sizeof words, "%s", m->port[i].shape);
        for (char *w = strtok_r(words, " /+", &save); w; w = strtok_r(NULL, " /+", &save))
            if (!strcmp(w, name)) return 1;
    }
    return 0;
}

static int64_t draw_value(const Param *param, int size, double first, double second)
{
    const int64_t reach = param->high - param->low;
    if (reach <= 4) return param->low + (int64_t)(first * (double)(reach + 1));
    if (!size && second < 0.5) return param->fallback;
    const double most = (double)(reach < SPREAD ? reach : SPREAD) + 1;
    return param->low + (int64_t)exp(first * log(most)) - 1;
}

static void draw_problem(Problem *p, uint64_t seed, uint64_t stream, int attempt)
{
    const Method *m = p->method;
    uint32_t given = 0;
    for (int i = 0; m->param[i].name; i++) {
        const uint64_t at = (uint64_t)(attempt * DRAWS + 2 * i);
        const double first = random_uniform(seed, stream, at);
        const double second = random_uniform(seed, stream, at + 1);
        if (m->param[i].same_as && second < 0.5) continue;
        p->value[i] = draw_value(&m->param[i], is_size(m, m->param[i].name), first, second);
        given |= 1u << i;
    }
    problem_follow(p, given);
}

static int is_small(const Problem *p)
{
    size_t bytes = 0;
    for (int i = 0; p->method->port[i].name; i++) {
        Tensor t;
        if (port_shape(p, i, &t)) bytes += tensor_bytes(&t);
    }
    return bytes > 0 && bytes <= TENSOR_BYTES_MAX && bound_reference_flops(p) <= flops_max;
}

int check_random(Problem *p, const Method *method, Pass pass, uint64_t seed, int index)
{
    for (int attempt = 0; attempt < TRIES; attempt++) {
        problem_default(p, method);
        p->pass = pass;
        p->seed = seed + (uint64_t)index;
        draw_problem(p, seed, 0x70726f62 + (uint64_t)index, attempt);
        if (!problem_valid(p, NULL) && is_small(p)) return 1;
    }
    return 0;
}
