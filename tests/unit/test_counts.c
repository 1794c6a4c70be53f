/* SPDX-License-Identifier: Apache-2.0 */
/* Every variant that states a formula of its work executes just that: its counting build
 * runs the method's cases, and each number that the formula gives has to be equal. Names
 * no method. */
#include "../../harness/bind.h"
#include "../../kernels/core/backend.h"
#include "../../kernels/core/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct { const char *name; size_t at; } fields[] = {
    { "matmul_flops", offsetof(Counts, matmul_flops) },
    { "other_flops", offsetof(Counts, other_flops) },
    { "exps", offsetof(Counts, exps) },
    { "loaded_bytes", offsetof(Counts, loaded_bytes) },
    { "stored_bytes", offsetof(Counts, stored_bytes) },
};
enum { FIELDS = sizeof fields / sizeof *fields };

static int64_t field(const Counts *c, int i)
{
    int64_t value;
    memcpy(&value, (const char *)c + fields[i].at, sizeof value);
    return value;
}

/* Returns how many numbers were compared. */
static int compare(const Variant *v, const Problem *p, const Counts *counted)
{
    Counts formula = { 0 };
    int compared = 0;
    v->counts(p, &formula);
    for (int i = 0; i < FIELDS; i++) {
        if (!field(&formula, i)) continue;
        compared++;
        if (field(&formula, i) == field(counted, i)) continue;
        char text[POINT_TEXT_MAX];
        problem_print(p, text, sizeof text);
        fail_msg("%s/%s %s: %s by formula %lld, counted %lld", v->method, v->name, text,
                 fields[i].name, (long long)field(&formula, i), (long long)field(counted, i));
    }
    return compared;
}

static int count_one(const Variant *v, const Problem *p, Device *device)
{
    Err err;
    Bound b, reference;
    const int bwd = p->pass == BWD;
    assert_int_equal(bound_open(&b, p, p->dtype, bwd, device, &err), OK);
    bound_fill(&b);
    if (bwd) {
        assert_int_equal(bound_open(&reference, p, F64, 1, device, &err), OK);
        bound_fill(&reference);
        reference_outputs(&reference.problem, &reference.args);
        bound_forward(&b, &reference);
        bound_close(&reference);
    }
    const size_t bytes = v->workspace ? v->workspace(p, 1) : 0;
    Workspace ws = { .size = bytes };
    ws.base = aligned_alloc(WORKSPACE_ALIGN, workspace_round(bytes + 1));
    assert_non_null(ws.base);
    counts = (Counts){ 0 };
    assert_int_equal(v->run(p, &b.args, &(Ctx){ .ws = &ws, .threads = 1 }), OK);
    const Counts counted = counts;
    const int compared = compare(v, p, &counted);
    free(ws.base);
    bound_close(&b);
    return compared;
}

static int count_cases(const Variant *v, Device *device)
{
    const Method *m = method_find(v->method);
    int compared = 0;
    for (int c = 0; m->cases[c]; c++)
        for (Pass pass = FWD; pass <= STEP; pass = (Pass)(pass << 1)) {
            Problem p;
            Err err;
            assert_int_equal(problem_parse(&p, m->cases[c], &err), OK);
            p.pass = pass;
            if (!(v->passes & pass) || problem_valid(&p, &err)) continue;
            if (v->refuses && v->refuses(&p, 1)) continue;
            compared += count_one(v, &p, device);
        }
    return compared;
}

static void formulas_are_what_is_executed(void **state)
{
    (void)state;
    Device *device;
    Err err;
    int compared = 0;
    assert_int_equal(backend_cpu.open(&device, &err), OK);
    for (int i = 0; variants[i]; i++)
        if (variants[i]->isa == ISA_COUNT && variants[i]->counts)
            compared += count_cases(variants[i], device);
    backend_cpu.close(device);
    assert_true(compared > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(formulas_are_what_is_executed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
