/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets share: a folder of their own, files in it, and a small database. */
#ifndef FUZZ_H
#define FUZZ_H

#include "../../harness/db_internal.h"
#include "../../kernels/core/problem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The fuzzer's entry, and replay.c's. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- a folder ------------------------------------------------------------------------------- */

static char fuzz_path[256];

static inline void fuzz_remove(const char *path)
{
    char inner[2048];
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        snprintf(inner, sizeof inner, "%.1000s/%s", path, e->d_name);
        if (unlink(inner)) fuzz_remove(inner);
    }
    if (dir) closedir(dir);
    rmdir(path);
}

static inline void fuzz_clean(void) { fuzz_remove(fuzz_path); }

/* Made when first asked for, removed at the end. */
static inline const char *fuzz_folder(void)
{
    const char *where = getenv("TMPDIR");
    if (*fuzz_path) return fuzz_path;
    snprintf(fuzz_path, sizeof fuzz_path, "%.200s/attest-fuzz-XXXXXX", where ? where : "/tmp");
    require(mkdtemp(fuzz_path));
    atexit(fuzz_clean);
    return fuzz_path;
}

/* The path of a file there, made of these bytes; valid until the next call. */
static inline const char *fuzz_file(const char *name, const void *data, size_t size)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    FILE *out = fopen(path, "wb");
    require(out && fwrite(data, 1, size, out) == size && !fclose(out));
    return path;
}

static inline int fuzz_entries(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    require(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}

/* Text ends at its first NUL; free it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);
    require(text);
    return size ? memcpy(text, data, size) : text;
}

/* ---- a database ----------------------------------------------------------------------------- */

static inline void fuzz_block(Db *db, const BlockContext *context, int number)
{
    Point arm[2];
    Epoch epoch[2][8];
    Metric metric[2] = { { "accuracy", "error_rel", "", 1e-7 },
                         { "count", "matmul_flops", "", 131072 } };
    RunRecord run[2];
    Err err;
    for (int k = 0; k < 2; k++) {
        const char *text = k ? "attention/unfused:B=1,H=1,T=64,D=16:f32:fwd"
                             : "flash_attention/online:B=1,H=1,T=64,D=16:f32:fwd";
        require(point_parse(&arm[k], text, &err) == OK);
        for (int i = 0; i < 8; i++)
            epoch[k][i] = (Epoch){ .wall_ns = 20000 + 9 * i + 4000 * k, .cpu_ns = 20000 + 4000 * k,
                                   .calls = 10, .round = i, .position = (k + i) % 2,
                                   .warmup = i < 2 };
        run[k] = (RunRecord){ .point = arm[k], .epoch = epoch[k], .epochs = 8, .metric = metric,
                              .metrics = 2 };
    }
    const BlockRecord record = { .seed = 1, .block = number, .run = run, .runs = 2,
                                 .started_at_ms = 1700000000000 + 1000 * number,
                                 .duration_ms = 9 };
    require(db_store_block(db, context, arm, 2, &record, &err) == OK);
}

/* A file with a machine, a session, and six blocks of two points; the same each time. */
static inline const char *fuzz_database(const char *name)
{
    static char path[512];
    Db *db = NULL;
    Err err;
    Facts identity = { .count = 0 }, state = { .count = 0 };
    BlockContext context = { .instruments = "accuracy,count,time", .epsilon = 0.02 };
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    require(db_open(&db, path, DB_WRITE, &err) == OK);
    identity.fact[identity.count++] = (Fact){ .name = "cpu.name", .value = "a cpu" };
    require(db_session(db, &identity, "here", &state, "run", &context.from, &err) == OK);
    require(db_spec(db, "fuzz/spec", "a spec", "fuzz", "", &context.spec, &err) == OK);
    for (int i = 0; i < 6; i++) fuzz_block(db, &context, i);
    require(db_refresh(db, &err) == OK);
    db_script(db, "PRAGMA journal_mode = DELETE");
    require(db_check(db, &err) == OK);
    db_close(db);
    return path;
}

#endif
