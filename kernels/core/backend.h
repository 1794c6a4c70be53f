/* SPDX-License-Identifier: Apache-2.0 */
/* Where memory lives and whose clock is read: one object per kind of device.
 * Everything above asks a Backend for memory and time, so that a device with its
 * own memory is one more file and no special case. */
#ifndef BACKEND_H
#define BACKEND_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Device Device;            /* private to the backend */

typedef struct {
    const char *name;                                    /* "cpu" */
    Status  (*open)(Device **, Err *);                   /* UNSUPPORTED, never a crash */
    void    (*close)(Device *);
    void    (*describe)(const Device *, char *text, size_t size);
    void   *(*take)(Device *, size_t bytes);             /* zeroed, 64-byte aligned; or NULL */
    void    (*give)(Device *, void *, size_t bytes);
    void    (*upload)(Device *, void *to, const void *from, size_t bytes);
    void    (*download)(Device *, void *to, const void *from, size_t bytes);
    int64_t (*now_ns)(Device *);                         /* after all work given so far is done */
    void    (*flush)(Device *);                          /* evicts the caches */
} Backend;

extern const Backend backend_cpu;

#endif
