/* SPDX-License-Identifier: Apache-2.0 */
/* Children that crash, hang, leave or are killed lose the item that they are at, and no other. */
#include "../../harness/pool.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ITEMS = 60 };
typedef struct { int square; Loss loss; int was_lost; char words[100]; long pid; } Result;
typedef struct { Result result[ITEMS]; int done, out_of_order, looks, stop_at; } Seen;

static void work(void *self, int item, void *result)
{
    Result *r = result;
    (void)self;
    r->pid = getpid();
    switch (item) {
    case 7:  fprintf(stderr, "\n  \nsomething broke\nand more\n"); abort();
    case 8:  raise(SIGSEGV); break;
    case 20: _exit(3);
    case 21: for (;;) nanosleep(&(struct timespec){ 1, 0 }, NULL);
    case 30: for (volatile unsigned turns = 0;;) turns++;
    case 40: raise(SIGKILL); break;
    default: r->square = item * item;
    }
}

static int group(void *self, int item) { (void)self; return item / 10; }

static void lost(void *self, int item, Loss loss, const char *words, void *result)
{
    Result *r = result;
    (void)self, (void)item;
    r->was_lost = 1;
    r->loss = loss;
    snprintf(r->words, sizeof r->words, "%s", words);
}

static void done(void *self, int item, const void *result)
{
    Seen *seen = self;
    if (item != seen->done++) seen->out_of_order = 1;
    seen->result[item] = *(const Result *)result;
}

static int look(void *self, int finished)
{
    Seen *seen = self;
    seen->looks++;
    return seen->stop_at && finished >= seen->stop_at;
}

static Pool pool_of(Seen *seen, int workers)
{
    return (Pool){ .items = ITEMS, .result_bytes = sizeof(Result), .workers = workers,
                   .limit_s = 0.3, .self = seen, .group = group, .work = work, .lost = lost,
                   .done = done, .look = look };
}

static void losses_are_single_items(void **state)
{
    (void)state;
    for (int workers = 1; workers <= 3; workers++) {
        Seen seen = { .done = 0 };
        const Pool pool = pool_of(&seen, workers);
        Err err;
        if (pool_run(&pool, &err)) fail_msg("%s", err.text);
        assert_int_equal(seen.done, ITEMS);
        assert_false(seen.out_of_order);
        assert_true(seen.looks > 0);
        for (int i = 0; i < ITEMS; i++) {
            const int loses = i == 7 || i == 8 || i == 20 || i == 21 || i == 30 || i == 40;
            assert_int_equal(seen.result[i].was_lost, loses);
            if (!loses) assert_int_equal(seen.result[i].square, i * i);
        }
        assert_int_equal(seen.result[7].loss, LOSS_CRASH);
        assert_string_equal(seen.result[7].words, "something broke");
        assert_string_equal(seen.result[8].words, "Segmentation fault");
        assert_string_equal(seen.result[20].words, "exit code 3");
        assert_int_equal(seen.result[21].loss, LOSS_TIMEOUT);
        assert_int_equal(seen.result[30].loss, LOSS_TIMEOUT);
        assert_int_equal(seen.result[40].loss, LOSS_MEMORY);
    }
}

static void groups_stay_together(void **state)
{
    (void)state;
    Seen seen = { .done = 0 };
    const Pool pool = pool_of(&seen, 3);
    assert_int_equal(pool_run(&pool, NULL), OK);
    for (int i = 51; i < ITEMS; i++)                   /* a group without losses */
        assert_int_equal(seen.result[i].pid, seen.result[50].pid);
    assert_int_not_equal(seen.result[6].pid, seen.result[9].pid);
}

static void it_can_be_stopped(void **state)
{
    (void)state;
    Seen seen = { .stop_at = 5 };
    const Pool pool = pool_of(&seen, 1);
    assert_int_equal(pool_run(&pool, NULL), OK);
    assert_in_range(seen.done, 5, ITEMS - 1);
}

static void nothing_to_do(void **state)
{
    (void)state;
    const Pool pool = { .workers = 1 };
    assert_int_equal(pool_run(&pool, NULL), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_single_items),
        cmocka_unit_test(groups_stay_together),
        cmocka_unit_test(it_can_be_stopped),
        cmocka_unit_test(nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
