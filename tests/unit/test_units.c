/* SPDX-License-Identifier: Apache-2.0 */
#include "../../harness/units.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int64_t duration(const char *text)
{
    int64_t ns = -1;
    Err err;
    return duration_parse(text, &ns, &err) ? -1 : ns;
}

static int64_t bytes(const char *text)
{
    int64_t n = -1;
    Err err;
    return bytes_parse(text, &n, &err) ? -1 : n;
}

static void durations(void **state)
{
    (void)state;
    assert_int_equal(duration("500us"), 500000);
    assert_int_equal(duration("2s"), 2000000000);
    assert_int_equal(duration("1.5 ms"), 1500000);
    assert_int_equal(duration("10m"), (int64_t)600 * 1000000000);
    assert_int_equal(duration("1h"), (int64_t)3600 * 1000000000);
    static const char *const bad[] = { "",          "s",   "2",      "-2s", "0s",
                                       "2 seconds", "nan", "1e300s", "inf" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(duration(bad[i]), -1);
    Err err;
    int64_t ns;
    assert_int_equal(duration_parse("fast", &ns, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "'fast' is no duration"));
}

static void sizes(void **state)
{
    (void)state;
    assert_int_equal(bytes("4096"), 4096);
    assert_int_equal(bytes("32KiB"), 32 << 10);
    assert_int_equal(bytes("0.5M"), 1 << 19);
    assert_int_equal(bytes("8GiB"), (int64_t)8 << 30);
    static const char *const bad[] = { "", "KiB", "-1", "0", "8GB", "1e30T" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(bytes(bad[i]), -1);
}

static void printed(void **state)
{
    (void)state;
    char text[UNITS_TEXT];
    const struct { double ns; const char *text; } times[] = {
        { 12.34, "12.3 ns" },  { 1234, "1.23 us" }, { 45678, "45.7 us" }, { 123e6, "123 ms" },
        { 9.999e9, "10.0 s" }, { 100e9, "100 s" },  { NAN, "-" },
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        duration_print(text, times[i].ns);
        assert_string_equal(text, times[i].text);
    }
    bytes_print(text, 1000);
    assert_string_equal(text, "1000 B");
    bytes_print(text, 1536 << 10);
    assert_string_equal(text, "1.50 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(durations), cmocka_unit_test(sizes),
                                        cmocka_unit_test(printed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
