/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "shared.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };
static const uint64_t MAGIC = 0x3130747365747461u;   /* "attest01" */

static int64_t whole_pages(size_t bytes) { return (int64_t)((bytes + PAGE - 1) / PAGE * PAGE); }

static SharedHead *map_head(int fd)
{
    void *p = mmap(NULL, sizeof(SharedHead), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

Status shared_open(Shared *s, Err *err)
{
    *s = (Shared){ .fd = memfd_create("attest", MFD_CLOEXEC) };
    const int64_t size = whole_pages(sizeof(SharedHead));
    if (s->fd >= 0 && !ftruncate(s->fd, size)) s->head = map_head(s->fd);
    if (!s->head) {
        shared_close(s);
        return fail(err, NO_MEMORY, "no memory file for the workers to share");
    }
    s->head->magic = MAGIC;
    s->head->end_bytes = size;
    return OK;
}

Status shared_attach(Shared *s, int fd, Err *err)
{
    struct stat info;
    *s = (Shared){ .fd = fd };
    if (!fstat(fd, &info) && info.st_size >= (off_t)sizeof(SharedHead)) s->head = map_head(fd);
    if (!s->head || s->head->magic != MAGIC) {
        shared_close(s);
        return fail(err, BAD_INPUT,
                    "a worker is started by attest itself, with its task in a memory file");
    }
    return OK;
}

void shared_close(Shared *s)
{
    if (s->head) munmap(s->head, sizeof(SharedHead));
    if (s->fd >= 0) close(s->fd);
    *s = (Shared){ .fd = -1 };
}

void shared_blame(Shared *s, int arm, const char *doing)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    Blame *b = &s->head->blame;
    b->arm = arm;
    snprintf(b->doing, sizeof b->doing, "%s", doing);
    b->since_ns = t.tv_sec * (int64_t)1000000000 + t.tv_nsec;
}

/* FNV-1a over the name. */
static uint64_t hash(const char *key)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *key; key++) h = (h ^ (unsigned char)*key) * 0x100000001b3u;
    return h;
}

/* Its place among the items; -1: there is none. */
static int find(const SharedHead *head, const char *key)
{
    const uint64_t wanted = hash(key);
    for (int i = 0; i < head->items; i++)
        if (head->item[i].key == wanted) return i;
    return -1;
}

const void *shared_find(const Shared *s, const char *key, size_t *bytes)
{
    const int i = find(s->head, key);
    if (i < 0) return NULL;
    *bytes = (size_t)s->head->item[i].bytes;
    void *p = mmap(NULL, *bytes, PROT_READ, MAP_SHARED, s->fd, s->head->item[i].at);
    return p == MAP_FAILED ? NULL : p;
}

int shared_load(const Shared *s, const char *key, void *to, size_t bytes)
{
    const int i = find(s->head, key);
    if (i < 0 || s->head->item[i].bytes != (int64_t)bytes) return 0;
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = pread(s->fd, (char *)to + done, bytes - done,
                                (off_t)(s->head->item[i].at + (int64_t)done));
        if (n <= 0) return 0;
        done += (size_t)n;
    }
    return 1;
}

void *shared_reserve(Shared *s, size_t bytes)
{
    SharedHead *head = s->head;
    const int64_t size = whole_pages(bytes);
    if (head->items == SHARED_ITEMS_MAX || ftruncate(s->fd, head->end_bytes + size)) return NULL;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, head->end_bytes);
    return p == MAP_FAILED ? NULL : p;
}

void shared_publish(Shared *s, const char *key, void *memory, size_t bytes)
{
    SharedHead *head = s->head;
    require(head->items < SHARED_ITEMS_MAX);
    munmap(memory, bytes);
    head->item[head->items].key = hash(key);
    head->item[head->items].at = head->end_bytes;
    head->item[head->items].bytes = (int64_t)bytes;
    head->end_bytes += whole_pages(bytes);
    head->items++;    /* last: until here there is no such item */
}
