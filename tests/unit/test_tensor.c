/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, names, and exact conversion of every dtype. */
#include "../../kernels/core/tensor.h"
#include "../../kernels/core/workspace.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_round_trip(void **state)
{
    (void)state;
    for (Dtype d = F32; d < DTYPE_END; d++) {
        Dtype back = DTYPE_END;
        assert_true(dtype_parse(dtype_name(d), &back));
        assert_int_equal(back, d);
    }
    Dtype d;
    assert_false(dtype_parse("f16", &d));
}

static void sizes(void **state)
{
    (void)state;
    const Tensor t = { NULL, BF16, 3, { 2, 3, 5 } }, scalar = { NULL, F64, 0, { 0 } };
    assert_int_equal(tensor_count(&t), 30);
    assert_int_equal(tensor_bytes(&t), 60);
    assert_int_equal(tensor_count(&scalar), 1);
    assert_int_equal(tensor_bytes(&scalar), 8);
}

static double through(Dtype dtype, double value)
{
    char room[8];
    Tensor t = { room, dtype, 0, { 0 } };
    tensor_set(&t, 0, value);
    return tensor_get(&t, 0);
}

static void bf16_rounds_to_nearest_even(void **state)
{
    (void)state;
    assert_true(through(BF16, 1.0) == 1.0);
    assert_true(through(BF16, 1 + 0x1p-8) == 1.0);             /* a tie, to even below */
    assert_true(through(BF16, 1 + 0x3p-8) == 1 + 0x1p-6);      /* a tie, to even above */
    assert_true(through(BF16, 1 + 0x1.8p-8) == 1 + 0x1p-7);
    assert_true(through(BF16, -1 - 0x1.8p-8) == -1 - 0x1p-7);
    assert_true(through(BF16, 3.4e38) == INFINITY);
    assert_true(through(BF16, 1e300) == INFINITY);
    assert_true(through(BF16, -INFINITY) == -INFINITY);
    assert_true(isnan(through(BF16, NAN)));
    assert_true(through(BF16, 0x1p-130) == 0x1p-130);          /* subnormals stay */
    assert_true(signbit(through(BF16, -0.0)));
}

/* A double just beside the middle of two bf16 would become the middle as a float, and then go to
 * the even one, whichever side it was on. */
static void bf16_rounds_once(void **state)
{
    (void)state;
    const double middle = 1 + 0x1p-8;
    assert_true(through(BF16, middle + 0x1p-40) == 1 + 0x1p-7);
    assert_true(through(BF16, middle - 0x1p-40) == 1);
    assert_true(through(BF16, 1 + 0x3p-8 - 0x1p-40) == 1 + 0x1p-7);
    assert_true(through(BF16, -middle - 0x1p-40) == -1 - 0x1p-7);
}

static void every_bf16_survives(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        const float value = bf16_to_float((uint16_t)bits);
        const uint16_t back = bf16_from_float(value);
        if (isnan(value)) assert_true(isnan(bf16_to_float(back)));
        else assert_int_equal(back, bits);
    }
}

static void other_dtypes(void **state)
{
    (void)state;
    assert_true(through(F64, 0.1) == 0.1);
    assert_true(through(F32, 0.1) == (double)0.1f);
    assert_true(through(I32, -7) == -7);
    assert_true(through(I32, 2147483647.0) == 2147483647.0);
}

static void tensors_convert(void **state)
{
    (void)state;
    double wide[3] = { 1, -2.5, 1e-3 };
    uint16_t half[3];
    const Tensor from = { wide, F64, 1, { 3 } };
    Tensor to = { half, BF16, 1, { 3 } };
    tensor_convert(&to, &from);
    for (int i = 0; i < 3; i++) assert_int_equal(half[i], bf16_from_float((float)wide[i]));
}

static void workspace_is_a_stack_of_lines(void **state)
{
    (void)state;
    _Alignas(WORKSPACE_ALIGN) char memory[4 * WORKSPACE_ALIGN];
    Workspace ws = { .base = memory, .size = sizeof memory };
    assert_ptr_equal(workspace_take(&ws, 1), memory);
    assert_ptr_equal(workspace_take(&ws, WORKSPACE_ALIGN), memory + WORKSPACE_ALIGN);
    assert_ptr_equal(workspace_take(&ws, 0), memory + 2 * WORKSPACE_ALIGN);
    workspace_reset(&ws);
    assert_int_equal(ws.used, 0);
    assert_int_equal(ws.high_water, 2 * WORKSPACE_ALIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_round_trip),
        cmocka_unit_test(sizes),
        cmocka_unit_test(bf16_rounds_to_nearest_even),
        cmocka_unit_test(bf16_rounds_once),
        cmocka_unit_test(every_bf16_survives),
        cmocka_unit_test(other_dtypes),
        cmocka_unit_test(tensors_convert),
        cmocka_unit_test(workspace_is_a_stack_of_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
