/* SPDX-License-Identifier: Apache-2.0 */
/* The parent's side of a worker: start, watch, listen, and say what became of it. */
#define _GNU_SOURCE
#include "worker.h"

#include "cli.h"
#include "hash.h"

#include "../kernels/core/random.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- frames -------------------------------------------------------------------------- */

enum { FRAME_MAGIC = 0x61747366, FRAME_BYTES_MAX = 64 << 20 };

typedef struct { uint32_t magic, kind, bytes, crc; int32_t arm; } FrameHead;

static uint32_t checksum(const FrameHead *head, const void *data)
{
    const uint32_t about[3] = { head->kind, head->bytes, (uint32_t)head->arm };
    return crc32_add(crc32_add(0, about, sizeof about), data, head->bytes);
}

static int write_all(int fd, const void *data, size_t bytes)
{
    for (const char *at = data; bytes;) {
        const ssize_t n = write(fd, at, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return 0;
        at += n;
        bytes -= (size_t)n;
    }
    return 1;
}

int frame_send(int fd, FrameKind kind, int arm, const void *data, size_t bytes)
{
    static int broken;                /* behind half a frame nothing could be read */
    FrameHead head = {
        .magic = FRAME_MAGIC, .kind = (uint32_t)kind, .bytes = (uint32_t)bytes, .arm = arm
    };
    head.crc = checksum(&head, data);
    broken = broken || !write_all(fd, &head, sizeof head) || !write_all(fd, data, bytes);
    return !broken;
}

/* What has come through the pipe and is not yet a whole frame. */
typedef struct { char *data; size_t used, size; int damaged, done; } Inbox;

static int inbox_read(Inbox *in, int fd)
{
    if (in->size - in->used < 65536) {
        const size_t size = in->size ? 2 * in->size : 1 << 18;
        char *more = realloc(in->data, size);
        if (!more) { in->damaged = 1; return 0; }
        in->data = more;
        in->size = size;
    }
    const ssize_t n = read(fd, in->data + in->used, in->size - in->used);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    in->used += (size_t)n;
    return n > 0;
}

static void inbox_deliver(Inbox *in, const WorkerPlan *plan)
{
    size_t at = 0;
    FrameHead head;
    while (!in->damaged && in->used - at >= sizeof head) {
        memcpy(&head, in->data + at, sizeof head);
        if (head.magic != FRAME_MAGIC || head.bytes > FRAME_BYTES_MAX || head.kind >= FRAME_KINDS ||
            head.arm >= plan->shared->head->task.arms) { in->damaged = 1; break; }
        if (in->used - at < sizeof head + head.bytes) break;
        const char *data = in->data + at + sizeof head;
        if (checksum(&head, data) != head.crc) { in->damaged = 1; break; }
        if (head.kind == FRAME_DONE) in->done = 1;
        else plan->frame(plan->self, (FrameKind)head.kind, head.arm, data, head.bytes);
        at += sizeof head + head.bytes;
    }
    memmove(in->data, in->data + at, in->used - at);
    in->used -= at;
}

/* ---- starting ------------------------------------------------------------------------ */

enum { PADDING_MAX = 4096, ENVIRONMENT_MAX = 16 };

typedef struct {
    char *entry[ENVIRONMENT_MAX + 1];
    int   count;
    char  padding[PADDING_MAX + 16];
} Environment;

/* Nothing of the user's own environment may change a measurement, except what decides whether the
 * program runs at all, or how a sanitizer reports. */
static void make_environment(Environment *e, const WorkerPlan *plan)
{
    static const char *const kept[] = { "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "ASAN_OPTIONS",
                                        "UBSAN_OPTIONS", "LSAN_OPTIONS", "OPENBLAS_CORETYPE",
                                        "ATTEST_ISA" };
    *e = (Environment){ .count = 0 };
    for (char **at = environ; *at; at++)
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
            const size_t length = strlen(kept[i]);
            if (!strncmp(*at, kept[i], length) && (*at)[length] == '=' &&
                e->count < ENVIRONMENT_MAX - 3)
                e->entry[e->count++] = *at;
        }
    const int pad = (int)random_below(plan->seed, 0x706164, 0, PADDING_MAX);   /* stream "pad" */
    strcpy(e->padding, "PAD=");
    memset(e->padding + 4, 'x', (size_t)pad);
    e->entry[e->count++] = "LC_ALL=C";
    /* Our team calls it; threads of its own would only spin. */
    e->entry[e->count++] = "OPENBLAS_NUM_THREADS=1";
    e->entry[e->count++] = e->padding;
}

typedef struct { int result[2], trouble[2]; } Pipes;

static void close_both(int fd[2])
{
    for (int i = 0; i < 2; i++)
        if (fd[i] >= 0) close(fd[i]);
    fd[0] = fd[1] = -1;
}

static Status open_pipes(Pipes *p, Err *err)
{
    *p = (Pipes){ { -1, -1 }, { -1, -1 } };
    if (!pipe2(p->result, O_CLOEXEC) && !pipe2(p->trouble, O_CLOEXEC)) return OK;
    const int why = errno;
    close_both(p->result);
    close_both(p->trouble);
    return fail(err, IO_FAILED, "no pipe to a worker: %s", strerror(why));
}

/* dup2 would leave close-on-exec set where both numbers are the same. */
static void give_fd(int fd, int as)
{
    if (fd == as) (void)fcntl(fd, F_SETFD, 0);
    else (void)dup2(fd, as);
}

/* In the child, between fork and exec: only calls that are safe there. */
static void become_worker(const WorkerPlan *plan, const Pipes *pipes, char **environment,
                          pid_t parent)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    const Task *task = &plan->shared->head->task;
    for (int i = 0; i < task->cpus; i++) CPU_SET(task->cpu[i], &set);
    if (task->cpus) (void)sched_setaffinity(0, sizeof set, &set);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    /* Out of the way first, so that no dup2 below overwrites what a later one needs. */
    const int task_fd = fcntl(plan->shared->fd, F_DUPFD, 64),
              result_fd = fcntl(pipes->result[1], F_DUPFD, 64);
    const int nothing = open("/dev/null", O_RDONLY);
    give_fd(nothing, 0);
    give_fd(pipes->trouble[1], 1);
    give_fd(pipes->trouble[1], 2);
    give_fd(task_fd, WORKER_TASK_FD);
    give_fd(result_fd, WORKER_RESULT_FD);
    close(task_fd);
    close(result_fd);
    char *const argv[] = { "attest", "worker", NULL };
    execve("/proc/self/exe", argv, environment);
    static const char complaint[] = "the program could not start itself again";
    (void)!write(2, complaint, sizeof complaint - 1);
    _exit(127);
}

static Status start(const WorkerPlan *plan, Pipes *pipes, pid_t *pid, Err *err)
{
    Environment environment;
    make_environment(&environment, plan);
    const Status status = open_pipes(pipes, err);
    if (status) return status;
    const pid_t parent = getpid();
    *pid = fork();
    if (*pid == 0) become_worker(plan, pipes, environment.entry, parent);
    const int why = errno;
    close(pipes->result[1]);
    close(pipes->trouble[1]);
    pipes->result[1] = pipes->trouble[1] = -1;
    if (*pid > 0) {
        (void)setpgid(*pid, *pid);   /* whichever of the two comes first */
        return OK;
    }
    close_both(pipes->result);
    close_both(pipes->trouble);
    return fail(err, IO_FAILED, "no process for a worker: %s", strerror(why));
}

/* ---- watching ------------------------------------------------------------------------ */

/* The end of what the worker wrote to stderr, on one line. */
typedef struct { char text[160]; size_t used; } Tail;

static int tail_read(Tail *t, int fd)
{
    char chunk[1024];
    const ssize_t n = read(fd, chunk, sizeof chunk);
    if (n < 0) return errno == EINTR;
    for (ssize_t i = 0; i < n; i++) {
        if (t->used == sizeof t->text - 1) memmove(t->text, t->text + 1, --t->used);
        t->text[t->used++] = (unsigned char)chunk[i] >= ' ' ? chunk[i] : ' ';
    }
    t->text[t->used] = 0;
    return n > 0;
}

static int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * (int64_t)1000000000 + t.tv_nsec;
}

/* Milliseconds until the phase under way has taken too long; 0: it has. What no arm is to blame
 * for, as starting on a busy machine, has a limit of its own. */
static int patience_ms(const WorkerPlan *plan)
{
    static const int64_t start_limit_ns = 60 * (int64_t)1000000000;
    const Blame *blame = &plan->shared->head->blame;
    int64_t limit_ns = plan->limit_wall_ns;
    if (blame->arm < 0 && limit_ns < start_limit_ns) limit_ns = start_limit_ns;
    const int64_t left_ns = blame->since_ns + limit_ns - monotonic_ns();
    if (left_ns <= 0) return 0;
    const int64_t left_ms = left_ns / 1000000 + 1;
    return left_ms < 1000 ? (int)left_ms : 1000;
}

/* Listens until both pipes are closed, the limit is over, or the user has had enough. */
static WorkerEnd listen_to(const WorkerPlan *plan, const Pipes *pipes, Inbox *in, Tail *tail)
{
    struct pollfd fd[2] = { { .fd = pipes->result[0], .events = POLLIN },
                            { .fd = pipes->trouble[0], .events = POLLIN } };
    while (fd[0].fd >= 0 || fd[1].fd >= 0) {
        if (interrupted) return WORKER_INTERRUPTED;
        const int wait_ms = patience_ms(plan);
        if (!wait_ms) return WORKER_TIMEOUT;
        if (poll(fd, 2, wait_ms) <= 0) continue;
        if (fd[0].revents) {
            if (!inbox_read(in, fd[0].fd)) fd[0].fd = -1;
            inbox_deliver(in, plan);
            if (in->done) return WORKER_DONE;
            if (in->damaged) return WORKER_CRASHED;
        }
        if (fd[1].revents && !tail_read(tail, fd[1].fd)) fd[1].fd = -1;
    }
    return WORKER_CRASHED;
}

/* ---- the verdict --------------------------------------------------------------------- */

static void explain(WorkerResult *out, const WorkerPlan *plan, const char *what, const Tail *tail)
{
    const Blame *blame = &plan->shared->head->blame;
    out->arm = blame->arm;
    snprintf(out->reason, sizeof out->reason, "%s while %.31s%s%.150s", what, blame->doing,
             *tail->text ? ": " : "", tail->text);
}

static WorkerEnd judge_exit(const WorkerPlan *plan, int status, int damaged, const Tail *tail,
                            WorkerResult *out)
{
    char what[64];
    if (damaged) {
        explain(out, plan, "sent damaged results", tail);
        return WORKER_CRASHED;
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        explain(out, plan, "killed by the system, as it does when memory runs out,", tail);
        return WORKER_NO_MEMORY;
    }
    if (WIFSIGNALED(status))
        snprintf(what, sizeof what, "signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(what, sizeof what, "left with exit code %d", WEXITSTATUS(status));
    explain(out, plan, what, tail);
    return WORKER_CRASHED;
}

Status worker_run(const WorkerPlan *plan, WorkerResult *out, Err *err)
{
    Pipes pipes;
    Inbox in = { 0 };
    Tail tail = { .used = 0 };
    pid_t pid;
    int status = 0;
    *out = (WorkerResult){ .arm = -1 };
    shared_blame(plan->shared, -1, "starting");
    const Status started = start(plan, &pipes, &pid, err);
    if (started) return started;
    out->end = listen_to(plan, &pipes, &in, &tail);
    /* Also when all went well: results are in, and nothing may be left running. A worker that
     * closed its pipes by dying is already a status to wait for. */
    if (out->end != WORKER_CRASHED || in.damaged) (void)kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    (void)kill(-pid, SIGKILL);
    if (out->end == WORKER_TIMEOUT) {
        char what[64];
        snprintf(what, sizeof what, "more than %.3g s", (double)plan->limit_wall_ns * 1e-9);
        explain(out, plan, what, &tail);
    }
    if (out->end == WORKER_CRASHED) out->end = judge_exit(plan, status, in.damaged, &tail, out);
    close_both(pipes.result);
    close_both(pipes.trouble);
    free(in.data);
    return OK;
}
