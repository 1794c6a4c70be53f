/* SPDX-License-Identifier: Apache-2.0 */
/* Names of instruction sets, and the mask that makes one machine stand for a lesser one. */
#include "../../kernels/core/isa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int no_mask(void **state)
{
    (void)state;
    return unsetenv("ATTEST_ISA");
}

static void names_come_back(void **state)
{
    (void)state;
    Isa back;
    for (Isa isa = ISA_PORTABLE; isa < ISA_END; isa++) {
        assert_true(isa_parse(isa_name(isa), &back));
        assert_int_equal(back, isa);
    }
    assert_false(isa_parse("", &back));
    assert_false(isa_parse("avx", &back));
}

static void something_always_runs(void **state)
{
    (void)state;
    assert_null(isa_missing(ISA_PORTABLE));
    assert_null(isa_missing(ISA_COUNT));
    assert_non_null(isa_missing(ISA_CUDA));
    assert_true(!isa_runs_here(ISA_NEON) || !isa_runs_here(ISA_AVX2));
}

/* What the processor lacks keeps that reason; what it has is either free or masked. */
static void a_mask_takes_what_is_wider(void **state)
{
    (void)state;
    for (Isa mask = ISA_PORTABLE; mask < ISA_COUNT; mask++)
        for (Isa isa = ISA_PORTABLE; isa <= ISA_COUNT; isa++) {
            unsetenv("ATTEST_ISA");
            const char *before = isa_missing(isa);
            setenv("ATTEST_ISA", isa_name(mask), 1);
            const char *after = isa_missing(isa);
            if (before) assert_string_equal(after, before);
            else if (isa <= mask || isa == ISA_COUNT) assert_null(after);
            else assert_string_equal(after, "masked by ATTEST_ISA");
            assert_int_equal(isa_runs_here(isa), !after);
        }
}

static void an_empty_mask_is_none_and_a_wrong_one_is_total(void **state)
{
    (void)state;
    int before[ISA_END];
    for (Isa isa = ISA_PORTABLE; isa < ISA_END; isa++) before[isa] = isa_runs_here(isa);
    setenv("ATTEST_ISA", "", 1);
    for (Isa isa = ISA_PORTABLE; isa < ISA_END; isa++)
        assert_int_equal(isa_runs_here(isa), before[isa]);
    setenv("ATTEST_ISA", "axv2", 1);
    for (Isa isa = ISA_PORTABLE; isa < ISA_END; isa++)
        assert_int_equal(isa_runs_here(isa), isa == ISA_PORTABLE || isa == ISA_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_come_back, no_mask, no_mask),
        cmocka_unit_test_setup_teardown(something_always_runs, no_mask, no_mask),
        cmocka_unit_test_setup_teardown(a_mask_takes_what_is_wider, no_mask, no_mask),
        cmocka_unit_test_setup_teardown(an_empty_mask_is_none_and_a_wrong_one_is_total, no_mask,
                                        no_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
