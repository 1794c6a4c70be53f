/* SPDX-License-Identifier: Apache-2.0 */
/* Small files whole: what the telling half reads and writes. */
#ifndef FILE_H
#define FILE_H

#include "../kernels/core/status.h"

#include <stddef.h>

/* The whole file with a 0 behind it; free it. NULL: errno says why. */
char  *file_read(const char *path, size_t *size);
/* Writes beside the target first, so that a reader never sees half of it. */
Status file_write(const char *path, const char *text, size_t size, Err *err);
/* Makes a folder with those above it. */
Status folder_make(const char *path, Err *err);

#endif
