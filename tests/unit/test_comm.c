/* SPDX-License-Identifier: Apache-2.0 */
/* Rings, chains and sums, alone and with ranks made of threads. */
#include "../../kernels/core/comm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Assertions of cmocka belong to the test's own thread: ranks only note what they see. */
static _Atomic int wrong;
static void expect(int condition) { if (!condition) wrong = 1; }

/* After `size` steps around the ring a value is home again, and has met everybody. */
static void ring(const Comm *c, void *arg)
{
    int mine = 100 + c->rank, sum = 0;
    (void)arg;
    for (int step = 0; step < c->size; step++) {
        int next;
        sum += mine;
        c->exchange(c, &mine, (c->rank + 1) % c->size, &next, (c->rank + c->size - 1) % c->size,
                    sizeof next);
        mine = next;
    }
    expect(mine == 100 + c->rank);
    expect(sum == 100 * c->size + c->size * (c->size - 1) / 2);
}

/* Rank r gets what r - 1 had and adds its own; the ends have no neighbour. */
static void chain(const Comm *c, void *arg)
{
    int so_far = 0;
    (void)arg;
    if (c->rank > 0) c->exchange(c, NULL, -1, &so_far, c->rank - 1, sizeof so_far);
    so_far += c->rank + 1;
    if (c->rank < c->size - 1) c->exchange(c, &so_far, c->rank + 1, NULL, -1, sizeof so_far);
    expect(so_far == (c->rank + 1) * (c->rank + 2) / 2);
}

enum { VALUES = 1000, RANKS_MAX = 5 };
static float sums[RANKS_MAX][VALUES];

static void add_up(const Comm *c, void *arg)
{
    float *mine = sums[c->rank];
    (void)arg;
    for (int i = 0; i < VALUES; i++) mine[i] = 0.1f * (float)(i + c->rank);
    c->sum(c, mine, VALUES);
    c->barrier(c);
}

static void on_threads(void **state)
{
    (void)state;
    wrong = 0;
    for (int ranks = 1; ranks <= RANKS_MAX; ranks++) {
        assert_int_equal(comm_threads(ranks, ring, NULL, NULL), OK);
        assert_int_equal(comm_threads(ranks, chain, NULL, NULL), OK);
        assert_int_equal(comm_threads(ranks, add_up, NULL, NULL), OK);
        for (int r = 1; r < ranks; r++) assert_memory_equal(sums[r], sums[0], sizeof sums[0]);
        float want = 0;
        for (int r = 0; r < ranks; r++) want += 0.1f * (float)(VALUES - 1 + r);
        assert_float_equal(sums[0][VALUES - 1], want, 1e-3f);
    }
    assert_false(wrong);
}

static void alone(void **state)
{
    (void)state;
    wrong = 0;
    ring(&comm_self, NULL);
    chain(&comm_self, NULL);
    float values[2] = { 1, 2 };
    comm_self.sum(&comm_self, values, 2);
    comm_self.barrier(&comm_self);
    assert_true(values[0] == 1 && values[1] == 2);
    assert_false(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(on_threads), cmocka_unit_test(alone) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
