/* SPDX-License-Identifier: Apache-2.0 */
/* The two-level memory: against traffic that can be counted by hand, and against the plainest
 * possible simulation on random touches. */
#include "../../harness/lru.h"

#include "../../kernels/core/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static Lru *opened(int64_t capacity, int64_t line)
{
    Lru *lru;
    Err err;
    if (lru_open(&lru, capacity, line, &err)) fail_msg("%s", err.text);
    return lru;
}

static LruTraffic finished(Lru *lru)
{
    LruTraffic traffic;
    Err err;
    assert_int_equal(lru_finish(lru, &traffic, &err), OK);
    lru_close(lru);
    return traffic;
}

static void assert_traffic(LruTraffic got, int64_t read, int64_t written)
{
    assert_int_equal(got.read_bytes, read);
    assert_int_equal(got.written_bytes, written);
}

static void what_fits_is_read_once(void **state)
{
    (void)state;
    Lru *lru = opened(4096, 64);
    for (int pass = 0; pass < 3; pass++) lru_touch(lru, 0, 0, 4096, 0);
    assert_traffic(finished(lru), 4096, 0);
}

/* LRU's worst case: one line too many, and every line has left just before it is needed again. */
static void one_line_too_many_is_read_every_time(void **state)
{
    (void)state;
    Lru *lru = opened(4096, 64);
    for (int pass = 0; pass < 3; pass++) lru_touch(lru, 0, 0, 4096 + 64, 0);
    assert_traffic(finished(lru), 3 * (4096 + 64), 0);
}

static void whole_lines_are_not_loaded_to_be_overwritten(void **state)
{
    (void)state;
    Lru *lru = opened(4096, 64);
    lru_touch(lru, 3, 128, 256, 1);
    assert_traffic(finished(lru), 0, 256);
    lru = opened(4096, 64);
    lru_touch(lru, 3, 100, 64, 1);     /* parts of two lines */
    assert_traffic(finished(lru), 128, 128);
}

static void changed_lines_are_written_when_they_leave(void **state)
{
    (void)state;
    Lru *lru = opened(128, 64);
    lru_touch(lru, 0, 0, 64, 1);
    lru_touch(lru, 1, 0, 128, 0);      /* pushes it out */
    lru_touch(lru, 0, 0, 64, 0);       /* comes back clean */
    lru_touch(lru, 1, 0, 128, 0);
    assert_traffic(finished(lru), 128 + 64 + 128, 64);
}

static void tensors_are_apart(void **state)
{
    (void)state;
    Lru *lru = opened(1024, 64);
    lru_touch(lru, 0, 0, 64, 0);
    lru_touch(lru, 63, 0, 64, 0);
    lru_touch(lru, 0, 0, 64, 0);
    assert_traffic(finished(lru), 128, 0);
}

static void nothing_is_no_touch(void **state)
{
    (void)state;
    Lru *lru = opened(64, 64);
    lru_touch(lru, 0, 32, 0, 1);
    assert_traffic(finished(lru), 0, 0);
}

/* Blocked product C += A B of n x n matrices in b x b tiles: with three tiles in fast memory, each
 * of the (n/b)^3 tile products loads a tile of A and a tile of B, and C crosses once each way per
 * tile. */
static void blocked_products_cross_as_the_formula_says(void **state)
{
    (void)state;
    enum { N = 64, T = 16, TILE = T * T * 4 };
    Lru *lru = opened(3 * TILE, 64);
    const int64_t tiles = N / T;
    for (int64_t i = 0; i < tiles; i++)
        for (int64_t j = 0; j < tiles; j++)
            for (int64_t k = 0; k < tiles; k++) {
                lru_touch(lru, 2, (i * tiles + j) * TILE, TILE, 1);
                lru_touch(lru, 0, (i * tiles + k) * TILE, TILE, 0);
                lru_touch(lru, 1, (k * tiles + j) * TILE, TILE, 0);
                lru_touch(lru, 2, (i * tiles + j) * TILE, TILE, 1);
            }
    assert_traffic(finished(lru), 2 * tiles * tiles * tiles * TILE, tiles * tiles * TILE);
}

/* ---- the plainest simulation --------------------------------------------------------- */

enum { PLAIN_LINES = 16 };
typedef struct {               /* newest first */
    int64_t    id[PLAIN_LINES];
    int        dirty[PLAIN_LINES], used;
    LruTraffic traffic;
} Plain;

static void plain_touch(Plain *p, int64_t id, int writes, int whole)
{
    int at = 0, dirty = 0;
    while (at < p->used && p->id[at] != id) at++;
    if (at < p->used) {
        dirty = p->dirty[at];
    } else {
        if (!writes || !whole) p->traffic.read_bytes += 64;
        if (p->used == PLAIN_LINES) p->traffic.written_bytes += p->dirty[--at] ? 64 : 0;
        else p->used++;
    }
    memmove(p->id + 1, p->id, (size_t)at * sizeof *p->id);
    memmove(p->dirty + 1, p->dirty, (size_t)at * sizeof *p->dirty);
    p->id[0] = id;
    p->dirty[0] = dirty || writes;
}

static void random_touches_agree_with_it(void **state)
{
    (void)state;
    Lru *lru = opened(PLAIN_LINES * 64, 64);
    Plain plain = { .used = 0 };
    for (uint64_t i = 0; i < 20000; i++) {
        const int tensor = (int)random_below(5, 0, i, 3), writes = (int)random_below(5, 1, i, 2);
        const int64_t offset = random_below(5, 2, i, 700), bytes = 1 + random_below(5, 3, i, 200);
        lru_touch(lru, tensor, offset, bytes, writes);
        for (int64_t line = offset / 64; line * 64 < offset + bytes; line++)
            plain_touch(&plain, tensor * 1000 + line, writes,
                        line * 64 >= offset && line * 64 + 64 <= offset + bytes);
    }
    for (int i = 0; i < plain.used; i++) plain.traffic.written_bytes += plain.dirty[i] ? 64 : 0;
    assert_traffic(finished(lru), plain.traffic.read_bytes, plain.traffic.written_bytes);
}

static void too_small_is_refused(void **state)
{
    (void)state;
    Lru *lru;
    Err err;
    assert_int_equal(lru_open(&lru, 63, 64, &err), BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_read_once),
        cmocka_unit_test(one_line_too_many_is_read_every_time),
        cmocka_unit_test(whole_lines_are_not_loaded_to_be_overwritten),
        cmocka_unit_test(changed_lines_are_written_when_they_leave),
        cmocka_unit_test(tensors_are_apart),
        cmocka_unit_test(nothing_is_no_touch),
        cmocka_unit_test(blocked_products_cross_as_the_formula_says),
        cmocka_unit_test(random_touches_agree_with_it),
        cmocka_unit_test(too_small_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
