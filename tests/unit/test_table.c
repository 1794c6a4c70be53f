/* SPDX-License-Identifier: Apache-2.0 */
/* Tables in every format, and on terminals of several widths. */
#include "../../harness/cli.h"
#include "page.h"

#include <stdlib.h>
#include <string.h>

static const char *const cells[] = {
    "name", "value", "note", "a,b", "1.5", "say \"x\"", "中文", "-20", "c|d", "z", "0x10", NULL,
};

static void tables_of_every_format(void **state)
{
    (void)state;
    static const char *const numbers[] = { "n", "v", "a", "1.5", "é", "-20" };
    Page p;
    setenv("LC_ALL", "C", 1);
    table_print(page_open(&p), "table", 2, 3, numbers);
    page_is(&p, "n    v\n-  ---\na  1.5\n?  -20\n");
    table_print(page_open(&p), "csv", 3, 4, cells);
    page_is(&p, "name,value,note\n\"a,b\",1.5,\"say \"\"x\"\"\"\n中文,-20,c|d\nz,0x10,\n");
    table_print(page_open(&p), "markdown", 3, 4, cells);
    page_is(&p, "| name | value | note |\n|---|---:|---|\n| a,b | 1.5 | say \"x\" |\n"
                "| 中文 | -20 | c\\|d |\n| z | 0x10 |  |\n");
    table_print(page_open(&p), "json", 3, 4, cells);
    page_is(&p, "[\n  {\"name\": \"a,b\", \"value\": 1.5, \"note\": \"say \\\"x\\\"\"},\n"
                "  {\"name\": \"中文\", \"value\": -20, \"note\": \"c|d\"},\n"
                "  {\"name\": \"z\", \"value\": \"0x10\", \"note\": null}\n]\n");
}

/* A table of all kinds of cells, on terminals of several widths. */
static const char *const report[] = {
    "point", "median", "of limit", "note",
    "attention/blas@avx2:H=8,T=4096:fwd", "12.3 ms", "88 %", "two products, softmax",
    "flash_attention/online:T=128", "1.20 us", "7.5 %", "每个块 4×4 – tiles in the cache",
    "x", "-", "", "",
};

static void table_is(int width, int utf8, const char *want)
{
    Page p;
    table_print_within(page_open(&p), width, utf8, 4, 4, report);
    page_is(&p, want);
}

static void tables_fit_the_terminal(void **state)
{
    (void)state;
    table_is(200, 1,
          "point                                median  of limit  note\n"
          "──────────────────────────────────  ───────  ────────  ───────────────────────────────\n"
          "attention/blas@avx2:H=8,T=4096:fwd  12.3 ms      88 %  two products, softmax\n"
          "flash_attention/online:T=128        1.20 us     7.5 %  每个块 4×4 – tiles in the cache\n"
          "x                                         -\n");
    table_is(0, 1,
          "point                                median  of limit  note\n"
          "──────────────────────────────────  ───────  ────────  ───────────────────────────────\n"
          "attention/blas@avx2:H=8,T=4096:fwd  12.3 ms      88 %  two products, softmax\n"
          "flash_attention/online:T=128        1.20 us     7.5 %  每个块 4×4 – tiles in the cache\n"
          "x                                         -\n");
    table_is(80, 1,
          "point                                median  of limit  note\n"
          "──────────────────────────────────  ───────  ────────  ─────────────────────────\n"
          "attention/blas@avx2:H=8,T=4096:fwd  12.3 ms      88 %  two products, softmax\n"
          "flash_attention/online:T=128        1.20 us     7.5 %  每个块 4×4 – tiles in the\n"
          "                                                       cache\n"
          "x                                         -\n");
    table_is(40, 1,
          "point     attention/blas@avx2:H=8,\n"
          "          T=4096:fwd\n"
          "median    12.3 ms\n"
          "of limit  88 %\n"
          "note      two products, softmax\n"
          "\n"
          "point     flash_attention/online:T=128\n"
          "median    1.20 us\n"
          "of limit  7.5 %\n"
          "note      每个块 4×4 – tiles in the\n"
          "          cache\n"
          "\n"
          "point     x\n"
          "median    -\n");
}

static void tables_in_ascii(void **state)
{
    (void)state;
    table_is(200, 0,
          "point                                median  of limit  note\n"
          "----------------------------------  -------  --------  -------------------------------\n"
          "attention/blas@avx2:H=8,T=4096:fwd  12.3 ms      88 %  two products, softmax\n"
          "flash_attention/online:T=128        1.20 us     7.5 %  ?????? 4x4 - tiles in the cache\n"
          "x                                         -\n");
    table_is(80, 0,
          "point                                median  of limit  note\n"
          "----------------------------------  -------  --------  -------------------------\n"
          "attention/blas@avx2:H=8,T=4096:fwd  12.3 ms      88 %  two products, softmax\n"
          "flash_attention/online:T=128        1.20 us     7.5 %  ?????? 4x4 - tiles in the\n"
          "                                                       cache\n"
          "x                                         -\n");
    table_is(40, 0,
          "point     attention/blas@avx2:H=8,\n"
          "          T=4096:fwd\n"
          "median    12.3 ms\n"
          "of limit  88 %\n"
          "note      two products, softmax\n"
          "\n"
          "point     flash_attention/online:T=128\n"
          "median    1.20 us\n"
          "of limit  7.5 %\n"
          "note      ?????? 4x4 - tiles in the\n"
          "          cache\n"
          "\n"
          "point     x\n"
          "median    -\n");
}

static void what_no_width_can_hold_stands_out(void **state)
{
    (void)state;
    static const char *const wide[] = {
        "word", "中", "abcdefghijklmnopqrstuvwxyz", "中文中文中文中文"
    };
    Page p;
    table_print_within(page_open(&p), 1, 1, 2, 2, wide);
    page_is(&p,
          "word  abcdefghijklmn\n"
          "      opqrstuvwxyz\n"
          "中    中文中文中文中\n"
          "      文\n");
    table_print_within(page_open(&p), 20, 1, 1, 1, wide);
    page_is(&p,
          "word\n"
          "────\n");
}

static void texts_are_cut_at_characters(void **state)
{
    (void)state;
    assert_int_equal(text_fit("abc", 2), 2);
    assert_int_equal(text_fit("éa", 1), 2);
    assert_int_equal(text_fit("中文", 3), 3);
    assert_int_equal(text_fit("e\xcc\x81x", 1), 3);
    assert_int_equal(text_fit("abc", 9), 3);
    assert_int_equal(text_fit("abc", 0), 0);
    assert_int_equal(text_fit("\xff\xfe", 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_every_format),
        cmocka_unit_test(tables_fit_the_terminal),
        cmocka_unit_test(tables_in_ascii),
        cmocka_unit_test(what_no_width_can_hold_stands_out),
        cmocka_unit_test(texts_are_cut_at_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
