/* SPDX-License-Identifier: Apache-2.0 */
/* The checker itself: a right variant passes, and each way to be wrong is found and named. */
#include "../../harness/check.h"
#include "../../harness/heap.h"
#include "../../kernels/core/problem.h"
#include "toy_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static CheckRoom *room;

/* ---- variants of the toy ------------------------------------------------------------------- */

static Status right(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)ctx;
    if (p->pass == FWD) toy_forward(p, args);
    else toy_backward(p, args);
    return OK;
}

static float *y_of(const Args *args) { return args->x[TOY_Y].data; }

static Status one_too_far(const Problem *p, const Args *args, Ctx *ctx)
{
    y_of(args)[p->value[TOY_T] * p->value[TOY_D]] = 0;
    return right(p, args, ctx);
}

static Status one_too_early(const Problem *p, const Args *args, Ctx *ctx)
{
    y_of(args)[-1] = 0;
    return right(p, args, ctx);
}

static Status forgets_the_last(const Problem *p, const Args *args, Ctx *ctx)
{
    const int64_t last = p->value[TOY_T] * p->value[TOY_D] - 1;
    const float before = y_of(args)[last];
    right(p, args, ctx);
    y_of(args)[last] = before;
    return OK;
}

static Status adds_to_its_output(const Problem *p, const Args *args, Ctx *ctx)
{
    const float before = y_of(args)[0];
    right(p, args, ctx);
    y_of(args)[0] += before;
    return OK;
}

static Status changes_its_input(const Problem *p, const Args *args, Ctx *ctx)
{
    right(p, args, ctx);
    ((float *)args->x[TOY_W].data)[0] += 1;
    return OK;
}

static Status is_slightly_off(const Problem *p, const Args *args, Ctx *ctx)
{
    right(p, args, ctx);
    y_of(args)[5] += 1e-4f;
    return OK;
}

static Status leaves_noise_in_padding(const Problem *p, const Args *args, Ctx *ctx)
{
    right(p, args, ctx);
    y_of(args)[p->value[TOY_T] * p->value[TOY_D] - 1] = 1e-30f;
    return OK;
}

static Status is_never_the_same(const Problem *p, const Args *args, Ctx *ctx)
{
    static int calls;
    right(p, args, ctx);
    y_of(args)[0] *= 1 + 1e-7f * (float)(calls++ % 3);
    return OK;
}

static Status trusts_its_workspace(const Problem *p, const Args *args, Ctx *ctx)
{
    const float *found = workspace_take(ctx->ws, 64);
    right(p, args, ctx);
    if (*found > 0) y_of(args)[0] *= 1 + 2e-7f;
    return OK;
}

static Status overflows_its_workspace(const Problem *p, const Args *args, Ctx *ctx)
{
    char *taken = workspace_take(ctx->ws, 64);
    taken[64] = 0;
    return right(p, args, ctx);
}

static Status allocates(const Problem *p, const Args *args, Ctx *ctx)
{
    void *volatile memory = malloc(100);
    free(memory);
    return right(p, args, ctx);
}

static Status cannot_share(const Problem *p, const Args *args, Ctx *ctx)
{
    right(p, args, ctx);
    if (ctx->threads > 1) y_of(args)[1] = 0;
    return OK;
}

static Status fails(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)p, (void)args, (void)ctx;
    return DEVICE_FAILED;
}

static Status rounds_otherwise_with_threads(const Problem *p, const Args *args, Ctx *ctx)
{
    right(p, args, ctx);
    if (ctx->threads > 1) y_of(args)[0] *= 1 + 2e-7f;
    return OK;
}

static size_t one_line(const Problem *p, int threads) { (void)p, (void)threads; return 64; }

static const char *odd_widths(const Problem *p, int threads)
{
    (void)threads;
    return p->value[TOY_D] % 2 ? "D is odd" : NULL;
}

/* ---- checking them ------------------------------------------------------------------------- */

static Variant variant_of(Status (*run)(const Problem *, const Args *, Ctx *))
{
    return (Variant){ .method = "toy", .name = "planted", .passes = FWD | BWD,
                      .dtypes = 1u << F32 | 1u << BF16, .run = run, .workspace = one_line };
}

static CheckItem item_of(const Variant *v, Dtype dtype, Pass pass)
{
    CheckItem item = { .kind = CHECK_VARIANT, .variant = v };
    problem_default(&item.problem, &toy);
    item.problem.dtype = dtype;
    item.problem.pass = pass;
    return item;
}

static void finds(Status (*run)(const Problem *, const Args *, Ctx *), Outcome outcome,
                  const char *reason)
{
    const Variant v = variant_of(run);
    const CheckItem item = item_of(&v, F32, FWD);
    CheckResult r;
    check_run(room, &item, &r);
    if (r.outcome != outcome || !strstr(r.reason, reason))
        fail_msg("%s: '%s', expected '%s'", outcome_name(r.outcome), r.reason, reason);
}

static void right_is_right(void **state)
{
    (void)state;
    static const Dtype dtypes[] = { F32, BF16 };
    const Variant v = variant_of(right);
    for (int pass = FWD; pass <= BWD; pass++)
        for (int i = 0; i < 2; i++) {
            const CheckItem item = item_of(&v, dtypes[i], (Pass)pass);
            CheckResult r;
            check_run(room, &item, &r);
            assert_int_equal(r.outcome, OUTCOME_OK);
            assert_string_equal(r.reason, "");
            assert_true(r.error_rel > 0 && r.error_rel <= r.tolerance);
        }
}

static void each_way_to_be_wrong_is_found(void **state)
{
    (void)state;
    finds(one_too_far, OUTCOME_WRONG, "beyond y");
    finds(one_too_early, OUTCOME_WRONG, "beyond y");
    finds(forgets_the_last, OUTCOME_WRONG, "1 of 104 results are NaN");
    finds(adds_to_its_output, OUTCOME_WRONG, "NaN");
    finds(changes_its_input, OUTCOME_WRONG, "input w");
    finds(is_slightly_off, OUTCOME_WRONG, "y is off");
    finds(leaves_noise_in_padding, OUTCOME_WRONG, "y is off");
    finds(is_never_the_same, OUTCOME_NONDETERMINISTIC, "other bits");
    finds(trusts_its_workspace, OUTCOME_NONDETERMINISTIC, "other bits");
    finds(overflows_its_workspace, OUTCOME_WRONG, "beyond the workspace");
    finds(cannot_share, OUTCOME_WRONG, "with several threads");
    finds(fails, OUTCOME_WRONG, "status 5");
}

static void allocations_are_found(void **state)
{
    (void)state;
    const int64_t before = heap_calls();
    void *volatile memory = malloc(1);
    free(memory);
    if (heap_calls() == before) { print_message("a sanitizer owns the heap\n"); skip(); }
    finds(allocates, OUTCOME_WRONG, "allocated memory 1 times");
}

static void other_rounding_with_threads_is_a_remark(void **state)
{
    (void)state;
    finds(rounds_otherwise_with_threads, OUTCOME_OK, "other bits with 3 threads");
}

static void refusals_are_no_failures(void **state)
{
    (void)state;
    Variant v = variant_of(fails);
    v.refuses = odd_widths;
    const CheckItem item = item_of(&v, F32, FWD);
    CheckResult r;
    check_run(room, &item, &r);
    assert_int_equal(r.outcome, OUTCOME_UNSUPPORTED);
    assert_string_equal(r.reason, "D is odd");
}

/* Here the rounding of o, which a backward pass reads, changes dk by 0.13 of its largest value
 * (test_bind.c): no kernel may be blamed for that, and none needs slack. */
static void rounded_outputs_of_the_forward_pass_are_inputs(void **state)
{
    (void)state;
    CheckItem item = { .kind = CHECK_VARIANT };
    int checked = 0;
    assert_int_equal(problem_parse(&item.problem, "flash_attention:B=8,H=3,Hkv=1,T=5,Tk=25,D=2,"
                                   "causal=1,key_padding=1,query_padding=1,dropout_percent=26,"
                                   "outliers_permille=10:bf16:bwd", NULL), OK);
    item.problem.seed = 42;
    for (int i = 0; variants[i]; i++) {
        const Variant *v = item.variant = variants[i];
        CheckResult r;
        if (strcmp(v->method, "flash_attention") || !isa_runs_here(v->isa)) continue;
        if (!(v->passes & BWD) || !(v->dtypes >> BF16 & 1)) continue;
        check_run(room, &item, &r);
        if (r.outcome != OUTCOME_OK) fail_msg("%s@%s: %s", v->name, isa_name(v->isa), r.reason);
        checked++;
    }
    assert_true(checked > 0);
}

/* ---- the reference itself ------------------------------------------------------------------ */

/* dw forgets the gradient that comes through s, for one element in 91. */
static void wrong_slope(const Problem *p, const Args *args)
{
    toy_reference(p, args);
    if (!args->dx) return;
    double *dw = args->dx[TOY_W].data;
    dw[2] -= tensor_get(&args->dx[TOY_S], 4) * tensor_get(&args->x[TOY_X], 4 * p->value[TOY_D] + 2);
}

static CheckResult check_of(CheckKind kind, const Method *m, Pass pass, const Variant *v)
{
    CheckItem item = { .kind = kind, .variant = v, .law = m->law };
    CheckResult r;
    problem_default(&item.problem, m);
    item.problem.pass = pass;
    item.problem.dtype = v ? F32 : F64;
    check_run(room, &item, &r);
    return r;
}

static void wrong_gradients_are_found(void **state)
{
    (void)state;
    Method planted = toy;
    CheckResult r = check_of(CHECK_GRADIENT, &toy, BWD, NULL);
    assert_int_equal(r.outcome, OUTCOME_OK);
    assert_true(r.error_rel < 1e-9);
    planted.reference = wrong_slope;
    r = check_of(CHECK_GRADIENT, &planted, BWD, NULL);
    assert_int_equal(r.outcome, OUTCOME_WRONG);
    assert_string_equal(r.worst_tensor, "dw");
}

static void adds_one(const Problem *p, const Args *args)
{
    toy_reference(p, args);
    ((double *)args->x[TOY_Y].data)[0] += 1;
}

static void broken_laws_are_found(void **state)
{
    (void)state;
    Method planted = toy;
    const Variant good = variant_of(right), bad = variant_of(is_slightly_off);
    assert_int_equal(check_of(CHECK_LAW, &toy, FWD, NULL).outcome, OUTCOME_OK);
    assert_int_equal(check_of(CHECK_LAW, &toy, FWD, &good).outcome, OUTCOME_OK);
    assert_int_equal(check_of(CHECK_LAW, &toy, FWD, &bad).outcome, OUTCOME_WRONG);
    planted.reference = adds_one;
    const CheckResult r = check_of(CHECK_LAW, &planted, FWD, NULL);
    assert_int_equal(r.outcome, OUTCOME_WRONG);
    assert_non_null(strstr(r.reason, "twice the input is twice the output"));
}

/* ---- random problems ----------------------------------------------------------------------- */

static void random_problems_are_valid_small_and_repeatable(void **state)
{
    (void)state;
    int widths = 0;
    for (int i = 0; i < 200; i++) {
        Problem p, again;
        assert_true(check_random(&p, &toy, FWD, 5, i));
        assert_true(check_random(&again, &toy, FWD, 5, i));
        assert_memory_equal(p.value, again.value, sizeof p.value);
        assert_int_equal(problem_valid(&p, NULL), OK);
        assert_in_range(p.value[TOY_T], 1, 151);
        widths |= 1 << (p.value[TOY_D] < 16 ? p.value[TOY_D] : 0);
    }
    assert_int_equal(widths & 0xfffe, 0xfffe);            /* all from 1 to 15 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_is_right),
        cmocka_unit_test(each_way_to_be_wrong_is_found),
        cmocka_unit_test(allocations_are_found),
        cmocka_unit_test(other_rounding_with_threads_is_a_remark),
        cmocka_unit_test(refusals_are_no_failures),
        cmocka_unit_test(rounded_outputs_of_the_forward_pass_are_inputs),
        cmocka_unit_test(wrong_gradients_are_found),
        cmocka_unit_test(broken_laws_are_found),
        cmocka_unit_test(random_problems_are_valid_small_and_repeatable),
    };
    if (check_room_open(&room, NULL)) return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    check_room_close(room);
    return failed;
}
