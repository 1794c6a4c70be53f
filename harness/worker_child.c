/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's side: reads its task, runs the instruments, sends what they found. */
#define _GNU_SOURCE
#include "bench.h"

#include "../kernels/core/problem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

Status (*worker_parse)(Point *point, const char *text, Err *err) = point_parse;

const Instrument *instrument_find(const char *name)
{
    for (int i = 0; instruments[i]; i++)
        if (!strcmp(instruments[i]->name, name)) return instruments[i];
    return NULL;
}

/* The address space may grow by so much from here. The program itself, with all its libraries, is
 * no part of what an arm needs. */
static void limit_memory(int64_t bytes)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld", &pages) != 1) pages = 0;
    if (f) fclose(f);
    struct rlimit limit;
    if (bytes > 0 && !getrlimit(RLIMIT_AS, &limit)) {
        const rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (rlim_t)bytes;
        if (most < limit.rlim_cur) limit.rlim_cur = most;
        (void)setrlimit(RLIMIT_AS, &limit);
    }
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

static Status run_stage(Bench *b, Stage stage, Err *err)
{
    for (int i = 0; i < b->task->instruments; i++) {
        const Instrument *instrument = instrument_find(b->task->instrument[i]);
        if (!instrument || instrument->stage != stage || (instrument->exact && b->task->block > 0))
            continue;
        const Status status = instrument->measure(b, err);
        if (status) return status;
        for (int a = 0; a < b->arms; a++) bench_send_metrics(b, &b->arm[a]);
    }
    return OK;
}

int worker_serve(void)
{
    Shared shared;
    Bench bench = { 0 };
    Err err = { "" };
    signal(SIGPIPE, SIG_DFL);     /* nobody listens: nothing to do any more */
    signal(SIGINT, SIG_IGN);      /* the parent decides */
    Status status = shared_attach(&shared, WORKER_TASK_FD, &err);
    if (status) goto done;
    topology_set(&shared.head->task.topology);
    limit_memory(shared.head->task.limit_memory_bytes);
    status = bench_open(&bench, &shared, WORKER_RESULT_FD, &err);
    for (Stage stage = STAGE_TIME; !status && stage <= STAGE_COUNT; stage++)
        status = run_stage(&bench, stage, &err);
    if (status) goto done;
    frame_send(WORKER_RESULT_FD, FRAME_CEILING, -1, bench.ceilings.item,
               (size_t)bench.ceilings.count * sizeof *bench.ceilings.item);
    bench_send_endings(&bench);
    frame_send(WORKER_RESULT_FD, FRAME_DONE, -1, "", 0);
done:
    if (status) fprintf(stderr, "%s\n", err.text);
    bench_close(&bench);
    return status != OK;
}
