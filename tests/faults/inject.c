/* SPDX-License-Identifier: Apache-2.0 */
/* Makes attest's world fail: linked into a build of attest of its own, in the place of heap.c, so
 * that not a line of the product knows of it. What a program defines itself stands before the
 * libraries' own, for the libraries too: SQLite, libyaml, jansson and hwloc meet the same faults.
 *
 *   FAULT=KIND:AT:ever|once[:worker]   the call number AT of this kind fails, or all from there on;
 *                                      AT 0: none, they are only counted
 *   FAULT_TOLD=FILE                    a Told, which tells what has happened
 *
 * Calls are counted from main() on, in the program itself or in its workers. */
#define _GNU_SOURCE
#include "inject.h"

#include "../../harness/db_sqlite.h"
#include "../../harness/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static struct { FaultKind kind; int at, ever; } fault;
static Told *told;

static int strikes(FaultKind kind)
{
    if (!told || kind != fault.kind) return 0;
    const int n = atomic_fetch_add(&told->calls, 1) + 1;
    if (!fault.at || (fault.ever ? n < fault.at : n != fault.at)) return 0;
    told->fired = 1;
    return 1;
}

static int strikes_with(FaultKind kind, int why)
{
    if (!strikes(kind)) return 0;
    errno = why;
    return 1;
}

/* ---- memory --------------------------------------------------------------------------- */

int64_t heap_calls(void) { return 0; }

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    return strikes_with(FAULT_MEMORY, ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return strikes_with(FAULT_MEMORY, ENOMEM) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    return strikes_with(FAULT_MEMORY, ENOMEM) ? NULL : __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
    return strikes_with(FAULT_MEMORY, ENOMEM) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *memory = memalign(alignment, size);
    if (!memory) return ENOMEM;
    *out = memory;
    return 0;
}

void *mmap(void *at, size_t size, int may, int flags, int fd, off_t offset)
{
    if (strikes_with(FAULT_MEMORY, ENOMEM)) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, size, may, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int may, int flags, int fd, off64_t offset)
{
    return mmap(at, size, may, flags, fd, offset);
}

/* ---- files ---------------------------------------------------------------------------- */

ssize_t read(int fd, void *to, size_t size)
{
    return strikes_with(FAULT_READ, EIO) ? -1 : syscall(SYS_read, fd, to, size);
}

ssize_t pread(int fd, void *to, size_t size, off_t at)
{
    return strikes_with(FAULT_READ, EIO) ? -1 : syscall(SYS_pread64, fd, to, size, at);
}

ssize_t pread64(int fd, void *to, size_t size, off64_t at) { return pread(fd, to, size, at); }

ssize_t write(int fd, const void *from, size_t size)
{
    return strikes_with(FAULT_WRITE, ENOSPC) ? -1 : syscall(SYS_write, fd, from, size);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
    return strikes_with(FAULT_WRITE, ENOSPC) ? -1 : syscall(SYS_pwrite64, fd, from, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at)
{
    return pwrite(fd, from, size, at);
}

int ftruncate(int fd, off_t size)
{
    return strikes_with(FAULT_WRITE, ENOSPC) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

int fsync(int fd) { return strikes_with(FAULT_WRITE, EIO) ? -1 : (int)syscall(SYS_fsync, fd); }

int fdatasync(int fd)
{
    return strikes_with(FAULT_WRITE, EIO) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int mkdir(const char *path, mode_t mode)
{
    if (strikes_with(FAULT_WRITE, ENOSPC)) return -1;
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (strikes_with(FAULT_OPEN, EMFILE)) return -1;
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return openat(AT_FDCWD, path, flags, mode);
}

/* The C library's own streams would not meet the functions above; these do. */
static ssize_t stream_read(void *self, char *to, size_t size)
{
    return read((int)(intptr_t)self, to, size);
}

static ssize_t stream_write(void *self, const char *from, size_t size)
{
    const ssize_t n = write((int)(intptr_t)self, from, size);
    return n < 0 ? 0 : n;                /* as fopencookie(3) wants it */
}

static int stream_close(void *self) { return close((int)(intptr_t)self); }

FILE *fopen(const char *path, const char *mode)
{
    const int flags = *mode == 'r' ? O_RDONLY : *mode == 'w' ? O_WRONLY | O_CREAT | O_TRUNC
                                                             : O_WRONLY | O_CREAT | O_APPEND;
    const int fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0) return NULL;
    FILE *file = fopencookie((void *)(intptr_t)fd, mode, (cookie_io_functions_t){
        .read = stream_read, .write = stream_write, .close = stream_close });
    if (!file) close(fd);
    return file;
}

/* A file system without locks. */
int fcntl64(int fd, int command, ...)
{
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    if ((command == F_SETLK || command == F_SETLKW || command == F_GETLK) &&
        strikes_with(FAULT_LOCK, ENOSYS)) return -1;
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

/* ---- processes ------------------------------------------------------------------------ */

static struct {
    pid_t (*fork)(void);
    int   (*topology_init)(void **), (*topology_load)(void *);
    int   (*thread)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int   (*sql_open)(const char *, sqlite3 **, int, const char *);
    int   (*sql_prepare)(sqlite3 *, const char *, int, unsigned, sqlite3_stmt **, const char **);
    int   (*sql_step)(sqlite3_stmt *);
    int   (*sql_exec)(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *,
                      char **);
} theirs;

pid_t fork(void) { return strikes_with(FAULT_PROCESS, EAGAIN) ? -1 : theirs.fork(); }

int pipe2(int fd[2], int flags)
{
    return strikes_with(FAULT_PROCESS, EMFILE) ? -1 : (int)syscall(SYS_pipe2, fd, flags);
}

int memfd_create(const char *name, unsigned flags)
{
    return strikes_with(FAULT_PROCESS, EMFILE) ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

int pthread_create(pthread_t *out, const pthread_attr_t *how, void *(*what)(void *), void *self)
{
    return strikes(FAULT_PROCESS) ? EAGAIN : theirs.thread(out, how, what, self);
}

/* A worker's environment is made anew: the fault goes along. */
int execve(const char *path, char *const argv[], char *const given[])
{
    enum { MOST = 64 };
    if (strikes_with(FAULT_PROCESS, ENOMEM)) return -1;
    char *all[MOST + 1];
    int n = 0;
    while (n < MOST - 2 && given[n]) { all[n] = given[n]; n++; }
    for (char **at = environ; *at && n < MOST; at++)
        if (!strncmp(*at, "FAULT", 5)) all[n++] = *at;
    all[n] = NULL;
    return (int)syscall(SYS_execve, path, argv, all);
}

/* ---- SQLite --------------------------------------------------------------------------- */

extern const char __executable_start[], etext[];        /* by the linker: our own code */

/* What SQLite asks of itself must not fail without its own doing. */
static int strikes_us(const void *caller)
{
    const char *from = caller;
    return from >= __executable_start && from < etext && strikes(FAULT_SQLITE);
}

int sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs)
{
    const int rc = theirs.sql_open(path, out, flags, vfs);
    return strikes_us(__builtin_return_address(0)) ? SQLITE_CANTOPEN : rc;
}

int sqlite3_prepare_v3(sqlite3 *db, const char *sql, int size, unsigned flags, sqlite3_stmt **out,
                       const char **tail)
{
    if (!strikes_us(__builtin_return_address(0)))
        return theirs.sql_prepare(db, sql, size, flags, out, tail);
    *out = NULL;
    return SQLITE_NOMEM;
}

int sqlite3_step(sqlite3_stmt *statement)
{
    const int fails = strikes_us(__builtin_return_address(0));
    return fails ? SQLITE_FULL : theirs.sql_step(statement);
}

int sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **),
                 void *self, char **message)
{
    const int fails = strikes_us(__builtin_return_address(0));
    return fails ? SQLITE_FULL : theirs.sql_exec(db, sql, row, self, message);
}

/* ---- others ---------------------------------------------------------------------------- */

extern int hwloc_topology_init(void **topology);
extern int hwloc_topology_load(void *topology);

/* hwloc 2.9 does not ask whether there was memory, and crashes: nothing that we could mend. */
int hwloc_topology_init(void **topology)
{
    Told *const kept = told;
    told = NULL;
    const int result = theirs.topology_init(topology);
    told = kept;
    return result;
}

int hwloc_topology_load(void *topology)
{
    Told *const kept = told;
    told = NULL;
    const int result = theirs.topology_load(topology);
    told = kept;
    return result;
}

/* ---- arming --------------------------------------------------------------------------- */

static void find(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);      /* ISO C has no cast from one to the other */
}

/* Before the libraries' own constructors: OpenBLAS starts a thread in its one. */
static void find_all(void)
{
    find("fork", &theirs.fork);
    find("hwloc_topology_init", &theirs.topology_init);
    find("hwloc_topology_load", &theirs.topology_load);
    find("pthread_create", &theirs.thread);
    find("sqlite3_open_v2", &theirs.sql_open);
    find("sqlite3_prepare_v3", &theirs.sql_prepare);
    find("sqlite3_step", &theirs.sql_step);
    find("sqlite3_exec", &theirs.sql_exec);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = find_all;

static Told *map_told(const char *path)
{
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *p = (void *)syscall(SYS_mmap, NULL, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                              0);
    syscall(SYS_close, fd);
    if (p == MAP_FAILED) abort();
    return p;
}

__attribute__((constructor)) static void arm(int argc, char **argv)
{
    char kind[16] = "", how[8] = "", where[8] = "";
    const char *text = getenv("FAULT"), *path = getenv("FAULT_TOLD");
    if (!text || !path) return;
    if (sscanf(text, "%15[a-z]:%d:%7[a-z]:%7[a-z]", kind, &fault.at, how, where) < 3) abort();
    const int is_worker = argc > 1 && !strcmp(argv[1], "worker");
    if (is_worker != !strcmp(where, "worker")) return;
    while (fault.kind < FAULT_KINDS && strcmp(kind, fault_names[fault.kind])) fault.kind++;
    fault.ever = !strcmp(how, "ever");
    told = map_told(path);
}
