/* SPDX-License-Identifier: Apache-2.0 */
/* What all attention methods lean on: which keys a row sees, against the rule spelled out
 * for each pair; the dropout mask; one product of the BLAS wrapper with its counts. */
#include "../../kernels/core/blas.h"
#include "../../kernels/core/count.h"
#include "../../kernels/core/dropout.h"
#include "../../kernels/core/softmax_attention.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The rule pair by pair, as the papers and FlashAttention's documentation word it. */
static int sees(const Attention *a, int64_t row, int64_t key)
{
    const int64_t keys = a->key_len ? a->key_len[0] + a->appended : a->Tk;
    const int64_t queries = a->query_len ? a->query_len[0] : a->T;
    const int64_t at = row + (a->align_whole ? a->Tk - a->T : keys - queries);
    if (row >= queries || key >= keys) return 0;
    if (a->left >= 0 && key < at - a->left) return 0;
    return a->right < 0 || key <= at + a->right;
}

static void check_rows(const Attention *a)
{
    const int64_t queries = attention_query_len(a, 0);
    KeyRange before = { 0, 0 };
    for (int64_t i = 0; i < a->T; i++) {
        const KeyRange see = attention_keys(a, 0, i);
        for (int64_t t = 0; t < a->Tk; t++)
            assert_int_equal(t >= see.first && t < see.end, sees(a, i, t));
        if (i >= queries) continue;
        assert_true(see.first >= before.first);      /* what tiles rely on */
        assert_true(see.end >= before.end);
        before = see;
    }
}

static void each_row_sees_what_the_rule_says(void **state)
{
    static const int64_t window[] = { -1, 0, 1, 3, 40 };
    int32_t keys, queries;
    (void)state;
    for (int64_t T = 1; T <= 9; T += 4)
        for (int64_t Tk = 1; Tk <= 13; Tk += 3)
            for (int w = 0; w < 25; w++)
                for (int length = 0; length < 16; length++) {
                    keys = (int32_t)(Tk * (length % 4) / 3);
                    queries = (int32_t)(T * (length / 4) / 3);
                    Attention a = {
                        .B = 1, .H = 1, .Hkv = 1, .T = T, .Tk = Tk, .D = 1,
                        .left = window[w % 5], .right = window[w / 5],
                    };
                    check_rows(&a);
                    a.key_len = &keys;
                    check_rows(&a);
                    a.query_len = &queries;
                    check_rows(&a);
                    a.align_whole = 1;
                    check_rows(&a);
                }
}

static void heads_share_keys_in_order(void **state)
{
    const Attention a = { .H = 6, .Hkv = 2 };
    (void)state;
    for (int64_t h = 0; h < 6; h++) assert_int_equal(attention_key_head(&a, h), h / 3);
}

/* Of 2^16 draws the share kept is within 5 standard deviations; rows differ from each other
 * and from themselves shifted by a column. */
static void dropout_keeps_its_share(void **state)
{
    enum { ROWS = 64, COLUMNS = 1024 };
    (void)state;
    for (int64_t percent = 0; percent < 100; percent += 33) {
        const uint32_t threshold = dropout_threshold(percent);
        const double keep = 1 - (double)percent / 100, n = ROWS * COLUMNS;
        double kept = 0, same = 0, shifted = 0;
        for (int64_t row = 0; row < ROWS; row++) {
            const DropoutRow a = dropout_row(7, 3, row), b = dropout_row(7, 3, row + 1);
            for (uint32_t column = 0; column < COLUMNS; column++) {
                const int here = dropout_bits(a, column) >= threshold;
                kept += here;
                same += here == (dropout_bits(b, column) >= threshold);
                shifted += here == (dropout_bits(a, column + 1) >= threshold);
            }
        }
        const double equal = keep * keep + (1 - keep) * (1 - keep);
        assert_true(fabs(kept - n * keep) <= 5 * sqrt(n * keep * (1 - keep)));
        assert_true(fabs(same - n * equal) <= 5 * sqrt(n * equal * (1 - equal)) + 1);
        assert_true(fabs(shifted - n * equal) <= 5 * sqrt(n * equal * (1 - equal)) + 1);
        assert_true(fabs(dropout_scale(percent) * keep - 1) < 1e-15);
    }
}

static void blas_multiplies_and_counts(void **state)
{
    static const float a[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };      /* m = 2, k = 3 */
    static const float bt[2][3] = { { 7, 9, 11 }, { 8, 10, 12 } };  /* n = 2, k = 3 */
    float c[2][4] = { { 1, 1, -1, -1 }, { 1, 1, -1, -1 } };
    (void)state;
    blas_threads(1);
    counts = (Counts){ 0 };
    const BlasMatrix left = { a[0], 3, 0 }, right = { bt[0], 3, 1 };
    blas_product(2, 2, 3, 2, left, right, 0.5f, c[0], 4);
    static const float want[2][4] = { { 116.5f, 128.5f, -1, -1 }, { 278.5f, 308.5f, -1, -1 } };
    assert_memory_equal(c, want, sizeof c);
    assert_int_equal(counts.matmul_flops, 2 * 2 * 2 * 3);
    assert_int_equal(counts.loaded_bytes, 4 * (6 + 6 + 4));
    assert_int_equal(counts.stored_bytes, 4 * 4);
    blas_product(2, 2, 0, 1, left, right, 0, c[0], 4);
    assert_true(c[0][0] == 0 && c[1][1] == 0 && c[1][2] == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_sees_what_the_rule_says),
        cmocka_unit_test(heads_share_keys_in_order),
        cmocka_unit_test(dropout_keeps_its_share),
        cmocka_unit_test(blas_multiplies_and_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
