/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs are changed so that every dtype holds the changed ones exactly: what is left
 * is the rounding of the kernel under test. */
#include "softmax_attention_laws.h"
#include "random.h"

#include <math.h>

double law_worse(double x, double y) { return y <= x ? x : y; }

double law_difference(const Tensor *x, const Tensor *y, int64_t first, int64_t count)
{
    double worst = 0, most = 0;
    for (int64_t i = first; i < first + count; i++) {
        const double at = tensor_get(x, i), off = fabs(at - tensor_get(y, i));
        most = fmax(most, fabs(at));
        worst = law_worse(worst, off);
    }
    return most > 0 ? worst / most : worst;
}

static double outputs_differ(const Args *a, const Args *b)
{
    return law_difference(&a->x[AT_O], &b->x[AT_O], 0, tensor_count(&a->x[AT_O]));
}

static void swap_rows(Tensor *t, int64_t row, int64_t other, int64_t D)
{
    for (int64_t d = 0; d < D; d++) {
        const double keep = tensor_get(t, row * D + d);
        tensor_set(t, row * D + d, tensor_get(t, other * D + d));
        tensor_set(t, other * D + d, keep);
    }
}

static void copy_rows(Tensor *to, int64_t row, const Tensor *from, int64_t source, int64_t count)
{
    for (int64_t i = 0; i < count; i++) tensor_set(to, row + i, tensor_get(from, source + i));
}

double attention_law_permutation(const Problem *p, Args *a, Args *b, LawRun *run, void *self)
{
    const int64_t heads = p->value[AT_B] * p->value[AT_HKV], Tk = p->value[AT_TK];
    for (int64_t head = 0; head < heads; head++)
        for (int64_t t = Tk - 1; t > 0; t--) {
            const int64_t other = random_below(p->seed, 0, (uint64_t)(head * Tk + t), t + 1);
            swap_rows(&b->x[AT_K], head * Tk + t, head * Tk + other, p->value[AT_D]);
            swap_rows(&b->x[AT_V], head * Tk + t, head * Tk + other, p->value[AT_D]);
        }
    run(self, a);
    run(self, b);
    return outputs_differ(a, b);
}

/* Multiples of 1/16 below 4 in magnitude: their sums are exact in bf16. */
static void coarsen(Tensor *t)
{
    for (int64_t i = 0; i < tensor_count(t); i++)
        tensor_set(t, i, fmax(-63, fmin(63, rint(tensor_get(t, i) * 16))) / 16);
}

double attention_law_shift(const Problem *p, Args *a, Args *b, LawRun *run, void *self)
{
    const int64_t D = p->value[AT_D];
    coarsen(&a->x[AT_K]);
    for (int64_t i = 0; i < tensor_count(&a->x[AT_K]); i++) {
        const double u = (double)(random_below(p->seed, 1, (uint64_t)(i % D), 33) - 16) / 16;
        tensor_set(&b->x[AT_K], i, tensor_get(&a->x[AT_K], i) + u);
    }
    run(self, a);
    run(self, b);
    return outputs_differ(a, b);
}

/* o(v) + o(w) = o(v + w), with w = v of the key before. */
double attention_law_linear(const Problem *p, Args *a, Args *b, LawRun *run, void *self)
{
    Tensor *v = &a->x[AT_V], *w = &b->x[AT_V];
    const int64_t n = tensor_count(v), D = p->value[AT_D];
    coarsen(v);
    for (int64_t i = 0; i < n; i++) tensor_set(w, (i + D) % n, tensor_get(v, i));
    run(self, a);
    run(self, b);
    for (int64_t i = 0; i < tensor_count(&a->x[AT_O]); i++)
        tensor_set(&a->x[AT_O], i, tensor_get(&a->x[AT_O], i) + tensor_get(&b->x[AT_O], i));
    for (int64_t i = 0; i < n; i++) tensor_set(w, i, tensor_get(w, i) + tensor_get(v, i));
    run(self, b);
    return outputs_differ(a, b);
}

/* Keys from the middle on are replaced; the queries aligned with keys before it stay. */
double attention_law_future(const Problem *p, Args *a, Args *b, LawRun *run, void *self)
{
    const int64_t T = p->value[AT_T], Tk = p->value[AT_TK], D = p->value[AT_D], middle = Tk / 2;
    for (int64_t row = 0; row < p->value[AT_B] * p->value[AT_HKV] * Tk; row++)
        for (int64_t d = 0; d < D && row % Tk >= middle; d++) {
            tensor_set(&b->x[AT_K], row * D + d, -2 * tensor_get(&b->x[AT_K], row * D + d));
            tensor_set(&b->x[AT_V], row * D + d, 4 * tensor_get(&b->x[AT_V], row * D + d));
        }
    run(self, a);
    run(self, b);
    double worst = 0;
    const int64_t live = middle - (Tk - T);          /* row i is aligned with key i + Tk - T */
    for (int64_t head = 0; head < p->value[AT_B] * p->value[AT_H] && live > 0; head++)
        worst = law_worse(worst, law_difference(&a->x[AT_O], &b->x[AT_O], head * T * D,
                                                (live < T ? live : T) * D));
    return worst;
}

/* b repeats the last key head of each batch entry over all of them: the heads that read
 * it anyway must not notice. */
double attention_law_groups(const Problem *p, Args *a, Args *b, LawRun *run, void *self)
{
    const int64_t *v = p->value, H = v[AT_H], Hkv = v[AT_HKV], head = v[AT_TK] * v[AT_D];
    for (int64_t i = 0; i < v[AT_B] * Hkv; i++) {
        const int64_t last = i / Hkv * Hkv + Hkv - 1;
        copy_rows(&b->x[AT_K], i * head, &a->x[AT_K], last * head, head);
        copy_rows(&b->x[AT_V], i * head, &a->x[AT_V], last * head, head);
    }
    run(self, a);
    run(self, b);
    double worst = 0;
    const int64_t entry = H * v[AT_T] * v[AT_D], group = entry / Hkv;
    for (int64_t end = entry; end <= v[AT_B] * entry; end += entry)
        worst = law_worse(worst, law_difference(&a->x[AT_O], &b->x[AT_O], end - group, group));
    return worst;
}
