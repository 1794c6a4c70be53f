/* SPDX-License-Identifier: Apache-2.0 */
/* The vector forms beside their scalar definitions, on every ISA: sums of VL vectors at
 * once, and the dropout mask. */
#include "../../kernels/core/vdropout.h"
#include "../../kernels/core/vsums.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Whole numbers, so that every order of addition gives the same sum. */
static void sums_stand_in_order(void **state)
{
    float x[VL][VL], got[VL];
    vf r[VL];
    (void)state;
    for (int i = 0; i < VL; i++)
        for (int l = 0; l < VL; l++) x[i][l] = (float)((i * 37 + l * 11) % 101 - 50);
    for (int i = 0; i < VL; i++) r[i] = v_load(x[i]);
    v_store(got, v_sums(r));
    for (int i = 0; i < VL; i++) {
        float want = 0;
        for (int l = 0; l < VL; l++) want += x[i][l];
        assert_true(got[i] == want);
    }
}

static void lanes_drop_what_the_definition_drops(void **state)
{
    (void)state;
    for (int64_t row = 0; row < 50; row++) {
        const DropoutRow key = dropout_row(11, 5, row);
        const uint32_t threshold = dropout_threshold(row * 2);
        for (int64_t column = 0; column < 600; column += VL) {
            float z[VL];
            v_store(z, v_dropout(key, column, threshold, 1.25f));
            for (int l = 0; l < VL; l++) {
                const int keeps = dropout_bits(key, (uint32_t)(column + l)) >= threshold;
                assert_true(z[l] == (keeps ? 1.25f : 0.0f));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_stand_in_order),
        cmocka_unit_test(lanes_drop_what_the_definition_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
