/* SPDX-License-Identifier: Apache-2.0 */
/* Files of named tensors: 8 bytes of little-endian header length, a JSON header, raw little-endian
 * row-major values (huggingface/safetensors, format of version 0.3). */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include "tree.h"

#include "../kernels/core/tensor.h"

#include <stddef.h>
#include <stdint.h>

enum { SAFE_RANK_MAX = 8 };

typedef enum { SAFE_F64, SAFE_F32, SAFE_F16, SAFE_BF16, SAFE_I64, SAFE_I32, SAFE_U8, SAFE_BOOL,
               SAFE_OTHER } SafeDtype;

typedef struct {
    const char *name;
    SafeDtype   dtype;
    const char *dtype_text;    /* "F64" */
    int         rank;
    int64_t     dim[SAFE_RANK_MAX];
    const char *data;          /* in the file's memory, of any alignment */
    size_t      bytes;
} SafeTensor;

typedef struct {
    char       *memory;        /* the whole file */
    size_t      memory_bytes;
    Tree       *header;
    SafeTensor *tensor;        /* in the order of the header */
    int         tensors;
} SafeFile;

/* BAD_INPUT: no such file, or not of this format: tensors that leave the file, sizes that disagree
 * with shapes, more than SAFE_RANK_MAX dimensions, a header of over 4 MiB. */
Status safe_open(SafeFile *file, const char *path, Err *err);
void   safe_close(SafeFile *file);
const SafeTensor *safe_find(const SafeFile *file, const char *name);    /* NULL: none */
const char *safe_metadata(const SafeFile *file, const char *key);       /* NULL: none */
int64_t safe_count(const SafeTensor *t);
/* One element by flat index. t's dtype must not be SAFE_OTHER. */
double  safe_get(const SafeTensor *t, int64_t index);

typedef struct { const char *key, *value; } SafePair;
typedef struct { const char *name; const Tensor *tensor; } SafeEntry;

/* Writes a file whose metadata are `pair` (ends with key NULL). It appears under its name only when
 * it is complete. IO_FAILED says why. */
Status safe_write(const char *path, const SafePair *pair, const SafeEntry *entry, int entries,
                  Err *err);

#endif
