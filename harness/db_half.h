/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that sees half of the blocks, so that a verdict about times can be confirmed by
 * processes that were measured at another time. */
#ifndef DB_HALF_H
#define DB_HALF_H

#include "db.h"

/* From here on v_block, v_time, v_speedup, v_speedup_block and v_lap of this connection (DB_READ)
 * show the `first` or the later blocks of each point or pair, by the time of measuring, on one
 * machine. Of an odd number of blocks the middle one is a later one; of one block there is no first
 * half. */
Status db_only_half(Db *db, int64_t machine, int first, Err *err);

#endif
