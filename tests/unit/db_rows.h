/* SPDX-License-Identifier: Apache-2.0 */
/* A database in a folder of its own and a made-up measurement of two arms, for tests of db_*.c. */
#ifndef DB_ROWS_H
#define DB_ROWS_H

#include "../../harness/db_internal.h"
#include "../../harness/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 12, WARMUP = 4 };

static char folder[64], path[96];

static inline Db *opened(DbMode mode)
{
    Db *db;
    Err err = { "" };
    if (db_open(&db, path, mode, &err)) fail_msg("%s", err.text);
    return db;
}

static inline void fine(Status status, const Err *err)
{
    if (status) fail_msg("%s", err->text);
}

static inline int fresh(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/attest-test-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/deep/er/test.db", folder);
    return 0;
}

static inline int cleaned(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", folder, folder);
    return system(command) != 0;
}

/* ---- a made-up measurement ------------------------------------------------------------ */

static Point arm[2];
static BlockContext context = { .instruments = "accuracy,time", .epsilon = 0.02 };

static inline void make_arms(void)
{
    Err err;
    fine(point_parse(&arm[0], "attention/blas:B=1,H=1,T=64,D=16,causal=0:f32:fwd", &err), &err);
    fine(point_parse(&arm[1], "attention/unfused:B=1,H=1,T=64,D=16,causal=0:f32:fwd", &err), &err);
}

static inline void add_fact(Facts *f, const char *name, const char *value, const char *reason)
{
    Fact *new = &f->fact[f->count++];
    new->name = name;
    strcpy(new->value, value);
    strcpy(new->reason, reason);
}

static inline void start_session(Db *db, const char *cpu)
{
    Facts identity = { .count = 0 }, facts = { .count = 0 };
    Err err;
    make_arms();
    add_fact(&identity, "cpu.name", cpu, "");
    add_fact(&identity, "cores", "2", "");
    add_fact(&facts, "load", "0.50", "");
    add_fact(&facts, "perf_event", "", "this kernel has none");
    fine(db_session(db, &identity, "laptop", &facts, "run test.yaml", &context.from, &err), &err);
}

/* Arm 1 takes `ratio` times as long as arm 0; times vary from block to block and round to round. */
static inline double call_ns(int which, int block, int round, double ratio)
{
    const double base = 1000 + 13 * block + (round * 7 % 5);
    return which ? base * ratio : base;
}

typedef struct {
    BlockRecord record;
    RunRecord   run[2];
    Epoch       epoch[2][WARMUP + ROUNDS];
    Metric      metric[2][5];
} Block;

static inline void make_block(Block *b, int number, double ratio)
{
    memset(b, 0, sizeof *b);
    b->record = (BlockRecord){ .seed = 0xfedcba9876543210u,
                               .block = number,
                               .run = b->run,
                               .runs = 2,
                               .started_at_ms = 1700000000000 + 1000 * number,
                               .duration_ms = 250 };
    for (int k = 0; k < 2; k++) {
        b->run[k] = (RunRecord){ .point = arm[k], .epoch = b->epoch[k], .epochs = WARMUP + ROUNDS,
                                 .metric = b->metric[k], .metrics = 5 };
        b->metric[k][0] = (Metric){ "accuracy", "error_rel", "", 1e-7 * (number + 1) };
        b->metric[k][1] = (Metric){ "memory", "tensor_bytes", "B", 4096 };
        b->metric[k][2] = (Metric){ "cache", "total_bytes@32768", "B", 1e6 + k };
        b->metric[k][3] = (Metric){ "time", "lap.matmul_ns", "ns", 500 + number };
        b->metric[k][4] = (Metric){ "time", "limit_memory_ns", "ns", 400 };
        for (int i = 0; i < WARMUP + ROUNDS; i++) {
            const double ns = i < WARMUP ? 9999 : call_ns(k, number, i - WARMUP, ratio);
            b->epoch[k][i] = (Epoch){ .wall_ns = (int64_t)(20 * ns),
                                      .cpu_ns = (int64_t)(10 * ns + .5),
                                      .delay_ns = i % 3 ? 0 : 50,
                                      .switches = 0,
                                      .calls = 10,
                                      .round = i,
                                      .position = (k + i) % 2,
                                      .warmup = i < WARMUP };
        }
    }
}

static inline void store(Db *db, int number, double ratio)
{
    Block b;
    Err err;
    make_block(&b, number, ratio);
    fine(db_store_block(db, &context, arm, 2, &b.record, &err), &err);
}

static inline void refresh(Db *db)
{
    Err err;
    fine(db_refresh(db, &err), &err);
}

static inline double number(Db *db, const char *sql)
{
    Err err;
    Query *q = query_open(db, sql, NO_VALUES);
    const double value = query_row(q) ? column_real(q, 0) : NAN;
    query_close(q);
    fine(db_check(db, &err), &err);
    return value;
}

static inline const char *text(Db *db, const char *sql)
{
    static char copy[512];
    Err err;
    Query *q = query_open(db, sql, NO_VALUES);
    snprintf(copy, sizeof copy, "%s",
             query_row(q) && column_text(q, 0) ? column_text(q, 0) : "(none)");
    query_close(q);
    fine(db_check(db, &err), &err);
    return copy;
}

/* A hash of everything in a table, whatever the order of its rows. */
static inline void digest(Db *db, const char *table, char out[SHA256_TEXT])
{
    char sql[128];
    uint8_t raw[SHA256_BYTES];
    Sha256 h;
    snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1, 2", table);
    Query *q = query_open(db, sql, NO_VALUES);
    sha256_open(&h);
    while (query_row(q)) query_hash_row(q, &h);
    query_close(q);
    sha256_close(&h, raw);
    sha256_text(raw, out);
}

#endif
