/* SPDX-License-Identifier: Apache-2.0 */
/* Small files whole: what the telling half reads and writes. */
#ifndef FILE_H
#define FILE_H

#include "../kernels/core/status.h"

#include <stddef.h>
#include <stdio.h>

enum { FILE_BYTES_MAX = 256 << 20 };

/* The whole file with a 0 behind it; free it. NULL: errno says why (EFBIG: over FILE_BYTES_MAX). */
char  *file_read(const char *path, size_t *size);
/* Closes what was written. 0: some of it was lost, for the disk is full or there is no memory. */
int    file_close(FILE *out);
/* A new file under this name, in place of what is there; never through a link. NULL: errno. */
FILE  *file_create(const char *path);
int    file_is_link(const char *path);
/* Letters, digits, _, - and ., with / between parts of which none is empty or starts with . or -:
 * such a name stays below its folder and says nothing to a shell. */
int    name_is_plain(const char *name);
/* Writes beside the target first, so that a reader never sees half of it. */
Status file_write(const char *path, const char *text, size_t size, Err *err);
/* Makes a folder with those above it. */
Status folder_make(const char *path, Err *err);

#endif
