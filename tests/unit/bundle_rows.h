/* SPDX-License-Identifier: Apache-2.0 */
/* A paper of four claims in a folder of its own, and seven blocks that were measured for it. */
#ifndef BUNDLE_ROWS_H
#define BUNDLE_ROWS_H

#include "db_rows.h"

#include "../../harness/bundle.h"

#include <sys/stat.h>
#include <unistd.h>

static const char claims[] =
    "- id: memory\n"
    "  where: Table 1\n"
    "  says: \"4096 bytes\"\n"
    "  paper: {value: 4096, unit: B}\n"
    "  kind: count\n"
    "  experiment: toy/one\n"
    "  evidence: SELECT value, low, high FROM v_metric WHERE name = 'tensor_bytes' AND "
    "variant = 'blas'\n"
    "  expect: {equals: 4096}\n"
    "- id: faster\n"
    "  where: Table 2\n"
    "  says: \"1.5 times as fast\"\n"
    "  paper: {value: 1.5, unit: x}\n"
    "  kind: time\n"
    "  experiment: toy/one\n"
    "  protocol: in turns\n"
    "  evidence: SELECT ratio AS value, low, high FROM v_speedup WHERE variant = 'blas'\n"
    "  expect: {between: [1.4, 1.6]}\n"
    "- id: printed\n"
    "  where: Table 3\n"
    "  says: \"their own numbers\"\n"
    "  paper: {value: 1.2, unit: ms}\n"
    "  kind: quality\n"
    "  evidence: SELECT y AS value FROM v_paper WHERE table_name = 't1'\n"
    "  expect: {at_least: 1}\n"
    "- id: elsewhere\n"
    "  where: Table 4\n"
    "  says: \"on eight GPUs\"\n"
    "  paper: {value: 8, unit: x}\n"
    "  kind: time\n"
    "  not_testable: \"no GPU here\"\n";

static char before[4096];

static inline void put(const char *file, const char *text)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static inline int fresh_paper(void **state)
{
    Err err;
    if (!getcwd(before, sizeof before) || fresh(state) || chdir(folder)) return 1;
    if (mkdir("papers", 0777) || mkdir("papers/toy", 0777)) return 1;
    put("papers/toy/paper.yaml", "id: toy\ntitle: \"A toy\"\n");
    put("papers/toy/claims.yaml", claims);
    put("papers/toy/published.csv",
        "table,pass,series,x,y,unit,setting\nt1,fwd,Theirs,1,1.2,ms,A100\n");
    strcpy(path, "toy.db");
    Db *db = opened(DB_WRITE);
    start_session(db, "cpu 1");
    fine(db_spec(db, "toy/one", "One", "toy", "experiment: toy/one\n", &context.spec, &err), &err);
    for (int i = 0; i < 7; i++) store(db, i, 1.5);
    refresh(db);
    db_close(db);
    return 0;
}

static inline int cleaned_paper(void **state) { return chdir(before) || cleaned(state); }

#endif
