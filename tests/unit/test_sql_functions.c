/* SPDX-License-Identifier: Apache-2.0 */
/* slope() and crossover() in SQL, on rows of which the answer is known. */
#include "../../harness/db_sqlite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* x = 2, 4, .. 64 in each of 8 blocks. */
#define ROWS \
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 47), " \
    "r(x, b) AS (SELECT 1 << (i % 6 + 1), i / 6 FROM n) "

static int opened(void **state)
{
    sqlite3 *sqlite;
    if (sqlite3_open(":memory:", &sqlite) != SQLITE_OK) return 1;
    *state = sqlite;
    return sql_functions_register(sqlite) != SQLITE_OK;
}

static int closed(void **state) { return sqlite3_close(*state) != SQLITE_OK; }

/* The one column of the one row must be this text; or the error must be this sentence. */
static void gives(void **state, const char *select, const char *want)
{
    char sql[600];
    sqlite3_stmt *statement;
    snprintf(sql, sizeof sql, "%s%s", ROWS, select);
    if (sqlite3_prepare_v2(*state, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", select, sqlite3_errmsg(*state));
    const int rc = sqlite3_step(statement);
    const char *got = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0)
                                       : sqlite3_errmsg(*state);
    if (!got) got = "NULL";
    if (strcmp(got, want)) fail_msg("%s: '%s', not '%s'", select, got, want);
    sqlite3_finalize(statement);
}

static void slopes(void **state)
{
    gives(state, "SELECT round(slope(x, 3.0 * x * x, b), 9) FROM r", "2.0");
    gives(state, "SELECT round(slope_high(x, 3.0 * x * x, b) - slope_low(x, 3.0 * x * x, b), 9) "
                 "FROM r", "0.0");
    gives(state, "SELECT slope_low(x, y, b) < 2 AND slope_high(x, y, b) BETWEEN 2 AND 2.02 "
                 "FROM (SELECT x, b, x * x * (1 + 0.01 * ((b * 7 + x) % 5 - 2)) AS y FROM r)", "1");
    gives(state, "SELECT round(slope(x, iif(b = 1, NULL, 3.0 * x * x), b), 9) FROM r", "2.0");
    gives(state, "SELECT round(slope(x, 3.0 * x * x, b), 9) "
                 "FROM (SELECT * FROM r ORDER BY (x * 31 + b * 17) % 13)", "2.0");
    gives(state, "SELECT slope(x, x, b) FROM r WHERE x <= 4", "NULL");   /* any line fits two */
    gives(state, "SELECT slope(x, x, b) FROM r WHERE x = 2", "NULL");
    gives(state, "SELECT slope(x, x, b) FROM r WHERE x = 0", "NULL");
    gives(state, "SELECT slope(x, NULL, b) FROM r", "NULL");
    gives(state, "SELECT slope(x, 0, b) FROM r", "point 0: x = 2 and y = 0 must be above 0");
}

static void crossovers(void **state)
{
    gives(state, "SELECT round(crossover(x, x / 10.0, b), 6) FROM r", "10.0");
    gives(state, "SELECT crossover_kind(x, x / 10.0, b) FROM r", "one");
    gives(state, "SELECT round(crossover(x, x / 10.0, b), 6) "
                 "FROM (SELECT * FROM r ORDER BY (x * 31 + b * 17) % 13)", "10.0");
    gives(state, "SELECT crossover_low(x, y, b) < 10 AND crossover_high(x, y, b) > 10 "
                 "FROM (SELECT x, b, x * (0.09 + 0.003 * b) AS y FROM r)", "1");
    gives(state, "SELECT crossover_kind(x, 2, b) FROM r", "none");
    gives(state, "SELECT crossover(x, 2, b) FROM r", "NULL");
    gives(state, "SELECT crossover_kind(x, 1, b) FROM r", "unclear");    /* ties everywhere */
    gives(state, "SELECT crossover(x, 1, b) FROM r", "NULL");
    gives(state, "SELECT crossover_kind(x, iif(x IN (2, 16), 2, 0.5), b) FROM r", "several");
    gives(state, "SELECT crossover_kind(x, x / 10.0, b) FROM r WHERE b = 0", "unclear");
    gives(state, "SELECT crossover(x, NULL, b) FROM r", "NULL");
    gives(state, "SELECT crossover(-x, 2, b) FROM r",
          "crossover: x = -64 and the ratio 2 must be above 0");
    gives(state, "SELECT crossover(x, 0, b) FROM r",
          "crossover: x = 2 and the ratio 0 must be above 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(slopes, opened, closed),
        cmocka_unit_test_setup_teardown(crossovers, opened, closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
