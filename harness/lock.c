/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "lock.h"

#include "cli.h"
#include "machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 10, PATIENCE_MS = 300 * 1000 };

/* Anybody's file will do: only the lock on it counts, so it is opened for reading where it
 * exists. */
static int open_lock(int cpu)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/attest-core-%d.lock", cpu);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd >= 0) (void)fchmod(fd, 0666);
    }
    return fd;
}

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

/* 1: the core is ours, or there is no lock file to be had and we use it all the same. */
static int try_core(CoreLock *lock, int cpu)
{
    const int fd = open_lock(cpu);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        return 0;
    }
    lock->fd[lock->count++] = fd;
    return 1;
}

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = WAIT_MS * 1000000L }, NULL);
}

/* One thread: whichever core is free first. */
static int lock_any(CoreLock *lock, const int *candidate, int candidates)
{
    for (int waited_ms = 0; waited_ms < PATIENCE_MS && !interrupted; waited_ms += WAIT_MS) {
        for (int i = 0; i < candidates; i++)
            if (try_core(lock, candidate[i])) return candidate[i];
        wait_a_little();
    }
    return candidate[0];
}

int lock_cores(CoreLock *lock, int threads, int *cpu)
{
    int candidate[THREADS_MAX];
    const int candidates = machine_cpus(candidate, THREADS_MAX);
    const int wanted = threads < candidates ? threads : candidates;
    *lock = (CoreLock){ .count = 0 };
    if (wanted == 1) cpu[0] = lock_any(lock, candidate, candidates);
    if (wanted <= 1) return wanted;
    for (int i = 0; i < wanted; i++) cpu[i] = candidate[i];
    qsort(cpu, (size_t)wanted, sizeof *cpu, by_number);
    /* Everybody who waits while holding goes upwards, so nobody waits in a circle. */
    int waited_ms = 0;
    for (int i = 0; i < wanted; i++)
        while (!try_core(lock, cpu[i]) && waited_ms < PATIENCE_MS && !interrupted) {
            wait_a_little();
            waited_ms += WAIT_MS;
        }
    return wanted;
}

void unlock_cores(CoreLock *lock)
{
    for (int i = 0; i < lock->count; i++)
        if (lock->fd[i] >= 0) close(lock->fd[i]);
    lock->count = 0;
}
