/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that any tar unpacks (POSIX.1-1988 ustar, regular files only), in the one form in which
 * this program writes them: no owner, no date, mode 644. So the same files give the same bytes, and
 * reading can insist on exactly those: whatever was changed in a header, in the padding or behind
 * the end is found. Nothing is ever unpacked: a member is a piece of memory, its name a text. */
#ifndef TAR_H
#define TAR_H

#include "../kernels/core/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TAR_NAME = 100 };

typedef struct {
    char        name[TAR_NAME];        /* "attest-flashattention/rows.db" */
    const void *data;
    size_t      size;                  /* below 8 GiB */
} TarMember;

/* Names end with a zero and are not empty; what cannot be written is seen by ferror(). */
void tar_write(FILE *out, const TarMember *member, int count);

/* data of the members points into `archive`. BAD_INPUT: not as tar_write() writes it, or more than
 * `most` members. */
Status tar_read(const void *archive, size_t size, TarMember *member, int most, int *count,
                Err *err);

#endif
