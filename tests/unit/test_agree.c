/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement of verdicts, counted on rows small enough to count by hand. */
#include "../../harness/agree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { DATABASES = 4 };

static Agreed counted(const Verdict verdict[DATABASES])
{
    Agreed c = { .id = "" };
    agree_claim(&c, verdict, DATABASES);
    return c;
}

#define COUNTED(...) counted((const Verdict[DATABASES]){ __VA_ARGS__ })

static void a_claim_has_a_usual_verdict(void **state)
{
    (void)state;
    Agreed c = COUNTED(PARTLY, PARTLY, PARTLY, PARTLY);
    assert_true(c.usual == PARTLY && c.tried && !c.flipped && c.count[PARTLY] == 4);
    c = COUNTED(INCONCLUSIVE, REPRODUCED, REPRODUCED, INCONCLUSIVE);   /* a tie */
    assert_true(c.usual == REPRODUCED && c.tried && !c.flipped);
    c = COUNTED(REPRODUCED, REPRODUCED, REPRODUCED, PARTLY);
    assert_true(c.usual == REPRODUCED && c.flipped);
    c = COUNTED(INCONCLUSIVE, INCONCLUSIVE, NOT_YET_MEASURED, INCONCLUSIVE);
    assert_true(c.usual == INCONCLUSIVE && c.tried && !c.flipped);
}

static void what_nothing_can_decide_does_not_count(void **state)
{
    (void)state;
    assert_false(COUNTED(NOT_TESTABLE, NOT_TESTABLE, NOT_TESTABLE, NOT_TESTABLE).tried);
    assert_false(COUNTED(UNDER_SPECIFIED, UNDER_SPECIFIED, UNDER_SPECIFIED, UNDER_SPECIFIED).tried);
    Agreed none = COUNTED(NOT_YET_MEASURED, NOT_YET_MEASURED, NOT_YET_MEASURED, NOT_YET_MEASURED);
    Agreement a = { .claim = &none, .claims = 1, .databases = DATABASES };
    agree_total(&a);
    assert_true(a.tried == 0 && a.share.kind == INTERVAL_NONE && isnan(a.share.value));
}

static void totals_add_up(void **state)
{
    (void)state;
    Agreed claim[] = {
        COUNTED(REPRODUCED, REPRODUCED, REPRODUCED, REPRODUCED),
        COUNTED(REPRODUCED, INCONCLUSIVE, REPRODUCED, REPRODUCED),
        COUNTED(PARTLY, PARTLY, CONTRADICTED, INCONCLUSIVE),
        COUNTED(INCONCLUSIVE, INCONCLUSIVE, INCONCLUSIVE, PARTLY),
        COUNTED(NOT_TESTABLE, NOT_TESTABLE, NOT_TESTABLE, NOT_TESTABLE),
    };
    claim[1].timed = 1;
    Agreement a = { .claim = claim, .claims = 5, .databases = DATABASES };
    agree_total(&a);
    assert_int_equal(a.tried, 4);
    assert_int_equal(a.differing, 3);
    assert_int_equal(a.flips, 1);
    assert_int_equal(a.dissent, 1 + 2 + 1);
    assert_int_equal(a.inconclusive, 1 + 1);       /* of the usually inconclusive one: none */
    assert_int_equal(a.share.n, 16);
    assert_true(a.timed_share.n == 4 && a.timed_share.value == 3 / 4.0);
    assert_true(a.share.value == 12 / 16.0 && a.share.low < 0.75 && a.share.high > 0.75);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_has_a_usual_verdict),
        cmocka_unit_test(what_nothing_can_decide_does_not_count),
        cmocka_unit_test(totals_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
