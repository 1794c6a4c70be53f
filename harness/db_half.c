/* SPDX-License-Identifier: Apache-2.0 */
/* half.sql does the work; this runs it past the guard that keeps readers from writing. */
#include "db_half.h"
#include "db_internal.h"

#include <stdio.h>

extern const char half_sql[];

Status db_only_half(Db *db, int64_t machine, int first, Err *err)
{
    char sql[160];
    const Status status = db_only_machine(db, machine, err);
    if (status)
        return status;
    snprintf(sql, sizeof sql, "CREATE TEMP TABLE half AS SELECT %d AS first, %lld AS whose",
             first != 0, (long long)machine);
    db_script(db, sql);
    db_script(db, half_sql);
    return db_check(db, err);
}
