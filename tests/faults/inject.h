/* SPDX-License-Identifier: Apache-2.0 */
/* What the injector (inject.c) and those who drive it (faults.c) have in common. */
#ifndef INJECT_H
#define INJECT_H

#include <stdatomic.h>

typedef enum {
    FAULT_MEMORY,     /* malloc and its relatives, mmap: ENOMEM */
    FAULT_READ,       /* EIO */
    FAULT_WRITE,      /* write, truncate, fsync, mkdir: ENOSPC, EIO */
    FAULT_OPEN,       /* EMFILE */
    FAULT_LOCK,       /* fcntl locks: ENOSYS, as on some cluster file systems */
    FAULT_PROCESS,    /* fork, exec, pipes, threads: EAGAIN, EMFILE, ENOMEM */
    FAULT_SQLITE,     /* open, prepare, step, exec: CANTOPEN, NOMEM, FULL */
    FAULT_KINDS
} FaultKind;

static const char *const fault_names[] = {
    "memory", "read", "write", "open", "lock", "process", "sqlite"
};

typedef struct { _Atomic int calls, fired; } Told;

#endif
