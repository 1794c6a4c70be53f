/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds that core/vmath.h states, against libm in double, over the whole domain
 * of float: every exponent, both signs, subnormals, infinities and NaN. Built once per
 * ISA. Also prints what it found, so that the header's table can be kept honest. */
#include "../../kernels/core/vmath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { STRIDE = 1009 };        /* prime, so that all low bits get their turn */

typedef struct {
    const char *name;
    vf        (*function)(vf);
    double    (*exact)(double);
    float       low, high;     /* the bound is for inputs in [low, high] */
    double      ulp;
} Case;

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

/* Spacing of floats at y; that of the subnormals below the normal range. */
static double spacing(double y)
{
    int exponent;
    frexp(y, &exponent);
    return ldexp(1.0, (exponent < -125 ? -125 : exponent) - 24);
}

/* Error of `got` in spacings; inf where one of them is not finite and they differ. */
static double error_ulp(float got, double exact)
{
    const float rounded = (float)exact;
    if (isnan(exact) || isnan(got))
        return isnan(exact) && isnan(got) ? 0 : INFINITY;
    if (isinf(rounded) || isinf(got))   /* just below overflow a neighbour is right enough */
        return rounded == got || fmin(fabs(got), fabs(exact)) > 0x1.fffff8p127 ? 0 : INFINITY;
    return fabs(got - exact) / spacing(exact);
}

typedef struct { double ulp; float at; } Worst;

static void try_vector(const Case *c, const float x[VL], Worst *worst)
{
    float y[VL];
    v_store(y, c->function(v_load(x)));
    for (int i = 0; i < VL; i++) {
        if (x[i] < c->low || x[i] > c->high)
            continue;
        const double ulp = error_ulp(y[i], c->exact(x[i]));
        if (ulp > worst->ulp)
            *worst = (Worst){ ulp, x[i] };
    }
}

/* Values at which something changes: ends of ranges, ties, zeros, limits. */
static const float special[] = {
    0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN, 0x1p-149f, -0x1p-149f, 0x1p-126f,
    0x1.fffffcp-127f, 127.99999f, 128.0f, 127.5f, -125.0f, -126.0f, -126.5f, -127.0f, -149.0f,
    -150.0f, -151.0f, 0.5f, -0.5f, 1.5f, 2.5f, 88.72283f, 88.72284f, 89.0f, -87.33654f, -103.0f,
    -104.0f, -105.0f, 0x1.fffffep127f, -0x1.fffffep127f, 0.70710677f, 0.70710678f, 1.4142135f,
    0.99999994f, 1.0000001f, 0.55f, 0.5499999f, 9.0f, 10.0f, 16.6f, -16.6f, 4194304.0f,
    8388608.0f, 8388609.0f, 1e30f, -1e30f,
};
enum { SPECIALS = sizeof special / sizeof *special };

static Worst sweep(const Case *c)
{
    Worst worst = { 0, 0 };
    float x[VL];
    int filled = 0;
    for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += STRIDE) {
        x[filled++] = from_bits((uint32_t)bits);
        if (filled == VL) {
            try_vector(c, x, &worst);
            filled = 0;
        }
    }
    for (int i = 0; i < SPECIALS; i++) {
        for (int lane = 0; lane < VL; lane++)
            x[lane] = special[i];
        try_vector(c, x, &worst);
    }
    return worst;
}

static double sigmoid(double x)  { return 1 / (1 + exp(-x)); }
static double silu(double x)     { return x / (1 + exp(-x)); }
static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }

/* The results above the smallest normal; what may become 0 below it is tested apart. */
static const Case cases[] = {
    { "exp2",     v_exp2,     exp2,     -INFINITY, INFINITY, 2.5 },
    { "exp",      v_exp,      exp,      -INFINITY, INFINITY, 1.5 },
    { "log",      v_log,      log,      -INFINITY, INFINITY, 1.5 },
    { "tanh",     v_tanh,     tanh,     -INFINITY, INFINITY, 2.0 },
    { "sigmoid",  v_sigmoid,  sigmoid,  -87.3f,    INFINITY, 2.5 },
    { "softplus", v_softplus, softplus, -INFINITY, INFINITY, 2.5 },
    { "silu",     v_silu,     silu,     -87.3f,    INFINITY, 3.0 },
};

static void bounds_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Worst worst = sweep(&cases[i]);
        print_message("  %-9s %.2f ulp at %a (bound %.1f)\n", cases[i].name, worst.ulp,
                      (double)worst.at, cases[i].ulp);
        assert_true(worst.ulp <= cases[i].ulp);
    }
}

static vf down5(vf x) { return v_exp2_down(x, 5); }
static vf down4(vf x) { return v_exp2_down(x, 4); }
static vf down3(vf x) { return v_exp2_down(x, 3); }

/* [-125, 127]: a relative error; below: between 0 and 2^-125; NaN stays NaN. */
static void exp2_down_holds(void **state)
{
    static const struct { vf (*f)(vf); double bound; } degree[] = {
        { down5, 2e-7 }, { down4, 2.8e-6 }, { down3, 7.6e-5 },
    };
    (void)state;
    for (int d = 0; d < 3; d++) {
        double worst = 0;
        for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += STRIDE) {
            const float x = from_bits((uint32_t)bits);
            float y[VL];
            if (x > 127)
                continue;
            v_store(y, degree[d].f(v_set1(x)));
            if (isnan(x))
                assert_true(isnan(y[0]));
            else if (x < -125)
                assert_true(y[0] >= 0 && y[0] <= 0x1p-125f);
            else
                worst = fmax(worst, fabs(y[0] / exp2(x) - 1));
        }
        print_message("  exp2_down degree %d: %.2e (bound %.1e)\n", 5 - d, worst, degree[d].bound);
        assert_true(worst <= degree[d].bound);
    }
    float y[VL];
    v_store(y, down5(v_set1(-INFINITY)));
    assert_true(y[0] == 0);
    v_store(y, down5(v_zero()));
    assert_true(y[0] == 1);
}

static void limits_are_kept(void **state)
{
    float y[VL];
    (void)state;
    v_store(y, v_sigmoid(v_set1(-INFINITY)));
    assert_true(y[0] == 0);
    v_store(y, v_sigmoid(v_set1(-100.0f)));
    assert_true(y[0] >= 0 && y[0] < 0x1p-125f);
    v_store(y, v_silu(v_set1(-100.0f)));
    assert_true(y[0] <= 0 && y[0] > -0x1p-125f);
    v_store(y, v_silu(v_set1(-INFINITY)));
    assert_true(isnan(y[0]));
    v_store(y, v_tanh(v_set1(-0.0f)));
    assert_true(y[0] == 0 && signbit(y[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(exp2_down_holds),
        cmocka_unit_test(limits_are_kept),
    };
    return cmocka_run_group_tests_name("vmath", tests, NULL, NULL);
}
