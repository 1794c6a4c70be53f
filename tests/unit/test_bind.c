/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a problem: guards, contents that depend on name and index alone, comparison. */
#include "../../harness/bind.h"
#include "../../kernels/core/problem.h"
#include "toy_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static Device *device;

static void open_toy(Bound *b, Dtype dtype, Pass pass, int64_t T, int64_t D)
{
    Problem p;
    problem_default(&p, &toy);
    p.value[TOY_T] = T;
    p.value[TOY_D] = D;
    p.pass = pass;
    assert_int_equal(bound_open(b, &p, dtype, 0, device, NULL), OK);
    bound_fill(b);
}

static void tensors_are_aligned_and_apart(void **state)
{
    (void)state;
    Bound b;
    open_toy(&b, F32, BWD, 13, 7);
    for (int i = 0; i < TOY_PORTS; i++) {
        assert_int_equal((uintptr_t)b.x[i].data % WORKSPACE_ALIGN, 0);
        assert_true(b.x[i].data != NULL);
    }
    assert_null(b.dx[TOY_LEN].data);               /* an index has no gradient */
    assert_non_null(b.dx[TOY_Y].data);
    assert_int_equal(b.tensor_bytes, 4 * (4 * 13 * 7 + 2 * 7 + 1 + 2 * 13));
    assert_null(bound_guard_broken(&b));
    bound_close(&b);
}

static void broken_guards_are_named(void **state)
{
    (void)state;
    Bound b;
    open_toy(&b, F32, BWD, 13, 7);
    char *end = (char *)b.x[TOY_Y].data + tensor_bytes(&b.x[TOY_Y]);
    const char keep = *end;
    *end = 0;
    assert_string_equal(bound_guard_broken(&b), "y");
    *end = keep;
    assert_null(bound_guard_broken(&b));
    ((char *)b.dx[TOY_W].data)[-1] = 0;
    assert_string_equal(bound_guard_broken(&b), "dw");
    bound_close(&b);
}

static void all_dtypes_see_the_same_numbers(void **state)
{
    (void)state;
    Bound wide, single, half;
    open_toy(&wide, F64, BWD, 50, 33);
    open_toy(&single, F32, BWD, 50, 33);
    open_toy(&half, BF16, BWD, 50, 33);
    for (int64_t i = 0; i < 50 * 33; i++) {
        const double x = tensor_get(&wide.x[TOY_X], i), dy = tensor_get(&wide.dx[TOY_Y], i);
        assert_true(tensor_get(&single.x[TOY_X], i) == x && tensor_get(&half.x[TOY_X], i) == x);
        assert_true(tensor_get(&single.dx[TOY_Y], i) == dy && tensor_get(&half.dx[TOY_Y], i) == dy);
    }
    assert_true(tensor_get(&half.x[TOY_LEN], 0) == 38);
    bound_close(&wide);
    bound_close(&single);
    bound_close(&half);
}

/* The beginning of a longer tensor is the shorter one; another seed is another tensor. */
static void contents_depend_on_name_and_index(void **state)
{
    (void)state;
    Bound b, longer;
    open_toy(&b, F32, FWD, 100, 8);
    open_toy(&longer, F32, FWD, 101, 8);
    assert_memory_equal(b.x[TOY_X].data, longer.x[TOY_X].data, 100 * 8 * sizeof(float));
    longer.problem.seed = 2;
    bound_fill(&longer);
    assert_memory_not_equal(b.x[TOY_X].data, longer.x[TOY_X].data, 800 * sizeof(float));
    bound_close(&b);
    bound_close(&longer);
}

static void moments(const Tensor *t, double *mean, double *variance, double *most)
{
    const int64_t n = tensor_count(t);
    double sum = 0, squares = 0;
    *most = 0;
    for (int64_t i = 0; i < n; i++) {
        const double x = tensor_get(t, i);
        sum += x;
        squares += x * x;
        *most = fmax(*most, fabs(x));
    }
    *mean = sum / (double)n;
    *variance = squares / (double)n - *mean * *mean;
}

static void contents_are_what_they_say(void **state)
{
    (void)state;
    double mean, variance, most;
    Bound b;
    open_toy(&b, F32, FWD, 2048, 2048);
    moments(&b.x[TOY_X], &mean, &variance, &most);
    assert_true(fabs(mean) < 0.0025 && fabs(variance - 1) < 0.004);
    assert_true(most > 4 && most < 4.5);
    moments(&b.x[TOY_W], &mean, &variance, &most);
    assert_true(fabs(mean - 0.5) < 0.04 && fabs(variance - 1.0 / 12) < 0.01);
    assert_true(most < 1);
    assert_true(isnan(tensor_get(&b.x[TOY_Y], 0)) && isnan(tensor_get(&b.x[TOY_S], 2047)));
    bound_close(&b);
}

static void what_a_pass_writes(void **state)
{
    (void)state;
    Bound forward, backward;
    open_toy(&forward, F32, FWD, 13, 7);
    open_toy(&backward, F32, BWD, 13, 7);
    assert_ptr_equal(bound_written(&forward, TOY_Y), &forward.x[TOY_Y]);
    assert_null(bound_written(&forward, TOY_X));
    assert_ptr_equal(bound_written(&backward, TOY_X), &backward.dx[TOY_X]);
    assert_null(bound_written(&backward, TOY_Y));
    assert_null(bound_written(&backward, TOY_LEN));
    assert_string_equal(bound_written_name(&backward.problem, TOY_W), "dw");
    bound_close(&forward);
    bound_close(&backward);
}

/* ---- the float64 reference ----------------------------------------------------------------- */

/* dk cancels to little in this problem, which `attest check --random` found. */
#define CANCELLING "B=8,H=3,Hkv=1,T=5,Tk=25,D=2,causal=1,key_padding=1,query_padding=1," \
                   "dropout_percent=26"
static const char with_o[] = "flash_attention:" CANCELLING ",outliers_permille=10:bf16:bwd";
static const char without_o[] = "attention:" CANCELLING ":bf16:bwd";
static const char with_p[] = "attention:" CANCELLING ",keep_p=1:bf16:bwd";

static void open_referenced(Bound *b, const char *text, Dtype saved)
{
    Problem p;
    assert_int_equal(problem_parse(&p, text, NULL), OK);
    p.seed = 42;
    assert_int_equal(bound_open(b, &p, F64, 0, device, NULL), OK);
    bound_fill(b);
    reference_run(&b->problem, &b->args, saved);
}

/* How far gradients from rounded outputs of the forward pass are from exact ones. */
static double rounding_of_saved(const char *text, Dtype saved)
{
    Bound exact, rounded;
    open_referenced(&exact, text, F64);
    open_referenced(&rounded, text, saved);
    const Difference d = bound_compare(&rounded, &exact);
    bound_close(&exact);
    bound_close(&rounded);
    return d.error_rel;
}

/* By more than a kernel may be off, even with the slack of random problems. Standard attention does
 * not read o, but what it is given of P. */
static void gradients_are_those_of_the_given_outputs(void **state)
{
    (void)state;
    assert_true(rounding_of_saved(with_o, BF16) > 0.08);
    assert_true(rounding_of_saved(with_o, F32) == 0);
    assert_true(rounding_of_saved(without_o, BF16) == 0);
    assert_true(rounding_of_saved(with_p, BF16) > 0);
}

/* ---- comparing ----------------------------------------------------------------------------- */

typedef struct { Bound got, want; } Pair;

static void open_pair(Pair *p, Dtype dtype, Pass pass)
{
    open_toy(&p->got, dtype, pass, 13, 7);
    open_toy(&p->want, F64, pass, 13, 7);
    reference_run(&p->want.problem, &p->want.args, F64);
    if (pass == BWD) bound_forward(&p->got, &p->want);
    toy_reference(&p->got.problem, &p->got.args);
}

static void close_pair(Pair *p)
{
    bound_close(&p->got);
    bound_close(&p->want);
}

static void the_same_is_right(void **state)
{
    (void)state;
    for (int pass = FWD; pass <= BWD; pass++) {
        Pair p;
        open_pair(&p, F32, (Pass)pass);
        const Difference d = bound_compare(&p.got, &p.want);
        assert_true(d.error_rel < 1e-6 && d.error_rel > 0);
        assert_true(d.ulp <= 1);
        assert_int_equal(d.nan_count, 0);
        assert_int_equal(d.compared, pass == FWD ? 13 * 7 + 13 : 13 * 7 + 7);
        close_pair(&p);
    }
}

static void differences_are_relative_to_the_largest(void **state)
{
    (void)state;
    Pair p;
    open_pair(&p, F64, FWD);
    double most = 0;
    for (int i = 0; i < 13 * 7; i++) most = fmax(most, fabs(tensor_get(&p.want.x[TOY_Y], i)));
    tensor_set(&p.got.x[TOY_Y], 3, tensor_get(&p.want.x[TOY_Y], 3) + 0.5);
    const Difference d = bound_compare(&p.got, &p.want);
    assert_string_equal(d.worst_tensor, "y");
    assert_true(fabs(d.error_rel - 0.5 / most) < 1e-12 && fabs(d.error_abs - 0.5) < 1e-12);
    assert_true(fabs(d.rmse - 0.5 / sqrt(13 * 7)) < 1e-12);
    close_pair(&p);
}

static void nan_and_infinity_are_infinitely_wrong(void **state)
{
    (void)state;
    Pair p;
    open_pair(&p, F32, FWD);
    tensor_set(&p.got.x[TOY_S], 1, NAN);
    Difference d = bound_compare(&p.got, &p.want);
    assert_true(d.error_rel == INFINITY && d.nan_count == 1);
    assert_string_equal(d.worst_tensor, "s");
    tensor_set(&p.got.x[TOY_S], 1, -INFINITY);
    tensor_set(&p.want.x[TOY_S], 1, -INFINITY);
    d = bound_compare(&p.got, &p.want);
    assert_true(d.error_rel < 1e-6);
    tensor_set(&p.got.x[TOY_S], 1, INFINITY);
    d = bound_compare(&p.got, &p.want);
    assert_true(d.error_rel == INFINITY);
    close_pair(&p);
}

/* Rows beyond `len` are 0: rounding noise there is no rounding. */
static void empty_rows_are_exactly_zero(void **state)
{
    (void)state;
    Pair p;
    open_pair(&p, F32, FWD);
    tensor_set(&p.got.x[TOY_Y], 12 * 7, 1e-30);
    const Difference d = bound_compare(&p.got, &p.want);
    assert_true(d.error_rel == INFINITY);
    close_pair(&p);
}

/* dw cancels to nothing but float64's rounding: it is measured by dx. */
static void noise_is_measured_by_the_others(void **state)
{
    (void)state;
    Pair p;
    open_pair(&p, F32, BWD);
    double most = 0;
    for (int i = 0; i < 13 * 7; i++) most = fmax(most, fabs(tensor_get(&p.want.dx[TOY_X], i)));
    for (int i = 0; i < 7; i++) {
        tensor_set(&p.want.dx[TOY_W], i, 1e-17);
        tensor_set(&p.got.dx[TOY_W], i, -1e-8);
    }
    const Difference d = bound_compare(&p.got, &p.want);
    assert_true(d.error_rel < 1e-6);
    close_pair(&p);
}

static void rows_are_compared_where_all_would_cost_too_much(void **state)
{
    (void)state;
    Pair p;
    open_pair(&p, F32, FWD);
    Difference d;
    Err err;
    assert_int_equal(bound_compare_rows(&p.got, 5, 1, &d, &err), OK);
    assert_int_equal(d.compared, 5 * 7);
    assert_true(d.error_rel < 1e-6);
    assert_int_equal(bound_compare_rows(&p.got, 100, 1, &d, &err), OK);
    assert_int_equal(d.compared, 13 * 7);
    for (int i = 0; i < 13 * 7; i++) tensor_set(&p.got.x[TOY_Y], i, 1);
    assert_int_equal(bound_compare_rows(&p.got, 5, 1, &d, &err), OK);
    assert_true(d.error_rel > 0.1);
    p.got.problem.pass = BWD;
    assert_int_equal(bound_compare_rows(&p.got, 5, 1, &d, &err), UNSUPPORTED);
    close_pair(&p);
}

static void checksums_see_every_bit(void **state)
{
    (void)state;
    Pair p;
    open_pair(&p, BF16, FWD);
    const uint64_t before = bound_checksum(&p.got);
    uint16_t *last = (uint16_t *)p.got.x[TOY_Y].data + 13 * 7 - 1;
    *last ^= 1;
    assert_int_not_equal(bound_checksum(&p.got), before);
    *last ^= 1;
    assert_int_equal(bound_checksum(&p.got), before);
    close_pair(&p);
}

static void tolerances_are_the_variants_or_the_methods(void **state)
{
    (void)state;
    Variant own = { .tolerance = { .f32_fwd = 0.5 } }, none = { .name = "n" };
    Problem p;
    problem_default(&p, &toy);
    assert_true(bound_tolerance(&p, NULL) == toy.tolerance.f32_fwd);
    assert_true(bound_tolerance(&p, &none) == toy.tolerance.f32_fwd);
    assert_true(bound_tolerance(&p, &own) == 0.5);
    p.pass = BWD;
    p.dtype = BF16;
    assert_true(bound_tolerance(&p, NULL) == toy.tolerance.bf16_bwd);
    p.pass = STEP;
    assert_true(bound_tolerance(&p, NULL) == toy.tolerance.bf16_fwd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_aligned_and_apart),
        cmocka_unit_test(broken_guards_are_named),
        cmocka_unit_test(all_dtypes_see_the_same_numbers),
        cmocka_unit_test(contents_depend_on_name_and_index),
        cmocka_unit_test(contents_are_what_they_say),
        cmocka_unit_test(what_a_pass_writes),
        cmocka_unit_test(gradients_are_those_of_the_given_outputs),
        cmocka_unit_test(the_same_is_right),
        cmocka_unit_test(differences_are_relative_to_the_largest),
        cmocka_unit_test(nan_and_infinity_are_infinitely_wrong),
        cmocka_unit_test(empty_rows_are_exactly_zero),
        cmocka_unit_test(noise_is_measured_by_the_others),
        cmocka_unit_test(rows_are_compared_where_all_would_cost_too_much),
        cmocka_unit_test(checksums_see_every_bit),
        cmocka_unit_test(tolerances_are_the_variants_or_the_methods),
    };
    if (backend_cpu.open(&device, NULL)) return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    backend_cpu.close(device);
    return failed;
}
