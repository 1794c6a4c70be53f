/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "cachegrind.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const double AFFORDABLE_FLOPS = 2e7;
enum { LINE = 64, WAYS = 16, CALLS_FEW = 1, CALLS_MORE = 3 };

typedef struct { double refs, misses; } Misses;

/* ---- running it ---------------------------------------------------------------------- */

/* "==123== D refs:  1,234,567  (1,000 rd + ...)" -> 1234567; NaN: no such line. */
static double number_after(const char *text, const char *label)
{
    const char *at = strstr(text, label);
    if (!at) return NAN;
    double value = 0;
    for (at += strlen(label); *at == ' ' || *at == ':'; at++) {}
    for (; (*at >= '0' && *at <= '9') || *at == ','; at++)
        if (*at != ',') value = 10 * value + (*at - '0');
    return value;
}

static Status read_all(int fd, char *out, size_t size)
{
    size_t used = 0;
    for (;;) {
        const ssize_t n = read(fd, out + used, size - 1 - used);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        used += (size_t)n;
        if (used == size - 1) used /= 2;     /* the summary comes last: forget what was before */
    }
    out[used] = 0;
    return OK;
}

static Status spawn_valgrind(const char *point, int calls, int64_t fast_bytes, int fd, pid_t *pid,
                             Err *err)
{
    char self[512], cache[64], count[16];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return fail(err, IO_FAILED, "the program does not know its own file");
    self[n] = 0;
    snprintf(cache, sizeof cache, "--LL=%lld,%d,%d", (long long)fast_bytes, WAYS, LINE);
    snprintf(count, sizeof count, "%d", calls);
    char *const argv[] = { "valgrind", "--tool=cachegrind", "--cache-sim=yes",
                           "--cachegrind-out-file=/dev/null", "--I1=32768,8,64", "--D1=4096,8,64",
                           cache, self, "worker", (char *)point, count, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, 2);
    posix_spawn_file_actions_adddup2(&actions, fd, 1);
    const int why = posix_spawnp(pid, "valgrind", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return why ? fail(err, IO_FAILED, "valgrind could not be started: %s", strerror(why)) : OK;
}

static Status run_valgrind(const char *point, int calls, int64_t fast_bytes, Misses *out, Err *err)
{
    int fd[2], status = 0;
    pid_t pid;
    char text[16384];
    if (pipe2(fd, O_CLOEXEC))
        return fail(err, IO_FAILED, "no pipe to valgrind: %s", strerror(errno));
    const Status started = spawn_valgrind(point, calls, fast_bytes, fd[1], &pid, err);
    close(fd[1]);
    if (!started) {
        (void)read_all(fd[0], text, sizeof text);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    }
    close(fd[0]);
    if (started) return started;
    out->refs = number_after(text, "D   refs");
    if (!isfinite(out->refs)) out->refs = number_after(text, "D refs");
    out->misses = number_after(text, "LLd misses");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && isfinite(out->refs) &&
        isfinite(out->misses))
        return OK;
    return fail(err, UNSUPPORTED, "valgrind could not run it");
}

/* ---- what is asked of it ------------------------------------------------------------- */

/* Cachegrind wants a power of two of sets. The smallest such memory is the one that problems small
 * enough to simulate do not fit in. Its first level is kept tiny: it only hides uses from the
 * second. */
static int64_t choose_memory(const int64_t *fast_memory)
{
    int64_t best = 0;
    for (int i = 0; i < FAST_MEMORIES_MAX && fast_memory[i]; i++)
        if ((fast_memory[i] & (fast_memory[i] - 1)) == 0 && fast_memory[i] >= 32 << 10 &&
            (!best || fast_memory[i] < best)) best = fast_memory[i];
    return best;
}

static const char *refuses(const Arm *arm, int64_t fast_bytes)
{
    const Isa isa = arm->point.variant->isa;
    const Problem *p = &arm->point.problem;
    if (!program_exists("valgrind")) return "valgrind is not installed";
    if (isa != ISA_AVX2 && isa != ISA_PORTABLE && isa != ISA_NEON)
        return "valgrind knows no AVX-512";
    if (p->pass == BWD) return "only forward passes and steps are run";
    if (arm->point.threads > 1) return "valgrind runs one thread at a time";
    if (!fast_bytes) return "no fast memory of a power of two bytes";
    if (p->method->cost(p).flops > AFFORDABLE_FLOPS)
        return "the problem is too large for a simulator";
    return NULL;
}

/* Three calls less one call: start-up and filling drop out. */
void cachegrind_measure(const Bench *b, Arm *arm)
{
    const int64_t fast_bytes = choose_memory(b->task->fast_memory);
    const char *why = refuses(arm, fast_bytes), *point = b->task->arm[arm->index];
    Misses few, more;
    Err err;
    if (why) {
        bench_missing(arm, "cachegrind: %s", why);
        return;
    }
    shared_blame(b->shared, arm->index, "running under cachegrind");
    if (run_valgrind(point, CALLS_FEW, fast_bytes, &few, &err) ||
        run_valgrind(point, CALLS_MORE, fast_bytes, &more, &err)) {
        bench_missing(arm, "cachegrind: %.100s", err.text);
        return;
    }
    char name[40];
    snprintf(name, sizeof name, "simulated_bytes@%lld", (long long)fast_bytes);
    bench_metric(arm, "cache", "simulated_refs", "refs",
                 (more.refs - few.refs) / (CALLS_MORE - CALLS_FEW));
    bench_metric(arm, "cache", name, "B",
                 (more.misses - few.misses) / (CALLS_MORE - CALLS_FEW) * LINE);
}

/* ---- under valgrind ------------------------------------------------------------------ */

int cachegrind_subject(const char *text, const char *calls)
{
    Point point;
    Err err;
    Device *device = NULL;
    Bound bound = { 0 };
    Workspace ws = { 0 };
    Status status = worker_parse(&point, text, &err);
    if (!status && !point.variant) status = fail(&err, BAD_INPUT, "the reference is not simulated");
    if (!status) status = backend_cpu.open(&device, &err);
    if (!status) status = bound_open(&bound, &point.problem, point.problem.dtype, 0, device, &err);
    if (status) goto done;
    bound_fill(&bound);
    const Variant *v = point.variant;
    ws.size = v->workspace ? workspace_round(v->workspace(&bound.problem, 1)) : 0;
    if (ws.size && !(ws.base = backend_cpu.take(device, ws.size)))
        status = fail(&err, NO_MEMORY, "no workspace");
    Ctx ctx = { .ws = &ws, .threads = 1 };
    for (int i = atoi(calls); i > 0 && !status; i--) {
        workspace_reset(&ws);
        status = v->run(&bound.problem, &bound.args, &ctx);
    }
done:
    if (status) fprintf(stderr, "%s\n", err.text);
    if (ws.base) backend_cpu.give(device, ws.base, ws.size);
    bound_close(&bound);
    if (device) backend_cpu.close(device);
    return status != OK;
}
