/* SPDX-License-Identifier: Apache-2.0 */
/* Every index once, on a worker that exists, however few or many there are. */
#include "../../kernels/core/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

enum { MOST = 5000, WORKERS = 5 };

typedef struct { _Atomic int visits[MOST]; _Atomic int bad_worker; int workers; } Count;

static void visit(void *arg, int64_t index, int worker)
{
    Count *c = arg;
    if (worker < 0 || worker >= c->workers) c->bad_worker = 1;
    c->visits[index]++;
}

static void check_once(Team *team, int64_t n)
{
    static Count c;
    c = (Count){ .workers = team_threads(team) };
    parallel_for(team, n, visit, &c);
    assert_false(c.bad_worker);
    for (int64_t i = 0; i < MOST; i++) assert_int_equal(c.visits[i], i < n);
}

static void each_index_once(void **state)
{
    (void)state;
    static const int64_t counts[] = { 0, 1, 2, WORKERS - 1, WORKERS, WORKERS + 1, 100, MOST };
    for (int threads = 1; threads <= WORKERS; threads++) {
        Team *team;
        assert_int_equal(team_open(&team, threads, NULL, NULL), OK);
        assert_int_equal(team_threads(team), threads);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) check_once(team, counts[i]);
        team_close(team);
    }
}

static void no_team_is_one_thread(void **state)
{
    (void)state;
    assert_int_equal(team_threads(NULL), 1);
    check_once(NULL, 100);
    team_close(NULL);
}

/* Rounds that follow each other at once, and after the team has gone to sleep. */
static void rounds_do_not_mix(void **state)
{
    (void)state;
    Team *team;
    assert_int_equal(team_open(&team, 3, NULL, NULL), OK);
    for (int round = 0; round < 2000; round++) check_once(team, round % 17);
    nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    check_once(team, 50);
    team_close(team);
}

static void burn(void *arg, int64_t index, int worker)
{
    double *sums = arg, sum = 0;
    (void)worker;
    for (int i = 1; i < 200000; i++) sum += 1.0 / i;
    sums[index] = sum;
}

static void cpu_time_is_everybodys(void **state)
{
    (void)state;
    Team *team;
    double sums[40];
    assert_int_equal(team_open(&team, 2, NULL, NULL), OK);
    const int64_t before_ns = team_cpu_ns(team);
    parallel_for(team, 40, burn, sums);
    const int64_t spent_ns = team_cpu_ns(team) - before_ns;
    team_close(team);
    assert_true(spent_ns > 1000000);     /* 8,000,000 divisions */
    assert_true(sums[0] > 12 && sums[39] == sums[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_index_once),
        cmocka_unit_test(no_team_is_one_thread),
        cmocka_unit_test(rounds_do_not_mix),
        cmocka_unit_test(cpu_time_is_everybodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
