/* SPDX-License-Identifier: Apache-2.0 */
/* The host as a backend: pages from mmap, large ones where the system has them
 * (4 KiB pages cost 20-45 % of streaming bandwidth on Zen 4), and the monotonic clock. */
#define _GNU_SOURCE
#include "backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 << 20 };

struct Device { char *flood; size_t flood_bytes; };

static size_t whole_pages(size_t bytes)
{
    size_t page = bytes >= HUGE_PAGE ? HUGE_PAGE : 4096;
    return (bytes + page - 1) / page * page;
}

/* Large blocks start at a large page's boundary, or the first and last part of them
 * would be made of small ones. */
static void *map(size_t bytes)
{
    size_t size = whole_pages(bytes), slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
    char *p = mmap(NULL, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    if (!slack) return p;
    char *start = (char *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    if (start > p) munmap(p, (size_t)(start - p));
    if (start + size < p + size + slack) munmap(start + size, (size_t)(p + slack - start));
    madvise(start, size, MADV_HUGEPAGE);   /* advice: refusal costs speed only */
    return start;
}

static size_t last_level_cache_bytes(void)
{
    long l3 = sysconf(_SC_LEVEL3_CACHE_SIZE), l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return (size_t)(l3 > 0 ? l3 : l2 > 0 ? l2 : 32 << 20);
}

static Status cpu_open(Device **device, Err *err)
{
    Device *d = calloc(1, sizeof *d);
    if (!d) return fail(err, NO_MEMORY, "no memory for a device");
    d->flood_bytes = 2 * last_level_cache_bytes();
    *device = d;
    return OK;
}

static void *cpu_take(Device *d, size_t bytes)
{
    (void)d;
    return map(bytes ? bytes : 1);
}

static void cpu_give(Device *d, void *p, size_t bytes)
{
    (void)d;
    if (p) munmap(p, whole_pages(bytes ? bytes : 1));
}

static void cpu_close(Device *d)
{
    if (d && d->flood) cpu_give(d, d->flood, d->flood_bytes);
    free(d);
}

static void cpu_describe(const Device *d, char *text, size_t size)
{
    snprintf(text, size, "host memory, last-level cache %zu KiB", d->flood_bytes / 2 / 1024);
}

static void cpu_copy(Device *d, void *to, const void *from, size_t bytes)
{
    (void)d;
    memcpy(to, from, bytes);
}

static int64_t cpu_now_ns(Device *d)
{
    (void)d;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return t.tv_sec * (int64_t)1000000000 + t.tv_nsec;
}

/* Writing twice the last level's size leaves nothing else in it. */
static void cpu_flush(Device *d)
{
    if (!d->flood) d->flood = map(d->flood_bytes);
    if (!d->flood) return;
    volatile char *p = d->flood;
    for (size_t i = 0; i < d->flood_bytes; i += 64) p[i]++;
}

const Backend backend_cpu = {
    .name = "cpu", .open = cpu_open, .close = cpu_close, .describe = cpu_describe,
    .take = cpu_take, .give = cpu_give, .upload = cpu_copy, .download = cpu_copy,
    .now_ns = cpu_now_ns, .flush = cpu_flush,
};
