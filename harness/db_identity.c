/* SPDX-License-Identifier: Apache-2.0 */
/* One query a table gives the id and what it is the hash of; rows of one id that follow each other
 * are hashed together. They must say what db_store.c says. */
#include "db_identity.h"

#include <stdio.h>

typedef struct { const char *table, *sql; } Identity;   /* %s: the schema */

/* A machine's facts count in the order in which machine_identity() gives them, which is ?1; one
 * with facts that this program does not know is left out. Of a quantity the id has the axis as
 * text. */
static const Identity identities[] = {
    { "machine", "SELECT machine, name, value FROM %s.machine_fact f WHERE NOT EXISTS "
                 "(SELECT 1 FROM %s.machine_fact WHERE machine = f.machine AND "
                 "instr(?1, ',' || name || ',') = 0) "
                 "ORDER BY machine, instr(?1, ',' || name || ',')" },
    { "build", "SELECT id, revision, dirty, compiler, flags FROM %s.build" },
    { "code", "SELECT id, symbol, sha256 FROM %s.code" },
    { "spec", "SELECT id, 'spec', text FROM %s.spec" },
    { "point", "SELECT id, 'point', text FROM %s.point" },
    { "comparison", "SELECT a.comparison, p.text FROM %s.arm a JOIN %s.point p ON p.id = a.point "
                    "ORDER BY a.comparison, a.position" },
    { "block", "SELECT id, session, comparison, number, seed, started_at_ms FROM %s.block" },
    { "run", "SELECT id, block, position FROM %s.run" },
    { "quantity", "SELECT id, instrument, name, iif(at = CAST(at AS INTEGER), "
                  "CAST(CAST(at AS INTEGER) AS TEXT), CAST(at AS TEXT)), unit FROM %s.quantity" },
};

static void fact_names(char *out, size_t size)
{
    Facts identity;
    machine_identity(&identity);
    size_t used = (size_t)snprintf(out, size, ",");
    for (int i = 0; i < identity.count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s,", identity.fact[i].name);
    require(used < size);
}

static void add_part(Sha256 *h, const Query *q, int column)
{
    const ValueType type = column_type(q, column);
    if (type == VALUE_INTEGER) identity_integer(h, column_integer(q, column));
    else if (type == VALUE_NULL) identity_text(h, NULL);
    else identity_text(h, column_text(q, column));
}

static void check_one(Identities *out, const char *table, int64_t id, Sha256 *h)
{
    out->rows++;
    if (identity_close(h) == id) return;
    if (!out->wrong++) {
        out->table = table;
        out->id = id;
    }
}

static void check_table(Db *db, const Identity *t, const char *sql, const char *facts,
                        Identities *out)
{
    Sha256 h;
    int64_t id = 0, rows = 0;
    Query *q = t == identities ? query_open(db, sql, VALUES(val_text(facts)))
                               : query_open(db, sql, NO_VALUES);
    for (; query_row(q); rows++) {
        if (rows && column_integer(q, 0) != id) check_one(out, t->table, id, &h);
        if (!rows || column_integer(q, 0) != id) sha256_open(&h);
        id = column_integer(q, 0);
        for (int i = 1; i < query_columns(q); i++) add_part(&h, q, i);
    }
    query_close(q);
    if (rows) check_one(out, t->table, id, &h);
}

Status db_identities(Db *db, const char *schema, Identities *out, Err *err)
{
    char sql[512], facts[512];
    fact_names(facts, sizeof facts);
    *out = (Identities){ 0 };
    for (size_t i = 0; i < sizeof identities / sizeof *identities; i++) {
        snprintf(sql, sizeof sql, identities[i].sql, schema, schema);
        check_table(db, &identities[i], sql, facts, out);
    }
    return db_check(db, err);
}
