/* SPDX-License-Identifier: Apache-2.0 */
/* Figures: axes and their marks, which published value stands in which panel, names kept apart,
 * failures at the edge, and a picture that knows its query and its rows. */
#include "../../harness/figure_draw.h"
#include "../../harness/file.h"
#include "figure_sketch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- axes ----------------------------------------------------------------------------------- */

static void check_number(double value, int powers_of_two, const char *expected)
{
    char text[40];
    number_print(value, powers_of_two, text, sizeof text);
    assert_string_equal(text, expected);
}

static void numbers(void **state)
{
    (void)state;
    check_number(128, 1, "128");
    check_number(16384, 1, "16K");
    check_number(2097152, 1, "2M");
    check_number(0.25, 0, "0.25");
    check_number(0, 0, "0");
    check_number(10000, 0, "10000");
    check_number(1e-6, 0, "10⁻⁶");
    check_number(2e-12, 0, "2×10⁻¹²");
    check_number(5e6, 0, "5×10⁶");
}

static char *marks(Axis *axis, const double *value, int count)
{
    char *text = NULL;
    size_t size = 0;
    for (int i = 0; i < count; i++)
        axis_add(axis, value[i]);
    axis_finish(axis, 0.03);
    FILE *out = open_memstream(&text, &size);
    axis_write_marks(out, axis, 'x');
    fclose(out);
    return text;
}

static void check_marks(int log_scale, const double *value, int count, const char *holds)
{
    Axis axis = { .log = log_scale };
    char *text = marks(&axis, value, count);
    if (!strstr(text, holds))
        fail_msg("%s has no %s", text, holds);
    for (int i = 0; i < count; i++)
        if (isfinite(value[i]) && (!log_scale || value[i] > 0))
            assert_true(axis_place(&axis, value[i]) >= 0 && axis_place(&axis, value[i]) <= 1);
    free(text);
}

static void axes(void **state)
{
    (void)state;
    check_marks(1, (double[]){ 128, 256, 4096 }, 3, "\"128\" 128, \"256\" 256, \"512\" 512");
    check_marks(1, (double[]){ 0.3, 1200 }, 2, "\"1\" 1, \"10\" 10, \"100\" 100");
    check_marks(1, (double[]){ 1, 30 }, 2, "\"2\" 2, \"5\" 5");
    check_marks(1, (double[]){ 1, NAN, -5, 30 }, 4, "\"20\" 20");
    check_marks(0, (double[]){ 3, 97 }, 2, "\"0\" 0, \"20\" 20");
    check_marks(0, (double[]){ 100, 104 }, 2, "\"101\" 101");
    check_marks(0, (double[]){ 7, 7 }, 2, "set xrange [");
    check_marks(1, (double[]){ 7, 7 }, 2, "set xrange [");
    check_marks(0, NULL, 0, "set xrange [");
}

/* ---- panels --------------------------------------------------------------------------------- */

static int stands(const char *facet, const char *setting, const char *panel)
{
    const FigureRow row = {
        .facet = (char *)facet, .series = "s", .point = (char *)setting, .published = 1
    };
    return row_in_panel(&row, panel);
}

static void published_values_find_their_panel(void **state)
{
    (void)state;
    assert_true(stands("", "A100", "D=64, fwd"));
    assert_true(stands("fwd", "A100; d=64", "D=64, fwd"));
    assert_true(stands("fwd, D=64", "A100", "D=64, fwd"));
    assert_false(stands("bwd", "A100; d=64", "D=64, fwd"));
    assert_false(stands("fwd", "A100; d=64", "D=128, fwd"));   /* its own setting says another d */
    assert_true(stands("fwd", "A100; hidden=2048", "D=128, fwd"));
    assert_false(stands("fwd", "d=6", "D=64, fwd"));
    assert_true(stands("fwd", "A100-40GB; B=16; H=8; d=64; fp16", "H=8, fwd"));
}

/* ---- drawing without a database ------------------------------------------------------------- */

static void plot(const Figure *f, char **text)
{
    size_t size = 0;
    FILE *out = open_memstream(text, &size);
    figure_plot(out, f, "sketch");
    fclose(out);
}

/* Twelve lines that end at one place: their names must not lie upon each other. */
static void names_are_kept_apart(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"
    };
    FigureRow row[MOST];
    Figure f = sketch(row, FIGURE_LINE);
    for (int s = 0; s < 12; s++)
        for (int i = 0; i < 3; i++)
            add(&f, names[s], 128 << i, 5 + 0.01 * s, 0, "ok");
    char *text = NULL;
    plot(&f, &text);
    double last = -1;
    int count = 0;
    for (const char *at = text; (at = strstr(at, "at graph 1.018, graph ")); at++) {
        const double place = atof(at + 22);
        assert_true(place > last + 0.04 || last < 0);
        assert_true(place <= 1.0001 && place > -0.3);
        last = place;
        count++;
    }
    assert_int_equal(count, 12);
    free(text);
}

static void failures_stand_at_the_edge(void **state)
{
    (void)state;
    FigureRow row[MOST];
    Figure f = sketch(row, FIGURE_LINE);
    for (int i = 0; i < 4; i++)
        add(&f, "standard", 128 << i, 2 << i, 0.5, "ok");
    add(&f, "standard", 2048, NAN, 0, "out-of-memory");
    add(&f, "standard", 4096, NAN, 0, "out-of-memory");
    add(&f, "fused", 4096, NAN, 0, "timeout");
    char *text = NULL;
    plot(&f, &text);
    assert_non_null(strstr(text, "'out-of-memory' at graph"));
    assert_non_null(strstr(text, "'timeout' at graph"));
    assert_non_null(strstr(text, "×: did not finish"));
    /* What happened is said once a series; the second cross stands alone. */
    const char *second = strstr(strstr(text, "out-of-memory") + 1, "\"out-of-memory");
    assert_null(second);
    free(text);
}

static void the_table_says_the_same(void **state)
{
    (void)state;
    FigureRow row[MOST];
    Figure f = sketch(row, FIGURE_LINE);
    add(&f, "fused", 256, 2, 0.1, "ok");
    add(&f, "fused", 128, 1, 0, "ok");
    add(&f, "standard", 128, 3, 0, "ok");
    add(&f, "standard", 256, NAN, 0, "timeout");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    figure_table(out, &f);
    fclose(out);
    assert_non_null(strstr(text, "| x | fused | standard |"));
    assert_non_null(strstr(text, "| 128 | 1 | 3 |\n| 256 | 2 [1.9, 2.1] | timeout |"));
    free(text);
}

/* ---- gnuplot -------------------------------------------------------------------------------- */

static char folder[64];

static int fresh(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/attest-figure-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int cleaned(void **state)
{
    (void)state;
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0;
}

static char *drawn(const Figure *f)
{
    char path[128], *text = NULL;
    size_t size;
    Err err = { "" };
    plot(f, &text);
    snprintf(path, sizeof path, "%s/sketch.gp", folder);
    assert_int_equal(file_write(path, text, strlen(text), &err), OK);
    free(text);
    if (figure_gnuplot(folder, (const char *const[]){ "sketch.gp" }, 1, &err))
        fail_msg("%s", err.text);
    snprintf(path, sizeof path, "%s/sketch.svg", folder);
    if (figure_finish_svg(path, f, "../notes.html#a&b", &err))
        fail_msg("%s", err.text);
    return file_read(path, &size);
}

/* Elements pair up, so that a browser takes it. */
static void check_svg(const char *svg)
{
    int depth = 0;
    for (const char *at = strstr(svg, "<svg"); at && *at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        depth += at[1] == '/' ? -1 : end[-1] == '/' || at[1] == '!' ? 0 : 1;
    }
    assert_int_equal(depth, 0);
    assert_non_null(strstr(svg, "sha256=\"0123456789abcdef\""));
    assert_non_null(strstr(svg, "SELECT 'a' AS b\nFROM v_time WHERE 1 &lt; 2"));
    assert_non_null(strstr(svg, "<title>A &quot;title&quot; with 100 % &lt;signs&gt;</title>"));
    assert_non_null(strstr(svg, "prefers-color-scheme: dark"));
    assert_non_null(strstr(svg, "<a href=\"../notes.html#a&amp;b\""));
    assert_null(strstr(svg, ":Bold"));
    assert_null(strstr(svg, "nan"));
}

static void pictures(void **state)
{
    (void)state;
    for (int kind = FIGURE_LINE; kind <= FIGURE_SCATTER; kind++) {
        FigureRow row[MOST];
        char path[128];
        size_t size;
        Figure f = sketch(row, (FigureKind)kind);
        f.fit = kind == FIGURE_SCATTER;
        f.log_x = f.log_y = kind == FIGURE_LINE;
        for (int i = 0; i < 5; i++)
            add(&f, "attention/blas", 128 << i, 1 + i, 0.2, "ok");
        add(&f, "attention/blas", 8192, NAN, 0, "timeout");
        char *svg = drawn(&f), *again = drawn(&f);
        check_svg(svg);
        assert_string_equal(svg, again);
        snprintf(path, sizeof path, "%s/sketch.png", folder);
        char *png = file_read(path, &size);
        assert_true(size > 1000 && memcmp(png, "\x89PNG", 4) == 0);
        free(png);
        free(again);
        free(svg);
    }
}

static void gnuplot_says_what_is_wrong(void **state)
{
    (void)state;
    char path[128];
    Err err = { "" };
    snprintf(path, sizeof path, "%s/bad.gp", folder);
    assert_int_equal(file_write(path, "set nonsense 1\n", 15, &err), OK);
    assert_int_equal(figure_gnuplot(folder, (const char *const[]){ "bad.gp" }, 1, &err), IO_FAILED);
    assert_non_null(strstr(err.text, "nrecognized option"));
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh, cleaned)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(axes),
        cmocka_unit_test(published_values_find_their_panel),
        cmocka_unit_test(names_are_kept_apart),
        cmocka_unit_test(failures_stand_at_the_edge),
        cmocka_unit_test(the_table_says_the_same),
        WITH_FOLDER(pictures),
        WITH_FOLDER(gnuplot_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
