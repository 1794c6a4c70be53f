/* SPDX-License-Identifier: Apache-2.0 */
/* Files of tensors: written and read again, damaged ones refused, a problem found in one, and
 * golden values that a reference or a variant gets right or wrong. */
#include "../../harness/check.h"
#include "../../harness/golden.h"
#include "../../kernels/core/problem.h"
#include "toy_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/attest-test-XXXXXX", path[64];
static CheckRoom *room;

/* ---- the format ---------------------------------------------------------------------------- */

static void written_files_are_read_again(void **state)
{
    (void)state;
    float single[6] = { 1, -2, 3.5f, 0, INFINITY, 1e-40f };
    double wide = 0.1;
    uint16_t half[2] = { bf16_from_float(1.5f), bf16_from_float(-3) };
    int32_t whole[3] = { -1, 0, 7 };
    const Tensor t[] = { { single, F32, 2, { 2, 3 } }, { &wide, F64, 0, { 0 } },
                         { half, BF16, 1, { 2 } }, { whole, I32, 3, { 1, 3, 1 } } };
    const SafeEntry entry[] = { { "a", &t[0] }, { "b.c", &t[1] }, { "h", &t[2] }, { "i", &t[3] } };
    const SafePair pairs[] = { { "point", "x:y=\"1\"" }, { NULL, NULL } };
    SafeFile f;
    Err err;
    assert_int_equal(safe_write(path, pairs, entry, 4, &err), OK);
    if (safe_open(&f, path, &err)) fail_msg("%s", err.text);
    assert_string_equal(safe_metadata(&f, "point"), "x:y=\"1\"");
    assert_null(safe_metadata(&f, "absent"));
    assert_int_equal(f.tensors, 4);
    const SafeTensor *a = safe_find(&f, "a");
    assert_true(a->rank == 2 && a->dim[0] == 2 && a->dim[1] == 3 && a->dtype == SAFE_F32);
    for (int i = 0; i < 6; i++) assert_true(safe_get(a, i) == (double)single[i]);
    assert_true(safe_get(safe_find(&f, "b.c"), 0) == 0.1);
    assert_true(safe_get(safe_find(&f, "h"), 1) == -3);
    assert_true(safe_get(safe_find(&f, "i"), 0) == -1);
    assert_null(safe_find(&f, "z"));
    safe_close(&f);
}

static void put(const char *header, size_t length, size_t values)
{
    FILE *to = fopen(path, "wb");
    const uint64_t size = length;
    assert_non_null(to);
    fwrite(&size, sizeof size, 1, to);
    fputs(header, to);
    for (size_t i = 0; i < values; i++) fputc(0, to);
    fclose(to);
}

static void refused(const char *header, size_t values, const char *sentence)
{
    SafeFile f;
    Err err = { "" };
    put(header, strlen(header), values);
    assert_int_equal(safe_open(&f, path, &err), BAD_INPUT);
    if (!strstr(err.text, sentence)) fail_msg("'%s' lacks '%s'", err.text, sentence);
    assert_non_null(strstr(err.text, path));
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    SafeFile f;
    Err err;
    refused("[]", 0, "no object");
    refused("{", 0, ":1:");
    refused("{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]}}", 7, "within");
    refused("{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4]}}", 8,
            "4 bytes");
    refused("{\"a\": {\"dtype\": \"F32\", \"shape\": [-1], \"data_offsets\": [0, 4]}}", 8,
            "no shape");
    refused("{\"a\": {\"dtype\": \"F32\", \"shape\": 1, \"data_offsets\": [0, 4]}}", 8, "no shape");
    refused("{\"a\": {\"dtype\": \"F32\", \"shape\": [4611686018427387904, 4], "
            "\"data_offsets\": [0, 0]}}", 8, "no shape");
    refused("{\"a\": {\"dtype\": \"F32\", \"shape\": [], \"data_offsets\": [-4, 0]}}", 8, "within");
    refused("{\"a\": 1}", 0, "no shape");
    put("{}", 1 << 30, 0);
    assert_int_equal(safe_open(&f, path, &err), BAD_INPUT);
    assert_int_equal(safe_open(&f, "/nonexistent/file", &err), BAD_INPUT);
    assert_int_equal(safe_open(&f, "/tmp", &err), BAD_INPUT);
}

static void halves_are_read_exactly(void **state)
{
    (void)state;
    static const uint16_t bits[] = { 0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00, 0x3555 };
    static const double want[] = { 1, -2, 65504, 0x1p-24, 0x1p-14, INFINITY, 0x1.554p-2 };
    SafeTensor t = { .dtype = SAFE_F16, .data = (const char *)bits };
    for (int i = 0; i < 7; i++) assert_true(safe_get(&t, i) == want[i]);
}

/* ---- a problem in a file ------------------------------------------------------------------- */

typedef struct {
    double  x[12], w[4], y[12], s[3], dy[12], ds[3], dx[12], dw[4];
    int32_t len;
} Values;

/* T = 3, D = 4, two rows count. */
static Values values(void)
{
    Values v = { .len = 2 };
    for (int i = 0; i < 12; i++) {
        v.x[i] = (i % 5 - 2) * 0.5;
        v.dy[i] = (i % 7 - 3) * 0.25;
    }
    for (int d = 0; d < 4; d++) v.w[d] = 1 + d;
    for (int t = 0; t < 3; t++) v.ds[t] = t - 0.5;
    for (int t = 0; t < 2; t++)
        for (int d = 0; d < 4; d++) {
            const int i = 4 * t + d;
            v.y[i] = v.x[i] * v.w[d];
            v.s[t] += v.y[i];
            v.dx[i] = (v.dy[i] + v.ds[t]) * v.w[d];
            v.dw[d] += (v.dy[i] + v.ds[t]) * v.x[i];
        }
    return v;
}

static void write_values(Values *v, const char *parameters)
{
    const Tensor t[] = {
        { v->x, F64, 2, { 3, 4 } }, { v->w, F64, 1, { 4 } }, { v->y, F64, 2, { 3, 4 } },
        { v->s, F64, 1, { 3 } }, { v->dy, F64, 2, { 3, 4 } }, { v->ds, F64, 1, { 3 } },
        { v->dx, F64, 2, { 3, 4 } }, { v->dw, F64, 1, { 4 } }, { &v->len, I32, 1, { 1 } },
    };
    static const char *const names[] = { "x", "w", "y", "s", "dy", "ds", "dx", "dw", "len" };
    const SafePair pairs[] = { { "method", "toy" }, { "parameters", parameters }, { NULL, NULL } };
    SafeEntry entry[9];
    for (int i = 0; i < 9; i++) entry[i] = (SafeEntry){ names[i], &t[i] };
    assert_int_equal(safe_write(path, pairs, entry, 9, NULL), OK);
}

static Status problem_of(Problem *p, Err *err)
{
    SafeFile f;
    problem_default(p, &toy);
    assert_int_equal(safe_open(&f, path, err), OK);
    const Status status = golden_problem(&f, p, 0, err);
    safe_close(&f);
    return status;
}

static void sizes_come_from_shapes_and_metadata(void **state)
{
    (void)state;
    Values v = values();
    Problem p;
    Err err;
    write_values(&v, "{\"T\": 3, \"unknown\": [1, 2]}");
    assert_int_equal(problem_of(&p, &err), OK);
    assert_int_equal(p.value[TOY_T], 3);
    assert_int_equal(p.value[TOY_D], 4);
    write_values(&v, "{\"T\": 5}");
    assert_int_equal(problem_of(&p, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "T is already 5"));
    write_values(&v, "{\"T\": ");
    assert_int_equal(problem_of(&p, &err), BAD_INPUT);
}

/* ---- golden values ------------------------------------------------------------------------- */

static Status twice(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)ctx;
    if (p->pass == BWD) { toy_backward(p, args); return OK; }
    toy_forward(p, args);
    for (int64_t i = 0; i < tensor_count(&args->x[TOY_S]); i++)
        tensor_set(&args->x[TOY_S], i, 2 * tensor_get(&args->x[TOY_S], i));
    return OK;
}

static CheckResult check_file(Pass pass, const Variant *v, Dtype dtype)
{
    CheckItem item = { .kind = CHECK_GOLDEN, .file = path, .path = "f", .variant = v };
    CheckResult r;
    Err err;
    if (problem_of(&item.problem, &err)) fail_msg("%s", err.text);
    item.problem.pass = pass;
    item.problem.dtype = dtype;
    check_run(room, &item, &r);
    return r;
}

static void right_values_are_right(void **state)
{
    (void)state;
    Values v = values();
    write_values(&v, "{}");
    for (int pass = FWD; pass <= BWD; pass++) {
        const CheckResult r = check_file((Pass)pass, NULL, F64);
        if (r.outcome != OUTCOME_OK) fail_msg("%s: %s", r.worst_tensor, r.reason);
        assert_true(r.error_rel <= 1e-15);
    }
}

static void wrong_values_are_found(void **state)
{
    (void)state;
    Values v = values();
    v.dw[1] += 1e-8;
    write_values(&v, "{}");
    assert_int_equal(check_file(FWD, NULL, F64).outcome, OUTCOME_OK);
    CheckResult r = check_file(BWD, NULL, F64);
    assert_int_equal(r.outcome, OUTCOME_WRONG);
    assert_string_equal(r.worst_tensor, "dw");
    v = values();
    v.y[11] = 1e-300;                          /* padding: exactly 0, or wrong */
    write_values(&v, "{}");
    r = check_file(FWD, NULL, F64);
    assert_int_equal(r.outcome, OUTCOME_OK);   /* 1e-300 is no zero in the file: near enough */
    v = values();
    v.x[0] = NAN;
    write_values(&v, "{}");
    assert_int_equal(check_file(FWD, NULL, F64).outcome, OUTCOME_WRONG);
}

static void wrong_variants_are_found(void **state)
{
    (void)state;
    const Variant bad = { .method = "toy", .name = "twice", .passes = FWD | BWD, .run = twice };
    static const Dtype dtypes[] = { F32, BF16 };
    Values v = values();
    write_values(&v, "{}");
    for (int i = 0; i < 2; i++) {
        const CheckResult r = check_file(FWD, &bad, dtypes[i]);
        assert_int_equal(r.outcome, OUTCOME_WRONG);
        assert_string_equal(r.worst_tensor, "s");
        assert_int_equal(check_file(BWD, &bad, dtypes[i]).outcome, OUTCOME_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_files_are_read_again),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(halves_are_read_exactly),
        cmocka_unit_test(sizes_come_from_shapes_and_metadata),
        cmocka_unit_test(right_values_are_right),
        cmocka_unit_test(wrong_values_are_found),
        cmocka_unit_test(wrong_variants_are_found),
    };
    if (!mkdtemp(folder) || check_room_open(&room, NULL)) return 1;
    snprintf(path, sizeof path, "%s/f.safetensors", folder);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    check_room_close(room);
    unlink(path);
    rmdir(folder);
    return failed;
}
