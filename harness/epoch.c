/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "epoch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TASKS_MAX = THREADS_MAX + 16 };

void epoch_clock_open(EpochClock *clock, Device *device)
{
    *clock = (EpochClock){ .device = device, .schedstat = calloc(TASKS_MAX, sizeof(int)) };
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; clock->schedstat && tasks && (task = readdir(tasks));) {
        char path[64];
        if (*task->d_name == '.' || clock->threads == TASKS_MAX) continue;
        snprintf(path, sizeof path, "/proc/self/task/%.20s/schedstat", task->d_name);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) clock->schedstat[clock->threads++] = fd;
    }
    if (tasks) closedir(tasks);
}

void epoch_clock_close(EpochClock *clock)
{
    for (int i = 0; i < clock->threads; i++) close(clock->schedstat[i]);
    free(clock->schedstat);
    *clock = (EpochClock){ 0 };
}

/* Nanoseconds that our threads were ready to run and had no core; -1: the kernel doesn't tell. */
static int64_t run_delay_ns(const EpochClock *clock)
{
    int64_t total_ns = 0;
    for (int i = 0; i < clock->threads; i++) {
        char text[96];
        long long ran_ns, waited_ns;
        const ssize_t n = pread(clock->schedstat[i], text, sizeof text - 1, 0);
        if (n <= 0) return -1;
        text[n] = 0;
        if (sscanf(text, "%lld %lld", &ran_ns, &waited_ns) != 2) return -1;
        total_ns += waited_ns;
    }
    return clock->threads ? total_ns : -1;
}

static int64_t involuntary_switches(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? -1 : usage.ru_nivcsw;
}

/* The clocks are read last here and first there: nothing else is inside. */
EpochMark epoch_start(const EpochClock *clock, const Team *team)
{
    EpochMark mark = { .delay_ns = run_delay_ns(clock), .switches = involuntary_switches() };
    mark.cpu_ns = team_cpu_ns(team);
    mark.start_ns = backend_cpu.now_ns(clock->device);
    return mark;
}

void epoch_end(const EpochClock *clock, const Team *team, const EpochMark *mark, Epoch *out)
{
    const int64_t end_ns = backend_cpu.now_ns(clock->device), cpu_ns = team_cpu_ns(team);
    out->wall_ns = end_ns - mark->start_ns;
    out->cpu_ns = cpu_ns - mark->cpu_ns;
    out->delay_ns = mark->delay_ns < 0 ? -1 : run_delay_ns(clock) - mark->delay_ns;
    out->switches = mark->switches < 0 ? -1 : (int32_t)(involuntary_switches() - mark->switches);
}

Status epoch_take(const EpochClock *clock, Arm *arm, int set, int64_t calls, CacheState cache,
                  Epoch *out)
{
    Status status = OK;
    *out = (Epoch){ .calls = (int32_t)calls };
    arm_restore(arm, set);
    if (cache == CACHE_TOUCHED) {
        status = arm_call(arm, set);
        arm_restore(arm, set);
    }
    if (cache == CACHE_COLD) backend_cpu.flush(clock->device);
    const EpochMark mark = epoch_start(clock, arm->ctx.team);
    for (int64_t i = 0; i < calls && !status; i++) status = arm_call(arm, set);
    epoch_end(clock, arm->ctx.team, &mark, out);
    return status;
}
