/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding to e4m3 against the definition of the format: its 254 numbers, decoded bit by
 * bit, and for any other float the nearer neighbour. Built once per ISA. */
#include "../../kernels/core/e4m3.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* sign 1, exponent 4 (bias 7), mantissa 3; all ones: NaN. */
static double decode(int code)
{
    const int exponent = code >> 3 & 15, mantissa = code & 7;
    const double size = exponent ? ldexp(8 + mantissa, exponent - 10) : ldexp(mantissa, -9);
    if ((code & 127) == 127) return NAN;
    return code & 128 ? -size : size;
}

static float rounded(float x)
{
    float out[VL];
    v_store(out, v_e4m3(v_set1(x)));
    for (int i = 1; i < VL; i++) assert_memory_equal(&out[0], &out[i], sizeof out[0]);
    return out[0];
}

static void expect(float x, double want)
{
    const float got = rounded(x);
    if ((double)got != want || !signbit(got) != !signbit(x))
        fail_msg("%a became %a instead of %a", (double)x, (double)got, want);
}

static void all_numbers_stay(void **state)
{
    (void)state;
    for (int code = 0; code < 256; code++)
        if (!isnan(decode(code))) expect((float)decode(code), decode(code));
}

/* Codes 0..126 are the numbers of one sign in order. A midpoint goes to the even code;
 * one float to either side of it goes to that side. */
static void midpoints_go_to_even(void **state)
{
    (void)state;
    for (int code = 0; code < 126; code++) {
        const double low = decode(code), high = decode(code + 1);
        const float middle = (float)((low + high) / 2);
        for (int sign = -1; sign <= 1; sign += 2) {
            const float s = (float)sign;
            expect(s * middle, sign * (code % 2 ? high : low));
            expect(s * nextafterf(middle, 0), sign * low);
            expect(s * nextafterf(middle, 1000), sign * high);
        }
    }
}

static void beyond_the_largest_saturates(void **state)
{
    static const float large[] = { 448.1f, 463.9f, 464, 465, 479, 480, 512, 1e6f, 3e38f, INFINITY };
    (void)state;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        expect(large[i], 448);
        expect(-large[i], -448);
    }
}

static void tiny_ones_vanish_with_their_sign(void **state)
{
    (void)state;
    expect(0x1p-10f, 0);                             /* half of the least: a tie, to 0 */
    expect(-0x1p-10f, 0);
    expect(nextafterf(0x1p-10f, 1), 0x1p-9);
    expect(0x1p-149f, 0);
    expect(-0.0f, 0);
}

static void nan_stays(void **state)
{
    (void)state;
    assert_true(isnan(rounded(NAN)));
}

/* Every 4099th float: the result is a number of the format and none is nearer. */
static void none_is_nearer(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x7f800000u; bits += 4099) {
        float x;
        memcpy(&x, &bits, sizeof x);
        const double got = rounded(x);
        double best = INFINITY;
        int known = 0;
        for (int code = 0; code < 127; code++) {
            best = fmin(best, fabs(decode(code) - (double)x));
            known += decode(code) == got;
        }
        assert_int_equal(known, 1);
        assert_true(fabs(got - (double)x) == best);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_numbers_stay),
        cmocka_unit_test(midpoints_go_to_even),
        cmocka_unit_test(beyond_the_largest_saturates),
        cmocka_unit_test(tiny_ones_vanish_with_their_sign),
        cmocka_unit_test(nan_stays),
        cmocka_unit_test(none_is_nearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
