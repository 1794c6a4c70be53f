/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of points: every descriptor's cases and random problems there and back, and what is said of
 * texts that are wrong. Shapes and sizes from shapes, on a method made up here. */
#include "../../harness/check.h"
#include "../../kernels/core/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- there and back ------------------------------------------------------------------------ */

static void assert_same_problem(const Problem *a, const Problem *b)
{
    assert_ptr_equal(a->method, b->method);
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(a->pass, b->pass);
    assert_memory_equal(a->value, b->value, sizeof a->value);
}

static void round_trip(const Problem *p)
{
    char text[POINT_TEXT_MAX], again[POINT_TEXT_MAX];
    Problem back;
    Err err;
    const int length = problem_print(p, text, sizeof text);
    assert_int_equal(length, strlen(text));
    if (problem_parse(&back, text, &err)) fail_msg("%s: %s", text, err.text);
    assert_same_problem(p, &back);
    problem_print(&back, again, sizeof again);
    assert_string_equal(text, again);
}

static void cases_round_trip(void **state)
{
    (void)state;
    for (int m = 0; methods[m]; m++)
        for (int i = 0; methods[m]->cases[i]; i++) {
            Problem p;
            Err err;
            if (problem_parse(&p, methods[m]->cases[i], &err))
                fail_msg("%s: %s", methods[m]->cases[i], err.text);
            round_trip(&p);
        }
}

static void random_problems_round_trip(void **state)
{
    (void)state;
    for (int m = 0; methods[m]; m++)
        for (int i = 0; i < 50; i++) {
            Problem p;
            if (!check_random(&p, methods[m], FWD, 11, i)) continue;
            p.dtype = i % 2 ? BF16 : F32;
            round_trip(&p);
        }
}

static void points_round_trip(void **state)
{
    (void)state;
    for (int i = 0; variants[i]; i++) {
        char text[POINT_TEXT_MAX];
        Point p = { .variant = variants[i], .threads = 1 + i % 3 }, back;
        Err err;
        problem_default(&p.problem, method_find(variants[i]->method));
        point_print(&p, text, sizeof text);
        if (point_parse(&back, text, &err)) fail_msg("%s: %s", text, err.text);
        assert_same_problem(&p.problem, &back.problem);
        assert_ptr_equal(p.variant, back.variant);
        assert_int_equal(p.threads, back.threads);
    }
}

/* Left out: the usual variant, on the best instruction set that is for measuring. */
static void defaults_are_the_best_here(void **state)
{
    (void)state;
    for (int m = 0; methods[m]; m++) {
        Point p;
        if (point_parse(&p, methods[m]->name, NULL)) continue;      /* its usual one is not built */
        assert_string_equal(p.variant->name, methods[m]->usual);
        assert_true(isa_runs_here(p.variant->isa));
        assert_int_not_equal(p.variant->isa, ISA_COUNT);
        assert_int_equal(p.threads, 1);
        assert_int_equal(p.problem.dtype, F32);
        assert_int_equal(p.problem.pass, FWD);
    }
}

/* ---- what is wrong ------------------------------------------------------------------------- */

static void says(const char *format, const char *name, const char *sentence)
{
    char text[POINT_TEXT_MAX];
    Point p;
    Err err = { "" };
    snprintf(text, sizeof text, format, name);
    assert_int_equal(point_parse(&p, text, &err), BAD_INPUT);
    if (!strstr(err.text, sentence)) fail_msg("'%s': '%s' lacks '%s'", text, err.text, sentence);
}

static void wrong_texts_get_a_sentence(void **state)
{
    (void)state;
    const char *name = methods[0]->name;
    says("%s/reference:q=1", name, "there is no parameter");
    says("%s/reference:f3", name, "did you mean 'f32'");
    says("%s/reference:f32:f32", name, "'f32' is a second dtype");
    says("%s/reference:fwd:bwd", name, "'bwd' is a second pass");
    says("%s/reference:threads=1:threads=2", name, "'threads=2' is a second threads=N");
    says("%s/reference:thread=2", name, "there is no parameter");
    says("%s/reference:B=1:thread=2", name, "did you mean 'threads'");
    says("%s/reference:B=1:T=2", name, "second list of parameters");
    says("%s/reference:T", name, "T is a parameter; it wants a value");
    says("%s/reference:threads=0", name, "outside 1..");
    says("%s/reference:threads=x", name, "threads='x' is not a whole number");
    says("%s/reference:B=", name, "B='' is not a whole number");
    says("%s/reference:B=1,B=2", name, "B is given twice");
    says("%s/reference:B=1,", "x", "there is no method 'x'");
    says("%s/reference:B=0", name, "outside 1..");
    says("%s/reference:B=99999999999999999999", name, "not a whole number");
    says("%s/nothing_like_it", name, "there is no variant");
    says("%s@avx3", name, "did you mean 'avx2'");
    says("%s", "", "there is no method");
    char longest[POINT_TEXT_MAX + 10];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    Point p;
    assert_int_equal(point_parse(&p, longest, NULL), BAD_INPUT);
}

static void nearest_names(void **state)
{
    (void)state;
    static const char *const names[] = { "runtime", "memory", "T", "Tk" };
    assert_string_equal(did_you_mean("runtme", names, 4), "runtime");
    assert_string_equal(did_you_mean("MEMORY", names, 4), "memory");
    assert_string_equal(did_you_mean("Tj", names, 4), "T");
    assert_null(did_you_mean("something", names, 4));
    assert_string_equal(did_you_mean("runt", names, 4), "runtime");     /* its beginning */
    static const char *const paths[] = { "paper/memory", "paper/time", "paper" };
    assert_string_equal(did_you_mean("time", paths, 3), "paper/time");
    assert_string_equal(did_you_mean("papr", paths, 3), "paper");
    assert_null(did_you_mean("p", paths, 3));
    assert_null(did_you_mean("", names, 2));
}

/* ---- shapes -------------------------------------------------------------------------------- */

enum { P_T, P_C, P_D, P_G, P_MASK };
enum { X, CHUNKS, ENDS, MASK, OUT };

static const Param params[] = {
    [P_T] = { .name = "T", .help = "rows", .fallback = 10, .low = 1, .high = 1000, .shown = 1 },
    [P_C] = { .name = "C", .help = "rows a chunk", .fallback = 4, .low = 1, .high = 64 },
    [P_D] = { .name = "D", .help = "width", .low = 1, .high = 64, .same_as = "C" },
    [P_G] = { .name = "G", .help = "groups", .high = 8 },
    [P_MASK] = { .name = "mask", .help = "a mask", .high = 2 },
    { 0 },
};
static const Port ports[] = {
    [X] = { .name = "x", .shape = "2 T D", .passes = FWD | BWD, .help = "rows" },
    [CHUNKS] = { .name = "chunks", .shape = "T/C D", .kind = KIND_WIDE, .passes = FWD, .help = "" },
    [ENDS] = { .name = "ends", .shape = "G+1", .kind = KIND_INDEX, .passes = FWD, .when = "G",
               .help = "", .no_grad = 1 },
    [MASK] = { .name = "mask", .shape = "T", .kind = KIND_INDEX, .passes = FWD, .when = "mask",
               .help = "", .no_grad = 1 },
    [OUT] = { .name = "o", .shape = "T", .role = PORT_OUT, .passes = FWD | BWD, .help = "" },
    { 0 },
};
static const Method toy = { .name = "toy", .param = params, .port = ports };

static void shapes_follow_parameters(void **state)
{
    (void)state;
    Problem p;
    Tensor t;
    problem_default(&p, &toy);
    assert_int_equal(p.value[P_D], 4);                   /* as C */
    assert_true(port_shape(&p, X, &t));
    assert_int_equal(t.rank, 3);
    assert_true(t.dim[0] == 2 && t.dim[1] == 10 && t.dim[2] == 4);
    assert_true(port_shape(&p, CHUNKS, &t));
    assert_int_equal(t.dim[0], 3);                       /* 10 / 4, rounded up */
    p.dtype = BF16;
    assert_true(port_shape(&p, CHUNKS, &t) && t.dtype == F32);
    assert_true(port_shape(&p, X, &t) && t.dtype == BF16);
    assert_false(port_shape(&p, ENDS, &t));              /* G = 0 */
    p.value[P_G] = 3;
    assert_true(port_shape(&p, ENDS, &t) && t.dtype == I32 && t.dim[0] == 4);
    p.pass = BWD;
    assert_false(port_shape(&p, CHUNKS, &t));
}

static void parameters_follow_shapes(void **state)
{
    (void)state;
    Problem p;
    Err err;
    uint32_t given = 0;
    problem_default(&p, &toy);
    assert_int_equal(port_unify(&p, X, 3, (int64_t[]){ 2, 33, 7 }, &given, &err), OK);
    assert_int_equal(p.value[P_T], 33);
    assert_int_equal(p.value[P_D], 7);
    assert_int_equal(port_unify(&p, ENDS, 1, (int64_t[]){ 6 }, &given, &err), OK);
    assert_int_equal(p.value[P_G], 5);
    assert_int_equal(port_unify(&p, MASK, 1, (int64_t[]){ 33 }, &given, &err), OK);
    assert_int_equal(p.value[P_MASK], 1);                /* it is there */
    problem_follow(&p, given);
    assert_int_equal(p.value[P_D], 7);                   /* given: does not follow C */
    assert_int_equal(port_unify(&p, OUT, 1, (int64_t[]){ 34 }, &given, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "T is already 33"));
    assert_int_equal(port_unify(&p, OUT, 2, (int64_t[]){ 1, 33 }, &given, &err), BAD_INPUT);
    assert_int_equal(port_unify(&p, X, 1, (int64_t[]){ 7 }, &given, &err), BAD_INPUT);
}

static void ranges_hold(void **state)
{
    (void)state;
    Problem p;
    Err err;
    problem_default(&p, &toy);
    assert_int_equal(problem_valid(&p, &err), OK);
    p.value[P_C] = 65;
    assert_int_equal(problem_valid(&p, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "C=65 is outside 1..64"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_round_trip),
        cmocka_unit_test(random_problems_round_trip),
        cmocka_unit_test(points_round_trip),
        cmocka_unit_test(defaults_are_the_best_here),
        cmocka_unit_test(wrong_texts_get_a_sentence),
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(shapes_follow_parameters),
        cmocka_unit_test(parameters_follow_shapes),
        cmocka_unit_test(ranges_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
