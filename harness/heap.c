/* SPDX-License-Identifier: Apache-2.0 */
/* The GNU C library lets a program replace malloc and its relatives by defining all of them. These
 * count, and hand on to the library's own. free() is the library's, for so is the memory. */
#include "heap.h"

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_IS_THEIRS
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define HEAP_IS_THEIRS
#endif

#ifdef HEAP_IS_THEIRS
int64_t heap_calls(void) { return 0; }
#else
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void *memalign(size_t alignment, size_t size);   /* not in POSIX; replaced all the same */

extern const char __executable_start[], etext[];        /* by the linker: our own code */

static _Atomic int64_t calls;

int64_t heap_calls(void) { return atomic_load_explicit(&calls, memory_order_relaxed); }

static void count(const void *caller)
{
    const char *from = caller;
    if (from >= __executable_start && from < etext)
        atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
}

void *malloc(size_t size)
{
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    if (!alignment || alignment % sizeof(void *) || alignment & (alignment - 1)) return EINVAL;
    void *memory = __libc_memalign(alignment, size);
    if (!memory) return ENOMEM;
    *out = memory;
    return 0;
}
#endif
