/* SPDX-License-Identifier: Apache-2.0 */
/* Figures in characters: what is drawn where, in how many columns. */
#include "../../harness/cli.h"
#include "figure_sketch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *in_characters(const Figure *f, int width, int utf8)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    figure_terminal(out, f, width, utf8);
    fclose(out);
    return text;
}

static void characters_are(const Figure *f, int width, int utf8, const char *want)
{
    char *text = in_characters(f, width, utf8);
    assert_string_equal(text, want);
    free(text);
}

/* Two of ours with an interval, a published one, a failure, a reference; both axes by powers. */
static Figure crossing(FigureRow *row, FigureKind kind)
{
    Figure f = sketch(row, kind);
    for (int i = 0; i < 5; i++) {
        add(&f, "fused", 128 << i, 4 * pow(2, i), i == 3 ? 20 : 0, "ok");
        add(&f, "standard", 128 << i, i < 4 ? pow(4, i) : NAN, 0, i < 4 ? "ok" : "out-of-memory");
        add(&f, "theirs", 128 << i, 2 * pow(2, i), 0, "");
        row[f.rows - 1].published = 1;
    }
    f.title = (char *)"Which is faster";
    f.reference_y = 10;
    f.reference_label = (char *)"ten";
    return f;
}

static void lines_in_characters(void **state)
{
    (void)state;
    FigureRow row[MOST];
    const Figure f = crossing(row, FIGURE_LINE);
    characters_are(&f, 60, 1,
                   "Which is faster\n"
                   "A fused   B standard   c paper: theirs\n"
                   "\n"
                   " time (ms)\n"
                   "   100 ┤                               B out-of-memory ×\n"
                   "       │\n"
                   "    50 ┤                                 ⢀⠤B       ⣀⠤⠔⠊A\n"
                   "       │                               ⡠⠔⠁ │  ⣀⠤⠔⠊⠉\n"
                   "       │                            ⢀⠤⠊  ⣀⠤A⠊⠉       ⠠⠄c\n"
                   "    20 ┤                          ⡠⢒⣁⠤⠒⠊⠉  │   ⢀⡀⠐⠂⠈⠁\n"
                   "       │                       ⣀*⠚⠊⠁      ⣀c⠄⠐⠁\n"
                   "       │                  ⣀⡠⠔⢒⠝⠊      ⡠ ⠒  │\n"
                   "    10 ┤⠉ten⠉ ⠉ ⠉ ⠉ ⠉A⡩⠔⠛⠉⠉⡠⠛⠁⠉ c ⠝ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉ ⠉\n"
                   "       │        ⣀⡠⠔⠒⠉   ⢀⠔⠊⢀ ⠤ ⠊\n"
                   "     5 ┤   ⣀⡠⠔⠒⠉      ⡠⣒⠁⠒ ⠁\n"
                   "       │ A⠉      ⢀⡀⢠⠖*\n"
                   "       │     ⠠⠄⠐⠁⡠⠊⠁\n"
                   "     2 ┤ c⠂⠈⠁ ⢀⠔⠉\n"
                   "       │    ⡠⠊⠁\n"
                   "     1 ┤ B⠔⠉\n"
                   "       │\n"
                   "       └─┬───────────┬──────────┬──────────┬───────────┬─\n"
                   "        128         256        512        1K          2K\n"
                   "                                x\n"
                   "\n"
                   "ours with 95 % intervals over processes; small letters: as\n"
                   "published; ×: did not finish; *: several at one place\n");
    characters_are(&f, 60, 0,
                   "Which is faster\n"
                   "A fused   B standard   c paper: theirs\n"
                   "\n"
                   " time (ms)\n"
                   "   100 |                               B out-of-memory x\n"
                   "       |\n"
                   "    50 |                                 ..B       ....A\n"
                   "       |                               ... |  .....\n"
                   "       |                            ...  ..A..       ..c\n"
                   "    20 |                          .......  |   ......\n"
                   "       |                       .*...      .c...\n"
                   "       |                  ......      . .  |\n"
                   "    10 |.ten. . . . .A......... c . . . . . . . . . . . .\n"
                   "       |        .....   .... . .\n"
                   "     5 |   .....      .... .\n"
                   "       | A.      ....*\n"
                   "       |     .......\n"
                   "     2 | c... ...\n"
                   "       |    ...\n"
                   "     1 | B..\n"
                   "       |\n"
                   "       +-+-----------+----------+----------+-----------+-\n"
                   "        128         256        512        1K          2K\n"
                   "                                x\n"
                   "\n"
                   "ours with 95 % intervals over processes; small letters: as\n"
                   "published; x: did not finish; *: several at one place\n");
}

static void bars_in_characters(void **state)
{
    (void)state;
    FigureRow row[MOST];
    Figure f = sketch(row, FIGURE_BARS);
    static const char *const phase[] = { "product", "softmax", "mask" };
    f.title = (char *)"Where the time goes";
    for (int i = 0; i < 3; i++) {
        add(&f, "unfused", i, 1 << i, 0, "ok");
        row[i].segment = (char *)phase[i];
    }
    add(&f, "fused", 0, 3, 0.5, "ok");
    row[3].segment = (char *)"fused";
    f.stacked = 1;
    characters_are(&f, 60, 1,
                   "Where the time goes\n"
                   "A fused   B unfused\n"
                   "\n"
                   "time (ms)\n"
                   "B  product  ███ 1\n"
                   "B  softmax     ███████ 2\n"
                   "B  mask               ██████████████ 4\n"
                   "A  fused    ██████████ 3 [2.5, 3.5]\n"
                   "\n"
                   "ours with 95 % intervals over processes\n");
}

/* Widest line in columns. */
static int widest(const char *text)
{
    int most = 0;
    for (const char *line = text; *line;) {
        char one[1000];
        const size_t length = strcspn(line, "\n");
        snprintf(one, sizeof one, "%.*s", (int)length, line);
        most = text_width(one) > most ? text_width(one) : most;
        line += length + (line[length] == '\n');
    }
    return most;
}

static void pictures_fit_the_terminal(void **state)
{
    (void)state;
    static const int width[] = { 40, 80, 200 };
    for (int kind = FIGURE_LINE; kind <= FIGURE_SCATTER; kind++)
        for (int i = 0; i < 3; i++) {
            FigureRow row[MOST];
            Figure f = crossing(row, (FigureKind)kind);
            for (int k = 0; k < f.rows; k++)
                row[k].facet = (char *)(k % 2 || row[k].published ? "fwd" : "bwd");
            char *text = in_characters(&f, width[i], 1);
            assert_true(widest(text) <= width[i]);
            assert_true(widest(text) > width[i] / 3);
            free(text);
        }
}

static void nothing_to_draw_is_no_trouble(void **state)
{
    (void)state;
    FigureRow row[MOST];
    for (int kind = FIGURE_LINE; kind <= FIGURE_SCATTER; kind++) {
        Figure f = sketch(row, (FigureKind)kind);
        free(in_characters(&f, 1, 1));
        add(&f, "negative", -1, -1, 2, "ok");
        add(&f, "none", NAN, NAN, 0, "timeout");
        add(&f, "far", 1e300, 1e-300, 0, "ok");
        char *text = in_characters(&f, 1, 0);
        assert_non_null(strstr(text, "negative"));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_in_characters),
        cmocka_unit_test(bars_in_characters),
        cmocka_unit_test(pictures_fit_the_terminal),
        cmocka_unit_test(nothing_to_draw_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
