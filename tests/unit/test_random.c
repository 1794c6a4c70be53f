/* SPDX-License-Identifier: Apache-2.0 */
/* The generator against the vectors that its authors publish (Random123, kat_vectors), and what is
 * made of it against the moments it must have. */
#include "../../kernels/core/random.h"
#include "../../kernels/core/dropout.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct { uint32_t counter[4], key[2], out[4]; } Known;

static const Known known[] = {
    { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
    { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, { 0xffffffff, 0xffffffff },
      { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
    { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
      { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
};

static void philox_known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        philox4x32(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void words_come_from_the_right_counter(void **state)
{
    (void)state;
    const uint64_t index = 0x85a308d3243f6a88u, stream = 0x0370734413198a2eu;
    assert_int_equal(random_u64(0x299f31d0a4093822u, stream, index), 0x94fdccebd16cfe09u);
}

enum { COUNT = 200000 };

/* Bounds of five standard errors. */
static void uniform_moments(void **state)
{
    (void)state;
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        const double x = random_uniform(7, 1, i);
        assert_true(x > 0 && x < 1);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / COUNT - 0.5) < 5 * 0.2887 / sqrt(COUNT));
    assert_true(fabs(squares / COUNT - 1.0 / 3) < 5 * 0.2981 / sqrt(COUNT));
}

static void normal_moments(void **state)
{
    (void)state;
    double sum = 0, squares = 0, fourth = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        const double x = random_normal(7, 2, i);
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    assert_true(fabs(sum / COUNT) < 5 / sqrt(COUNT));
    assert_true(fabs(squares / COUNT - 1) < 5 * sqrt(2.0 / COUNT));
    assert_true(fabs(fourth / COUNT - 3) < 5 * sqrt(96.0 / COUNT));
}

static void below_reaches_all_and_no_more(void **state)
{
    (void)state;
    int seen[7] = { 0 };
    for (uint64_t i = 0; i < 7000; i++) {
        const int64_t x = random_below(3, 4, i, 7);
        assert_in_range(x, 0, 6);
        seen[x]++;
    }
    for (int i = 0; i < 7; i++) assert_in_range(seen[i], 850, 1150);
    assert_int_equal(random_below(3, 4, 0, 1), 0);
}

/* Rows, heads and seeds are independent; a share is kept. */
static void dropout_keeps_its_share(void **state)
{
    (void)state;
    const uint32_t limit = dropout_threshold(30);
    int kept = 0, both = 0;
    for (uint32_t column = 0; column < COUNT; column++) {
        const int here = dropout_bits(dropout_row(1, 5, 9), column) >= limit;
        const int there = dropout_bits(dropout_row(1, 5, 10), column) >= limit;
        kept += here;
        both += here && there;
    }
    assert_true(fabs((double)kept / COUNT - 0.70) < 5 * sqrt(0.21 / COUNT));
    assert_true(fabs((double)both / COUNT - 0.49) < 5 * sqrt(0.25 / COUNT));
    assert_int_equal(dropout_threshold(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(words_come_from_the_right_counter),
        cmocka_unit_test(uniform_moments),
        cmocka_unit_test(normal_moments),
        cmocka_unit_test(below_reaches_all_and_no_more),
        cmocka_unit_test(dropout_keeps_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
